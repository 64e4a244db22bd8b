"""Losses of boxes: complete overlap, and distances told as distributions."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def complete_iou(boxes: Tensor, truth: Tensor) -> Tensor:
    """(N,) overlap of (N, 4) boxes with their truth, less the distance of centres and of shapes (CIoU).

    Zheng et al. 2020, equation 10: boxes that do not touch still learn where to go.
    """
    side, wanted = ((each[:, 2:] - each[:, :2]).clamp(min=1e-3) for each in (boxes, truth))
    low, high = torch.maximum(boxes[:, :2], truth[:, :2]), torch.minimum(boxes[:, 2:], truth[:, 2:])
    both = (high - low).clamp(min=0).prod(1)
    overlap = both / (side.prod(1) + wanted.prod(1) - both).clamp(min=1e-6)
    around = torch.maximum(boxes[:, 2:], truth[:, 2:]) - torch.minimum(boxes[:, :2], truth[:, :2])
    apart = (boxes[:, :2] + boxes[:, 2:] - truth[:, :2] - truth[:, 2:]) / 2
    distance = apart.square().sum(1) / around.square().sum(1).clamp(min=1e-6)
    turn = torch.atan(wanted[:, 0] / wanted[:, 1]) - torch.atan(side[:, 0] / side[:, 1])
    shape = 4 / math.pi**2 * turn.square()
    with torch.no_grad():
        weight = shape / (1 - overlap + shape).clamp(min=1e-6)
    return overlap - distance - weight * shape


def distribution_focal(bins: Tensor, distances: Tensor) -> Tensor:
    """(...,) cross-entropy of (..., M) logits with the two whole numbers beside a distance (DFL).

    Li et al. 2020, equation 6. Distances lie in 0 .. M - 1.
    """
    distances = distances.clamp(0, bins.shape[-1] - 1 - 1e-3)
    below = distances.floor().long()
    share = distances - below
    told = F.log_softmax(bins, -1)
    nearer = told.gather(-1, below[..., None])[..., 0] * (1 - share)
    return -nearer - told.gather(-1, below[..., None] + 1)[..., 0] * share
