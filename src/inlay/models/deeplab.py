"""DeepLab v3 and v3+: views at several rates, a decoder that sharpens (Chen et al. 2017, 2018)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from inlay.core.classes import Classes
from inlay.core.errors import InlayError
from inlay.models.encoders import level_of, make_encoder
from inlay.models.parts.blocks import ConvNorm, Norm, Separable, initialise, upsample
from inlay.models.parts.pixel_classes import PixelClasses, PixelModel, settled
from inlay.models.parts.pixels import Contrast255, pad_to
from inlay.models.parts.settings import EncoderSettings, PixelSettings

TASK = "semantic"
RECIPE: Mapping[str, object] = {
    "weight_decay": 0.03,
    "augment": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "gamma": 0.3},
}

LOW = 48  # channels that the finer features are reduced to (the best of v3+, table 1)


@dataclass(frozen=True)
class Config(PixelSettings, EncoderSettings):
    """Settings of a DeepLab.

    Parameters
    ----------
    version
        "v3plus": separable convolutions, and features at stride 4 that sharpen; or "v3".
    stride
        At which the encoder stops to halve: 16, 8 (finer and much dearer), or 32 where it cannot be dilated.
    rates
        Dilation of the three views; empty: 6, 12, 18 at stride 16, twice that at 8, half of it at 32.
    head
        Channels of the head.
    dropout
        Share of the head's channels that a training step leaves out.
    """

    version: Literal["v3plus", "v3"] = "v3plus"
    stride: int = 16
    rates: tuple[int, ...] = ()
    head: int = 128
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.stride not in (8, 16, 32) or any(rate < 1 for rate in self.rates):
            raise InlayError(
                f"stride {self.stride} must be 8, 16 or 32, and rates {list(self.rates)} positive"
            )


adapt = settled  # class weights and the meaning of unlabelled pixels, by the data


def build(config: Config, classes: Classes) -> DeepLab:
    """A fresh DeepLab."""
    return DeepLab(config, classes)


class DeepLab(PixelModel):
    """Class logits of every pixel."""

    def __init__(self, config: Config, classes: Classes) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.contrast = Contrast255(config.contrast)
        self.encoder = make_encoder(
            config.encoder, config.widths, config.depths, config.norm, output_stride=config.stride
        )
        widths, head, norm = self.encoder.widths, config.head, config.norm
        plus = config.version == "v3plus"
        rates = config.rates or tuple(rate * 16 // config.stride for rate in (6, 12, 18))
        self.views = Views(widths[-1], head, rates, norm, separable=plus, dropout=config.dropout)
        self.fine = level_of(self.encoder, 4)
        self.low = ConvNorm(widths[self.fine], LOW, 1, norm=norm) if plus else None
        self.join = nn.Sequential(
            *(
                (Separable(head + LOW, head, norm=norm), Separable(head, head, norm=norm))
                if plus
                else (ConvNorm(head, head, norm=norm),)
            )
        )
        self.pixels = PixelClasses(config, classes)
        self.head = nn.Conv2d(head, self.pixels.channels, 1)
        self.apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) pixels 0 .. 255 -> logits (B, K, H, W), with one more channel for background."""
        padded = pad_to(self.contrast(images), self.encoder.strides[-1])
        features = self.encoder(padded)
        x = self.views(features[-1])
        if self.low is not None:
            fine = self.low(features[self.fine])
            x = torch.cat([upsample(x, fine), fine], 1)
        logits: Tensor = self.pixels(self.head(self.join(x)), padded, images)
        return logits


class Views(nn.Module):
    """Atrous spatial pyramid pooling: each place alone, at several dilations, and the whole image."""

    def __init__(
        self,
        inputs: int,
        width: int,
        rates: Sequence[int],
        norm: Norm,
        *,
        separable: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        self.alone = ConvNorm(inputs, width, 1, norm=norm)
        self.apart = nn.ModuleList(
            Separable(inputs, width, norm=norm, dilation=rate)
            if separable
            else ConvNorm(inputs, width, norm=norm, dilation=rate)
            for rate in rates
        )
        # no norm: one value a channel, from which a batch of one image has no spread
        self.whole = nn.Sequential(nn.Conv2d(inputs, width, 1), nn.ReLU(inplace=True))
        self.project = nn.Sequential(
            ConvNorm((len(rates) + 2) * width, width, 1, norm=norm), nn.Dropout(dropout)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, width, h, w)."""
        whole = self.whole(x.mean((2, 3), keepdim=True)).expand(-1, -1, x.shape[2], x.shape[3])
        out: Tensor = self.project(torch.cat([self.alone(x), *(view(x) for view in self.apart), whole], 1))
        return out
