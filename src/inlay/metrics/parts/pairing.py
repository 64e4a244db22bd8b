"""Pair the samples of two datasets, bring their classes together, and count each pair."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
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


def class_rows(mine: Classes, theirs: Classes) -> NDArray[np.int32]:
    """(K,) row in `theirs` of each class of `mine`, by name; -1 for void ones that `theirs` lacks.

    Raises
    ------
    InlayError
        Naming the unknown classes and all of `theirs`.
    """
    row_of = {name: row for row, name in enumerate(theirs.names)}
    unknown = [item.name for item in mine if item.name not in row_of and item.kind != "void"]
    if unknown:
        raise InlayError(
            f"the truth has no class {', '.join(map(repr, unknown))}, which the prediction has; "
            f"its classes are {', '.join(map(repr, theirs.names))}: rename the classes of one of them"
        )
    return np.array([row_of.get(item.name, -1) for item in mine], np.int32)


@dataclass(frozen=True, eq=False)
class Judge:
    """Counts one sample by all metrics; an object, so that it can be sent to another process.

    Called with a name of the truth; gives it back with the counts, or with None where the truth is not
    labelled.
    """

    truth: Dataset
    prediction: Dataset
    pairs: Mapping[str, str]
    counts: tuple[Callable[[Segmentation, Segmentation], Any], ...]

    def __call__(self, name: str) -> tuple[str, tuple[Any, ...] | None]:
        """The name of a truth, and the counts of each metric; None where the truth is not labelled."""
        label = self.truth.load(name).segmentation
        if label is None:
            return name, None
        predicted = self.prediction.load(self.pairs[name]).segmentation if name in self.pairs else None
        if predicted is None:
            predicted = Segmentation.empty(label.classes, label.size)
        if predicted.size != label.size:
            raise InlayError(
                f"sample {name!r}: the truth has {label.size[0]}x{label.size[1]} pixels (height x width), "
                f"the prediction {predicted.size[0]}x{predicted.size[1]}: predict on the labelled images"
            )
        label, predicted = in_classes(label, self.truth.classes), in_classes(predicted, self.truth.classes)
        return name, tuple(count(label, predicted) for count in self.counts)


def in_classes(segmentation: Segmentation, classes: Classes) -> Segmentation:
    """The same segments under other classes, matched by name."""
    if segmentation.classes is classes:
        return segmentation
    if len(segmentation) == 0:
        return segmentation.replace(classes=classes)
    rows = class_rows(segmentation.classes, classes)[segmentation.class_id]
    known = rows >= 0
    if not known.all():
        segmentation, rows = segmentation[known], rows[known]
    return segmentation.replace(classes=classes, class_id=rows)


def _spread(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A few pairs, evenly spread."""
    places = {round(place) for place in np.linspace(0, len(pairs) - 1, min(PEEKED, len(pairs)))}
    return [pairs[i] for i in sorted(places)]
