"""TensorMask: each window of dense grids is a mask, large windows in more detail (Chen et al. 2019).

As in the paper: aligned masks swapped to natural ones on a bipyramid (every level predicts at the finest
resolution), a rule that assigns windows by containment and centre, focal loss in its "star" form, weighted
cross-entropy of masks. Natural masks are made of those windows only that are learnt from or kept, and the
finest step and the number of levels follow the sizes in the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inlay.core.classes import Classes
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from inlay.models.decode.regions import things_of_regions
from inlay.models.encoders import level_of, make_encoder
from inlay.models.parts.blocks import ConvNorm, begin_rare, initialise, upsample
from inlay.models.parts.boxes import decode, encode
from inlay.models.parts.fpn import FeaturePyramid
from inlay.models.parts.nms import greedy_nms
from inlay.models.parts.pixels import Contrast, Contrast255, pad_to
from inlay.models.parts.settings import EncoderSettings
from inlay.models.parts.sizes import quantiles
from inlay.models.parts.targets import Facts, Targets
from inlay.models.parts.windows import Slot, assign_windows, natural_masks, slots_of, window_truth

TASK = "instance"
RECIPE: Mapping[str, object] = {
    "learning_rate": 3e-3,
    "augment": {"crop": [256, 256], "scale": [0.6, 1.7], "brightness": 0.4, "contrast": 0.4, "gamma": 0.4},
}
STEPS = (1.5, 0.75)  # weights of the steps from windows to boxes
SHARPNESS, RIGHT_SHARE = 3.0, 0.3  # gamma and alpha of the focal loss
INSIDE = 1.5  # a mask's own pixels count so much more than those around it
CATEGORY, MASK = 1.0, 2.0  # weights of the losses
LEAST_WINDOWS, LEAST_MASKS = 32, 4  # looked at and learnt in a level, however coarse


@dataclass(frozen=True)
class Config(EncoderSettings):
    """Settings of a TensorMask.

    Parameters
    ----------
    encoder
        Any encoder of the zoo that gives features at stride `finest`.
    head
        Channels of the pyramid and of the heads.
    windows
        Sides of the windows, in steps of their level.
    finest
        Step of the finest windows and pixel of all masks, 2 or 4 pixels; 0: by the sizes in the data.
    levels
        Levels of windows, each twice as large as the finer one; 0: by the sizes in the data.
    masks_learnt
        Windows of one size in a batch whose masks a training step looks at, drawn anew in each step; a
        quarter of them in each coarser level.
    candidates
        Windows of one size of the finest level that are looked at, a quarter of them in each coarser level.
    minimum_score
        Things below it are left out.
    overlap
        Boxes of one class that overlap a better one by more are left out.
    """

    depths: tuple[int, ...] = (1, 1, 1, 1)
    contrast: Contrast = "image"
    head: int = 48
    windows: tuple[int, ...] = (11, 15)
    finest: int = 0
    levels: int = 0
    masks_learnt: int = 256
    candidates: int = 800
    minimum_score: float = 0.05
    overlap: float = 0.5

    def __post_init__(self) -> None:
        if self.finest not in (0, 2, 4):
            raise InlayError(f"finest {self.finest} must be 2 or 4, or 0 to follow the sizes in the data")
        if not self.windows or min(self.windows) < 3:
            raise InlayError(
                f"windows {list(self.windows)} must be one side or more, each of at least 3 steps"
            )


def adapt(config: Config, facts: Facts) -> Config:
    """The config with the finest step and the number of levels fitted to the sizes in the data.

    Raises
    ------
    InlayError
        When there is no thing to learn from.
    """
    middle, large = quantiles(facts, 0.5, 0.95)
    finest = config.finest or (2 if middle < 12 else 4)  # 2 takes four times as long
    most = len(config.widths) + 2 - finest.bit_length()  # strides 2, 4, ...
    # crops are enlarged up to 1.7 times, and a window has to hold all of a thing
    needed = 1 + int(np.ceil(np.log2(max(1.0, 2.2 * large / (finest * max(config.windows))))))
    return replace(config, finest=finest, levels=config.levels or max(1, min(needed, most, 4)))


def build(config: Config, classes: Classes) -> TensorMask:
    """A TensorMask with fresh weights."""
    return TensorMask(config, classes)


class TensorMask(nn.Module):
    """A class, a box and a mask for each window of each level."""

    def __init__(self, config: Config, classes: Classes) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.contrast = Contrast255(config.contrast)
        self.encoder = make_encoder(config.encoder, config.widths, config.depths, config.norm)
        self.first = level_of(self.encoder, config.finest)
        if config.levels > len(self.encoder.strides) - self.first:
            raise InlayError(
                f"levels {config.levels} are more than the encoder has from stride {config.finest} on: "
                f"{len(self.encoder.strides) - self.first}"
            )
        head, count = config.head, len(config.windows)
        self.pyramid = FeaturePyramid(self.encoder.widths[self.first :], head)
        self.tower = nn.Sequential(*(ConvNorm(head, head, norm="group") for _ in range(2)))
        self.mask_tower = nn.Sequential(*(ConvNorm(head, head, norm="group") for _ in range(2)))
        self.category = nn.Conv2d(head, count * len(classes), 3, padding=1)
        self.step = nn.Conv2d(head, count * 4, 3, padding=1)
        self.fuse = ConvNorm(head, head, norm="group")
        self.masks = nn.ModuleList(nn.Conv2d(head, side * side, 1) for side in config.windows)
        self.apply(initialise)
        begin_rare(self.category, self.step, *self.masks)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) pixels 0 .. 255 -> what is to be learnt from (training) or decoded.

        In training: class logits (B, A * K, h, w) and steps (B, A * 4, h, w) of each level, then aligned
        masks (B, V * V, H / s, W / s) of each level and side. Else: windows (B, M, 4), boxes (B, M, 4),
        scores (B, M) and class rows (B, M) of the best windows, then natural masks of each level and side.
        """
        padded = pad_to(self.contrast(images), 32)
        features = self.pyramid(self.encoder(padded)[self.first :])[: self.config.levels]
        fine = self.mask_tower(features[0])
        heads, aligned = [], []
        for level, feature in enumerate(features):
            x = self.tower(feature)
            heads += [self.category(x), self.step(x)]
            detail = fine if level == 0 else upsample(self.mask_tower(feature), fine) + fine
            fused = self.fuse(detail)
            aligned += [mask(fused) for mask in self.masks]
        return (*heads, *aligned) if self.training else self._best(heads, aligned)

    def _slots(self, heads: Sequence[Tensor]) -> list[Slot]:
        shapes = [(logits.shape[2], logits.shape[3]) for logits in heads[::2]]
        return slots_of(shapes, self.config.windows, self.config.finest)

    def _flat(self, maps: Sequence[Tensor], each: int) -> Tensor:
        """[(B, A * each, h, w)] -> (B, N, each), in the order of the windows."""
        count = len(self.config.windows)
        found = [
            x.reshape(x.shape[0], count, each, -1).transpose(2, 3).reshape(x.shape[0], -1, each) for x in maps
        ]
        return torch.cat(found, 1)

    def _best(self, heads: Sequence[Tensor], aligned: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The best windows of each level and side, and their masks."""
        slots = self._slots(heads)
        windows = torch.cat([slot.windows(heads[0]) for slot in slots])
        score, row = self._flat(heads[::2], len(self.classes)).sigmoid().max(-1)
        chosen, masks = [], []
        for slot, maps in zip(slots, aligned):
            most = max(self.config.candidates >> 2 * slot.level, LEAST_WINDOWS)
            mine = F.pad(score[:, slot.first : slot.stop], (0, most), value=-1.0)  # always so many, to export
            at = mine.topk(most, 1).indices
            at = at.minimum(torch.full_like(at, slot.shape[0] * slot.shape[1] - 1))
            chosen.append(slot.first + at)
            image = torch.arange(at.shape[0], device=at.device)[:, None].expand(-1, most)
            found = self._natural(slot, maps, image.flatten(), at.flatten())
            masks.append(found.reshape(-1, most, *found.shape[1:]))
        best = torch.cat(chosen, 1)
        boxes = windows[best]
        steps = self._flat(heads[1::2], 4).gather(1, best[..., None].expand(-1, -1, 4))
        return boxes, decode(steps, boxes, STEPS), score.gather(1, best), row.gather(1, best), *masks

    def _natural(self, slot: Slot, aligned: Tensor, image: Tensor, at: Tensor) -> Tensor:
        """(n, V, V) masks of the windows at places of a slot."""
        down, right = (place[at] for place in slot.places(at.device))
        return natural_masks(aligned, image, down, right, side=slot.side, scale=slot.scale)

    def loss(self, raw: tuple[Tensor, ...], targets: Targets) -> dict[str, Tensor]:
        """Focal loss of all windows; L1 of the boxes and cross-entropy of the masks of those with a thing."""
        raw = tuple(part.float() for part in raw)
        heads, aligned = raw[: 2 * self.config.levels], raw[2 * self.config.levels :]
        slots = self._slots(heads)
        windows = torch.cat([slot.windows(heads[0]) for slot in slots])
        logits, steps = self._flat(heads[::2], len(self.classes)), self._flat(heads[1::2], 4)
        assigned = [assign_windows(slots, windows, target) for target in targets]
        things, known = (torch.stack(parts) for parts in zip(*assigned))
        image, window = torch.nonzero(things >= 0).unbind(1)
        thing = things[image, window]
        found = max(1, len(thing))
        truth = torch.zeros_like(logits)
        classes, boxes = _things(targets, image, thing, windows)
        truth[image, window, classes] = 1.0
        moved = (steps[image, window] - encode(boxes, windows[window], STEPS)).abs().sum()
        mask = self._mask_losses(slots, aligned, windows, targets, (image, window, thing))
        return {
            "category": CATEGORY * focal_star(logits, truth, known[..., None]) / found,
            "box": moved / found,
            "mask": MASK * mask / found,
        }

    def _mask_losses(
        self,
        slots: Sequence[Slot],
        aligned: Sequence[Tensor],
        windows: Tensor,
        targets: Targets,
        right: tuple[Tensor, Tensor, Tensor],
    ) -> Tensor:
        """Sum of the mean losses of the masks of windows that show a thing, from a sample of them."""
        image, window, thing = right
        total = torch.stack([part.sum() * 0 for part in aligned]).sum()  # keeps the graph whole
        for slot, maps in zip(slots, aligned):
            mine = torch.nonzero((window >= slot.first) & (window < slot.stop)).squeeze(1)
            most = max(self.config.masks_learnt >> 2 * slot.level, LEAST_MASKS)
            some = mine[torch.randperm(len(mine), device=mine.device)[:most]].sort().values
            if len(some) == 0:
                continue
            logits = self._natural(slot, maps, image[some], window[some] - slot.first)
            shown = windows[window[some]]
            truth, known = _truth(targets, image[some], thing[some], shown, logits.shape[1])
            weight = torch.where(truth > 0.5, INSIDE, 1.0) * known
            losses = F.binary_cross_entropy_with_logits(logits, truth, reduction="none") * weight
            total = total + losses.mean((1, 2)).sum() * (len(mine) / len(some))
        return total

    def decode(
        self, raw: Sequence[Tensor], sizes: Sequence[tuple[int, int]], *, minimum_score: float | None = None
    ) -> list[Segmentation]:
        """Things of each image, the surest in front."""
        least = self.config.minimum_score if minimum_score is None else minimum_score
        arrays = [part.detach().cpu().float().numpy() for part in raw]
        return [self._things([array[k] for array in arrays], size, least) for k, size in enumerate(sizes)]

    def _things(self, raw: Sequence[np.ndarray], size: tuple[int, int], least: float) -> Segmentation:
        windows, boxes, score, row, *parts = raw
        masks = [mask.astype(np.float32) for part in parts for mask in part]
        at = np.flatnonzero(score >= least)
        at = at[np.argsort(-score[at], kind="stable")]
        at = at[greedy_nms(boxes[at].astype(np.float32), row[at], self.config.overlap)]
        return things_of_regions(
            [windows[at], score[at], row[at]],
            size,
            self.classes,
            minimum_score=least,
            masks=[masks[k] for k in at],
        )


def _things(targets: Targets, image: Tensor, thing: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """(n,) class rows and (n, 4) boxes of things of several images."""
    mine = [thing[image == k] for k in range(len(targets))]  # images rise
    classes = torch.cat([target.class_id[rows] for target, rows in zip(targets, mine)])
    return classes, torch.cat([target.boxes[rows] for target, rows in zip(targets, mine)]).to(like)


def focal_star(logits: Tensor, truth: Tensor, known: Tensor) -> Tensor:
    """Sum of -log sigmoid(3 x) / 3, x being the logit of what is true (Lin et al. 2017, appendix A)."""
    signed = torch.where(truth > 0, logits, -logits)
    weight = torch.where(truth > 0, RIGHT_SHARE, 1 - RIGHT_SHARE)
    return -(F.logsigmoid(SHARPNESS * signed) / SHARPNESS * weight * known).sum()


def _truth(
    targets: Targets, image: Tensor, thing: Tensor, windows: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Masks that windows of several images are to show, and which of their pixels are judged."""
    parts = [
        window_truth(target, thing[image == k], windows[image == k], size) for k, target in enumerate(targets)
    ]  # images rise
    truth, known = (torch.cat(each) for each in zip(*parts))
    return truth, known
