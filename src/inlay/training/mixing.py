"""Examples made of several: mosaic, CutMix, copy-paste. Pixel and label come from one image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inlay.training.augment import vary, without_empty
from inlay.training.config import Augment
from inlay.training.examples import Example


def mixed(examples: Sequence[Example], index: int, settings: Augment, rng: np.random.Generator) -> Example:
    """A crop of an example, varied, with parts of others as the settings say."""

    def other() -> Example:
        return vary(examples[int(rng.integers(len(examples)))], settings, rng)

    def chosen(share: float) -> bool:
        return share > 0 and rng.random() < share

    if chosen(settings.mosaic):
        example = mosaic(examples, index, settings, rng)
    else:
        example = vary(examples[index], settings, rng)
    if chosen(settings.cutmix):
        example = laid_over(example, other(), _rectangle(example.size, rng))
    if chosen(settings.copy_paste):
        example = pasted(example, other(), rng)
    return example


def mosaic(examples: Sequence[Example], index: int, settings: Augment, rng: np.random.Generator) -> Example:
    """A crop of four parts, each a crop of its own image; where they meet lies in the middle half."""
    height, width = settings.crop
    y, x = (int(rng.integers(side // 4, side - side // 4)) for side in (height, width))
    whole = vary(examples[index], settings, rng)
    quarters = [(0, x, y, width), (y, 0, height, x), (y, x, height, width)]
    for top, left, bottom, right in quarters:
        part = vary(examples[int(rng.integers(len(examples)))], settings, rng)
        where = np.zeros(whole.size, np.bool_)
        where[top:bottom, left:right] = True
        whole = laid_over(whole, part, where)
    return whole


def _rectangle(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.bool_]:
    """A rectangle of any share of the area (Yun et al. 2019: uniform), anywhere."""
    share = np.sqrt(rng.random())
    where = np.zeros(size, np.bool_)
    sides = [max(1, round(share * side)) for side in size]
    top, left = (int(rng.integers(0, whole - side + 1)) for whole, side in zip(size, sides))
    where[top : top + sides[0], left : left + sides[1]] = True
    return where


def pasted(example: Example, source: Example, rng: np.random.Generator) -> Example:
    """The example with things of another in front, as far as they are seen there (Ghiasi et al. 2021)."""
    count = len(source.class_id)
    if count == 0:
        return example
    taken = np.zeros(count + 1, np.bool_)
    taken[1:] = rng.random(count) < 0.5
    numbers = source.layers
    where = taken[numbers].any(0) & ~((numbers > 0) & ~taken[numbers]).any(0)
    front = np.concatenate([[-1], source.class_id])[np.where(taken[numbers], numbers, 0).max(0)]
    where &= source.semantic == front  # not where something else hides it
    alone = replace(source, layers=np.where(taken[numbers], numbers, 0).astype(np.int32))
    return laid_over(example, alone, where)


def laid_over(below: Example, above: Example, where: NDArray[np.bool_]) -> Example:
    """`above` where `where` says so, `below` elsewhere; what cannot be seen any more is dropped."""
    count = max(len(below.layers), len(above.layers))
    layers = np.zeros((count, *below.size), np.int32)
    layers[: len(below.layers)] = np.where(where, 0, below.layers)
    shown = np.where(where, above.layers, 0)
    layers[: len(above.layers)] += np.where(shown > 0, shown + len(below.class_id), 0).astype(np.int32)
    hints = np.zeros((count, *below.size), np.int8)
    hints[: len(below.hints)] = np.where(where, 0, below.hints)
    hints[: len(above.hints)] += np.where(where, above.hints, np.int8(0))
    joined = Example(
        np.where(where[..., None], above.image, below.image),
        np.where(where, above.semantic, below.semantic),
        np.where(where, above.ignored, below.ignored),
        layers,
        np.concatenate([below.class_id, above.class_id]),
        np.concatenate([below.whole, above.whole]),
        hints,
    )
    return without_empty(joined)
