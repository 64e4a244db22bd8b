"""Columns of how the segments of an image share it out: what is covered, twice covered, or left between."""

from __future__ import annotations

import numpy as np

from inlay.core.masks import Masks
from inlay.rules.tables import Booleans, ImageTable, SegmentTable


def coverage(table: ImageTable) -> float:
    """Share of the image that segments of a class other than void cover; 0 to 1."""
    return float(_labelled(table.segments).mean()) if table.segments.front.size else float("nan")


def void_frac(table: ImageTable) -> float:
    """Share of the image that is void or nobody's; 0 to 1."""
    return 1.0 - coverage(table)


def is_partition(table: ImageTable) -> bool:
    """Whether no pixel lies in two masks."""
    return table.segments.segmentation.is_partition


def overlap_px(table: ImageTable) -> int:
    """Pixels that lie in more than one mask; 0 or more."""
    return int(_twice(table.segments).sum())


def overlap_px_region(table: ImageTable, _row: int) -> Masks:
    """Those pixels."""
    return Masks.encode(_twice(table.segments))


def seam_px(table: ImageTable) -> int:
    """Pixels of void or nobody's strips at most 2 px wide with a segment on both sides; 0 or more."""
    return int(_seams(table.segments).sum())


def seam_px_region(table: ImageTable, _row: int) -> Masks:
    """Those pixels."""
    return Masks.encode(_seams(table.segments))


def _twice(segments: SegmentTable) -> Booleans:
    if segments.segmentation.is_partition:
        return np.zeros(segments.masks.size, np.bool_)
    back = segments.masks[::-1].paint(np.arange(len(segments))[::-1], fill=-1)
    twice: Booleans = back != segments.front
    return twice


def _labelled(segments: SegmentTable) -> Booleans:
    label = segments.segmentation
    said: Booleans = np.append(~label.classes.is_void[label.class_id], np.False_)
    labelled: Booleans = said[segments.front]
    return labelled


def _seams(segments: SegmentTable) -> Booleans:
    """Void pixels with labelled ones 1 or 2 steps away on opposite sides, of two different segments."""
    labelled = _labelled(segments)
    rows = np.where(labelled, segments.front, -1)
    seam = np.zeros(labelled.shape, np.bool_)
    for sideways in (rows, rows.T):
        found = seam if sideways is rows else seam.T
        for before, after in ((1, 1), (1, 2), (2, 1)):
            middle = sideways[before : sideways.shape[0] - after]
            one = sideways[: len(middle)]
            other = sideways[before + after :]
            between = (middle < 0) & (one >= 0) & (other >= 0) & (one != other)
            found[before : before + len(middle)] |= between
    return seam
