"""Cells under a microscope: many of one class that touch, with nuclei inside, in several looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes, SegmentClass
from inlay.core.segmentation import Segmentation
from inlay.scenes.drawing.shapes import Field, Shape, blob, circle
from inlay.scenes.drawing.stage import Backdrop, Colour, Layer, Piece, perform
from inlay.scenes.drawing.texture import develop, noise

VIDEO = False
CLASSES = Classes(
    (
        SegmentClass("background", "stuff", (64, 68, 78)),
        SegmentClass("cell", "thing", (66, 186, 128)),
        SegmentClass("nucleus", "thing", (92, 122, 236), parent="cell"),
        SegmentClass("debris", "void", (150, 150, 150)),
    )
)

Look = Callable[[Field, Field, Field], NDArray[np.float32]]


@dataclass(frozen=True)
class Stain:
    """How one preparation looks: colours of its ground, cells, rims and nuclei, and its unevenness."""

    ground: Colour
    cell: Colour
    rim: Colour
    nucleus: Colour
    debris: Colour
    halo: Colour
    halo_share: float  # opacity of the glow around a cell
    grains: float  # contrast inside a cell
    spread: float  # how much cells differ in brightness


STAINS = (
    Stain(
        (0.02, 0.03, 0.04), (0.05, 0.34, 0.12), (0.12, 0.55, 0.2),
        (0.2, 0.38, 0.9), (0.5, 0.7, 0.4), (0.04, 0.2, 0.08), 0.5, 0.25, 0.45,
    ),
    Stain(
        (0.04, 0.03, 0.05), (0.34, 0.08, 0.12), (0.6, 0.18, 0.16),
        (0.35, 0.55, 0.95), (0.8, 0.5, 0.3), (0.2, 0.05, 0.08), 0.4, 0.3, 0.45,
    ),
    Stain(
        (0.05, 0.05, 0.05), (0.24, 0.24, 0.24), (0.3, 0.3, 0.3),
        (0.66, 0.66, 0.66), (0.9, 0.9, 0.9), (0.14, 0.14, 0.14), 0.5, 0.2, 0.4,
    ),
    Stain(
        (0.93, 0.86, 0.91), (0.88, 0.66, 0.79), (0.76, 0.46, 0.64),
        (0.40, 0.25, 0.56), (0.5, 0.3, 0.3), (0.95, 0.9, 0.93), 0.5, 0.1, 0.12,
    ),
    Stain(
        (0.90, 0.89, 0.85), (0.72, 0.77, 0.86), (0.55, 0.60, 0.75),
        (0.42, 0.30, 0.22), (0.3, 0.3, 0.3), (0.95, 0.95, 0.93), 0.4, 0.1, 0.14,
    ),
    Stain(
        (0.52, 0.53, 0.52), (0.47, 0.48, 0.47), (0.30, 0.31, 0.30),
        (0.36, 0.37, 0.36), (0.85, 0.85, 0.83), (0.86, 0.87, 0.85), 0.65, 0.12, 0.1,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A cell before it meets its neighbours."""

    x: float
    y: float
    radius: float
    shape: Shape


def draw(
    seed: tuple[int, int], size: tuple[int, int], *, frame: int = 0
) -> tuple[NDArray[np.uint8], Segmentation]:
    """(H, W, 3) uint8 and its truth."""
    random = np.random.default_rng([*seed, 41, frame])
    stain = STAINS[random.integers(len(STAINS))]
    unit = float(np.sqrt(size[0] * size[1])) / 15 * float(random.uniform(0.75, 1.35))
    cells = _grow(random, size, unit)
    pieces: list[Piece | Backdrop] = [_ground(random, size, stain, unit)]
    number = 0
    for shape, cell in _meet(random, cells):
        tone = float(np.exp(random.normal(0, stain.spread)))
        pieces.append(Piece("cell", _body(random, shape, cell, stain, tone), number := number + 1))
        for nucleus in _nuclei(random, shape, cell):
            look = _speckled(random, stain.nucleus, tone**0.5, 0.16)
            rim = Layer(nucleus.grown(0.7), stain.rim, opacity=0.25, soft=3.0, owns=False)
            pieces.append(Piece("nucleus", [rim, Layer(nucleus, look, soft=1.6)], number := number + 1))
    pieces += [_debris(random, size, stain, unit) for _ in range(random.poisson(4))]
    canvas, truth = perform(pieces, CLASSES, size)
    contrast = float(random.uniform(0.55, 1.1))
    middle = float(canvas.mean())
    sharp = float(np.sqrt(size[0] * size[1])) / 277
    pixels = develop(
        (canvas - middle) * np.float32(contrast) + np.float32(middle * random.uniform(0.85, 1.1)),
        random,
        blur=float(random.uniform(0.5, 1.4)) * sharp,
        grain=float(random.uniform(0.01, 0.05)),
        vignette=float(random.uniform(0.0, 0.5)),
        gamma=float(random.uniform(0.75, 1.2)),
    )
    return pixels, truth


def _grow(random: np.random.Generator, size: tuple[int, int], unit: float) -> list[Cell]:
    """Cells in colonies: each new one is set beside one that is there, unless it starts a colony."""
    height, width = size
    wanted = int(random.integers(10, 42))
    stretch, wild = float(random.uniform(1.0, 1.5)), float(random.uniform(0.03, 0.09))
    cells: list[Cell] = []
    for _ in range(6 * wanted):
        if len(cells) == wanted:
            break
        radius = unit * float(np.clip(random.normal(1, 0.18), 0.6, 1.5))
        if cells and random.random() < 0.75:
            mother = cells[random.integers(len(cells))]
            turn, reach = random.uniform(0, 2 * np.pi), (mother.radius + radius) * random.uniform(0.8, 1.0)
            x, y = mother.x + reach * np.cos(turn), mother.y + reach * np.sin(turn)
        else:
            x, y = random.uniform(0, width), random.uniform(0, height)
        if not (-radius < x < width + radius and -radius < y < height + radius):
            continue
        if any(np.hypot(x - other.x, y - other.y) < 0.72 * (radius + other.radius) for other in cells):
            continue
        waves = [(k, float(random.normal(0, wild)), float(random.uniform(0, 6.3))) for k in (2, 3, 4, 5)]
        long = float(np.clip(random.normal(stretch, 0.15), 1, 2))
        shape = blob(float(x), float(y), radius, waves, stretch=long, angle=float(random.uniform(0, np.pi)))
        cells.append(Cell(float(x), float(y), radius, shape))
    return cells


def _meet(random: np.random.Generator, cells: Sequence[Cell]) -> list[tuple[Shape, Cell]]:
    """Where two cells would overlap they share a border, half-way; some pairs lie one on the other."""
    over = float(random.choice([0.0, 0.1, 0.3]))
    met = []
    for place, cell in enumerate(cells):
        near = [
            other
            for index, other in enumerate(cells)
            if index != place
            and np.hypot(cell.x - other.x, cell.y - other.y) < 1.4 * (cell.radius + other.radius)
            and (place * 7919 + index * 7919) % 100 >= 100 * over
        ]
        met.append((_bordered(cell.shape, [other.shape for other in near]), cell))
    return met


def _bordered(shape: Shape, others: Sequence[Shape]) -> Shape:
    def distance(x: Field, y: Field) -> Field:
        own = shape.distance(x, y)
        inner = own
        for other in others:
            inner = np.maximum(inner, (own - other.distance(x, y)) / 2)
        return inner

    return Shape(shape.box, distance)


def _nuclei(random: np.random.Generator, shape: Shape, cell: Cell) -> list[Shape]:
    """One nucleus, sometimes two, sometimes out of the plane of focus; never outside the cell."""
    count = int(random.choice([0, 1, 1, 1, 1, 1, 1, 1, 1, 2]))
    inside = shape.grown(-max(1.5, 0.1 * cell.radius))
    found = []
    turn = random.uniform(0, 2 * np.pi)
    for place in range(count):
        reach = cell.radius * (0.36 if count == 2 else random.uniform(0, 0.2))
        x = cell.x + reach * np.cos(turn + np.pi * place)
        y = cell.y + reach * np.sin(turn + np.pi * place)
        radius = cell.radius * float(random.uniform(0.36, 0.52)) * (0.65 if count == 2 else 1)
        waves = [(k, float(random.normal(0, 0.05)), float(random.uniform(0, 6.3))) for k in (2, 3)]
        found.append(
            blob(x, y, radius, waves, stretch=float(random.uniform(1, 1.4)), angle=float(turn)) & inside
        )
    return found


def _body(random: np.random.Generator, shape: Shape, cell: Cell, stain: Stain, tone: float) -> list[Layer]:
    rim_width = np.float32(0.14 * cell.radius)
    inner = _speckled(random, stain.cell, tone, stain.grains)
    rim = np.array(stain.rim, np.float32) * np.float32(tone)

    def paint(x: Field, y: Field, distance: Field) -> NDArray[np.float32]:
        colour = inner(x, y, distance)
        share = np.exp(np.minimum(distance, 0) / rim_width)[..., None] * np.float32(0.75)
        return np.asarray(colour + share * (rim - colour), np.float32)

    glow = Layer(shape.grown(1.0), stain.halo, opacity=stain.halo_share, soft=0.45 * cell.radius, owns=False)
    return [glow, Layer(shape, paint, soft=1.4)]


def _speckled(random: np.random.Generator, colour: Colour, tone: float, contrast: float) -> Look:
    """Grains and clouds in one colour."""
    base, place = np.array(colour, np.float32) * np.float32(tone), int(random.integers(256))
    slope_x, slope_y = random.normal(0, 0.008, 2).astype(np.float32)

    def paint(x: Field, y: Field, _: Field) -> NDArray[np.float32]:
        grain = 0.6 * noise(x, y, scale=0.9, softness=2, at=place) + 0.6 * noise(
            x, y, scale=0.8, softness=4, at=place + 5
        )
        lit = 1 + np.float32(contrast) * grain + (x - x.mean()) * slope_x + (y - y.mean()) * slope_y
        return np.asarray(base * np.maximum(lit, 0.05)[..., None], np.float32)

    return paint


def _ground(random: np.random.Generator, size: tuple[int, int], stain: Stain, unit: float) -> Backdrop:
    """Uneven light, and cells far out of focus that nobody could outline."""
    y, x = np.ogrid[: size[0], : size[1]]
    x, y = x.astype(np.float32) + 0.5, y.astype(np.float32) + 0.5
    place = int(random.integers(256))
    cloud = noise(x, y, scale=max(1.0, unit / 5), softness=6, at=place)
    grain = noise(x, y, scale=0.9, softness=2, at=place + 3)
    base = np.array(stain.ground, np.float32)
    toward = np.array(stain.cell, np.float32)
    colours = base * (1 + 0.03 * grain + 0.04 * cloud)[..., None]
    ghost = np.clip(0.05 + 0.05 * cloud, 0, 1)
    for _ in range(random.poisson(3)):
        radius = unit * random.uniform(0.8, 1.8)
        far = circle(random.uniform(0, size[1]), random.uniform(0, size[0]), radius).distance(x, y)
        ghost += np.clip(0.5 - far / (1.6 * radius), 0, 1) * random.uniform(0.1, 0.3)
    colours += np.clip(ghost, 0, 0.6)[..., None] * (toward - colours)
    return Backdrop("background", np.ones(size, np.bool_), np.asarray(colours, np.float32))


def _debris(random: np.random.Generator, size: tuple[int, int], stain: Stain, unit: float) -> Piece:
    """Dust and shreds of dead cells."""
    x, y = float(random.uniform(0, size[1])), float(random.uniform(0, size[0]))
    waves = [(k, float(random.normal(0, 0.16)), float(random.uniform(0, 6.3))) for k in (2, 3, 5, 7)]
    radius = max(1.6, unit * float(random.uniform(0.08, 0.26)))
    shape = blob(
        x, y, radius, waves, stretch=float(random.uniform(1, 2.2)), angle=float(random.uniform(0, 3.2))
    )
    tone = float(random.uniform(0.6, 1.2))
    return Piece("debris", [Layer(shape, _speckled(random, stain.debris, tone, 0.2), soft=2.0)])
