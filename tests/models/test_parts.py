"""Blocks, encoders and choosing among candidates."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from inlay.models.encoders.csp import CSP
from inlay.models.encoders.mobile import Mobile
from inlay.models.encoders.resnet import ResNet
from inlay.models.encoders.vgg import VGG
from inlay.models.parts.blocks import Join, Residual, normalisation
from inlay.models.parts.folding import fold
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


@settings(max_examples=30)
@given(st.integers(1, 70))
def test_group_norm_divides_any_width(width):
    layer = normalisation("group", width)
    assert width % layer.num_groups == 0


@pytest.mark.parametrize(
    "make", [lambda: ResNet(18), lambda: ResNet(50), Mobile, VGG, lambda: CSP((8,) * 5, (1,) * 4, "batch")]
)
def test_folded_norms_change_no_output(make):
    torch.manual_seed(0)
    network = make().eval()
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    for layer in norms:
        nn.init.uniform_(layer.running_mean, -0.5, 0.5)
        nn.init.uniform_(layer.running_var, 0.5, 1.5)
        nn.init.uniform_(layer.weight, 0.5, 1.5)
        nn.init.uniform_(layer.bias, -0.5, 0.5)
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        before, after = network(x), fold(network)(x)
    assert norms
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    for one, two in zip(before, after, strict=True):
        assert (one - two).abs().max() <= 1e-4 * max(1.0, float(one.abs().max()))


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
    same = matrix_nms(scores, np.zeros(3, np.int64), lambda a, b: iou[:b, a:b])
    assert same[0] == pytest.approx(0.9)
    assert same[1] == pytest.approx(0.8 * np.exp(-2 * 0.81), rel=1e-5)
    assert same[2] == pytest.approx(0.7)
    other = matrix_nms(scores, np.array([0, 1, 0]), lambda a, b: iou[:b, a:b])
    assert other.tolist() == scores.tolist()
    assert matrix_nms(scores[:0], np.zeros(0, np.int64), lambda a, b: iou[:b, a:b]).size == 0


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
    assert np.allclose(matrix_nms(scores, class_id, lambda a, b: iou[:b, a:b]), wanted, rtol=1e-4)
