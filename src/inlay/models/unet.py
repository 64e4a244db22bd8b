"""U-Net: an encoder, and a decoder that joins each scale with the one below (Ronneberger et al. 2015).

Padded convolutions, a stem of stride 2 and a pooled context at the bottom make it quick to train.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.models.encoders import EncoderName, make_encoder
from inlay.models.parts.blocks import Norm, initialise
from inlay.models.parts.pixel_classes import Balance, PixelClasses, settled
from inlay.models.parts.pixels import Contrast, Contrast255, pad_to
from inlay.models.parts.pyramid import Pyramid
from inlay.models.parts.targets import Facts, Targets

TASK = "semantic"
RECIPE: Mapping[str, object] = {
    "weight_decay": 0.03,
    "augment": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "gamma": 0.3},
}


@dataclass(frozen=True)
class Config:
    """Settings of a U-Net.

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
        "batch", or "group" for batches of one or two.
    contrast
        "fixed" colours, or each "image" to its own mean and spread.
    dropout
        Share of the decoder's channels that a training step leaves out.
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
    norm: Norm = "batch"
    contrast: Contrast = "fixed"
    dropout: float = 0.1
    dice: float = 0.0
    balance: Balance = "root"
    class_weights: tuple[float, ...] = ()
    background: bool | None = None


def adapt(config: Config, facts: Facts) -> Config:
    """The config with class weights and the meaning of unlabelled pixels settled by the data."""
    return settled(config, facts)


def build(config: Config, classes: Classes) -> UNet:
    """A U-Net with fresh weights."""
    return UNet(config, classes)


class UNet(nn.Module):
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
