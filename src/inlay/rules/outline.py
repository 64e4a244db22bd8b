"""Outlines and cracks on run lengths: what needs a neighbouring pixel, without a bitmap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks


def widened(masks: Masks, left: int, right: int) -> Masks:
    """The masks in an image with some empty columns more on either side."""
    height, width = masks.size
    counts, offsets = masks.counts, masks.offsets
    lengths = np.diff(offsets)
    open_ended = lengths % 2 == 0  # the last run is foreground: the columns added are a run of their own
    added = np.cumsum(open_ended)
    ends = offsets[1:] + added
    grown = np.insert(counts, offsets[1:][open_ended], 0) if open_ended.any() else counts.copy()
    grown[np.append(0, ends)[:-1]] += np.uint32(left * height)
    grown[ends - 1] += np.uint32(right * height)
    return Masks(grown, np.append(0, ends), (height, width + left + right))


def perimeter(masks: Masks) -> NDArray[np.int64]:
    """(N,) pixel edges around each mask, holes and image sides included."""
    height = masks.size[0]
    stop = np.cumsum(masks.counts, dtype=np.int64)
    row = np.repeat(np.arange(len(masks)), np.diff(masks.offsets))
    seen = (np.arange(len(stop)) - masks.offsets[row]) % 2 == 1
    row, stop = row[seen], (stop - row * (height * masks.size[1]))[seen]
    start = stop - masks.counts[seen]
    stretches = np.bincount(row, (stop - 1) // max(height, 1) - start // max(height, 1) + 1, len(masks))
    side_by_side = (widened(masks, 1, 0) & widened(masks, 0, 1)).area()
    return 2 * (stretches.astype(np.int64) + masks.area() - side_by_side)


def cracks(mask: Masks) -> Masks:
    """The background of one mask in strips one or two pixels wide, foreground on both sides."""
    around = ~mask
    across = _narrow_rows(mask, around)
    return Masks.concat([_narrow_columns(around), across]).union()


def _narrow_columns(around: Masks) -> Masks:
    """Runs of at most two pixels that lie inside one column, clear of its ends."""
    height = max(around.size[0], 1)
    stop = np.cumsum(around.counts, dtype=np.int64)
    counts = around.counts.copy()
    start = stop - counts
    narrow = (
        (counts <= 2) & (start // height == (stop - 1) // height) & (start % height > 0) & (stop % height > 0)
    )
    narrow[::2] = False
    starts, stops = start[narrow], stop[narrow]
    edges = np.column_stack([starts, stops]).reshape(-1)
    runs = np.diff(edges, prepend=0, append=around.size[0] * around.size[1])
    return Masks.from_runs([runs], around.size)


def _narrow_rows(mask: Masks, around: Masks) -> Masks:
    """Pixels of the background with foreground one or two columns off on either side, at most three apart."""
    middle = widened(around, 2, 2)
    near_left, far_left = widened(mask, 3, 1), widened(mask, 4, 0)
    near_right, far_right = widened(mask, 1, 3), widened(mask, 0, 4)
    found = middle & ((near_left & (near_right | far_right)) | (far_left & near_right))
    return _narrowed(found, 2)


def _narrowed(mask: Masks, columns: int) -> Masks:
    """One mask without the columns added on either side, which must be empty."""
    height, width = mask.size
    counts = mask.counts.astype(np.int64)
    if len(counts) == 1:
        return Masks.empty((height, width - 2 * columns), 1)
    counts[0] -= columns * height
    if len(counts) % 2:
        counts[-1] -= columns * height
    return Masks.from_runs([counts], (height, width - 2 * columns))
