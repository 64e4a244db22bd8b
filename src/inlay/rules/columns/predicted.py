"""Columns that hold a label against a prediction of the same image; unknown without `--predictions`."""

from __future__ import annotations

import numpy as np

from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.tables import Floats, ImageTable, SegmentTable, Words

MEETS = 0.1  # intersection over union, from which a prediction and a segment are about one thing


def predicted_iou(table: SegmentTable) -> Floats:
    """Largest intersection over union with a predicted segment of any class; 0 to 1."""
    overlap = table.masks.iou(table.prediction.masks)
    best: Floats = overlap.max(axis=1, initial=0.0)
    return best


def predicted_class(table: SegmentTable) -> Words:
    """Class of the predicted segment that agrees best with the mask; '' when none meets it."""
    return np.array([name if iou >= MEETS else "" for name, iou, _ in _best(table)], np.object_)


def predicted_score(table: SegmentTable) -> Floats:
    """Score of the predicted segment that agrees best, 0 to 1; unknown when none meets the mask."""
    return np.array([score if iou >= MEETS else np.nan for _, iou, score in _best(table)], np.float64)


def missing_things(table: ImageTable, score: float) -> int:
    """Predicted things of at least this score that no segment of the label meets; 0 or more."""
    return len(_unmet(table, score))


def missing_things_region(table: ImageTable, _row: int, score: float) -> Masks:
    """Those things."""
    return _unmet(table, score).union()


def disagreement_frac(table: ImageTable) -> float:
    """Share of the pixels with a class in label or prediction whose classes differ; 0 to 1."""
    label, prediction = table.segments.segmentation, table.segments.prediction
    mine, theirs = label.semantic(void=-1), _under(prediction, label).semantic(void=-1)
    known = (mine >= 0) | (theirs >= 0)
    return float((mine != theirs)[known].mean()) if known.any() else float("nan")


def _best(table: SegmentTable) -> list[tuple[str, float, float]]:
    """Class, intersection over union and score of the best predicted segment for each mask."""
    prediction = table.prediction
    if not len(prediction):
        return [("", 0.0, np.nan)] * len(table)
    overlap = table.masks.iou(prediction.masks)
    best = overlap.argmax(axis=1) if len(table) else np.empty(0, np.int64)
    scores = np.ones(len(prediction)) if prediction.score is None else prediction.score
    return [
        (prediction.class_names[other], float(overlap[row, other]), float(scores[other]))
        for row, other in enumerate(best.tolist())
    ]


def _unmet(table: ImageTable, score: float) -> Masks:
    label, prediction = table.segments.segmentation, table.segments.prediction
    scores = np.ones(len(prediction)) if prediction.score is None else prediction.score
    sure = prediction[(scores >= score) & prediction.is_thing]
    if not len(label) or not len(sure):
        return sure.masks
    alone = sure.masks.iou(label.masks).max(axis=1) < MEETS
    return sure.masks[alone]


def _under(prediction: Segmentation, label: Segmentation) -> Segmentation:
    """The prediction's segments whose classes the label knows, under the label's classes."""
    known = np.array([name in label.classes.names for name in prediction.class_names], np.bool_)
    return prediction[known].with_classes(label.classes) if len(prediction) else prediction
