"""Kinds of error of predicted segments, and what share of the loss each kind is.

The loss is what is left to a perfect score: 1 - PQ (Kirillov et al., CVPR 2019), the mean over the classes of
1 - sum of IoU / (found + missed / 2 + false / 2). A found segment loses 1 - IoU, a missed or false one 1/2,
all over the same denominator: so each error has its share, and the shares sum to the loss. For predictions
with scores it is taken at the score where F1 at IoU 0.5 is best.

Kinds, each error in the first that fits:

- confused: a prediction that overlaps a true segment of another class by half (IoU), and that segment;
- duplicate: a prediction that overlaps by half a true segment which a surer prediction took;
- merged: a prediction that covers most of two or more true segments of its class; a missed one of these;
- split: a prediction that lies mostly in a true segment of its class, in which most of another one lies too;
  that true segment where it is missed;
- localisation: a prediction that overlaps a true segment, by less than half; a missed one so overlapped;
- background: a prediction where hardly anything is;
- missed: a true segment that nothing touches;
- boundary: what found segments lack to IoU 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.segmentation import Segmentation

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ENOUGH, TOUCHING = 0.5, 0.1  # IoU of a found segment; IoU below which a prediction lies on background
MOSTLY = 0.5  # share of a segment's pixels that is most of it
RIGHT, CONFUSED, DUPLICATE, INEXACT, BACKGROUND, ON_CROWD = range(6)  # as numbered in match.cpp
KINDS = ("missed", "confused", "duplicate", "merged", "split", "localisation", "background", "boundary")
KIND = {name: place for place, name in enumerate(KINDS)}
NONE = -1  # of no kind: right, or not judged


@dataclass(frozen=True, eq=False)
class Mistakes:
    """What became of predictions and truths when the best score chooses first, whatever its class."""

    score: Floats  # (D,)
    class_id: Ints  # (D,)
    area: Floats  # (D,) pixels
    kind: NDArray[np.uint8]  # (D,) RIGHT ... ON_CROWD
    partner: Ints  # (D,) truth it took, -1 for none
    truth_class: Ints  # (G,)
    truth_area: Floats  # (G,)
    crowd: Bools  # (G,)
    pair: Ints  # (2, P) prediction and truth that overlap; no crowds
    iou: Floats  # (P,)

    @classmethod
    def concat(cls, parts: Sequence[Mistakes]) -> Mistakes:
        """Those of several samples; partners and pairs are numbered through."""
        names = ("score", "class_id", "area", "kind", "truth_class", "truth_area", "crowd", "iou")
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in names
        }
        first = np.cumsum([[0, 0]] + [[len(part.score), len(part.crowd)] for part in parts], axis=0)
        partner = [np.where(part.partner < 0, -1, part.partner + g) for part, (_, g) in zip(parts, first)]
        pair = [part.pair + start[:, None] for part, start in zip(parts, first)]
        return cls(
            **columns,
            partner=np.concatenate(partner).astype(np.int32),
            pair=np.concatenate(pair, axis=1).astype(np.int32),
        )

    def part(self, predictions: slice, truths: slice, pairs: slice) -> Mistakes:
        """Those of one sample of several, given its rows."""
        partner = self.partner[predictions]
        return Mistakes(
            score=self.score[predictions],
            class_id=self.class_id[predictions],
            area=self.area[predictions],
            kind=self.kind[predictions],
            partner=np.where(partner < 0, -1, partner - truths.start).astype(np.int32),
            truth_class=self.truth_class[truths],
            truth_area=self.truth_area[truths],
            crowd=self.crowd[truths],
            pair=(self.pair[:, pairs] - [[predictions.start], [truths.start]]).astype(np.int32),
            iou=self.iou[pairs],
        )

    def at(self, threshold: float) -> Verdict:
        """What the predictions of at least this score got wrong."""
        return Verdict(self, self.score >= threshold)


@dataclass(frozen=True, eq=False)
class Verdict:
    """The errors of those predictions that are sure enough."""

    mistakes: Mistakes
    sure: Bools  # (D,)

    @cached_property
    def found_by(self) -> Ints:
        """(G,) prediction that took each truth, whatever its class; -1 for none."""
        by = np.full(len(self.mistakes.crowd), -1, np.int32)
        took = np.flatnonzero(self.sure & (self.mistakes.partner >= 0))
        by[self.mistakes.partner[took]] = took
        return by

    @cached_property
    def found(self) -> Bools:
        """(G,) whether a prediction of its class took each truth."""
        kind = np.append(self.mistakes.kind, np.uint8(ON_CROWD))
        return np.asarray(kind[self.found_by] == RIGHT)

    @cached_property
    def kinds(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(D,) and (G,) kind of error of each prediction and truth, places in KINDS; NONE where none."""
        given = self.mistakes
        d, g = given.pair
        kept = self.sure[d] & (given.class_id[d] == given.truth_class[g]) & (given.kind[d] != ON_CROWD)
        d, g, iou = d[kept], g[kept], given.iou[kept]
        shared = iou * (given.area[d] + given.truth_area[g]) / (1 + iou)
        covers, inside = shared > MOSTLY * given.truth_area[g], shared > MOSTLY * given.area[d]
        merges = np.bincount(d[covers], minlength=len(given.score)) > 1
        split = np.bincount(g[inside], minlength=len(given.crowd)) > 1

        mine = np.full(len(given.score), KIND["background"])
        mine[given.kind == INEXACT] = KIND["localisation"]
        mine[d[inside & split[g]]] = KIND["split"]
        mine[merges] = KIND["merged"]
        for kind, name in ((DUPLICATE, "duplicate"), (CONFUSED, "confused")):
            mine[given.kind == kind] = KIND[name]
        mine[~self.sure | np.isin(given.kind, (RIGHT, ON_CROWD))] = NONE

        theirs = np.full(len(given.crowd), KIND["missed"])
        theirs[g[iou >= TOUCHING]] = KIND["localisation"]
        theirs[split] = KIND["split"]
        theirs[g[covers & merges[d]]] = KIND["merged"]
        theirs[self.found_by >= 0] = KIND["confused"]
        theirs[self.found | given.crowd] = NONE
        return mine, theirs

    def tally(self) -> dict[str, int]:
        """Numbers of found segments, of missed ones that nothing touches, and of predictions of each kind."""
        mine, theirs = self.kinds
        predictions = np.bincount(mine[mine >= 0], minlength=len(KINDS))
        missed = int((theirs == KIND["missed"]).sum())
        named = {name: int(predictions[KIND[name]]) for name in KINDS[1:-1]}
        return {"right": int(self.found.sum()), "missed": missed, **named}

    def loss(self) -> dict[str, float]:
        """Share of each kind; they sum to 1 - PQ, PQ being the mean over the classes that occur."""
        given = self.mistakes
        mine, theirs = self.kinds
        truths = np.flatnonzero(self.found)
        iou = self._iou_of(truths)
        false, missed = mine != NONE, theirs != NONE
        classes = int(max(given.class_id.max(initial=-1), given.truth_class.max(initial=-1))) + 1

        def by_class(class_id: Ints) -> Floats:
            return np.bincount(class_id, minlength=classes).astype(np.float64)

        weight = by_class(given.truth_class[truths])
        weight += 0.5 * (by_class(given.class_id[false]) + by_class(given.truth_class[missed]))
        occurring = int((weight > 0).sum())
        share = np.divide(1.0, weight * occurring, out=np.zeros_like(weight), where=weight > 0)
        total = np.zeros(len(KINDS))
        for kind, class_id in (
            (mine[false], given.class_id[false]),
            (theirs[missed], given.truth_class[missed]),
        ):
            total += np.bincount(kind, 0.5 * share[class_id], len(KINDS))
        total[KIND["boundary"]] += float(((1 - iou) * share[given.truth_class[truths]]).sum())
        return dict(zip(KINDS, total.tolist()))

    def _iou_of(self, truths: NDArray[np.int64]) -> Floats:
        """(M,) IoU of each of these truths with the prediction that took it."""
        d, g = self.mistakes.pair
        matched = self.found_by[g] == d
        iou = np.zeros(len(self.mistakes.crowd))
        iou[g[matched]] = self.mistakes.iou[matched]
        return iou[truths]

    def confusion(self, classes: int) -> NDArray[np.int64]:
        """(K + 1, K + 1) segments, true (row) by predicted class; last row: no truth, last column: missed."""
        given = self.mistakes
        judged = self.sure & (given.kind != ON_CROWD)
        true = np.append(given.truth_class, np.int32(classes))[given.partner][judged]
        missed = given.truth_class[(self.found_by < 0) & ~given.crowd]
        row = np.concatenate([true, missed]).astype(np.int64)
        column = np.concatenate([given.class_id[judged], np.full(len(missed), classes)])
        return np.bincount(row * (classes + 1) + column, minlength=(classes + 1) ** 2).reshape(
            classes + 1, -1
        )


def explain(iou: Floats, truth: Segmentation, truth_area: Floats, prediction: PredictionColumns) -> Mistakes:
    """The kind of each prediction of one sample, from its (D, G) IoUs with the truth."""
    order = np.argsort(-prediction.score, kind="stable")
    kind, partner = kernels.explain(
        iou, prediction.class_id, truth.class_id, truth.crowd.view(np.uint8), order, ENOUGH, TOUCHING
    )
    d, g = np.nonzero(iou)
    if truth.crowd.any():
        alone = ~truth.crowd[g]
        d, g = d[alone], g[alone]
    return Mistakes(
        score=prediction.score,
        class_id=prediction.class_id,
        area=prediction.area,
        kind=kind,
        partner=partner,
        truth_class=truth.class_id,
        truth_area=truth_area,
        crowd=truth.crowd,
        pair=np.stack([d, g]).astype(np.int32),
        iou=iou[d, g],
    )


@dataclass(frozen=True, eq=False)
class PredictionColumns:
    """Score, class and area of the predictions of one sample, in the order of their IoUs."""

    score: Floats  # (D,)
    class_id: Ints  # (D,)
    area: Floats  # (D,)


def best_threshold(hits: Bools, judged: Bools, score: Floats, truths: int) -> tuple[float, float]:
    """Score at and above which F1 is highest, and that F1; infinity and 0 where nothing is right."""
    if not hits.any():
        return float("inf"), 0.0
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    f1 = 2 * np.cumsum(hits[order]) / (np.cumsum(judged[order]) + truths)
    last = np.append(falling[1:] != falling[:-1], np.True_)  # equal scores stand or fall together
    best = int(np.argmax(np.where(last, f1, -1.0)))
    return float(falling[best]), float(f1[best])
