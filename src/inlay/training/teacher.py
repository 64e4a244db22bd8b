"""The teacher: the running average of a network names what unlabelled images show, for it to learn.

It looks at a plain crop; the network then learns from the same crop recoloured, with parts of a labelled one
laid over it where asked (FixMatch, Sohn et al. 2020; DACS, Tranheden et al. 2021). What the teacher is not
sure of is neither right nor wrong. Images of another place or season than the labelled ones are no other
case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from inlay.core.segmentation import Segmentation
from inlay.models.decode.semantic import scores_of
from inlay.models.parts.targets import VOID
from inlay.training.augment import recoloured
from inlay.training.batches import Batch, batch_of
from inlay.training.config import Training
from inlay.training.examples import Example, layers_of
from inlay.training.hardware import autocast
from inlay.training.mixing import laid_over, pasted

UNSURE = 0.5  # of the least score: things down to it are neither right nor wrong


def taught(batch: Batch, network: nn.Module, settings: Training, device: torch.device) -> Batch:
    """The batch with its unlabelled crops labelled by `network`, varied strongly, put behind the others."""
    if not batch.unlabelled:
        return batch
    rng = np.random.default_rng((settings.seed, 3, batch.number))
    crops, partners, teacher = batch.unlabelled, batch.examples, settings.teacher
    raw = _seen(crops, network, settings.precision, device)
    by_class = isinstance(raw, Tensor) and tuple(raw.shape[2:]) == crops[0].size
    if by_class:
        named = by_pixels(crops, raw, len(network.classes), teacher.confidence)  # type: ignore[arg-type]
    else:
        decode: Any = network.decode
        found = decode(raw, [crop.size for crop in crops], minimum_score=UNSURE * teacher.score)
        named = [by_things(*each, least=teacher.score) for each in zip(crops, found)]
    strong = []
    for place, example in enumerate(named):
        bright = replace(example, image=recoloured(example.image, settings.augment, rng))
        if rng.random() < teacher.class_mix:
            partner = partners[place % len(partners)]
            bright = (mixed_by_class if by_class else pasted)(bright, partner, rng)
        strong.append(bright)
    more = batch_of(strong)
    return Batch(torch.cat([batch.images, more.images.to(batch.images)]), [*batch.targets, *more.targets])


@torch.no_grad()
def _seen(examples: Sequence[Example], network: nn.Module, precision: str, device: torch.device) -> Any:
    """Raw output of a network for examples of one size."""
    pixels = torch.from_numpy(np.stack([example.image for example in examples])).to(device)
    with autocast(device, precision):
        return network(pixels.permute(0, 3, 1, 2).float())


def by_pixels(examples: Sequence[Example], logits: Tensor, count: int, confidence: float) -> list[Example]:
    """Examples with the classes of which a network is sure; rows from `count` on are background."""
    shares, rows = (each.cpu().numpy() for each in logits.float().softmax(1).max(1))
    found = []
    for example, share, row in zip(examples, shares, rows):
        sure = share >= confidence
        semantic = np.where(sure & (row < count), row, VOID).astype(np.int16)
        found.append(replace(example, semantic=semantic, ignored=example.ignored | ~sure))
    return found


def by_things(example: Example, found: Segmentation, *, least: float) -> Example:
    """The example with the things of which a network is sure; the others are neither right nor wrong."""
    found = found[found.masks.area() > 0]
    sure = scores_of(found) >= least
    things, others = found[sure], found[~sure]
    semantic = things.masks.paint(things.class_id, fill=VOID).astype(np.int16)
    unsure: NDArray[np.bool_] = np.zeros(example.size, np.bool_)
    if len(others):
        unsure = others.masks.union().decode()[0] & (semantic == VOID)
    class_id = things.class_id.astype(np.int64)
    return Example(example.image, semantic, example.ignored | unsure, layers_of(things), class_id)


def mixed_by_class(example: Example, partner: Example, rng: np.random.Generator) -> Example:
    """The example under half of the classes of a labelled one."""
    present = np.unique(partner.semantic[partner.semantic != VOID])
    chosen = rng.permutation(present)[: -(-len(present) // 2)]
    return laid_over(example, partner, np.isin(partner.semantic, chosen))
