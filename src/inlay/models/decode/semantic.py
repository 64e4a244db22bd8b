"""Class logits into segmentations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation


def segments_of_classes(
    logits: NDArray[np.floating[Any]], sizes: Sequence[tuple[int, int]], classes: Classes
) -> list[Segmentation]:
    """One segment for each class seen; its score is the mean probability of its pixels.

    Parameters
    ----------
    logits
        (B, K, H, W), or K + 1 channels where the last one means "none of the classes".
    sizes
        (height, width) of each image; what lies right of or below it is padding.
    """
    return [_one(image[:, :height, :width], classes) for image, (height, width) in zip(logits, sizes)]


def scores_of(prediction: Segmentation) -> NDArray[np.float64]:
    """(N,) scores; 1 for a label."""
    return np.ones(len(prediction), np.float64) if prediction.score is None else prediction.score


def _one(logits: NDArray[np.floating[Any]], classes: Classes) -> Segmentation:
    ids = logits.argmax(0).astype(np.int32)
    best = logits.max(0)
    share = 1.0 / np.exp(logits - best).sum(0)  # softmax of the winner
    found = Segmentation.from_semantic(ids, classes)
    total = np.bincount(ids.ravel(), share.ravel(), logits.shape[0])[found.class_id]
    return found.replace(score=(total / np.maximum(found.masks.area(), 1)).astype(np.float64).clip(0, 1))
