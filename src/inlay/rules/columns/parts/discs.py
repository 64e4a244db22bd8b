"""Discs that lie snug in a bay: how much of their circle the mask holds, and how sharply that ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.distances import distance

Bits = NDArray[np.bool_]
RAYS = 48
LEAST, MOST = 2.4, 9.6  # pixels of a disc's radius
RIM = 0.7  # pixels beyond its circle at which the mask begins
HELD = 0.25  # share of the circle, under which a disc is not looked at
ENDS = 6  # rays beyond either end of what the mask holds
BEYOND = ((1.0, RIM), (1.0, 2.0), (1.0, 3.5), (1.9, 0.0), (2.4, 0.0), (2.9, 0.0))  # of the radius, and more
ROOM = 30  # pixels around a bitmap, more than any ring reaches
CHUNK = 32  # discs looked at together, the likeliest first
TURN = np.arange(RAYS) * (2 * np.pi / RAYS)
DOWN, RIGHT = np.sin(TURN), np.cos(TURN)


@dataclass(frozen=True)
class Disc:
    """A disc in a bay: its middle, its radius, and how much it looks like one that an eraser took."""

    y: float
    x: float
    radius: float
    likeness: float


def snuggest(mask: Bits, near: Bits) -> Disc | None:
    """The disc beside a mask, its middle in `near`, that an eraser is likeliest to have taken.

    Three things speak for it: much of its circle lies along the mask without a gap; beyond both ends of that
    the mask is far, as at a cut and not at the bend of two lines; and it is large.
    """
    wide = np.pad(mask, ROOM)
    far = distance(~wide)
    middle = np.argwhere((far > LEAST) & (far < MOST) & np.pad(near & ~mask, ROOM))
    radius = far[middle[:, 0], middle[:, 1]]
    held, end = _longest(_around(wide, middle, radius + RIM))
    some = held >= HELD * RAYS
    middle, radius, held, end = middle[some], radius[some], held[some], end[some]
    if not len(middle):
        return None
    most = held / RAYS * np.sqrt(radius)  # of their likeness, wherever the mask ends and goes on
    order = np.argsort(-most)
    first, like = 0, -1.0
    for start in range(0, len(order), CHUNK):
        some = np.sort(order[start : start + CHUNK])
        if most[order[start]] < like:
            break
        backed = _backed(_around(wide, middle[some], radius[some] + 2.5), held[some], end[some])
        free = _free(wide, middle[some], radius[some], held[some], end[some])
        likeness = held[some] / RAYS * free * np.sqrt(radius[some]) * backed
        best = int(np.argmax(likeness))
        place, found = int(some[best]), float(likeness[best])
        if found > like or (found == like and place < first):
            first, like = place, found
    y, x = (middle[first] - ROOM).tolist()
    return Disc(y, x, float(radius[first]), like)


def _around(wide: Bits, middle: NDArray[np.int64], radius: NDArray[np.float64]) -> Bits:
    """(K, RAYS) whether the mask has the pixels of circles."""
    y = np.rint(middle[:, :1] + DOWN * radius[:, None])
    x = np.rint(middle[:, 1:] + RIGHT * radius[:, None])
    held: Bits = wide.ravel().take((y * wide.shape[1] + x).astype(np.int64))
    return held


def _longest(held: Bits) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(K,) length of the longest run around each circle, and the ray that it ends at."""
    ray = np.arange(2 * RAYS, dtype=np.int16)
    gap = np.maximum.accumulate(np.where(np.tile(held, 2), np.int16(-1), ray), axis=1)
    run = ray - gap
    return np.minimum(run.max(axis=1), RAYS).astype(np.int64), run.argmax(axis=1) % RAYS


def _free(
    wide: Bits,
    middle: NDArray[np.int64],
    radius: NDArray[np.float64],
    held: NDArray[np.int64],
    end: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(K,) share of the pixels beyond the less free end of a run that are not of the mask."""
    beyond = np.arange(2, ENDS + 2)
    rays = np.stack([end[:, None] + beyond, (end - held + 1)[:, None] - beyond]) % RAYS
    taken = np.zeros(rays.shape[:2])
    for times, more in BEYOND:
        ring = _around(wide, middle, times * radius + more)
        taken += np.take_along_axis(ring[None], rays, axis=2).sum(axis=2)
    free: NDArray[np.float64] = 1 - taken.max(axis=0) / (ENDS * len(BEYOND))
    return free


def _backed(ring: Bits, held: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.float64]:
    """(K,) share of a run behind which the mask goes on."""
    steps = np.arange(RAYS)
    behind = np.take_along_axis(ring, (end[:, None] - steps) % RAYS, axis=1) & (steps < held[:, None])
    share: NDArray[np.float64] = behind.sum(axis=1) / held
    return share
