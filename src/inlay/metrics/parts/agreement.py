"""How far two people agree on one image: matched segments, IoU, borders, classes.

Nobody is the truth here: every figure is the same with the two exchanged. Segments are matched one to one so
that the sum of their IoU is largest, whatever their classes; a match needs an IoU above 0.5. PQ = SQ x RQ is
that of these matches whose classes are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.morphology import band_width, boundary_band
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.tracks import assigned

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

ENOUGH = 0.5


@dataclass(frozen=True, eq=False)
class PairCounts:
    """What two people made of one image; class K stands for nothing."""

    classes: Ints  # (2, M) class that each gave to a matched segment
    iou: Floats  # (M,)
    boundary_iou: Floats  # (M,)
    alone: tuple[Ints, Ints]  # class of each segment that the other one has not


def compare_people(first: Segmentation, second: Segmentation) -> PairCounts:
    """Matches of the segments of two people; void and crowds are left out, the parts of stuff are one."""
    mine, theirs = _comparable(first), _comparable(second)
    iou = mine.masks.iou(theirs.masks)
    row, column = assigned(np.where(iou > ENOUGH, iou, 0.0))
    width = band_width(first.size)
    bands = [boundary_band(each.masks[rows], width) for each, rows in ((mine, row), (theirs, column))]
    shared = (bands[0] & bands[1]).area().astype(np.float64)
    either = (bands[0] | bands[1]).area()
    return PairCounts(
        np.stack([mine.class_id[row], theirs.class_id[column]]),
        iou[row, column],
        shared / np.maximum(1, either),
        (np.delete(mine.class_id, row), np.delete(theirs.class_id, column)),
    )


def _comparable(segmentation: Segmentation) -> Segmentation:
    kept = segmentation[~segmentation.classes.is_void[segmentation.class_id] & ~segmentation.crowd]
    things, stuff = kept.things(), kept.stuff()
    if not len(stuff):
        return things
    class_id, part_of = np.unique(stuff.class_id, return_inverse=True)
    merged = Segmentation(
        kept.classes, stuff.masks.merge(part_of, len(class_id)), class_id, np.zeros(len(class_id), np.int32)
    )
    bare = Segmentation(kept.classes, things.masks, things.class_id, things.instance_id)
    return Segmentation.concat([merged, bare])


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far people agree, on all images that both have labelled."""

    pq: float
    sq: float  # mean IoU of matches
    rq: float  # share of segments that both have, with the same class
    iou: float  # mean IoU of matches, whatever their class
    boundary_iou: float
    confusion: NDArray[
        np.int64
    ]  # (K + 1, K + 1) the class that one gave and the other; symmetric; K: nothing
    images: int
    of_class: dict[int, float]  # PQ by class row


def agreement(counts: list[PairCounts], classes: int) -> Agreement:
    """Figures of all images; nan where nobody drew anything. PQ is the mean of the classes."""
    pairs = np.concatenate([np.empty((2, 0), np.int32), *(each.classes for each in counts)], axis=1)
    iou = np.concatenate([np.empty(0), *(each.iou for each in counts)])
    border = np.concatenate([np.empty(0), *(each.boundary_iou for each in counts)])
    alone = np.concatenate([np.empty(0, np.int32), *(side for each in counts for side in each.alone)])
    same = pairs[0] == pairs[1]

    def by_class(class_id: Ints, weight: Floats | None = None) -> Floats:
        return np.bincount(class_id, weight, classes).astype(np.float64)

    found, overlap = by_class(pairs[0, same]), by_class(pairs[0, same], iou[same])
    unmatched = by_class(alone) + by_class(pairs[0, ~same]) + by_class(pairs[1, ~same])
    known = found + unmatched > 0
    weight = found + 0.5 * unmatched
    pq = np.divide(overlap, weight, out=np.full(classes, np.nan), where=known)
    rq = np.divide(found, weight, out=np.full(classes, np.nan), where=known)
    sq = np.divide(overlap, found, out=np.zeros(classes), where=found > 0)
    table = np.zeros((classes + 1, classes + 1), np.int64)
    np.add.at(table, (pairs[0], pairs[1]), 1)
    np.add.at(table, (alone, np.full(len(alone), classes)), 1)

    def mean(values: Floats) -> float:
        return float(values.mean()) if len(values) else float("nan")

    return Agreement(
        mean(pq[known]),
        mean(sq[known]),
        mean(rq[known]),
        mean(iou),
        mean(border),
        table + table.T,
        len(counts),
        {int(row): float(pq[row]) for row in np.flatnonzero(known)},
    )
