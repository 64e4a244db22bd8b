"""Columns of two segments that touch or overlap."""

from __future__ import annotations

import numpy as np

from inlay.core.masks import Masks
from inlay.rules.tables import Booleans, Floats, Integers, PairTable, ratio


def touch_px(table: PairTable) -> Integers:
    """Pixel edges that the visible parts share; 0 where they only overlap."""
    return table.touch


def surround(table: PairTable) -> Floats:
    """Share of the visible outline of `a`, the sides of the image counted in, that touches `b`; 0 to 1."""
    return ratio(table.touch, table.segments.contacts.perimeter[table.a])


def shared_edge_frac(table: PairTable) -> Floats:
    """Shared edges over the outline of the smaller outline of the two; 0 to 1."""
    around = table.segments.contacts.perimeter
    return ratio(table.touch, np.minimum(around[table.a], around[table.b]))


def overlap_px(table: PairTable) -> Integers:
    """Pixels that lie in both masks; 0 or more."""
    return table.shared


def overlap_px_region(table: PairTable, row: int) -> Masks:
    """Those pixels."""
    return _both(table, row)


def iou(table: PairTable) -> Floats:
    """Intersection over union of the two masks; 0 to 1."""
    area = table.segments.area
    return ratio(table.shared, area[table.a] + area[table.b] - table.shared)


def iou_region(table: PairTable, row: int) -> Masks:
    """The pixels in both."""
    return _both(table, row)


def iom(table: PairTable) -> Floats:
    """Intersection over the smaller of the two masks; 0 to 1."""
    area = table.segments.area
    return ratio(table.shared, np.minimum(area[table.a], area[table.b]))


def iom_region(table: PairTable, row: int) -> Masks:
    """The pixels in both."""
    return _both(table, row)


def inside(table: PairTable) -> Floats:
    """Share of the pixels of `a` that lie in `b` as well; 0 to 1."""
    return ratio(table.shared, table.segments.area[table.a])


def inside_region(table: PairTable, row: int) -> Masks:
    """The pixels in both."""
    return _both(table, row)


def z_above(table: PairTable) -> Booleans:
    """Whether `a` lies in front of `b` in the stack."""
    return table.a > table.b


def same_class(table: PairTable) -> Booleans:
    """Whether both are of one class."""
    class_id = table.segments.segmentation.class_id
    return np.equal(class_id[table.a], class_id[table.b])


def _both(table: PairTable, row: int) -> Masks:
    masks = table.segments.masks
    return masks[int(table.a[row])] & masks[int(table.b[row])]
