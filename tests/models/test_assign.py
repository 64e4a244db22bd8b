"""Which cell is to find which thing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay.models.parts.assign import assign_cells, pooled_masks, ranges_of
from inlay.training.batches import target_of
from inlay.training.examples import Example

EVERY = (0.0, float("inf"))


def target(layers: np.ndarray, class_id: list[int], ignored: np.ndarray | None = None):
    size = layers.shape[1:]
    return target_of(
        Example(
            np.zeros((*size, 3), np.uint8),
            np.full(size, -1, np.int16),
            np.zeros(size, np.bool_) if ignored is None else ignored,
            layers.astype(np.int32),
            np.array(class_id, np.int64),
        )
    )


def test_the_cell_under_the_centre_finds_the_thing():
    layers = np.zeros((1, 32, 48), int)
    layers[0, 17:22, 33:38] = 1
    grid = assign_cells(target(layers, [2]), 8, (4, 6), EVERY)
    assert torch.nonzero(grid.things >= 0).tolist() == [[2, 4]]
    assert grid.classes[2, 4] == 2
    assert grid.known.all()


def test_a_large_thing_takes_cells_beside_its_centre_but_at_most_one_to_each_side():
    layers = np.ones((1, 80, 80), int)
    grid = assign_cells(target(layers, [0]), 8, (10, 10), EVERY)
    rows, columns = torch.nonzero(grid.things >= 0).unbind(1)
    assert len(rows) == 9
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (4, 6, 4, 6)


def test_the_smaller_of_two_things_wins_a_cell():
    layers = np.zeros((2, 16, 16), int)
    layers[0, 2:6, 2:6] = 2
    layers[1, :8, :8] = 1
    grid = assign_cells(target(layers, [0, 1]), 8, (2, 2), EVERY)
    assert grid.things[0, 0] == 1
    assert grid.classes[0, 0] == 1


def test_a_grid_finds_only_things_of_its_sizes():
    layers = np.zeros((1, 64, 64), int)
    layers[0, :4, :4], layers[0, 20:60, 20:60] = 1, 2
    small, large = ranges_of((4, 8))
    assert set(assign_cells(target(layers, [0, 0]), 4, (16, 16), small).things.unique().tolist()) == {-1, 0}
    assert set(assign_cells(target(layers, [0, 0]), 8, (8, 8), large).things.unique().tolist()) == {-1, 1}
    assert small[0] == 0
    assert large[1] == float("inf")


def test_ignored_cells_are_unknown_unless_something_is_there():
    layers = np.zeros((1, 16, 16), int)
    layers[0, 10:14, 10:14] = 1
    ignored = np.zeros((16, 16), np.bool_)
    ignored[:, 8:] = True
    grid = assign_cells(target(layers, [0], ignored), 8, (2, 2), EVERY)
    assert grid.known.tolist() == [[True, False], [True, True]]


def test_cells_beyond_the_image_are_unknown():
    grid = assign_cells(target(np.zeros((0, 8, 8), int), []), 8, (2, 2), EVERY)
    assert grid.known.tolist() == [[True, False], [False, False]]
    assert (grid.things == -1).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 8, 16]))
def test_every_thing_of_a_suiting_size_is_found_unless_a_smaller_one_took_its_cells(seed, cell):
    rng = np.random.default_rng(seed)
    ids = np.zeros((1, 64, 64), int)
    for number in range(1, int(rng.integers(1, 6)) + 1):
        y, x = rng.integers(0, 60, 2)
        ids[0, y : y + rng.integers(1, 20), x : x + rng.integers(1, 20)] = number
    present = np.unique(ids[ids > 0])
    ids = np.searchsorted(np.concatenate([[0], present]), ids)
    goal = target(ids, [0] * len(present))
    grid = assign_cells(goal, cell, (64 // cell, 64 // cell), EVERY)
    found = set(grid.things[grid.things >= 0].tolist())
    sides = (goal.boxes[:, 2:] - goal.boxes[:, :2]).prod(1)
    for row in range(len(goal)):
        if row not in found:
            x, y = (goal.centres[row] / cell).long().tolist()
            winner = int(grid.things[y, x])
            assert winner >= 0
            assert sides[winner] <= sides[row]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_pooled_masks_at_stride_two_are_area_means(seed):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, 3, (1, 8, 12))
    goal = target(ids, [0, 0])
    pooled = pooled_masks(goal, torch.tensor([0, 1]), 2).numpy()
    for row in range(2):
        wanted = (ids[0] == row + 1).reshape(4, 2, 6, 2).mean((1, 3))
        assert np.allclose(pooled[row], wanted)


@pytest.mark.parametrize("size", [(33, 35), (34, 37), (36, 39)])
@pytest.mark.parametrize("stride", [2, 4])
def test_pooled_masks_of_crops_of_any_size_are_the_middles_that_lie_inside(size, stride):
    ids = np.random.default_rng(0).integers(0, 2, (1, *size))
    pooled = pooled_masks(target(ids, [0]), torch.tensor([0]), stride).numpy()[0]
    half = stride // 2
    assert pooled.shape == tuple(len(range(half, side, stride)) for side in size)
    last = tuple(place * stride + half for place in np.subtract(pooled.shape, 1))
    corner = ids[0, last[0] - 1 : last[0] + 1, last[1] - 1 : last[1] + 1]
    assert pooled[-1, -1] == corner.mean()
