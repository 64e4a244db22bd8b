"""People: on foot, on bicycles, in crowds."""

from __future__ import annotations

import numpy as np

from inlay.scenes.drawing.shapes import Shape, box, capsule, circle, ellipse, union
from inlay.scenes.drawing.stage import Colour, Layer, Piece
from inlay.scenes.streetscape.view import Air, View
from inlay.scenes.streetscape.world import Actor

SKINS: tuple[Colour, ...] = ((0.80, 0.62, 0.50), (0.62, 0.44, 0.33), (0.38, 0.26, 0.19), (0.86, 0.70, 0.60))
CLOTHES: tuple[Colour, ...] = (
    (0.16, 0.17, 0.20),
    (0.30, 0.31, 0.34),
    (0.55, 0.53, 0.50),
    (0.62, 0.18, 0.16),
    (0.20, 0.28, 0.46),
    (0.24, 0.38, 0.28),
    (0.72, 0.64, 0.42),
    (0.80, 0.78, 0.74),
    (0.42, 0.30, 0.22),
)


def pedestrian(actor: Actor, x: float, z: float, view: View, air: Air, frame: int) -> list[Piece]:
    """One person walking, and the shadow."""
    random = np.random.default_rng(actor.seed)
    stride = 1.0 if actor.vx else 0.35  # one who crosses is seen from the side
    layers = _figure(random, x, z, view, air, 1.1 * frame, stride)
    return [Piece("pedestrian", layers, actor.instance)]


def crowd(actor: Actor, x: float, z: float, view: View, air: Air, frame: int) -> list[Piece]:
    """A group that nobody would take apart: one segment."""
    random = np.random.default_rng(actor.seed)
    members = [
        (x + float(random.normal(0, 0.7)), z + float(random.normal(0, 0.9)), random.spawn(1)[0])
        for _ in range(int(random.integers(5, 10)))
    ]
    layers: list[Layer] = []
    for own_x, own_z, own in sorted(members, key=lambda member: -member[1]):
        if own_z - view.z > 2:
            layers += _figure(own, own_x, own_z, view, air, 0.3 * frame, 0.35)
    return [Piece("pedestrian", layers, actor.instance, crowd=True)] if layers else []


def _figure(
    random: np.random.Generator, x: float, z: float, view: View, air: Air, step: float, stride: float
) -> list[Layer]:
    """Legs, coat, arms, head and now and then a bag, in metres from the feet."""
    tall = float(random.uniform(1.5, 1.9) if random.random() < 0.85 else random.uniform(1.0, 1.35))
    phase = float(random.uniform(0, 2 * np.pi)) + step
    trousers, coat = (CLOTHES[i] for i in random.integers(len(CLOTHES), size=2))
    skin, hair = SKINS[random.integers(len(SKINS))], float(random.uniform(0.05, 0.4))
    wide, bag, long_coat = float(random.uniform(0.85, 1.2)), random.random() < 0.4, random.random() < 0.3
    column, ground = view.at(x, 0, z)
    unit = view.scale(z) * tall / 1.75  # pixels to a metre of a person of common height
    away = z - view.z

    def stroke(x0: float, y0: float, x1: float, y1: float, radius: float, last: float | None = None) -> Shape:
        thick = max(radius * unit * wide, 0.5)
        end = thick if last is None else max(last * unit * wide, 0.5)
        return capsule(
            column + x0 * unit, ground - y0 * unit, column + x1 * unit, ground - y1 * unit, thick, end
        )

    swing = 0.22 * stride * float(np.sin(phase))
    legs = stroke(-0.05, 0.85, -0.06 + swing, 0.07, 0.10, 0.065) | stroke(
        0.05, 0.85, 0.06 - swing, 0.07, 0.10, 0.065
    )
    hem = 0.62 if long_coat else 0.86
    torso = box(
        column,
        ground - (hem + 1.46) / 2 * unit,
        0.18 * wide * unit,
        (1.46 - hem) / 2 * unit,
        round_by=0.11 * unit,
    )
    near_arm = stroke(0.2, 1.36, 0.24 - 0.9 * swing, 0.86, 0.06, 0.045)
    far_arm = stroke(-0.2, 1.36, -0.24 + 0.9 * swing, 0.86, 0.06, 0.045)
    head = ellipse(column, ground - 1.62 * unit, 0.095 * unit, 0.125 * unit)
    layers = [
        _shadow(column, ground, unit, air, 0.3),
        Layer(legs, air.dim(trousers, away, lit=0.9)),
        Layer(far_arm, air.dim(coat, away, lit=0.68)),
        Layer(torso, air.dim(coat, away)),
        Layer(near_arm, air.dim(coat, away, lit=0.8)),
        Layer(head, air.dim(skin, away)),
    ]
    if bag:
        side = 0.27 if random.random() < 0.5 else -0.27
        layers.append(
            Layer(
                box(
                    column + side * unit, ground - 0.85 * unit, 0.11 * unit, 0.15 * unit, round_by=0.04 * unit
                ),
                air.dim(CLOTHES[random.integers(len(CLOTHES))], away),
            )
        )
    if unit > 12:
        hood = ellipse(column, ground - 1.68 * unit, 0.1 * unit, 0.085 * unit)
        shade = box(column - 0.16 * air.sun * unit, ground - 1.1 * unit, 0.1 * unit, 0.5 * unit)
        layers.append(Layer(hood, air.dim((hair, 0.8 * hair, 0.6 * hair), away), inside=True, owns=False))
        layers.append(
            Layer(shade, (0.02, 0.02, 0.03), opacity=0.28, soft=0.14 * unit, inside=True, owns=False)
        )
    return layers


def _shadow(column: float, ground: float, unit: float, air: Air, radius: float) -> Layer:
    """Dark ground under the feet, thrown away from the sun."""
    shape = ellipse(
        column - 0.5 * air.sun * radius * unit, ground, (radius + 0.15) * unit, max(0.07 * unit, 0.7)
    )
    return Layer(shape, (0.03, 0.03, 0.04), opacity=air.shade + 0.1, soft=max(1.5, 0.12 * unit), owns=False)


def cyclist(actor: Actor, x: float, z: float, view: View, air: Air, frame: int) -> list[Piece]:
    """A rider and the bicycle, turned somewhat to the side: one can look through the wheels."""
    random = np.random.default_rng(actor.seed)
    column, ground = view.at(x, 0, z)
    unit, away = view.scale(z), z - view.z
    turn = float(random.uniform(0.45, 1.0)) * (1 if actor.vz > 0 else -1)  # how much of its length one sees
    coat, trousers = (CLOTHES[i] for i in random.integers(len(CLOTHES), size=2))
    frame_colour = CLOTHES[random.integers(3, len(CLOTHES))]

    def at(across: float, up: float) -> tuple[float, float]:
        return column + across * turn * unit, ground - up * unit

    def stroke(a: tuple[float, float], b: tuple[float, float], radius: float) -> Shape:
        return capsule(*at(*a), *at(*b), max(radius * unit, 0.45))

    tyres = []
    for across in (-0.5, 0.5):
        cx, cy = at(across, 0.34)
        rx, thick = max(0.33 * abs(turn) * unit, 0.8), max(0.045 * unit, 0.8)
        wheel = ellipse(cx, cy, rx, 0.33 * unit)
        inner = ellipse(cx, cy, rx - thick, 0.33 * unit - thick) if rx > 2 * thick else None
        tyres.append(wheel - inner if inner else wheel)
    tubes = union([
        stroke((-0.5, 0.34), (-0.05, 0.34), 0.02), stroke((-0.05, 0.34), (-0.2, 0.85), 0.025),
        stroke((-0.2, 0.82), (0.36, 0.8), 0.025), stroke((-0.05, 0.34), (0.36, 0.8), 0.025),
        stroke((0.5, 0.34), (0.34, 1.02), 0.025), stroke((-0.5, 0.34), (-0.2, 0.82), 0.02),
    ])  # fmt: skip
    pedal = 0.17 * np.sin(0.9 * frame + actor.seed % 7)
    leg = union(
        [
            stroke((-0.18, 0.95), (0.12, 0.72 + pedal / 2), 0.085),
            stroke((0.12, 0.72 + pedal / 2), (-0.03, 0.2 + pedal), 0.065),
        ]
    )
    other = union(
        [
            stroke((-0.18, 0.95), (0.1, 0.72 - pedal / 2), 0.08),
            stroke((0.1, 0.72 - pedal / 2), (-0.05, 0.2 - pedal), 0.06),
        ]
    )
    trunk = stroke((-0.18, 0.98), (0.08, 1.42), 0.15)
    arm = union([stroke((0.08, 1.4), (0.24, 1.14), 0.055), stroke((0.24, 1.14), (0.36, 1.04), 0.045)])
    head = circle(*at(0.16, 1.66), 0.12 * unit)
    helmet = ellipse(*at(0.14, 1.72), 0.14 * unit, 0.09 * unit)
    layers = [
        _shadow(column, ground, unit, air, 0.6 * abs(turn)),
        Layer(other, air.dim(trousers, away, lit=0.7)),
        *(Layer(tyre, air.dim((0.08, 0.08, 0.09), away)) for tyre in tyres),
        Layer(tubes, air.dim(frame_colour, away)),
        Layer(leg, air.dim(trousers, away)),
        Layer(trunk, air.dim(coat, away)),
        Layer(arm, air.dim(coat, away, lit=0.85)),
        Layer(head, air.dim(SKINS[random.integers(len(SKINS))], away)),
        Layer(helmet, air.dim(CLOTHES[random.integers(len(CLOTHES))], away)),
    ]
    return [Piece("cyclist", layers, actor.instance)]
