"""Columns of how an outline was drawn: how many corners it needs, and how thin the mask gets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.core.morphology import erode
from inlay.core.polygons import trace
from inlay.rules.tables import Floats, Integers, SegmentTable, ratio

SLACK = 1.0  # pixels by which the simplified outline may leave the true one
THICK = 64  # pixels, where the search for the thinnest place ends


def vertex_density(table: SegmentTable) -> Floats:
    """Corners that the outline needs for each 100 pixel edges of it, to within a pixel; 0 and more.

    About 3 for a coarse polygon, 8 and more for an outline traced with care or painted. Unknown for an empty
    mask.
    """
    rings = trace(table.masks)
    corners = np.zeros(len(table))
    for row in range(len(table)):
        for ring in range(*rings.mask_offsets[row : row + 2].tolist()):
            points = rings.points[rings.ring_offsets[ring] : rings.ring_offsets[ring + 1]]
            corners[row] += _corners(points.astype(np.float64))
    return 100 * ratio(corners, table.perimeter)


def self_intersects(table: SegmentTable) -> Integers:
    """Places where the outline meets itself, pixels that hang together by a corner alone; 0 and more.

    A polygon that crosses itself leaves such places, and so do masks that were made smaller.
    """
    rings = trace(table.masks)
    row = np.repeat(np.arange(len(table)), np.diff(rings.mask_offsets))
    place = np.column_stack([np.repeat(row, np.diff(rings.ring_offsets)), rings.points])
    known, times = np.unique(place, axis=0, return_counts=True)
    return np.bincount(known[times > 1, 0].astype(np.int64), minlength=len(table))


def min_thickness(table: SegmentTable) -> Integers:
    """Width of the thinnest neck between pieces of the mask, or of all of it; pixels, 0 for an empty one.

    The width of the narrowest disc that, going around inside the outline, cuts the mask in pieces or does not
    fit in anywhere; at most 64, and one less than it is where that is even. Pieces of a tenth of the mask
    count, what is left of corners does not.
    """
    thin = np.zeros(len(table), np.int64)
    there = np.flatnonzero(table.area > 0)
    pieces = _pieces(table.masks[there])
    for width in range(1, THICK + 1):
        if not len(there):
            break
        thin[there] = width
        left = _pieces(erode(table.masks[there], (width + 1) / 2, element="disk"))
        same = left == pieces
        there, pieces = there[same], pieces[same]
    return thin


def _pieces(masks: Masks) -> Integers:
    """(N,) connected pieces of a tenth of the mask or more."""
    parts, row = masks.parts(4)
    large = parts.area() >= 0.1 * masks.area()[row]
    return np.bincount(row[large], minlength=len(masks))


def _corners(points: NDArray[np.float64]) -> int:
    """Corners left of a closed ring by Douglas and Peucker, begun at two points far from each other."""
    first = int(np.argmax(((points - points.mean(axis=0)) ** 2).sum(axis=1)))
    points = np.roll(points, -first, axis=0)
    far = int(np.argmax(((points - points[0]) ** 2).sum(axis=1)))
    points = np.append(points, points[:1], axis=0)
    kept, open_ = 2, [(0, far), (far, len(points) - 1)]
    while open_:
        start, stop = open_.pop()
        if stop - start < 2:
            continue
        along = points[stop] - points[start]
        to = points[start + 1 : stop] - points[start]
        length = float(np.hypot(*along))
        off = np.abs(along[0] * to[:, 1] - along[1] * to[:, 0]) / length if length else np.hypot(*to.T)
        worst = int(np.argmax(off))
        if off[worst] > SLACK:
            kept += 1
            open_ += [(start, start + 1 + worst), (start + 1 + worst, stop)]
    return kept
