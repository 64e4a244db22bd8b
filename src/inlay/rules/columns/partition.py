"""Columns of how the segments of an image share it out: what is covered, twice covered, or left between."""

from __future__ import annotations

import numpy as np

from inlay.core.contacts import contacts_of
from inlay.core.masks import Masks
from inlay.core.morphology import dilate, erode
from inlay.rules.tables import Booleans, ImageTable, Integers, SegmentTable


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


def overlap_pairs_frac(table: ImageTable) -> float:
    """Share of the pairs that touch or overlap that do overlap, 0 to 1; unknown where none does either."""
    segments = table.segments
    over, _, _ = segments.overlaps
    touching = segments.contacts.a.astype(np.int64) * max(len(segments), 1) + segments.contacts.b
    overlapping = segments.overlaps[0] * max(len(segments), 1) + segments.overlaps[1]
    pairs = len(np.union1d(touching, overlapping))
    return len(over) / pairs if pairs else float("nan")


def overlaps(table: SegmentTable) -> Booleans:
    """Whether the mask shares a pixel with another segment's."""
    return overlapped_px(table) > 0


def overlapped_px(table: SegmentTable) -> Integers:
    """Pixels of the mask that lie in the mask of another segment as well; 0 or more."""
    return np.zeros(len(table), np.int64) if table.is_partition else (table.masks & table.twice).area()


def overlapped_px_region(table: SegmentTable, row: int) -> Masks:
    """Those pixels."""
    return table.masks[row] & table.twice


def seam_px(table: ImageTable, width: float) -> int:
    """Pixels of void, or nobody's, in strips at most so wide between two segments; 0 or more.

    A strip is three times as long as it is wide, or longer: blobs of void are none.
    """
    return int(seam_px_region(table, 0, width).area()[0])


def seam_px_region(table: ImageTable, _row: int, width: float) -> Masks:
    """Those pixels."""
    strips, beside = table.segments.once(_gaps, width)
    return strips[beside > 1].union()


def unlabelled_spots(table: ImageTable, pixels: float) -> int:
    """Parts of fewer pixels than the argument that are nobody's; 0 or more."""
    return len(_spots(table, pixels))


def unlabelled_spots_region(table: ImageTable, _row: int, pixels: float) -> Masks:
    """Those parts."""
    return _spots(table, pixels).union()


def _spots(table: ImageTable, pixels: float) -> Masks:
    parts = table.segments.nobody
    return parts[parts.area() < pixels]


def _gaps(table: SegmentTable, width: float) -> tuple[Masks, Integers]:
    """The narrow parts of what nobody labelled, and how many segments each touches."""
    labelled = table.labelled
    around = ~labelled
    if not int(around.area()[0]):
        return Masks.empty(labelled.size), np.empty(0, np.int64)
    reach = float(np.ceil(width / 2))  # an odd width counts as the next even one
    wide = dilate(erode(around, reach, element="disk"), reach + 0.5, element="disk")
    strips, _ = (around - wide).parts(4)
    box = strips.box().astype(np.int64)
    long = np.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    strips = strips[long * long >= 3 * strips.area()]
    said = table.visible[table.is_labelled]
    if not len(strips) or len(said) < 2:
        return Masks.empty(labelled.size), np.empty(0, np.int64)
    graph = contacts_of(Masks.concat([said, strips]))
    beside = np.bincount(graph.b[graph.a < len(said)], minlength=len(said) + len(strips))
    return strips, beside[len(said) :]
