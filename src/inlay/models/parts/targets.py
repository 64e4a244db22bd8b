"""What a model learns from: targets of single images, and facts about a whole training set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

VOID = -1


@dataclass(frozen=True, eq=False)
class Target:
    """What is to be seen in one image of a batch.

    Things lie in layers: maps of numbers in which no two things overlap, so that thousands of things need no
    more memory than one. Most images need a single layer.

    Parameters
    ----------
    semantic
        (H, W) int64 class rows of the model; `VOID` where nothing is labelled.
    layers
        (L, H, W) int32: number of a thing + 1; 0 where there is none.
    layer_of
        (N,) int64 layer of each thing.
    class_id
        (N,) int64 class row of each thing.
    boxes
        (N, 4) float32 x0, y0, x1, y1 of each thing's pixels, half-open.
    centres
        (N, 2) float32 x, y: the middle of each thing's pixels.
    ignored
        (H, W) bool: crowds, void and padding, neither right nor wrong to find something in.
    whole
        (N,) bool: whether the layers show the pixels of a thing; else they show its box. Default: all.
    hints
        (L, H, W) int8, in the boxes of things that are not whole: 1 for pixels known to be of the thing, -1
        for pixels known not to be, 0 where nobody said. Default: nothing said.
    colours
        (3, H, W) float32 Lab colours of the image where some thing is not whole; else (3, 0, 0).
    """

    semantic: Tensor
    layers: Tensor
    layer_of: Tensor
    class_id: Tensor
    boxes: Tensor
    centres: Tensor
    ignored: Tensor
    whole: Tensor = None  # type: ignore[assignment]
    hints: Tensor = None  # type: ignore[assignment]
    colours: Tensor = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        for name, default in (
            ("whole", torch.ones_like(self.class_id, dtype=torch.bool)),
            ("hints", torch.zeros_like(self.layers, dtype=torch.int8)),
            ("colours", torch.zeros(3, 0, 0, device=self.class_id.device)),
        ):
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)

    def __len__(self) -> int:
        return len(self.class_id)

    def masks(self, rows: Tensor) -> Tensor:
        """(len(rows), H, W) bool masks of some things."""
        return self.layers[self.layer_of[rows]] == (rows + 1).reshape(-1, 1, 1)

    def unsaid(self) -> Tensor:
        """(H, W) bool: pixels of no class in the boxes of things that are not whole."""
        whole = torch.cat([self.whole.new_ones(1), self.whole])
        return (~whole[self.layers.long()]).any(0) & (self.semantic == VOID)

    def to(self, device: torch.device) -> Target:
        """The same target on a device."""
        columns = (getattr(self, item.name) for item in fields(self))
        return Target(*(column.to(device, non_blocking=True) for column in columns))


Targets = Sequence[Target]


@dataclass(frozen=True, eq=False)
class Facts:
    """What `adapt` may know of the training data.

    Parameters
    ----------
    pixels
        (K,) pixels of each class.
    pixels_beside
        (K,) pixels of all images in which the class occurs.
    unlabelled
        Pixels that no class claims, void neither.
    sides
        (N,) square root of the area of each thing's box, pixels.
    most_things
        Things in the fullest image.
    largest
        (height, width): the largest of the images' heights, and of their widths.
    has_void
        Whether the data set names a void class or stuff: then unlabelled pixels are void, not background.
    things
        (K,) things of each class.
    partial
        Things of which not all pixels are known: boxes, points.
    shown
        (images, K) whether an image shows a class.
    """

    pixels: NDArray[np.int64]
    pixels_beside: NDArray[np.int64]
    unlabelled: int
    sides: NDArray[np.float64]
    most_things: int
    largest: tuple[int, int]
    has_void: bool
    things: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    partial: int = 0
    shown: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
