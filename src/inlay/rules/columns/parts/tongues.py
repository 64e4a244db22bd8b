"""Tongues: what of masks is too thin for a disc to go along, and stands out of a thicker body."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.core.morphology import dilate, erode
from inlay.rules.tables import Integers, SegmentTable

CHUNK = 256  # tongues looked at together


def all_tongues(table: SegmentTable, width: float) -> tuple[Masks, NDArray[np.int64]]:
    """The tongues of all things of an image, and the row of each."""
    return tongues(table, np.flatnonzero(table.is_thing), width)


def tongues(table: SegmentTable, rows: NDArray[np.int64], width: float) -> tuple[Masks, NDArray[np.int64]]:
    """The tongues of some masks, and the row of each."""
    radius = 0.625 * width + 0.5  # a slanting line of whole pixels holds discs a little larger than itself
    extent = table.segmentation.amodal
    drawn = (table.masks if extent is None else extent)[rows]
    body = opened(drawn, radius)
    # what a disc rounds off at corners stays within its radius of the body
    residue = drawn - dilate(body, radius, element="disk")
    parts, place = (residue if extent is None else residue & table.visible[rows]).parts()
    there = (body.area() > 0)[place]
    parts, row = parts[there], rows[place[there]]
    if extent is not None or not len(parts):
        return parts, row
    alone = _along_one(table, parts, row, width)
    alone |= 2 * (parts & table.twice).area() > parts.area()  # what lies upon others is not left between them
    return parts[alone], row[alone]


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


def lengths(parts: Masks) -> Integers:
    """(P,) longer side of the box of each."""
    box = parts.box().astype(np.int64)
    longest: Integers = np.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    return longest


def opened(masks: Masks, radius: float) -> Masks:
    """What of the masks discs that lie wholly in them cover."""
    return dilate(erode(masks, radius, element="disk"), radius, element="disk")
