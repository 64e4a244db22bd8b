"""Columns of how two segments lie to each other: gap, agreement of outlines, nine intersections."""

from __future__ import annotations

import numpy as np

from inlay.core.distances import distance
from inlay.core.masks import Masks
from inlay.core.morphology import band_width, boundary_band, dilate, erode
from inlay.rules.tables import Floats, PairTable, SegmentTable, Words, ratio

FAR = 64  # pixels, beyond which no gap is measured


def gap_px(table: SegmentTable) -> Floats:
    """Pixels between the segment and the nearest other one of its class; 0 where they touch or overlap.

    Measured between the nearest pixels; unknown where the boxes of all others lie more than 64 pixels away.
    """
    gaps = np.full(len(table), np.nan)
    class_id, there = table.segmentation.class_id, table.area > 0
    for row in np.flatnonzero(there):
        box = table.box[row]
        apart = np.maximum(table.box[:, :2] - box[2:], box[:2] - table.box[:, 2:]).max(axis=1)
        near = there & (class_id == class_id[row]) & (apart <= FAR)
        near[row] = False
        for other in np.flatnonzero(near)[np.argsort(apart[near], kind="stable")]:
            if not gaps[row] <= max(int(apart[other]), 0):
                gaps[row] = np.fmin(gaps[row], _gap(table.masks, int(row), int(other)))
    return gaps


def gap_px_(table: PairTable) -> Floats:
    """Pixels between what is seen of the two; 0 where these touch, more where a third lies between them.

    Of pairs that touch or overlap, as all pairs are; unknown where one is not to be seen.
    """
    gaps = np.where(table.touch > 0, 0.0, np.nan)
    seen = table.segments.visible
    area = seen.area()
    for place in np.flatnonzero((table.touch == 0) & (area[table.a] > 0) & (area[table.b] > 0)):
        gaps[place] = _gap(seen, int(table.a[place]), int(table.b[place]))
    return gaps


def boundary_iou(table: PairTable) -> Floats:
    """Intersection over union of the bands along the two outlines, 2 % of the diagonal wide; 0 to 1.

    Two copies of one thing agree in their outlines; two things that overlap do not, whatever their sizes.
    """
    found = np.zeros(len(table))
    over = np.flatnonzero(table.shared > 0)
    if len(over):
        masks = table.segments.masks
        rows, place = np.unique(np.append(table.a[over], table.b[over]), return_inverse=True)
        band = boundary_band(masks[rows], band_width(masks.size))
        a, b = band[place[: len(over)]], band[place[len(over) :]]
        shared = (a & b).area()
        found[over] = ratio(shared, a.area() + b.area() - shared)
    return found


def relate(table: PairTable, tolerance: float) -> Words:
    """The nine intersections of interior, outline and exterior of `a` with those of `b`: 'TFFTFFTTT'.

    By rows: interior of `a`, its outline, its exterior; T where they share a pixel, F where not (DE-9IM
    without dimensions). The outline is what lies at most so many pixels, 1 or more, inside of the edge, or
    that far outside; so `relate(1) LIKE 'T_F__F___'` is within.
    """
    if not len(table):
        return np.empty(0, np.object_)
    masks = table.segments.masks
    inner = erode(masks, tolerance, element="disk")
    outer = dilate(masks, tolerance, element="disk")
    zones = (inner, outer - inner, ~outer)
    letters = [
        np.where((one[table.a] & other[table.b]).area() > 0, "T", "F") for one in zones for other in zones
    ]
    words = np.empty(len(table), np.object_)
    words[:] = ["".join(each) for each in zip(*letters)]
    return words


def relation(table: PairTable, tolerance: float) -> Words:
    """The name of how `a` lies to `b`, but for so many pixels along the outlines.

    'equals', 'within', 'contains', 'overlaps', or 'touches'.
    """
    masks = table.segments.masks
    inner = erode(masks, tolerance, element="disk")
    outer = dilate(masks, tolerance, element="disk")
    a, b = table.a, table.b
    within = (masks[a] - outer[b]).area() == 0
    contains = (masks[b] - outer[a]).area() == 0
    meets = ((inner[a] & masks[b]).area() > 0) | ((inner[b] & masks[a]).area() > 0)
    overlap = np.where(meets, "overlaps", "touches")
    known = np.select(
        [within & contains, within & (table.shared > 0), contains & (table.shared > 0)],
        ["equals", "within", "contains"],
        overlap,
    )
    return known.astype(np.object_)


def _gap(masks: Masks, one: int, other: int) -> float:
    """Pixels between the nearest pixels of two masks: 0 when they touch or overlap."""
    boxes = masks.box()[[one, other]].astype(np.int64)
    box = np.append(boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0))
    away = distance(~masks.crop(other, box))
    return max(float(away[masks.crop(one, box)].min()) - 1.0, 0.0)
