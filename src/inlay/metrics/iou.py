"""Pixel metrics of the semantic view: accuracy, intersection over union, Dice.

Truth pixels of a void class are not judged, nor are those without a segment where the dataset knows stuff.
(Where it knows none, what nobody drew is background: predictions there are false positives of their class.)
On every other pixel a prediction that is void, missing or of another class is an error: a false negative of
the true class. These are the definitions of cityscapesScripts. A class that neither side shows has no value
(nan) and leaves the means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.class_maps import class_maps, judges_background
from inlay.metrics.parts.means import by_sample, divide, mean_of_known, parts_of, summed_in_parts
from inlay.metrics.parts.result import Details

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Counts:
    """Judged pixels of each pair of true and predicted class that occurs; row K stands for no class."""

    truth: NDArray[np.int32]  # (P,)
    prediction: NDArray[np.int32]  # (P,)
    pixels: NDArray[np.int64]  # (P,)
    left_out: int  # pixels without a label


def count(truth: Segmentation, prediction: Segmentation) -> Counts:
    """Pixels of one sample by true and predicted class."""
    classes = len(truth.classes)
    true, mine = class_maps(truth, prediction)
    table = kernels.pairs(true, mine, classes + judges_background(truth.classes), classes + 1)
    return Counts(*table, left_out=true.size - int(table[2].sum()))


def merged(counts: Sequence[Counts]) -> Counts:
    """One count that gives the same figures as these together."""
    places = np.concatenate([(each.truth, each.prediction) for each in counts], axis=1)
    pixels = np.concatenate([each.pixels for each in counts])
    (truth, prediction), back = np.unique(places, axis=1, return_inverse=True)
    total = np.zeros(len(truth), np.int64)
    np.add.at(total, back.ravel(), pixels)
    return Counts(truth, prediction, total, sum(each.left_out for each in counts))


def score(counts: Iterable[Counts], classes: Classes) -> dict[str, float]:
    """`mIoU`, `pixel_accuracy`, `class_accuracy`, `fwIoU`, `Dice`, and of each class `IoU/c` ..."""
    of_parts = [_totals(part, len(classes)).sum(axis=0) for part in parts_of(counts)]
    figures = _named(np.sum(of_parts, axis=0), classes)
    return {name: float(value) for name, value in figures.items()}


def resampled(counts: Sequence[Counts], classes: Classes, weights: NDArray[np.int32]) -> Mapping[str, Floats]:
    """(B,) figures when sample `i` counts `weights[b, i]` times."""
    totals = summed_in_parts(weights, counts, lambda part: _totals(part, len(classes)))
    return _named(totals, classes)


def details(counts: Sequence[Counts], classes: Classes) -> Details:
    """Figures of each sample, the table of judged pixels, and the share that was not judged."""
    table = np.zeros((len(classes) + judges_background(classes), len(classes) + 1), np.int64)
    for each in counts:
        table[each.truth, each.prediction] += each.pixels
    left_out = sum(each.left_out for each in counts)
    share = left_out / max(1, left_out + int(table.sum()))
    remark = f"{share:.1%} of the pixels have no label in the truth; predictions there are not judged"
    return Details(
        per_sample=by_sample(counts, lambda part: _figures(_totals(part, len(classes)))[0]),
        confusion={"pixels": table},
        remarks=(remark,) if left_out else (),
    )


def _totals(counts: Sequence[Counts], classes: int) -> Floats:
    """(N, 3, K + 1) pixels of each sample by class, then of no class: rightly predicted, true, predicted."""
    sample = np.repeat(np.arange(len(counts)), [len(each.pixels) for each in counts])
    truth = np.concatenate([each.truth for each in counts] or [np.empty(0, np.int32)])
    prediction = np.concatenate([each.prediction for each in counts] or [np.empty(0, np.int32)])
    pixels = np.concatenate([each.pixels for each in counts] or [np.empty(0, np.int64)]).astype(np.float64)

    def by_class(class_id: NDArray[np.int32], weight: Floats) -> Floats:
        flat = np.bincount(sample * (classes + 1) + class_id, weight, len(counts) * (classes + 1))
        return flat.astype(np.float64).reshape(len(counts), classes + 1)

    return np.stack(
        [
            by_class(truth, pixels * (truth == prediction)),
            by_class(truth, pixels),
            by_class(prediction, pixels),
        ],
        axis=1,
    )


def _named(totals: Floats, classes: Classes) -> dict[str, Floats]:
    """Figures of (..., 3, K + 1) totals by name, those of a class as "figure/class"."""
    whole, of_class = _figures(totals)
    judged = np.flatnonzero(~classes.is_void)
    return whole | {
        f"{name}/{classes.names[row]}": values[..., row]
        for name, values in of_class.items()
        for row in judged
    }


def _figures(totals: Floats) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Figures of (..., 3, K + 1) totals: of shape (...), and for each class of shape (..., K)."""
    hits, true, predicted = totals[..., 0, :-1], totals[..., 1, :-1], totals[..., 2, :-1]
    labelled = true.sum(axis=-1)
    iou = divide(hits, true + predicted - hits)
    dice = divide(2 * hits, true + predicted)
    accuracy = divide(hits, true)
    whole = {
        "mIoU": mean_of_known(iou),
        "pixel_accuracy": divide(totals[..., 0, :].sum(axis=-1), totals[..., 1, :].sum(axis=-1)),
        "class_accuracy": mean_of_known(accuracy),
        "fwIoU": divide(np.where(true > 0, true * iou, 0.0).sum(axis=-1), labelled),
        "Dice": mean_of_known(dice),
    }
    return whole, {"IoU": iou, "accuracy": accuracy, "Dice": dice}
