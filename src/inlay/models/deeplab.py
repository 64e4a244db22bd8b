"""DeepLab v3 and v3+: views at several rates, a decoder that sharpens (Chen et al. 2017, 2018)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from inlay.core.classes import Classes
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from inlay.models.encoders import EncoderName, level_of, make_encoder
from inlay.models.parts.blocks import ConvNorm, Norm, Separable, initialise, upsample
from inlay.models.parts.pixel_classes import Balance, PixelClasses, settled
from inlay.models.parts.pixels import Contrast, Contrast255, pad_to
from inlay.models.parts.targets import Facts, Targets

TASK = "semantic"
RECIPE: Mapping[str, object] = {
    "weight_decay": 0.03,
    "augment": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "gamma": 0.3},
}

LOW = 48  # channels that the finer features are reduced to (the best of v3+, table 1)


@dataclass(frozen=True)
class Config:
    """Settings of a DeepLab.

    Parameters
    ----------
    encoder
        "light" (quick from scratch), "csp", "mit", "mobile", "vgg16", "resnet18" to "resnet101", "mit_b0" to
        "mit_b5", or "vit_tiny" to "vit_base".
    pretrained
        File of the encoder's weights, as torchvision, timm or transformers name them; empty: from scratch.
    widths
        Channels of a "light" or "csp" encoder at strides 2, 4, 8, 16, 32; of "mit" the last four.
    depths
        Its blocks at strides 4, 8, 16, 32.
    norm
        "group", which any batch suits; "batch" for weights of others.
    contrast
        "fixed" colours, or each "image" to its own mean and spread.
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
    dice
        Weight of the Dice loss beside cross entropy.
    balance
        Class weights: "none", inverse "root" of the frequency, or "median" frequency.
    class_weights
        One for each class; empty: by `balance` from the data.
    background
        Whether unlabelled pixels are learnt as none of the classes; unset: by the data.
    """

    encoder: EncoderName = "light"
    pretrained: str = ""
    widths: tuple[int, ...] = (24, 48, 96, 128, 160)
    depths: tuple[int, ...] = (1, 2, 2, 1)
    norm: Norm = "group"
    contrast: Contrast = "fixed"
    version: Literal["v3plus", "v3"] = "v3plus"
    stride: int = 16
    rates: tuple[int, ...] = ()
    head: int = 128
    dropout: float = 0.1
    dice: float = 0.0
    balance: Balance = "root"
    class_weights: tuple[float, ...] = ()
    background: bool | None = None

    def __post_init__(self) -> None:
        if self.stride not in (8, 16, 32) or any(rate < 1 for rate in self.rates):
            raise InlayError(
                f"stride {self.stride} must be 8, 16 or 32, and rates {list(self.rates)} positive"
            )


def adapt(config: Config, facts: Facts) -> Config:
    """The config with class weights and the meaning of unlabelled pixels settled by the data."""
    return settled(config, facts)


def build(config: Config, classes: Classes) -> DeepLab:
    """A fresh DeepLab."""
    return DeepLab(config, classes)


class DeepLab(nn.Module):
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
        padded = pad_to(self.contrast(images), 32)
        features = self.encoder(padded)
        x = self.views(features[-1])
        if self.low is not None:
            fine = self.low(features[self.fine])
            x = torch.cat([upsample(x, fine), fine], 1)
        logits: Tensor = self.pixels(self.head(self.join(x)), padded, images)
        return logits

    def loss(self, raw: Tensor | tuple[Tensor, ...], targets: Targets) -> dict[str, Tensor]:
        """Named losses of a batch."""
        return self.pixels.loss(raw, targets)

    def decode(
        self,
        raw: Tensor | tuple[Tensor, ...],
        sizes: Sequence[tuple[int, int]],
        *,
        minimum_score: float | None = None,
    ) -> list[Segmentation]:
        """One segment for each class seen in each image, none below the least score."""
        return self.pixels.decode(raw, sizes, minimum_score=minimum_score)


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
