"""Kernels that are called past the types which guard them still refuse, and never crash."""

from __future__ import annotations

import numpy as np
import pytest

from inlay.core import kernels

RNG = np.random.default_rng(0)
POINTS = RNG.normal(0, 30, (6, 2))
NO_HOLES = np.zeros(2, np.uint8)
BROKEN = [[0, 9], [0, 5, 3, 6], [1, 6], [-1, 6], [0, 5], []]


@pytest.mark.parametrize("offsets", BROKEN, ids=str)
def test_broken_offsets_are_refused(offsets):
    broken = np.array(offsets, np.int64)
    sides = np.zeros(max(len(offsets) - 1, 0), np.int32)
    whole = np.array([0, 1])
    for fill in (kernels.fill_edge, kernels.fill_centre):
        with pytest.raises(ValueError, match="rings"):
            fill(POINTS, broken, whole, np.zeros(len(sides), np.uint8), 9, 9)
        with pytest.raises(ValueError, match="rings"):
            fill(POINTS, np.array([0, 3, 6]), broken, NO_HOLES, 9, 9)
    with pytest.raises(ValueError, match="arcs"):
        kernels.sweep(POINTS, broken, sides, sides, 9, 9)
    with pytest.raises(ValueError, match="arcs"):
        kernels.simplify(POINTS, broken, 1.0)
    assert kernels.uncovered(np.full(6, 1, np.uint32), broken, 6) == -2


def test_a_window_outside_the_image_is_refused():
    with pytest.raises(ValueError, match="window"):
        kernels.crop(np.array([9], np.uint32), 3, 0, 0, 2, 4)


def test_random_arcs_between_random_rows_give_each_pixel_a_row():
    for _ in range(200):
        ends = np.sort(RNG.integers(0, 31, 4)).tolist()
        offsets = np.array([0, *ends, 30])
        left, right = RNG.integers(-1, 4, (2, 5)).astype(np.int32)
        ids = kernels.sweep(RNG.normal(10, 15, (30, 2)), offsets, left, right, 20, 20)
        assert ids.min() >= -1
        assert ids.max() <= 3
