"""Choosing among candidates that show the same thing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
TOGETHER = 256  # candidates looked at at once
BLOCK = 64  # boxes compared with all worse ones at once


def local_peaks(scores: Floats) -> NDArray[np.bool_]:
    """(K, H, W) where a score is the largest of its 3x3 neighbourhood, in its class."""
    padded = np.pad(scores, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    height, width = scores.shape[1:]
    best = np.maximum.reduce([padded[:, :, x : x + width] for x in range(3)])
    best = np.maximum.reduce([best[:, y : y + height] for y in range(3)])
    return np.asarray(scores >= best)


def matrix_nms(
    scores: Floats,
    class_id: NDArray[np.int64],
    iou: Callable[[int, int], NDArray[Any]],
    *,
    sigma: float = 2.0,
) -> Floats:
    """(N,) scores lowered by overlap with better candidates of the same class (SOLOv2).

    Each candidate is lowered by the better one that hides it most, less so where that one is itself hidden.
    Memory grows with N, not with its square.

    Parameters
    ----------
    scores
        (N,) falling.
    iou
        `iou(first, stop)` gives the (stop, stop - first) IoU of the masks of candidates before `stop` with
        those from `first` on.
    """
    count = len(scores)
    hidden, lowered = np.zeros(count, np.float32), scores.copy()  # by the better one that hides it most
    for first in range(0, count, TOGETHER):
        stop = min(first + TOGETHER, count)
        better = np.arange(stop)[:, None] < np.arange(first, stop)
        better &= class_id[:stop, None] == class_id[first:stop]
        overlap = np.where(better, iou(first, stop), 0).astype(np.float32)
        hidden[first:stop] = overlap.max(0)
        decay = np.exp(-sigma * (overlap**2 - hidden[:stop, None] ** 2))
        lowered[first:stop] *= np.where(better, decay, 1.0).min(0).clip(max=1.0)
    return lowered


def greedy_nms(boxes: Floats, row: NDArray[np.int64], overlap: float) -> NDArray[np.int64]:
    """Places of falling (N, 4) boxes that no better kept one of their class overlaps by more."""
    x0, y0, x1, y1 = np.ascontiguousarray(boxes.T)
    area = (x1 - x0).clip(min=0) * (y1 - y0).clip(min=0)
    left, kept = np.arange(len(boxes)), []
    while len(left):
        some = left[:BLOCK, None]
        both = (np.minimum(x1[some], x1[left]) - np.maximum(x0[some], x0[left])).clip(min=0)
        both *= (np.minimum(y1[some], y1[left]) - np.maximum(y0[some], y0[left])).clip(min=0)
        shared = both / (area[some] + area[left] - both).clip(min=1e-6)
        rivals = (shared > overlap) & (row[some] == row[left])
        alive = np.ones(len(left), np.bool_)
        for place, own in enumerate(rivals):
            if alive[place]:
                kept.append(left[place])
                alive[place + 1 :] &= ~own[place + 1 :]
        left = left[len(some) :][alive[len(some) :]]
    return np.array(kept, np.int64)
