"""Boundary AP and AR: COCO's numbers by the smaller of mask IoU and boundary IoU (Cheng et al., CVPR 2021).

The boundary of a mask is its pixels at most 2 % of the image's diagonal from its outline; where the image
cuts the mask is outline too. Boundary IoU is the IoU of the boundaries. Crowds go by their masks alone. All
else is as for `average_precision`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from inlay.core.classes import Classes
from inlay.core.morphology import band_width, boundary_band
from inlay.core.segmentation import Segmentation
from inlay.metrics.average_precision import TABLES
from inlay.metrics.parts.detections import Detections
from inlay.metrics.parts.ranking import IOUS, LIMITS, Counts, Floats, Ints
from inlay.metrics.parts.ranking import merged as merged
from inlay.metrics.parts.result import Details

KINDS = ("boundary",)


def count(truth: Segmentation, prediction: Segmentation) -> Counts:
    """Matches of one sample at ten IoU thresholds and four area ranges."""
    things = Detections.of(truth, prediction, most=LIMITS[-1])
    return things.counts({"boundary": things.match(_iou(things), things.mask_area)})


def score(counts: Iterable[Counts], classes: Classes) -> dict[str, float]:
    """`boundary_AP`, `boundary_AP50`, `boundary_AP_small` ..., of each class `boundary_AP/c`."""
    return TABLES.figures(list(counts), classes, KINDS)


def resampled(counts: Sequence[Counts], classes: Classes, weights: Ints) -> Mapping[str, Floats]:
    """(B,) figures when sample `i` counts `weights[b, i]` times; nan where no truth was drawn."""
    return TABLES.resampled(counts, classes, weights, KINDS)


def details(counts: Sequence[Counts], classes: Classes) -> Details:
    """Figures of each sample; errors and confusion, by masks, at the score where F1 (IoU 0.5) is best."""
    return TABLES.details(counts, classes, KINDS)


def _iou(things: Detections) -> Floats:
    """(D, G) the smaller IoU; boundaries are made only where the masks are alike enough for a match."""
    iou = things.mask_iou.copy()
    near = (iou >= IOUS[0]) & (things.class_id[:, None] == things.truth.class_id) & ~things.truth.crowd
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if len(rows):
        width = band_width(things.truth.size)
        mine = boundary_band(things.prediction.masks[things.rows[rows]], width)
        theirs = boundary_band(things.truth.masks[columns], width)
        block = np.ix_(rows, columns)
        iou[block] = np.minimum(iou[block], mine.iou(theirs))
    return iou
