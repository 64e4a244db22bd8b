"""SegFormer: a transformer that sees at four scales, and a head of single layers (Xie et al. 2021)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inlay.core.classes import Classes
from inlay.models.encoders import EncoderName, make_encoder
from inlay.models.encoders.weights import fitting
from inlay.models.parts.blocks import ConvNorm, initialise, upsample
from inlay.models.parts.pixel_classes import PixelClasses, PixelModel, settled
from inlay.models.parts.pixels import Contrast255, pad_to
from inlay.models.parts.settings import EncoderSettings, PixelSettings

TASK = "semantic"
RECIPE: Mapping[str, object] = {
    "learning_rate": 1e-3,
    "augment": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "gamma": 0.3},
}


@dataclass(frozen=True)
class Config(PixelSettings, EncoderSettings):
    """Settings of a SegFormer.

    Parameters
    ----------
    encoder
        "mit" (of the given widths and depths; b0 by default), "mit_b0" to "mit_b5" as in the paper, or any
        other: "light", "csp", "mobile", "vgg16", "resnet18" to "resnet101", "vit_tiny" to "vit_large".
    widths
        Channels of "mit" at strides 4, 8, 16, 32; of "light" or "csp" there is one more before.
    norm
        Of the head: "batch", or "group" for batches of one or two.
    head
        Channels of the head: 256, or 768 from "mit_b2" on as in the paper.
    dropout
        Share of the head's channels that a training step leaves out.
    """

    encoder: EncoderName = "mit"
    widths: tuple[int, ...] = (32, 64, 160, 256)
    depths: tuple[int, ...] = (2, 2, 2, 2)
    head: int = 256
    dropout: float = 0.1


HEAD_NAMES = (
    (r"^decode_head\.(?:linear_c|linear_projections)\.(\d+)\.proj\.", r"project.\1."),
    (r"^decode_head\.linear_fuse\.", "fuse.0."),
    (r"^decode_head\.batch_norm\.", "fuse.1."),
    (r"^decode_head\.classifier\.", "head."),
)


adapt = settled  # class weights and the meaning of unlabelled pixels, by the data


def build(config: Config, classes: Classes) -> SegFormer:
    """A fresh SegFormer."""
    return SegFormer(config, classes)


class SegFormer(PixelModel):
    """Class logits of every pixel."""

    ANEW = ("head.",)  # what published weights need not fit

    def __init__(self, config: Config, classes: Classes) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.contrast = Contrast255(config.contrast)
        self.encoder = make_encoder(config.encoder, config.widths, config.depths, config.norm)
        widths = self.encoder.widths[-4:]
        self.project = nn.ModuleList(nn.Conv2d(width, config.head, 1) for width in widths)
        self.fuse = ConvNorm(len(widths) * config.head, config.head, 1, norm=config.norm)
        self.dropout = nn.Dropout(config.dropout)
        self.pixels = PixelClasses(config, classes)
        self.head = nn.Conv2d(config.head, self.pixels.channels, 1)
        self.apply(initialise)

    def renamed(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of a whole SegFormer of transformers under our names; nothing where there is no head."""
        if not any(name.startswith("decode_head.") for name in weights):
            return {}
        inner = fitting(weights, self.encoder)  # type: ignore[arg-type]
        found = {f"encoder.{name}": tensor for name, tensor in inner.items()}
        for name, tensor in weights.items():
            ours = name
            for pattern, named in HEAD_NAMES:
                ours = re.sub(pattern, named, ours)
            if ours.startswith("project.") and tensor.ndim == 2:
                tensor = tensor[:, :, None, None]
            found[ours] = tensor
        return found

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) pixels 0 .. 255 -> logits (B, K, H, W), with one more channel for background."""
        padded = pad_to(self.contrast(images), 32)
        features = self.encoder(padded)[-4:]
        maps = [upsample(layer(each), features[0]) for layer, each in zip(self.project, features)]
        fused = self.fuse(torch.cat(maps[::-1], 1))  # the coarsest first, as published weights have it
        logits: Tensor = self.pixels(self.head(self.dropout(fused)), padded, images)
        return logits
