"""Fully convolutional network (Long et al. 2015), in its first form and in the dilated one of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from inlay.core.classes import Classes
from inlay.core.errors import InlayError
from inlay.models.encoders import level_of, make_encoder
from inlay.models.parts.blocks import ConvNorm, Norm, initialise
from inlay.models.parts.pixel_classes import PixelClasses, PixelModel, settled
from inlay.models.parts.pixels import Contrast255, pad_to
from inlay.models.parts.settings import EncoderSettings, PixelSettings

TASK = "semantic"
RECIPE: Mapping[str, object] = {
    "weight_decay": 0.03,
    "augment": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "gamma": 0.3},
}


@dataclass(frozen=True)
class Config(PixelSettings, EncoderSettings):
    """Settings of an FCN.

    Parameters
    ----------
    form
        "skip": scores at stride 32 are joined with those of finer features; "dilated": scores at the stride
        at which the encoder stops to halve, and in training a second head before its last stage.
    stride
        Of the finest scores: 8, 16 or 32 (FCN-8s, 16s, 32s); the skip form can also go down to 4.
    head
        Channels of the head.
    dropout
        Share of the head's channels that a training step leaves out.
    """

    norm: Norm = "group"
    form: Literal["skip", "dilated"] = "skip"
    stride: int = 8
    head: int = 128
    dropout: float = 0.1

    def __post_init__(self) -> None:
        fitting = (4, 8, 16, 32) if self.form == "skip" else (8, 16, 32)
        if self.stride not in fitting:
            raise InlayError(
                f"stride {self.stride} of the {self.form} form must be one of {', '.join(map(str, fitting))}"
            )


adapt = settled  # class weights and the meaning of unlabelled pixels, by the data


def build(config: Config, classes: Classes) -> FCN:
    """A fresh FCN."""
    return FCN(config, classes)


class FCN(PixelModel):
    """Class logits of every pixel."""

    def __init__(self, config: Config, classes: Classes) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.contrast = Contrast255(config.contrast)
        dilated = config.form == "dilated"
        self.encoder = make_encoder(
            config.encoder,
            config.widths,
            config.depths,
            config.norm,
            output_stride=config.stride if dilated else 32,
        )
        self.pixels = PixelClasses(config, classes)
        self.head: DilatedHead | SkipHead = (
            DilatedHead(config, self.encoder.widths, self.pixels.channels)
            if dilated
            else SkipHead(
                config, self.encoder.widths[level_of(self.encoder, config.stride) :], self.pixels.channels
            )
        )
        self.apply(initialise)
        self.head.begin_bilinear()

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """(B, 3, H, W) pixels 0 .. 255 -> logits (B, K, H, W), with one more channel for background.

        While training the dilated form gives them twice: of its head, and of the second one.
        """
        padded = pad_to(self.contrast(images), self.encoder.strides[-1])
        scores = self.head(self.encoder(padded))
        logits = tuple(self.pixels(each, padded, images) for each in scores)
        return logits if len(logits) > 1 else logits[0]


class SkipHead(nn.Module):
    """Scores of the coarsest features, doubled and added to those of the next finer ones, and so on."""

    def __init__(self, config: Config, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.top = nn.Sequential(
            ConvNorm(widths[-1], config.head, norm=config.norm),
            nn.Dropout2d(config.dropout),
            ConvNorm(config.head, config.head, 1, norm=config.norm),
            nn.Dropout2d(config.dropout),
        )
        self.scores = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in (*widths[:-1], config.head))
        self.doubles = nn.ModuleList(
            nn.ConvTranspose2d(channels, channels, 4, 2, 1, bias=False) for _ in widths[1:]
        )

    def begin_bilinear(self) -> None:
        """Let the learnt enlargement begin as the bilinear one."""
        ramp = torch.tensor([0.25, 0.75, 0.75, 0.25])
        for weight in self.doubles.parameters():
            same = torch.eye(len(weight))[:, :, None, None]
            weight.data = same * torch.outer(ramp, ramp)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor]:
        """Features from fine to coarse -> the scores (B, K, h, w) at the stride of the finest head."""
        scores: Tensor = self.scores[-1](self.top(features[-1]))
        for k in reversed(range(len(self.doubles))):
            scores = self.doubles[k](scores) + self.scores[k](features[k - len(self.scores)])
        return (scores,)


class DilatedHead(nn.Module):
    """Scores of the last features, and in training also of those before them."""

    def __init__(self, config: Config, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        self.first, self.second = (
            nn.Sequential(
                ConvNorm(width, config.head, norm=config.norm),
                nn.Dropout(config.dropout),
                nn.Conv2d(config.head, channels, 1),
            )
            for width in (widths[-1], widths[-2])
        )

    def begin_bilinear(self) -> None:
        """Nothing is enlarged here."""

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Features from fine to coarse -> scores (B, K, h, w) of the last, while training of the last two."""
        first = self.first(features[-1])
        return (first, self.second(features[-2])) if self.training else (first,)
