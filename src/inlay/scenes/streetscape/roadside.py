"""What stands beside the road and is counted: trees, poles, signs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from inlay.scenes.drawing.shapes import Field, Shape, box, capsule, circle, convex, ellipse, union
from inlay.scenes.drawing.stage import Colour, Layer, Piece
from inlay.scenes.drawing.texture import grain, noise
from inlay.scenes.streetscape.view import Air, View
from inlay.scenes.streetscape.world import IDS, Actor

Look = Callable[[Field, Field, Field], NDArray[np.float32]]

GREENS: tuple[Colour, ...] = (
    (0.22, 0.33, 0.14),
    (0.28, 0.36, 0.16),
    (0.18, 0.28, 0.17),
    (0.40, 0.34, 0.14),
    (0.33, 0.40, 0.20),
)
BARK: Colour = (0.26, 0.21, 0.17)


def tree(actor: Actor, x: float, z: float, view: View, air: Air, _: int) -> list[Piece]:
    """A trunk and a crown of leaves, through which one can see in places."""
    random = np.random.default_rng(actor.seed)
    unit, away = view.scale(z), z - view.z
    column, ground = view.at(x, 0, z)
    stem, wide = float(random.uniform(1.6, 2.8)), float(random.uniform(1.1, 2.1))
    pointed = random.random() < 0.25
    crown = (
        _cone(random, column, ground, unit) if pointed else _crown(random, column, ground, unit, stem, wide)
    )
    top = stem + (0.3 if pointed else 0.6 * wide)
    trunk = capsule(
        column,
        ground - 0.02 * unit,
        column,
        ground - top * unit,
        max(0.13 * unit, 0.6),
        max(0.08 * unit, 0.5),
    )
    foot = ellipse(column - air.sun * 0.7 * unit, ground, 1.1 * wide * unit, max(0.16 * unit, 0.8))
    layers = [
        Layer(foot, (0.03, 0.03, 0.03), opacity=air.shade, soft=max(2.0, 0.4 * unit), owns=False),
        Layer(trunk, _bark(air, away)),
        Layer(crown, _leaves(random, crown, unit, air, away), soft=1.3),
    ]
    return [Piece("tree", layers, actor.instance)]


def _crown(
    random: np.random.Generator, column: float, ground: float, unit: float, stem: float, wide: float
) -> Shape:
    middle = ground - (stem + 0.75 * wide) * unit
    blobs = [ellipse(column, middle, 0.8 * wide * unit, 0.75 * wide * unit)]
    for turn in np.arange(6) * (np.pi / 3) + random.uniform(0, 1):
        reach = wide * float(random.uniform(0.35, 0.65)) * unit
        radius = wide * float(random.uniform(0.35, 0.55)) * unit
        blobs.append(
            circle(column + reach * float(np.cos(turn)), middle + 0.8 * reach * float(np.sin(turn)), radius)
        )
    return _ragged(random, union(blobs), unit, column, ground, see_through=float(random.uniform(0.9, 1.9)))


def _cone(random: np.random.Generator, column: float, ground: float, unit: float) -> Shape:
    high, wide = float(random.uniform(3.5, 6.5)), float(random.uniform(0.8, 1.4))
    tiers = [
        convex([
            (column - wide * (1 - low) * unit, ground - (0.7 + high * low) * unit),
            (column + wide * (1 - low) * unit, ground - (0.7 + high * low) * unit),
            (column, ground - (0.7 + high * min(1.0, low + 0.45)) * unit),
        ])
        for low in (0.0, 0.2, 0.4, 0.6)
    ]  # fmt: skip
    return _ragged(random, union(tiers), unit, column, ground, see_through=2.2)


def _ragged(
    random: np.random.Generator,
    shape: Shape,
    unit: float,
    column: float,
    ground: float,
    *,
    see_through: float,
) -> Shape:
    """Leaves at the rim, gaps inside where the foliage is thin; fixed to the tree, not to the picture."""
    place, leaf = int(random.integers(256)), 0.09

    def distance(x: Field, y: Field) -> Field:
        u, v = (x - np.float32(column)) / np.float32(unit), (y - np.float32(ground)) / np.float32(unit)
        rim = noise(u, v, scale=leaf, softness=2, at=place)
        gaps = noise(u, v, scale=leaf, softness=3, at=place + 31)
        ragged = shape.distance(x, y) + rim * np.float32(0.10 * unit)
        thin = (gaps - np.float32(see_through)) * np.float32(0.2 * unit)
        return np.asarray(np.maximum(ragged, thin), np.float32)

    return Shape(shape.grown(0.25 * unit).box, distance)


def _leaves(random: np.random.Generator, crown: Shape, unit: float, air: Air, away: float) -> Look:
    green = np.array(GREENS[random.integers(len(GREENS))]) * random.uniform(0.8, 1.2)
    base = np.array(air.dim(green, away), np.float32)
    haze = np.array(air.dim((0, 0, 0), away), np.float32)
    x0, y0, x1, y1 = crown.box
    place = int(random.integers(256))

    def paint(x: Field, y: Field, _: Field) -> NDArray[np.float32]:
        u, v = (x - np.float32(x0)) / np.float32(unit), (y - np.float32(y0)) / np.float32(unit)
        leaf = grain(u, v, scale=0.06, softness=1, at=place)
        bough = grain(u, v, scale=0.09, softness=4, at=place + 9)
        side = ((x - np.float32((x0 + x1) / 2)) / np.float32(x1 - x0)) * np.float32(air.sun)
        up = (np.float32((y0 + y1) / 2) - y) / np.float32(y1 - y0)
        lit = 0.92 + 0.45 * up + 0.4 * side + 0.17 * leaf + 0.2 * bough
        return np.asarray(haze + (base - haze) * np.clip(lit, 0.25, 1.8)[..., None], np.float32)

    return paint


def _bark(air: Air, away: float) -> Look:
    base = np.array(air.dim(BARK, away), np.float32)

    def paint(x: Field, y: Field, _: Field) -> NDArray[np.float32]:
        rough = grain(x, y * 0.2, scale=0.9, softness=1, at=4)
        lit = 0.9 + 0.14 * rough + 0.25 * np.clip((x - x.mean()) / max(float(np.ptp(x)), 1), -1, 1) * air.sun
        return np.asarray(base * lit[..., None], np.float32)

    return paint


def pole(actor: Actor, x: float, z: float, view: View, air: Air, _: int) -> list[Piece]:
    """A street lamp, a traffic light or a plain post."""
    random = np.random.default_rng(actor.seed)
    unit, away = view.scale(z), z - view.z
    column, ground = view.at(x, 0, z)
    kind = str(random.choice(["lamp", "light", "post"], p=(0.5, 0.25, 0.25)))
    high = {"lamp": 6.5, "light": 3.2, "post": 7.5}[kind] * float(random.uniform(0.9, 1.1))
    grey = np.array((0.36, 0.37, 0.38)) * random.uniform(0.5, 1.3)
    metal = air.dim(grey, away)
    thick = max(0.075 * unit, 0.75)
    mast = capsule(column, ground, column, ground - high * unit, thick, 0.75 * thick)
    layers = [_ground_shadow(column, ground, unit, air), Layer(mast, metal)]
    if kind == "lamp":
        reach = -np.sign(x) * 1.3 * unit
        arm = capsule(
            column, ground - high * unit, column + reach, ground - (high + 0.35) * unit, 0.6 * thick
        )
        head = box(
            column + reach * 1.12,
            ground - (high + 0.36) * unit,
            0.34 * unit,
            0.09 * unit + 0.5,
            round_by=0.05 * unit,
        )
        layers += [Layer(arm, metal), Layer(head, air.dim(grey * 1.2, away))]
    if kind == "light":
        case = box(column, ground - (high - 0.1) * unit, 0.17 * unit + 0.5, 0.45 * unit, round_by=0.06 * unit)
        layers.append(Layer(case, air.dim((0.09, 0.1, 0.1), away)))
        lit = int(random.integers(3))
        for place, colour in enumerate(((0.95, 0.2, 0.15), (0.95, 0.7, 0.15), (0.2, 0.85, 0.45))):
            lamp = circle(column, ground - (high + 0.18 - 0.28 * place) * unit, 0.1 * unit)
            tint = colour if place == lit else tuple(0.25 * channel for channel in colour)
            layers.append(Layer(lamp, air.dim(tint, away), inside=True, owns=False))
    shine = capsule(
        column + 0.35 * thick * air.sun,
        ground,
        column + 0.35 * thick * air.sun,
        ground - high * unit,
        0.3 * thick,
    )
    layers.append(Layer(shine, (1.0, 1.0, 1.0), opacity=0.18, inside=True, owns=False))
    return [Piece("pole", layers, actor.instance)]


def _ground_shadow(column: float, ground: float, unit: float, air: Air) -> Layer:
    shape = ellipse(column - 0.2 * air.sun * unit, ground, 0.3 * unit, max(0.05 * unit, 0.6))
    return Layer(shape, (0.03, 0.03, 0.03), opacity=air.shade, soft=max(1.2, 0.1 * unit), owns=False)


def sign(actor: Actor, x: float, z: float, view: View, air: Air, _: int) -> list[Piece]:
    """A traffic sign in front of its post: two segments."""
    random = np.random.default_rng(actor.seed)
    unit, away = view.scale(z), z - view.z
    column, ground = view.at(x, 0, z)
    high, half = float(random.uniform(2.0, 2.5)), float(random.uniform(0.3, 0.42)) * unit
    post = capsule(column, ground, column, ground - (high + 0.3) * unit, max(0.04 * unit, 0.6))
    row = ground - high * unit
    red, white, blue = ((0.72, 0.09, 0.10), (0.90, 0.90, 0.88), (0.10, 0.26, 0.62))
    kind = str(random.choice(["ring", "triangle", "square", "disc", "arrow"]))
    turns = np.pi / 2 + np.arange(3) * (2 * np.pi / 3)
    match kind:
        case "triangle":
            plate = convex([(column + 1.15 * half * np.cos(t), row - 1.15 * half * np.sin(t)) for t in turns])
            edge, inner = red, white
        case "square":
            plate = box(column, row, half, half, round_by=0.1 * half)
            edge, inner = white, blue
        case "arrow":
            plate = box(column, row, 1.5 * half, 0.55 * half, round_by=0.1 * half)
            edge, inner = white, (0.75, 0.62, 0.15)
        case _:
            plate = circle(column, row, half)
            edge, inner = (red, white) if kind == "ring" else (white, blue)
    mark = (
        box(column, row, 0.12 * half, 0.42 * half)
        if random.random() < 0.6
        else ellipse(column, row, 0.35 * half, 0.2 * half)
    )
    dark = (0.08, 0.08, 0.08) if inner == white else white
    face = [
        Layer(plate, air.dim(edge, away)),
        Layer(plate.grown(-max(0.2 * half, 0.6)), air.dim(inner, away), inside=True, owns=False),
        Layer(mark, air.dim(dark, away), inside=True, owns=False),
    ]
    stand = [_ground_shadow(column, ground, unit, air), Layer(post, air.dim((0.45, 0.46, 0.47), away))]
    return [Piece("pole", stand, actor.instance + IDS // 2), Piece("sign", face, actor.instance)]
