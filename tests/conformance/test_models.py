"""Every model family keeps the contract of `inlay.models`, and learns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass, replace

import numpy as np
import pytest
import torch

from inlay import Classes, Dataset, Sample, Segmentation, SegmentClass, plugins
from inlay.models.parts.settings import settings_of
from inlay.training import train
from inlay.training.batches import Batch, batch_of
from inlay.training.config import config_from, default_config
from inlay.training.examples import Examples, classes_to_learn, facts_of
from inlay.training.hardware import backend

MODELS = plugins.names("models")
CLASSES = Classes(
    (SegmentClass("sky", "stuff"), SegmentClass("void", "void"), SegmentClass("ball"), SegmentClass("box"))
)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    yield
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)


def scene(seed: int, size: tuple[int, int] = (64, 64)) -> Sample:
    """Two balls and two boxes before a sky."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: size[0], : size[1]]
    image = np.full((*size, 3), (100, 150, 230), np.float64)
    ids, segments = np.ones(size, int), [(1, 0)]
    for number in range(4):
        y, x = (number // 2 + 0.5) * size[0] / 2, (number % 2 + 0.5) * size[1] / 2
        y, x, reach = y + rng.integers(-5, 6), x + rng.integers(-5, 6), rng.integers(6, 10)
        ball = bool((number + seed) % 2)
        inside = (
            (rows - y) ** 2 + (columns - x) ** 2 <= reach**2
            if ball
            else np.maximum(abs(rows - y), abs(columns - x)) <= reach
        )
        image[inside] = (220, 60, 40) if ball else (50, 170, 60)
        ids[inside] = number + 2
        segments.append((number + 2, 2 if ball else 3))
    pixels = (image + rng.normal(0, 3, image.shape)).clip(0, 255).astype(np.uint8)
    return Sample(f"scene_{seed}", pixels, Segmentation.from_panoptic(ids, segments, CLASSES))


def small(name: str):
    """The family's own settings, cut down to what one thread trains in seconds."""
    config = plugins.load("models", name).Config()
    sizes = {
        "widths": (8, 16, 16, 16),
        "depths": (1, 1, 1, 1),
        "head": 16,
        "mask_features": 8,
        "norm": "group",
    }
    sizes |= {"fcn": {"stride": 4}, "segnet": {"widths": (16, 32, 32), "depths": (1, 2, 2)}}.get(name, {})
    sizes |= {"hidden": 32, "proposals": 48, "detections": 24, "levels": 2, "windows": (7,)}
    sizes |= {"mask_transformer": {"head": 32, "blocks": 1, "points": 512}}.get(name, {})
    sizes |= {"click": {"things_learnt": 6}}.get(name, {})
    return replace(config, **{key: value for key, value in sizes.items() if key in vars(config)})


def prepared(name: str, samples: list[Sample]) -> tuple[torch.nn.Module, Batch]:
    """A fresh small network, and a batch of all samples."""
    module = plugins.load("models", name)
    data = Dataset.of([scene(0).replace(name="first"), *samples], CLASSES)
    classes = classes_to_learn(CLASSES, module.TASK)
    examples = Examples(data, classes, 100)
    config = module.adapt(small(name), facts_of(examples, lambda done, total: None))
    torch.manual_seed(0)
    return module.build(config, classes), batch_of(list(examples)[1:])


@pytest.mark.parametrize("name", MODELS)
def test_a_family_has_the_parts_that_training_needs(name):
    module = plugins.load("models", name)
    assert module.TASK in ("semantic", "instance", "panoptic", "any")
    assert is_dataclass(module.Config)
    assert module.Config.__dataclass_params__.frozen
    assert default_config(name).family == module.Config()
    assert [setting.name for setting in settings_of(module.Config()) if not setting.meaning] == []


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [(64, 64), (33, 47), (7, 90), (1, 1)])
def test_any_image_size_gives_tensors_and_a_prediction_of_that_size(name, size):
    network, _ = prepared(name, [scene(1)])
    network.eval()
    with torch.no_grad():
        raw = network(torch.rand(2, 3, *size) * 255)
    parts = [raw] if isinstance(raw, torch.Tensor) else list(raw)
    assert all(isinstance(part, torch.Tensor) and len(part) == 2 for part in parts)
    found = network.decode(raw, [size, (1, 1)])
    assert [each.size for each in found] == [size, (1, 1)]
    for each in found:
        assert each.is_prediction
        assert each.classes == network.classes
        assert np.isfinite(each.score).all()
        assert (each.score >= 0).all()
        assert (each.score <= 1).all()


def pixel(kind: int) -> Sample:
    ids = np.ones((32, 40), int)
    ids[17, 23] = 2
    return Sample(
        "pixel",
        np.zeros((32, 40, 3), np.uint8),
        Segmentation.from_panoptic(ids, [(1, 0), (2, kind)], CLASSES),
    )


def blank(rows: list[int]) -> Sample:
    label = Segmentation.from_panoptic(np.ones((32, 40), int), [(1, row) for row in rows], CLASSES)
    return Sample("blank", np.zeros((32, 40, 3), np.uint8), label)


def thousands() -> Sample:
    """Five thousand things of nine pixels, touching none."""
    size, count = (288, 288), 5000
    ids = np.zeros(size, int)
    for number, place in enumerate(np.random.default_rng(0).permutation(71 * 71)[:count]):
        y, x = 4 * (place // 71), 4 * (place % 71)
        ids[y : y + 3, x : x + 3] = number + 1
    pixels = np.repeat(np.where(ids > 0, 220, 30).astype(np.uint8)[..., None], 3, 2)
    segments = [(number, 2 + number % 2) for number in range(1, count + 1)]
    return Sample("thousands", pixels, Segmentation.from_panoptic(ids, segments, CLASSES))


CASES = {
    "things": lambda: [scene(1, (32, 40)), scene(2, (32, 40))],
    "one pixel": lambda: [pixel(2)],
    "nothing labelled": lambda: [blank([])],
    "all void": lambda: [blank([1])],
    "stuff only": lambda: [blank([0])],
    "crowd only": lambda: [
        blank([2]).replace(segmentation=blank([2]).label().replace(crowd=np.ones(1, np.bool_)))
    ],
}


@pytest.mark.nightly
@pytest.mark.parametrize("name", [name for name in MODELS if plugins.load("models", name).TASK != "semantic"])
def test_five_thousand_things_in_one_image_are_learnt_and_predicted(name):
    network, batch = prepared(name, [thousands()])
    assert len(batch.targets[0]) == 5000
    with backend(network, batch.images):
        assert_finite(network, batch)
    network.eval()
    with torch.inference_mode():
        found = network.decode(network(batch.images), [(288, 288)], minimum_score=0.0)
    assert found[0].size == (288, 288)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("case", CASES)
def test_losses_and_their_gradients_are_finite(name, case):
    network, batch = prepared(name, CASES[case]())
    assert_finite(network, batch)


def assert_finite(network: torch.nn.Module, batch: Batch) -> None:
    """One step's losses and gradients are numbers."""
    losses = network.loss(network.train()(batch.images), batch.targets)
    assert losses
    assert all(loss.ndim == 0 and torch.isfinite(loss) for loss in losses.values())
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_targets_make_a_difference(name):
    network, batch = prepared(name, [scene(1)])
    _, other = prepared(name, [scene(2)])
    raw = network(batch.images)
    torch.manual_seed(0)
    mine = sum(network.loss(raw, batch.targets).values())
    torch.manual_seed(0)
    theirs = sum(network.loss(raw, other.targets).values())
    assert mine != theirs


@pytest.mark.parametrize("name", MODELS)
def test_weights_come_back_to_the_same_outputs(name, tmp_path):
    from inlay.training.checkpoint import read_weights, write_weights

    network, batch = prepared(name, [scene(1)])
    write_weights(tmp_path / "model.safetensors", network.state_dict())
    torch.manual_seed(1)
    other = plugins.load("models", name).build(network.config, network.classes)
    read_weights(tmp_path / "model.safetensors", other)
    with torch.no_grad():
        one, two = (
            [out] if isinstance(out, torch.Tensor) else out
            for out in (network.eval()(batch.images), other.eval()(batch.images))
        )
    assert all(torch.equal(a, b) for a, b in zip(one, two))


@pytest.mark.parametrize("name", MODELS)
def test_forward_exports(name):
    network, batch = prepared(name, [scene(1)])
    exported = torch.export.export(network.eval(), (batch.images,)).module()
    with torch.no_grad():
        one, two = (
            [out] if isinstance(out, torch.Tensor) else out
            for out in (network(batch.images), exported(batch.images))
        )
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(one, two))


@pytest.mark.parametrize("name", MODELS)
def test_four_images_are_learnt_by_heart(name, tmp_path):
    samples = [scene(seed) for seed in range(4)]
    data = Dataset.of([sample.replace(split="train") for sample in samples])
    still = {"crop": [64, 64], "scale": [1.0, 1.0], "focus": [0.0, 0.0], "gamma": 0.0}
    still |= {"flip": False, "turn": False}
    still |= dict.fromkeys(("brightness", "contrast", "saturation"), 0.0)
    training = {
        "batch": 4,
        "learning_rate": 0.01,
        "average": 0.9,
        "validations": 1,
        "precision": "float32",
        "augment": still,
    }
    config = replace(config_from({"training": training}, name), family=small(name))
    run = train(data, name, tmp_path / "run", iterations=150, config=config, validation=data)
    assert run.best["judged"] > 0.95
