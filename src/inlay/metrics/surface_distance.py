"""How far surfaces lie apart, as in medicine: HD95 and ASSD of each class, and Dice of each image.

The surface of a mask is its pixels with a neighbour (of four) outside; outside the image is outside. HD95
is the 95th percentile of the distances from each surface to the other, both directions together; ASSD is the
mean of the two mean distances; Euclidean, in pixels (definitions of MedPy). Means over the images that show
the class on both sides: where one side is empty there is no distance, and the page says how often.
`Dice_per_image` is the mean over images and classes; what neither side shows has no value.

The semantic view is judged, its pixels as for `iou`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.distances import distance
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.class_maps import UNJUDGED, class_maps, class_masks
from inlay.metrics.parts.means import divide, mean_of_known, summed
from inlay.metrics.parts.result import Details

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

UNITS = {"HD95": "pixels", "ASSD": "pixels"}
FIGURES = ("Dice_per_image", "HD95", "ASSD")


@dataclass(frozen=True, eq=False)
class Counts:
    """The classes that one sample shows: Dice, HD95, ASSD of each; nan where a side is empty."""

    class_id: NDArray[np.int32]  # (C,)
    figures: Floats  # (3, C)


def count(truth: Segmentation, prediction: Segmentation) -> Counts:
    """Distances of one sample."""
    true, mine = class_maps(truth, prediction)
    mine = np.where(true == UNJUDGED, UNJUDGED, mine)
    shown = np.union1d(np.unique(true), np.unique(mine))
    class_id = shown[(shown >= 0) & (shown < len(truth.classes))].astype(np.int32)
    theirs, ours = class_masks(true, class_id), class_masks(mine, class_id)
    area = (theirs.area() + ours.area()).astype(np.float64)
    dice = 2 * (theirs & ours).area() / area if len(class_id) else area
    apart = [distances(theirs.decode()[k], ours.decode()[k]) for k in range(len(class_id))]
    return Counts(class_id, np.vstack([dice, np.array(apart, np.float64).reshape(-1, 2).T]))


def distances(truth: Bools, prediction: Bools) -> tuple[float, float]:
    """HD95 and ASSD of two (H, W) masks, pixels; nan where one is empty."""
    true, mine = surface(truth), surface(prediction)
    if not true.any() or not mine.any():
        return np.nan, np.nan
    there, back = distance(~true)[mine], distance(~mine)[true]
    both = np.concatenate([there, back])
    return float(np.percentile(both, 95)), float((there.mean() + back.mean()) / 2)


def surface(mask: Bools) -> Bools:
    """(H, W) pixels of a mask with a neighbour of four outside it."""
    around = np.pad(mask, 1)
    inside = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    found: Bools = mask & ~inside
    return found


def score(counts: Iterable[Counts], classes: Classes) -> dict[str, float]:
    """`Dice_per_image`, `HD95`, `ASSD`, means of the classes, and of each `HD95/c` ..."""
    counts = list(counts)
    ones = np.ones((1, len(counts)), np.int32)
    return {name: float(values[0]) for name, values in resampled(counts, classes, ones).items()}


def resampled(counts: Sequence[Counts], classes: Classes, weights: NDArray[np.int32]) -> Mapping[str, Floats]:
    """(B,) figures when sample `i` counts `weights[b, i]` times."""
    tables = _tables(counts, len(classes))
    known = ~np.isnan(tables)
    of_class = divide(
        summed(weights, np.where(known, tables, 0.0)), summed(weights, known.astype(np.float64))
    )
    figures = {name: mean_of_known(of_class[:, i]) for i, name in enumerate(FIGURES)}
    for row in np.flatnonzero(~classes.is_void):
        figures |= {f"{name}/{classes.names[row]}": of_class[:, i, row] for i, name in enumerate(FIGURES)}
    return figures


def details(counts: Sequence[Counts], classes: Classes) -> Details:
    """Figures of each sample, and how often there was no distance."""
    per_sample = mean_of_known(_tables(counts, len(classes)))
    shown = sum(len(each.class_id) for each in counts)
    empty = sum(int(np.isnan(each.figures[1]).sum()) for each in counts)
    remark = (
        f"in {empty} of {shown} cases (a class in an image) one side has none of the class: "
        "HD95 and ASSD leave them out"
    )
    return Details(
        per_sample={name: per_sample[:, i] for i, name in enumerate(FIGURES)},
        remarks=(remark,) if empty else (),
    )


def _tables(counts: Sequence[Counts], classes: int) -> Floats:
    """(N, 3, K) figures of each sample and class."""
    tables = np.full((len(counts), 3, classes), np.nan)
    for table, each in zip(tables, counts):
        table[:, each.class_id] = each.figures
    return tables
