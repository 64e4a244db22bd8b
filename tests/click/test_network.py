"""The click network: what it learnt it finds again by clicks, through torch and through ONNX Runtime."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation, SegmentClass
from inlay.click import load, ready
from inlay.click.network import WEIGHTS
from inlay.click.parts.pyramid import Pyramid
from inlay.click.parts.state import Ask
from inlay.models import click as model
from inlay.models.parts.prompts import Clicks, no_clicks, with_next_click
from inlay.training import train
from inlay.training.batches import batch_of
from inlay.training.config import config_from
from inlay.training.examples import Examples
from inlay.training.validate import judge

from .drawn import disk, iou

CLASSES = Classes((SegmentClass("disk"), SegmentClass("ground", "stuff")))
SMALL = {"widths": [8, 16, 16, 16], "depths": [1, 1, 1], "head": 16, "norm": "group", "classical": 0.0}


def scene(seed):
    lot = np.random.default_rng(seed)
    image, inside = disk(64, 64, lot.integers(22, 42, 2), int(lot.integers(9, 16)), seed=seed)
    one = Segmentation(CLASSES, Masks.encode(inside[None]), np.zeros(1, np.int32), np.ones(1, np.int32))
    return Sample(f"disk{seed}", image, one, split="train")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder of a small network that has seen four disks a hundred times."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    still = {"crop": [64, 64], "scale": [1.0, 1.0], "flip": False}
    training = {"batch": 4, "learning_rate": 0.01, "average": 0.9, "validations": 1, "precision": "float32"}
    config = config_from({"training": {**training, "augment": still}, "click": SMALL}, "click")
    data = Dataset.of([scene(seed) for seed in range(4)])
    folder = tmp_path_factory.mktemp("runs") / "click"
    train(data, "click", folder, iterations=100, config=config, validation=data)
    torch.set_num_threads(before)
    return folder


def test_training_judges_by_a_simulated_user(run):
    judged = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()][-1]
    assert judged["judged"] == judged["IoU@3"] > 0.8
    assert judged["IoU@5"] > 0.8
    assert "| IoU@3 |" in (run / "README.md").read_text()


def test_a_simulated_user_has_numbers_of_his_own_and_needs_things(run):
    network = model.read_run(run)
    examples = Examples(Dataset.of([scene(0), nothing()]), network.classes, 100)
    both = batch_of([examples[0], examples[1]])
    before = torch.get_rng_state()
    first, second = (network.judged(both.images[0], both.targets[0]) for _ in range(2))
    assert first == second
    assert torch.equal(torch.get_rng_state(), before)
    assert network.judged(both.images[1], both.targets[1]) == []
    empty = judge(network, examples, [1], "instance", torch.device("cpu"), "float32")
    assert (empty.figures, empty.by_image, empty.decisive) == ({"things": 0.0}, {}, 0.0)
    whole = judge(network, examples, [0, 1], "instance", torch.device("cpu"), "float32")
    assert whole.by_image == {"disk0": first[0]["IoU@3"]}


def nothing():
    return Sample(
        "none", np.zeros((64, 64, 3), np.uint8), Segmentation.empty(CLASSES, (64, 64)), split="train"
    )


def test_what_was_learnt_is_found_by_clicks(run):
    engine = load(run)
    found = []
    for seed in range(4):
        sample = scene(seed)
        truth = sample.label().masks[0].decode()[0]
        y, x = (np.argwhere(truth).mean(0) + 0.5).tolist()
        state = engine.embed(sample.pixels())
        masks = state.mask([(x, y, True)])
        assert masks[0].mask[int(y), int(x)]
        found.append(max(iou(each.mask, truth) for each in masks))
        assert state.mask([(x, y, True), (1, 1, False)])[0].mask[1, 1] == np.False_
    assert np.mean(found) > 0.75


def test_an_onnx_file_gives_the_same_masks(run, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    file = tmp_path / "click.onnx"
    model.write_onnx(model.read_run(run), file)
    by_torch, by_onnx = load(run), load(file)
    lot = np.random.default_rng(0)
    images = lot.random((3, 3, 256, 256), np.float32) * 255
    maps = lot.random((3, model.MAPS, 64, 64), np.float32)
    for a, b in zip(by_torch._answer(images, maps), by_onnx._answer(images, maps)):
        assert np.abs(a - b).max() < 2e-3
    image = scene(1).pixels()
    points = [(32, 32, True), (3, 3, False)]
    a, b = (engine.embed(image).mask(points)[0] for engine in (by_torch, by_onnx))
    assert iou(a.mask, b.mask) > 0.99
    assert a.score == pytest.approx(b.score, abs=1e-3)


@pytest.fixture(scope="module")
def beside(run, tmp_path_factory):
    """The run whose answers are averaged with those of the classical engine."""
    folder = tmp_path_factory.mktemp("runs") / "beside"
    shutil.copytree(run, folder)
    config = folder / "config.toml"
    config.write_text(config.read_text().replace("classical = 0.0", "classical = 0.5"))
    return folder


def test_answers_lie_between_those_of_the_network_and_of_the_classical_engine(run, beside):
    sample = scene(2)
    state = Pyramid(sample.pixels())
    window, clicks = (0, 0, 64, 64), ((30.0, 30.0, True), (2.0, 2.0, False))
    before = load("classical")(state, [Ask(window, clicks[:1])])[0]
    own, other, both = (
        engine(state, [Ask(window, clicks, before, steps=3)])[0]
        for engine in map(load, (run, "classical", beside))
    )
    middle = (other.values + own.at(window, other.values.shape)) / 2
    assert np.median(np.abs(both.values - middle)) < 1e-6  # round clicks and holes it is trimmed
    assert iou(both.values > 0, middle > 0) > 0.95
    assert both.score == pytest.approx((own.score + other.score) / 2)


def test_a_share_of_the_classical_engine_travels_with_the_onnx_file(beside, tmp_path):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    file = tmp_path / "click.onnx"
    model.write_onnx(model.read_run(beside), file)
    image, points = scene(1).pixels(), [(32, 32, True), (3, 3, False)]
    a, b = (engine.embed(image).mask(points)[0] for engine in (load(beside), load(file)))
    assert iou(a.mask, b.mask) > 0.99
    told = onnx.load(file)
    told.metadata_props[0].value = "half"
    onnx.save(told, file)
    with pytest.raises(InlayError, match="metadata classical"):
        load(file)


@pytest.mark.parametrize("kind", ["run", "beside"])
def test_every_kind_of_prompt_is_answered(request, kind):
    run = request.getfixturevalue(kind)
    state = load(run).embed(disk()[0])
    for prompt in (
        {"box": (50, 30, 110, 90)},
        {"scribble": [(70, 60), (90, 60)]},
        {"points": [(70, 60, False)], "mask": disk()[1]},
        {"points": [(80, 60, True)], "box": (50, 30, 110, 90)},
    ):
        assert state.mask(**prompt)[0].mask.shape == (120, 160)
    tiny = load(run).embed(np.zeros((1, 1, 3), np.uint8))
    assert tiny.mask([(0, 0, True)])[0].mask.all()


def test_without_weights_the_way_to_some_is_named(monkeypatch, run):
    monkeypatch.delenv(WEIGHTS, raising=False)
    assert "network" not in ready()
    with pytest.raises(InlayError, match="inlay train"):
        load("network")
    monkeypatch.setenv(WEIGHTS, str(run))
    assert "network" in ready()
    assert load("network").embed(disk()[0]).mask([(80, 60, True)])


def test_broken_weights_are_refused_in_words(run, tmp_path):
    for place in ("config.toml", "classes.json"):
        (tmp_path / place).write_bytes((run / place).read_bytes())
    with pytest.raises(InlayError, match="no such file of weights"):
        load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(InlayError, match="broken"):
        load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes((run / "model.safetensors").read_bytes())
    (tmp_path / "classes.json").write_text(json.dumps([{"name": "a", "kind": "thing"}] * 5))
    with pytest.raises(InlayError):
        load(tmp_path)
    (tmp_path / "classes.json").write_text("[{")
    with pytest.raises(InlayError, match="not a run"):
        load(tmp_path)
    pytest.importorskip("onnxruntime")
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x07nonsense")
    with pytest.raises(InlayError, match=r"broken\.onnx"):
        load(tmp_path / "broken.onnx")


def test_a_simulated_user_clicks_into_the_larger_error():
    truth, found = (torch.zeros(1, 20, 20, dtype=torch.bool) for _ in range(2))
    truth[0, 2:12, 2:12] = True
    known = torch.ones_like(truth)
    clicks = with_next_click(no_clicks(1), found, truth, known)
    (x, y), sign = clicks.points[0, -1] / 4, clicks.signs[0, -1]
    assert sign == 1
    assert 3 <= float(x) <= 11
    assert 3 <= float(y) <= 11
    found[0, 2:20, 8:20] = True
    clicks = with_next_click(clicks, found, truth, known)
    assert clicks.signs[0].tolist() == [0, 1, -1]
    x, y = (int(v) for v in clicks.points[0, -1] / 4)
    assert found[0, y, x]
    assert not truth[0, y, x]
    done = with_next_click(clicks, truth, truth, known)
    assert done.signs[0, -1] == 0


def test_a_click_is_marked_where_it_is():
    clicks = Clicks(torch.tensor([[[10.0, 6.0], [30.0, 30.0]]]), torch.tensor([[1.0, -1.0]]))
    maps = clicks.marks((10, 12), torch.device("cpu"))
    assert maps.shape == (1, 2, 10, 12)
    assert maps[0, 0].argmax() == 1 * 12 + 2
    assert maps[0, 1].argmax() == 7 * 12 + 7
    assert float(maps.max()) == pytest.approx(1.0)
