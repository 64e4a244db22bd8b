"""LVIS average precision and recall, of masks and of boxes (Gupta et al., CVPR 2019).

Labels are federated: nobody looked for all classes in each image. A prediction counts only where its class
has a segment or is known to be absent; one that matches nothing is no error where the class is not drawn
exhaustively. The 300 surest predictions of an image are judged, of whatever classes. What somebody looked
for stands in the image tags, the frequency of a class in its parent (see `inlay.core.federated`).

`AP_rare`, `AP_common` and `AP_frequent` are AP of the classes of that frequency. Every cell of precision and
recall equals lvis-api's, but for one rule: where results state boxes beside masks, lvis-api sorts masks by
size with the area of the box, as pycocotools does; here they go by the mask. `like="lvis-api"` follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from inlay.core.classes import Classes
from inlay.core.federated import absent_classes, not_exhaustive_classes
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.detections import Detections
from inlay.metrics.parts.precision import Tables, only_boxes
from inlay.metrics.parts.ranking import Counts, Floats, Ints
from inlay.metrics.parts.ranking import merged as merged
from inlay.metrics.parts.result import Details

MOST = 300  # predictions judged in one image
EVERY = slice(None)
TABLES = Tables(
    precisions={
        "AP": (0, 0, EVERY),
        "AP50": (0, 0, slice(0, 1)),
        "AP75": (0, 0, slice(5, 6)),
        "AP_small": (1, 0, EVERY),
        "AP_medium": (2, 0, EVERY),
        "AP_large": (3, 0, EVERY),
    },
    recalls={
        "AR_300": (0, 0, EVERY),
        "AR_small": (1, 0, EVERY),
        "AR_medium": (2, 0, EVERY),
        "AR_large": (3, 0, EVERY),
    },
    limits=(MOST,),
    prefix="LVIS_",
    groups={"AP_rare": "rare", "AP_common": "common", "AP_frequent": "frequent"},
)


def count(truth: Segmentation, prediction: Segmentation) -> Counts:
    """Matches of one sample at ten IoU thresholds and four area ranges, for masks and for boxes."""
    return _count(truth, prediction, boxes_size_masks=False)


def count_as_lvis_api(truth: Segmentation, prediction: Segmentation) -> Counts:
    """As `count`, but masks are sorted into sizes by the boxes that the results state."""
    return _count(truth, prediction, boxes_size_masks=True)


LIKE = {"lvis-api": count_as_lvis_api}


def score(counts: Iterable[Counts], classes: Classes) -> dict[str, float]:
    """`LVIS_mask_AP`, `LVIS_mask_AP50` ..., `LVIS_mask_AP_rare` ..., `LVIS_mask_AR_300`; and of boxes."""
    counts = list(counts)
    return TABLES.figures(counts, classes, _kinds(counts))


def resampled(counts: Sequence[Counts], classes: Classes, weights: Ints) -> Mapping[str, Floats]:
    """(B,) figures when sample `i` counts `weights[b, i]` times; nan where no truth was drawn."""
    return TABLES.resampled(counts, classes, weights, _kinds(counts))


def details(counts: Sequence[Counts], classes: Classes) -> Details:
    """Figures of each sample; errors and confusion at the score where F1 (IoU 0.5) is best."""
    return TABLES.details(counts, classes, _kinds(counts))


def _count(truth: Segmentation, prediction: Segmentation, *, boxes_size_masks: bool) -> Counts:
    if len(prediction) > MOST and prediction.score is not None:
        surest = np.argsort(-prediction.score, kind="stable")[:MOST]
        prediction = prediction[np.sort(surest)]
    looked_for = np.zeros(len(truth.classes), np.bool_)
    looked_for[truth.class_id] = True
    looked_for[absent_classes(truth.image_tags, truth.classes)] = True
    open_ended = np.zeros(len(truth.classes), np.bool_)
    open_ended[not_exhaustive_classes(truth.image_tags, truth.classes)] = True
    things = Detections.of(truth, prediction[looked_for[prediction.class_id]], most=MOST)
    excused = open_ended[things.class_id]
    mask_area = things.box_area if boxes_size_masks else things.mask_area
    matches = {
        "mask": things.match(things.mask_iou, mask_area, excused=excused),
        "box": things.match(things.box_iou, things.box_area, excused=excused),
    }
    return replace(things.counts(matches), rank=np.zeros(len(things.rows), np.int32))


def _kinds(counts: Sequence[Counts]) -> tuple[str, ...]:
    return ("box",) if only_boxes(counts) else ("mask", "box")
