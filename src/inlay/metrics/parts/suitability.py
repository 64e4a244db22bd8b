"""Which metrics the data allow."""

from __future__ import annotations

import math

import numpy as np

from inlay.core.dataset import Dataset
from inlay.core.segmentation import Segmentation

PEEKED = 12  # samples looked at to choose the metrics
OVERLAP = 0.05  # share of pixels that may lie in two segments of what is still a partition with sloppy edges


def suitable(truth: Dataset, prediction: Dataset) -> tuple[str, ...]:
    """Names of the metrics that the data allow, judged by a few samples.

    Stuff, or at most one segment of each class: IoU. Things drawn one by one: average precision where
    predictions have scores, panoptic quality where hardly any segments overlap. Both need predictions that
    tell things apart.
    """
    labels, predictions = [], []
    for mine, theirs in _spread(truth.pair(prediction)):
        label, predicted = truth.load(mine).segmentation, prediction.load(theirs).segmentation
        labels += [label] if label is not None and len(label) else []
        predictions += [predicted] if predicted is not None and len(predicted) else []
    stuff = any(not label.is_thing.all() for label in labels)
    scored = any(each.is_prediction for each in predictions) or not predictions  # empty ones cannot say
    instances = any(bool(label.is_thing.any()) for label in labels)
    instances &= not any(each and all(map(_is_semantic, each)) for each in (labels, predictions))
    names = []
    if stuff or all(map(_is_semantic, labels)) or (not scored and all(map(_is_merged, labels))):
        names.append("iou")
    if instances and scored:
        names.append("average_precision")
    if instances and all(map(_hardly_overlaps, (*labels, *predictions))) and not all(map(_is_merged, labels)):
        names.append("panoptic_quality")
    return tuple(names) or ("panoptic_quality",)


def _is_merged(segmentation: Segmentation) -> bool:
    """Whether no class has two segments."""
    return len(np.unique(segmentation.class_id)) == len(segmentation)


def _is_semantic(segmentation: Segmentation) -> bool:
    """Whether it is a map of classes: one segment for each, and hardly a pixel without."""
    covered = int(segmentation.masks.union().area()[0])
    return _is_merged(segmentation) and covered > 0.9 * math.prod(segmentation.size)


def _hardly_overlaps(segmentation: Segmentation) -> bool:
    covered = int(segmentation.masks.union().area()[0])
    return int(segmentation.masks.area().sum()) <= (1 + OVERLAP) * covered


def _spread(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A few pairs, evenly spread."""
    places = {round(place) for place in np.linspace(0, len(pairs) - 1, min(PEEKED, len(pairs)))}
    return [pairs[i] for i in sorted(places)]
