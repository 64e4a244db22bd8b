"""The fault of pycocotools that a truth whose annotation id is 0 never counts as found.

It notes for each prediction the id of the truth it took, and reads 0 as "none" (cvat#748,
pytorch/vision#1530). So the prediction is false, the truth is missed, and no other prediction may take it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.metrics.parts.detections import Detections, outside
from inlay.metrics.parts.ranking import IOUS, Floats, Matches


def without_id_0(things: Detections, iou: Floats, matches: Matches) -> Matches:
    """The matches, but the predictions that took the truth of id 0 count as false."""
    ids = things.truth.source_id
    if ids is None or 0 not in ids:
        return matches
    hit, miss = matches.hit.copy(), matches.miss.copy()
    zero = int(np.flatnonzero(ids == 0)[0])
    for area, ignored in enumerate(things.ignored):
        if ignored[zero]:
            continue
        for place, threshold in enumerate(IOUS):
            taker = _taker_of(zero, things, iou, ignored, threshold)
            if taker >= 0:
                bit = np.uint16(1 << place)
                hit[area, taker] &= ~bit
                miss[area, taker] |= _unless_outside(things, area, taker, bit)
    return Matches(hit, miss)


def _unless_outside(things: Detections, area: int, taker: int, bit: np.uint16) -> np.uint16:
    """An unmatched prediction outside the area range is ignored, this one too."""
    return np.uint16(0) if outside(things.box_area)[area, taker] else bit


def _taker_of(zero: int, things: Detections, iou: Floats, ignored: NDArray[np.bool_], least: float) -> int:
    """The prediction that COCO's rule gives truth `zero` at one threshold, or -1; a plain, slow twin."""
    truth = things.truth
    own = np.flatnonzero(truth.class_id == truth.class_id[zero])
    order = own[np.argsort(ignored[own], kind="stable")]
    taken: set[int] = set()
    for d in np.flatnonzero(things.class_id == truth.class_id[zero]):
        best, needed = -1, min(least, 1 - 1e-10)
        for g in order:
            if g in taken and not truth.crowd[g]:
                continue
            if best >= 0 and not ignored[best] and ignored[g]:
                break
            if iou[d, g] >= needed:
                best, needed = int(g), iou[d, g]
        if best == zero:
            return int(d)
        taken.add(best)
    return -1
