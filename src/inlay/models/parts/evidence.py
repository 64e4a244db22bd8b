"""What a target says of things whose masks nobody drew, at the resolution at which masks are learnt."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from inlay.models.losses.partial import partial_losses
from inlay.models.parts.rois import roi_align
from inlay.models.parts.targets import Target


@dataclass(frozen=True, eq=False)
class Evidence:
    """Boxes, named pixels and colours of some things.

    Parameters
    ----------
    inside
        (N, h, w) bool: the box of each.
    hints
        (N, h, w): 1 for pixels known to be of it, -1 for those known not to be, 0 where nobody said.
    colours
        (N or 1, 3, h, w) of the image.
    """

    inside: Tensor
    hints: Tensor
    colours: Tensor

    def losses(self, logits: Tensor) -> Tensor:
        """(N,) losses of masks (N, h, w)."""
        return partial_losses(logits, self.inside, self.hints, self.colours)


def evidence_at(target: Target, things: Tensor, stride: int) -> Evidence:
    """Evidence of whole maps, each pixel of which stands for `stride` x `stride` of the image."""
    layer, number = target.layer_of[things], (things + 1).reshape(-1, 1, 1)
    height, width = (-(-side // stride) * stride for side in target.layers.shape[1:])
    beyond = (0, width - target.layers.shape[2], 0, height - target.layers.shape[1])

    def coarse(field: Tensor) -> Tensor:
        return F.max_pool2d(F.pad(field.float(), beyond), stride)

    seen = target.layers[:, stride // 2 :: stride, stride // 2 :: stride]
    rows, columns = seen.shape[1:]
    hints = coarse(target.hints == 1)[layer] - coarse(target.hints == -1)[layer]
    colours = F.avg_pool2d(F.pad(target.colours[None], beyond, mode="replicate"), stride)
    return Evidence(seen[layer] == number, hints[:, :rows, :columns], colours[..., :rows, :columns])


def evidence_in(target: Target, things: Tensor, boxes: Tensor, size: int) -> Evidence:
    """Evidence of (N, 4) boxes of the image, each seen as `size` x `size` bins."""
    layer, number = target.layer_of[things], (things + 1).reshape(-1, 1, 1)
    own = target.layers[layer] == number
    inside = roi_align(own[:, None].float(), boxes[:, None], size, stride=1)[:, 0, 0] >= 0.5
    colours = roi_align(target.colours[None], boxes[None], size, stride=1)[0]
    return Evidence(inside, _binned(target.hints[layer] * own, boxes, size), colours)


def _binned(hints: Tensor, boxes: Tensor, size: int) -> Tensor:
    """(N, size, size) signs of the hints (N, H, W) that fall into each bin of each box: none is lost."""
    thing, y, x = torch.nonzero(hints, as_tuple=True)
    corner, side = boxes[thing, :2], boxes[thing, 2:] - boxes[thing, :2]
    place = (torch.stack([x, y], 1) + 0.5 - corner) / side.clamp(min=1e-3) * size
    column, row = place.floor().long().unbind(1)
    seen = (column >= 0) & (column < size) & (row >= 0) & (row < size)
    sums = torch.zeros(len(hints), size, size, device=hints.device)
    at = thing[seen], row[seen], column[seen]
    return sums.index_put_(at, hints[thing, y, x][seen].float(), accumulate=True).sign()
