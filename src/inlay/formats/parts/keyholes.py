"""Keyholes: one ring for each mask, for readers that know neither holes nor parts.

A hole is joined to the ring left of it by a slit that is walked there and back. Readers that draw edges
(OpenCV's `fillPoly`) see the same mask, bit for bit: the slit lies on pixels of the mask. Parts are joined by
lines between their nearest points, as Ultralytics does; such a line is seen, so parts are *not* kept exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.polygons import Polygons

Ring = NDArray[np.float64]  # (K, 2) x, y of pixels
NEAREST = (
    50  # parts up to this number are joined to the nearest of all others, more of them one after another
)


def single_rings(polygons: Polygons) -> list[Ring]:
    """One (K, 2) ring for each mask of pixel-centre polygons; (0, 2) for an empty mask."""
    return [single_ring(parts) for parts in polygons]


def single_ring(parts: list[list[Ring]]) -> Ring:
    """The parts of a mask, each an outer ring and its holes, as one ring."""
    if not parts:
        return np.empty((0, 2))
    rings = [closed_holes(part) for part in parts]
    if len(rings) == 1:
        return rings[0]
    from scipy.spatial import cKDTree

    chain = _Chain(rings)
    for part in range(1, len(rings)):
        first = 0 if len(rings) <= NEAREST else chain.starts[part - 1]
        known = chain.points[first : chain.starts[part]]
        distance, near = cKDTree(known).query(rings[part])
        own = int(np.argmin(distance))
        chain.link(first + int(near[own]), chain.starts[part] + own)
    return chain.walk()


def closed_holes(part: list[Ring]) -> Ring:
    """The outer ring of a part and its holes as one ring."""
    if len(part) == 1:
        return part[0]
    rings = [_every_pixel(ring) for ring in part]
    chain = _Chain(rings)
    x, y = chain.points.T
    ring_of = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    order = np.lexsort((x, y))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    leftmost = [chain.starts[k] + int(np.argmin(ring[:, 0])) for k, ring in enumerate(rings)]
    joined = np.zeros(len(rings), np.bool_)
    joined[0] = True
    for k in sorted(range(1, len(rings)), key=lambda k: (x[leftmost[k]], y[leftmost[k]])):
        at = int(place[leftmost[k]])
        while not joined[ring_of[order[at]]]:  # the nearest pixel to the left whose ring is joined already
            at -= 1
        chain.link(int(order[at]), leftmost[k])
        joined[k] = True
    return _corners(chain.walk())


def _every_pixel(ring: Ring) -> Ring:
    """All pixels on a ring whose edges are level, upright or diagonal."""
    step = np.roll(ring, -1, axis=0) - ring
    count = np.maximum(np.abs(step).max(axis=1), 1).astype(np.int64)
    first = np.repeat(np.cumsum(count) - count, count)
    share = (np.arange(int(count.sum())) - first) / np.repeat(count, count)
    pixels: Ring = np.rint(np.repeat(ring, count, axis=0) + share[:, None] * np.repeat(step, count, axis=0))
    return pixels


def _corners(ring: Ring) -> Ring:
    """A ring without the points at which it goes straight on."""
    ring = ring[(ring != np.roll(ring, 1, axis=0)).any(axis=1)]
    ahead = np.sign(np.roll(ring, -1, axis=0) - ring)
    slope = np.abs(np.roll(ring, -1, axis=0) - ring)
    straight = (ahead == np.roll(ahead, 1, axis=0)).all(axis=1)
    level = (slope.min(axis=1) == 0) | (slope[:, 0] == slope[:, 1])
    corners: Ring = ring[~(straight & level & np.roll(level, 1))]
    return corners


class _Chain:
    """Rings as linked points, which are joined to one."""

    def __init__(self, rings: list[Ring]) -> None:
        self.points = np.concatenate(rings)
        lengths = [len(ring) for ring in rings]
        self.starts: list[int] = (np.cumsum(lengths) - lengths).tolist()
        self._next = list(range(1, len(self.points) + 1))
        self._before = list(range(-1, len(self.points) - 1))
        for start, length in zip(self.starts, lengths):
            self._next[start + length - 1] = start
            self._before[start] = start + length - 1
        self._point = list(range(len(self.points)))

    def link(self, at: int, start: int) -> None:
        """Walk the ring of point `start`, which is joined to none yet, on arriving at point `at`."""
        again_start, again_at = len(self._point), len(self._point) + 1
        self._point += [start, at]
        self._next[self._before[start]] = again_start
        self._next += [again_at, self._next[at]]
        self._next[at] = start

    def walk(self) -> Ring:
        """The points from the first on, until it is reached again."""
        found, node = [0], self._next[0]
        while node:
            found.append(self._point[node])
            node = self._next[node]
        return self.points[found]
