"""Columns of a mask's form: hull, axis, place of its middle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.rules.columns.parts.runs import Moments, hull_area, moments
from inlay.rules.tables import Floats, SegmentTable, ratio


def solidity(table: SegmentTable) -> Floats:
    """Share of the convex hull that the mask fills; above 0 to 1, unknown for an empty mask."""
    hull = hull_area(table.masks)
    return ratio(table.area, hull)


def crowd_solidity(table: SegmentTable) -> Floats:
    """Share of the convex hull that the mask of a crowd fills; above 0 to 1, unknown for what is no crowd.

    Of the full extent where the label has it. Crowds are ragged, 0.5 and less; a single thing is compact.
    """
    rows, whole = _crowds(table)
    found = np.full(len(table), np.nan)
    found[rows] = ratio(whole.area(), hull_area(whole))
    return found


def crowd_body_frac(table: SegmentTable) -> Floats:
    """Share of the largest part in the mask of a crowd; above 0 to 1, unknown for what is no crowd.

    Of the full extent where the label has it. A single thing is one body, and little beside it.
    """
    rows, whole = _crowds(table)
    parts, of = whole.parts()
    largest = np.zeros(len(rows), np.int64)
    np.maximum.at(largest, of, parts.area())
    found = np.full(len(table), np.nan)
    found[rows] = ratio(largest, whole.area())
    return found


def _crowds(table: SegmentTable) -> tuple[NDArray[np.int64], Masks]:
    """The rows of crowds, and their full extents or else their masks."""
    label = table.segmentation
    rows = np.flatnonzero(label.crowd)
    return rows, (table.masks if label.amodal is None else label.amodal)[rows]


def elongation(table: SegmentTable) -> Floats:
    """Length over breadth of the ellipse with the mask's moments; 1 for a disc or square, 10 for a strip."""
    least, most = _axes(table.once(_moments))
    return np.sqrt(ratio(most, least))


def breadth_px(table: SegmentTable) -> Floats:
    """Short axis of the ellipse with the mask's moments; pixels, 1.15 for a line of pixels."""
    return 4 * np.sqrt(_axes(table.once(_moments))[0])


def length_px(table: SegmentTable) -> Floats:
    """Long axis of the ellipse with the mask's moments; pixels."""
    return 4 * np.sqrt(_axes(table.once(_moments))[1])


def centroid_x(table: SegmentTable) -> Floats:
    """Centre of mass; pixels from the left edge of the image, unknown for an empty mask."""
    return table.once(_moments).x


def centroid_y(table: SegmentTable) -> Floats:
    """Centre of mass; pixels from the top of the image, unknown for an empty mask."""
    return table.once(_moments).y


def _moments(table: SegmentTable) -> Moments:
    return moments(table.masks)


def _axes(found: Moments) -> tuple[Floats, Floats]:
    """(N,) the variances along the short and the long axis."""
    middle = (found.xx + found.yy) / 2
    spread = np.hypot((found.xx - found.yy) / 2, found.xy)
    return np.maximum(middle - spread, 1 / 12), middle + spread
