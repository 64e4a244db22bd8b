"""Random stacks, id maps and segmentations that the laws of the core are tried on."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from tests.often import many

from inlay import Classes, Masks, Segmentation

CLASSES = Classes.of("car", "dog", "tree").with_kinds({"tree": "stuff"})
MANY = {"max_examples": many(300), "deadline": None}


def _draw_stack(seed: int, count: int, height: int, width: int, kind: str) -> np.ndarray:
    """White noise, coarse blocks, long runs, all or nothing: each finds other faults."""
    rng = np.random.default_rng(seed)
    shape = (count, height, width)
    if kind == "noise":
        return rng.random(shape) < rng.random()
    if kind == "runs":
        return np.cumsum(rng.random(shape) < 0.05, axis=1 + seed % 2) % 2 == 1
    if kind == "blocks":
        coarse = rng.random((count, height // 3 + 1, width // 3 + 1)) < 0.5
        return coarse.repeat(3, axis=1).repeat(3, axis=2)[:, :height, :width]
    return np.full(shape, kind == "full")


kinds = st.sampled_from(["noise", "runs", "blocks", "full", "empty"])
stacks = st.builds(
    _draw_stack, st.integers(0, 2**32 - 1), st.integers(0, 5), st.integers(1, 70), st.integers(1, 70), kinds
)
small_stacks = st.builds(
    _draw_stack, st.integers(0, 2**32 - 1), st.integers(0, 4), st.integers(1, 16), st.integers(1, 16), kinds
)
ROWS = 5
id_maps = st.builds(
    lambda ids, factor: ids.repeat(factor, axis=0).repeat(factor, axis=1),
    arrays(np.int32, array_shapes(min_dims=2, max_dims=2, max_side=10), elements=st.integers(-1, ROWS - 1)),
    st.integers(1, 4),
)


def segmentation_of(masks: Masks, **columns: object) -> Segmentation:
    """Segments of three classes in turn, things numbered from 1."""
    class_id = np.arange(len(masks)) % 3
    instance_id = np.where(class_id < 2, np.arange(len(masks)) + 1, 0)
    return Segmentation(CLASSES, masks, class_id, instance_id, **columns)


def partition_of(ids: np.ndarray) -> Segmentation:
    """The partition of an id map with `ROWS` rows."""
    return segmentation_of(Masks.from_ids(ids, ROWS))
