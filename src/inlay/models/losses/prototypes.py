"""The loss of masks that are mixed of prototypes, each judged near its own thing only."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from inlay.models.parts.evidence import evidence_at
from inlay.models.parts.targets import Target

OUTSIDE = -8.0  # logit of what lies beyond a box, where masks are cut


def mixed_mask_losses(
    prototypes: Tensor, mixes: Tensor, things: Tensor, target: Target, stride: int
) -> Tensor:
    """(n,) mean cross-entropy of mixed masks inside the boxes of their things, grown by one pixel of the map.

    Of things that are not whole: the losses of what is known of them.

    Parameters
    ----------
    prototypes
        (P, h, w) of one image; one of their pixels is `stride` pixels of the image.
    mixes
        (n, P) coefficients, and `things` (n,) what each is to show.
    """
    half = stride // 2
    seen = target.layers[:, half::stride, half::stride]
    height, width = seen.shape[1:]
    prototypes = prototypes[:, :height, :width]
    x = (torch.arange(width, device=mixes.device) + 0.5) * stride
    y = (torch.arange(height, device=mixes.device) + 0.5) * stride
    boxes = target.boxes[things]
    grown = torch.cat([boxes[:, :2] - stride, boxes[:, 2:] + stride], 1)[:, :, None]
    across = (x >= grown[:, 0]) & (x < grown[:, 2])
    down = (y >= grown[:, 1]) & (y < grown[:, 3])
    inside = down[:, :, None] & across[:, None, :]
    mask, row, column = torch.nonzero(inside).unbind(1)  # few pixels of each map, where things are small
    at = F.embedding(row * width + column, prototypes.flatten(1).T)
    logits = (at * F.embedding(mask, mixes)).sum(1)
    truth = (seen[target.layer_of[things][mask], row, column] == things[mask] + 1).to(mixes.dtype)
    each = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    losses = each.new_zeros(len(things)).index_add(0, mask, each) / inside.sum((1, 2)).clamp(min=1)
    partial = ~target.whole[things]
    if not partial.any():
        return losses
    whole = torch.einsum("np,phw->nhw", mixes[partial], prototypes)
    cut = whole.masked_fill(~inside[partial], OUTSIDE)
    of_partial = evidence_at(target, things[partial], stride).losses(cut)
    return losses.index_put((torch.nonzero(partial).squeeze(1),), of_partial)
