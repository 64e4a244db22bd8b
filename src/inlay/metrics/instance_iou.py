"""iIoU: IoU in which each true instance has the same say, however large (Cordts et al., CVPR 2016).

Pixels of a true instance count by the mean size of the instances of its class over its own size, so that a
class is not judged by its nearest car. False pixels have no instance and count plainly. Void, background
and pixels that nobody labelled are as for `iou`; crowds have no size and count as false pixels of other
classes do, not as instances.

The mean sizes are those of the truth that is scored; cityscapesScripts has fixed ones, of the training images
of Cityscapes: `like="cityscapesscripts"` takes these. A class without instances has no value and leaves the
mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.class_maps import judges_background, paint_truth
from inlay.metrics.parts.means import divide, mean_of_known, summed

Floats = NDArray[np.float64]

# mean pixels of an instance in the training images of Cityscapes (cityscapesScripts: avgClassSize)
CITYSCAPES = {
    "bicycle": 4672.3249222261,
    "caravan": 36771.8241758242,
    "motorcycle": 6298.7200839748,
    "rider": 3930.4788056518,
    "bus": 35732.1511111111,
    "train": 67583.7075812274,
    "car": 12794.0202738185,
    "person": 3462.4756337644,
    "truck": 27855.1264367816,
    "trailer": 16926.9763313609,
}


@dataclass(frozen=True, eq=False)
class Counts:
    """What one sample says of each class."""

    table: Floats  # (4, K) instances, their pixels, sum of the shares found, false pixels
    mean_size: Floats | None = None  # (K,) fixed mean pixels of an instance; None: measured


def count(truth: Segmentation, prediction: Segmentation) -> Counts:
    """Instances of one sample and how much of each was found."""
    classes = len(truth.classes)
    rows = len(truth)
    ids = paint_truth(truth, np.arange(rows, dtype=np.int32), nobody=rows)
    background = judges_background(truth.classes)
    true, mine, pixels = kernels.pairs(ids, prediction.semantic(void=classes), rows + background, classes + 1)
    size = np.bincount(true, pixels, rows + 1)[:rows]
    class_of = np.append(truth.class_id, np.int32(classes))
    right = class_of[true] == mine
    found = np.bincount(true[right], pixels[right], rows + 1)[:rows]
    instance = truth.is_thing & ~truth.crowd & (size > 0)
    false = ~right & (mine < classes)
    of = truth.class_id[instance]
    table = [
        np.bincount(of, minlength=classes),
        np.bincount(of, size[instance], classes),
        np.bincount(of, found[instance] / size[instance], classes),
        np.bincount(mine[false], pixels[false], classes),
    ]
    return Counts(np.stack(table).astype(np.float64))


def count_as_cityscapesscripts(truth: Segmentation, prediction: Segmentation) -> Counts:
    """As `count`, weighted by the mean sizes of Cityscapes; other classes have no value."""
    sizes = np.array([CITYSCAPES.get(name, np.nan) for name in truth.classes.names], np.float64)
    return Counts(count(truth, prediction).table, sizes)


LIKE = {"cityscapesscripts": count_as_cityscapesscripts}


def score(counts: Iterable[Counts], classes: Classes) -> dict[str, float]:
    """`iIoU`, the mean of the thing classes, and of each `iIoU/c`."""
    counts = list(counts)
    ones = np.ones((1, len(counts)), np.int32)
    return {name: float(values[0]) for name, values in resampled(counts, classes, ones).items()}


def resampled(counts: Sequence[Counts], classes: Classes, weights: NDArray[np.int32]) -> Mapping[str, Floats]:
    """(B,) figures when sample `i` counts `weights[b, i]` times."""
    tables = np.stack([each.table for each in counts]) if counts else np.zeros((0, 4, len(classes)))
    drawn = summed(weights, tables)
    instances, pixels, found, false = (drawn[:, i] for i in range(4))
    fixed = next((each.mean_size for each in counts), None)
    mean_size = divide(pixels, instances) if fixed is None else np.where(instances > 0, fixed, np.nan)
    iou = divide(mean_size * found, mean_size * instances + false)
    things = np.flatnonzero(classes.is_thing)
    of_class = {f"iIoU/{classes.names[row]}": iou[:, row] for row in things}
    return {"iIoU": mean_of_known(iou[:, things])} | of_class
