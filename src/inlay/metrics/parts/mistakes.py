"""What kinds of error a detector makes, at the score that balances false and missed segments best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.segmentation import Segmentation

Ints = NDArray[np.int32]
Scores = NDArray[np.float64]

ENOUGH, TOUCHING = 0.5, 0.1  # IoU of a found segment; IoU below which a prediction lies on background
KINDS = ("right", "confused", "duplicate", "inexact", "background", "on crowd")  # as numbered in match.cpp
ON_CROWD = KINDS.index("on crowd")


@dataclass(frozen=True, eq=False)
class Mistakes:
    """What became of predictions and truths when the best score chooses first, whatever its class."""

    score: Scores  # (D,)
    class_id: Ints  # (D,)
    kind: NDArray[np.uint8]  # (D,) place in KINDS
    true_class: Ints  # (D,) class of the truth it took, -1 for none
    truth_class: Ints  # (G,) of the truths that are no crowds
    found_at: Scores  # (G,) score of the prediction that took it, minus infinity for none

    @classmethod
    def concat(cls, parts: Sequence[Mistakes]) -> Mistakes:
        """Those of several samples."""
        names = ("score", "class_id", "kind", "true_class", "truth_class", "found_at")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def tally(self, threshold: float) -> dict[str, int]:
        """Numbers of predictions of at least this score by kind, and of the truths that none of them took."""
        kinds = np.bincount(self.kind[self.score >= threshold], minlength=len(KINDS))
        counted = dict(zip(KINDS[:ON_CROWD], kinds.tolist()))
        right = counted.pop("right")
        return {"right": right, "missed": int((self.found_at < threshold).sum()), **counted}

    def confusion(self, threshold: float, classes: int) -> NDArray[np.int64]:
        """(K + 1, K + 1) segments, true (row) by predicted class; last row: no truth, last column: missed."""
        judged = (self.score >= threshold) & (self.kind != ON_CROWD)
        true = np.where(self.true_class < 0, classes, self.true_class)[judged]
        missed = self.truth_class[self.found_at < threshold]
        row = np.concatenate([true, missed]).astype(np.int64)
        column = np.concatenate([self.class_id[judged], np.full(len(missed), classes)])
        return np.bincount(row * (classes + 1) + column, minlength=(classes + 1) ** 2).reshape(
            classes + 1, -1
        )


def explain(iou: NDArray[np.float64], truth: Segmentation, class_id: Ints, score: Scores) -> Mistakes:
    """The kind of each prediction of one sample, from its (D, G) IoUs with the truth."""
    order = np.argsort(-score, kind="stable")
    kind, partner = kernels.explain(
        iou, class_id, truth.class_id, truth.crowd.view(np.uint8), order, ENOUGH, TOUCHING
    )
    found_at = np.full(len(truth) + 1, -np.inf)
    found_at[partner] = score  # those without a partner (-1) write into the last place, which nobody reads
    true_class = np.append(truth.class_id, np.int32(-1))[partner]
    alone = ~truth.crowd
    return Mistakes(score, class_id, kind, true_class, truth.class_id[alone], found_at[:-1][alone])


def best_threshold(
    hits: NDArray[np.bool_], judged: NDArray[np.bool_], score: Scores, truths: int
) -> tuple[float, float]:
    """Score at and above which F1 is highest, and that F1; infinity and 0 where nothing is right."""
    if not hits.any():
        return float("inf"), 0.0
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    f1 = 2 * np.cumsum(hits[order]) / (np.cumsum(judged[order]) + truths)
    last = np.append(falling[1:] != falling[:-1], np.True_)  # equal scores stand or fall together
    best = int(np.argmax(np.where(last, f1, -1.0)))
    return float(falling[best]), float(f1[best])
