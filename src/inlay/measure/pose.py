"""Pose of each thing in the image, what lies on it, and the order to pick them in: a list for bin picking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.measure.shapes import axes

if TYPE_CHECKING:
    from inlay.core.masks import Masks
    from inlay.core.segmentation import Segmentation

COVERED = 0.005  # share of a full extent from which something in front of it counts as lying on it


@dataclass(frozen=True)
class Pose:
    """One thing to pick.

    Parameters
    ----------
    row
        Row of the segmentation.
    turn
        Round in which it lies free: 1 when nothing lies on it, 2 after those are gone, and so on.
    x, y
        Centroid of what one sees, pixels.
    angle
        Of the long axis, radians from the x axis towards the y axis (clockwise as one sees it),
        in (-pi/2, pi/2].
    length, width
        Axes of the ellipse with the same moments, pixels.
    visible
        Share of the full extent that one sees; NaN where nobody drew the full extent.
    under
        Rows that lie on it, nearest the front first.
    """

    row: int
    turn: int
    x: float
    y: float
    angle: float
    length: float
    width: float
    visible: float
    under: tuple[int, ...]


def pick_order(segmentation: Segmentation) -> list[Pose]:
    """The things of an image in the order to pick them: free ones first, then the most visible, the largest.

    What lies on what follows from the order of the segments and the amodal masks: `j` lies on `i` when it is
    in front and covers a part of the full extent of `i`. Without amodal masks, overlapping modal ones tell.
    """
    things = np.flatnonzero(segmentation.is_thing & ~segmentation.crowd & (segmentation.masks.area() > 0))
    covers = _covers(segmentation, things)
    turns = _turns(covers)
    visible = _visible(segmentation)[things]
    area = segmentation.masks.area()[things]
    order = sorted(
        range(len(things)), key=lambda k: (turns[k], -np.nan_to_num(visible[k], nan=1.0), -area[k], things[k])
    )
    found = []
    for k in order:
        row = int(things[k])
        x, y, angle, length, width = _pose(segmentation.masks, row)
        under = tuple(int(things[j]) for j in np.flatnonzero(covers[k])[::-1])
        found.append(Pose(row, int(turns[k]), x, y, angle, length, width, float(visible[k]), under))
    return found


def _covers(segmentation: Segmentation, things: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(T, T) whether thing [., j] lies on thing [i, .]."""
    full = segmentation.masks if segmentation.amodal is None else segmentation.amodal
    shared = full[things].intersection(segmentation.masks[things])
    return np.triu(shared > COVERED * np.maximum(full[things].area(), 1)[:, None], k=1)


def _turns(covers: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Round of each thing; things only ever lie under later rows, so the last row is free."""
    turns = np.ones(len(covers), np.int64)
    for row in range(len(covers) - 1, -1, -1):
        on_it = np.flatnonzero(covers[row])
        if on_it.size:
            turns[row] = turns[on_it].max() + 1
    return turns


def _visible(segmentation: Segmentation) -> NDArray[np.float64]:
    """(N,) share of the full extent that one sees; NaN without amodal masks."""
    if segmentation.amodal is None:
        return np.full(len(segmentation), np.nan)
    full = segmentation.amodal.area()
    share = np.full(len(segmentation), np.nan)
    seen = (segmentation.amodal & segmentation.masks).area()
    np.divide(seen, full, out=share, where=full > 0)
    return share


def _pose(masks: Masks, row: int) -> tuple[float, float, float, float, float]:
    box = masks.box()[row]
    y, x = np.nonzero(masks.crop(row, box))
    dx, dy = x - x.mean(), y - y.mean()
    length, width, orientation = axes(
        float((dx * dx).mean()), float((dy * dy).mean()), float((dx * dy).mean())
    )
    angle = np.pi / 2 - orientation  # `axes` measures from the y axis
    angle = angle - np.pi if angle > np.pi / 2 else angle
    return float(x.mean() + box[0] + 0.5), float(y.mean() + box[1] + 0.5), float(angle), length, width
