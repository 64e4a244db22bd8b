"""Raw outputs into segmentations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Classes, Masks, Segmentation
from inlay.models.decode.grids import Grid, masks_of_patches, paint, things_of_grids
from inlay.models.decode.prototypes import things_of_prototypes
from inlay.models.decode.queries import segments_of_queries, things_of_queries
from inlay.models.decode.regions import things_of_regions
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


def peak_of(work) -> int:
    """Most bytes of numpy and Python that `work` held beside what was there before."""
    import tracemalloc

    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_five_thousand_things_in_twelve_megapixels_need_no_gigabyte():
    size, side = (3000, 4000), 12
    places = np.random.default_rng(0).integers(0, 2900, (5000, 2))
    found = []

    def decode() -> None:
        patches = ((np.ones((side, side), np.bool_), int(y), int(x)) for y, x in places)
        found.append(masks_of_patches(patches, size))

    assert peak_of(decode) < 100_000_000
    assert found[0].area().tolist() == [side * side] * 5000


def many(family: str, count: int, side: int) -> Callable[[], Segmentation]:
    """Decoding of so many squares of so many pixels, in an image of 1000 x 1200."""
    size, rng = (1000, 1200), np.random.default_rng(0)
    corners = rng.integers(0, [1200 - side + 1, 1000 - side + 1], (count, 2)).astype(np.float32)
    boxes, row = np.concatenate([corners, corners + side], 1), np.zeros(count, np.int64)
    score = np.linspace(1.0, 0.5, count, dtype=np.float32)
    if family == "regions":
        masks = np.ones((count, 28, 28), np.float32)
        return lambda: things_of_regions([boxes, score, row, masks], size, CLASSES, minimum_score=0.1)
    if family == "prototypes":
        prototypes = np.ones((4, 250, 300), np.float32)
        mixes = np.ones((count, 4), np.float32)
        return lambda: things_of_prototypes(prototypes, mixes, boxes, score, row, size, CLASSES, stride=4)
    if family == "grids":
        kernels, cell = np.zeros((7, 125, 150), np.float32), np.full((2, 125, 150), -20, np.float32)
        places = rng.permutation(63 * 75)[:count]
        at = 2 * (places // 75), 2 * (places % 75)
        cell[0][at] = 4
        kernels[3][at], kernels[6][at] = (side / 64) ** 2, 1.0  # a disc: bias less the squared distance
        grid = Grid(cell, kernels, 8, float("inf") if side > 500 else 2.0 * side)
        settings_ = {"stride": 4, "minimum_score": 0.1, "candidates": count, "partition": False}
        return lambda: things_of_grids(
            np.zeros((3, 250, 300), np.float32), [grid], size, CLASSES, **settings_
        )
    masks = np.full((count, 250, 300), -5, np.float32)
    for mask, (x0, y0, x1, y1) in zip(masks, (boxes / 4).astype(int)):
        mask[y0:y1, x0:x1] = 5
    logits = np.tile(np.array([[9, 0, 0]], np.float32), (count, 1))
    decode = segments_of_queries if family == "partition" else things_of_queries
    more = {"left_over": 0.0} if family == "partition" else {}
    return lambda: decode(logits, masks, size, CLASSES, stride=4, minimum_score=0.1, **more)


@pytest.mark.parametrize("family", ["regions", "prototypes", "grids", "queries", "partition"])
def test_memory_of_decoding_does_not_grow_with_things_that_fill_the_image(family, monkeypatch):
    monkeypatch.setattr("inlay.models.decode.grids.TOGETHER", 2)
    few, lots = (peak_of(many(family, count, 900)) for count in (2, 14))
    assert lots < few + 12 * 900 * 900 / 4  # far below a byte for each pixel of each of them


@pytest.mark.parametrize("family", ["regions", "prototypes", "grids"])
def test_hundreds_of_things_are_decoded_in_little_memory(family):
    found = []
    decode = many(family, 600, 24)
    assert peak_of(lambda: found.append(decode())) < 20_000_000
    assert len(found[0]) > 100
