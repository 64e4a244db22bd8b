"""YOLACT: prototype masks of the whole image, mixed by coefficients of each anchor (Bolya et al. 2019).

As in the paper: a protonet on the finest level, shared heads for class, box and coefficients, masks learnt
assembled and cut at their boxes, fast suppression. Classes are judged by focal loss, which needs no mining of
hard examples, and anchors are fitted to the sizes in the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.models.decode.prototypes import Floats, boxes_of, fast_nms, surest, things_of_prototypes
from inlay.models.encoders import make_encoder
from inlay.models.losses.mask import focal
from inlay.models.losses.prototypes import mixed_mask_losses
from inlay.models.parts.blocks import ConvNorm, begin_rare, initialise
from inlay.models.parts.boxes import encode, matched
from inlay.models.parts.fpn import FeaturePyramid
from inlay.models.parts.pixels import Contrast, Contrast255, pad_to
from inlay.models.parts.proposals import RATIOS, anchors_of
from inlay.models.parts.settings import EncoderSettings
from inlay.models.parts.sizes import anchored
from inlay.models.parts.targets import Target, Targets

TASK = "instance"
PARTIAL = True
RECIPE: Mapping[str, object] = {
    "learning_rate": 1e-3,
    "augment": {"crop": [256, 256], "scale": [0.6, 1.7], "brightness": 0.4, "contrast": 0.4, "gamma": 0.4},
}
STEPS = (10.0, 5.0)
RIGHT, WRONG = 0.5, 0.4  # overlap from which an anchor shows a thing, and below which it shows none


@dataclass(frozen=True)
class Config(EncoderSettings):
    """Settings of a YOLACT.

    Parameters
    ----------
    encoder
        Any encoder of the zoo; its last four levels are used.
    head
        Channels of the pyramid and of the heads.
    prototypes
        Masks of the whole image that things are mixed of.
    anchors
        Sides of the anchors at strides 4, 8, 16 and 32, pixels; empty: by the sizes in the data.
    masks_learnt
        Masks of one image that a training step looks at, drawn anew in each step.
    candidates
        Most anchors of one image that are looked at, and most things.
    minimum_score
        Things below it are left out.
    overlap
        Boxes of one class that overlap a better one by more are left out.
    """

    depths: tuple[int, ...] = (1, 1, 1, 1)
    contrast: Contrast = "image"
    head: int = 96
    prototypes: int = 32
    anchors: tuple[float, ...] = ()
    masks_learnt: int = 64
    candidates: int = 400
    minimum_score: float = 0.05
    overlap: float = 0.5


adapt = anchored  # anchors that fit the sizes of the things in the data


def build(config: Config, classes: Classes) -> YOLACT:
    """A YOLACT with fresh weights."""
    return YOLACT(config, classes)


class YOLACT(nn.Module):
    """Prototypes, and a class, a box and coefficients for each anchor."""

    def __init__(self, config: Config, classes: Classes) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.contrast = Contrast255(config.contrast)
        self.encoder = make_encoder(config.encoder, config.widths, config.depths, config.norm)
        self.strides = self.encoder.strides[-len(config.anchors) :]
        self.pyramid = FeaturePyramid(self.encoder.widths[-len(config.anchors) :], config.head)
        self.protonet = nn.Sequential(
            *(ConvNorm(config.head, config.head, norm="group") for _ in range(2)),
            nn.Conv2d(config.head, config.prototypes, 1),
            nn.ReLU(),
        )
        self.tower = nn.Sequential(*(ConvNorm(config.head, config.head, norm="group") for _ in range(2)))
        count = len(RATIOS)
        self.category = nn.Conv2d(config.head, count * len(classes), 3, padding=1)
        self.step = nn.Conv2d(config.head, count * 4, 3, padding=1)
        self.mix = nn.Conv2d(config.head, count * config.prototypes, 3, padding=1)
        self.apply(initialise)
        begin_rare(self.category, self.step, self.mix)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """(B, 3, H, W) pixels 0 .. 255 -> prototypes, then for each of N anchors what it says.

        They are prototypes (B, P, H / s, W / s), class logits (B, N, K), steps (B, N, 4), coefficients
        (B, N, P), and the anchors (B, N, 4) themselves, which decoding needs.
        """
        padded = pad_to(self.contrast(images), 32)
        features = self.pyramid(self.encoder(padded)[-len(self.strides) :])
        logits, steps, mixes = [], [], []
        for feature in features:
            x = self.tower(feature)
            logits.append(_rows(self.category(x), len(self.classes)))
            steps.append(_rows(self.step(x), 4))
            mixes.append(_rows(self.mix(x), self.config.prototypes))
        shapes = [(feature.shape[2], feature.shape[3]) for feature in features]
        anchors = anchors_of(shapes, self.strides, self.config.anchors, features[0])
        return (
            self.protonet(features[0]),
            torch.cat(logits, 1),
            torch.cat(steps, 1),
            torch.cat(mixes, 1).tanh(),
            anchors.expand(images.shape[0], -1, -1),
        )

    def loss(self, raw: tuple[Tensor, ...], targets: Targets) -> dict[str, Tensor]:
        """Focal loss of all anchors, smooth L1 of the boxes and cross-entropy of the masks of right ones."""
        of_images = zip(*(part.float().unbind() for part in raw))
        parts = [self._of_image(own, target) for own, target in zip(of_images, targets)]
        category, box, mask, found = torch.stack(parts).sum(0)
        found = found.clamp(min=1)
        return {"category": category / found, "box": box / found, "mask": 3.0 * mask / found}

    def _of_image(self, raw: Sequence[Tensor], target: Target) -> Tensor:
        """(4,) sums of the losses of class, box and mask, and the anchors that show a thing."""
        prototypes, logits, steps, mixes, anchors = raw
        things, known = assigned(anchors, target)
        right = torch.nonzero(things >= 0).squeeze(1)
        hot = torch.zeros_like(logits)
        if len(right):
            hot[right, target.class_id[things[right]]] = 1.0
        category = focal(logits, hot, known[:, None])
        if len(right) == 0:
            return torch.stack(
                [category, steps.sum() * 0, mixes.sum() * 0 + prototypes.sum() * 0, logits.new_zeros(())]
            )
        aim = encode(target.boxes[things[right]], anchors[right], STEPS)
        box = F.smooth_l1_loss(steps[right], aim, reduction="sum")
        some = right[torch.randperm(len(right), device=right.device)[: self.config.masks_learnt]]
        masks = mixed_mask_losses(prototypes, mixes[some], things[some], target, self.strides[0])
        mask = masks.sum() * (len(right) / len(some))
        return torch.stack([category, box, mask, logits.new_tensor(float(len(right)))])

    def decode(
        self, raw: Sequence[Tensor], sizes: Sequence[tuple[int, int]], *, minimum_score: float | None = None
    ) -> list[Segmentation]:
        """Things of each image, the surest in front."""
        least = self.config.minimum_score if minimum_score is None else minimum_score
        arrays = [part.detach().float().cpu().numpy() for part in raw]
        return [self._things([array[k] for array in arrays], size, least) for k, size in enumerate(sizes)]

    def _things(self, raw: Sequence[Floats], size: tuple[int, int], least: float) -> Segmentation:
        prototypes, logits, steps, mixes, anchors = raw
        score, row, at = surest(logits, least, self.config.candidates)
        boxes = boxes_of(steps[at], anchors[at], STEPS).clip(0, [size[1], size[0]] * 2)
        kept = fast_nms(boxes, row, self.config.overlap)
        return things_of_prototypes(
            prototypes,
            mixes[at[kept]],
            boxes[kept],
            score[kept],
            row[kept],
            size,
            self.classes,
            stride=self.strides[0],
        )


def _rows(maps: Tensor, each: int) -> Tensor:
    """(B, A * each, H, W) -> (B, H * W * A, each), in the order of the anchors."""
    images, _, height, width = maps.shape
    return maps.permute(0, 2, 3, 1).reshape(images, height * width * len(RATIOS), each)


def assigned(anchors: Tensor, target: Target) -> tuple[Tensor, Tensor]:
    """(N,) the thing that each anchor is to find, -1 for none, and (N,) whether it is judged at all.

    Each thing also gets the anchor that suits it best, or it would never be learnt.
    """
    things = torch.full((len(anchors),), -1, dtype=torch.int64, device=anchors.device)
    middle = (anchors[:, :2] + anchors[:, 2:]) / 2
    height, width = target.ignored.shape
    x, y = middle[:, 0].long(), middle[:, 1].long()
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    known = inside & ~target.ignored[y.clamp(0, height - 1), x.clamp(0, width - 1)]
    if len(target) == 0:
        return things, known
    thing, best, nearest, _ = matched(anchors, target.boxes)
    things = torch.where(best >= RIGHT, thing, things)
    things[nearest] = torch.arange(len(target), device=anchors.device)
    return things, (known & (best < WRONG)) | (things >= 0)
