"""Predictions of all samples ranked by score, and precision over recall of the ranking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.metrics.parts.mistakes import Mistakes

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Bits = NDArray[np.uint16]
Scalar = TypeVar("Scalar", bound=np.generic)

IOUS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
AREAS = np.array(
    [[0, 1e10], [0, 32.0**2], [32.0**2, 96.0**2], [96.0**2, 1e10]]
)  # both ends belong to the range
LIMITS = (1, 10, 100)  # predictions that COCO judges in one sample, of one class


@dataclass(frozen=True, eq=False)
class Matches:
    """Bit t of `hit`, of `miss` (A, D): right, wrong at IOUS[t] in an area range; neither: ignored."""

    hit: Bits
    miss: Bits


@dataclass(frozen=True, eq=False)
class Counts:
    """One sample's predictions, the best of each class, matched as masks, boxes ...; and its truths."""

    score: NDArray[np.float64]  # (D,) falling within each class
    class_id: Ints  # (D,) rising
    rank: Ints  # (D,) place within the class
    matches: dict[str, Matches]  # by kind: mask, box, boundary
    truth_class: Ints  # (G,)
    ignored: NDArray[np.bool_]  # (A, G) crowd, or outside the area range
    mistakes: Mistakes | None  # None in merged counts
    stated_boxes: bool  # whether the predictions came with boxes of their own
    maskless: tuple[int, int]  # truths and predictions that are boxes alone


def merged(counts: Sequence[Counts]) -> Counts:
    """One count that gives the same figures as these together: about 50 bytes for each prediction."""
    matches = [each.matches for each in counts]
    return Counts(
        score=np.concatenate([each.score for each in counts]),
        class_id=np.concatenate([each.class_id for each in counts]),
        rank=np.concatenate([each.rank for each in counts]),
        matches={
            kind: Matches(
                np.concatenate([each[kind].hit for each in matches], axis=1),
                np.concatenate([each[kind].miss for each in matches], axis=1),
            )
            for kind in matches[0]
        },
        truth_class=np.concatenate([each.truth_class for each in counts]),
        ignored=np.concatenate([each.ignored for each in counts], axis=1),
        mistakes=None,
        stated_boxes=any(each.stated_boxes for each in counts),
        maskless=(sum(each.maskless[0] for each in counts), sum(each.maskless[1] for each in counts)),
    )


@dataclass(frozen=True, eq=False)
class Ranking:
    """Predictions of all samples, by group (class or sample), then by falling score; and all truths."""

    offsets: NDArray[np.int64]  # (K + 1,) predictions of each group
    rank: Ints  # (D,)
    sample: Ints  # (D,)
    matches: dict[str, Matches]  # by kind
    truth_group: Ints  # (G,)
    truth_sample: Ints  # (G,)
    ignored: NDArray[np.bool_]  # (A, G)
    samples: int

    def of_kind(self, kind: str) -> Matches:
        """Matches of a kind; empty ones where there was no sample."""
        nothing = np.empty((len(AREAS), 0), np.uint16)
        return self.matches.get(kind, Matches(nothing, nothing))

    def positives(self, area_of: Ints, weights: Ints) -> NDArray[np.int64]:
        """(B, K, C) truths to be found in area ranges `area_of` (C,) when samples count `weights` (B, N)."""
        groups = len(self.offsets) - 1
        found = np.empty((len(weights), groups, len(area_of)), np.int64)
        for area in np.unique(area_of):
            judged = ~self.ignored[area]
            group, sample = self.truth_group[judged], self.truth_sample[judged]
            for b, weight in enumerate(weights):
                found[b, :, area_of == area] = np.bincount(group, weight[sample], groups)
        return found


def rank(counts: Sequence[Counts], *, classes: int | None = None) -> Ranking:
    """Predictions ranked within each of `classes` classes, or within each sample when that is None.

    Equal scores keep the order of the samples, then that within the sample.
    """
    samples = len(counts)
    score = _join(np.empty(0, np.float64), [each.score for each in counts])
    sample = _numbered([len(each.score) for each in counts])
    truth_sample = _numbered([len(each.truth_class) for each in counts])
    if classes is None:
        group, truth_group, groups = sample, truth_sample, samples
    else:
        group = _join(np.empty(0, np.int32), [each.class_id for each in counts])
        truth_group = _join(np.empty(0, np.int32), [each.truth_class for each in counts])
        groups = classes
    order = np.lexsort((-score, group))
    width = np.bincount(group, minlength=groups)
    bits = np.empty((len(AREAS), 0), np.uint16)
    return Ranking(
        offsets=np.concatenate([[0], np.cumsum(width)]).astype(np.int64),
        rank=_join(np.empty(0, np.int32), [each.rank for each in counts])[order],
        sample=sample[order],
        matches={
            kind: Matches(
                _join(bits, [each.matches[kind].hit for each in counts])[:, order],
                _join(bits, [each.matches[kind].miss for each in counts])[:, order],
            )
            for kind in (counts[0].matches if counts else ())
        },
        truth_group=truth_group,
        truth_sample=truth_sample,
        ignored=_join(bits.astype(np.bool_), [each.ignored for each in counts]),
        samples=samples,
    )


def cells(ranking: Ranking, kind: str, limits_of: Sequence[int] = LIMITS) -> tuple[Floats, Floats]:
    """pycocotools' tables of a kind: precision (T, R, K, A, M) and recall (T, K, A, M); -1 where absent."""
    area_of = np.repeat(np.arange(len(AREAS), dtype=np.int32), len(limits_of))
    limits = np.tile(np.array(limits_of, np.int32), len(AREAS))
    positives = ranking.positives(area_of, np.ones((1, ranking.samples), np.int32))[0]
    matches = ranking.of_kind(kind)
    precision, recall = kernels.precision_recall(
        ranking.offsets,
        matches.hit,
        matches.miss,
        ranking.rank,
        area_of,
        limits,
        positives,
        RECALLS,
        len(IOUS),
    )
    table = (len(AREAS), len(limits_of))
    return precision.reshape(*precision.shape[:-1], *table), recall.reshape(*recall.shape[:-1], *table)


def mean_cells(
    ranking: Ranking, kind: str, *, area_of: Ints, limits: Ints, weights: Ints
) -> tuple[Floats, Floats]:
    """Precision averaged over recall, and recall, both (B, T, K, C), when samples count `weights` (B, N).

    `area_of` and `limits` (C,) choose the area ranges and rank limits; -1 where a group has no truth.
    """
    matches = ranking.of_kind(kind)
    return kernels.mean_precision(
        ranking.offsets,
        matches.hit,
        matches.miss,
        ranking.rank,
        area_of,
        limits,
        ranking.positives(area_of, weights),
        RECALLS,
        len(IOUS),
        ranking.sample,
        weights,
    )


def _join(nothing: NDArray[Scalar], columns: list[NDArray[Scalar]]) -> NDArray[Scalar]:
    """Columns of all samples side by side along their last axis; `nothing` where there is no sample."""
    return np.concatenate([nothing, *columns], axis=-1)


def _numbered(lengths: list[int]) -> Ints:
    """0, 0, 1, 1, 1, ...: the number of the sample for each of its rows."""
    return np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
