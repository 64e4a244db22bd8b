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
    far, owner = kernels.geodesic(image, seeds, 3.0, barrier)
    assert far == pytest.approx(plain(image, seeds, 3.0, barrier=barrier), rel=1e-4, abs=1e-4)
    assert (owner >= 0).all()
    assert (far.ravel()[seeds] == 0).all()


def test_without_seeds_nothing_is_reached_and_seeds_outside_are_refused():
    image = np.zeros((3, 3, 1), np.float32)
    far, owner = kernels.geodesic(image, np.zeros(0, np.int64), 1.0, False)
    assert np.isinf(far).all()
    assert (owner == -1).all()
    with pytest.raises(ValueError, match="outside"):
        kernels.geodesic(image, np.array([9]), 1.0, False)
