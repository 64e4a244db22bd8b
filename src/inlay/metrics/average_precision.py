"""COCO average precision and recall of masks and of boxes: the 12 numbers of each, and AP of each class.

Every cell of precision and recall equals pycocotools', but for two of its rules:

- a truth whose id is 0 counts as unmatched there; here ids play no part;
- where a result file states boxes beside masks, pycocotools bins mask predictions too by the area of the box.
  Here a mask is binned by its own area, a box by its own (by the mask's where no box is stated, as there).

`like="pycocotools"` follows it in both.

Things are judged, stuff and void are not. Predictions without scores count as equally sure. A number that no
truth bears on is -1, as in pycocotools. Where truth or predictions are boxes without masks, there are no mask
figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.detections import Detections
from inlay.metrics.parts.precision import Tables, only_boxes
from inlay.metrics.parts.pycocotools_faults import without_id_0
from inlay.metrics.parts.ranking import LIMITS, Counts, Floats, Ints
from inlay.metrics.parts.ranking import merged as merged
from inlay.metrics.parts.result import Details

EVERY = slice(None)
TABLES = Tables(
    precisions={
        "AP": (0, 2, EVERY),
        "AP50": (0, 2, slice(0, 1)),
        "AP75": (0, 2, slice(5, 6)),
        "AP_small": (1, 2, EVERY),
        "AP_medium": (2, 2, EVERY),
        "AP_large": (3, 2, EVERY),
    },
    recalls={
        "AR_1": (0, 0, EVERY),
        "AR_10": (0, 1, EVERY),
        "AR_100": (0, 2, EVERY),
        "AR_small": (1, 2, EVERY),
        "AR_medium": (2, 2, EVERY),
        "AR_large": (3, 2, EVERY),
    },
)


def count(truth: Segmentation, prediction: Segmentation) -> Counts:
    """Matches of one sample at ten IoU thresholds and four area ranges, for masks and for boxes."""
    things = Detections.of(truth, prediction, most=LIMITS[-1])
    matches = {
        "mask": things.match(things.mask_iou, things.mask_area),
        "box": things.match(things.box_iou, things.box_area),
    }
    return things.counts(matches)


def count_as_pycocotools(truth: Segmentation, prediction: Segmentation) -> Counts:
    """As `count`, with the two faults of pycocotools."""
    things = Detections.of(truth, prediction, most=LIMITS[-1])
    area = things.box_area
    matches = {
        "mask": without_id_0(things, things.mask_iou, things.match(things.mask_iou, area)),
        "box": without_id_0(things, things.box_iou, things.match(things.box_iou, area)),
    }
    return replace(things.counts(matches), stated_boxes=False)


LIKE = {"pycocotools": count_as_pycocotools}


def score(counts: Iterable[Counts], classes: Classes) -> dict[str, float]:
    """`mask_AP`, `mask_AP50`, `mask_AP_small`, `mask_AR_1` ..., of each class `mask_AP/c`; and `box_...`."""
    counts = list(counts)
    return TABLES.figures(counts, classes, _kinds(counts))


def resampled(counts: Sequence[Counts], classes: Classes, weights: Ints) -> Mapping[str, Floats]:
    """(B,) figures when sample `i` counts `weights[b, i]` times; nan where no truth was drawn."""
    return TABLES.resampled(counts, classes, weights, _kinds(counts))


def details(counts: Sequence[Counts], classes: Classes) -> Details:
    """Figures of each sample; errors and confusion at the score where F1 (IoU 0.5) is best."""
    found = TABLES.details(counts, classes, _kinds(counts))
    remarks = list(found.remarks)
    full = sum(bool((np.bincount(each.truth_class) > LIMITS[-1]).any()) for each in counts)
    if full:
        remarks.append(
            f"images with more than {LIMITS[-1]} true segments of one class: {full}; COCO's rule judges "
            f"the {LIMITS[-1]} surest predictions alone there, so that not all can be found"
        )
    if any(each.stated_boxes for each in counts):
        remarks.append(
            "the predictions state boxes: mask figures by size go by the area of the mask, where pycocotools "
            "goes by that of the box (--like pycocotools does)"
        )
    return replace(found, remarks=tuple(remarks))


def _kinds(counts: Sequence[Counts]) -> tuple[str, ...]:
    """What is judged: masks and boxes, or boxes alone where one side has nothing else."""
    return ("box",) if only_boxes(counts) else ("mask", "box")
