"""Pair the samples of two datasets, bring their classes together, and count each pair."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inlay.core.batch import Painted, painted
from inlay.core.classes import Classes
from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation


class Judged(NamedTuple):
    """One sample of the truth and its counts by each metric; None where the truth is not labelled."""

    name: str
    group: str
    frame: int | None
    counts: tuple[Any, ...] | None


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

    Called with a name of the truth.
    """

    truth: Dataset
    prediction: Dataset
    pairs: Mapping[str, str]
    counts: tuple[Callable[[Segmentation, Segmentation], Any], ...]
    painted: tuple[
        Callable[[Painted, Painted, Classes], Any], ...
    ] = ()  # lists of them, where all can, of files

    def __call__(self, name: str) -> Judged:
        """The counts of each metric for a sample of the truth."""
        return self.several([name])[0] if self.painted else self._from_segments(name)

    def several(self, names: Sequence[str]) -> list[Judged]:
        """The same of samples whose files are painted, together; one by one where they are not."""
        return self._from_files(names) or [self._from_segments(name) for name in names]

    @cached_property
    def _rows(self) -> NDArray[np.int32]:
        return class_rows(self.prediction.classes, self.truth.classes)

    def _from_files(self, names: Sequence[str]) -> list[Judged] | None:
        """The counts straight from painted files, where all metrics can; else `None`."""
        if not all(name in self.pairs for name in names):
            return None
        truth = painted(self.truth, names)
        prediction = None if truth is None else painted(self.prediction, [self.pairs[name] for name in names])
        if truth is None or prediction is None or not np.array_equal(truth.sizes, prediction.sizes):
            return None
        rows = self._rows[prediction.class_id]
        if (rows < 0).any():
            return None
        mine = replace(prediction, class_id=rows)
        columns = [count(truth, mine, self.truth.classes) for count in self.painted]
        if None in columns:
            return None
        return [Judged(*each) for each in zip(names, truth.group, truth.frame, zip(*columns))]

    def _from_segments(self, name: str) -> Judged:
        sample = self.truth.load(name)
        label = sample.segmentation
        if label is None:
            return Judged(name, sample.group, sample.frame, None)
        predicted = self.prediction.load(self.pairs[name]).segmentation if name in self.pairs else None
        if predicted is None:
            predicted = Segmentation.empty(label.classes, label.size)
        if predicted.size != label.size:
            raise InlayError(
                f"sample {name!r}: the truth has {label.size[0]}x{label.size[1]} pixels (height x width), "
                f"the prediction {predicted.size[0]}x{predicted.size[1]}: predict on the labelled images"
            )
        label, predicted = in_classes(label, self.truth.classes), in_classes(predicted, self.truth.classes)
        counts = tuple(count(label, predicted) for count in self.counts)
        return Judged(name, sample.group, sample.frame, counts)


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
