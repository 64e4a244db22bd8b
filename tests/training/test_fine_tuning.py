"""Networks as transformers writes them are trained further, with classes of the user's own."""

from __future__ import annotations

import warnings
from dataclasses import replace

import pytest
import torch

from inlay import Classes, Dataset, FormatError, SegmentClass
from inlay.models import deeplab, mask_transformer, segformer, unet
from inlay.models.encoders.vit import SIZES
from inlay.models.parts.starting import start_from
from inlay.training import train
from inlay.training.checkpoint import write_weights
from inlay.training.config import config_from

TINY = {"encoder": "mit", "depths": (1, 1, 1, 1), "head": 16}
STILL = {
    "crop": [64, 64],
    "scale": [1.0, 1.0],
    "flip": False,
    "gamma": 0.0,
    "brightness": 0.0,
    "contrast": 0.0,
}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Folders of a tiny SegFormer and a tiny EoMT with random weights and five classes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers = pytest.importorskip("transformers")
        torch.manual_seed(0)
        folder = tmp_path_factory.mktemp("published")
        former = transformers.SegformerConfig(depths=[1, 1, 1, 1], decoder_hidden_size=16, num_labels=5)
        sizes = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 224}
        eomt = transformers.EomtConfig(
            **sizes, num_blocks=2, num_queries=7, num_register_tokens=3, layerscale_value=0.3, num_labels=5
        )
        networks = {
            "segformer": transformers.SegformerForSemanticSegmentation(former).eval(),
            "eomt": transformers.EomtForUniversalSegmentation(eomt).eval(),
        }
        for name, network in networks.items():
            network.save_pretrained(folder / name)
    return folder, networks


def classes(count):
    return Classes(tuple(SegmentClass(f"{k}", "stuff") for k in range(count)))


def test_a_segformer_starts_as_the_published_one(published):
    folder, theirs = published
    ours = segformer.build(segformer.Config(**TINY, background=False), classes(5)).eval()
    start_from(folder / "segformer", ours)
    ours.contrast = torch.nn.Identity()
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        expected = torch.nn.functional.interpolate(theirs["segformer"](x).logits, (64, 96), mode="bilinear")
        assert (ours(x) - expected).abs().max() <= 1e-4


def test_other_classes_begin_anew_and_all_else_is_kept(published):
    folder, _ = published
    one, other = (segformer.build(segformer.Config(**TINY, background=False), classes(k)) for k in (5, 3))
    start_from(folder / "segformer", one)
    fresh = other.head.weight.clone()
    start_from(folder / "segformer", other)
    assert torch.equal(other.head.weight, fresh)
    assert torch.equal(one.project[2].weight, other.project[2].weight)
    assert torch.equal(one.fuse[1].weight, other.fuse[1].weight)


def test_an_eomt_starts_as_the_published_one_with_as_many_queries_as_asked_for(published, monkeypatch):
    folder, theirs = published
    monkeypatch.setitem(SIZES, "tiny", (32, 4, 2))
    config = mask_transformer.Config(
        encoder="vit_tiny", registers=3, blocks=2, queries=7, mask_stride=4, task="panoptic"
    )
    ours = mask_transformer.build(config, classes(5)).eval()
    start_from(folder / "eomt", ours)
    ours.contrast = torch.nn.Identity()
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        theirs["eomt"].attn_mask_probs.zero_()
        expected, (category, masks) = theirs["eomt"](x), ours(x)
    assert (category - expected.class_queries_logits).abs().max() <= 1e-4
    assert (masks - expected.masks_queries_logits).abs().max() <= 1e-4
    more = mask_transformer.build(replace(config, queries=9), classes(4))
    start_from(folder / "eomt", more)
    assert torch.equal(more.query[:7], ours.query)


def test_weights_of_another_size_are_refused_with_the_tensor(published):
    folder, _ = published
    large = segformer.build(segformer.Config(encoder="mit", depths=(1, 1, 1, 1), head=32), classes(5))
    with pytest.raises(FormatError, match=r"model\.safetensors: .*set encoder, head and the like"):
        start_from(folder / "segformer", large)


def test_four_images_are_learnt_from_published_weights(published, street, tmp_path):
    folder, _ = published
    four = Dataset.of([sample.replace(split="train") for sample in list(street)[:4]], street.classes)
    settings = {**TINY, "pretrained": str(folder / "segformer")}
    training = {"batch": 4, "validations": 1, "average": 0.9, "precision": "float32", "learning_rate": 3e-3}
    config = config_from({"segformer": settings, "training": {**training, "augment": STILL}}, "segformer")
    run = train(four, "segformer", tmp_path / "run", iterations=60, config=config, validation=four)
    losses = [line["loss"] for line in run.log if "loss" in line]
    assert losses[-1] < 0.4 * losses[0]
    assert run.best["mIoU"] > 0.8
    (folder / "segformer").rename(tmp_path / "moved")  # a run needs the published file no more
    assert run.network() is not None
    (tmp_path / "moved").rename(folder / "segformer")


def run_of(folder, network):
    """A run folder as far as starting from it goes."""
    folder.mkdir()
    (folder / "config.toml").write_text('model = "unet"\n')
    write_weights(folder / "model.safetensors", network.state_dict())
    return folder


def test_a_run_starts_from_an_earlier_one_with_what_fits(tmp_path):
    earlier = unet.build(unet.Config(), classes(5))
    folder = run_of(tmp_path / "first", earlier)
    again, other = unet.build(unet.Config(), classes(5)), unet.build(unet.Config(), classes(3))
    start_from(folder, again)
    start_from(folder, other)
    for name, tensor in earlier.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
        if other.state_dict()[name].shape == tensor.shape:
            assert torch.equal(other.state_dict()[name], tensor)
    assert other.state_dict().keys() == earlier.state_dict().keys()


def test_another_family_takes_the_encoder_of_a_run(tmp_path):
    earlier = unet.build(unet.Config(norm="group"), classes(5))
    other = deeplab.build(deeplab.Config(norm="group"), classes(2))
    start_from(run_of(tmp_path / "first", earlier), other)
    for name, tensor in earlier.encoder.state_dict().items():
        assert torch.equal(other.encoder.state_dict()[name], tensor)


def test_a_run_with_another_encoder_says_what_to_set(tmp_path):
    folder = run_of(tmp_path / "first", unet.build(unet.Config(widths=(8, 16, 24, 32, 40)), classes(2)))
    with pytest.raises(FormatError, match="set encoder, widths and depths"):
        start_from(folder, unet.build(unet.Config(), classes(2)))


def test_four_images_are_learnt_from_a_published_eomt(published, street, tmp_path, monkeypatch):
    folder, _ = published
    monkeypatch.setitem(SIZES, "tiny", (32, 4, 2))
    four = Dataset.of([sample.replace(split="train") for sample in list(street)[:4]], street.classes)
    sizes = {
        "encoder": "vit_tiny",
        "registers": 3,
        "blocks": 2,
        "queries": 7,
        "mask_stride": 4,
        "points": 512,
    }
    settings = {**sizes, "task": "semantic", "pretrained": str(folder / "eomt")}
    training = {"batch": 4, "validations": 1, "average": 0.9, "precision": "float32", "learning_rate": 3e-3}
    config = config_from(
        {"mask_transformer": settings, "training": {**training, "augment": STILL}}, "mask_transformer"
    )
    run = train(four, "mask_transformer", tmp_path / "run", iterations=120, config=config, validation=four)
    losses = [line["loss"] for line in run.log if "loss" in line]
    assert losses[-1] < 0.6 * losses[0]
    assert run.best["mIoU"] > 0.7
