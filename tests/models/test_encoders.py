"""Encoders: one contract, and the weights of others."""

from __future__ import annotations

from typing import get_args

import pytest
import torch
from torch import nn

from inlay import FormatError, InlayError
from inlay.models.encoders import EncoderName, make_encoder
from inlay.models.encoders.light import Light
from inlay.models.encoders.resnet import ResNet
from inlay.models.encoders.vit import ViT
from inlay.models.encoders.weights import read_encoder_weights

SMALL = ((8, 12, 16, 20, 24), (1, 2, 1, 1))
NAMES = [name for kind in get_args(EncoderName) for name in (get_args(kind) or [kind])]
HEAVY = {"resnet101", "mit_b3", "mit_b4", "mit_b5", "vit_base", "vit_small"}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in HEAVY])
def test_an_encoder_gives_features_at_its_strides(name):
    encoder = make_encoder(name, *SMALL, "group")
    with torch.no_grad():
        features = encoder(torch.rand(1, 3, 64, 96))
    assert encoder.strides[-4:] == (4, 8, 16, 32)
    assert [tuple(each.shape[1:]) for each in features] == [
        (width, 64 // stride, 96 // stride) for width, stride in zip(encoder.widths, encoder.strides)
    ]


@pytest.mark.parametrize("name", sorted(HEAVY))
def test_a_large_encoder_says_what_it_gives(name):
    with torch.device("meta"):
        encoder = make_encoder(name, *SMALL, "group")
    assert encoder.strides[-4:] == (4, 8, 16, 32)
    assert len(encoder.widths) == len(encoder.strides)


@pytest.mark.parametrize("name", ["light", "mobile", "resnet18", "resnet50"])
@pytest.mark.parametrize("stride", [8, 16])
def test_a_dilated_encoder_keeps_its_weights_and_its_grid(name, stride):
    encoder = make_encoder(name, *SMALL, "group", output_stride=stride)
    whole = make_encoder(name, *SMALL, "group")
    assert encoder.strides == tuple(min(each, stride) for each in whole.strides)
    assert {k: v.shape for k, v in encoder.state_dict().items()} == {
        k: v.shape for k, v in whole.state_dict().items()
    }
    with torch.no_grad():
        features = encoder(torch.rand(1, 3, 64, 64))
    assert [each.shape[2] for each in features] == [64 // each for each in encoder.strides]


def test_an_encoder_that_cannot_be_dilated_says_so():
    with pytest.raises(InlayError, match=r"'mit_b0' cannot be dilated to stride 8"):
        make_encoder("mit_b0", *SMALL, "group", output_stride=8)
    with pytest.raises(InlayError, match="cannot stop at stride 4"):
        make_encoder("light", *SMALL, "group", output_stride=4)


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("resnet18", 11.177),  # torchvision's figures less their classifiers
        ("resnet34", 21.285),
        ("resnet50", 23.508),
        ("resnet101", 42.500),
        ("vgg16", 14.723),
        ("mit_b0", 3.319),
        ("mit_b2", 24.196),
        ("mit_b5", 81.443),
    ],
)
def test_an_encoder_has_as_many_parameters_as_published(name, millions):
    with torch.device("meta"):
        encoder = make_encoder(name, *SMALL, "batch")
    assert sum(p.numel() for p in encoder.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)


def test_encoder_weights_come_from_a_local_file(tmp_path):
    source = ResNet()
    for parameter in source.parameters():
        nn.init.normal_(parameter, std=0.1)
    weights = {**source.state_dict(), "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    x = torch.randn(1, 3, 32, 32)
    wanted = source.eval()(x)
    for wrapped in (weights, {"state_dict": {f"module.{name}": each for name, each in weights.items()}}):
        torch.save(wrapped, tmp_path / "resnet18.pth")
        target = ResNet()
        read_encoder_weights(tmp_path / "resnet18.pth", target)
        assert all(torch.equal(a, b) for a, b in zip(wanted, target.eval()(x)))


def test_weights_that_do_not_fit_are_refused(tmp_path):
    torch.save(dict(weights := ResNet().state_dict()), tmp_path / "resnet18.pth")
    with pytest.raises(FormatError, match="no such file"):
        read_encoder_weights(tmp_path / "absent.pth", ResNet())
    with pytest.raises(FormatError, match="the tensor is missing: the file is for another encoder"):
        read_encoder_weights(tmp_path / "resnet18.pth", Light((8, 8), (1,), "batch"))
    with pytest.raises(FormatError, match=r'set norm = "batch"'):
        read_encoder_weights(tmp_path / "resnet18.pth", Light((8, 8), (1,), "group"))
    torch.save({**weights, "conv1.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.pth")
    with pytest.raises(FormatError, match=r"conv1\.weight: shape \(64, 3, 3, 3\)"):
        read_encoder_weights(tmp_path / "other.pth", ResNet())


def test_positions_of_another_grid_are_resampled(tmp_path):
    weights = ViT(64, 1, 2).state_dict()
    weights = {name: each for name, each in weights.items() if "position" not in name}
    grid = torch.linspace(0, 1, 24).reshape(1, 24, 1, 1).expand(1, 24, 24, 64).reshape(1, 576, 64)
    torch.save({**weights, "pos_embed": torch.cat([torch.zeros(1, 1, 64), grid], 1)}, tmp_path / "w.pth")
    ours = ViT(64, 1, 2)
    read_encoder_weights(tmp_path / "w.pth", ours)
    down = ours.position[0, 0, :, 0]
    assert ours.position.shape == (1, 64, 14, 14)
    assert (down.diff() > 0).all()  # still rising from top to bottom
