"""What figures can be counted from without a `Segmentation` of each sample: flat columns, painted files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Batch:
    """M segments of S samples; those of sample `i` are the rows from `starts[i]` to `starts[i + 1]`.

    Parameters
    ----------
    classes
        Shared by all.
    starts
        (S + 1,) int64.
    sizes
        (S, 2) int64 height, width.
    class_id
        (M,) int32.
    crowd
        (M,) bool.
    score
        (M,) float64, or `None` for labels.
    box
        (M, 4) float64 x0, y0, width, height as the file states them; `None` where it states not all of them.
    area
        (M,) float64 pixels, as stated or of the mask; `None` where neither is known yet.
    runs
        Run lengths and (M + 1,) offsets of all masks, as in `Masks`; `None` where they are still text.
    text, spans
        uint8 bytes of a file, and (M, 2) int64 where in it each mask stands in COCO's printable form.
    """

    classes: Classes
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    class_id: NDArray[np.int32]
    crowd: NDArray[np.bool_]
    score: NDArray[np.float64] | None = None
    box: NDArray[np.float64] | None = None
    area: NDArray[np.float64] | None = None
    runs: tuple[NDArray[np.uint32], NDArray[np.int64]] | None = None
    text: NDArray[np.uint8] | None = None
    spans: NDArray[np.int64] | None = None


@dataclass(frozen=True, eq=False)
class Painted:
    """N labelled samples as their files hold them: PNGs whose colours are segments, R + 256 G + 65536 B."""

    png: Sequence[bytes]
    sizes: NDArray[np.int64]  # (N, 2) of the samples: height, width
    owner: NDArray[np.int64]  # (S,) sample of each segment, rising
    colour: NDArray[np.int64]  # (S,) distinct in a sample, 1 to 2^24 - 1; pixels of colour 0 are nobody's
    class_id: NDArray[np.int32]  # (S,)
    crowd: NDArray[np.bool_]  # (S,)
    source_id: NDArray[np.int64]  # (S,)
    area: NDArray[np.float64]  # (S,) as stated; nan where the file says nothing
    group: Sequence[str]
    frame: Sequence[int | None]


def painted(dataset: Dataset, names: Sequence[str]) -> Painted | None:
    """Samples as their files hold them; `None` where one says more than fits, or is of another kind."""
    paint: Any = getattr(dataset.load, "painted", None)
    found: Painted | None = paint(names) if paint else None
    return found


class Batched(Protocol):
    """What the `load` of a dataset may offer beside reading one sample."""

    def batch(self, names: Sequence[str], classes: Classes, *, masks: bool) -> Batch | None:
        """The samples of these names at once; `None` where they have to be read one by one."""


def batch_of(dataset: Dataset, names: Sequence[str], *, masks: bool = True) -> Batch | None:
    """The samples of these names in flat columns; `None` where the source reads its samples one by one.

    Without `masks` these are left out where they would have to be made.
    """
    load: Any = dataset.load
    if not hasattr(load, "batch"):
        return None
    batched: Batched = load
    return batched.batch(names, dataset.classes, masks=masks)


def sides_of(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 4) x0, y0, width, height of corners (x0, y0, x1, y1).

    Files state sides, and 32.1 - 0.1 is not always 32: of the numbers that lead from corner to corner one
    with few decimals is taken, which is the stated one unless that had more than twelve.
    """
    start, stop = corners[:, :2], corners[:, 2:]
    side = stop - start
    unsettled = np.ones(side.shape, np.bool_)
    for decimals in (2, 5, 8, 12):
        short = np.round(side, decimals)
        settled = unsettled & (start + short == stop)
        side = np.where(settled, short, side)
        unsettled &= ~settled
        if not unsettled.any():
            break
    return np.concatenate([start, side], axis=1)


def rows_of(
    starts: NDArray[np.int64], places: NDArray[np.int64]
) -> tuple[NDArray[np.int64] | slice, NDArray[np.int64]]:
    """Rows of the samples at `places` one after another, and where those of each begin, (S + 1,)."""
    if len(places) == len(starts) - 1 and (np.diff(places) == 1).all():  # all, in order: nothing is copied
        return slice(None), starts
    length = starts[places + 1] - starts[places]
    ends = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    return np.repeat(starts[places] - ends[:-1], length) + np.arange(int(ends[-1])), ends
