"""Segments over time: how many pixels each true and predicted one share in each frame of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.class_maps import UNJUDGED, paint_truth

Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

CLASS, ID = 0, 1


@dataclass(frozen=True, eq=False)
class Tubes:
    """Pixels of each pair of a true and a predicted segment that meet in a frame; stuff has id 0.

    True class -1 is not judged, K is background; predicted class K is nothing.
    """

    frames: int
    frame: Ints  # (M,)
    truth: Ints  # (2, M) class, instance id
    crowd: Bools  # (M,) whether the truth is a crowd, or a thing without an id
    prediction: Ints  # (2, M)
    pixels: NDArray[np.int64]  # (M,)


def tubes_of(truth: Segmentation, prediction: Segmentation) -> Tubes:
    """The pairs of one frame."""
    classes, rows, mine = len(truth.classes), len(truth), len(prediction)
    # what is not judged stands last, for a pair has no negative value
    ids = paint_truth(truth, np.arange(rows, dtype=np.int32), nobody=rows)
    seen = prediction.masks.paint(
        np.where(prediction.classes.is_void[prediction.class_id], mine, np.arange(mine)), fill=mine
    )
    t, p, pixels = kernels.pairs(np.where(ids == UNJUDGED, rows + 1, ids), seen, rows + 2, mine + 1)
    true_class = np.concatenate([truth.class_id, [classes, UNJUDGED]]).astype(np.int32)
    true_id = np.append(np.where(truth.is_thing, truth.instance_id, 0), [0, 0]).astype(np.int32)
    crowd = np.append(truth.crowd | (truth.is_thing & (truth.instance_id == 0)), [False, False])
    class_id = np.append(prediction.class_id, classes).astype(np.int32)
    instance_id = np.append(np.where(prediction.is_thing, prediction.instance_id, 0), 0).astype(np.int32)
    return Tubes(
        1,
        np.zeros(len(t), np.int32),
        np.stack([true_class[t], true_id[t]]),
        crowd[t],
        np.stack([class_id[p], instance_id[p]]),
        pixels,
    )


def join_tubes(parts: Sequence[Tubes]) -> Tubes:
    """Frames one after another."""
    start = np.cumsum([0] + [part.frames for part in parts]).astype(np.int32)
    return Tubes(
        int(start[-1]),
        np.concatenate([part.frame + at for part, at in zip(parts, start)]),
        np.concatenate([part.truth for part in parts], axis=1),
        np.concatenate([part.crowd for part in parts]),
        np.concatenate([part.prediction for part in parts], axis=1),
        np.concatenate([part.pixels for part in parts]),
    )


def numbered(columns: Ints) -> tuple[Ints, NDArray[np.intp]]:
    """(2, S) the different segments of (2, M) columns, and (M,) the number of each."""
    different, number = np.unique(columns, axis=1, return_inverse=True)
    return different, number.reshape(-1)
