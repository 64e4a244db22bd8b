"""Columns of what sticks out of a mask, bites into it, or frays its outline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.core.morphology import erode
from inlay.rules.columns.parts.bays import closed, notches
from inlay.rules.columns.parts.tongues import all_tongues, lengths, opened, tongues
from inlay.rules.outline import perimeter
from inlay.rules.tables import Floats, Integers, SegmentTable, ratio


def spur_px(table: SegmentTable, width: float) -> Integers:
    """Length of the longest tongue, at most so many pixels wide, that stands out of the mask; pixels.

    Where the label has full extents, it stands out of these too. Else a tongue has one other segment, or
    nobody, on both sides: what is seen between two others is no slip.
    A mask that is so thin everywhere has no body, and no tongue; 0 for stuff, which is what others leave.
    """
    return _longest(*table.once(all_tongues, width), len(table))


def spur_px_region(table: SegmentTable, row: int, width: float) -> Masks:
    """That tongue."""
    spurs, _ = tongues(table, np.array([row]), width)
    return spurs[np.argsort(-lengths(spurs), kind="stable")[:1]].union()


def notch_px(table: SegmentTable, width: float) -> Integers:
    """Pixels of the largest bite at most so many pixels wide into the mask, of nobody's pixels; 0 or more.

    0 for stuff, whose outline is what others leave.
    """
    return _largest(*notches(table, np.flatnonzero(table.is_thing), width), len(table))


def notch_px_region(table: SegmentTable, row: int, width: float) -> Masks:
    """That bite."""
    parts, _ = notches(table, np.array([row]), width)
    return parts[np.argsort(-parts.area(), kind="stable")[:1]].union()


def jaggedness(table: SegmentTable) -> Floats:
    """Outline over the outline of the same mask smoothed by a disc of 2 pixels; about 1, more when frayed.

    Unknown where nothing is left of the smoothed mask.
    """
    filled = table.masks.fill_holes()
    smooth = closed(opened(filled, 2.0), 2.0)
    return ratio(perimeter(filled), perimeter(smooth))


def necks(table: SegmentTable, width: float) -> Integers:
    """Large pieces that the mask falls into when what is at most so wide is cut, less 1; 0 or more.

    A piece is large when it holds a tenth of what is left. Two things labelled as one have a neck.
    """
    left = erode(table.masks.fill_holes(), width / 2, element="disk")
    parts, row = left.parts(4)
    large = parts.area() >= 0.1 * left.area()[row]
    pieces = np.bincount(row[large], minlength=len(table))
    return np.maximum(pieces - 1, 0)


def inner_width_px(table: SegmentTable) -> Integers:
    """Side of the largest square that fits into the mask; pixels, odd, 0 for an empty mask."""
    side = np.zeros(len(table), np.int64)
    left, radius = np.flatnonzero(table.area > 0), 0
    while len(left):
        side[left] = 2 * radius + 1
        radius += max(1, radius // 4)  # to a quarter of itself
        left = left[erode(table.masks[left], radius).area() > 0]
    return side


def _longest(parts: Masks, row: NDArray[np.int64], count: int) -> Integers:
    found = np.zeros(count, np.int64)
    np.maximum.at(found, row, lengths(parts))
    return found


def _largest(parts: Masks, row: NDArray[np.int64], count: int) -> Integers:
    found = np.zeros(count, np.int64)
    np.maximum.at(found, row, parts.area())
    return found
