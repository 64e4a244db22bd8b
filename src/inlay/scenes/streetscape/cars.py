"""Cars: a body and a cabin as boxes in space, their faces painted as the light falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.scenes.drawing.shapes import Field, Shape, convex
from inlay.scenes.drawing.stage import Colour, Layer, Piece
from inlay.scenes.streetscape.view import NEAR, Air, View, hull
from inlay.scenes.streetscape.world import Actor

Points = NDArray[np.float64]
COLOURS: tuple[Colour, ...] = (
    (0.80, 0.80, 0.80),
    (0.52, 0.54, 0.56),
    (0.12, 0.12, 0.13),
    (0.28, 0.29, 0.31),
    (0.55, 0.10, 0.10),
    (0.12, 0.20, 0.42),
    (0.16, 0.34, 0.30),
    (0.70, 0.58, 0.22),
    (0.40, 0.42, 0.36),
)
GLASS: Colour = (0.13, 0.16, 0.19)


@dataclass(frozen=True)
class Build:
    """Measures of one car, metres."""

    length: float
    width: float
    waist: float  # height of the body
    height: float
    cabin_front: float  # share of the length, from the middle
    cabin_back: float
    slope: float  # how far the roof is set in, metres
    paint: Colour


@dataclass(frozen=True)
class Face:
    """A flat side of a box: corners in space, the direction it looks."""

    corners: Points  # (4, 3)
    normal: Points  # (3,)


def car(actor: Actor, x: float, z: float, view: View, air: Air, _: int) -> list[Piece]:
    """One car and its shadow."""
    build = _build(np.random.default_rng(actor.seed))
    place = _Place(x, z, actor.yaw)
    if z - build.length / 2 < view.z + NEAR and z + build.length / 2 < view.z + NEAR + 0.6:
        return []  # beside or behind the camera
    size = build.height * view.scale(z)
    body = _box(place, build.width / 2, build.length / 2, -build.length / 2, 0.28, build.waist, 0.12, 0.05)
    front, back = build.length * build.cabin_front, -build.length * build.cabin_back
    cabin = _box(
        place, build.width / 2 - 0.06, front, back, build.waist - 0.02, build.height, build.slope, 0.16
    )
    body_shape, cabin_shape = (
        _outline(body, view, 0.05 * view.scale(z)),
        _outline(cabin, view, 0.04 * view.scale(z)),
    )
    wheels = _wheels(build, place, view)
    away = z - view.z
    tone = air.dim(build.paint, away, lit=0.9)
    layers = [_shadow(build, place, view, air)]
    layers += [Layer(wheel, air.dim((0.07, 0.07, 0.08), away)) for wheel in wheels]
    layers += [Layer(cabin_shape, tone), Layer(body_shape, tone)]
    layers += _faces(cabin, view, air, build.paint, away)
    if size > 6:
        layers += _glass(cabin, view, air, away)
    layers += _faces(body, view, air, build.paint, away)
    if size > 12:
        layers += _trim(build, body, view, air, away)
        layers += [_hub(wheel, air, away) for wheel in wheels]
    return [Piece("car", layers, actor.instance)]


def _build(random: np.random.Generator) -> Build:
    colour = np.clip(np.array(COLOURS[random.integers(len(COLOURS))]) * random.uniform(0.8, 1.2), 0.03, 0.92)
    kind = str(random.choice(["saloon", "hatch", "van", "tall"], p=(0.35, 0.35, 0.15, 0.15)))
    length = {"saloon": 4.6, "hatch": 3.9, "van": 5.0, "tall": 4.5}[kind] * float(random.uniform(0.95, 1.06))
    height = {"saloon": 1.42, "hatch": 1.48, "van": 2.15, "tall": 1.7}[kind] * float(
        random.uniform(0.97, 1.04)
    )
    waist = {"saloon": 0.86, "hatch": 0.88, "van": 1.2, "tall": 1.0}[kind]
    front = {"saloon": 0.22, "hatch": 0.22, "van": 0.36, "tall": 0.26}[kind]
    back = {"saloon": 0.36, "hatch": 0.47, "van": 0.49, "tall": 0.48}[kind]
    slope = {"saloon": 0.5, "hatch": 0.34, "van": 0.18, "tall": 0.28}[kind]
    paint = (float(colour[0]), float(colour[1]), float(colour[2]))
    return Build(length, float(random.uniform(1.7, 1.9)), waist, height, front, back, slope, paint)


@dataclass(frozen=True)
class _Place:
    """Where a car stands, and where it points (0: away from the camera)."""

    x: float
    z: float
    yaw: float

    def at(self, points: Sequence[Sequence[float]]) -> Points:
        """(K, 3) points of the car (right, up, ahead) in the world."""
        right, up, ahead = np.asarray(points, np.float64).T
        cos, sin = np.cos(self.yaw), np.sin(self.yaw)
        return np.stack([self.x + right * cos + ahead * sin, up, self.z - right * sin + ahead * cos], axis=1)


def _box(
    place: _Place, half: float, front: float, back: float, low: float, high: float, slope: float, lean: float
) -> list[Face]:
    """The four sides and the top of a box whose top is set in by `slope` in length and `lean` in width."""
    floor = [(-half, low, back), (half, low, back), (half, low, front), (-half, low, front)]
    inner = half - lean
    dip = 0.0 if low > 0.5 else 0.14  # the bonnet falls towards the front
    roof = [
        (-inner, high, back + 0.6 * slope),
        (inner, high, back + 0.6 * slope),
        (inner, high - dip, front - slope),
        (-inner, high - dip, front - slope),
    ]
    sides = [(0, 1), (1, 2), (2, 3), (3, 0)]  # back, right, front, left
    looks = [(0.0, 0.0, -1.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (-1.0, 0.0, 0.0)]
    origin = place.at([(0.0, 0.0, 0.0)])
    faces = [
        Face(place.at([floor[a], floor[b], roof[b], roof[a]]), (place.at([look]) - origin)[0])
        for (a, b), look in zip(sides, looks, strict=True)
    ]
    return [*faces, Face(place.at(roof), np.array([0.0, 1.0, 0.0]))]


def _outline(box: Sequence[Face], view: View, round_by: float) -> Shape:
    seen = [view.seen(face.corners) for face in box]
    return convex(hull(np.concatenate(seen))).grown(min(round_by, 4.0))


def _toward(face: Face, view: View) -> bool:
    centre = face.corners.mean(axis=0)
    eye = np.array([view.x, view.height, view.z])
    return float(((eye - centre) * face.normal).sum()) > 0.02


def _light(face: Face, air: Air) -> float:
    """How bright a face is: the top most, the sides by the sun."""
    if face.normal[1] > 0.5:
        return 1.28
    return 0.80 + 0.22 * float(face.normal[0]) * air.sun - 0.08 * float(face.normal[2])


def _faces(box: Sequence[Face], view: View, air: Air, paint: Colour, away: float) -> list[Layer]:
    return [
        Layer(
            convex(view.seen(face.corners)),
            _lacquer(air, paint, away, _light(face, air)),
            inside=True,
            owns=False,
        )
        for face in box
        if _toward(face, view) and _spans(face, view)
    ]


def _spans(face: Face, view: View) -> bool:
    points = view.seen(face.corners)
    return len(points) > 2 and bool((np.ptp(points, axis=0) > 0.7).all())


def _lacquer(air: Air, paint: Colour, away: float, lit: float) -> Colour:
    shine = 0.05 * lit
    return air.dim([channel + shine for channel in paint], away, lit=lit)


def _inset(face: Face, left: float, right: float, low: float, high: float) -> Points:
    """(4, 3) corners of a part of a face, given in shares of its width and height."""
    a, b, c, d = face.corners

    def at(u: float, v: float) -> Points:
        point: Points = (a + (b - a) * u) * (1 - v) + (d + (c - d) * u) * v
        return point

    return np.stack([at(left, low), at(right, low), at(right, high), at(left, high)])


def _glass(cabin: Sequence[Face], view: View, air: Air, away: float) -> list[Layer]:
    layers = []
    dark = air.dim(GLASS, away)
    bright = np.array(air.dim(air.haze, away, lit=0.75), np.float32)

    def pane(x: Field, y: Field, _: Field) -> NDArray[np.float32]:
        top, bottom = float(y.min()), float(y.max())
        share = 0.55 * (1 - (y - top) / max(bottom - top, 1)) + 0 * x
        colour = np.array(dark, np.float32)
        return np.asarray(colour + share[..., None] * (bright - colour), np.float32)

    for place, face in enumerate(cabin[:4]):
        if _toward(face, view) and _spans(face, view):
            spans = ((0.06, 0.94),) if place in (0, 2) else ((0.06, 0.47), (0.53, 0.94))
            for left, right in spans:
                corners = view.seen(_inset(face, left, right, 0.12, 0.88))
                if len(corners) > 2:
                    layers.append(Layer(convex(corners), pane, opacity=0.93, inside=True, owns=False))
    return layers


def _trim(build: Build, body: Sequence[Face], view: View, air: Air, away: float) -> list[Layer]:
    """Lamps, plate and bumper of the face one sees; the line of the doors."""
    layers = []
    behind, right, front, left = body[:4]
    for face, lamp in ((behind, (0.62, 0.07, 0.06)), (front, (0.95, 0.93, 0.82))):
        if _toward(face, view) and _spans(face, view):
            for a, b in ((0.03, 0.2), (0.8, 0.97)):
                layers += _panel(_inset(face, a, b, 0.55, 0.86), view, air.dim(lamp, away, lit=1.1))
            layers += _panel(_inset(face, 0.34, 0.66, 0.32, 0.52), view, air.dim((0.85, 0.85, 0.78), away))
            layers += _panel(_inset(face, 0.0, 1.0, 0.0, 0.2), view, air.dim((0.12, 0.12, 0.13), away))
    for face in (right, left):
        if _toward(face, view) and _spans(face, view):
            layers += _panel(_inset(face, 0.0, 1.0, 0.0, 0.14), view, air.dim((0.1, 0.1, 0.11), away))
            shade = air.dim([0.5 * channel for channel in build.paint], away)
            for at in (0.3, 0.52, 0.72):
                layers += _panel(_inset(face, at, at + 0.012, 0.2, 0.95), view, shade, opacity=0.6)
    return layers


def _panel(corners: Points, view: View, colour: Colour, *, opacity: float = 0.95) -> list[Layer]:
    seen = view.seen(corners)
    return [Layer(convex(seen), colour, opacity=opacity, inside=True, owns=False)] if len(seen) > 2 else []


def _wheels(build: Build, place: _Place, view: View) -> list[Shape]:
    """Tyres that the camera can see, as hulls of their two rims."""
    turn = np.arange(12) * (np.pi / 6)
    radius, tyres = 0.33, []
    for side in (-1, 1):
        for ahead in (0.3, -0.3):
            rims = [
                (
                    side * (build.width / 2 - inset),
                    radius + radius * np.sin(t),
                    ahead * build.length + radius * np.cos(t),
                )
                for inset in (-0.01, 0.2)
                for t in turn
            ]
            seen = view.seen(place.at(rims))
            if len(seen) > 2:
                tyres.append(convex(hull(seen)))
    return tyres


def _hub(wheel: Shape, air: Air, away: float) -> Layer:
    x0, y0, x1, y1 = wheel.box
    small = wheel.grown(-0.36 * min(x1 - x0, y1 - y0))
    return Layer(small, air.dim((0.42, 0.43, 0.44), away), opacity=0.8, inside=True, owns=False)


def _shadow(build: Build, place: _Place, view: View, air: Air) -> Layer:
    half, end = build.width / 2 + 0.15, build.length / 2 + 0.1
    lean = -0.7 * air.sun
    corners = place.at([(-half, 0, -end), (half, 0, -end), (half, 0, end), (-half, 0, end)])
    corners[:, 0] += np.array([0.5, 0.5, 0.5, 0.5]) * lean
    soft = max(1.5, 0.28 * view.scale(place.z))
    ground = convex(hull(view.seen(corners)))
    return Layer(ground, (0.03, 0.03, 0.04), opacity=air.shade + 0.2, soft=soft, owns=False)
