"""Losses of masks, and of the grids that say where there is one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def dice(logits: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """(N,) 1 - Dice of each mask, with squared sums as in SOLO.

    Parameters
    ----------
    logits, truth
        (N, H, W); the truth may be a share of a pixel.
    known
        (H, W) bool, the pixels that count.
    """
    found = logits.sigmoid() * known
    truth = truth * known
    both = (found * truth).sum((1, 2))
    return 1 - (2 * both + 1e-3) / (found.square().sum((1, 2)) + truth.square().sum((1, 2)) + 1e-3)


def focal(logits: Tensor, truth: Tensor, known: Tensor, *, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Sum of the focal losses (Lin et al. 2017) of independent classes; `known` broadcasts over them."""
    share = logits.sigmoid()
    wrong = torch.where(truth > 0, 1 - share, share)
    weight = torch.where(truth > 0, alpha, 1 - alpha)
    losses = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    return (weight * wrong**gamma * losses * known).sum()
