"""Shapes as signed distances: negative inside, in pixels, evaluated on the centres of a window's pixels.

The sign is exact, so a mask is what lies at or under zero; the size is close to the true distance near the
outline, which is what soft edges, bevels and shadows need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Field = NDArray[np.float32]
Distance = Callable[[Field, Field], Field]  # of x (1, w) and y (h, 1)


@dataclass(frozen=True)
class Shape:
    """A region of the plane.

    Parameters
    ----------
    box
        (x0, y0, x1, y1) that holds all of it.
    distance
        Signed distance at x (1, w) and y (h, 1): (h, w).
    """

    box: tuple[float, float, float, float]
    distance: Distance

    def __or__(self, other: Shape) -> Shape:
        a, b = self.box, other.box
        box = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
        return Shape(box, lambda x, y: np.minimum(self.distance(x, y), other.distance(x, y)))

    def __sub__(self, other: Shape) -> Shape:
        return Shape(self.box, lambda x, y: np.maximum(self.distance(x, y), -other.distance(x, y)))

    def __and__(self, other: Shape) -> Shape:
        return Shape(self.box, lambda x, y: np.maximum(self.distance(x, y), other.distance(x, y)))

    def grown(self, by: float) -> Shape:
        """The shape with its outline moved outwards, corners rounded."""
        x0, y0, x1, y1 = self.box
        return Shape((x0 - by, y0 - by, x1 + by, y1 + by), lambda x, y: self.distance(x, y) - np.float32(by))

    def moved(self, dx: float, dy: float) -> Shape:
        """The shape in another place."""
        x0, y0, x1, y1 = self.box
        return Shape(
            (x0 + dx, y0 + dy, x1 + dx, y1 + dy),
            lambda x, y: self.distance(x - np.float32(dx), y - np.float32(dy)),
        )


def union(shapes: Sequence[Shape]) -> Shape:
    """All of several shapes."""
    whole = shapes[0]
    for shape in shapes[1:]:
        whole = whole | shape
    return whole


def ellipse(cx: float, cy: float, rx: float, ry: float, *, angle: float = 0.0) -> Shape:
    """An ellipse, turned by `angle` (radians, from x towards y)."""
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    half_width = float(np.hypot(rx * cos, ry * sin))
    half_height = float(np.hypot(rx * sin, ry * cos))

    def distance(x: Field, y: Field) -> Field:
        dx, dy = x - np.float32(cx), y - np.float32(cy)
        u, v = (dx * cos + dy * sin) / np.float32(rx), (dy * cos - dx * sin) / np.float32(ry)
        near = np.sqrt(u * u + v * v)
        slope = np.sqrt((u / np.float32(rx)) ** 2 + (v / np.float32(ry)) ** 2)
        centre = np.float32(min(rx, ry)) * (near < 1e-6)
        return np.asarray(near * (near - 1) / np.maximum(slope, np.float32(1e-6)) - centre, np.float32)

    return Shape((cx - half_width, cy - half_height, cx + half_width, cy + half_height), distance)


def circle(cx: float, cy: float, radius: float) -> Shape:
    """A disc."""

    def distance(x: Field, y: Field) -> Field:
        return np.asarray(np.hypot(x - np.float32(cx), y - np.float32(cy)) - np.float32(radius), np.float32)

    return Shape((cx - radius, cy - radius, cx + radius, cy + radius), distance)


def polygon(points: ArrayLike) -> Shape:
    """A simple polygon of (K, 2) corners (x, y)."""
    corners = np.asarray(points, np.float32)
    ends = np.roll(corners, -1, axis=0)

    def distance(x: Field, y: Field) -> Field:
        nearest = np.full(np.broadcast_shapes(x.shape, y.shape), np.inf, np.float32)
        inside = np.zeros(nearest.shape, np.bool_)
        for (ax, ay), (bx, by) in zip(corners, ends):
            ex, ey = bx - ax, by - ay
            wx, wy = x - ax, y - ay
            along = np.clip((wx * ex + wy * ey) / max(ex * ex + ey * ey, np.float32(1e-9)), 0, 1)
            nearest = np.minimum(nearest, (wx - ex * along) ** 2 + (wy - ey * along) ** 2)
            inside ^= ((ay > y) != (by > y)) & (wx * ey < wy * ex if ey > 0 else wx * ey > wy * ex)
        return np.where(inside, np.float32(-1), np.float32(1)) * np.sqrt(nearest)

    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return Shape((float(x0), float(y0), float(x1), float(y1)), distance)


def convex(points: ArrayLike) -> Shape:
    """A convex polygon of (K, 2) corners in turning order: faster than `polygon`, coarse off its corners."""
    corners = np.asarray(points, np.float32)
    ends = np.roll(corners, -1, axis=0)
    edges = ends - corners
    turn = (corners[:, 0] * ends[:, 1] - corners[:, 1] * ends[:, 0]).sum()
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    keep = lengths > 1e-6
    normals = (
        np.stack([edges[:, 1], -edges[:, 0]], axis=1)[keep] / lengths[keep, None] * (1 if turn > 0 else -1)
    )
    offsets = (normals * corners[keep]).sum(axis=1)

    def distance(x: Field, y: Field) -> Field:
        furthest = np.full(np.broadcast_shapes(x.shape, y.shape), -np.inf, np.float32)
        for (nx, ny), offset in zip(normals, offsets):
            np.maximum(furthest, x * nx + (y * ny - offset), out=furthest)
        return furthest

    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return Shape((float(x0), float(y0), float(x1), float(y1)), distance)


def box(
    cx: float, cy: float, half_width: float, half_height: float, *, angle: float = 0.0, round_by: float = 0.0
) -> Shape:
    """A rectangle around a centre, turned by `angle`, its corners rounded."""
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    reach_x = float(abs(half_width * cos) + abs(half_height * sin))
    reach_y = float(abs(half_width * sin) + abs(half_height * cos))
    flat_x, flat_y = np.float32(half_width - round_by), np.float32(half_height - round_by)

    def distance(x: Field, y: Field) -> Field:
        dx, dy = x - np.float32(cx), y - np.float32(cy)
        u = np.abs(dx * cos + dy * sin) - flat_x
        v = np.abs(dy * cos - dx * sin) - flat_y
        outside = np.hypot(np.maximum(u, 0), np.maximum(v, 0))
        return outside + np.minimum(np.maximum(u, v), 0) - np.float32(round_by)

    return Shape((cx - reach_x, cy - reach_y, cx + reach_x, cy + reach_y), distance)


def capsule(
    ax: float, ay: float, bx: float, by: float, radius: float, end_radius: float | None = None
) -> Shape:
    """A stroke from (ax, ay) to (bx, by), tapering from `radius` to `end_radius`."""
    last = radius if end_radius is None else end_radius
    reach = max(radius, last)
    ex, ey = np.float32(bx - ax), np.float32(by - ay)
    length = max(ex * ex + ey * ey, np.float32(1e-9))

    def distance(x: Field, y: Field) -> Field:
        dx, dy = x - np.float32(ax), y - np.float32(ay)
        along = np.clip((dx * ex + dy * ey) / length, 0, 1)
        thick = np.float32(radius) + np.float32(last - radius) * along
        return np.asarray(np.hypot(dx - ex * along, dy - ey * along) - thick, np.float32)

    return Shape(
        (min(ax, bx) - reach, min(ay, by) - reach, max(ax, bx) + reach, max(ay, by) + reach), distance
    )


def blob(
    cx: float,
    cy: float,
    radius: float,
    waves: Sequence[tuple[int, float, float]],
    *,
    stretch: float = 1.0,
    angle: float = 0.0,
) -> Shape:
    """A round shape whose radius swings with the angle.

    Parameters
    ----------
    waves
        (periods, share of the radius, phase) of each swing.
    stretch
        Length over width, along `angle`.
    """
    reach = radius * max(stretch, 1 / stretch) * (1 + sum(abs(share) for _, share, _ in waves))
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along, across = np.float32(1 / np.sqrt(stretch)), np.float32(np.sqrt(stretch))

    def distance(x: Field, y: Field) -> Field:
        dx, dy = x - np.float32(cx), y - np.float32(cy)
        u, v = (dx * cos + dy * sin) * along, (dy * cos - dx * sin) * across
        turn = np.arctan2(v, u)
        limit = np.ones_like(turn)
        for periods, share, phase in waves:
            limit += np.float32(share) * np.cos(np.float32(periods) * turn + np.float32(phase))
        return np.hypot(u, v) - np.float32(radius) * limit

    return Shape((cx - reach, cy - reach, cx + reach, cy + reach), distance)
