"""Raw outputs into segmentations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Classes, Masks
from inlay.models.decode.grids import Grid, masks_of_patches, paint, things_of_grids
from inlay.models.decode.semantic import segments_of_classes
from inlay.models.solov2 import mask_logits

CLASSES = Classes.of("ball", "box")


def test_the_semantic_view_is_the_largest_logit_and_scores_are_mean_shares():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 3, 6, 8)).astype(np.float32)
    classes = Classes.of("a", "b", "c", kind="stuff")
    first, second = segments_of_classes(logits, [(6, 8), (4, 5)], classes)
    assert np.array_equal(first.semantic(), logits[0].argmax(0))
    assert second.size == (4, 5)
    assert np.array_equal(second.semantic(), logits[1, :, :4, :5].argmax(0))
    share = np.exp(logits[0]) / np.exp(logits[0]).sum(0)
    for row, mask in zip(first.class_id, first.masks.decode()):
        wanted = share[row][mask].mean()
        assert first.score[first.class_id == row][0] == pytest.approx(wanted, abs=1e-5)


def test_a_last_channel_beyond_the_classes_belongs_to_nobody():
    logits = np.zeros((1, 3, 2, 2), np.float32)
    logits[0, 2, 0], logits[0, 0, 1] = 5, 5
    (found,) = segments_of_classes(logits, [(2, 2)], CLASSES)
    assert found.semantic(void=9).tolist() == [[9, 9], [0, 0]]


def grids(seed: int = 0, *, bias: float = 0.0, features: int = 3) -> tuple[np.ndarray, list[Grid]]:
    rng = np.random.default_rng(seed)
    painted = rng.normal(size=(features, 16, 24)).astype(np.float32)
    made = []
    for cell, largest in ((4, 12.0), (8, float("inf"))):
        shape = (32 // cell, 48 // cell)
        kernels = rng.normal(size=(features + 4, *shape)).astype(np.float32)
        kernels[-1] += 3
        logits = rng.normal(size=(2, *shape)).astype(np.float32) + bias
        made.append(Grid(logits, kernels, cell, largest))
    return painted, made


def decode(painted, made, **changes):
    settings_ = {"stride": 2, "minimum_score": 0.1, "candidates": 500, "partition": False}
    return things_of_grids(painted, made, (31, 47), CLASSES, **{**settings_, **changes})


def test_no_object_gives_an_empty_prediction():
    painted, made = grids(bias=-20)
    found = decode(painted, made)
    assert len(found) == 0
    assert found.size == (31, 47)
    assert found.is_prediction


def test_the_surest_thing_lies_in_front_and_scores_stay_above_the_least():
    found = decode(*grids())
    assert len(found) > 3
    assert np.all(np.diff(found.score) >= 0)
    assert found.score.min() >= 0.1
    assert found.instance_id.tolist() == list(range(1, len(found) + 1))
    assert len(decode(*grids(), minimum_score=0.4)) < len(found)
    assert len(decode(*grids(), candidates=3)) <= 3


def test_a_partition_gives_each_pixel_to_the_surest():
    loose, tight = decode(*grids()), decode(*grids(), partition=True)
    assert not loose.is_partition
    assert tight.is_partition
    assert np.array_equal(loose.semantic(), tight.semantic())


def test_numpy_paints_what_torch_paints():
    painted, made = grids()
    for grid in made:
        cells = np.array([[2, 3], [0, 0], [3, 5]])
        centres = torch.from_numpy((cells[:, ::-1] + 0.5) * grid.cell).float()
        kernels = torch.from_numpy(grid.kernels[:, cells[:, 0], cells[:, 1]].T.copy())
        side = torch.full((3,), float(grid.cell))
        whole = mask_logits(torch.from_numpy(painted), kernels, centres, side, 2).numpy()
        seen = 0
        for logits, (patch, top, left) in zip(whole, paint(painted, grid, cells, 2)):
            height, width = patch.shape
            assert np.allclose(patch, logits[top : top + height, left : left + width], atol=1e-4)
            if not np.isfinite(grid.largest):
                assert (patch > 0).sum() == (logits > 0).sum()
            seen += int((patch > 0).sum())
        assert seen > 0


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_masks_of_patches_equal_masks_of_whole_images(seed, count):
    rng = np.random.default_rng(seed)
    size = (int(rng.integers(1, 20)), int(rng.integers(1, 20)))
    patches, stack = [], np.zeros((count, *size), np.bool_)
    for mask in stack:
        top, left = int(rng.integers(0, size[0])), int(rng.integers(0, size[1]))
        pixels = rng.random((rng.integers(0, size[0] - top + 1), rng.integers(0, size[1] - left + 1))) < 0.6
        mask[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        patches.append((pixels, top, left))
    assert masks_of_patches(patches, size).equals(Masks.encode(stack) if count else Masks.empty(size))


def test_five_thousand_things_in_twelve_megapixels_need_no_gigabyte():
    import tracemalloc

    size, side = (3000, 4000), 12
    patches = [
        (np.ones((side, side), np.bool_), int(y), int(x))
        for y, x in np.random.default_rng(0).integers(0, 2900, (5000, 2))
    ]
    tracemalloc.start()
    masks = masks_of_patches(patches, size)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert masks.area().tolist() == [side * side] * 5000
    assert peak < 100_000_000
