"""Panoptic FPN: Mask R-CNN for things, and a branch of the same pyramid for stuff (Kirillov et al. 2019).

As in the paper: the levels of the pyramid, each enlarged step by step, are added up and give every pixel a
class of stuff, or one class that stands for all things; its loss weighs half; things then go before stuff,
the surest first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inlay.core.classes import Classes, SegmentClass
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from inlay.models.decode.panoptic import merged
from inlay.models.parts.blocks import ConvNorm, initialise, upsample
from inlay.models.parts.pixel_classes import PixelClasses, settled
from inlay.models.parts.pixels import Contrast, pad_to
from inlay.models.parts.regions import RegionConfig, Regions, fitted
from inlay.models.parts.settings import PixelSettings
from inlay.models.parts.targets import VOID, Facts, Target, Targets

TASK = "panoptic"
RECIPE: Mapping[str, object] = {
    "learning_rate": 1e-3,
    "augment": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "gamma": 0.3},
}
ANY_THING = "(any thing)"
LEAST_STUFF = 1 / 500  # of the pixels of an image


@dataclass(frozen=True)
class Config(PixelSettings, RegionConfig):
    """Settings of a Panoptic FPN: those of Mask R-CNN, and those of its branch for stuff.

    Parameters
    ----------
    masks
        Always true: a box is no part of a panoptic prediction.
    branch
        Channels of the branch for stuff.
    stuff_weight
        Of its loss, beside those of Mask R-CNN.
    stuff_area
        Least pixels that a class of stuff must have beside the things; 0: 1/500 of the largest image.
    hidden_share
        Things of which surer ones hide more are left out.
    """

    contrast: Contrast = "fixed"
    minimum_score: float = 0.5
    branch: int = 64
    stuff_weight: float = 0.5
    stuff_area: int = 0
    hidden_share: float = 0.5

    def __post_init__(self) -> None:
        if not self.masks:
            raise InlayError("a panoptic model needs masks: for boxes take mask_rcnn with masks = false")


def adapt(config: Config, facts: Facts) -> Config:
    """The config with anchors, room for things, class weights and the least area of stuff fitted to the data.

    Raises
    ------
    InlayError
        When there is no thing to learn from.
    """
    area = config.stuff_area or max(1, round(LEAST_STUFF * facts.largest[0] * facts.largest[1]))
    return replace(settled(fitted(config, facts), facts), stuff_area=area)


def build(config: Config, classes: Classes) -> PanopticFPN:
    """A Panoptic FPN with fresh weights."""
    return PanopticFPN(config, classes)


class PanopticFPN(nn.Module):
    """Things by regions, stuff by pixels, on one pyramid."""

    channel_of: Tensor
    thing_of: Tensor

    def __init__(self, config: Config, classes: Classes) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        thing = classes.is_thing
        stuff = [row for row in classes.rows if row.kind != "thing"]
        things = Classes(tuple(row for row in classes.rows if row.kind == "thing"))
        self.things = Regions(config, things, path_up=False)
        channel = np.where(thing, len(stuff), np.cumsum(~thing) - 1)
        self.register_buffer("channel_of", torch.from_numpy(channel), persistent=False)
        self.register_buffer("thing_of", torch.from_numpy(np.cumsum(thing) - 1), persistent=False)
        weights = pooled_weights(config.class_weights, channel)
        self.pixels = PixelClasses(
            replace(config, class_weights=weights), Classes((*stuff, SegmentClass(ANY_THING)))
        )
        self.branch = StuffBranch(config.head, config.branch, len(self.things.strides), self.pixels.channels)
        self.branch.apply(initialise)

    @property
    def encoder(self) -> nn.Module:
        """What weights of others are read into."""
        return self.things.get_submodule("encoder")

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) pixels 0 .. 255 -> logits (B, S, H, W) of stuff, then what Mask R-CNN gives.

        Of the channels one stands for all things, and one more for background where that is learnt.
        """
        padded = pad_to(self.things.contrast(images), 32)
        features = self.things.features(padded)
        return self.pixels(self.branch(features), padded, images), *self.things.found(features)

    def loss(self, raw: tuple[Tensor, ...], targets: Targets) -> dict[str, Tensor]:
        """Losses of Mask R-CNN, and those of the stuff by its weight."""
        of_things = [replace(each, class_id=self.thing_of[each.class_id]) for each in targets]
        found = self.things.loss(raw[1:], of_things)
        stuff = self.pixels.loss(raw[0], [self._by_channel(each) for each in targets])
        return found | {name: self.config.stuff_weight * value for name, value in stuff.items()}

    def _by_channel(self, target: Target) -> Target:
        known = target.semantic != VOID
        return replace(target, semantic=self.channel_of[target.semantic.clamp(min=0)].where(known, VOID))

    def decode(
        self, raw: Sequence[Tensor], sizes: Sequence[tuple[int, int]], *, minimum_score: float | None = None
    ) -> list[Segmentation]:
        """A partition of each image: stuff at the back, the surest thing in front."""
        least = self.config.minimum_score if minimum_score is None else minimum_score
        stuff = self.pixels.decode(raw[0], sizes)
        things = self.things.decode(raw[1:], sizes, minimum_score=least)
        return [
            merged(
                front,
                behind,
                minimum_score=least,
                hidden=self.config.hidden_share,
                stuff_area=self.config.stuff_area,
            ).with_classes(self.classes)
            for front, behind in zip(things, stuff)
        ]


class StuffBranch(nn.Module):
    """Levels of a pyramid, each enlarged by twos to the finest one, added up (Kirillov et al. 2019, 3.1)."""

    def __init__(self, width: int, inner: int, levels: int, channels: int) -> None:
        super().__init__()
        self.steps = [max(level, 1) for level in range(levels)]
        self.stages = nn.ModuleList(
            ConvNorm(inner if step else width, inner, norm="group")
            for steps in self.steps
            for step in range(steps)
        )
        self.out = nn.Conv2d(inner, channels, 1)

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Levels from fine to coarse -> logits at the size of the finest."""
        whole, stages = features[0].new_zeros(()), iter(self.stages)
        for level, (x, steps) in enumerate(zip(features, self.steps)):
            for step in range(steps):
                x = next(stages)(x)
                if level > 0:
                    x = upsample(x, features[level - 1 - step])
            whole = whole + x
        logits: Tensor = self.out(whole)
        return logits


def pooled_weights(weights: Sequence[float], channel: NDArray[np.int64]) -> tuple[float, ...]:
    """Weights of channels from those of classes, where several share a channel.

    Inverse roots of frequencies are pooled as the frequencies are. Weights beyond the classes stay.
    """
    if not weights:
        return ()
    of_class = np.maximum(weights[: len(channel)], 1e-6)
    pooled = np.bincount(channel, of_class**-2.0) ** -0.5
    return (*pooled.round(4).tolist(), *weights[len(channel) :])
