"""Shortest paths through colours, against a plain search."""

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay.core import kernels


def plain(image, seeds, contrast, *, barrier):
    height, width, _ = image.shape
    far = np.full(height * width, np.inf)
    open_places = [(0.0, int(seed)) for seed in seeds]
    for _, seed in open_places:
        far[seed] = 0
    heapq.heapify(open_places)
    while open_places:
        cost, at = heapq.heappop(open_places)
        if cost > far[at]:
            continue
        y, x = divmod(at, width)
        for to_y in range(max(y - 1, 0), min(y + 2, height)):
            for to_x in range(max(x - 1, 0), min(x + 2, width)):
                length = np.hypot(to_y - y, to_x - x)
                if length == 0:
                    continue
                edge = np.linalg.norm(image[to_y, to_x] - image[y, x])
                total = max(cost, edge / length) if barrier else cost + length + contrast * edge
                to = to_y * width + to_x
                if total < far[to] - 1e-9:
                    far[to] = total
                    heapq.heappush(open_places, (total, to))
    return far.reshape(height, width)


@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 9), st.integers(1, 3), st.booleans())
@settings(max_examples=many(300), deadline=None)
def test_paths_cost_what_a_plain_search_finds(seed, height, width, channels, barrier):
    random = np.random.default_rng(seed)
    image = random.random((height, width, channels), np.float32)
    seeds = random.integers(0, height * width, random.integers(1, 4))
    first = random.integers(0, len(seeds) + 1)  # may have none, and so may the second
    far, owner = kernels.geodesic(image, seeds, np.array([0, first, len(seeds)]), 3.0, barrier)
    for group, own in enumerate((seeds[:first], seeds[first:])):
        if len(own):
            assert far[group] == pytest.approx(plain(image, own, 3.0, barrier=barrier), rel=1e-4, abs=1e-4)
            assert (owner[group] >= 0).all()
            assert (far[group].ravel()[own] == 0).all()
        else:
            assert np.isinf(far[group]).all()
            assert (owner[group] == -1).all()


@pytest.mark.parametrize("barrier", [False, True])
def test_even_images_colours_that_are_no_numbers_and_huge_steps_end(barrier):
    even = np.ones((4, 5, 3), np.float32)
    far, _ = kernels.geodesic(even, np.array([0]), np.array([0, 1]), 1.0, barrier)
    assert far[0, 3, 4] == pytest.approx(0.0 if barrier else 1 + 3 * np.sqrt(2))
    odd = even.copy()
    odd[:, 2] = np.nan
    far, _ = kernels.geodesic(odd, np.array([0]), np.array([0, 1]), 1.0, barrier)
    assert np.isfinite(far[0, :, :2]).all()
    assert np.isinf(far[0, :, 2:]).all()
    odd[:, 2] = 1e15
    far, _ = kernels.geodesic(odd, np.array([0]), np.array([0, 1]), 1.0, barrier)
    assert (far[0, :, 3] >= 1e15).all()
    alone, _ = kernels.geodesic(even[:1, :1], np.array([0]), np.array([0, 1]), 1.0, barrier)
    assert alone.tolist() == [[[0]]]


def test_seeds_outside_are_refused():
    with pytest.raises(ValueError, match="outside"):
        kernels.geodesic(np.zeros((3, 3, 1), np.float32), np.array([9]), np.array([0, 1]), 1.0, False)
