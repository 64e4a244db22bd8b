"""A street from a moving car: stuff and things in perspective, still or as a video with lasting ids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes, SegmentClass
from inlay.core.segmentation import Segmentation
from inlay.scenes.drawing.shapes import Field, ellipse
from inlay.scenes.drawing.stage import Backdrop, Layer, Piece, perform
from inlay.scenes.drawing.texture import develop
from inlay.scenes.streetscape import cars, people, roadside, world
from inlay.scenes.streetscape.scenery import scenery
from inlay.scenes.streetscape.view import NEAR, Air, View

VIDEO = True
CLASSES = Classes(
    (
        SegmentClass("sky", "stuff", (110, 170, 220)),
        SegmentClass("building", "stuff", (150, 120, 110)),
        SegmentClass("road", "stuff", (128, 90, 150)),
        SegmentClass("pavement", "stuff", (226, 120, 200)),
        SegmentClass("vegetation", "stuff", (96, 150, 60)),
        SegmentClass("fence", "stuff", (190, 160, 110)),
        SegmentClass("tree", "thing", (40, 130, 60), parent="vegetation"),
        SegmentClass("pole", "thing", (170, 170, 180)),
        SegmentClass("sign", "thing", (236, 206, 40)),
        SegmentClass("car", "thing", (40, 80, 210), parent="vehicle"),
        SegmentClass("cyclist", "thing", (190, 40, 90), parent="human"),
        SegmentClass("pedestrian", "thing", (230, 60, 50), parent="human"),
        SegmentClass("ego", "void", (60, 60, 66)),
    )
)


def draw(
    seed: tuple[int, int], size: tuple[int, int], *, frame: int = 0
) -> tuple[NDArray[np.uint8], Segmentation]:
    """(H, W, 3) uint8 and its truth, at one frame of the drive."""
    town, random = world.found(seed)
    air = world.weather(random)
    view = world.stand(random, town, size, frame)
    look = random.uniform(size=5)
    first = int(view.z // world.CHUNK) - 1
    plots = [world.plot(seed, town, first + step) for step in range(int(world.AHEAD / world.CHUNK) + 2)]
    pieces: list[Piece | Backdrop] = [*scenery(town, plots, view, air, random)]
    pieces += _things(seed, town, plots, view, air, frame)
    if town.bonnet:
        pieces.append(_bonnet(view, air, random))
    canvas, truth = perform(pieces, CLASSES, size)
    sharp = float(np.sqrt(size[0] * size[1])) / 277
    pixels = develop(
        canvas * np.float32(0.8 + 0.4 * look[0]),
        np.random.default_rng([*seed, 19, frame]),
        blur=(0.35 + 0.5 * float(look[1])) * sharp,
        grain=0.006 + 0.026 * float(look[2]) ** 2,
        vignette=0.3 * float(look[3]),
        gamma=0.8 + 0.4 * float(look[4]),
    )
    return pixels, truth


MAKERS = {
    "car": cars.car,
    "pedestrian": people.pedestrian,
    "crowd": people.crowd,
    "cyclist": people.cyclist,
    "tree": roadside.tree,
    "pole": roadside.pole,
    "sign": roadside.sign,
}


def _things(
    seed: tuple[int, int], town: world.Town, plots: list[world.Plot], view: View, air: Air, frame: int
) -> list[Piece]:
    """All that can be counted, the farthest first."""
    actors = [actor for plot in plots for actor in plot.actors]
    actors += world.traffic(seed, town)
    pieces: list[Piece] = []
    for actor in sorted(actors, key=lambda actor: -actor.at(frame)[1]):
        x, z = actor.at(frame)
        least = -3.0 if actor.kind == "car" else NEAR + 1.0
        if least < z - view.z < world.AHEAD and abs(view.at(x, 0, z)[0] - view.centre) < 1.6 * view.size[1]:
            pieces += MAKERS[actor.kind](actor, x, z, view, air, frame)
    return pieces


def _bonnet(view: View, air: Air, random: np.random.Generator) -> Piece:
    """The front of the own car: always there, never of interest."""
    height, width = view.size
    tint = np.array(air.dim(random.uniform(0.05, 0.45, 3), 0), np.float32)
    top = height * float(random.uniform(0.9, 0.97))
    shape = ellipse(
        width * float(random.uniform(0.44, 0.56)), top + height * 0.55, width * 0.75, height * 0.55
    )
    haze = np.array(air.haze, np.float32)

    def paint(_x: Field, _y: Field, distance: Field) -> NDArray[np.float32]:
        shine = 0.45 * np.exp(distance / np.float32(0.05 * height))
        return np.asarray(tint + shine[..., None] * (haze - tint), np.float32)

    return Piece("ego", [Layer(shape, paint)])
