"""U-Net: an encoder, and a decoder that joins each scale with the one below (Ronneberger et al. 2015).

Padded convolutions, a stem of stride 2 and a pooled context at the bottom make it quick to train.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from inlay.core.classes import Classes
from inlay.models.encoders import make_encoder
from inlay.models.parts.blocks import initialise
from inlay.models.parts.pixel_classes import PixelClasses, PixelModel, settled
from inlay.models.parts.pixels import Contrast255, pad_to
from inlay.models.parts.pyramid import Pyramid
from inlay.models.parts.settings import EncoderSettings, PixelSettings

TASK = "semantic"
RECIPE: Mapping[str, object] = {
    "weight_decay": 0.03,
    "augment": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "gamma": 0.3},
}


@dataclass(frozen=True)
class Config(PixelSettings, EncoderSettings):
    """Settings of a U-Net.

    Parameters
    ----------
    dropout
        Share of the decoder's channels that a training step leaves out.
    """

    dropout: float = 0.1


adapt = settled  # class weights and the meaning of unlabelled pixels, by the data


def build(config: Config, classes: Classes) -> UNet:
    """A U-Net with fresh weights."""
    return UNet(config, classes)


class UNet(PixelModel):
    """Class logits of every pixel."""

    def __init__(self, config: Config, classes: Classes) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.contrast = Contrast255(config.contrast)
        self.encoder = make_encoder(config.encoder, config.widths, config.depths, config.norm)
        widths = self.encoder.widths
        self.pyramid = Pyramid(widths, norm=config.norm)
        self.dropout = nn.Dropout2d(config.dropout)
        self.pixels = PixelClasses(config, classes)
        self.head = nn.Conv2d(widths[0], self.pixels.channels, 1)
        self.apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) pixels 0 .. 255 -> logits (B, K, H, W), with one more channel for background."""
        padded = pad_to(self.contrast(images), 32)
        finest = self.pyramid(self.encoder(padded))[0]
        logits: Tensor = self.pixels(self.head(self.dropout(finest)), padded, images)
        return logits
