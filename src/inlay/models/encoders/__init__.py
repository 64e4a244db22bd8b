"""Encoders: features from fine to coarse, `widths` channels at `strides` pixels.

Convolutional ones give strides 2 (the stem), 4, 8, 16, 32; transformers begin at 4. The last four are always
there. `output_stride` 8 or 16 dilates the last stages instead of halving them, where the encoder can.
"""

from __future__ import annotations

from typing import Literal, Protocol, get_args

from torch import Tensor

from inlay.core.errors import InlayError
from inlay.models.encoders.csp import CSP
from inlay.models.encoders.light import Light
from inlay.models.encoders.mit import MiT
from inlay.models.encoders.mobile import Mobile
from inlay.models.encoders.resnet import ResNet
from inlay.models.encoders.vgg import VGG
from inlay.models.encoders.vit import ViT
from inlay.models.parts.blocks import Norm

ResNetName = Literal["resnet18", "resnet34", "resnet50", "resnet101"]
MiTName = Literal["mit_b0", "mit_b1", "mit_b2", "mit_b3", "mit_b4", "mit_b5"]
ViTName = Literal["vit_tiny", "vit_small", "vit_base", "vit_large"]
EncoderName = Literal["light", "csp", "mit", "mobile", "vgg16", ResNetName, MiTName, ViTName]


class Encoder(Protocol):
    """What every encoder has."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each feature map."""

    @property
    def strides(self) -> tuple[int, ...]:
        """Pixels of the image for one of each map."""

    def __call__(self, x: Tensor, /) -> list[Tensor]:
        """(B, 3, H, W) -> features (B, widths[i], H / strides[i], W / strides[i]).

        Sides are multiples of the last stride.
        """


def make_encoder(
    name: EncoderName,
    widths: tuple[int, ...],
    depths: tuple[int, ...],
    norm: Norm,
    *,
    output_stride: int = 32,
) -> Encoder:
    """An encoder with fresh weights; `widths` and `depths` are those of "light", "csp" and "mit".

    Raises
    ------
    InlayError
        When the encoder cannot be dilated, or widths and depths do not fit.
    """
    if name == "light":
        return Light(widths, depths, norm, output_stride)
    if name == "mobile":
        return Mobile(norm, output_stride)
    if name in get_args(ResNetName):
        return ResNet(int(name.removeprefix("resnet")), norm, output_stride)
    if output_stride != 32:
        raise InlayError(
            f"encoder {name!r} cannot be dilated to stride {output_stride}: take stride 32, or a light, "
            "mobile or resnet encoder"
        )
    if name == "csp":
        return CSP(widths, depths, norm)
    if name == "vgg16":
        return VGG(norm=norm)
    if name in get_args(ViTName):
        return ViT.named(name.removeprefix("vit_"))
    return MiT(widths, depths) if name == "mit" else MiT.named(name.removeprefix("mit_"))


def level_of(encoder: Encoder, stride: int) -> int:
    """The place among an encoder's features of those at a stride.

    Raises
    ------
    InlayError
        When it gives none.
    """
    if stride not in encoder.strides:
        given = ", ".join(map(str, encoder.strides))
        raise InlayError(
            f"the encoder has no features at stride {stride}, only at {given}: take another encoder or stride"
        )
    return encoder.strides.index(stride)
