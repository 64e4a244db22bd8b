"""SOLOv2, light form: cells of grids name a class and a convolution that paints the mask (Wang et al. 2020).

As in the paper: a category grid and a kernel grid at several scales, one map of mask features, focal and Dice
loss, point NMS, matrix NMS. Two things differ, so that one set of weights serves images of any size and small
things stay apart: a grid has so many pixels to a cell, not so many cells to an image; and the position enters
as the offset from the cell (linear and squared), which each kernel weighs as it weighs the mask features.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inlay.core.classes import Classes
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from inlay.models.decode.grids import Grid, things_of_grids
from inlay.models.encoders import level_of, make_encoder
from inlay.models.losses.mask import dice, focal
from inlay.models.parts.assign import GridTarget, assign_cells, pooled_masks, ranges_of
from inlay.models.parts.blocks import ConvNorm, begin_rare, initialise
from inlay.models.parts.evidence import evidence_at
from inlay.models.parts.pixels import Contrast, Contrast255, pad_to
from inlay.models.parts.pyramid import Pyramid
from inlay.models.parts.settings import EncoderSettings
from inlay.models.parts.sizes import quantiles
from inlay.models.parts.targets import Facts, Target, Targets

TASK = "instance"
PARTIAL = True
RECIPE: Mapping[str, object] = {
    "learning_rate": 2e-3,
    "augment": {
        "crop": [256, 256],
        "scale": [0.6, 1.7],
        "turn": True,
        "brightness": 0.4,
        "contrast": 0.4,
        "gamma": 0.4,
        "invert": 0.15,
    },
}
POSITION = 4  # numbers of a kernel beside the weights of the mask features: bias, x, y, distance


@dataclass(frozen=True)
class Config(EncoderSettings):
    """Settings of a light SOLOv2.

    Parameters
    ----------
    head
        Channels of the head that all grids share.
    mask_features
        Channels of the map from which kernels paint masks.
    mask_stride
        Pixels of the image for one pixel of that map: 2 or 4; 0: by the sizes in the data.
    cells
        Pixels of a cell of each grid, 4, 8, 16 or 32; empty: by the sizes in the data.
    masks_learnt
        Masks of one image that a training step looks at, drawn anew in each step.
    candidates
        Most cells of one image whose masks are painted.
    minimum_score
        Things below it are left out.
    partition
        Whether a pixel may belong to one thing only: the surest one takes it.
    """

    depths: tuple[int, ...] = (1, 1, 1, 1)
    contrast: Contrast = "image"
    head: int = 64
    mask_features: int = 24
    mask_stride: int = 0
    cells: tuple[int, ...] = ()
    masks_learnt: int = 48
    candidates: int = 2000
    minimum_score: float = 0.05
    partition: bool = False

    def __post_init__(self) -> None:
        if self.mask_stride not in (0, 2, 4) or not set(self.cells) <= {4, 8, 16, 32}:
            raise InlayError(
                f"mask_stride {self.mask_stride} must be 2 or 4, cells {list(self.cells)} among 4, 8, 16, 32"
            )


def adapt(config: Config, facts: Facts) -> Config:
    """The config with grids and mask resolution fitted to the sizes of the things in the data.

    Raises
    ------
    InlayError
        When there is no thing to learn from.
    """
    small, middle, large = quantiles(facts, 0.1, 0.5, 0.95)
    cells = config.cells or tuple(
        c for c in (4, 8, 16, 32) if small / 4 < c * 1.5 and c <= max(large / 2.5, 4)
    )
    stride = config.mask_stride or (2 if middle < 40 else 4)
    return replace(config, cells=cells or (32,), mask_stride=stride)


def build(config: Config, classes: Classes) -> SOLOv2:
    """A light SOLOv2 with fresh weights."""
    return SOLOv2(config, classes)


class SOLOv2(nn.Module):
    """A class and a kernel for each cell of each grid, and the features that kernels paint on."""

    def __init__(self, config: Config, classes: Classes) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.contrast = Contrast255(config.contrast)
        self.encoder = make_encoder(config.encoder, config.widths, config.depths, config.norm)
        widths = self.encoder.widths
        self.pyramid = Pyramid(widths, norm=config.norm)
        self.levels = [level_of(self.encoder, cell) for cell in config.cells]
        self.finest = level_of(self.encoder, config.mask_stride)
        self.entries = nn.ModuleList(
            ConvNorm(widths[level], config.head, 1, norm="group") for level in self.levels
        )
        self.tower = nn.Sequential(*(ConvNorm(config.head, config.head, norm="group") for _ in range(2)))
        self.category = nn.Conv2d(config.head, len(classes), 3, padding=1)
        self.kernel = nn.Conv2d(config.head, config.mask_features + POSITION, 3, padding=1)
        self.paint = nn.Conv2d(widths[self.finest], config.mask_features, 1)
        self.apply(initialise)
        begin_rare(self.category, self.kernel)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) pixels 0 .. 255 -> mask features (B, E, H / s, W / s), then for each grid two maps.

        They are class logits (B, K, h, w) and kernels (B, E + 4, h, w).
        """
        padded = pad_to(self.contrast(images), 32)
        features = self.pyramid(self.encoder(padded))
        raw = [self.paint(features[self.finest])]
        for level, entry in zip(self.levels, self.entries):
            x = self.tower(entry(features[level]))
            raw += [self.category(x), self.kernel(x)]
        return tuple(raw)

    def loss(self, raw: tuple[Tensor, ...], targets: Targets) -> dict[str, Tensor]:
        """Focal loss of all cells, three times the Dice loss of the painted masks."""
        painted, *heads = (part.float() for part in raw)
        grids = [
            [self._assign(target, k, heads[2 * k]) for target in targets] for k in range(len(self.levels))
        ]
        found = sum(int((each.things >= 0).sum()) for grid in grids for each in grid)
        category = painted.new_zeros(())
        for k, grid in enumerate(grids):
            truth = torch.stack([each.classes for each in grid])
            hot = F.one_hot(truth.clamp(min=0), len(self.classes)).movedim(-1, 1) * (truth >= 0).unsqueeze(1)
            known = torch.stack([each.known for each in grid]).unsqueeze(1)
            category = category + focal(heads[2 * k], hot.float(), known)
        of_images = zip(painted.unbind(), zip(*(kernels.unbind() for kernels in heads[1::2])), zip(*grids))
        masks = [self._mask_losses(*own, target) for own, target in zip(of_images, targets)]
        count = max(1, sum(len(each) for each in masks))
        return {"category": category / max(1, found), "mask": 3.0 * torch.cat(masks).sum() / count}

    def _assign(self, target: Target, k: int, logits: Tensor) -> GridTarget:
        shape = (logits.shape[2], logits.shape[3])
        return assign_cells(target, self.config.cells[k], shape, ranges_of(self.config.cells)[k])

    def _mask_losses(
        self, painted: Tensor, kernels: Sequence[Tensor], grids: Sequence[GridTarget], target: Target
    ) -> Tensor:
        """(n,) losses of some of the masks that the cells of one image are to paint."""
        chosen = [torch.nonzero(grid.things >= 0) for grid in grids]
        things = torch.cat([grid.things[at[:, 0], at[:, 1]] for grid, at in zip(grids, chosen)])
        of_cell = torch.cat([kernel[:, at[:, 0], at[:, 1]].T for kernel, at in zip(kernels, chosen)])
        cell = torch.cat([torch.full((len(at),), float(c)) for c, at in zip(self.config.cells, chosen)]).to(
            painted
        )
        centres = (torch.cat(chosen).flip(1) + 0.5) * cell[:, None]
        some = torch.randperm(len(things))[: self.config.masks_learnt].to(things.device)
        if len(some) == 0:
            return painted.sum().reshape(1) * 0  # keeps the graph whole
        logits = mask_logits(painted, of_cell[some], centres[some], cell[some], self.config.mask_stride)
        things, stride = things[some], self.config.mask_stride
        whole = target.whole[things]
        half = stride // 2
        known = ~target.ignored[half::stride, half::stride]
        height, width = known.shape
        logits = logits[:, :height, :width]
        losses = dice(logits[whole], pooled_masks(target, things[whole], stride), known)
        if whole.all():
            return losses
        evidence = evidence_at(target, things[~whole], stride)
        return torch.cat([losses, evidence.losses(logits[~whole])])

    def decode(
        self, raw: Sequence[Tensor], sizes: Sequence[tuple[int, int]], *, minimum_score: float | None = None
    ) -> list[Segmentation]:
        """Things of each image, the surest in front."""
        arrays = [part.detach().float().cpu().numpy() for part in raw]
        least = self.config.minimum_score if minimum_score is None else minimum_score
        return [
            things_of_grids(
                arrays[0][b],
                list(self._grids(arrays, b)),
                size,
                self.classes,
                stride=self.config.mask_stride,
                minimum_score=least,
                candidates=self.config.candidates,
                partition=self.config.partition,
            )
            for b, size in enumerate(sizes)
        ]

    def _grids(self, arrays: Sequence[np.ndarray], image: int) -> Iterator[Grid]:
        ranges = ranges_of(self.config.cells)
        for k, cell in enumerate(self.config.cells):
            yield Grid(arrays[1 + 2 * k][image], arrays[2 + 2 * k][image], cell, ranges[k][1])


def mask_logits(painted: Tensor, kernels: Tensor, centres: Tensor, cell: Tensor, stride: int) -> Tensor:
    """(N, H, W) logits of masks: features weighed by each kernel, plus its view of the offset from its cell.

    Parameters
    ----------
    painted
        (E, H, W) mask features of one image.
    kernels
        (N, E + 4): weights of the features, bias, weights of x, y and (softplus of) the squared distance.
    centres
        (N, 2) x, y of the cells, pixels; `cell` (N,) their side, the unit of the offsets being four of it.
    """
    width = painted.shape[0]
    weights, (bias, slope_x, slope_y, fall) = kernels[:, :width], kernels[:, width:].unsqueeze(2).unbind(1)
    unit = 4 * cell[:, None]
    x = ((torch.arange(painted.shape[2], device=painted.device) + 0.5) * stride - centres[:, :1]) / unit
    y = ((torch.arange(painted.shape[1], device=painted.device) + 0.5) * stride - centres[:, 1:]) / unit
    fall = F.softplus(fall)
    across, down = slope_x * x - fall * x.square(), slope_y * y - fall * y.square() + bias
    logits = (weights @ painted.flatten(1)).reshape(-1, *painted.shape[1:])
    return logits + across[:, None, :] + down[:, :, None]
