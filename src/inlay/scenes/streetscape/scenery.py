"""What stands still and is not counted: sky, houses, ground, hedges and fences, pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.scenes.drawing.shapes import Field
from inlay.scenes.drawing.stage import Backdrop
from inlay.scenes.drawing.texture import grain, noise
from inlay.scenes.streetscape.view import NEAR, Air, View
from inlay.scenes.streetscape.world import AHEAD, House, Plot, Strip, Town

STUFF = ("sky", "vegetation", "building", "road", "pavement", "fence")
SKY, VEGETATION, BUILDING, ROAD, PAVEMENT, FENCE = range(len(STUFF))


Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Canvas:
    """The picture so far: what each pixel shows, in which colour, and how far away it is."""

    view: View
    air: Air
    shows: NDArray[np.uint8]  # (H, W) place in STUFF
    colours: NDArray[np.float32]  # (H, W, 3)
    x: Field  # (1, W) columns
    y: Field  # (H, 1) rows

    def put(self, region: NDArray[np.bool_], what: int, colour: Floats, distance: Floats | float) -> None:
        """Paint a region, seen through the air."""
        air = self.air
        lost = 1 - np.exp(-np.maximum(np.asarray(distance, np.float32), 0) / np.float32(air.clear))
        haze = np.array(air.haze, np.float32)
        lost = np.broadcast_to(lost, region.shape)[region][:, None]
        lit = np.broadcast_to(colour, (*region.shape, 3))[region] * np.array(air.light, np.float32)
        self.shows[region] = what
        self.colours[region] = lit + lost * (haze - lit)


def scenery(
    town: Town, plots: Sequence[Plot], view: View, air: Air, random: np.random.Generator
) -> list[Backdrop]:
    """One backdrop for each kind of stuff that shows; together they fill the picture."""
    height, width = view.size
    y, x = np.ogrid[:height, :width]
    x, y = x.astype(np.float32) + 0.5, y.astype(np.float32) + 0.5
    canvas = Canvas(view, air, np.zeros(view.size, np.uint8), _sky(view, air, x, y, random), x, y)
    _horizon(canvas, random)
    _ground(canvas, town, plots, random)
    strips = [strip for plot in plots for strip in plot.strips]
    houses = [house for plot in plots for house in plot.houses]
    for house in sorted(houses, key=lambda house: -house.near):
        covered = any(
            other.side == house.side and other.far == house.near and other.height >= house.height
            for other in houses
        )
        _house(canvas, house, town, gable=not covered)
    for strip in sorted(strips, key=lambda strip: -strip.near):
        _strip(canvas, strip, town)
    return [
        Backdrop(name, canvas.shows == what, canvas.colours)
        for what, name in enumerate(STUFF)
        if (canvas.shows == what).any()
    ]


def _sky(view: View, air: Air, x: Field, y: Field, random: np.random.Generator) -> NDArray[np.float32]:
    haze = np.array(air.haze, np.float32)
    clear = air.clear > 85
    zenith = np.array((0.30, 0.48, 0.78) if clear else (0.55, 0.57, 0.60), np.float32) * np.array(
        air.light, np.float32
    )
    up = np.clip((view.horizon - y) / max(view.horizon, 1), 0, 1)[..., None]
    colours = haze + (zenith - haze) * up**0.8
    colours = np.broadcast_to(colours, (*view.size, 3)).copy()
    unit = view.size[1] / 320
    depth = 1 + 3 * np.clip(1 - (view.horizon - y) / max(view.horizon, 1), 0, 1)
    start = float(random.uniform(0, 900))
    cloud = noise(
        x * depth / unit + start, y * depth * 2.2 / unit, scale=2.2, softness=6, at=int(random.integers(99))
    )
    share = np.clip(cloud * 0.5 + random.uniform(-0.5, 0.3), 0, 0.85) * np.clip(up[..., 0] * 3, 0, 1)
    white = np.minimum(haze * 1.2 + 0.06, 1)
    colours += share[..., None] * (white - colours)
    return colours


def _horizon(canvas: Canvas, random: np.random.Generator) -> None:
    """Hills with trees, and roofs, at the end of the street."""
    view, unit = canvas.view, canvas.view.size[1] / 320
    hill = noise(canvas.x / unit, np.zeros_like(canvas.x), scale=1.8, softness=6, at=int(random.integers(99)))
    leaves = noise(canvas.x / unit, canvas.y / unit, scale=1.0, softness=2, at=3)
    top = view.horizon - unit * (6 + 4 * hill + 0.8 * leaves)
    green = np.array((0.20, 0.29, 0.15), np.float32) * (1 + 0.2 * leaves)[..., None]
    canvas.put((canvas.y > top) & (canvas.y < view.horizon + 2), VEGETATION, green, 0.75 * AHEAD)
    steps = noise(
        np.floor(canvas.x / unit / 14),
        np.zeros_like(canvas.x),
        scale=0.31,
        softness=0,
        at=int(random.integers(99)),
    )
    roofs = view.horizon - unit * np.clip(7 + 5 * steps, 0, 30)
    grey = np.array((0.45, 0.42, 0.41), np.float32) * (1 + 0.12 * np.sign(steps))[..., None]
    canvas.put((canvas.y > roofs) & (canvas.y < view.horizon + 2), BUILDING, grey, 0.85 * AHEAD)


def _ground(canvas: Canvas, town: Town, plots: Sequence[Plot], random: np.random.Generator) -> None:
    """Road with its marks, pavements with kerb and slabs, grass."""
    view = canvas.view
    first = int(np.clip(np.floor(view.horizon), 0, view.size[0] - 1))
    below = canvas.y[first:] - view.horizon
    z = view.focal * view.height / np.maximum(below, 0.4)
    x = (canvas.x - view.centre) * z / view.focal + view.x
    ahead, side = z + view.z, np.abs(x)
    pixel = z / view.focal  # metres across one pixel
    grit = grain(x * 14, ahead * 14, softness=2, at=5) * np.clip(1 - 4 * pixel, 0.2, 1)
    stains = noise(x * 2.5, ahead * 1.1, softness=6, at=int(random.integers(99)))
    road, walk = side < town.road, (side >= town.road) & (side < town.road + town.pavement)
    asphalt = town.asphalt * (1 + 0.07 * grit + 0.05 * stains)
    tracks = 0.06 * np.exp(-(((np.abs(side - town.lane / 2) - 0.75) / 0.3) ** 2))
    asphalt = asphalt * (1 - tracks)
    asphalt = asphalt + (0.78 + 0.06 * stains - asphalt) * _marks(x, ahead, pixel, town, plots)
    slabs = np.maximum(_line(ahead % 1.2, 0.6, 0.03, _foot(z, view)), _line(side % 0.8, 0.4, 0.03, pixel))
    paving = (town.asphalt * 0.5 + 0.32) * (1 + 0.06 * grit + 0.05 * stains - 0.16 * slabs)
    kerb = _between(side, town.road, town.road + 0.22, pixel)
    paving = paving + (0.66 - paving) * 0.6 * kerb
    warm = np.array((1.03, 1.0, 0.95), np.float32)
    blades = grain(x * 9, ahead * 5, softness=3, at=9)
    grass = np.array((0.25, 0.36, 0.15), np.float32) * (1 + 0.14 * blades + 0.1 * stains)[..., None]
    window = slice(first, None)
    under = Canvas(view, canvas.air, canvas.shows[window], canvas.colours[window], canvas.x, canvas.y[window])
    real = np.broadcast_to(below > 0, road.shape)
    distance = np.broadcast_to(z, road.shape)
    under.put(real & ~road & ~walk, VEGETATION, grass, distance)
    under.put(
        real & road,
        ROAD,
        np.repeat(asphalt[..., None], 3, 2) * np.array((0.98, 1.0, 1.03), np.float32),
        distance,
    )
    under.put(real & walk, PAVEMENT, paving[..., None] * warm, distance)


def _foot(z: Floats, view: View) -> Field:
    """Metres along the street under one pixel of the ground."""
    return np.asarray(z * z / (view.focal * view.height), np.float32)


def _between(value: Floats, low: float, high: float, width: Floats) -> Field:
    """Share of a pixel `width` wide that lies between two values."""
    share: Field = np.clip(np.minimum(value - low, high - value) / np.maximum(width, 1e-4) + 0.5, 0, 1)
    return share * np.minimum(1, (high - low) / np.maximum(width, 1e-4))


def _line(value: Floats, at: float, half: float, width: Floats) -> Field:
    return _between(value, at - half, at + half, width)


def _marks(x: Floats, ahead: Floats, pixel: Floats, town: Town, plots: Sequence[Plot]) -> Field:
    """Share of white paint: the broken line, the edges, the crossings; worn here and there."""
    foot = np.maximum(pixel * 4, 0.02)
    dashes = _between(ahead % 6.0, 1.0, 4.0, foot)
    paint = _line(x, 0.0, 0.07, pixel) * dashes
    paint = np.maximum(paint, _line(np.abs(x), town.lane + 0.05, 0.05, pixel) * (town.parked > 0.0))
    for plot in plots:
        if plot.zebra > 0:
            stripes = _between(x % 1.0, 0.0, 0.5, pixel) * (np.abs(x) < town.road - 0.2)
            paint = np.maximum(paint, stripes * _between(ahead, plot.zebra, plot.zebra + 2.8, foot))
    worn = np.clip(1.1 + 0.35 * noise(x * 6, ahead * 6, softness=3, at=17), 0.1, 1)
    faded: Field = 0.85 * paint * worn
    return faded


def _house(canvas: Canvas, house: House, town: Town, *, gable: bool) -> None:
    """The wall along the street, and the gable that faces the camera unless the next house hides it."""
    view = canvas.view
    near, far = house.near - view.z, house.far - view.z
    if far < NEAR + 0.2:
        return
    wall = house.side * (town.road + town.pavement + town.yard)
    reach = (wall - view.x) * view.focal
    if gable and near > NEAR:
        a, b = sorted((wall, wall + house.side * 14.0))
        left, right = (
            int(np.clip(np.ceil(view.at(v, 0, house.near)[0] - 0.5), 0, view.size[1])) for v in (a, b)
        )
        _wall(canvas, house, slice(left, right), near, along=False)
    nearest = max(near, NEAR)
    left, right = (
        int(np.clip(np.ceil(view.centre + v - 0.5), 0, view.size[1]))
        for v in sorted((reach / far, reach / nearest))
    )
    _wall(canvas, house, slice(left, right), reach, along=True)


def _wall(canvas: Canvas, house: House, columns: slice, where: float, *, along: bool) -> None:
    """Paint one wall over some columns; `where` is its depth, or along the street its offset at 1 m."""
    view = canvas.view
    x = canvas.x[:, columns]
    if not x.size:
        return
    z = where / (x - view.centre) if along else np.full_like(x, where)
    place = z + view.z if along else (x - view.centre) * z / view.focal + view.x
    up = view.height - (canvas.y - view.horizon) * z / view.focal
    region = (up >= 0) & (up <= house.height)
    rows = np.flatnonzero(region.any(axis=1))
    if not rows.size:
        return
    window = slice(rows[0], rows[-1] + 1), columns
    up, region = up[window[0]], region[window[0]]
    tall = z / view.focal
    wide = np.abs(z * z / where) if along else tall
    colour = _facade(house, np.broadcast_to(place, up.shape), up, wide, tall)
    facing = canvas.air.sun * house.side
    lit = 1 - 0.28 * max(0.0, facing) + 0.14 * max(0.0, -facing) if along else 0.86
    part = Canvas(view, canvas.air, canvas.shows[window], canvas.colours[window], x, canvas.y[window[0]])
    part.put(region, BUILDING, colour * np.float32(lit), np.broadcast_to(z, region.shape))


def _facade(house: House, place: Floats, up: Floats, wide: Floats, tall: Floats) -> NDArray[np.float32]:
    """Plaster or brick, storeys of windows with frames, a shop below, a poster, an eave on top."""
    base = np.array(house.colour, np.float32)
    rough = grain(place * 12, up * 12, softness=4, at=house.seed % 97)
    bricks = _line(up % 0.3, 0.0, 0.05, tall * 2) if house.seed % 3 == 0 else np.float32(0)
    colour = base * (1 + 0.05 * rough - 0.12 * bricks)[..., None]
    across, floor = (place - house.near) / house.bay % 1.0, up / house.storey % 1.0
    wide_share, tall_share = wide / house.bay, tall / house.storey
    number = np.floor((place - house.near) / house.bay) * 7 + np.floor(up / house.storey) * 13
    glow = grain(number, number * 0.3, scale=0.37, softness=0, at=house.seed % 89)
    frame = _between(across, 0.22, 0.78, wide_share) * _between(floor, 0.24, 0.84, tall_share)
    glass = _between(across, 0.27, 0.73, wide_share) * _between(floor, 0.28, 0.80, tall_share)
    upper = (up < house.height - 0.7) & (up > (house.storey if house.shop else 0.0))
    pane = (
        np.array((0.20, 0.24, 0.30), np.float32) * (1 + 0.45 * glow)[..., None]
        + 0.12 * np.clip(floor, 0, 1)[..., None]
    )
    colour += (frame * upper * 0.7)[..., None] * (np.minimum(base * 1.5, 0.9) - colour)
    colour += (glass * upper * 0.92)[..., None] * (pane - colour)
    if house.shop:
        tint = (
            np.array(((house.seed % 7) / 7, (house.seed % 5) / 5, (house.seed % 11) / 11), np.float32) * 0.32
            + 0.2
        )
        board = _between(up, house.storey * 0.78, house.storey * 0.98, tall)
        window = _between(up, 0.5, house.storey * 0.74, tall) * _between(across, 0.08, 0.92, wide_share)
        colour += board[..., None] * 0.9 * (tint - colour)
        colour += (
            window[..., None]
            * 0.85
            * (np.array((0.24, 0.25, 0.26), np.float32) * (1.2 + 0.3 * rough)[..., None] - colour)
        )
    if house.poster > 0:
        inside = _between(place, house.poster, house.poster + 2.2, wide) * _between(up, 1.2, 3.0, tall)
        art = np.clip(grain(place * 20, up * 20, softness=5, at=house.seed % 83), -1.5, 1.5)
        print_ = np.stack([0.5 + 0.18 * art, 0.45 - 0.16 * art, 0.4 + 0.14 * np.sin(3 * art)], axis=2)
        colour += inside[..., None] * (print_ - colour)
    eave = _between(up, house.height - 0.5, house.height + 1, tall)
    colour += eave[..., None] * 0.5 * (base * 0.5 - colour)
    foot = np.exp(-np.maximum(up, 0) / 0.5) * 0.25
    return np.asarray(colour * (1 - foot)[..., None], np.float32)


def _strip(canvas: Canvas, strip: Strip, town: Town) -> None:
    """A fence or a hedge between pavement and yard."""
    view = canvas.view
    near, far = max(strip.near - view.z, NEAR), strip.far - view.z
    if far < NEAR + 0.2:
        return
    edge = strip.side * (town.road + town.pavement + (0.0 if strip.kind == "fence" else 0.35))
    reach = (edge - view.x) * view.focal
    left, right = (
        int(np.clip(np.ceil(view.centre + v - 0.5), 0, view.size[1]))
        for v in sorted((reach / far, reach / near))
    )
    x = canvas.x[:, left:right]
    if not x.size:
        return
    z = reach / (x - view.centre)
    along = z + view.z
    up = view.height - (canvas.y - view.horizon) * z / view.focal
    colour, solid = (_fence if strip.kind == "fence" else _hedge)(strip, along, up, z, view)
    part = Canvas(view, canvas.air, canvas.shows[:, left:right], canvas.colours[:, left:right], x, canvas.y)
    what = FENCE if strip.kind == "fence" else VEGETATION
    part.put(solid & (up >= 0), what, colour, np.broadcast_to(z, solid.shape))


def _fence(strip: Strip, along: Floats, up: Floats, z: Floats, view: View) -> tuple[Field, NDArray[np.bool_]]:
    """Boards, railings or a low wall."""
    tint = np.array(((0.45, 0.36, 0.27), (0.20, 0.22, 0.23), (0.62, 0.60, 0.56))[strip.style], np.float32)
    inside = up <= strip.height
    if strip.style == 0:
        boards = _line(along % 0.28, 0.0, 0.03, np.abs(z / view.focal) * 3)
        solid = inside
        lit = 1 - 0.4 * boards + 0.08 * noise(along * 4, up, softness=2, at=strip.seed % 97)
    elif strip.style == 1:
        rails = (np.abs(up - strip.height + 0.06) < 0.06) | (np.abs(up - 0.2) < 0.05)
        posts = (along % 0.42 < 0.09) | (along % 2.1 < 0.16)
        solid = inside & (rails | posts)
        lit = np.ones_like(up)
    else:
        joints = _line(up % 0.25, 0.0, 0.03, np.abs(z / view.focal) * 2)
        solid = inside
        lit = 1 - 0.25 * joints + 0.06 * noise(along * 6, up * 6, softness=3, at=strip.seed % 97)
    return np.asarray(tint * np.broadcast_to(lit, up.shape)[..., None], np.float32), solid


def _hedge(
    strip: Strip, along: Floats, up: Floats, _z: Floats, _view: View
) -> tuple[Field, NDArray[np.bool_]]:
    leaves = grain(along * 16, up * 16, softness=2, at=strip.seed % 97)
    bumps = noise(along * 4, np.zeros_like(along), softness=4, at=strip.seed % 89)
    solid = up <= strip.height + 0.12 * bumps + 0.05 * leaves
    lit = 0.75 + 0.35 * np.clip(up / strip.height, 0, 1) + 0.16 * leaves
    green = np.array((0.20, 0.31, 0.13), np.float32)
    return np.asarray(green * lit[..., None], np.float32), solid
