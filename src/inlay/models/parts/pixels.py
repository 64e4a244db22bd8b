"""Images on their way into a network and back: contrast, padding to the stride, cropping."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Contrast = Literal["fixed", "image"]


class Contrast255(nn.Module):
    """Pixels 0 .. 255 to about unit variance: by the usual fixed figures, or by each image's own."""

    FLOOR = 2.0  # added to the spread: keeps the noise of an empty image small
    mean: Tensor
    deviation: Tensor

    def __init__(self, contrast: Contrast = "fixed") -> None:
        super().__init__()
        self.contrast = contrast
        self.whole: tuple[float, float] | None = None  # mean and spread of the image that tiles are of
        self.register_buffer(
            "mean", torch.tensor([123.7, 116.3, 103.5]).reshape(1, 3, 1, 1), persistent=False
        )
        self.register_buffer(
            "deviation", torch.tensor([58.4, 57.1, 57.4]).reshape(1, 3, 1, 1), persistent=False
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) red, green, blue -> the same shape."""
        if self.contrast == "fixed":
            return (images - self.mean) / self.deviation
        if self.whole is not None:
            return (images - self.whole[0]) / (self.whole[1] + self.FLOOR)
        mean, spread = spread_of(images)
        return (images - mean) / (spread + self.FLOOR)


def spread_of(images: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 1, 1, 1) mean and standard deviation of all values of each image."""
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean, (images - mean).square().mean((1, 2, 3), keepdim=True).sqrt()


@contextmanager
def contrast_of(network: nn.Module, mean: float, spread: float) -> Iterator[None]:
    """While it lasts, what the network sees are tiles of one image of this mean and spread, with no seam."""
    layers = [module for module in network.modules() if isinstance(module, Contrast255)]
    for layer in layers:
        layer.whole = mean, spread
    try:
        yield
    finally:
        for layer in layers:
            layer.whole = None


def pad_to(images: Tensor, stride: int) -> Tensor:
    """Images with zeros on the right and below, until both sides are multiples of `stride`."""
    height, width = images.shape[2], images.shape[3]
    return F.pad(images, (0, -width % stride, 0, -height % stride))


def cut_to(x: Tensor, images: Tensor) -> Tensor:
    """The part of a padded map that lies on the images.

    By a negative padding, not by slices: a graph of slices holds for images only that all need padding, or
    none.
    """
    return F.pad(x, (0, images.shape[3] - x.shape[3], 0, images.shape[2] - x.shape[2]))
