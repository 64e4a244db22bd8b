"""Columns of a segment's box and of its place in the image."""

from __future__ import annotations

from inlay.rules.tables import Booleans, Floats, Integers, SegmentTable, ratio


def x0(table: SegmentTable) -> Integers:
    """Left side of the box; pixels from the left edge of the image."""
    return table.box[:, 0]


def y0(table: SegmentTable) -> Integers:
    """Top of the box; pixels from the top edge of the image."""
    return table.box[:, 1]


def x1(table: SegmentTable) -> Integers:
    """Right side of the box, outside the last pixel; pixels."""
    return table.box[:, 2]


def y1(table: SegmentTable) -> Integers:
    """Bottom of the box, below the last pixel; pixels."""
    return table.box[:, 3]


def width(table: SegmentTable) -> Integers:
    """Width of the box; pixels."""
    return table.box[:, 2] - table.box[:, 0]


def height(table: SegmentTable) -> Integers:
    """Height of the box; pixels."""
    return table.box[:, 3] - table.box[:, 1]


def aspect(table: SegmentTable) -> Floats:
    """Width over height of the box; above 0, unknown for an empty mask."""
    return ratio(width(table), height(table))


def extent(table: SegmentTable) -> Floats:
    """Share of the box that the mask fills; 0 to 1, unknown for an empty mask."""
    return ratio(table.area, width(table) * height(table))


def touches_border(table: SegmentTable) -> Booleans:
    """Whether the mask reaches the edge of the image, and so may go on outside it."""
    rows, columns = table.masks.size
    inside = (table.box[:, :2] > 0).all(axis=1) & (table.box[:, 2:] < (columns, rows)).all(axis=1)
    return ~inside & (table.area > 0)


def centre_x(table: SegmentTable) -> Floats:
    """Middle of the box, from 0 at the left edge of the image to 1 at the right."""
    return (table.box[:, 0] + table.box[:, 2]) / (2.0 * max(table.masks.size[1], 1))


def centre_y(table: SegmentTable) -> Floats:
    """Middle of the box, from 0 at the top of the image to 1 at the bottom."""
    return (table.box[:, 1] + table.box[:, 3]) / (2.0 * max(table.masks.size[0], 1))
