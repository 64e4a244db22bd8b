"""Task-aligned assignment: the places learn a thing that both name it and box it best (Feng et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inlay.models.parts.boxes import box_iou
from inlay.models.parts.targets import Target

SCORE_POWER, OVERLAP_POWER = 0.5, 6.0  # how much the score and the overlap count
BEST = 10  # places of one thing


@dataclass(frozen=True, eq=False)
class Aligned:
    """What the places of one image are to find.

    Parameters
    ----------
    things
        (N,) int64 number of the thing that a place is to find, -1 for none.
    share
        (N,) the score that it is to give: how well it does, among the places of the same thing.
    known
        (N,) bool: false where a place is not judged.
    """

    things: Tensor
    share: Tensor
    known: Tensor


def places_of(shapes: Sequence[tuple[int, int]], strides: Sequence[int], like: Tensor) -> Tensor:
    """(N, 3) x, y of the middle of each pixel of all levels, level by level, row by row, and its stride."""
    found = []
    for (height, width), stride in zip(shapes, strides):
        y = (torch.arange(height, dtype=like.dtype, device=like.device) + 0.5) * stride
        x = (torch.arange(width, dtype=like.dtype, device=like.device) + 0.5) * stride
        middle = torch.stack([x.expand(height, -1), y[:, None].expand(-1, width)], -1).reshape(-1, 2)
        found.append(torch.cat([middle, torch.full_like(middle[:, :1], float(stride))], 1))
    return torch.cat(found)


def assign_aligned(scores: Tensor, boxes: Tensor, places: Tensor, target: Target) -> Aligned:
    """For each thing the best places inside its box, by score ** 0.5 * overlap ** 6.

    A place that suits several things finds the one that it overlaps most. A thing so small that no place
    lies in its box gets the nearest one.

    Parameters
    ----------
    scores
        (N, K) in 0 .. 1, what the places say now, and `boxes` (N, 4).
    places
        (N, 3) x, y, stride.
    """
    known = judged(places, target)
    if len(target) == 0:
        return Aligned(torch.full_like(known, -1, dtype=torch.int64), torch.zeros_like(scores[:, 0]), known)
    inside = _inside(places, target)
    overlap = box_iou(boxes, target.boxes)
    fit = scores[:, target.class_id] ** SCORE_POWER * overlap**OVERLAP_POWER
    best = torch.where(inside, fit, -1.0).topk(min(BEST, len(places)), 0).indices
    chosen = torch.zeros_like(inside).scatter_(0, best, True) & inside
    things = torch.where(chosen, overlap, -1.0).argmax(1)
    found = chosen.any(1)
    mine = chosen & (torch.arange(len(target), device=things.device) == things[:, None])
    most = torch.where(mine, fit, 0.0).amax(0).clamp(min=1e-30)
    reached = torch.where(mine, overlap, 0.0).amax(0)
    rows = torch.arange(len(things), device=things.device)
    share = fit[rows, things] / most[things] * reached[things]
    return Aligned(torch.where(found, things, -1), torch.where(found, share, 0.0).clamp(0, 1), known | found)


def judged(places: Tensor, target: Target) -> Tensor:
    """(N,) whether a place lies on the image, and not where nothing is right or wrong."""
    height, width = target.ignored.shape
    x, y = places[:, 0].floor().long(), places[:, 1].floor().long()
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return inside & ~target.ignored[y.clamp(0, height - 1), x.clamp(0, width - 1)]


def _inside(places: Tensor, target: Target) -> Tensor:
    """(N, T) whether a place lies in the box of a thing, or is the nearest to one that holds no place."""
    x, y = places[:, :1], places[:, 1:2]
    x0, y0, x1, y1 = target.boxes.unbind(1)
    inside = (x > x0) & (x < x1) & (y > y0) & (y < y1)
    distance = (x - (x0 + x1) / 2).square() + (y - (y0 + y1) / 2).square()
    nearest = distance.argmin(0)
    lost = ~inside.any(0)
    return inside | (lost & (torch.arange(len(places), device=x.device)[:, None] == nearest))
