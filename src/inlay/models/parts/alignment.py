"""Task-aligned assignment: the places learn a thing that both name it and box it best (Feng et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inlay.models.parts.boxes import box_iou, rows_at_once
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
    rows = rows_at_once(places)
    several = zip(torch.split(target.boxes, rows), torch.split(target.class_id, rows))
    parts = [_claims(scores, boxes, places, *some) for some in several]
    place, overlap, fit, claimed = (torch.cat(part) for part in zip(*parts, strict=True))
    thing = torch.arange(len(target), device=place.device)[:, None].expand_as(place)
    reach = overlap.new_full((len(places),), -1.0)
    reach = reach.scatter_reduce(0, place[claimed], overlap[claimed], "amax")
    won = claimed & (overlap == reach[place])
    nobody = torch.full_like(known, len(target), dtype=torch.int64)
    things = nobody.scatter_reduce(0, place[won], thing[won], "amin")
    mine = claimed & (things[place] == thing)
    most = torch.where(mine, fit, 0.0).amax(1, keepdim=True).clamp(min=1e-30)
    reached = torch.where(mine, overlap, 0.0).amax(1, keepdim=True)
    share = torch.zeros_like(scores[:, 0])
    share[place[mine]] = (fit / most * reached)[mine].clamp(0, 1)
    found = things < len(target)
    return Aligned(torch.where(found, things, -1), share, known | found)


def _claims(scores: Tensor, boxes: Tensor, places: Tensor, wanted: Tensor, rows: Tensor) -> list[Tensor]:
    """(T, 10) places that things would have, overlap and fit there, and whether a claim holds.

    Parameters
    ----------
    wanted
        (T, 4) boxes of the things, and their class `rows`.
    """
    inside = _inside(places, wanted)
    overlap = box_iou(boxes, wanted)
    fit = scores[:, rows] ** SCORE_POWER * overlap**OVERLAP_POWER
    best = torch.where(inside, fit, -1.0).topk(min(BEST, len(places)), 0).indices
    return [best.T, *(part.gather(0, best).T for part in (overlap, fit, inside))]


def judged(places: Tensor, target: Target) -> Tensor:
    """(N,) whether a place lies on the image, and not where nothing is right or wrong."""
    height, width = target.ignored.shape
    x, y = places[:, 0].floor().long(), places[:, 1].floor().long()
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return inside & ~target.ignored[y.clamp(0, height - 1), x.clamp(0, width - 1)]


def _inside(places: Tensor, wanted: Tensor) -> Tensor:
    """(N, T) whether a place lies in the box of a thing, or is the nearest to one that holds no place."""
    x, y = places[:, :1], places[:, 1:2]
    x0, y0, x1, y1 = wanted.unbind(1)
    inside = (x > x0) & (x < x1) & (y > y0) & (y < y1)
    distance = (x - (x0 + x1) / 2).square() + (y - (y0 + y1) / 2).square()
    nearest = distance.argmin(0)
    lost = ~inside.any(0)
    return inside | (lost & (torch.arange(len(places), device=x.device)[:, None] == nearest))
