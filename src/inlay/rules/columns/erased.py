"""Columns of bites that an eraser took: round, and of the colour of the mask rather than of its outside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.core.morphology import dilate
from inlay.rules.columns.parts.bays import notches
from inlay.rules.tables import Floats, Integers, SegmentTable

LEAST = 6  # pixels of a bite
REACH = 4  # pixels around it whose colours it is held against
ALIKE = 0.6  # share of its pixels whose colours are nearer to those inside
APART = 1.5  # deviations by which its colours differ from those outside
NOISE = 3.0  # greys, at least
ROUND = 0.45  # pixels by which its arc may deviate from a circle


def erased_px(table: SegmentTable, width: float) -> Integers:
    """Pixels of the largest round bite at most so wide that looks like the mask beside it; 0 or more.

    Of nobody's pixels, as for `notch_px`; most of them have a colour nearer to that of the mask than to that
    of what lies outside, which differs clearly. Unknown without pixels; 0 for stuff.
    """
    parts, row = _erased(table, np.flatnonzero(table.is_thing), width)
    found = np.zeros(len(table), np.int64)
    np.maximum.at(found, row, parts.area())
    return found


def erased_px_region(table: SegmentTable, row: int, width: float) -> Masks:
    """That bite."""
    parts, _ = _erased(table, np.array([row]), width)
    return parts[np.argsort(-parts.area(), kind="stable")[:1]].union()


def _erased(table: SegmentTable, rows: NDArray[np.int64], width: float) -> tuple[Masks, NDArray[np.int64]]:
    parts, row = notches(table, rows, width)
    large = parts.area() >= LEAST
    parts, row = parts[large], row[large]
    mask = table.masks[row]
    arc = (dilate(parts, 1) - parts) & mask
    boxes = dilate(parts, REACH).box()
    keep = np.array([_is_round(arc.crop(at, box)) for at, box in enumerate(boxes)], np.bool_)
    parts, row, mask, boxes = parts[keep], row[keep], mask[keep], boxes[keep]
    if not len(parts):
        return parts, row
    pixels = table.pixels
    around = dilate(parts, REACH, element="disk") - parts
    inside, outside = around & mask, around - mask
    alike = [
        _likeness(
            pixels[box[1] : box[3], box[0] : box[2]], *(of.crop(at, box) for of in (parts, inside, outside))
        )
        for at, box in enumerate(boxes)
    ]
    keep = np.array(alike) >= ALIKE
    return parts[keep], row[keep]


def _is_round(arc: NDArray[np.bool_]) -> bool:
    """Whether pixels lie on a circle, by least squares."""
    points = np.argwhere(arc).astype(np.float64)
    if len(points) < 5:
        return False
    system = np.column_stack([2 * points, np.ones(len(points))])
    found = np.linalg.lstsq(system, (points * points).sum(axis=1), rcond=None)[0]
    far = np.linalg.norm(points - found[:2], axis=1)
    return float(far.std()) <= ROUND


def _likeness(
    pixels: NDArray[np.uint8], bite: NDArray[np.bool_], inside: NDArray[np.bool_], outside: NDArray[np.bool_]
) -> float:
    """Share of the bite's pixels that look more like those inside than like those outside."""
    if not inside.any() or not outside.any():
        return 0.0
    own, mine, other = (pixels[of].astype(np.float64) for of in (bite, inside, outside))
    spread = float(np.sqrt(sum(each.var(axis=0).sum() for each in (own, mine, other)) / 3)) + NOISE
    if np.linalg.norm(own.mean(axis=0) - other.mean(axis=0)) < APART * spread:
        return 0.0  # a picture in which one thing looks like the next says nothing
    nearer: Floats = np.linalg.norm(own - mine.mean(axis=0), axis=1)
    return float((nearer < np.linalg.norm(own - other.mean(axis=0), axis=1)).mean())
