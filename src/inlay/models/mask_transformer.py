"""A mask transformer: queries among the tokens of an image, each a class and a mask (Kerssies et al. 2025).

One network for semantic, instance and panoptic segmentation. With a plain ViT it is EoMT: queries join the
patches in the last blocks, and no other decoder is there. Those want pretrained weights; a convolutional
encoder, whose coarse features are the tokens and whose fine ones sharpen the masks, learns from scratch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inlay.core.classes import Classes
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from inlay.models.decode.queries import segments_of_queries, things_of_queries
from inlay.models.decode.semantic import scores_of, segments_of_classes
from inlay.models.encoders import level_of, make_encoder
from inlay.models.encoders.vit import PATCH, Block, ViT
from inlay.models.parts.attention import initialise_linear, map_of, tokens_of
from inlay.models.parts.blocks import initialise, upsample
from inlay.models.parts.eomt_weights import renamed
from inlay.models.parts.pixels import Contrast255, cut_to, pad_to
from inlay.models.parts.queries import (
    CLASS,
    DICE,
    MASK,
    NO_SEGMENT,
    Enlarge,
    MaskOfQuery,
    Segments,
    assigned,
    mask_losses,
    masks_of,
    positions,
)
from inlay.models.parts.settings import EncoderSettings
from inlay.models.parts.targets import Facts, Targets
from inlay.models.parts.tasks import ChosenTask, task_of

TASK = "any"
RECIPE: Mapping[str, object] = {
    "learning_rate": 1e-3,
    "weight_decay": 0.05,
    "augment": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "gamma": 0.3},
}
AUXILIARY_STEPS = (
    2  # enlargements of the masks that only training looks at: to stride 4, as finer ones cost most
)
NOBODY = 0.5  # sum of shares below which a pixel belongs to none of the classes


@dataclass(frozen=True)
class Config(EncoderSettings):
    """Settings of a mask transformer.

    Parameters
    ----------
    task
        "semantic", "instance" or "panoptic"; "": by the kinds of the classes.
    encoder
        "vit_tiny" to "vit_large" for EoMT; or "light" (quick from scratch), "csp", "mit", "mobile", "vgg16",
        "resnet18" to "resnet101", "mit_b0" to "mit_b5".
    head
        Channels of queries and tokens; a ViT has its own.
    registers
        Tokens of a ViT beside those of places: 4 in the published EoMT.
    blocks
        In which queries and tokens look at one another: the last ones of a ViT.
    queries
        Most segments of one image; 0: by the data.
    mask_stride
        Pixels of the image for one pixel of the masks: 2 or 4; 0: by the sizes in the data.
    points
        Places of an image at which masks are compared in training.
    masked
        Share of the queries that, in training, look only at the tokens in their mask so far.
    annealed
        Whether that share falls to none while training goes on, block after block, since nothing is masked
        when the network predicts (EoMT, 3.3).
    minimum_score
        Segments below it are left out.
    left_over
        Panoptic: queries to which less of their mask is left are left out.
    background
        Whether unlabelled pixels are learnt as none of the classes; unset: by the data.
    """

    task: ChosenTask = ""
    head: int = 128
    registers: int = 0
    blocks: int = 3
    queries: int = 0
    mask_stride: int = 0
    points: int = 2048
    masked: float = 0.0
    annealed: bool = True
    minimum_score: float = 0.5
    left_over: float = 0.5
    background: bool | None = None

    def __post_init__(self) -> None:
        if self.mask_stride not in (0, 2, 4) or self.blocks < 1 or self.head % 16 or self.points < 4:
            raise InlayError(
                f"mask_stride {self.mask_stride} must be 2 or 4, blocks {self.blocks} at least 1, head "
                f"{self.head} a multiple of 16, points {self.points} at least 4"
            )


def adapt(config: Config, facts: Facts) -> Config:
    """The config with queries and mask resolution fitted to the things in the data."""
    queries = config.queries or min(max(20, 2 * facts.most_things + len(facts.pixels)), 300)
    middle = float(np.median(facts.sides)) if facts.sides.size else np.inf
    finest = 4 if config.encoder.startswith("mit") else 2
    stride = config.mask_stride or (finest if middle < 40 else 4)
    background = not facts.has_void if config.background is None else config.background
    return replace(config, queries=queries, mask_stride=stride, background=background)


def build(config: Config, classes: Classes) -> MaskTransformer:
    """A mask transformer with fresh weights."""
    encoder = make_encoder(config.encoder, config.widths, config.depths, config.norm)
    if isinstance(encoder, ViT):
        encoder = ViT.named(config.encoder.removeprefix("vit_"), registers=config.registers)
    return MaskTransformer(config, classes, encoder)


class MaskTransformer(nn.Module):
    """A class and a mask for each query."""

    ANEW = ("query", "category.")  # what published weights need not fit
    ROWS = ("query",)  # of which as many are taken as there are
    by_pixel: Tensor
    class_weights: Tensor

    def __init__(self, config: Config, classes: Classes, encoder: Any) -> None:
        super().__init__()
        self.config, self.classes = config, classes
        self.task = task_of(TASK, config.task, classes)
        self.reach(0.0)
        self.contrast = Contrast255(config.contrast)
        self.encoder = encoder
        plain = isinstance(encoder, ViT)
        width = encoder.widths[-1] if plain else config.head
        steps = (PATCH // config.mask_stride).bit_length() - 1
        self.trunk = None if plain else Trunk(encoder, width, config.blocks, steps)
        if plain:
            encoder.fine = encoder.finer = encoder.coarse = nn.Identity()  # the pyramid is not looked at
            if config.blocks > len(encoder.blocks):
                raise InlayError(f"the encoder has {len(encoder.blocks)} blocks, not {config.blocks}")
        self.query = nn.Parameter(torch.randn(config.queries, width))
        self.category = nn.Linear(width, len(classes) + 1)
        self.mask = MaskOfQuery(width)
        self.enlarge = nn.ModuleList(Enlarge(width) for _ in range(steps))
        by_pixel = torch.from_numpy(~classes.is_thing | (self.task == "semantic"))
        self.register_buffer("by_pixel", by_pixel, persistent=False)
        weights = torch.ones(len(classes) + 1)
        weights[-1] = NO_SEGMENT
        self.register_buffer("class_weights", weights, persistent=False)

    def renamed(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weights of a whole EoMT of transformers under our names; nothing of any other network."""
        return renamed(weights) if self.trunk is None and "query.weight" in weights else {}

    def reach(self, share: float) -> None:
        """Settle how much is masked in each block when `share` of the run is done.

        With n blocks a run has n + 3 parts: block k lets its masks go in part k + 1, by a power of 0.9.
        """
        parts = self.config.blocks + 3
        left = [1 - min(max(share * parts - k - 1, 0.0), 1.0) for k in range(self.config.blocks)]
        # plain floats, so that the graph of an export has no branch on values
        self.masked = [self.config.masked * (each**0.9 if self.config.annealed else 1) for each in left]

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, ...]:
        """(B, 3, H, W) pixels 0 .. 255 -> what is to be learnt from (training) or decoded.

        In training: class logits (B, Q, K + 1), vectors of queries (B, Q, D) and a map (B, D, h, w) whose
        products are mask logits, before each of the blocks that queries take part in and after the last: a
        loss wants few of the masks whole. Else class and mask logits (B, Q, h, w) after the last; for a
        semantic task logits (B, K, H, W), with one more channel for background.
        """
        padded = pad_to(self.contrast(images), 32)
        tokens, size, fine = self._tokens(padded)
        blocks, norm = self._joint()
        x = torch.cat([self.query.expand(images.shape[0], -1, -1), tokens], 1)
        raw: list[Tensor] = []
        for block, share in zip(blocks, self.masked):
            seen_by = None
            if self.training:
                raw += self._answers(norm(x), size, fine[:AUXILIARY_STEPS], AUXILIARY_STEPS)
                seen_by = self._masked(raw[-2], raw[-1], x.shape[1], size, share)
            x = block(x, seen_by)
        category, vectors, pixels = self._answers(norm(x), size, fine, len(self.enlarge))
        if self.training:
            return *raw, category, vectors, pixels
        masks = masks_of(vectors, pixels)
        if self.task == "semantic":
            return self._by_class(category, masks, padded, images)
        return category, masks

    def _tokens(self, padded: Tensor) -> tuple[Tensor, tuple[int, int], list[Tensor]]:
        """(B, N, D) tokens before the joint blocks, the size of their map, and finer features."""
        if self.trunk is not None:
            found: tuple[Tensor, tuple[int, int], list[Tensor]] = self.trunk(self.encoder(padded))
            return found
        tokens, size = self.encoder.embedded(padded)
        for block in self.encoder.blocks[: -self.config.blocks]:
            tokens = block(tokens)
        return tokens, size, []

    def _joint(self) -> tuple[Any, Any]:
        if self.trunk is not None:
            return self.trunk.blocks, self.trunk.norm
        return self.encoder.blocks[-self.config.blocks :], self.encoder.norm

    def _answers(
        self, x: Tensor, size: tuple[int, int], fine: Sequence[Tensor], steps: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Class logits of tokens after their norm, and the two factors of mask logits, enlarged so often."""
        count = len(self.query)
        queries, places = x[:, :count], x[:, x.shape[1] - size[0] * size[1] :]
        pixels = map_of(places, size)
        for step, layer in enumerate(self.enlarge[:steps]):
            pixels = layer(pixels, fine[step] if fine else None)
        return self.category(queries), self.mask(queries), pixels

    def _masked(
        self, vectors: Tensor, pixels: Tensor, count: int, size: tuple[int, int], share: float
    ) -> Tensor | None:
        """(B, 1, N, N) which tokens see which: some queries only the places of their mask so far."""
        if share <= 0:
            return None
        batch, queries = vectors.shape[:2]
        small = F.interpolate(pixels.detach(), size=size, mode="bilinear")  # as good as shrinking the masks
        inside = masks_of(vectors.detach(), small).flatten(2) > 0
        free = torch.rand(batch, queries, 1, device=vectors.device) >= share
        seen_by = torch.ones(batch, count, count, dtype=torch.bool, device=vectors.device)
        seen_by[:, :queries, count - size[0] * size[1] :] = inside | free
        return seen_by[:, None]

    def _by_class(self, category: Tensor, masks: Tensor, padded: Tensor, images: Tensor) -> Tensor:
        """(B, K, H, W) logarithm of the sum, over queries, of the shares of a class and of a pixel."""
        shares = category.float().softmax(-1)[..., :-1].transpose(1, 2)
        whole = torch.matmul(shares, masks.float().sigmoid().flatten(2)).reshape(
            len(masks), len(self.classes), *masks.shape[2:]
        )
        if self.config.background:
            whole = torch.cat([whole, torch.full_like(whole[:, :1], NOBODY)], 1)
        return cut_to(upsample(whole, padded), images).clamp(min=1e-6).log()

    def loss(self, raw: tuple[Tensor, ...], targets: Targets) -> dict[str, Tensor]:
        """Cross entropy of classes; cross entropy and Dice loss of masks; of all answers of the queries."""
        answers = [part.float() for part in raw]
        segments = [Segments.of(target, self.by_pixel) for target in targets]
        height, width = answers[-1].shape[2:]
        padded = height * self.config.mask_stride, width * self.config.mask_stride
        losses = torch.stack(
            [self._of_answer(answers[k : k + 3], segments, padded) for k in range(0, len(answers), 3)]
        ).sum(0)
        return dict(zip(("category", "mask", "dice"), losses))

    def _of_answer(
        self, answer: Sequence[Tensor], segments: list[Segments], padded: tuple[int, int]
    ) -> Tensor:
        """(3,) losses of one answer to all images of a batch, of that size with their padding, weighted."""
        logits, vectors, pixels = answer
        truth = torch.full(logits.shape[:2], len(self.classes), device=logits.device)
        mask = (vectors.sum() + pixels.sum()) * 0 + torch.zeros(2, device=logits.device)  # a whole graph
        points, count = self.config.points, max(1, sum(map(len, segments)))
        for k, (each, vector, own) in enumerate(zip(segments, vectors.unbind(), pixels.unbind())):
            with torch.no_grad():
                query, row = assigned(logits[k], vector, own, each, points, padded)
            truth[k, query] = each.class_id[row]
            if len(row):
                mask = mask + mask_losses(masks_of(vector[query], own), each, row, points, padded)
        category = F.cross_entropy(logits.flatten(0, 1), truth.flatten(), self.class_weights)
        return torch.cat([CLASS * category[None], torch.stack([MASK * mask[0], DICE * mask[1]]) / count])

    def decode(
        self,
        raw: Tensor | Sequence[Tensor],
        sizes: Sequence[tuple[int, int]],
        *,
        minimum_score: float | None = None,
    ) -> list[Segmentation]:
        """Segments of each image: of classes, of things the surest in front, or a partition."""
        if isinstance(raw, Tensor):
            found = segments_of_classes(raw.detach().float().cpu().numpy(), sizes, self.classes)
            return [each[scores_of(each) >= (minimum_score or 0.0)] for each in found]
        logits, masks = (part.detach().float().cpu().numpy() for part in raw)
        decoder: Any = things_of_queries
        if self.task == "panoptic":
            decoder = partial(segments_of_queries, left_over=self.config.left_over)
        least = self.config.minimum_score if minimum_score is None else minimum_score
        stride = self.config.mask_stride
        return [
            decoder(logits[k], masks[k], size, self.classes, stride=stride, minimum_score=least)
            for k, size in enumerate(sizes)
        ]


class Trunk(nn.Module):
    """Tokens from the features of a convolutional encoder, and the blocks in which queries join them."""

    def __init__(self, encoder: Any, width: int, blocks: int, steps: int) -> None:
        super().__init__()
        self.level = level_of(encoder, PATCH)
        self.finer = [level_of(encoder, PATCH >> (step + 1)) for step in range(steps)]
        self.coarsest = nn.Conv2d(encoder.widths[-1], width, 1)
        self.entry = nn.Conv2d(encoder.widths[self.level], width, 1)
        self.aside = nn.ModuleList(nn.Conv2d(encoder.widths[level], width, 1) for level in self.finer)
        self.blocks = nn.ModuleList(Block(width, max(1, width // 32)) for _ in range(blocks))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.blocks.apply(initialise_linear)
        self.apply(initialise)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, tuple[int, int], list[Tensor]]:
        """Features from fine to coarse -> (B, h * w, D) tokens, (h, w), and maps for each enlargement."""
        x = self.entry(features[self.level])
        x = x + upsample(self.coarsest(features[-1]), x)
        size = x.shape[2], x.shape[3]
        x = x + positions(size, x.shape[1], x)
        return tokens_of(x), size, [layer(features[k]) for layer, k in zip(self.aside, self.finer)]
