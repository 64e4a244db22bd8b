"""A bin of machine parts from above: overlapping things with holes, seen in pieces, cut by the border."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes, SegmentClass
from inlay.core.segmentation import Segmentation
from inlay.scenes.drawing.shapes import Field, Shape, box, capsule, circle, convex, polygon
from inlay.scenes.drawing.stage import Backdrop, Colour, Layer, Piece, perform
from inlay.scenes.drawing.texture import develop, noise

VIDEO = False
CLASSES = Classes(
    (
        SegmentClass("table", "stuff", (112, 104, 92)),
        SegmentClass("tray", "stuff", (74, 110, 150)),
        SegmentClass("washer", "thing", (242, 175, 58)),
        SegmentClass("nut", "thing", (219, 84, 97)),
        SegmentClass("bolt", "thing", (70, 178, 157)),
        SegmentClass("bracket", "thing", (140, 108, 222)),
        SegmentClass("link", "thing", (94, 170, 62)),
        SegmentClass("swarf", "void", (150, 150, 150)),
    )
)

METALS: tuple[Colour, ...] = (
    (0.66, 0.67, 0.69),  # steel
    (0.58, 0.60, 0.64),  # zinc
    (0.76, 0.62, 0.34),  # brass
    (0.68, 0.44, 0.31),  # copper
    (0.25, 0.26, 0.28),  # black oxide
)
TRAYS: tuple[Colour, ...] = (
    (0.20, 0.30, 0.42),
    (0.42, 0.43, 0.45),
    (0.16, 0.17, 0.19),
    (0.30, 0.36, 0.28),
    (0.50, 0.42, 0.33),
)


@dataclass(frozen=True)
class Light:
    """Where the light comes from (a unit vector in the picture) and how hard its shadows are."""

    x: float
    y: float
    softness: float


@dataclass(frozen=True)
class Pose:
    """Where a part lies: its centre, turn and size in pixels."""

    x: float
    y: float
    angle: float
    unit: float

    def at(self, points: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
        """(K, 2) points given in units of the part, in the picture."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        u, v = np.asarray(points, np.float64).T * self.unit
        return np.stack([self.x + u * cos - v * sin, self.y + u * sin + v * cos], axis=1)


def draw(
    seed: tuple[int, int], size: tuple[int, int], *, frame: int = 0
) -> tuple[NDArray[np.uint8], Segmentation]:
    """(H, W, 3) uint8 and its truth."""
    random = np.random.default_rng([*seed, 23, frame])
    turn = random.uniform(0, 2 * np.pi)
    light = Light(float(np.cos(turn)), float(np.sin(turn)), float(random.uniform(2, 7)))
    unit = float(np.sqrt(size[0] * size[1])) / 11 * float(random.uniform(0.8, 1.2))
    pieces: list[Piece | Backdrop] = [*_floor(random, size), *_pile(random, size, unit, light)]
    canvas, truth = perform(pieces, CLASSES, size)
    warm = float(random.normal(0, 0.05))
    pixels = develop(
        canvas * np.float32(random.uniform(0.75, 1.15)),
        random,
        blur=float(random.uniform(0.4, 1.0)),
        grain=float(random.uniform(0.008, 0.03)),
        vignette=float(random.uniform(0.1, 0.5)),
        gains=(1 + warm, 1.0, 1 - warm),
        gamma=float(random.uniform(0.8, 1.15)),
    )
    return pixels, truth


def _floor(random: np.random.Generator, size: tuple[int, int]) -> list[Backdrop]:
    """The table, and the tray on it: its rim may lie outside the picture."""
    height, width = size
    y, x = (np.arange(n, dtype=np.float32) + 0.5 for n in size)
    x, y = x[None], y[:, None]
    grain = noise(x, y, scale=0.7, softness=4, at=int(random.integers(99)))
    fine = noise(x, y * 6, scale=0.8, softness=1, at=int(random.integers(99)))
    wood = np.array(random.choice([(0.45, 0.36, 0.27), (0.55, 0.55, 0.53), (0.33, 0.33, 0.35)]), np.float32)
    table = wood * (1 + 0.09 * grain + 0.04 * fine)[..., None]
    margin = float(random.uniform(-0.2, 0.1)) * min(size)
    centre = width / 2 + random.normal(0, 0.05) * width, height / 2 + random.normal(0, 0.05) * height
    corner = min(size) * 0.08
    rim = box(
        *centre, width / 2 - margin, height / 2 - margin, angle=float(random.normal(0, 0.04)), round_by=corner
    )
    depth = rim.distance(x, y)
    wall = 0.035 * min(size)
    colour = np.array(TRAYS[random.integers(len(TRAYS))], np.float32)
    mottle = noise(x, y, scale=1.0, softness=3, at=int(random.integers(99)))
    lit = 1 + 0.05 * mottle + 0.03 * fine + 0.25 * (x / width - y / height) * random.uniform(-1, 1)
    lit = lit * (0.72 + 0.28 * np.clip((-depth - wall) / (2.5 * wall), 0, 1))
    lit = np.where(depth > -wall, 1.25 + 0.2 * np.sin(depth / wall * np.pi), lit)
    table *= (1 - 0.45 * np.exp(-np.maximum(depth, 0) / (1.5 * wall)))[..., None]
    return [
        Backdrop("table", np.ones(size, np.bool_), table),
        Backdrop("tray", depth <= 0, colour * lit[..., None]),
    ]


def _pile(random: np.random.Generator, size: tuple[int, int], unit: float, light: Light) -> list[Piece]:
    """Parts thrown into the tray; now and then one falls across the middle of a link."""
    height, width = size
    kinds = list(MAKERS)
    weights = random.dirichlet(np.full(len(kinds), 2.0))
    heaps = random.uniform((0.15, 0.15), (0.85, 0.85), (int(random.integers(1, 4)), 2)) * (width, height)
    spread = random.uniform(0.14, 0.42) * min(size) * 1.2
    pieces: list[Piece] = []
    across: Pose | None = None
    for number in range(1, int(random.integers(9, 24)) + 1):
        kind = kinds[random.choice(len(kinds), p=weights)]
        x, y = heaps[random.integers(len(heaps))] + random.normal(0, spread, 2)
        if random.random() < 0.3:
            x, y = random.uniform(0, width), random.uniform(0, height)
        pose = Pose(
            float(x), float(y), float(random.uniform(0, 2 * np.pi)), unit * float(random.uniform(0.75, 1.25))
        )
        if across is not None and random.random() < 0.6:
            kind = str(random.choice(["bolt", "bracket", "washer"]))
            pose = Pose(
                across.x, across.y, across.angle + np.pi / 2 + float(random.normal(0, 0.3)), across.unit
            )
        across = pose if kind == "link" else None
        metal = _metal(random, light)
        pieces.append(Piece(kind, MAKERS[kind](random, pose, light, metal), number))
        if random.random() < 0.12:
            pieces.append(_swarf(random, size, unit, light))
    return pieces


def _metal(random: np.random.Generator, light: Light) -> Callable[[Field, Field, Field], NDArray[np.float32]]:
    """The look of one part: its metal, brushed in one direction, bevelled towards the light."""
    base = np.array(METALS[random.choice(len(METALS), p=(0.36, 0.22, 0.16, 0.1, 0.16))], np.float32)
    base = base * np.float32(random.uniform(0.8, 1.15)) + random.normal(0, 0.015, 3).astype(np.float32)
    along, place = float(random.uniform(0, np.pi)), int(random.integers(256))
    cos, sin = np.float32(np.cos(along)), np.float32(np.sin(along))
    rust = float(max(0.0, random.normal(-0.1, 0.2)))
    shine, bevel = float(random.uniform(0.1, 0.3)), float(random.uniform(1.5, 3.5))

    def paint(x: Field, y: Field, distance: Field) -> NDArray[np.float32]:
        u, v = x * cos + y * sin, y * cos - x * sin
        brushed = noise(u * 0.12, v, scale=0.8, softness=1, at=place)
        cloud = noise(x, y, scale=1.1, softness=5, at=place + 7)
        lit = 0.92 + 0.05 * brushed + np.float32(shine) * 0.6 * cloud
        lit += _slope(distance, light) * np.exp(np.minimum(distance, 0) / np.float32(bevel)) * 0.55
        colour = base * lit[..., None]
        if rust > 0:
            share = np.clip(
                noise(x, y, scale=0.9, softness=4, at=place + 19) * 0.5 + np.float32(rust) - 0.4, 0, 0.7
            )
            colour += share[..., None] * (np.array((0.36, 0.2, 0.12), np.float32) - colour)
        return colour

    return paint


def _slope(distance: Field, light: Light) -> Field:
    """How far the rim faces the light, -1 .. 1: the gradient of the distance is the outward direction."""
    if min(distance.shape) < 2:
        return np.zeros_like(distance)
    down, right = np.gradient(distance)
    slope = -(right * np.float32(light.x) + down * np.float32(light.y))
    return np.asarray(np.clip(slope, -1, 1), np.float32)


def _shadow(shape: Shape, light: Light, height: float) -> tuple[Layer, Layer]:
    """A cast shadow, and the dark where the part touches the ground."""
    cast = shape.moved(light.x * height, light.y * height)
    black = (0.02, 0.02, 0.03)
    return (
        Layer(cast, black, opacity=0.42, soft=light.softness + height, owns=False),
        Layer(shape.grown(0.8), black, opacity=0.35, soft=3.0, owns=False),
    )


Look = Callable[[Field, Field, Field], NDArray[np.float32]]


def _washer(random: np.random.Generator, pose: Pose, light: Light, metal: Look) -> list[Layer]:
    radius = pose.unit * random.uniform(0.75, 1.15)
    shape = circle(pose.x, pose.y, radius) - circle(pose.x, pose.y, radius * random.uniform(0.38, 0.62))
    return [*_shadow(shape, light, 2.0), Layer(shape, metal)]


def _nut(_: np.random.Generator, pose: Pose, light: Light, metal: Look) -> list[Layer]:
    turns = np.arange(6) * np.pi / 3
    hexagon = convex(pose.at([(0.85 * np.cos(t), 0.85 * np.sin(t)) for t in turns]))
    bore = circle(pose.x, pose.y, 0.44 * pose.unit)
    shape = hexagon - bore
    chamfer = circle(pose.x, pose.y, 0.76 * pose.unit) - circle(pose.x, pose.y, 0.70 * pose.unit)
    thread = circle(pose.x, pose.y, 0.52 * pose.unit) - bore
    return [
        *_shadow(shape, light, 4.0),
        Layer(shape, metal),
        Layer(chamfer, (1.0, 1.0, 1.0), opacity=0.16, inside=True, owns=False),
        Layer(thread, (0.05, 0.05, 0.06), opacity=0.45, inside=True, owns=False),
    ]


def _bolt(random: np.random.Generator, pose: Pose, light: Light, metal: Look) -> list[Layer]:
    length = random.uniform(1.2, 2.2)
    (ax, ay), (bx, by), (hx, hy), (tx, ty) = pose.at([(-length, 0), (0, 0), (0.28, 0), (-0.35 * length, 0)])
    shaft = capsule(ax, ay, bx, by, 0.24 * pose.unit)
    head = box(hx, hy, 0.3 * pose.unit, 0.55 * pose.unit, angle=pose.angle, round_by=0.1 * pose.unit)
    shape = shaft | head
    cos, sin = np.float32(np.cos(pose.angle)), np.float32(np.sin(pose.angle))
    pitch = np.float32(max(2.4, 0.16 * pose.unit))

    def threads(x: Field, y: Field, distance: Field) -> NDArray[np.float32]:
        along = (x - np.float32(pose.x)) * cos + (y - np.float32(pose.y)) * sin
        ridge = 0.5 + 0.5 * np.sin(along * (2 * np.pi / pitch))
        return np.broadcast_to((ridge * 0.9)[..., None], (*distance.shape, 3))

    thread = capsule(ax, ay, tx, ty, 0.24 * pose.unit)
    groove = box(hx, hy, 0.3 * pose.unit, 0.2 * pose.unit, angle=pose.angle)
    return [
        *_shadow(shape, light, 4.5),
        Layer(shape, metal),
        Layer(thread, threads, opacity=0.32, inside=True, owns=False),
        Layer(groove, (1.0, 1.0, 1.0), opacity=0.14, inside=True, owns=False),
    ]


def _bracket(random: np.random.Generator, pose: Pose, light: Light, metal: Look) -> list[Layer]:
    a, b, w = random.uniform(1.3, 2.1), random.uniform(1.0, 1.7), random.uniform(0.55, 0.75)
    corners = [(0.0, 0.0), (a, 0.0), (a, w), (w, w), (w, b), (0.0, b)]
    middle = (0.4 * a, 0.4 * b)
    shape = polygon(pose.at([(u - middle[0], v - middle[1]) for u, v in corners])).grown(0.12 * pose.unit)
    holes = pose.at(
        [(a - 0.5 * w - middle[0], 0.5 * w - middle[1]), (0.5 * w - middle[0], b - 0.5 * w - middle[1])]
    )
    for x, y in holes:
        shape = shape - circle(float(x), float(y), 0.22 * pose.unit)
    return [*_shadow(shape, light, 3.0), Layer(shape, metal)]


def _link(random: np.random.Generator, pose: Pose, light: Light, metal: Look) -> list[Layer]:
    half = random.uniform(1.1, 1.6)
    (ax, ay), (bx, by) = pose.at([(-half, 0), (half, 0)])
    ring = random.uniform(0.5, 0.65)
    shape = (
        capsule(ax, ay, bx, by, 0.17 * pose.unit)
        | circle(ax, ay, ring * pose.unit)
        | circle(bx, by, ring * pose.unit)
    )
    shape = shape - circle(ax, ay, 0.24 * pose.unit) - circle(bx, by, 0.24 * pose.unit)
    return [*_shadow(shape, light, 2.5), Layer(shape, metal)]


MAKERS: dict[str, Callable[[np.random.Generator, Pose, Light, Look], list[Layer]]] = {
    "washer": _washer,
    "nut": _nut,
    "bolt": _bolt,
    "bracket": _bracket,
    "link": _link,
}


def _swarf(random: np.random.Generator, size: tuple[int, int], unit: float, light: Light) -> Piece:
    """A curl of metal: nobody wants it labelled."""
    x, y = random.uniform(0, size[1]), random.uniform(0, size[0])
    radius, thick = unit * random.uniform(0.2, 0.45), max(1.0, unit * 0.06)
    ring = circle(x, y, radius + thick) - circle(x, y, radius - thick)
    gap = circle(x + radius * np.cos(radius), y + radius * np.sin(radius), radius)
    curl = ring - gap
    shine = (0.75, 0.74, 0.7) if random.random() < 0.6 else (0.2, 0.18, 0.15)
    return Piece("swarf", [*_shadow(curl, light, 1.0), Layer(curl, shine)])
