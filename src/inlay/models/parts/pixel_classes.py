"""What all families share that give each pixel a class: settings from the data, losses, decoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.models.decode.semantic import scores_of, segments_of_classes
from inlay.models.losses.pixel import (
    class_dice,
    cross_entropy,
    inverse_root_weights,
    median_frequency_weights,
    weight_tensor,
)
from inlay.models.parts.blocks import upsample
from inlay.models.parts.pixels import cut_to
from inlay.models.parts.settings import PixelSettings
from inlay.models.parts.targets import VOID, Facts, Target, Targets

AUXILIARY = 0.4  # weight of the loss of a second head, which only training has (as PSPNet and torchvision)


Settings = TypeVar("Settings", bound=PixelSettings)


def settled(config: Settings, facts: Facts) -> Settings:
    """The config with class weights and the meaning of unlabelled pixels settled by the data."""
    background = not facts.has_void if config.background is None else config.background
    pixels, beside = facts.pixels, facts.pixels_beside
    if background:
        pixels = np.append(pixels, facts.unlabelled)
        beside = np.append(beside, int(facts.pixels.sum()) + facts.unlabelled)
    weights = config.class_weights
    if not weights and config.balance == "root":
        weights = tuple(inverse_root_weights(pixels).round(4).tolist())
    elif not weights and config.balance == "median":
        weights = tuple(median_frequency_weights(pixels, beside).round(4).tolist())
    settings: Any = config
    result: Settings = replace(settings, background=background, class_weights=weights)
    return result


class PixelClasses(nn.Module):
    """Logits at the resolution of the image; learnt by cross entropy and Dice, decoded to segments."""

    class_weights: Tensor | None

    def __init__(self, config: PixelSettings, classes: Classes) -> None:
        super().__init__()
        self.classes, self.background, self.dice = classes, bool(config.background), config.dice
        self.channels = len(classes) + self.background
        self.register_buffer("class_weights", weight_tensor(config.class_weights), persistent=False)

    def forward(self, logits: Tensor, padded: Tensor, images: Tensor) -> Tensor:
        """(B, K, h, w) logits of the padded images -> (B, K, H, W) of the images."""
        dense = logits.float().contiguous()  # dense planes: the loss is twice as fast
        return cut_to(upsample(dense, padded), images)

    def loss(self, raw: Tensor | tuple[Tensor, ...], targets: Targets) -> dict[str, Tensor]:
        """Named losses: `cross_entropy`, `dice` where it is weighted, `auxiliary` of a second head."""
        logits, *others = (raw,) if isinstance(raw, Tensor) else raw
        truth = torch.stack([self._truth(target) for target in targets])
        losses = {"cross_entropy": cross_entropy(logits, truth, self.class_weights)}
        if self.dice:
            losses["dice"] = self.dice * class_dice(logits, truth)
        for other in others:
            losses["auxiliary"] = AUXILIARY * cross_entropy(other, truth, self.class_weights)
        return losses

    def _truth(self, target: Target) -> Tensor:
        if not self.background:
            return target.semantic
        unknown = target.ignored if target.whole.all() else target.ignored | target.unsaid()
        return target.semantic.where((target.semantic != VOID) | unknown, len(self.classes))

    def decode(
        self,
        raw: Tensor | tuple[Tensor, ...],
        sizes: Sequence[tuple[int, int]],
        *,
        minimum_score: float | None = None,
    ) -> list[Segmentation]:
        """One segment for each class seen in each image, none below the least score."""
        logits = raw if isinstance(raw, Tensor) else raw[0]
        found = segments_of_classes(logits.detach().float().cpu().numpy(), sizes, self.classes)
        return [each[scores_of(each) >= (minimum_score or 0.0)] for each in found]


class PixelModel(nn.Module):
    """A family that gives class logits of every pixel through its `pixels`."""

    pixels: PixelClasses

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
