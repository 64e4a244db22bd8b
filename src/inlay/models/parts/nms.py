"""Choosing among candidates that show the same thing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def local_peaks(scores: Floats) -> NDArray[np.bool_]:
    """(K, H, W) where a score is the largest of its 3x3 neighbourhood, in its class."""
    padded = np.pad(scores, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    height, width = scores.shape[1:]
    best = np.maximum.reduce([padded[:, :, x : x + width] for x in range(3)])
    best = np.maximum.reduce([best[:, y : y + height] for y in range(3)])
    return np.asarray(scores >= best)


def matrix_nms(scores: Floats, class_id: NDArray[np.int64], iou: Floats, *, sigma: float = 2.0) -> Floats:
    """(N,) scores lowered by overlap with better candidates of the same class (SOLOv2).

    Each candidate is lowered by the better one that hides it most, less so where that one is itself hidden.

    Parameters
    ----------
    scores
        (N,) falling.
    iou
        (N, N) of the candidates' masks.
    """
    if len(scores) == 0:
        return scores
    better = np.triu(np.ones_like(iou), 1) * (class_id[:, None] == class_id[None])
    overlap = iou * better
    hidden = overlap.max(0)  # of each candidate by those better than it
    decay = np.exp(-sigma * (overlap**2 - hidden[:, None] ** 2))
    return np.asarray(scores * np.where(better > 0, decay, 1.0).min(0).clip(max=1.0))
