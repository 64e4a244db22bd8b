"""The camera in the street and the air before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.scenes.drawing.stage import Colour

NEAR = 0.6  # metres: what is nearer is behind the windscreen


@dataclass(frozen=True)
class View:
    """A pinhole camera that looks along the street; metres: x right, y up from the ground, z ahead."""

    size: tuple[int, int]  # (height, width), pixels
    focal: float  # pixels
    centre: float  # column of the vanishing point
    horizon: float  # its row
    height: float  # of the lens above the ground
    x: float  # of the lens, from the middle of the road
    z: float  # how far the camera has come

    def scale(self, z: float) -> float:
        """Pixels to a metre at a place in the world."""
        return self.focal / max(z - self.z, NEAR)

    def at(self, x: float, y: float, z: float) -> tuple[float, float]:
        """(column, row) of a point of the world."""
        scale = self.scale(z)
        return self.centre + (x - self.x) * scale, self.horizon - (y - self.height) * scale

    def seen(self, corners: NDArray[np.float64]) -> NDArray[np.float64]:
        """(L, 2) columns and rows of a polygon of (K, 3) corners in the world, cut before the camera."""
        depth = corners[:, 2] - self.z
        if (depth < NEAR).any():
            corners = _cut(corners, depth - NEAR)
            depth = corners[:, 2] - self.z
        scale = self.focal / np.maximum(depth, NEAR)
        across, up = corners[:, 0] - self.x, corners[:, 1] - self.height
        return np.stack([self.centre + across * scale, self.horizon - up * scale], axis=1)


@dataclass(frozen=True)
class Air:
    """Light and weather: what becomes of a colour on its way to the camera."""

    haze: Colour
    clear: float  # metres after which two thirds of a colour are lost
    sun: float  # -1 from the left .. 1 from the right
    shade: float  # opacity of shadows
    light: Colour

    def dim(
        self, colour: Sequence[float] | NDArray[np.float64], distance: float, *, lit: float = 1.0
    ) -> Colour:
        """A colour at a distance (metres from the camera), in more or less light."""
        lost = 1 - float(np.exp(-max(distance, 0.0) / self.clear))
        red, green, blue = (
            min(1.5, value * lit * light) * (1 - lost) + haze * lost
            for value, light, haze in zip(colour, self.light, self.haze, strict=True)
        )
        return red, green, blue


def _cut(corners: NDArray[np.float64], above: NDArray[np.float64]) -> NDArray[np.float64]:
    """The part of a polygon where `above`, given at its (K, 3) corners, is not negative."""
    kept: list[NDArray[np.float64]] = []
    for i, j in zip(range(len(corners)), [*range(1, len(corners)), 0]):
        if above[i] >= 0:
            kept.append(corners[i])
        if (above[i] >= 0) != (above[j] >= 0):
            share = above[i] / (above[i] - above[j])
            kept.append(corners[i] + share * (corners[j] - corners[i]))
    return np.array(kept, np.float64).reshape(-1, 3)


def hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, 2) corners of the convex hull of (K, 2) points, in turning order."""
    ordered = sorted(map(tuple, points.tolist()))
    halves = []
    for run in (ordered, ordered[::-1]):
        half: list[tuple[float, ...]] = []
        for point in run:
            while len(half) > 1 and _turn(half[-2], half[-1], point) <= 0:
                half.pop()
            half.append(point)
        halves.append(half[:-1])
    return np.array(halves[0] + halves[1], np.float64)


def _turn(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
