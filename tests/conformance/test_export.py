"""Every model family gives the same predictions from an exported file as from its run folder."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from inlay import Dataset, FormatError, InlayError, Sample
from inlay.training import predict
from inlay.training.checkpoint import write_classes, write_text, write_weights
from inlay.training.config import Augment, RunConfig, Training, config_to_toml
from inlay.training.export import export
from inlay.training.forward import fitted
from inlay.training.run import Run

spec = importlib.util.spec_from_file_location("families", Path(__file__).with_name("test_models.py"))
families = importlib.util.module_from_spec(spec)
spec.loader.exec_module(families)
MODELS = families.MODELS
exporting = importlib.import_module("inlay.training.export")  # `inlay.training` may name the function so
DECODES_WITH_WEIGHTS = {"click"}
WRITERS = ("onnx", "onnxscript", "onnxruntime")
LIKE_ANOTHER = {"panet", "panoptic_fpn"}  # two minutes each, in parts that they share with mask_rcnn


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny_run(name: str, folder: Path) -> Run:
    """A run folder of a small network that has learnt nothing."""
    network, _ = families.prepared(name, [families.scene(1)])
    settings = Training(augment=Augment(crop=(64, 64)))
    write_classes(folder / "classes.json", network.classes)
    write_text(folder / "config.toml", config_to_toml(RunConfig(name, network.config, settings)))
    write_weights(folder / "model.safetensors", network.state_dict())
    return Run(folder)


def three_images() -> list[np.ndarray]:
    """Of different sizes; the last is empty."""
    return [families.scene(1).image, families.scene(2, (50, 41)).image, np.zeros((64, 64, 3), np.uint8)]


def assert_alike(one, two) -> None:
    assert len(one) == len(two)
    assert np.array_equal(one.class_id, two.class_id)
    assert np.allclose(one.score, two.score, atol=1e-3)
    assert all(one.masks[[k]].iou(two.masks[[k]])[0, 0] > 0.99 for k in range(len(one)))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.nightly) if name in LIKE_ANOTHER else pytest.param(name)
        for name in MODELS
    ],
)
def test_an_exported_model_predicts_what_the_run_predicts(name, tmp_path, monkeypatch):
    for needed in WRITERS:
        pytest.importorskip(needed)
    run = tiny_run(name, tmp_path / "run")
    graphs = []  # tracing is most of the time: both files are written of one graph
    monkeypatch.setattr(exporting, "traced", functools.partial(once, exporting.traced, graphs))
    for to in ("torch", "onnx"):
        if to == "onnx" and name in DECODES_WITH_WEIGHTS:
            with pytest.raises(InlayError, match="decodes with weights of its own"):
                export(run, to=to)
            assert not (run.folder / "model.onnx").exists()
            return
        done = export(run, to=to, images=three_images())
        assert done.images == 3
        assert done.difference < 1e-3 or done.alike > 0.999  # rows of equal scores may change places
    images = Dataset.of(Sample(f"image_{k}", each, None) for k, each in enumerate(three_images()))
    ours, theirs = predict(run, images), predict(done.path, images)
    assert theirs.classes == ours.classes
    for one, two in zip(ours, theirs):
        assert_alike(one.segmentation, two.segmentation)


def once(function, results, *arguments):
    if not results:
        results.append(function(*arguments))
    return results[0]


def test_one_image_after_the_other_goes_into_a_file_of_fixed_size():
    seen = []

    def compute(images):
        seen.append(images.shape)
        return images[:, :1], images.mean((2, 3))

    images = torch.rand(3, 3, 20, 30)
    raw = fitted(compute, images, (1, 3, 32, 40))
    assert seen == [(1, 3, 32, 40)] * 3
    assert torch.equal(raw[0][:, :, :20, :30], images[:, :1])
    assert raw[1].shape == (3, 3)
    assert torch.equal(fitted(lambda x: (x,), images, (None, 3, None, None)), images)
    with pytest.raises(InlayError, match="up to 24x32 pixels, not 30x20: give tiles, `--tile 24`"):
        fitted(compute, images, (1, 3, 32, 24))


def test_a_file_that_is_no_exported_model_is_refused(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(FormatError, match=r"broken\.onnx: not an ONNX file"):
        predict(tmp_path / "broken.onnx", [])
    with pytest.raises(FormatError, match="there is no such file"):
        predict(tmp_path / "absent.onnx", [])


def test_what_cannot_be_exported_to_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(InlayError, match="cannot export to 'tflite': it can be onnx or torch"):
        export(tmp_path / "run", to="tflite")
