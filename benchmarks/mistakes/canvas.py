"""What injectors draw on: the masks of one sample as pixels, and back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Spoilt:
    """A sample with one error, and where that lies."""

    sample: Sample
    where: Bits  # (H, W) pixels that were changed, or that the error is about
    rows: tuple[int, ...] = ()  # segments that the error is about, in the spoilt sample
    gone: int | None = None  # row of the clean label that the spoilt one lacks

    def clean_rows(self, rows: tuple[int, ...]) -> tuple[int, ...]:
        """Where segments of the spoilt sample stand in the clean label."""
        return rows if self.gone is None else tuple(row + (row >= self.gone) for row in rows)


@dataclass
class Canvas:
    """The masks of a sample, changed in place."""

    sample: Sample
    seen: Bits = field(init=False)
    extent: Bits | None = field(init=False)

    def __post_init__(self) -> None:
        label = self.sample.label()
        self.seen = np.ascontiguousarray(label.masks.decode())
        self.extent = None if label.amodal is None else np.ascontiguousarray(label.amodal.decode())

    @property
    def label(self) -> Segmentation:
        """The clean label."""
        return self.sample.label()

    @property
    def layered(self) -> bool:
        """Whether the clean label is a partition: new pixels are taken from those who had them."""
        return self.label.is_partition

    def things(self, least: int = 80) -> NDArray[np.int64]:
        """Rows of the things of some size that are no crowds."""
        label = self.label
        return np.flatnonzero(label.is_thing & ~label.crowd & (self.seen.sum(axis=(1, 2)) >= least))

    def give(self, row: int, pixels: Bits) -> Bits:
        """Pixels to a segment, from whoever had them where the label is a partition; those that it got.

        Where the stack has full extents, it hides only what lies behind it.
        """
        if self.extent is not None:
            pixels = pixels & ~self.seen[row + 1 :].any(axis=0)
        if self.layered:
            self.seen[:, pixels] = False
        self.seen[row] |= pixels
        if self.extent is not None:
            self.extent[row] |= pixels
        return pixels

    def take(self, row: int, pixels: Bits) -> None:
        """Pixels from a segment, to nobody."""
        self.seen[row] &= ~pixels
        if self.extent is not None:
            self.extent[row] &= ~pixels

    def spoilt(self, where: Bits, rows: tuple[int, ...], **columns: object) -> Spoilt:
        """The sample as it now is."""
        label = self.label.replace(
            masks=Masks.encode(self.seen),
            amodal=None if self.extent is None else Masks.encode(self.extent),
            stated_box=None,
            stated_area=None,
            **columns,
        )
        return Spoilt(replace(self.sample, segmentation=label), where, rows)


def disc(shape: tuple[int, int], y: float, x: float, radius: float) -> Bits:
    """(H, W) pixels at most `radius` from a point."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius * radius


def grown(mask: Bits, radius: float) -> Bits:
    """The mask and what lies at most `radius` from it."""
    from inlay.core.morphology import dilate

    return dilate(Masks.encode(mask), radius, element="disk").decode()[0]


def shrunk(mask: Bits, radius: float) -> Bits:
    """What lies deeper than `radius` in the mask."""
    from inlay.core.morphology import erode

    return erode(Masks.encode(mask), radius, element="disk").decode()[0]


def edge(mask: Bits) -> NDArray[np.int64]:
    """(K, 2) row and column of the mask's outermost pixels that are not on the image's sides."""
    found = np.argwhere(mask & ~shrunk(mask, 1))
    height, width = mask.shape
    inner = (found > 0).all(axis=1) & (found[:, 0] < height - 1) & (found[:, 1] < width - 1)
    return found[inner]


def moved(mask: Bits, down: int, right: int) -> Bits:
    """The mask moved, what leaves the image cut off."""
    height, width = mask.shape
    out = np.zeros_like(mask)
    out[max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = mask[
        max(-down, 0) : height + min(-down, 0), max(-right, 0) : width + min(-right, 0)
    ]
    return out
