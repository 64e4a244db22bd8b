"""What kinds of error a detector makes, at the score that balances false and missed segments best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.segmentation import Segmentation

Ints = NDArray[np.int32]

ENOUGH, TOUCHING = 0.5, 0.1  # IoU of a found segment; IoU below which a prediction lies on background
RIGHT, CONFUSED, DUPLICATE, INEXACT, BACKGROUND, ON_CROWD = range(6)  # as in match.cpp


@dataclass(frozen=True, eq=False)
class Mistakes:
    """What became of each prediction of one sample when the best score chooses first, whatever its class."""

    kind: NDArray[np.uint8]  # (D,) RIGHT ... ON_CROWD
    partner: Ints  # (D,) truth it took, -1 for none
    truth_class: Ints  # (G,)
    crowd: NDArray[np.bool_]  # (G,)


def explain(
    iou: NDArray[np.float64], truth: Segmentation, class_id: Ints, score: NDArray[np.float32]
) -> Mistakes:
    """The kind of each prediction, from (D, G) IoUs with the truth."""
    order = np.argsort(-score, kind="stable")
    kind, partner = kernels.explain(
        iou, class_id, truth.class_id, truth.crowd.view(np.uint8), order, ENOUGH, TOUCHING
    )
    return Mistakes(kind, partner, truth.class_id, truth.crowd)


def best_threshold(
    hits: NDArray[np.bool_], misses: NDArray[np.bool_], score: NDArray[np.float32], positives: int
) -> tuple[float, float]:
    """Score at and above which F1 is highest, and that F1; infinity and 0 where nothing is right."""
    order = np.argsort(-score, kind="stable")
    right, wrong = np.cumsum(hits[order]), np.cumsum(misses[order])
    f1 = 2 * right / np.maximum(right + wrong + positives, 1)
    last = np.append(
        score[order][1:] != score[order][:-1], [True] * bool(len(score))
    )  # equal scores stand or fall together
    if not len(score) or not right[-1]:
        return float("inf"), 0.0
    best = int(np.argmax(np.where(last, f1, -1.0)))
    return float(score[order][best]), float(f1[best])


def tally(mistakes: Sequence[Mistakes], chosen: Sequence[NDArray[np.bool_]]) -> dict[str, int]:
    """How many of the chosen predictions were of which kind, and how many truths none of them found."""
    kinds = np.zeros(6, np.int64)
    missed = 0
    for each, keep in zip(mistakes, chosen):
        kinds += np.bincount(each.kind[keep], minlength=6)
        missed += int(_missed(each, keep).sum())
    return {
        "right": int(kinds[RIGHT]),
        "missed": missed,
        "confused": int(kinds[CONFUSED]),
        "duplicate": int(kinds[DUPLICATE]),
        "inexact": int(kinds[INEXACT]),
        "background": int(kinds[BACKGROUND]),
    }


def confusion(
    mistakes: Sequence[Mistakes], chosen: Sequence[NDArray[np.bool_]], class_ids: Sequence[Ints], classes: int
) -> NDArray[np.int64]:
    """(K + 1, K + 1) segments by true (row) and predicted class; last row: no truth, last column: missed."""
    table = np.zeros((classes + 1, classes + 1), np.int64)
    for each, keep, class_id in zip(mistakes, chosen, class_ids):
        judged = keep & (each.kind != ON_CROWD)
        partner = each.partner[judged]
        true = np.full(len(partner), classes)
        true[partner >= 0] = each.truth_class[partner[partner >= 0]]
        np.add.at(table, (true, class_id[judged]), 1)
        table[:, classes] += np.bincount(each.truth_class[_missed(each, keep)], minlength=classes + 1)
    return table


def _missed(mistakes: Mistakes, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(G,) truths, crowds apart, that no chosen prediction took."""
    missed = ~mistakes.crowd
    partner = mistakes.partner[keep]
    missed[partner[partner >= 0]] = False
    return missed
