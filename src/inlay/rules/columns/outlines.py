"""Columns of what sticks out of a mask, bites into it, or frays its outline."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.core.morphology import dilate, erode
from inlay.rules.columns.parts.bays import closed, notches
from inlay.rules.outline import perimeter
from inlay.rules.tables import Floats, Integers, SegmentTable, ratio

CHUNK = 256  # tongues looked at together


def spur_px(table: SegmentTable, width: float) -> Integers:
    """Length of the longest tongue, at most so many pixels wide, that stands out of the visible mask; pixels.

    Where the label has full extents, it stands out of these too. Else a tongue has one other segment, or
    nobody, on both sides: what is seen between two others is no slip.
    A mask that is so thin everywhere has no body, and no tongue; 0 for stuff, which is what others leave.
    """
    return _longest(*_all_spurs(table, width), len(table))


def spur_px_region(table: SegmentTable, row: int, width: float) -> Masks:
    """That tongue."""
    spurs, _ = _spurs(table, np.array([row]), width)
    return spurs[np.argsort(-_lengths(spurs), kind="stable")[:1]].union()


def slanting_spur_px(table: SegmentTable, width: float) -> Integers:
    """Length of the longest such tongue that is no upright one; pixels, 0 for stuff.

    Trunks, posts and legs go straight up and down: three times as high as wide, or more.
    """
    return _longest(*_slanting(*_all_spurs(table, width)), len(table))


def slanting_spur_px_region(table: SegmentTable, row: int, width: float) -> Masks:
    """That tongue."""
    spurs, _ = _slanting(*_spurs(table, np.array([row]), width))
    return spurs[np.argsort(-_lengths(spurs), kind="stable")[:1]].union()


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
    smooth = closed(_opened(filled, 2.0), 2.0)
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


@lru_cache(maxsize=1)  # two columns of one table ask one after the other
def _all_spurs(table: SegmentTable, width: float) -> tuple[Masks, NDArray[np.int64]]:
    return _spurs(table, np.flatnonzero(table.is_thing), width)


def _spurs(table: SegmentTable, rows: NDArray[np.int64], width: float) -> tuple[Masks, NDArray[np.int64]]:
    """The tongues of some masks, and the row of each."""
    radius = 0.625 * width + 0.5  # a slanting line of whole pixels holds discs a little larger than itself
    extent = table.segmentation.amodal
    drawn = (table.visible if extent is None else extent)[rows]
    body = _opened(drawn, radius)
    # what a disc rounds off at corners stays within its radius of the body
    residue = drawn - dilate(body, radius, element="disk")
    parts, place = (residue if extent is None else residue & table.visible[rows]).parts()
    there = (body.area() > 0)[place]
    parts, row = parts[there], rows[place[there]]
    if extent is not None or not len(parts):
        return parts, row
    alone = _along_one(table, parts, row, width)
    return parts[alone], row[alone]


def _slanting(spurs: Masks, row: NDArray[np.int64]) -> tuple[Masks, NDArray[np.int64]]:
    x0, y0, x1, y1 = spurs.box().T
    wide = 3 * (x1 - x0) > y1 - y0
    return spurs[wide], row[wide]


def _along_one(table: SegmentTable, parts: Masks, row: NDArray[np.int64], width: float) -> NDArray[np.bool_]:
    """(P,) whether each tongue has the same on either side, all along: it crosses others, but parts none."""
    seen = table.visible
    around = dilate(parts, width, element="disk")
    beside = around.intersection(seen) > 0
    beside[np.arange(len(parts)), row] = False
    part, other = np.nonzero(beside)
    area = parts.area()
    near = (parts & dilate(around - table.union, width, element="disk")).area()
    for start in range(0, len(part), CHUNK):
        some = slice(start, start + CHUNK)
        close = dilate(seen[other[some]] & around[part[some]], width, element="disk")
        np.add.at(near, part[some], (parts[part[some]] & close).area())
    few: NDArray[np.bool_] = near <= 1.35 * area + 2 * width
    return few


def _lengths(parts: Masks) -> Integers:
    box = parts.box().astype(np.int64)
    longest: Integers = np.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    return longest


def _longest(parts: Masks, row: NDArray[np.int64], count: int) -> Integers:
    found = np.zeros(count, np.int64)
    np.maximum.at(found, row, _lengths(parts))
    return found


def _largest(parts: Masks, row: NDArray[np.int64], count: int) -> Integers:
    found = np.zeros(count, np.int64)
    np.maximum.at(found, row, parts.area())
    return found
