"""Region proposals: anchors, the head that judges them, the choice among them, and how they learn."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inlay.models.parts.boxes import box_iou, clip, decode, encode, matched, rows_at_once, unsuppressed
from inlay.models.parts.targets import Target

RATIOS = (0.5, 1.0, 2.0)  # height over width of the anchors at each place
STEPS = (1.0, 1.0)
LEARNT, LEARNT_POSITIVE = 256, 0.5  # anchors of one image that a step looks at (Ren et al. 2015)
SURE, UNSURE = 0.7, 0.3  # overlap from which an anchor is right, and below which it is wrong


def anchors_of(
    shapes: Sequence[tuple[int, int]], strides: Sequence[int], sizes: Sequence[float], like: Tensor
) -> Tensor:
    """(N, 4) anchors of all levels, level by level, row by row, ratio by ratio."""
    found = []
    for (height, width), stride, size in zip(shapes, strides, sizes):
        ratio = torch.tensor(RATIOS, dtype=like.dtype, device=like.device)
        half = torch.stack([size / ratio.sqrt(), size * ratio.sqrt()], 1) / 2
        y = (torch.arange(height, dtype=like.dtype, device=like.device) + 0.5) * stride
        x = (torch.arange(width, dtype=like.dtype, device=like.device) + 0.5) * stride
        middle = torch.stack([x.expand(height, -1), y[:, None].expand(-1, width)], -1).reshape(-1, 1, 2)
        found.append(torch.cat([middle - half, middle + half], -1).reshape(-1, 4))
    return torch.cat(found)


class ProposalHead(nn.Module):
    """A score and four steps for each anchor, from features of all levels with shared weights."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.tower = nn.Conv2d(width, width, 3, padding=1)
        self.score = nn.Conv2d(width, len(RATIOS), 1)
        self.step = nn.Conv2d(width, 4 * len(RATIOS), 1)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Features -> (B, N) scores and (B, N, 4) steps, in the order of `anchors_of`."""
        scores, steps = [], []
        for feature in features:
            x = F.relu(self.tower(feature))
            scores.append(self.score(x).permute(0, 2, 3, 1).flatten(1))
            images = x.shape[0]  # len(x) would be a number of its own in an export
            steps.append(self.step(x).permute(0, 2, 3, 1).reshape(images, -1, 4))
        return torch.cat(scores, 1), torch.cat(steps, 1)


def propose(
    scores: Tensor, steps: Tensor, anchors: Tensor, size: tuple[int, int], *, before: int, after: int
) -> Tensor:
    """(B, after, 4) boxes, the best after suppression; suppressed ones fill the rest where few are left."""
    best, place = scores.topk(min(before, scores.shape[1]), 1)
    boxes = decode(steps.gather(1, place[..., None].expand(-1, -1, 4)), anchors[place], STEPS)
    boxes = clip(boxes, *size)
    kept = unsuppressed(boxes, torch.zeros_like(place), 0.7, groups=1)
    chosen = torch.where(kept, best, best - 1e4).topk(min(after, best.shape[1]), 1).indices
    return boxes.gather(1, chosen[..., None].expand(-1, -1, 4))


def proposal_losses(
    scores: Tensor, steps: Tensor, anchors: Tensor, targets: Sequence[Target]
) -> tuple[Tensor, Tensor]:
    """Losses of the scores and of the steps, over a sample of the anchors of each image."""
    found = []
    for score, step, target in zip(scores, steps, targets):
        best, overlap, right = _judged(anchors, target.boxes)
        wrong = (overlap < UNSURE) & ~right & ~_ignored(anchors, target)
        rows = sampled(right, wrong, LEARNT, LEARNT_POSITIVE)
        truth = right[rows].to(score)
        judged = F.binary_cross_entropy_with_logits(score[rows], truth, reduction="sum") / max(len(rows), 1)
        good = rows[right[rows]]
        aim = encode(target.boxes[best[good]], anchors[good], STEPS) if len(good) else step[good]
        moved = F.smooth_l1_loss(step[good], aim, beta=1 / 9, reduction="sum") / max(len(rows), 1)
        found.append(torch.stack([judged, moved]))
    judged, moved = torch.stack(found).mean(0)
    return judged, moved


def _judged(anchors: Tensor, truth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(N,) best thing of each anchor, by how much it overlaps, and whether it is right.

    Right are those that overlap enough, and those that overlap some thing as no other does.
    """
    if len(truth) == 0:
        return *best_match(anchors, truth), torch.zeros_like(anchors[:, 0], dtype=torch.bool)
    best, overlap, _, reach = matched(anchors, truth)
    nearest = []
    for part in torch.split(anchors, rows_at_once(truth)):
        own = box_iou(part, truth)
        nearest.append(((own >= reach - 1e-4) & (own > 0.1)).any(1))
    return best, overlap, (overlap >= SURE) | torch.cat(nearest)


def best_match(boxes: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) the thing that each box overlaps most, and (N,) by how much; 0 and 0 where there is none."""
    if len(truth) == 0:
        nothing = boxes.new_zeros(len(boxes))
        return nothing.long(), nothing
    return matched(boxes, truth)[:2]


def sampled(right: Tensor, wrong: Tensor, count: int, share: float) -> Tensor:
    """Rows of a random sample: at most `share` of `count` right ones, the rest wrong ones."""
    good, bad = torch.nonzero(right).squeeze(1), torch.nonzero(wrong).squeeze(1)
    good = good[torch.randperm(len(good), device=good.device)[: int(count * share)]]
    bad = bad[torch.randperm(len(bad), device=bad.device)[: count - len(good)]]
    return torch.cat([good, bad])


def _ignored(anchors: Tensor, target: Target) -> Tensor:
    """(N,) whether the middle of an anchor lies where nothing is judged, or outside."""
    middle = (anchors[:, :2] + anchors[:, 2:]) / 2
    height, width = target.ignored.shape
    x, y = middle[:, 0].long(), middle[:, 1].long()
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return target.ignored[y.clamp(0, height - 1), x.clamp(0, width - 1)] | ~inside
