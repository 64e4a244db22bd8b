"""Losses of masks of which only the box, or some pixels, are known (BoxInst, Tian et al. 2021; PointSup).

A mask has to fill its box from side to side and to leave nothing outside; neighbouring pixels of like colour
have to be on the same side of its edge; pixels that somebody named are learnt as they are named.

Two things differ from BoxInst, so that one setting serves photographs and dim microscope pictures from the
first step on: colours are alike by the spread of colours in their box, not by a fixed distance, and the
second loss counts as much as a mask fills its box already, instead of after a fixed number of steps; until
then the mask is learnt as its box.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType

import torch
from torch import Tensor
from torch.nn import functional as F

from inlay.models.losses.mask import dice

Place = tuple[EllipsisType, slice, slice]
NEIGHBOURS = ((0, 2), (2, 0), (2, 2), (2, -2))  # rows, columns; each pair once
ALIKE = 0.5  # of the standard deviation of the colours in a box


def partial_losses(logits: Tensor, inside: Tensor, hints: Tensor, colours: Tensor) -> Tensor:
    """(N,) losses of masks.

    Parameters
    ----------
    logits
        (N, H, W) of each mask.
    inside
        (N, H, W) bool: the box of each.
    hints
        (N, H, W): 1 for pixels known to be of it, -1 for those known not to be, 0 where nobody said.
    colours
        (N or 1, 3, H, W) of the image.
    """
    boxed = projection(logits, inside)
    trust = (1 - boxed.detach()).clamp(min=0).square()
    filled = dice(logits, inside.to(logits.dtype), torch.ones_like(inside[0]))
    learnt = boxed + (1 - trust) * filled + trust * affinity(logits, inside, colours)
    return learnt + named(logits, hints * inside)


def projection(logits: Tensor, inside: Tensor) -> Tensor:
    """(N,) 1 - Dice of what a mask covers of each row and each column, and what its box covers, summed."""
    found, truth = logits.sigmoid(), inside.to(logits.dtype)
    losses = logits.new_zeros(len(logits))
    for axis in (1, 2):
        across, wanted = found.amax(axis), truth.amax(axis)
        both = (across * wanted).sum(1)
        losses = losses + 1 - (2 * both + 1e-3) / (across.square().sum(1) + wanted.square().sum(1) + 1e-3)
    return losses


def affinity(logits: Tensor, inside: Tensor, colours: Tensor) -> Tensor:
    """(N,) mean of -log P(both in the mask, or both out) over pairs of like colour that touch the box."""
    limit = ALIKE * spread(inside, colours)
    rows, columns = window(inside.any(2)), window(inside.any(1))  # far from the box no pair counts
    at = torch.arange(len(logits), device=logits.device)[:, None, None], rows[:, :, None], columns[:, None]
    logits, inside = logits[at], inside[at]
    colours = colours.expand(len(inside), -1, -1, -1).movedim(1, -1)[at].movedim(-1, 1)
    yes, no = F.logsigmoid(logits), F.logsigmoid(-logits)
    total, pairs = logits.new_zeros(len(logits)), logits.new_zeros(len(logits))
    for down, right in NEIGHBOURS:
        one, other = shifted(logits.shape[1:], down, right)
        same = torch.logaddexp(yes[one] + yes[other], no[one] + no[other])
        distance = (colours[one] - colours[other]).square().sum(1).sqrt()
        alike = (distance < limit[:, None, None]) & (inside[one] | inside[other])
        total = total - (same * alike).sum((1, 2))
        pairs = pairs + alike.sum((1, 2))
    return total / pairs.clamp(min=1)


def window(touched: Tensor) -> Tensor:
    """(N, w) places along an axis: those of each box (N, L) and two on either side, as many for all boxes."""
    length = touched.shape[1]
    wide = min(length, int(touched.sum(1).max()) + 4) if touched.numel() else length
    first = touched.to(torch.uint8).argmax(1) - 2
    return first.clamp(0, length - wide)[:, None] + torch.arange(wide, device=touched.device)


def spread(inside: Tensor, colours: Tensor) -> Tensor:
    """(N,) standard deviation of the colours in each box."""
    weight = inside.to(colours.dtype).flatten(1)
    count = weight.sum(1).clamp(min=1)
    values = colours.flatten(2).expand(len(inside), -1, -1)
    mean = (values * weight[:, None]).sum(2) / count[:, None]
    squares = (values.square() * weight[:, None]).sum(2) / count[:, None] - mean.square()
    return squares.clamp(min=0).sum(1).sqrt()


def named(logits: Tensor, hints: Tensor) -> Tensor:
    """(N,) mean cross-entropy of the pixels that somebody named; zero where there are none."""
    known = (hints != 0).to(logits.dtype)
    losses = F.binary_cross_entropy_with_logits(logits, (hints > 0).to(logits.dtype), reduction="none")
    return (losses * known).sum((1, 2)) / known.sum((1, 2)).clamp(min=1)


def shifted(size: Sequence[int], down: int, right: int) -> tuple[Place, Place]:
    """Places of two views of (..., H, W) maps, the second of them so many pixels below and right."""
    height, width = size
    one = slice(max(0, -down), height - max(0, down)), slice(max(0, -right), width - max(0, right))
    other = slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right))
    return (..., one[0], one[1]), (..., other[0], other[1])
