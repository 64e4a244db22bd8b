"""Data that training must survive, or refuse in one line with a way out and nothing half-written."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch

from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation, SegmentClass
from inlay.training import predict, train
from inlay.training.config import config_from
from inlay.training.examples import Examples, facts_of
from inlay.training.hardware import backend

SMALL = {
    "unet": {"widths": [8, 8, 8, 8], "depths": [1, 1, 1]},
    "solov2": {"widths": [8, 8, 8, 8], "depths": [1, 1, 1], "head": 8, "mask_features": 4},
}
BALL = Classes.of("ball")


def small(model, crop=(32, 32), **training):
    settings = {"batch": 2, "validations": 1, "precision": "float32", "augment": {"crop": list(crop)}}
    return config_from({model: SMALL[model], "training": {**settings, **training}}, model)


def dots(name, size, count, *, side=1, split="train"):
    """Many things of `side` pixels on a grid."""
    rng = np.random.default_rng(len(name) + count)
    step = side + 1
    places = [(y, x) for y in range(0, size[0] - side, step) for x in range(0, size[1] - side, step)]
    chosen = rng.permutation(len(places))[:count]
    ids = np.full(size, -1)
    for number, place in enumerate(chosen):
        y, x = places[place]
        ids[y : y + side, x : x + side] = number
    pixels = np.repeat(np.where(ids >= 0, 220, 30).astype(np.uint8)[..., None], 3, 2)
    masks = Masks.from_ids(ids, len(chosen))
    label = Segmentation(BALL, masks, np.zeros(len(chosen)), np.arange(1, len(chosen) + 1))
    return Sample(name, pixels, label, split=split)


@pytest.mark.parametrize("model", ["unet", "solov2"])
def test_one_class_is_learnt_and_predicted(model, balls, tmp_path):
    run = train(balls, model, tmp_path / "run", iterations=4, config=small(model))
    assert run.classes.names == ("ball",)
    assert predict(run, balls.split("test"))[0].label().size == (64, 64)


@pytest.mark.parametrize("model", ["unet", "solov2"])
def test_things_of_one_pixel_are_learnt(model, tmp_path):
    data = Dataset.of([dots(f"{k}", (48, 48), 20) for k in range(3)])
    run = train(data, model, tmp_path / "run", iterations=4, config=small(model))
    assert np.isfinite([line["loss"] for line in run.log if "loss" in line]).all()
    assert predict(run, data)[0].label().size == (48, 48)


@pytest.mark.parametrize("model", ["unet", "solov2"])
def test_five_thousand_things_in_an_image_are_learnt(model, tmp_path):
    data = Dataset.of([dots(f"{k}", (304, 304), 5000, side=3) for k in range(2)])
    assert len(data[0].label()) == 5000
    run = train(data, model, tmp_path / "run", iterations=2, config=small(model, crop=(96, 96)))
    assert run.validations


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (7, 5)])
@pytest.mark.parametrize("model", ["unet", "solov2"])
def test_images_smaller_than_a_stride_are_learnt(model, size, tmp_path):
    label = Segmentation(BALL, Masks.encode(np.ones(size, np.bool_)), [0], [1])
    data = Dataset.of([Sample(f"{k}", np.full((*size, 3), 90, np.uint8), label) for k in range(4)])
    run = train(data, model, tmp_path / "run", iterations=2, config=small(model))
    assert predict(run, data)[0].label().size == size


def test_a_class_missing_from_the_training_part_is_said_before_the_first_step(street, tmp_path):
    classes = Classes((*street.classes.rows, SegmentClass("moon", "stuff")))
    more = street.map(lambda each: each.replace(segmentation=each.label().with_classes(classes)), classes)
    said = []
    config = small("unet")
    config = config_from({"unet": {**SMALL["unet"], "balance": "median"}, "training": {"batch": 2}}, "unet")
    run = train(more, "unet", tmp_path / "run", iterations=2, config=config, say=said.append)
    assert "never learnt: moon" in said[0]
    weights = dict(zip(run.classes.names, run.config.family.class_weights))
    assert weights["moon"] == 1.0  # not infinite
    assert weights["ball"] > weights["sky"]


def test_narrow_networks_learn_large_crops_without_the_library_that_dies_of_them(tmp_path):
    data = Dataset.of([dots(f"{k}", (192, 192), 20, side=9) for k in range(2)])
    run = train(data, "unet", tmp_path / "run", iterations=1, config=small("unet", crop=(192, 192)))
    assert run.validations
    before = torch.backends.mkldnn.enabled
    network = run.network()
    with backend(network, torch.zeros(1, 3, 192, 192)):
        assert not torch.backends.mkldnn.enabled
    with backend(network, torch.zeros(1, 3, 64, 64)):
        assert torch.backends.mkldnn.enabled == before
    assert torch.backends.mkldnn.enabled == before


def test_large_images_that_find_no_room_are_told_with_the_memory_they_want(balls, tmp_path, monkeypatch):
    monkeypatch.setattr("inlay.training.plan.LARGE", 64 * 64 - 1)
    said = []
    train(balls, "unet", tmp_path / "one", iterations=1, config=small("unet"), say=said.append)
    assert not any("cache_megabytes" in words for words in said)
    config = small("unet", cache_megabytes=0)
    train(balls, "unet", tmp_path / "two", iterations=1, config=config, say=said.append)
    assert any(
        "64x64 pixels are read whole" in words and "cache_megabytes = 1 (now 0)" in words for words in said
    )


def test_facts_of_a_large_image_are_measured_in_little_memory_and_are_those_of_the_whole(monkeypatch):
    data = Dataset.of([dots("large", (1400, 1500), 3000, side=9)])
    examples = Examples(data, BALL, 1000)
    held = examples[0].bytes
    whole = facts_of(examples, lambda done, total: None)
    monkeypatch.setattr("inlay.training.examples.BAND", 64 * 1500)
    tracemalloc.start()
    facts = facts_of(examples, lambda done, total: None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < held / 4
    assert np.array_equal(facts.sides, whole.sides)
    assert np.array_equal(facts.pixels, whole.pixels)
    assert facts.unlabelled == whole.unlabelled
    assert facts.sides.tolist() == [9.0] * 3000


def test_an_image_that_does_not_fit_into_memory_is_named_with_the_way_out(balls, tmp_path, monkeypatch):
    def full(sample, classes):
        raise MemoryError

    monkeypatch.setattr(Examples.__init__, "__defaults__", (full,))
    words = rf"{balls.names[0]}: the image and its label do not fit .* training\.cache_megabytes \(now 2000\)"
    with pytest.raises(InlayError, match=words):
        train(balls, "unet", tmp_path / "run", iterations=1, config=small("unet"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("model", ["unet", "solov2"])
def test_a_dataset_without_an_object_writes_nothing(model, tmp_path):
    none = Segmentation.empty(BALL, (32, 32))
    data = Dataset.of([Sample(f"{k}", np.zeros((32, 32, 3), np.uint8), none) for k in range(4)], BALL)
    with pytest.raises(InlayError, match="no pixel of any class"):
        train(data, model, tmp_path / "run", iterations=2, config=small(model))
    assert list(tmp_path.iterdir()) == []


def test_some_images_without_an_object_are_learnt_as_such(balls, tmp_path):
    none = Segmentation.empty(BALL, (64, 64))
    data = Dataset.of([*balls, Sample("bare", np.zeros((64, 64, 3), np.uint8), none, split="train")])
    for model in SMALL:
        run = train(data, model, tmp_path / model, iterations=4, config=small(model))
        assert np.isfinite(run.log[-1]["judged"])


def test_a_run_of_other_classes_is_not_gone_on_with(street, balls, tmp_path):
    train(street, "unet", tmp_path / "run", iterations=2, config=small("unet"))
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    with pytest.raises(InlayError, match=r"run.*: holds a run (with other settings, classes or data|of)"):
        train(balls, "unet", tmp_path / "run", iterations=4, config=small("unet"))
    assert {path: path.read_bytes() for path in before} == before


def test_weights_of_other_classes_are_named_when_predicting(street, balls, tmp_path):
    train(street, "unet", tmp_path / "street", iterations=2, config=small("unet"))
    train(balls, "unet", tmp_path / "balls", iterations=2, config=small("unet"))
    (tmp_path / "balls" / "model.safetensors").replace(tmp_path / "street" / "model.safetensors")
    with pytest.raises(InlayError, match=r"model\.safetensors: .*other classes"):
        predict(tmp_path / "street", street)


def test_a_loss_that_is_no_number_leaves_a_folder_that_says_so_and_can_be_used_again(street, tmp_path):
    wild = small("unet", learning_rate=1e30, clip=0.0, warm_up=0.0)
    with pytest.raises(InlayError, match=r"not a number .*lower training\.learning_rate \(now 1e\+30\)"):
        train(street, "unet", tmp_path / "run", iterations=40, config=wild)
    assert not list((tmp_path / "run").rglob("*.part"))
    with pytest.raises(InlayError, match="there are no weights"):
        predict(tmp_path / "run", street)
    train(street, "unet", tmp_path / "run", iterations=2, config=small("unet"))
