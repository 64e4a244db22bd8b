"""YOLO-Seg: places of a grid name a class, a box and a mix of prototype masks; no anchors.

Written from papers: a cross-stage partial encoder (Wang et al. 2020), a pyramid with a path back up (Liu et
al. 2018), distances to the sides of a box told as distributions (Li et al. 2020), task-aligned assignment
(Feng et al. 2021) and prototypes (Bolya et al. 2019). The heads are shared by all levels and begin with boxes
of five strides: from the first step on, small things are learnt at fine levels and large ones at coarse ones.
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
from inlay.models.decode.prototypes import Floats, surest, things_of_prototypes
from inlay.models.encoders import EncoderName, level_of, make_encoder
from inlay.models.losses.box import complete_iou, distribution_focal
from inlay.models.losses.prototypes import mixed_mask_losses
from inlay.models.parts.alignment import assign_aligned, places_of
from inlay.models.parts.blocks import ConvNorm, begin_rare, initialise
from inlay.models.parts.fpn import BottomUp, FeaturePyramid
from inlay.models.parts.nms import greedy_nms
from inlay.models.parts.pixels import Contrast, Contrast255, pad_to
from inlay.models.parts.settings import EncoderSettings
from inlay.models.parts.sizes import quantiles
from inlay.models.parts.targets import Facts, Target, Targets

TASK = "instance"
PARTIAL = True
RECIPE: Mapping[str, object] = {
    "learning_rate": 2e-3,
    "augment": {"crop": [256, 256], "scale": [0.6, 1.7], "brightness": 0.4, "contrast": 0.4, "gamma": 0.4},
}
BINS = 16  # a side lies at most so many strides, less one, from its place
CATEGORY, BOX, DISTANCE, MASK = 0.5, 7.5, 1.5, 5.0  # weights of the losses


@dataclass(frozen=True)
class Config(EncoderSettings):
    """Settings of a YOLO-Seg.

    Parameters
    ----------
    encoder
        Any encoder of the zoo; its levels from `finest` on are used.
    head
        Channels of the pyramid and of the heads.
    prototypes
        Masks of the whole image that things are mixed of.
    finest
        Stride of the finest level that finds things, 4 or 8; 0: by the sizes in the data.
    prototype_stride
        Pixels of the image for one of the prototypes, 2 or 4; 0: by the sizes in the data.
    masks_learnt
        Masks of one image that a training step looks at, drawn anew in each step.
    candidates
        Most places of one image that are looked at, and most things.
    minimum_score
        Things below it are left out.
    overlap
        Boxes of one class that overlap a better one by more are left out.
    """

    encoder: EncoderName = "csp"
    contrast: Contrast = "image"
    head: int = 64
    prototypes: int = 32
    finest: int = 0
    prototype_stride: int = 0
    masks_learnt: int = 64
    candidates: int = 1000
    minimum_score: float = 0.05
    overlap: float = 0.5

    def __post_init__(self) -> None:
        if self.finest not in (0, 4, 8) or self.prototype_stride not in (0, 2, 4):
            raise InlayError(
                f"finest {self.finest} must be 4 or 8, prototype_stride {self.prototype_stride} 2 or 4"
            )


def adapt(config: Config, facts: Facts) -> Config:
    """The config with the finest level and the resolution of masks fitted to the sizes in the data.

    Raises
    ------
    InlayError
        When there is no thing to learn from.
    """
    small, middle = quantiles(facts, 0.1, 0.5)
    return replace(
        config,
        finest=config.finest or (4 if small < 32 else 8),
        prototype_stride=config.prototype_stride or (2 if middle < 40 else 4),
    )


def build(config: Config, classes: Classes) -> YOLOSeg:
    """A YOLO-Seg with fresh weights."""
    return YOLOSeg(config, classes)


class YOLOSeg(nn.Module):
    """Prototypes, and a class, a box and coefficients for each place."""

    def __init__(self, config: Config, classes: Classes) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.contrast = Contrast255(config.contrast)
        self.encoder = make_encoder(config.encoder, config.widths, config.depths, config.norm)
        first = level_of(self.encoder, config.finest)
        self.strides = self.encoder.strides[first:]
        self.pyramid = FeaturePyramid(self.encoder.widths[first:], config.head)
        self.path_up = BottomUp(len(self.strides), config.head)
        self.protonet = Protonet(config.head, config.prototypes, config.finest // config.prototype_stride)
        self.category = Tower(config.head, len(classes))
        self.side = Tower(config.head, 4 * BINS)
        self.mix = Tower(config.head, config.prototypes)
        self.apply(initialise)
        begin_rare(self.category.out, self.side.out, self.mix.out)
        self.side.out.bias = nn.Parameter(-torch.arange(BINS).repeat(4) / 3.0)  # two strides and a half

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """(B, 3, H, W) pixels 0 .. 255 -> prototypes, then for each of N places what it says.

        They are prototypes (B, P, H / s, W / s), class logits (B, N, K), boxes (B, N, 4) and coefficients
        (B, N, P). In training also the logits of the distances of sides (B, N, 4, 16), and the places
        (B, N, 3) themselves.
        """
        padded = pad_to(self.contrast(images), 32)
        pyramid = self.pyramid(self.encoder(padded)[-len(self.strides) :])
        features = self.path_up(pyramid)
        places = places_of([(x.shape[2], x.shape[3]) for x in features], self.strides, features[0])
        bins = _rows(self.side, features).reshape(images.shape[0], -1, 4, BINS)
        found = (
            self.protonet(features[0]),
            _rows(self.category, features),
            boxes_around(bins, places),
            _rows(self.mix, features).tanh(),
        )
        return (*found, bins, places.expand(images.shape[0], -1, -1)) if self.training else found

    def loss(self, raw: tuple[Tensor, ...], targets: Targets) -> dict[str, Tensor]:
        """Cross-entropy of all places; overlap, distances and masks of those that are to find a thing."""
        of_images = zip(*(part.float().unbind() for part in raw))
        parts = [self._of_image(own, target) for own, target in zip(of_images, targets)]
        category, box, distance, mask, shared, found = torch.stack(parts).sum(0)
        shared, found = shared.clamp(min=1), found.clamp(min=1)
        return {
            "category": CATEGORY * category / shared,
            "box": BOX * box / shared,
            "distance": DISTANCE * distance / shared,
            "mask": MASK * mask / found,
        }

    def _of_image(self, raw: Sequence[Tensor], target: Target) -> Tensor:
        """(6,) sums of losses of class, box, distances and masks, and of shares; the places that count."""
        prototypes, logits, boxes, mixes, bins, places = raw
        with torch.no_grad():
            aligned = assign_aligned(logits.sigmoid(), boxes, places, target)
        right = torch.nonzero(aligned.things >= 0).squeeze(1)
        things, share = aligned.things[right], aligned.share[right]
        truth = torch.zeros_like(logits)
        truth[right, target.class_id[things]] = share
        losses = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
        category = (losses * aligned.known[:, None]).sum()
        if len(right) == 0:
            nothing = boxes.sum() * 0 + mixes.sum() * 0 + prototypes.sum() * 0  # keeps the graph whole
            return torch.stack([category, *[nothing] * 5])
        wanted = target.boxes[things]
        box = ((1 - complete_iou(boxes[right], wanted)) * share).sum()
        told = distribution_focal(bins[right], distances_to(wanted, places[right])).mean(1)
        some = torch.randperm(len(right), device=right.device)[: self.config.masks_learnt]
        masks = mixed_mask_losses(
            prototypes, mixes[right[some]], things[some], target, self.config.prototype_stride
        )
        mask = masks.mean() * len(right)
        count = share.new_tensor(float(len(right)))
        return torch.stack([category, box, (told * share).sum(), mask, share.sum(), count])

    def decode(
        self, raw: Sequence[Tensor], sizes: Sequence[tuple[int, int]], *, minimum_score: float | None = None
    ) -> list[Segmentation]:
        """Things of each image, the surest in front."""
        least = self.config.minimum_score if minimum_score is None else minimum_score
        arrays = [part.detach().float().cpu().numpy() for part in raw[:4]]
        return [self._things([array[k] for array in arrays], size, least) for k, size in enumerate(sizes)]

    def _things(self, raw: Sequence[Floats], size: tuple[int, int], least: float) -> Segmentation:
        prototypes, logits, boxes, mixes = raw
        score, row, at = surest(logits, least, self.config.candidates)
        kept = greedy_nms(boxes[at], row, self.config.overlap)
        grown = np.array([-1, -1, 1, 1], np.float32) * np.float32(self.config.prototype_stride / 2)
        return things_of_prototypes(
            prototypes,
            mixes[at[kept]],
            boxes[at[kept]] + grown,  # a box that is a little too small must not cut its mask
            score[kept],
            row[kept],
            size,
            self.classes,
            stride=self.config.prototype_stride,
        )


class Tower(nn.Module):
    """Two convolutions, and a last one to what is asked for."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(ConvNorm(width, width, norm="group") for _ in range(2)))
        self.out = nn.Conv2d(width, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, h, w) -> (B, out, h, w)."""
        found: Tensor = self.out(self.layers(x))
        return found


class Protonet(nn.Module):
    """Prototypes from the finest features, enlarged so many times."""

    def __init__(self, width: int, prototypes: int, times: int) -> None:
        super().__init__()
        self.times = times
        self.before = ConvNorm(width, width, norm="group")
        self.after = ConvNorm(width, prototypes, norm="group")
        self.out = nn.Conv2d(prototypes, prototypes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, P, h * times, w * times)."""
        x = self.before(x)
        if self.times > 1:
            x = F.interpolate(x, scale_factor=float(self.times), mode="bilinear", align_corners=False)
        found: Tensor = self.out(self.after(x))
        return found


def _rows(head: nn.Module, features: Sequence[Tensor]) -> Tensor:
    """(B, N, C) of what a head says of all levels, in the order of the places."""
    return torch.cat([head(feature).flatten(2).transpose(1, 2) for feature in features], 1)


def boxes_around(bins: Tensor, places: Tensor) -> Tensor:
    """(..., N, 4) boxes, their sides at the mean of each distribution (..., N, 4, 16) from (N, 3) places."""
    steps = torch.arange(BINS, dtype=bins.dtype, device=bins.device)
    reach = (bins.softmax(-1) * steps).sum(-1) * places[:, 2:]
    return torch.cat([places[:, :2] - reach[..., :2], places[:, :2] + reach[..., 2:]], -1)


def distances_to(boxes: Tensor, places: Tensor) -> Tensor:
    """(N, 4) strides from places to the left, upper, right and lower side of their boxes."""
    middle = places[:, :2]
    return torch.cat([middle - boxes[:, :2], boxes[:, 2:] - middle], 1) / places[:, 2:]
