"""Distances against every pair of pixels, and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import ndimage

from inlay import InlayError, Masks
from inlay.core.distances import depth, distance, innermost

from .random_masks import MANY, small_stacks, stacks


def nearest_zero(bitmap):
    """The distance of each pixel to each zero, and the least of them."""
    zeros = np.argwhere(~bitmap)
    if not len(zeros):
        return np.full(bitmap.shape, np.inf)
    pixels = np.argwhere(np.ones(bitmap.shape, bool))
    squared = ((pixels[:, None] - zeros[None]) ** 2).sum(axis=-1).min(axis=1)
    return np.sqrt(squared).reshape(bitmap.shape)


@settings(**MANY)
@given(small_stacks)
def test_a_distance_is_that_to_the_nearest_of_all_zeros(stack):
    for bitmap in stack:
        assert np.array_equal(distance(bitmap), nearest_zero(bitmap))
        assert np.array_equal(distance(bitmap, walled=True), nearest_zero(np.pad(bitmap, 1))[1:-1, 1:-1])


@settings(**MANY)
@given(stacks)
def test_depth_and_the_innermost_pixel_are_scipys(stack):
    masks = Masks.encode(stack)
    places, depths = innermost(masks)
    for row, mask in enumerate(stack):
        theirs = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
        ours, (x0, y0, x1, y1) = depth(masks, row)
        assert np.allclose(ours, theirs[y0:y1, x0:x1], rtol=1e-12)
        assert depths[row] == pytest.approx(theirs.max(), rel=1e-12)
        x, y = places[row]
        assert np.isclose(theirs[y, x], theirs.max())


def test_the_innermost_pixel_is_the_first_of_equals_down_the_columns():
    places, depths = innermost(Masks.encode([np.ones((2, 3), bool), np.zeros((2, 3), bool)]))
    assert places.tolist() == [[0, 0], [0, 0]]
    assert depths.tolist() == [1.0, 0.0]


def test_threads_find_the_same_pixels():
    masks = Masks.encode(np.random.default_rng(0).random((300, 90, 90)) < 0.97)
    assert all(np.array_equal(a, b) for a, b in zip(innermost(masks, threads=1), innermost(masks, threads=3)))


def test_distances_of_a_stack_are_refused():
    with pytest.raises(InlayError):
        distance(np.zeros((1, 2, 2)))
