"""Losses of pixel classes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from inlay.models.parts.targets import VOID


def cross_entropy(logits: Tensor, classes: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean over the pixels that are not void, weighted by class; zero where all are void."""
    losses = F.cross_entropy(logits.float(), classes, weights, ignore_index=VOID, reduction="sum")
    known = classes != VOID
    if weights is None:
        return losses / known.sum().clamp(min=1)
    return losses / (weights[classes.clamp(max=len(weights) - 1)] * known).sum().clamp(min=1e-6)


def class_dice(logits: Tensor, classes: Tensor) -> Tensor:
    """1 - Dice over the whole batch, mean of the classes that occur in it; void left out."""
    known = (classes != VOID).unsqueeze(1)
    shares = logits.float().softmax(1) * known
    truth = F.one_hot(classes.where(classes != VOID, 0), logits.shape[1]).movedim(-1, 1) * known
    area = truth.sum((0, 2, 3))
    dice = (2 * (shares * truth).sum((0, 2, 3)) + 1) / (shares.sum((0, 2, 3)) + area + 1)
    present = area > 0
    return ((1 - dice) * present).sum() / present.sum().clamp(min=1)


def inverse_root_weights(pixels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) one over the root of each class's share, mean 1 over the classes that occur; 1 for the others."""
    return _mean_one(np.sqrt(pixels.sum() / np.maximum(pixels, 1)), pixels > 0)


def median_frequency_weights(pixels: NDArray[np.int64], beside: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) median frequency over frequency; that of a class counts only images that have it (SegNet)."""
    present = pixels > 0
    frequency = pixels / np.maximum(beside, 1)
    median = float(np.median(frequency[present])) if present.any() else 1.0
    return _mean_one(median / np.maximum(frequency, 1e-12), present)


def _mean_one(weights: NDArray[np.float64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    if not present.any():
        return np.ones_like(weights)
    return np.where(present, weights / weights[present].mean(), 1.0)


def weight_tensor(weights: tuple[float, ...]) -> Tensor | None:
    """(K,) float32, or `None` for no weighting."""
    return torch.tensor(weights, dtype=torch.float32) if weights else None
