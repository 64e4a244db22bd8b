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
ROOM = 30  # pixels around a bitmap


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
    backed = _backed(_around(wide, middle, radius + 2.5), held, end)
    likeness = held / RAYS * _free(wide, middle, radius, held, end) * np.sqrt(radius) * backed
    best = int(np.argmax(likeness))
    y, x = (middle[best] - ROOM).tolist()
    return Disc(y, x, float(radius[best]), float(likeness[best]))


def _around(wide: Bits, middle: NDArray[np.int64], radius: NDArray[np.float64]) -> Bits:
    """(K, RAYS) whether the mask has the pixels of circles."""
    turn = np.arange(RAYS) * (2 * np.pi / RAYS)
    y = np.rint(middle[:, :1] + np.sin(turn) * radius[:, None]).astype(np.int64)
    x = np.rint(middle[:, 1:] + np.cos(turn) * radius[:, None]).astype(np.int64)
    held: Bits = wide[np.clip(y, 0, wide.shape[0] - 1), np.clip(x, 0, wide.shape[1] - 1)]
    return held


def _longest(held: Bits) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(K,) length of the longest run around each circle, and the ray that it ends at."""
    run, best, end = np.zeros((3, len(held)), np.int64)
    for ray in range(2 * RAYS):
        run = np.where(held[:, ray % RAYS], run + 1, 0)
        end[run > best] = ray
        best = np.maximum(best, run)
    return np.minimum(best, RAYS), end % RAYS


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
