"""How well things are counted: mean absolute error, root of the mean square, and bias, per image.

Predictions count when their score is at least 0.5, or when they have none. A class that has a crowd in an
image is not counted there: nobody knows how many it is. `count_accuracy` is a share, which needs no unit:
the number both sides agree on over the larger one, summed over images and classes; with one of ten things
missed it is 0.9.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.means import divide, summed
from inlay.metrics.parts.result import Details

Floats = NDArray[np.float64]

SURE = 0.5  # least score of a prediction that counts
UNITS = dict.fromkeys(("count_MAE", "count_RMSE", "count_bias"), "segments an image")


@dataclass(frozen=True, eq=False)
class Counts:
    """Things of one sample, by class."""

    truth: NDArray[np.int32]  # (K,)
    prediction: NDArray[np.int32]  # (K,)
    known: NDArray[np.bool_]  # (K,) things that are no crowd
    scored: bool


def count(truth: Segmentation, prediction: Segmentation) -> Counts:
    """Numbers of things of one sample."""
    classes = len(truth.classes)
    known = truth.classes.is_thing.copy()
    known[truth.class_id[truth.crowd]] = False
    sure = np.ones(len(prediction), np.bool_) if prediction.score is None else prediction.score >= SURE
    return Counts(
        np.where(known, np.bincount(truth.class_id, minlength=classes), 0).astype(np.int32),
        np.where(known, np.bincount(prediction.class_id[sure], minlength=classes), 0).astype(np.int32),
        known,
        prediction.score is not None,
    )


def score(counts: Iterable[Counts], classes: Classes) -> dict[str, float]:
    """`count_accuracy`, `count_MAE`, `count_RMSE`, `count_bias` of all things together, and of each class."""
    counts = list(counts)
    ones = np.ones((1, len(counts)), np.int32)
    return {name: float(values[0]) for name, values in resampled(counts, classes, ones).items()}


def resampled(counts: Sequence[Counts], classes: Classes, weights: NDArray[np.int32]) -> Mapping[str, Floats]:
    """(B,) figures when sample `i` counts `weights[b, i]` times."""
    tables = _tables(counts, classes)
    figures = _figures(summed(weights, tables))
    whole = {name: values[:, -1] for name, values in figures.items()}
    for row in np.flatnonzero(classes.is_thing):
        whole |= {f"{name}/{classes.names[row]}": values[:, row] for name, values in figures.items()}
    return whole


def details(counts: Sequence[Counts], classes: Classes) -> Details:
    """Figures of each sample."""
    figures = _figures(_tables(counts, classes))
    remark = f"counted are predictions with a score of at least {SURE}"
    return Details(
        per_sample={name: figures[name][:, -1] for name in ("count_accuracy", "count_bias")},
        remarks=(remark,) if any(each.scored for each in counts) else (),
    )


def _tables(counts: Sequence[Counts], classes: Classes) -> Floats:
    """(N, 6, K + 1) smaller, larger number, absolute, square, signed error, images; of each class, of all."""
    shape = (len(counts), len(classes))
    true = np.array([each.truth for each in counts], np.float64).reshape(shape)
    mine = np.array([each.prediction for each in counts], np.float64).reshape(shape)
    known = np.array([each.known for each in counts], np.float64).reshape(shape)
    errors = np.hstack([mine - true, (mine - true).sum(axis=1, keepdims=True)])
    agreed, most = np.minimum(true, mine), np.maximum(true, mine)
    return np.stack(
        [
            np.hstack([agreed, agreed.sum(axis=1, keepdims=True)]),
            np.hstack([most, most.sum(axis=1, keepdims=True)]),
            np.abs(errors),
            errors**2,
            errors,
            np.hstack([known, known.any(axis=1, keepdims=True)]),
        ],
        axis=1,
    )


def _figures(tables: Floats) -> dict[str, Floats]:
    """Figures of (..., 6, K + 1) sums, (..., K + 1) each."""
    agreed, most, absolute, square, signed, images = (tables[..., i, :] for i in range(6))
    return {
        "count_accuracy": divide(agreed, most),
        "count_MAE": divide(absolute, images),
        "count_RMSE": np.sqrt(divide(square, images)),
        "count_bias": divide(signed, images),
    }
