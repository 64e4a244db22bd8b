"""Ours gives what the reference gives with the same weights, where the reference can be imported.

torchvision and timm import beside a CPU torch by a tool among the shared files, which must come before
anything else asks for torchvision: hence at the top, not in a fixture.
"""

from __future__ import annotations

import importlib
import os
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

from inlay import Classes, SegmentClass
from inlay.models import deeplab, fcn, segformer
from inlay.models.encoders.mit import MiT
from inlay.models.encoders.mobile import Mobile
from inlay.models.encoders.resnet import ResNet
from inlay.models.encoders.vgg import VGG
from inlay.models.encoders.vit import ViT
from inlay.models.encoders.weights import read_encoder_weights

TOOLS = Path(os.environ.get("INLAY_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "tools"


def imported(name: str):
    """A module, or None where it cannot be imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except (ImportError, RuntimeError, OSError):
            return None


sys.path.insert(0, str(TOOLS))
imported("torchvision_on_cpu")
sys.path.pop(0)
TORCHVISION, TIMM = imported("torchvision.models"), imported("timm")


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def torchvision():
    return TORCHVISION or pytest.skip("torchvision does not import here")


@pytest.fixture
def timm():
    return TIMM or pytest.skip("timm does not import here")


def same_outputs(path, theirs, ours, wanted) -> None:
    """`ours` with the weights of `theirs` gives, at some place, the feature maps `wanted(theirs)(x)`."""
    with torch.no_grad():
        for module in theirs.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_mean, -0.1, 0.1)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
        torch.save(theirs.state_dict(), path)
        read_encoder_weights(path, ours)
        x = torch.randn(1, 3, 64, 96)
        expected = wanted(theirs.eval(), x)
        found = ours.eval()(x)[-len(expected) :]
    for one, two in zip(found, expected):
        assert (one - two).abs().max() <= 1e-4 * max(1.0, float(two.abs().max()))


def residual_features(theirs, x):
    x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(x))))
    return [x := layer(x) for layer in (theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4)]


@pytest.mark.parametrize("size", [18, 34, 50])
def test_a_resnet_gives_what_torchvisions_gives(torchvision, size, tmp_path):
    theirs = getattr(torchvision, f"resnet{size}")(weights=None)
    same_outputs(tmp_path / "w.pth", theirs, ResNet(size), residual_features)


@pytest.mark.parametrize(("stride", "replace"), [(16, [False, False, True]), (8, [False, True, True])])
def test_a_dilated_resnet_gives_what_torchvisions_gives(torchvision, stride, replace, tmp_path):
    theirs = torchvision.resnet50(weights=None, replace_stride_with_dilation=replace)
    same_outputs(tmp_path / "w.pth", theirs, ResNet(50, output_stride=stride), residual_features)


def test_vgg_gives_what_torchvisions_gives(torchvision, tmp_path):
    theirs = torchvision.vgg16_bn(weights=None, init_weights=False)
    theirs.classifier = nn.Identity()
    same_outputs(tmp_path / "w.pth", theirs, VGG(), lambda net, x: [net.features(x)])


def test_mobile_gives_what_torchvisions_gives(torchvision, tmp_path):
    theirs = torchvision.mobilenet_v3_large(weights=None)
    same_outputs(tmp_path / "w.pth", theirs, Mobile(), lambda net, x: [net.features[:16](x)])
    dilated = torchvision.mobilenet_v3_large(weights=None, dilated=True)
    same_outputs(tmp_path / "d.pth", dilated, Mobile(output_stride=16), lambda net, x: [net.features[:16](x)])


class Tokens(nn.Module):
    """The tokens of one of our transformers, as the one map of an encoder."""

    def __init__(self, encoder: ViT) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x):
        return [self.encoder.tokens(x)[0]]


def test_a_vit_gives_what_torchvisions_gives(torchvision, tmp_path):
    theirs = torchvision.VisionTransformer(224, 16, 2, 4, 64, 256)
    nn.init.normal_(theirs.class_token, std=0.02)
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    ours = ViT(64, 2, 4)
    read_encoder_weights(tmp_path / "w.pth", ours)
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        tokens = torch.cat([theirs.class_token, theirs._process_input(x)], 1)
        expected = theirs.eval().encoder(tokens)
        found, size = ours.eval().tokens(x)
    assert size == (14, 14)
    assert (found - expected).abs().max() <= 1e-4


def test_a_vit_gives_what_timms_gives(timm, tmp_path):
    theirs = timm.create_model("vit_tiny_patch16_224", pretrained=False, depth=2)
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    ours = ViT(192, 2, 3)
    read_encoder_weights(tmp_path / "w.pth", ours)
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert (ours.eval().tokens(x)[0] - theirs.eval().forward_features(x)).abs().max() <= 1e-4


@pytest.fixture
def transformers():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("transformers")


def saved(model, folder):
    """The file that transformers writes for a model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder)
    return folder / "model.safetensors"


def test_mit_gives_what_transformers_gives(transformers, tmp_path):
    config = transformers.SegformerConfig(num_labels=3)
    theirs = transformers.SegformerForSemanticSegmentation(config).eval()
    for ours_of in (saved(theirs, tmp_path), None):
        if ours_of is None:  # and as it names them in memory
            ours_of = tmp_path / "memory.pth"
            torch.save(theirs.state_dict(), ours_of)
        ours = MiT.named("b0").eval()
        read_encoder_weights(ours_of, ours)
        x = torch.randn(1, 3, 64, 96)
        with torch.no_grad():
            expected = theirs(x, output_hidden_states=True).hidden_states
            found = ours(x)
        assert len(expected) == 4
        assert max(float((a - b).abs().max()) for a, b in zip(found, expected)) <= 1e-4


def test_resnet_and_vit_give_what_transformers_gives(transformers, tmp_path):
    sizes = {"depths": [2, 2, 2, 2], "hidden_sizes": [64, 128, 256, 512]}
    config = transformers.ResNetConfig(**sizes, layer_type="basic")
    theirs, ours = transformers.ResNetModel(config).eval(), ResNet().eval()
    read_encoder_weights(saved(theirs, tmp_path / "resnet"), ours)
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        assert (ours(x)[-1] - theirs(x).last_hidden_state).abs().max() <= 1e-4
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 256}
    config = transformers.ViTConfig(**sizes, layer_norm_eps=1e-6)
    theirs, ours = transformers.ViTModel(config, add_pooling_layer=False).eval(), ViT(64, 2, 4).eval()
    read_encoder_weights(saved(theirs, tmp_path / "vit"), ours)
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert (ours.tokens(x)[0] - theirs(x).last_hidden_state).abs().max() <= 1e-4


def transplanted(theirs: nn.Module, ours: nn.Module, skipped: tuple[str, ...] = ()) -> None:
    """Give `ours` the tensors of `theirs`, which come in the same order."""
    given = [each for name, each in theirs.state_dict().items() if not name.startswith(skipped or "?")]
    own = ours.state_dict()
    assert [each.shape for each in given] == [each.shape for each in own.values()]
    ours.load_state_dict(dict(zip(own, given)))


def logits_of(network: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """What a family says of images that are normalised already."""
    network.contrast = nn.Identity()
    with torch.no_grad():
        return network.eval()(x)


CLASSES = Classes(tuple(SegmentClass(str(number), "stuff") for number in range(5)))
RESIDUAL = {"encoder": "resnet50", "norm": "batch", "stride": 8}


def test_a_dilated_fcn_gives_what_torchvisions_gives(torchvision):
    theirs = torchvision.segmentation.fcn_resnet50(
        weights=None, weights_backbone=None, num_classes=5, aux_loss=True
    )
    ours = fcn.build(fcn.Config(**RESIDUAL, form="dilated", head=512), CLASSES)
    ours.head.second = ours.head.second[:0]  # theirs has another width, and is not used to predict
    transplanted(theirs, ours, ("aux",))
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        assert (logits_of(ours, x) - theirs.eval()(x)["out"]).abs().max() <= 1e-4


def test_deeplab_v3_gives_what_torchvisions_gives(torchvision):
    theirs = torchvision.segmentation.deeplabv3_resnet50(
        weights=None, weights_backbone=None, num_classes=5, aux_loss=False
    ).eval()
    ours = deeplab.build(deeplab.Config(**RESIDUAL, version="v3", head=256), CLASSES)
    pooling = theirs.classifier[0].convs[4]  # its norm becomes the bias of our convolution
    scale = pooling[2].weight / (pooling[2].running_var + pooling[2].eps).sqrt()
    folded = nn.Conv2d(2048, 256, 1)
    folded.weight.data = pooling[1].weight.data * scale.data[:, None, None, None]
    folded.bias.data = pooling[2].bias.data - pooling[2].running_mean * scale.data
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        expected = theirs(x)["out"]
    theirs.classifier[0].convs[4] = folded
    transplanted(theirs, ours)
    assert (logits_of(ours, x) - expected).abs().max() <= 1e-4


def test_segformer_gives_what_transformers_gives(transformers, tmp_path):
    config = transformers.SegformerConfig(num_labels=5)
    theirs = transformers.SegformerForSemanticSegmentation(config).eval()
    ours = segformer.build(segformer.Config(encoder="mit_b0"), CLASSES)
    read_encoder_weights(saved(theirs, tmp_path), ours.encoder)
    head = theirs.decode_head
    for one, two in zip(ours.project, head.linear_projections):
        one.weight.data, one.bias.data = two.proj.weight.data[:, :, None, None], two.proj.bias.data
    transplanted(nn.Sequential(head.linear_fuse, head.batch_norm), ours.fuse)
    transplanted(head.classifier, ours.head)
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        expected = nn.functional.interpolate(theirs(x).logits, size=(64, 96), mode="bilinear")
    assert (logits_of(ours, x) - expected).abs().max() <= 1e-4
