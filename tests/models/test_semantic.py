"""Families that give each pixel a class: what is particular to each."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from inlay import Classes, InlayError, SegmentClass
from inlay.models import deeplab, fcn, segformer, segnet
from inlay.models.parts.pixel_classes import AUXILIARY, PixelClasses
from inlay.models.parts.targets import Target

CLASSES = Classes(tuple(SegmentClass(name, "stuff") for name in ("road", "tree", "sky")))
WIDTHS = {"widths": (8, 12, 16, 20, 24), "depths": (1, 1, 1, 1)}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


def target(size: tuple[int, int]) -> Target:
    none = torch.zeros(0)
    semantic = torch.randint(0, 3, size)
    return Target(semantic, torch.zeros(0, *size), none, none, none, none, torch.zeros(size).bool())


def millions(build, **settings) -> float:
    with torch.device("meta"):
        network = build(**settings)
    return sum(p.numel() for p in network.parameters()) / 1e6


@pytest.mark.parametrize("stride", [4, 8, 16, 32])
def test_skip_scores_begin_as_bilinear_enlargement_of_the_coarsest(stride):
    network = fcn.build(fcn.Config(**WIDTHS, stride=stride), CLASSES).eval()
    head = network.head
    levels = zip((12, 16, 20, 24), (4, 8, 16, 32))
    features = [torch.randn(1, width, 128 // step, 128 // step) for width, step in levels]
    features = features[{4: 0, 8: 1, 16: 2, 32: 3}[stride] :]
    with torch.no_grad():
        for layer in head.scores[:-1]:
            layer.weight.zero_()
        coarse = head.scores[-1](head.top(features[-1]))
        (found,) = head(features)
    assert found.shape[2] == 128 // stride
    wanted = coarse
    for _ in head.doubles:
        wanted = F.interpolate(wanted, scale_factor=2, mode="bilinear", align_corners=False)
    inside = slice(64 // stride, -64 // stride)  # at the border a convolution sees zeros beyond
    assert torch.allclose(found[:, :, inside, inside], wanted[:, :, inside, inside], atol=1e-5)


def test_the_second_head_of_a_dilated_fcn_is_there_while_training_only():
    network = fcn.build(fcn.Config(**WIDTHS, form="dilated"), CLASSES)
    image = torch.rand(2, 3, 40, 50) * 255
    raw = network.train()(image)
    assert [each.shape for each in raw] == [(2, 3, 40, 50)] * 2
    truth = [target((40, 50)), target((40, 50))]
    losses = network.loss(raw, truth)
    assert set(losses) == {"cross_entropy", "auxiliary"}
    alone = network.loss(raw[1], truth)["cross_entropy"]
    assert float(losses["auxiliary"].detach()) == pytest.approx(AUXILIARY * float(alone.detach()), rel=1e-5)
    assert network.eval()(image).shape == (2, 3, 40, 50)


def test_values_go_back_to_where_pooling_found_them():
    x = torch.randn(2, 5, 8, 12)
    pooled, places = F.max_pool2d(x, 2, 2, return_indices=True)
    assert torch.equal(segnet.unpooled(pooled, places), F.max_unpool2d(pooled, places, 2, 2))
    assert torch.equal(F.max_pool2d(segnet.unpooled(pooled.abs(), places), 2), pooled.abs())


def test_whole_image_view_learns_from_a_batch_of_one():
    config = deeplab.Config(**WIDTHS, norm="batch", stride=32)
    network = deeplab.build(config, CLASSES).train()
    sum(network.loss(network(torch.rand(1, 3, 64, 64)), [target((64, 64))]).values()).backward()
    assert network.views.whole[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("version", ["v3", "v3plus"])
@pytest.mark.parametrize(("stride", "rates"), [(8, (12, 24, 36)), (16, (6, 12, 18)), (32, (3, 6, 9))])
def test_views_are_dilated_by_the_stride(version, stride, rates):
    network = deeplab.build(deeplab.Config(**WIDTHS, stride=stride, version=version), CLASSES)
    found = [view[0].dilation for view in network.views.apart]
    assert found == [(rate, rate) for rate in rates]
    assert (network.low is None) == (version == "v3")


def test_families_have_as_many_parameters_as_published():
    """Of the papers and, with these heads, of torchvision (less its second head) and transformers."""
    many = Classes(tuple(SegmentClass(str(number), "stuff") for number in range(21)))
    ade = Classes(tuple(SegmentClass(str(number), "stuff") for number in range(150)))
    residual = {"encoder": "resnet50", "norm": "batch", "stride": 8}
    assert millions(lambda: segnet.build(segnet.Config(form="vgg16", norm="batch"), many)) == pytest.approx(
        29.5, abs=0.1
    )
    assert millions(lambda: segnet.build(segnet.Config(form="basic", norm="batch"), many)) == pytest.approx(
        1.425, abs=0.03
    )
    assert millions(
        lambda: deeplab.build(deeplab.Config(**residual, version="v3", head=256), many)
    ) == pytest.approx(39.63, abs=0.01)
    assert millions(
        lambda: fcn.build(fcn.Config(**residual, form="dilated", head=512), many).encoder
    ) == pytest.approx(23.51, abs=0.01)
    assert millions(lambda: segformer.build(segformer.Config(encoder="mit_b0"), ade)) == pytest.approx(
        3.75, abs=0.05
    )
    assert millions(
        lambda: segformer.build(segformer.Config(encoder="mit_b5", head=768), ade)
    ) == pytest.approx(84.7, abs=0.1)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(InlayError, match="stride 4 of the dilated form must be one of 8, 16, 32"):
        fcn.Config(form="dilated", stride=4)
    with pytest.raises(InlayError, match="rates"):
        deeplab.Config(rates=(0,))
    with pytest.raises(InlayError, match="no features at stride 4"):
        fcn.build(fcn.Config(widths=(8,), depths=(), stride=4), CLASSES)


def test_logits_are_cut_to_the_image_they_came_from():
    pixels = PixelClasses(segnet.Config(background=True), CLASSES)
    assert pixels.channels == 4
    logits = torch.arange(4.0).reshape(1, 4, 1, 1).expand(1, 4, 8, 8)
    out = pixels(logits, torch.zeros(1, 3, 64, 64), torch.zeros(1, 3, 33, 47))
    assert out.shape == (1, 4, 33, 47)
    assert torch.equal(out[0, :, 5, 5], torch.arange(4.0))
