"""SegNet: values go back to where pooling found them (Badrinarayanan et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from inlay.core.classes import Classes
from inlay.models.encoders.vgg import VGG
from inlay.models.parts.blocks import ConvNorm, Norm, initialise
from inlay.models.parts.pixel_classes import PixelClasses, PixelModel, settled
from inlay.models.parts.pixels import Contrast, Contrast255, pad_to
from inlay.models.parts.settings import Balance, PixelSettings

TASK = "semantic"
RECIPE: Mapping[str, object] = {
    "weight_decay": 0.03,
    "augment": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "gamma": 0.3},
}
# the forms of the paper: channels and convolutions of the stages, side of the convolutions
FORMS = {"vgg16": ((64, 128, 256, 512, 512), (2, 2, 3, 3, 3), 3), "basic": ((64,) * 4, (1,) * 4, 7)}


@dataclass(frozen=True)
class Config(PixelSettings):
    """Settings of a SegNet.

    Parameters
    ----------
    form
        "light" (quick on a CPU, by `widths` and `depths`), "basic" (SegNet-Basic), or "vgg16" (SegNet).
    pretrained
        File of weights of VGG-16 with batch norms, as torchvision or timm name them; empty: from scratch.
    widths
        Channels of the stages of the light form; each stage halves.
    depths
        Their convolutions.
    norm
        "group", which any batch suits; "batch" for weights of others.
    contrast
        "fixed" colours, or each "image" to its own mean and spread.
    """

    form: Literal["light", "basic", "vgg16"] = "light"
    pretrained: str = ""
    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    depths: tuple[int, ...] = (1, 2, 2, 2, 2)
    norm: Norm = "group"
    contrast: Contrast = "fixed"
    balance: Balance = "median"


adapt = settled  # class weights and the meaning of unlabelled pixels, by the data


def build(config: Config, classes: Classes) -> SegNet:
    """A fresh SegNet."""
    return SegNet(config, classes)


class SegNet(PixelModel):
    """Class logits of every pixel."""

    def __init__(self, config: Config, classes: Classes) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.contrast = Contrast255(config.contrast)
        widths, depths, kernel = FORMS.get(config.form, (config.widths, config.depths, 3))
        self.encoder = VGG(widths, depths, norm=config.norm, kernel=kernel)
        self.pixels = PixelClasses(config, classes)
        self.decoder = nn.ModuleList()
        for width, below, depth in zip(widths, (widths[0], *widths), depths):
            convs = [ConvNorm(width, width, kernel, norm=config.norm) for _ in range(depth - 1)]
            self.decoder.append(nn.Sequential(*convs, ConvNorm(width, below, kernel, norm=config.norm)))
        self.head = nn.Conv2d(widths[0], self.pixels.channels, 1)
        self.apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) pixels 0 .. 255 -> logits (B, K, H, W), with one more channel for background."""
        padded = pad_to(self.contrast(images), self.encoder.strides[-1])
        x, places = self.encoder.pooled(padded)
        for place, convs in zip(reversed(places), reversed(self.decoder)):
            x = convs(unpooled(x, place))
        logits: Tensor = self.pixels(self.head(x), padded, images)
        return logits


def unpooled(x: Tensor, places: Tensor) -> Tensor:
    """(B, C, h, w) values at their places in planes of (2 h, 2 w), zero elsewhere -> (B, C, 2 h, 2 w).

    A plain scatter, since the index of ONNX's MaxUnpool runs over the whole tensor, not over a plane.
    """
    batch, width, height, across = x.shape
    empty = torch.zeros(batch, width, 4 * height * across, dtype=x.dtype, device=x.device)
    filled = empty.scatter(2, places.reshape(batch, width, -1), x.reshape(batch, width, -1))
    return filled.reshape(batch, width, 2 * height, 2 * across)
