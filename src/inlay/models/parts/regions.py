"""Two-stage networks: proposals, then a class, a box and a mask for each (Ren 2015, He 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.models.decode.regions import things_of_regions
from inlay.models.encoders import make_encoder
from inlay.models.parts.blocks import ConvNorm, initialise
from inlay.models.parts.boxes import clip, decode, encode, unsuppressed
from inlay.models.parts.evidence import evidence_in
from inlay.models.parts.fpn import BottomUp, FeaturePyramid
from inlay.models.parts.pixels import Contrast, Contrast255, pad_to
from inlay.models.parts.proposals import (
    ProposalHead,
    anchors_of,
    best_match,
    proposal_losses,
    propose,
    sampled,
)
from inlay.models.parts.rois import pool_each_level, pool_own_level, taps
from inlay.models.parts.settings import EncoderSettings
from inlay.models.parts.sizes import anchored
from inlay.models.parts.targets import Facts, Target, Targets

STEPS = (10.0, 5.0)  # boxes of the second stage are nearly right: their steps are scaled up
LEARNT, LEARNT_POSITIVE = 128, 0.25  # proposals of one image that a step looks at
MATCHED = 0.5  # overlap from which a proposal shows a thing
LEAST_PROPOSALS, LEAST_DETECTIONS, MOST_PROPOSALS = 300, 200, 1000
BOX_BINS, MASK_BINS = 7, 14
RIM, BEYOND = 2, -8.0  # bins around a box whose colours tell what is not of the thing, and their logit


@dataclass(frozen=True)
class RegionConfig(EncoderSettings):
    """Settings of a two-stage network.

    Parameters
    ----------
    encoder
        Any encoder of the zoo; its last four levels are used.
    head
        Channels of the pyramid and of the mask head.
    hidden
        Units of the two layers of the box head.
    anchors
        Sides of the anchors at strides 4, 8, 16 and 32, pixels; empty: by the sizes in the data.
    proposals
        Boxes of one image that reach the second stage; 0: by the most things of an image in the data.
    detections
        Most things of one image; 0: by the data, alike.
    masks
        Whether things get masks; without, the family is a detector of boxes.
    minimum_score
        Things below it are left out.
    overlap
        Boxes of one class that overlap a better one by more are left out.
    """

    depths: tuple[int, ...] = (1, 1, 1, 1)
    contrast: Contrast = "image"
    head: int = 96
    hidden: int = 256
    anchors: tuple[float, ...] = ()
    proposals: int = 0
    detections: int = 0
    masks: bool = True
    minimum_score: float = 0.05
    overlap: float = 0.5


Settings = TypeVar("Settings", bound=RegionConfig)


def fitted(config: Settings, facts: Facts) -> Settings:
    """The config with anchors, proposals and detections fitted to the things in the data."""
    most = facts.most_things
    return replace(
        anchored(config, facts),
        proposals=config.proposals or min(max(LEAST_PROPOSALS, 3 * most), MOST_PROPOSALS),
        detections=config.detections or min(max(LEAST_DETECTIONS, 2 * most), MOST_PROPOSALS),
    )


class Regions(nn.Module):
    """Encoder, pyramid, proposals and heads; with `path_up`, PANet's three additions."""

    def __init__(self, config: RegionConfig, classes: Classes, *, path_up: bool) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.contrast = Contrast255(config.contrast)
        self.encoder = make_encoder(config.encoder, config.widths, config.depths, config.norm)
        self.strides = self.encoder.strides[-len(config.anchors) :]
        self.pyramid = FeaturePyramid(self.encoder.widths[-len(config.anchors) :], config.head)
        self.path_up = BottomUp(len(config.anchors), config.head) if path_up else None
        self.proposal_head = ProposalHead(config.head)
        self.box_head = BoxHead(
            config.head, config.hidden, len(classes), levels=len(config.anchors), fuse=path_up
        )
        self.mask_head = (
            MaskHead(config.head, len(classes), levels=len(config.anchors), fuse=path_up)
            if config.masks
            else None
        )
        self.usual = 2 * config.anchors[min(1, len(config.anchors) - 1)] / 1.5
        self.apply(initialise)
        for layer in (self.proposal_head.score, self.proposal_head.step, self.box_head.step):
            nn.init.normal_(layer.weight, std=0.01)
        nn.init.normal_(self.box_head.category.weight, std=0.01)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) pixels 0 .. 255 -> what is to be learnt from (training) or decoded.

        In training: scores (B, N) and steps (B, N, 4) of the anchors, then the features. Else: boxes
        (B, M, 4), scores (B, M), class rows (B, M), and mask logits (B, M, 28, 28) where there are masks.
        """
        return self.found(self.features(pad_to(self.contrast(images), 32)))

    def features(self, padded: Tensor) -> list[Tensor]:
        """(B, 3, H, W), sides multiples of 32 -> levels of the pyramid from fine to coarse."""
        features: list[Tensor] = self.pyramid(self.encoder(padded)[-len(self.strides) :])
        if self.path_up is not None:
            features = self.path_up(features)
        return features

    def found(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """What `forward` gives, from the levels of the pyramid."""
        scores, steps = self.proposal_head(features)
        if self.training:
            return scores, steps, *features
        return self._detections(features, scores, steps)

    def _anchors(self, features: Sequence[Tensor]) -> Tensor:
        shapes = [(feature.shape[2], feature.shape[3]) for feature in features]
        return anchors_of(shapes, self.strides, self.config.anchors, features[0])

    def _size(self, features: Sequence[Tensor]) -> tuple[int, int]:
        return features[0].shape[2] * self.strides[0], features[0].shape[3] * self.strides[0]

    def _pooled(self, features: Sequence[Tensor], boxes: Tensor, bins: int) -> list[Tensor]:
        """[(B, R, C, bins, bins)]: one, or one from each level for heads that join them."""
        if self.path_up is not None:
            return pool_each_level(features, boxes, bins, strides=self.strides)
        return [pool_own_level(features, boxes, bins, strides=self.strides, usual=self.usual)]

    def _detections(self, features: Sequence[Tensor], scores: Tensor, steps: Tensor) -> tuple[Tensor, ...]:
        config, size = self.config, self._size(features)
        boxes = propose(
            scores, steps, self._anchors(features), size, before=3 * config.proposals, after=config.proposals
        )
        logits, moves = self.box_head(self._pooled(features, boxes, BOX_BINS))
        score, row = logits.softmax(-1)[..., 1:].max(-1)
        boxes = clip(decode(moves, boxes, STEPS), *size)
        order = torch.sort(score, dim=1, descending=True, stable=True).indices
        score, row = score.gather(1, order), row.gather(1, order)
        boxes = boxes.gather(1, order[..., None].expand(-1, -1, 4))
        kept = unsuppressed(boxes, row, config.overlap, groups=len(self.classes))
        score, place = torch.where(kept, score, torch.zeros_like(score)).topk(
            min(config.detections, score.shape[1]), 1
        )
        boxes, row = boxes.gather(1, place[..., None].expand(-1, -1, 4)), row.gather(1, place)
        if self.mask_head is None:
            return boxes, score, row
        return boxes, score, row, self._masks(features, boxes, score, row)

    def _masks(self, features: Sequence[Tensor], boxes: Tensor, score: Tensor, row: Tensor) -> Tensor:
        """(B, M, 28, 28) logits of each box in its class; zeros for suppressed ones, which come last."""
        assert self.mask_head is not None
        count = score.shape[1] if torch.compiler.is_compiling() else int((score > 0).sum(1).max())
        masks = self.mask_head(self._pooled(features, boxes[:, :count], MASK_BINS))
        chosen = row[:, :count, None, None, None].expand(-1, -1, -1, *masks.shape[3:])
        found = masks.gather(2, chosen).squeeze(2)
        return F.pad(found, (0, 0, 0, 0, 0, score.shape[1] - count))

    def loss(self, raw: tuple[Tensor, ...], targets: Targets) -> dict[str, Tensor]:
        """Losses of the proposals, and of the classes, boxes and masks of a sample of them."""
        scores, steps, *features = (part.float() for part in raw)
        anchors = self._anchors(features)
        judged, moved = proposal_losses(scores, steps, anchors, targets)
        with torch.no_grad():
            boxes = propose(
                scores,
                steps,
                anchors,
                self._size(features),
                before=3 * self.config.proposals,
                after=self.config.proposals,
            )
        of_images = zip(*(torch.split(feature, 1) for feature in features))
        parts = [
            self._second_stage(own, some, target) for own, some, target in zip(of_images, boxes, targets)
        ]
        category, box, mask = torch.stack(parts).mean(0)
        found = {"proposal": judged, "proposal_box": moved, "category": category, "box": box}
        return found | ({"mask": mask} if self.mask_head is not None else {})

    def _second_stage(self, own: Sequence[Tensor], boxes: Tensor, target: Target) -> Tensor:
        """(3,) losses of class, box and mask of one image, from its features (1, C, h, w)."""
        boxes = torch.cat([boxes, target.boxes.to(boxes)])
        best, overlap = best_match(boxes, target.boxes)
        right = overlap >= MATCHED
        rows = sampled(right, ~right & ~_mostly_ignored(boxes, target), LEARNT, LEARNT_POSITIVE)
        boxes, best, right = boxes[rows], best[rows], right[rows]
        if len(boxes) == 0:
            return torch.stack(
                [torch.stack([feature.sum() for feature in own]).sum() * 0] * 3
            )  # keeps the graph whole
        logits, moves = self.box_head(self._pooled(own, boxes[None], BOX_BINS))
        truth = torch.where(right, target.class_id[best] + 1, 0) if len(target) else torch.zeros_like(rows)
        category = F.cross_entropy(logits[0], truth)
        if not right.any():
            return torch.stack([category, moves.sum() * 0, moves.sum() * 0])
        aim = encode(target.boxes[best[right]], boxes[right], STEPS)
        box = F.smooth_l1_loss(moves[0][right], aim, beta=1.0, reduction="sum") / len(rows)
        if self.mask_head is None:
            return torch.stack([category, box, box * 0])
        masks = self.mask_head(self._pooled(own, boxes[right][None], MASK_BINS))[0]
        mine = masks[torch.arange(len(masks)), target.class_id[best[right]]]
        return torch.stack([category, box, mask_losses(mine, target, best[right], boxes[right]).mean()])

    def decode(
        self, raw: Sequence[Tensor], sizes: Sequence[tuple[int, int]], *, minimum_score: float | None = None
    ) -> list[Segmentation]:
        """Things of each image, the surest in front."""
        least = self.config.minimum_score if minimum_score is None else minimum_score
        arrays = [part.detach().float().cpu().numpy() for part in raw]
        return [
            things_of_regions([array[k] for array in arrays], size, self.classes, minimum_score=least)
            for k, size in enumerate(sizes)
        ]


class Joined(nn.Module):
    """Adaptive feature pooling: each level through its own layer, then the largest of all (PANet, 3.2)."""

    def __init__(self, width: int, levels: int) -> None:
        super().__init__()
        self.each = nn.ModuleList(ConvNorm(width, width, norm="group") for _ in range(levels))

    def forward(self, pooled: Sequence[Tensor]) -> Tensor:
        """[(N, C, S, S)] -> (N, C, S, S)."""
        return torch.stack([layer(part) for layer, part in zip(self.each, pooled)]).amax(0)


class BoxHead(nn.Module):
    """Class logits (background first) and steps, from pooled features."""

    def __init__(self, width: int, hidden: int, classes: int, *, levels: int, fuse: bool) -> None:
        super().__init__()
        self.join = Joined(width, levels) if fuse else None
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(width * BOX_BINS**2, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
        )
        self.category = nn.Linear(hidden, classes + 1)
        self.step = nn.Linear(hidden, 4)

    def forward(self, pooled: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """[(B, R, C, S, S)] -> (B, R, K + 1) and (B, R, 4)."""
        images, count = pooled[0].shape[:2]
        flat = [part.flatten(0, 1) for part in pooled]
        x = self.layers(flat[0] if self.join is None else self.join(flat))
        return self.category(x).reshape(images, count, -1), self.step(x).reshape(images, count, 4)


class MaskHead(nn.Module):
    """Mask logits of each class; `fuse` adds a fully connected view of the whole region (PANet, 3.3)."""

    def __init__(self, width: int, classes: int, *, levels: int, fuse: bool) -> None:
        super().__init__()
        self.join = Joined(width, levels) if fuse else None
        self.layers = nn.Sequential(*(ConvNorm(width, width, norm="group") for _ in range(3)))
        self.enlarge = nn.ConvTranspose2d(width, width, 2, 2)
        self.category = nn.Conv2d(width, classes, 1)
        self.whole = (
            nn.Sequential(
                ConvNorm(width, width // 2, norm="group"),
                nn.Flatten(),
                nn.Linear(width // 2 * MASK_BINS**2, (2 * MASK_BINS) ** 2),
            )
            if fuse
            else None
        )

    def forward(self, pooled: Sequence[Tensor]) -> Tensor:
        """[(B, R, C, 14, 14)] -> (B, R, K, 28, 28)."""
        images, count = pooled[0].shape[:2]
        flat = [part.flatten(0, 1) for part in pooled]
        x = self.layers(flat[0] if self.join is None else self.join(flat))
        found: Tensor = self.category(F.relu(self.enlarge(x)))
        if self.whole is not None:
            found = found + self.whole(x).reshape(-1, 1, 2 * MASK_BINS, 2 * MASK_BINS)
        return found.reshape(images, count, *found.shape[1:])


def mask_losses(logits: Tensor, target: Target, things: Tensor, boxes: Tensor) -> Tensor:
    """(N,) cross-entropy of masks (N, S, S) in their boxes; of what is known where masks are not whole."""
    whole, size = target.whole[things], logits.shape[-1]
    with torch.no_grad():
        wanted = masks_in_boxes(target, things[whole], boxes[whole], size)
    losses = F.binary_cross_entropy_with_logits(logits[whole], wanted, reduction="none").mean((1, 2))
    if whole.all():
        return losses
    boxes = boxes[~whole]
    rim = RIM * (boxes[:, 2:] - boxes[:, :2]) / size
    evidence = evidence_in(
        target, things[~whole], torch.cat([boxes[:, :2] - rim, boxes[:, 2:] + rim], 1), size + 2 * RIM
    )
    return torch.cat([losses, evidence.losses(F.pad(logits[~whole], (RIM,) * 4, value=BEYOND))])


def masks_in_boxes(target: Target, rows: Tensor, boxes: Tensor, size: int) -> Tensor:
    """(N, size, size) share of each bin of each box that a thing covers."""
    height, width = target.layers.shape[1:]
    place, share = taps(boxes, size, (height, width), 1)
    place = place + (target.layer_of[rows] * height * width).reshape(-1, 1, 1, 1)
    inside = target.layers.flatten()[place] == (rows + 1).reshape(-1, 1, 1, 1)
    return (share * inside).sum(-1)


def _mostly_ignored(boxes: Tensor, target: Target) -> Tensor:
    """(N,) whether more than half of a box is not judged, by nine places in it."""
    height, width = target.ignored.shape
    share = torch.tensor([1 / 6, 1 / 2, 5 / 6], device=boxes.device)
    x = (boxes[:, :1] + (boxes[:, 2:3] - boxes[:, :1]) * share).long()
    y = (boxes[:, 1:2] + (boxes[:, 3:4] - boxes[:, 1:2]) * share).long()
    outside = (x[:, None, :] >= width) | (y[:, :, None] >= height)
    seen = target.ignored[y.clamp(0, height - 1)[:, :, None], x.clamp(0, width - 1)[:, None, :]]
    return (seen | outside).float().mean((1, 2)) > 0.5
