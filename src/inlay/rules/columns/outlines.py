"""Columns of what sticks out of a mask, bites into it, or frays its outline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.core.morphology import dilate, erode
from inlay.rules.outline import perimeter
from inlay.rules.tables import Floats, Integers, SegmentTable, ratio


def spur_px(table: SegmentTable, width: float) -> Integers:
    """Length of the longest tongue, at most so many pixels wide, that stands out of the visible mask; pixels.

    A tongue lies within one other segment, or nobody: what is seen between two others is no slip of a hand.
    A mask that is so thin everywhere has no body, and no tongue.
    """
    return _longest(*_spurs(table, width), len(table))


def spur_px_region(table: SegmentTable, row: int, width: float) -> Masks:
    """That tongue."""
    spurs, of = _spurs(table, width)
    spurs = spurs[of == row]
    return spurs[np.argsort(-_lengths(spurs), kind="stable")[:1]].union()


def notch_px(table: SegmentTable, width: float) -> Integers:
    """Pixels of the largest bite at most so many pixels wide into the mask, of nobody's pixels; 0 or more."""
    return _largest(*_notches(table, np.arange(len(table)), width), len(table))


def notch_px_region(table: SegmentTable, row: int, width: float) -> Masks:
    """That bite."""
    return _first(_notches(table, np.array([row]), width)[0])


def jaggedness(table: SegmentTable) -> Floats:
    """Outline over the outline of the same mask smoothed by a disc of 2 pixels; about 1, more when frayed.

    Unknown where nothing is left of the smoothed mask.
    """
    filled = table.masks.fill_holes()
    smooth = _closed(_opened(filled, 2.0), 2.0)
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


def _opened(masks: Masks, radius: float) -> Masks:
    return dilate(erode(masks, radius, element="disk"), radius, element="disk")


def _closed(masks: Masks, radius: float) -> Masks:
    return masks | erode(dilate(masks, radius, element="disk"), radius, element="disk")


def _spurs(table: SegmentTable, width: float) -> tuple[Masks, NDArray[np.int32]]:
    """The tongues of all masks, and the row of each."""
    radius = (width + 0.5) / 2
    seen = table.visible
    body = _opened(seen, radius)
    # what a disc rounds off at corners stays within its radius of the body
    parts, row = (seen - dilate(body, radius, element="disk")).parts()
    there = (body.area() > 0)[row]
    parts, row = parts[there], row[there]
    if not len(parts):
        return parts, row
    ring = dilate(parts, 1)
    beside = ring.intersection(seen) > 0
    beside[np.arange(len(parts)), row] = False
    alone = beside.sum(axis=1) + ((ring - table.union).area() > 0) <= 1
    return parts[alone], row[alone]


def _lengths(parts: Masks) -> Integers:
    box = parts.box().astype(np.int64)
    return np.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])


def _longest(parts: Masks, row: NDArray[np.int32], count: int) -> Integers:
    found = np.zeros(count, np.int64)
    np.maximum.at(found, row, _lengths(parts))
    return found


def _notches(table: SegmentTable, rows: NDArray[np.int64], width: float) -> tuple[Masks, NDArray[np.int32]]:
    """The bites into some masks, and the place of each one's row in `rows`."""
    radius = (width + 0.5) / 2
    masks = table.masks[rows]
    residue = (_closed(masks, radius) - masks) - table.union
    return residue.parts(4)


def _largest(parts: Masks, row: NDArray[np.int32], count: int) -> Integers:
    found = np.zeros(count, np.int64)
    np.maximum.at(found, row, parts.area())
    return found


def _first(parts: Masks) -> Masks:
    return parts[np.argsort(-parts.area(), kind="stable")[:1]].union()
