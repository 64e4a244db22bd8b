"""Columns of the full extents (amodal) behind what one sees, and of who hides whom."""

from __future__ import annotations

import numpy as np

from inlay.core.masks import Masks
from inlay.rules.gathered import digests
from inlay.rules.tables import Booleans, Floats, ImageTable, Integers, PairTable, SegmentTable, ratio


def amodal_missing_px(table: SegmentTable) -> Integers | None:
    """Pixels that one sees outside the full extent; 0 or more, unknown without full extents."""
    amodal = table.segmentation.amodal
    return None if amodal is None else (table.masks - amodal).area()


def amodal_missing_px_region(table: SegmentTable, row: int) -> Masks:
    """Those pixels."""
    return table.masks[row] - _extent(table)[row]


def amodal_unexplained_px(table: SegmentTable) -> Integers | None:
    """Pixels of the full extent that one does not see, and that no other segment covers; 0 or more.

    Unknown without full extents.
    """
    amodal = table.segmentation.amodal
    return None if amodal is None else ((amodal - table.masks) - table.union).area()


def amodal_unexplained_px_region(table: SegmentTable, row: int) -> Masks:
    """Those pixels."""
    return (_extent(table)[row] - table.masks[row]) - table.union


def occluded_frac(table: SegmentTable) -> Floats | None:
    """Share of the full extent that one does not see; 0 to 1, unknown without full extents."""
    amodal = table.segmentation.amodal
    return None if amodal is None else 1 - ratio((table.masks & amodal).area(), amodal.area())


def reaches_border(table: SegmentTable) -> Booleans:
    """Whether the full extent (else the mask) reaches the edge of the image, and so may go on outside it."""
    extent = _extent(table)
    rows, columns = extent.size
    x0, y0, x1, y1 = extent.box().T
    at_edge: Booleans = (x0 == 0) | (y0 == 0) | (x1 == columns) | (y1 == rows)
    return at_edge & (extent.area() > 0)


def border_gap_px(table: SegmentTable) -> Integers:
    """Pixels between the box of the full extent (else of the mask) and the nearest edge of the image."""
    extent = _extent(table)
    rows, columns = extent.size
    x0, y0, x1, y1 = extent.box().astype(np.int64).T
    gap: Integers = np.minimum.reduce([x0, y0, columns - x1, rows - y1])
    return gap


def extent_px(table: SegmentTable) -> Integers:
    """Pixels of the full extent, else of the mask; 0 or more."""
    return _extent(table).area()


def extent_mark(table: SegmentTable) -> Integers:
    """A number that segments share whose full extents (else masks) are the same, pixel for pixel."""
    return digests(_extent(table)).view(np.int64)


def hides_px(table: PairTable) -> Integers | None:
    """Pixels of the full extent of `b` where one sees `a` and not `b`; unknown without full extents."""
    if table.segments.segmentation.amodal is None:
        return None
    return _hidden_by(table.segments)[table.a, table.b]


def hides_px_region(table: PairTable, row: int) -> Masks:
    """Those pixels."""
    segments, a, b = table.segments, int(table.a[row]), int(table.b[row])
    return (segments.masks[a] & _extent(segments)[b]) - segments.masks[b]


def hides(table: PairTable) -> Booleans:
    """Whether `a` covers something of `b`: lies in front of it and shares pixels with its full extent."""
    shared = table.shared > 0
    if table.segments.segmentation.amodal is None:
        return shared & (table.a > table.b)
    return (shared & (table.a > table.b)) | (_hidden_by(table.segments)[table.a, table.b] > 0)


def covers_others_px(table: SegmentTable) -> Integers | None:
    """Pixels of this mask that hide part of the full extent of another segment; unknown without extents."""
    if table.segmentation.amodal is None:
        return None
    hidden: Integers = _hidden_by(table).sum(axis=1)
    return hidden


def order_contradictions(table: ImageTable) -> int | None:
    """Pairs in which one sees the segment at the back before the one in front; unknown without extents."""
    if table.segments.segmentation.amodal is None:
        return None
    return int(np.triu(_hidden_by(table.segments) > 0, 1).sum())


def order_contradictions_region(table: ImageTable, _row: int) -> Masks:
    """The pixels where one sees the segment at the back."""
    segments = table.segments
    behind, before = np.nonzero(np.triu(_hidden_by(segments) > 0, 1))
    seen, extent = segments.masks, _extent(segments)
    if not len(behind):
        return Masks.empty(seen.size, 1)
    return ((seen[behind] & extent[before]) - seen[before]).union()


def occlusion_cycles(table: ImageTable) -> int | None:
    """Segments in circles of `a` hides `b` hides ... hides `a`; 0 or more, unknown without full extents."""
    if table.segments.segmentation.amodal is None:
        return None
    edges = _hidden_by(table.segments) > 0
    while True:  # take away whoever hides nobody, or whom nobody hides
        tied: Booleans = np.logical_and(edges.any(axis=0), edges.any(axis=1))
        if tied.all() or not len(tied):
            return len(tied)
        edges = edges[np.ix_(tied, tied)]


def _extent(table: SegmentTable) -> Masks:
    amodal = table.segmentation.amodal
    return table.masks if amodal is None else amodal


def _hidden_by(table: SegmentTable) -> Integers:
    """(N, N) pixels of the extent of each column where one sees the row, and not the column."""
    extent = _extent(table)
    hidden = table.masks.intersection(extent - table.masks)
    np.fill_diagonal(hidden, 0)
    return hidden
