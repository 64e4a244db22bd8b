"""Bays: what fills up when masks are closed by a disc, and the bites among them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.core.morphology import dilate, erode
from inlay.core.placing import cut, paste
from inlay.rules.tables import SegmentTable


def closed(masks: Masks, radius: float) -> Masks:
    """The masks with their bays filled; beyond the sides of the image there is room, and nothing in it."""
    height, width = masks.size
    room = int(np.ceil(radius))
    wide = paste(masks, (height + 2 * room, width + 2 * room), x=room, y=room)
    filled = erode(dilate(wide, radius, element="disk"), radius, element="disk")
    return masks | cut(filled, (room, room, room + width, room + height))


def notches(table: SegmentTable, rows: NDArray[np.int64], width: float) -> tuple[Masks, NDArray[np.int64]]:
    """The bites of nobody's pixels into some masks, and the row of each."""
    rows = rows[_near_nobody(table, width)[rows]]
    parts, place = (_bays(table, rows, width) - table.union).parts(4)
    return parts, rows[place]


def bays(table: SegmentTable, rows: NDArray[np.int64], width: float) -> tuple[Masks, NDArray[np.int64]]:
    """The bays of some masks without what lies beside them, and the row of each.

    Segments that share pixels with a mask lie beneath or upon it, and fill none of its bays.
    """
    one, other, _ = table.overlaps
    crossed = np.isin(rows, np.append(one, other))
    may = crossed | _near_nobody(table, width)[rows]  # the bays of all others are somebody's
    rows, crossed = rows[may], crossed[may]
    filled = _bays(table, rows, width)
    filled = Masks.concat([filled[~crossed] - table.union, *_uncrossed(table, filled, rows, crossed)])
    parts, place = filled.parts(4)
    return parts, np.append(rows[~crossed], rows[crossed])[place]


def _uncrossed(
    table: SegmentTable, filled: Masks, rows: NDArray[np.int64], crossed: NDArray[np.bool_]
) -> list[Masks]:
    one, other, _ = table.overlaps
    left = []
    for place in np.flatnonzero(crossed).tolist():
        row = rows[place]
        across = np.concatenate([one[other == row], other[one == row]])
        left.append(filled[place] - table.masks[np.setdiff1d(np.arange(len(table)), across)].union())
    return left


def _bays(table: SegmentTable, rows: NDArray[np.int64], width: float) -> Masks:
    masks = table.masks[rows]
    return closed(masks, (width + 0.5) / 2) - masks


def _near_nobody(table: SegmentTable, width: float) -> NDArray[np.bool_]:
    """(N,) whether the box of a mask meets that of some of nobody's pixels, or comes so near."""
    ours, free = table.box, table.nobody.box().astype(np.int64)
    apart = np.maximum(ours[:, None, :2] - free[None, :, 2:], free[None, :, :2] - ours[:, None, 2:])
    near: NDArray[np.bool_] = (apart <= width).all(axis=2).any(axis=1)
    return near & (table.area > 0)


def boxes_around(parts: Masks, room: int) -> NDArray[np.int64]:
    """(P, 4) the box of each part that is not empty, with so many pixels around it as the image has."""
    height, width = parts.size
    box = parts.box() + np.array([-room, -room, room, room])
    clipped: NDArray[np.int64] = np.clip(box, 0, [width, height, width, height])
    return clipped
