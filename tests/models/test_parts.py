"""Blocks, encoders and choosing among candidates."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from inlay import FormatError
from inlay.models.encoders.light import Light
from inlay.models.encoders.resnet import ResNet18, read_encoder_weights
from inlay.models.parts.blocks import Join, Residual, normalisation
from inlay.models.parts.nms import local_peaks, matrix_nms
from inlay.models.parts.pixels import Contrast255, pad_to
from inlay.models.parts.pyramid import Pyramid


def test_a_join_is_a_convolution_over_both_maps_stacked():
    torch.manual_seed(0)
    join = Join(6, 4, 5, norm="group").eval()
    x, feature = torch.randn(2, 6, 3, 4), torch.randn(2, 4, 6, 8)
    stacked = torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), feature], 1)
    weight = torch.cat([join.below.weight, join.beside.weight], 1)
    wanted = F.relu(join.norm(F.conv2d(stacked, weight, padding=1)))
    assert torch.allclose(join(x, feature), wanted, atol=1e-5)


@pytest.mark.parametrize(
    "encoder", [ResNet18("batch"), ResNet18("group"), Light((8, 8, 16, 16, 24), (1, 2, 1, 1), "batch")]
)
def test_an_encoder_gives_features_at_strides_2_to_32(encoder):
    features = encoder.eval()(torch.randn(1, 3, 64, 96))
    assert [tuple(each.shape[1:]) for each in features] == [
        (width, 64 // stride, 96 // stride) for width, stride in zip(encoder.widths, (2, 4, 8, 16, 32))
    ]


def test_resnet_18_has_the_tensors_of_torchvision():
    """Names and shapes as torchvision documents them: 122 tensors with the classifier's two."""
    names = set(ResNet18().state_dict())
    assert len(names) == 120
    assert {
        "conv1.weight",
        "bn1.running_var",
        "layer1.0.conv1.weight",
        "layer2.0.downsample.0.weight",
    } <= names
    assert {"layer4.1.bn2.num_batches_tracked", "layer3.0.downsample.1.bias"} <= names
    assert sum(p.numel() for p in ResNet18().parameters()) == 11_689_512 - 513_000  # less the classifier


def test_encoder_weights_come_from_a_local_file(tmp_path):
    source = ResNet18()
    for parameter in source.parameters():
        nn.init.normal_(parameter)
    weights = {**source.state_dict(), "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    torch.save(weights, tmp_path / "resnet18.pth")
    target = ResNet18()
    read_encoder_weights(tmp_path / "resnet18.pth", target)
    x = torch.randn(1, 3, 32, 32)
    assert all(torch.equal(a, b) for a, b in zip(source.eval()(x), target.eval()(x)))
    with pytest.raises(FormatError, match="no such file"):
        read_encoder_weights(tmp_path / "absent.pth", target)
    with pytest.raises(FormatError, match="the tensor is missing"):
        read_encoder_weights(tmp_path / "resnet18.pth", Light((8, 8), (1,), "batch"))
    weights["conv1.weight"] = torch.zeros(64, 3, 3, 3)
    torch.save(weights, tmp_path / "other.pth")
    with pytest.raises(FormatError, match=r"conv1\.weight: shape \(64, 3, 3, 3\)"):
        read_encoder_weights(tmp_path / "other.pth", target)


@settings(max_examples=30)
@given(st.integers(1, 70))
def test_group_norm_divides_any_width(width):
    layer = normalisation("group", width)
    assert width % layer.num_groups == 0


def test_a_dilated_or_strided_block_keeps_the_grid():
    assert Residual(4, 8, stride=2)(torch.randn(2, 4, 16, 16)).shape == (2, 8, 8, 8)
    assert Residual(4, 4, dilation=3)(torch.randn(2, 4, 16, 16)).shape == (2, 4, 16, 16)


def test_a_pyramid_carries_the_coarse_down_to_the_fine():
    features = [torch.randn(1, 8, 16, 16, requires_grad=True), torch.randn(1, 8, 8, 8, requires_grad=True)]
    fine, coarse = Pyramid((8, 8), norm="group")(features)
    assert fine.shape == features[0].shape
    assert coarse.shape == features[1].shape
    fine.sum().backward()
    assert features[1].grad.abs().sum() > 0


def test_contrast_by_image_makes_a_dim_image_like_a_bright_one():
    image = torch.rand(1, 3, 32, 32) * 200
    own = Contrast255("image")
    assert torch.allclose(own(image * 0.5 + 20), own(image), atol=0.1)
    assert torch.isfinite(own(torch.zeros(1, 3, 4, 4))).all()


@settings(max_examples=30)
@given(st.integers(1, 70), st.integers(1, 70))
def test_padding_reaches_the_next_multiple_and_keeps_the_image(height, width):
    image = torch.ones(1, 3, height, width)
    padded = pad_to(image, 32)
    assert padded.shape[2] % 32 == padded.shape[3] % 32 == 0
    assert padded.shape[2] - height < 32
    assert padded.sum() == image.sum()


def test_local_peaks_are_the_largest_of_their_neighbourhood():
    rng = np.random.default_rng(0)
    scores = rng.random((2, 9, 7)).astype(np.float32)
    peaks = local_peaks(scores)
    for k, y, x in np.ndindex(scores.shape):
        near = scores[k, max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
        assert peaks[k, y, x] == (scores[k, y, x] == near.max())


def test_matrix_nms_lowers_what_better_ones_hide():
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    iou = np.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], np.float32)
    same = matrix_nms(scores, np.zeros(3, np.int64), iou)
    assert same[0] == pytest.approx(0.9)
    assert same[1] == pytest.approx(0.8 * np.exp(-2 * 0.81), rel=1e-5)
    assert same[2] == pytest.approx(0.7)
    other = matrix_nms(scores, np.array([0, 1, 0]), iou)
    assert other.tolist() == scores.tolist()
    assert matrix_nms(scores[:0], np.zeros(0, np.int64), iou[:0, :0]).size == 0


def test_matrix_nms_equals_its_definition():
    rng = np.random.default_rng(1)
    n = 12
    scores = np.sort(rng.random(n).astype(np.float32))[::-1].copy()
    iou = rng.random((n, n)).astype(np.float32)
    iou = np.maximum(iou, iou.T)
    class_id = rng.integers(0, 2, n)
    wanted = []
    for j in range(n):
        decay = [1.0]
        for i in range(j):
            if class_id[i] == class_id[j]:
                hidden = max([iou[k, i] for k in range(i) if class_id[k] == class_id[i]], default=0.0)
                decay.append(np.exp(-2 * iou[i, j] ** 2) / np.exp(-2 * hidden**2))
        wanted.append(scores[j] * min(decay))
    assert np.allclose(matrix_nms(scores, class_id, iou), wanted, rtol=1e-4)
