"""The street as a place: what stands where, without end, and what moves through it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inlay.scenes.streetscape.view import Air, View

CHUNK = 12.0  # metres of street that are made at once
AHEAD = 78.0  # metres one can see
IDS = 256  # instance ids reserved for each chunk


@dataclass(frozen=True)
class Town:
    """What is the same along the whole street."""

    lane: float  # width of one, metres
    road: float  # half the width of the road: a lane, and a row of parked cars where there is one
    pavement: float  # width of one, metres
    yard: float  # between pavement and houses
    storeys: tuple[int, int]
    gaps: float  # share of the plots without a house
    trees: float  # for each plot
    fences: float
    hedges: float
    people: float  # for each chunk
    parked: float
    asphalt: float  # brightness
    speed: float  # of the camera, metres each frame
    bonnet: bool
    houses: tuple[float, float, float]  # leading colour


@dataclass(frozen=True)
class House:
    """A house on one side (-1 left, 1 right), from `near` to `far` along the street."""

    side: int
    near: float
    far: float
    height: float
    colour: tuple[float, float, float]
    storey: float
    bay: float
    shop: bool
    poster: float  # place of a poster along the wall, or negative
    seed: int


@dataclass(frozen=True)
class Strip:
    """A fence or hedge along one side."""

    kind: str  # "fence" or "hedge"
    side: int
    near: float
    far: float
    height: float
    style: int
    seed: int


@dataclass(frozen=True)
class Actor:
    """A thing in the street: where it is at frame 0, where it goes, and the seed of its looks."""

    kind: str
    instance: int
    x: float
    z: float
    vx: float = 0.0
    vz: float = 0.0
    yaw: float = 0.0
    seed: int = 0

    def at(self, frame: int) -> tuple[float, float]:
        """(x, z) at a frame."""
        return self.x + self.vx * frame, self.z + self.vz * frame


@dataclass(frozen=True)
class Plot:
    """One chunk of the street."""

    houses: tuple[House, ...]
    strips: tuple[Strip, ...]
    actors: tuple[Actor, ...]
    zebra: float  # where a crossing begins, or negative


def found(seed: tuple[int, int]) -> tuple[Town, np.random.Generator]:
    """The town of a seed, and the lots that are left to draw for camera and weather."""
    random = np.random.default_rng([*seed, 11])
    kind = random.choice(["city", "town", "suburb"])
    city, suburb = kind == "city", kind == "suburb"
    palette = (
        (0.62, 0.52, 0.42),
        (0.55, 0.38, 0.32),
        (0.66, 0.63, 0.58),
        (0.50, 0.50, 0.53),
        (0.72, 0.66, 0.52),
    )
    parked = max(0.0, float(random.uniform(-0.35, 1.1)))
    lane = float(random.uniform(2.9, 3.9))
    town = Town(
        lane=lane,
        road=lane + (2.2 if parked else 0.3),
        pavement=float(random.uniform(1.8, 3.6)),
        yard=float(random.uniform(2.0, 6.0) if suburb else random.uniform(0.0, 0.6)),
        storeys=(4, 9) if city else (2, 3) if suburb else (2, 6),
        gaps=0.3 if suburb else 0.05 if city else 0.15,
        trees=1.0 if suburb else 0.35,
        fences=0.5 if suburb else 0.2,
        hedges=0.5 if suburb else 0.05,
        people=float(random.uniform(0.3, 1.0) if suburb else random.uniform(0.8, 2.6)),
        parked=parked,
        asphalt=float(random.uniform(0.24, 0.42)),
        speed=float(random.uniform(0.35, 0.9)),
        bonnet=bool(random.random() < 0.5),
        houses=palette[random.integers(len(palette))],
    )
    return town, random


def weather(random: np.random.Generator) -> Air:
    """Sunny, overcast, misty or evening light."""
    sun = float(random.choice([-1, 1]) * random.uniform(0.3, 1))
    match str(random.choice(["sunny", "sunny", "overcast", "mist", "evening"])):
        case "sunny":
            return Air((0.72, 0.79, 0.86), float(random.uniform(90, 200)), sun, 0.5, (1.08, 1.04, 0.97))
        case "overcast":
            return Air(
                (0.68, 0.70, 0.72), float(random.uniform(70, 150)), 0.2 * sun, 0.28, (0.86, 0.88, 0.90)
            )
        case "mist":
            return Air((0.74, 0.75, 0.76), float(random.uniform(26, 50)), 0.1 * sun, 0.2, (0.84, 0.85, 0.86))
        case _:
            return Air((0.66, 0.50, 0.42), float(random.uniform(80, 160)), sun, 0.45, (1.0, 0.82, 0.70))


def stand(random: np.random.Generator, town: Town, size: tuple[int, int], frame: int) -> View:
    """The camera of a video at one of its frames."""
    height, width = size
    return View(
        size=size,
        focal=float(random.uniform(0.75, 1.15)) * width * min(1.0, 1.3 * height / width),
        centre=width * float(random.uniform(0.4, 0.6)),
        horizon=height * float(random.uniform(0.38, 0.52)),
        height=float(random.uniform(1.2, 2.3)),
        x=float(random.uniform(0.35, 0.6)) * town.lane,
        z=town.speed * frame,
    )


def plot(seed: tuple[int, int], town: Town, number: int) -> Plot:
    """Chunk `number` of the street, from `number * CHUNK` metres on."""
    random = np.random.default_rng([*seed, 13, number + 8])
    start = number * CHUNK
    houses: list[House] = []
    strips: list[Strip] = []
    for side in (-1, 1):
        near = start
        while near < start + CHUNK - 1:
            far = min(start + CHUNK, near + float(random.uniform(5, 13)))
            far = start + CHUNK if start + CHUNK - far < 3 else far
            if random.random() >= town.gaps:
                houses.append(_house(random, town, side, near, far))
            near = far
        if random.random() < town.fences:
            strips.append(_strip(random, "fence", side, start))
        if random.random() < town.hedges:
            strips.append(_strip(random, "hedge", side, start))
    zebra = start + 3 if random.random() < 0.14 else -1e9
    return Plot(tuple(houses), tuple(strips), _actors(random, town, number, zebra), zebra)


def _house(random: np.random.Generator, town: Town, side: int, near: float, far: float) -> House:
    storey = float(random.uniform(2.8, 3.6))
    colour = np.clip(np.array(town.houses) * random.uniform(0.7, 1.2) + random.normal(0, 0.03, 3), 0.08, 0.95)
    return House(
        side=side,
        near=near,
        far=far,
        height=storey * int(random.integers(town.storeys[0], town.storeys[1] + 1)) + 0.6,
        colour=(float(colour[0]), float(colour[1]), float(colour[2])),
        storey=storey,
        bay=float(random.uniform(1.9, 3.4)),
        shop=bool(random.random() < 0.35),
        poster=float(random.uniform(near, far)) if random.random() < 0.2 else -1e9,
        seed=int(random.integers(1 << 30)),
    )


def _strip(random: np.random.Generator, kind: str, side: int, start: float) -> Strip:
    height = float(random.uniform(0.8, 1.3) if kind == "fence" else random.uniform(0.9, 1.9))
    far = start + float(random.uniform(0.6, 1.0)) * CHUNK
    return Strip(kind, side, start, far, height, int(random.integers(3)), int(random.integers(1 << 30)))


def _actors(random: np.random.Generator, town: Town, number: int, zebra: float) -> tuple[Actor, ...]:
    """Everything that can be counted in one chunk; ids follow from the chunk: they last through a video."""
    start, actors = number * CHUNK, list[Actor]()
    kerb, walk = town.road, town.road + town.pavement

    def add(kind: str, x: float, z: float, vx: float = 0.0, vz: float = 0.0, yaw: float = 0.0) -> None:
        instance = (number + 8) * IDS + len(actors) + 1
        actors.append(Actor(kind, instance, x, z, vx, vz, yaw, int(random.integers(1 << 30))))

    def along() -> float:
        return start + float(random.uniform(0, CHUNK))

    for side in (-1, 1):
        for _ in range(random.poisson(town.trees * 0.8)):
            add("tree", side * (walk + float(random.uniform(-0.4, max(0.2, town.yard)))), along())
        for slot in (0.26, 0.76):
            if random.random() < 0.45 * town.parked:
                z = start + CHUNK * slot + float(random.uniform(-0.4, 0.4))
                yaw = float(random.normal(0, 0.03)) + (np.pi if random.random() < 0.5 else 0)
                add("car", side * (kerb - float(random.uniform(0.8, 1.0))), z, yaw=yaw)
        if random.random() < 0.42:
            add("pole", side * (kerb + 0.35), along())
        if random.random() < 0.3:
            add("sign", side * (kerb + 0.45), along())
        for _ in range(random.poisson(town.people * 0.5)):
            pace = float(random.choice([-1, 1]) * random.uniform(0.06, 0.16))
            add("pedestrian", side * float(random.uniform(kerb + 0.5, walk - 0.2)), along(), vz=pace)
        if random.random() < 0.05 * town.people:
            add("crowd", side * (walk - 1.0), along())
    if random.random() < 0.16:
        way = float(random.choice([-1, 1]))
        add("cyclist", way * (town.lane - float(random.uniform(0.4, 0.7))), along(), vz=way * 0.3)
    if zebra > 0:
        for _ in range(int(random.integers(1, 4))):
            pace = float(random.choice([-1, 1]) * random.uniform(0.06, 0.14))
            add(
                "pedestrian",
                float(random.uniform(-kerb, kerb)),
                zebra + float(random.uniform(0.3, 2.6)),
                vx=pace,
            )
    return tuple(actors)


def traffic(seed: tuple[int, int], town: Town) -> tuple[Actor, ...]:
    """Cars and cyclists that drive: ahead with the camera, or towards it."""
    random = np.random.default_rng([*seed, 17])
    lane = town.lane / 2
    ahead = np.cumsum(random.uniform(9, 30, int(random.integers(0, 4)))) + 1
    against = np.cumsum(random.uniform(9, 45, int(random.integers(0, 9)))) + 4
    flow, oncoming = town.speed * random.uniform((0.9, 0.7), (1.1, 1.3))
    actors: list[Actor] = []

    def add(x: float, z: float, vx: float, vz: float, yaw: float) -> None:
        actors.append(Actor("car", len(actors) + 1, x, z, vx, vz, yaw, int(random.integers(1 << 30))))

    for z in ahead:
        add(lane + float(random.normal(0, 0.2)), float(z), 0, float(flow), 0)
    for z in against:
        add(-lane + float(random.normal(0, 0.2)), float(z), 0, -float(oncoming), np.pi)
    if random.random() < 0.15:  # one that turns in from a side street
        way = float(random.choice([-1, 1]))
        add(way * float(random.uniform(-2, 2)), float(random.uniform(9, 28)), 0.5 * way, 0, way * np.pi / 2)
    return tuple(actors)
