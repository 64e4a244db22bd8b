"""Columns of how the segments of an image share it out: what is covered, twice covered, or left between."""

from __future__ import annotations

import numpy as np

from inlay.core.contacts import contacts_of
from inlay.core.masks import Masks
from inlay.rules.outline import cracks
from inlay.rules.tables import ImageTable


def coverage(table: ImageTable) -> float:
    """Share of the image that segments of a class other than void cover; 0 to 1."""
    height, width = table.segments.masks.size
    return int(table.segments.labelled.area()[0]) / (height * width) if height * width else float("nan")


def void_frac(table: ImageTable) -> float:
    """Share of the image that is void or nobody's; 0 to 1."""
    return 1.0 - coverage(table)


def is_partition(table: ImageTable) -> bool:
    """Whether no pixel lies in two masks."""
    return table.segments.is_partition


def overlap_px(table: ImageTable) -> int:
    """Pixels that lie in more than one mask; 0 or more."""
    return int(table.segments.twice.area()[0])


def overlap_px_region(table: ImageTable, _row: int) -> Masks:
    """Those pixels."""
    return table.segments.twice


def seam_px(table: ImageTable) -> int:
    """Pixels of void, or nobody's, in strips one or two pixels wide between two segments; 0 or more."""
    return int(seam_px_region(table, 0).area()[0])


def seam_px_region(table: ImageTable, _row: int) -> Masks:
    """Those pixels."""
    segments = table.segments
    strips, _ = cracks(segments.labelled).parts()
    said = segments.visible[segments.is_labelled]
    if not len(strips) or len(said) < 2:
        return Masks.empty(segments.masks.size, 1)
    graph = contacts_of(Masks.concat([said, strips]))
    beside = np.bincount(graph.b[graph.a < len(said)], minlength=len(said) + len(strips))
    return strips[beside[len(said) :] > 1].union()
