"""Boxes as tensors: overlap, the four numbers a head learns, and greedy suppression without a branch."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from inlay.models.parts.nms import greedy_nms

LARGEST_STEP = math.log(1000 / 16)  # of the logarithm of a side: a first guess must not explode
AT_ONCE = 2_000_000  # pairs of boxes
ROUNDS = 8  # of suppression; chains of boxes that suppress one another are shorter


def box_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """(..., N, M) overlap of (..., N, 4) and (..., M, 4) boxes x0, y0, x1, y1; 0 for empty ones."""
    low = torch.maximum(boxes[..., :, None, :2], others[..., None, :, :2])
    high = torch.minimum(boxes[..., :, None, 2:], others[..., None, :, 2:])
    both = (high - low).clamp(min=0).prod(-1)
    area = (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)
    areas = (others[..., 2:] - others[..., :2]).clamp(min=0).prod(-1)
    union = area[..., :, None] + areas[..., None, :] - both
    return both / union.clamp(min=1e-6)


def rows_at_once(others: Tensor) -> int:
    """How many boxes are compared with all others at once: memory does not grow with thousands of both."""
    return max(1, AT_ONCE // max(1, len(others)))


def matched(boxes: Tensor, truth: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Who overlaps whom most: (N,) truth of each box and by how much, (M,) box of each truth, likewise.

    `truth` must not be empty.
    """
    best, overlap = [], []
    nearest = torch.zeros(len(truth), dtype=torch.int64, device=boxes.device)
    reach = boxes.new_full((len(truth),), -1.0)
    rows = rows_at_once(truth)
    for start in range(0, len(boxes), rows):
        iou = box_iou(boxes[start : start + rows], truth)
        most = iou.max(1)
        overlap.append(most.values)
        best.append(most.indices)
        here = iou.max(0)
        nearest = torch.where(here.values > reach, here.indices + start, nearest)
        reach = torch.maximum(reach, here.values)
    return torch.cat(best), torch.cat(overlap), nearest, reach


def encode(boxes: Tensor, anchors: Tensor, weights: tuple[float, float]) -> Tensor:
    """(N, 4) steps from anchors to boxes: centre in sides, logarithm of sides (Girshick et al. 2014).

    `weights` scale the steps of the centre and of the sides to about unit variance.
    """
    middle, side = _middle_side(anchors)
    to_middle, to_side = _middle_side(boxes)
    steps = (to_middle - middle) / side * weights[0]
    return torch.cat([steps, (to_side / side).log() * weights[1]], -1)


def decode(steps: Tensor, anchors: Tensor, weights: tuple[float, float]) -> Tensor:
    """(..., 4) boxes that steps lead to from anchors; the inverse of `encode`."""
    middle, side = _middle_side(anchors)
    to_middle = middle + steps[..., :2] / weights[0] * side
    half = (steps[..., 2:] / weights[1]).clamp(max=LARGEST_STEP).exp() * side / 2
    return torch.cat([to_middle - half, to_middle + half], -1)


def _middle_side(boxes: Tensor) -> tuple[Tensor, Tensor]:
    side = (boxes[..., 2:] - boxes[..., :2]).clamp(min=1e-3)
    return boxes[..., :2] + side / 2, side


def clip(boxes: Tensor, height: int, width: int) -> Tensor:
    """(..., 4) boxes cut at the sides of the image."""
    x = boxes[..., 0::2].clamp(0, width)
    y = boxes[..., 1::2].clamp(0, height)
    return torch.stack([x[..., 0], y[..., 0], x[..., 1], y[..., 1]], -1)


def unsuppressed(boxes: Tensor, group: Tensor, limit: float, *, groups: int) -> Tensor:
    """(..., N) bool of falling boxes: no better kept box of the same group overlaps it by more than `limit`.

    `group` is in 0 .. groups - 1.
    """
    if torch.compiler.is_compiling():
        whole: Tensor = unsuppressed_whole(boxes, group, limit, groups)
        return whole
    return _greedy(boxes, group, limit)


@torch.library.custom_op(
    "inlay::unsuppressed",
    mutates_args=(),
    schema="(Tensor boxes, Tensor group, float limit, int groups) -> Tensor",
)
def unsuppressed_whole(boxes: Tensor, group: Tensor, limit: float, groups: int) -> Tensor:  # noqa: ARG001
    """`unsuppressed` as one operation of a graph, for which who writes the graph has a word."""
    return _greedy(boxes, group, limit)


@unsuppressed_whole.register_fake
def _(boxes: Tensor, group: Tensor, limit: float, groups: int) -> Tensor:  # noqa: ARG001
    return torch.empty_like(boxes[..., 0], dtype=torch.bool)


def unsuppressed_in_rounds(boxes: Tensor, group: Tensor, limit: float, groups: int) -> Tensor:  # noqa: ARG001
    """What `unsuppressed` gives, slower, in operations that all programs know.

    Each of a fixed number of rounds over the overlap matrix settles the boxes whose rivals are settled.
    """
    rival = (box_iou(boxes, boxes) > limit) & (group[..., :, None] == group[..., None, :])
    count = boxes.shape[-2]
    place = torch.arange(count, device=boxes.device)
    rival = (rival & (place[:, None] < place[None, :])).to(boxes.dtype)
    kept = torch.ones_like(boxes[..., 0])
    for _ in range(ROUNDS):
        kept = (torch.matmul(kept.unsqueeze(-2), rival).squeeze(-2) < 0.5).to(boxes.dtype)
    return kept > 0.5


def _greedy(boxes: Tensor, group: Tensor, limit: float) -> Tensor:
    kept = np.zeros(boxes.shape[:-1], np.bool_)
    flat = kept.reshape(-1, kept.shape[-1])
    arrays = boxes.detach().float().cpu().numpy().reshape(*flat.shape, 4), group.long().cpu().numpy()
    for mine, some, rows in zip(flat, arrays[0], arrays[1].reshape(flat.shape)):
        mine[greedy_nms(some, rows, limit)] = True
    return torch.from_numpy(kept).to(boxes.device)
