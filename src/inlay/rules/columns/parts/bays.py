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
    """The bites into some masks, and the row of each."""
    rows = rows[_near_nobody(table, width)[rows]]
    radius = (width + 0.5) / 2
    masks = table.masks[rows]
    parts, place = ((closed(masks, radius) - masks) - table.union).parts(4)
    return parts, rows[place]


def _near_nobody(table: SegmentTable, width: float) -> NDArray[np.bool_]:
    """(N,) whether the box of a mask meets that of some of nobody's pixels, or comes so near."""
    ours, free = table.box, table.nobody.box().astype(np.int64)
    apart = np.maximum(ours[:, None, :2] - free[None, :, 2:], free[None, :, :2] - ours[:, None, 2:])
    near: NDArray[np.bool_] = (apart <= width).all(axis=2).any(axis=1)
    return near & (table.area > 0)
