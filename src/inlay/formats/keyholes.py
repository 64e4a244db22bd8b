"""Keyholes: one ring for each mask, for readers that know neither holes nor parts.

A hole is joined to the ring left of it by a slit that is walked there and back. Readers that draw edges
(OpenCV's `fillPoly`) see the same mask, bit for bit: the slit lies on pixels of the mask. Parts are joined by
their nearest points, as Ultralytics does; that line is seen, so parts are *not* kept exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.polygons import Polygons

Ring = NDArray[np.float64]  # (K, 2) x, y of pixels


def single_rings(polygons: Polygons) -> list[Ring]:
    """One (K, 2) ring for each mask of pixel-centre polygons; (0, 2) for an empty mask."""
    return [joined([closed_holes(part) for part in parts]) for parts in polygons]


def closed_holes(part: list[Ring]) -> Ring:
    """The outer ring of a part and its holes as one ring."""
    ring, holes = part[0], part[1:]
    for hole in sorted(holes, key=lambda each: float(each[:, 0].min())):
        start = int(np.argmin(hole[:, 0]))
        at, corner = _left_of(ring, hole[start])
        loop = np.concatenate([hole[start:], hole[: start + 1]])
        ring = np.concatenate([ring[: at + 1], corner[None], loop, corner[None], ring[at + 1 :]])
    return ring


def _left_of(ring: Ring, point: Ring) -> tuple[int, Ring]:
    """The nearest pixel of a ring in the row of `point`, at it or left of it, and the edge it lies on."""
    ends = np.roll(ring, -1, axis=0)
    low, high = np.minimum(ring, ends), np.maximum(ring, ends)
    x, y = point
    crosses = (low[:, 1] <= y) & (y <= high[:, 1]) & (low[:, 0] <= x)
    rise = ends[:, 1] - ring[:, 1]
    share = np.divide(y - ring[:, 1], rise, out=np.zeros(len(ring)), where=rise != 0)
    at = np.where(rise != 0, ring[:, 0] + share * (ends[:, 0] - ring[:, 0]), np.minimum(high[:, 0], x))
    at = np.where(crosses & (at <= x), at, -np.inf)
    edge = int(np.argmax(at))
    return edge, np.array([at[edge], y])


def joined(rings: list[Ring]) -> Ring:
    """Several rings as one, each joined to those before it at the nearest points."""
    if not rings:
        return np.empty((0, 2))
    whole = rings[0]
    for ring in rings[1:]:
        distance = ((whole[:, None] - ring[None]) ** 2).sum(axis=2)
        a, b = np.unravel_index(int(np.argmin(distance)), distance.shape)
        loop = np.concatenate([ring[b:], ring[: b + 1]])
        whole = np.concatenate([whole[: a + 1], loop, whole[a:]])
    return whole
