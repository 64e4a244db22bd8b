"""How well the borders of classes are met: boundary IoU and boundary F of the semantic view.

Boundary IoU (Cheng et al., CVPR 2021): IoU of the pixels of a class that lie at most 2 % of the image's
diagonal from its outline; pixels are summed over the images, as for mIoU.

Boundary F (Perazzi et al., CVPR 2016, as DAVIS computes it; after Csurka et al., BMVC 2013): the outline of a
class is met where one of the other side lies within 0.8 % of the diagonal; F is the harmonic mean of the
share of the predicted outline that is met and the share of the true one; mean of the images that show the
class.

Which pixels are judged is as for `iou`; others are taken out of the prediction too, so that the rim of what
nobody labelled is no error. A class that neither side shows has no value and leaves the means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.distances import distance
from inlay.core.masks import Masks
from inlay.core.morphology import band_width, boundary_band
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.class_maps import UNJUDGED, class_maps, class_masks
from inlay.metrics.parts.means import divide, mean_of_known, summed
from inlay.metrics.parts.result import Details

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

TOLERANCE = 0.008  # of the diagonal


@dataclass(frozen=True, eq=False)
class Counts:
    """The classes that one sample shows, and how their borders met."""

    class_id: NDArray[np.int32]  # (C,)
    shared: Floats  # (C,) pixels of both boundaries
    either: Floats  # (C,) pixels of one of the boundaries
    f: Floats  # (C,)


def count(truth: Segmentation, prediction: Segmentation) -> Counts:
    """Borders of one sample."""
    true, mine = class_maps(truth, prediction)
    mine = np.where(true == UNJUDGED, UNJUDGED, mine)
    shown = np.union1d(np.unique(true), np.unique(mine))
    class_id = shown[(shown >= 0) & (shown < len(truth.classes))].astype(np.int32)
    theirs, ours = class_masks(true, class_id), class_masks(mine, class_id)
    width = band_width(truth.size)
    bands = boundary_band(theirs, width), boundary_band(ours, width)
    tolerance = int(np.ceil(TOLERANCE * np.hypot(*truth.size)))
    f = [outline_f(theirs[k], ours[k], tolerance) for k in range(len(class_id))]
    return Counts(
        class_id,
        (bands[0] & bands[1]).area().astype(np.float64),
        (bands[0] | bands[1]).area().astype(np.float64),
        np.array(f, np.float64),
    )


def score(counts: Iterable[Counts], classes: Classes) -> dict[str, float]:
    """`boundary_IoU` and `boundary_F`, means of the classes, and of each `boundary_IoU/c` ..."""
    counts = list(counts)
    ones = np.ones((1, len(counts)), np.int32)
    return {name: float(values[0]) for name, values in resampled(counts, classes, ones).items()}


def resampled(counts: Sequence[Counts], classes: Classes, weights: NDArray[np.int32]) -> Mapping[str, Floats]:
    """(B,) figures when sample `i` counts `weights[b, i]` times."""
    tables = _tables(counts, len(classes))
    drawn = summed(weights, tables)
    iou, f = divide(drawn[:, 0], drawn[:, 1]), divide(drawn[:, 2], drawn[:, 3])
    figures = {"boundary_IoU": mean_of_known(iou), "boundary_F": mean_of_known(f)}
    for row in np.flatnonzero(~classes.is_void):
        figures[f"boundary_IoU/{classes.names[row]}"] = iou[:, row]
        figures[f"boundary_F/{classes.names[row]}"] = f[:, row]
    return figures


def details(counts: Sequence[Counts], classes: Classes) -> Details:
    """Figures of each sample."""
    tables = _tables(counts, len(classes))
    iou, f = divide(tables[:, 0], tables[:, 1]), divide(tables[:, 2], tables[:, 3])
    return Details(per_sample={"boundary_IoU": mean_of_known(iou), "boundary_F": mean_of_known(f)})


def outline_f(truth: Masks, prediction: Masks, tolerance: float) -> float:
    """F of the outlines of two masks that is met within `tolerance` pixels; DAVIS' definition."""
    true, mine = outline(truth.decode()[0]), outline(prediction.decode()[0])
    if not true.any() or not mine.any():
        return float(true.any() == mine.any())
    precision = float((distance(~true)[mine] <= tolerance).mean())
    recall = float((distance(~mine)[true] <= tolerance).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def outline(mask: Bools) -> Bools:
    """(H, W) pixels unlike their neighbour to the right, below, or both; the image's rim is no outline."""
    padded = np.pad(mask, (0, 1), mode="edge")
    found: Bools = (mask != padded[:-1, 1:]) | (mask != padded[1:, :-1]) | (mask != padded[1:, 1:])
    return found


def _tables(counts: Sequence[Counts], classes: int) -> Floats:
    """(N, 4, K) shared, either, sum of F, images that show the class."""
    tables = np.zeros((len(counts), 4, classes))
    for table, each in zip(tables, counts):
        table[:, each.class_id] = each.shared, each.either, each.f, np.ones(len(each.f))
    return tables
