"""What labels cost: a formula with stated priors, which measured times replace as they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inlay.advise.scenes import Load
from inlay.core.errors import InlayError

Floats = NDArray[np.float64]
Mode = Literal["semantic", "instance", "panoptic", "boxes", "amodal"]
MODES: tuple[Mode, ...] = ("semantic", "instance", "panoptic", "boxes", "amodal")
DRAWS = 4000
ENOUGH_TIMED = 20  # images with a measured time from which the priors give way
NINETY_FIVE = 1.96
CHUNK = 100_000  # numbers at a time
BEND = 0.3  # usual size of the power by which people depart from the formula; ours
APART = ("review", "rework", "overhead", "drift")  # beliefs that timed images say nothing about


@dataclass(frozen=True)
class Prior:
    """A log-normal belief: with 95 % between `median / spread` and `median * spread`.

    Parameters
    ----------
    median, spread
        The belief; a spread of 1 is a fact.
    unit
        Of the median.
    source
        Where it comes from.
    """

    median: float
    spread: float
    unit: str
    source: str

    def __post_init__(self) -> None:
        if not (
            np.isfinite(self.median) and self.median > 0 and np.isfinite(self.spread) and self.spread >= 1
        ):
            raise InlayError(
                f"a prior of {self.median} within a factor of {self.spread} is none: > 0 and >= 1"
            )

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm."""
        return float(np.log(self.spread) / NINETY_FIVE)

    def draw(self, random: np.random.Generator, count: int) -> Floats:
        """(count,) random values."""
        return np.asarray(self.median * np.exp(self.sigma * random.standard_normal(count)))

    def quantile(self, tail: float) -> float:
        """Value that a share of `tail` lies below."""
        from statistics import NormalDist

        return float(self.median * np.exp(self.sigma * NormalDist().inv_cdf(tail)))


PRIORS: Mapping[str, Prior] = MappingProxyType(
    {
        "open": Prior(8, 2, "s an image", "opening, looking, saving; an estimate"),
        "class": Prior(1.5, 2, "s a class in an image", "choosing and changing classes; an estimate"),
        "segment": Prior(5, 2, "s a segment", "starting and closing an outline; an estimate"),
        "boundary": Prior(
            123,
            2,
            "s a diagonal of boundary, by polygon",
            "79.2 s for a COCO polygon (Cheng et al., arXiv 2104.06404) less 5 s to start it, over the .60 "
            "image "
            "diagonals of boundary that COCO's instances have on average",
        ),
        "contact": Prior(2, 3, "s a contact of two objects of one class", "an estimate"),
        "order": Prior(3, 3, "s a pair to order", "an estimate"),
        "void": Prior(30, 3, "s an image, panoptic", "filling gaps; an estimate"),
        "box": Prior(12, 2.2, "s a box", "7 s by extreme clicks to 35 s with review (arXiv 1708.02750)"),
        "tool": Prior(1, 1.15, "of polygon time", "polygons by hand"),
        "ratio": Prior(
            2.3,
            1.63,
            "instance : semantic, of like outlines",
            "vendors' list prices and times, 1.8 to 3.0; by outlines alone it is 1.0 to 1.2, the rest is "
            "zooming, bookkeeping and rework, which a pace measured on objects holds already",
        ),
        "overhead": Prior(
            0.3, 1.6, "of wages", "20 to 40 % for leading, training and tools; vendors' offers"
        ),
        "review": Prior(0.2, 2, "of labelling time", "10 to 30 %; vendors' offers"),
        "drift": Prior(
            1,
            1.25,
            "of measured times",
            "later images against a pilot's: halts that it did not meet, fatigue, practice; an estimate",
        ),
        "rework": Prior(0.07, 2.2, "of labelling time", "3 to 15 %; vendors' offers"),
    }
)

TOOLS: Mapping[str, Prior] = MappingProxyType(
    {
        "polygon": PRIORS["tool"],
        "interactive": Prior(
            0.33, 1.5, "of polygon time", "3 times faster (Benenson et al., arXiv 1903.10830)"
        ),
        "sam": Prior(
            0.3, 2.2, "of polygon time", "34 s to 14 s a mask, 34 s for hard ones (arXiv 2304.02643)"
        ),
    }
)


@dataclass(frozen=True)
class Timing:
    """One image that somebody labelled, and how long it took (active seconds)."""

    place: int  # row of the load
    mode: Mode
    seconds: float


@dataclass(frozen=True, eq=False)
class Cost:
    """What labelling will take, with its doubt.

    Parameters
    ----------
    mode, images, wage
        What was asked; the wage is for an hour.
    hours, money
        (P10, P50, P90).
    drivers
        What moves the money most, the most first: name, money at the driver's P10, money at its P90.
    timed
        Images with a measured time that went into it.
    by_outlines
        Ratio to semantic labels that outlines and contacts alone would give; the prior `ratio` comes on top.
    """

    mode: Mode
    images: int
    wage: float
    hours: tuple[float, float, float]
    money: tuple[float, float, float]
    drivers: tuple[tuple[str, float, float], ...]
    timed: int
    by_outlines: float

    @property
    def source(self) -> str:
        """Whose figures these are: measured, or a prior."""
        return f"measured on {self.timed} images" if self.timed >= ENOUGH_TIMED else _not_yours(self.timed)

    def __str__(self) -> str:
        low, middle, high = self.money
        lines = [
            f"{self.images} images, {self.mode}: {middle:,.0f} ({low:,.0f} to {high:,.0f}) at "
            f"{self.wage:g} an hour",
            f"{self.hours[1]:,.1f} hours ({self.hours[0]:,.1f} to {self.hours[2]:,.1f}); {self.source}",
            "what moves it most (money at the low and the high end of each):",
        ]
        lines += [f"  {name:<10} {one:>12,.0f} {other:>12,.0f}" for name, one, other in self.drivers[:5]]
        return "\n".join(lines)


def _not_yours(timed: int) -> str:
    have = f"; {timed} timed so far" if timed else ""
    return f"prior, not your data: time {ENOUGH_TIMED} images to replace it{have}"


def estimate(
    load: Load,
    mode: Mode,
    images: int,
    *,
    wage: float,
    tool: str = "polygon",
    labellers: int = 1,
    fixed: float = 0.0,
    priors: Mapping[str, Prior] = PRIORS,
    timings: Sequence[Timing] = (),
    seed: int = 0,
) -> Cost:
    """P10, P50 and P90 of hours and money to label `images` images like those of `load`.

    The time of an image is `open + class C + tool (segment R + boundary L + contact X) + order O + void`,
    over its classes C, regions or objects R, their boundary L, contacts X and pairs to order O. Semantic
    labels have regions, instances objects, panoptic both. The pace is that of objects drawn one by one, so
    semantic labels take 1 / `ratio` of it until `ENOUGH_TIMED` images are timed; then the measured times set
    the pace, and whether full images take longer than the formula says.

    Parameters
    ----------
    load
        The work in a sample of the images.
    mode
        What to label.
    images
        How many.
    wage
        Money an hour.
    tool
        "polygon", "interactive" or "sam".
    labellers
        How many label each image.
    fixed
        Money spent once: guide, training, platform.
    priors
        `PRIORS`, or a copy with some exchanged.
    timings
        Measured times of images of `load`.

    Raises
    ------
    InlayError
        When a number is out of range, or mode or tool is unknown.
    """
    if mode not in MODES:
        raise InlayError(f"there is no mode {mode!r}; there are {', '.join(MODES)}")
    if tool not in TOOLS:
        raise InlayError(f"there is no tool {tool!r}; there are {', '.join(TOOLS)}")
    if images < 1 or wage <= 0 or labellers < 1 or fixed < 0 or not len(load):
        raise InlayError(
            "images, wage and labellers are above 0, fixed costs 0 or more, and the load has images"
        )
    beliefs = {**priors, "tool": TOOLS[tool] if tool != "polygon" else priors["tool"]}
    random = np.random.default_rng(seed)
    drawn = {name: prior.draw(random, DRAWS) for name, prior in beliefs.items()}
    weights = _weights(len(load), images, random)
    ours = [each for each in timings if each.mode == mode]
    measured = None
    if len(ours) >= ENOUGH_TIMED:
        measured = _measured(ours, load, mode, beliefs, images, weights, random)
    job = _Job(load, mode, images, wage, labellers, fixed)
    hours, money = job.price(drawn, weights, measured)
    return Cost(
        mode,
        images,
        wage,
        _tenths(hours),
        _tenths(money),
        _tornado(job, beliefs, measured),
        len(ours),
        _by_outlines(load, mode, beliefs),
    )


def _weights(known: int, images: int, random: np.random.Generator) -> Floats:
    """(DRAWS, J) how often each image of the load stands: those beyond it are drawn from the same source."""
    even = np.full(known, 1 / known)
    share = max(0.0, 1 - known / images)
    if not share:
        return np.broadcast_to(even, (DRAWS, known))
    return np.asarray((1 - share) * even + share * random.multinomial(known, even, DRAWS) / known)


@dataclass(frozen=True, eq=False)
class _Job:
    load: Load
    mode: Mode
    images: int
    wage: float
    labellers: int
    fixed: float

    def price(
        self, drawn: Mapping[str, Floats], weights: Floats, measured: Floats | None
    ) -> tuple[Floats, Floats]:
        """(B,) hours and money of draws; `measured` (B,) are seconds of an image where times are known."""
        seconds = self._by_formula(drawn, weights) if measured is None else measured * drawn["drift"]
        labelling = seconds * self.images * self.labellers / 3600
        hours = labelling * (1 + drawn["review"] + drawn["rework"])
        return hours, hours * self.wage * (1 + drawn["overhead"]) + self.fixed

    def _by_formula(self, drawn: Mapping[str, Floats], weights: Floats) -> Floats:
        seconds = _seconds(self.load, self.mode, drawn, weights)
        return seconds / np.maximum(drawn["ratio"], 1.0) if self.mode == "semantic" else seconds


def _seconds(load: Load, mode: Mode, drawn: Mapping[str, Floats], weights: Floats | None) -> Floats:
    """(B,) mean seconds of an image; without weights (J,) those of each image."""

    def mean(column: Floats) -> Floats:
        return column if weights is None else np.asarray(weights @ column)

    seconds = drawn["open"] + drawn["class"] * mean(load.classes)
    if mode == "boxes":
        return np.asarray(seconds + drawn["box"] * mean(load.objects))
    segments, boundary, contacts = load.objects, load.object_boundary, load.contacts
    if mode == "semantic":
        segments, boundary, contacts = load.regions, load.region_boundary, np.zeros_like(load.contacts)
    if mode == "panoptic":  # objects, and the areas of the classes that have none
        segments = np.maximum(load.objects, load.regions)
        boundary = np.maximum(load.object_boundary, load.region_boundary)
    drawing = (
        drawn["segment"] * mean(segments)
        + drawn["boundary"] * mean(boundary)
        + drawn["contact"] * mean(contacts)
    )
    seconds = seconds + drawn["tool"] * drawing
    if mode in ("panoptic", "amodal"):
        seconds = seconds + drawn["order"] * mean(load.occlusions)
    if mode == "panoptic":
        seconds = seconds + drawn["void"]
    return np.asarray(seconds)


def _measured(
    timings: Sequence[Timing],
    load: Load,
    mode: Mode,
    beliefs: Mapping[str, Prior],
    images: int,
    weights: Floats,
    random: np.random.Generator,
) -> Floats:
    """(DRAWS,) seconds of an image, by measured times.

    A time is `pace * formula ** (1 + bend)` within a log-normal scatter: the pace is what the timings say,
    the bend (full images take longer than in proportion, or less) lies around 0 until they say more. The
    draws hold the doubt of both, of the scatter, and of what the images to come will scatter.
    """
    places = np.array([each.place for each in timings])
    seconds = np.array([each.seconds for each in timings])
    if places.min() < 0 or places.max() >= len(load) or not (np.isfinite(seconds) & (seconds > 0)).all():
        raise InlayError("a timing names an image of the load and a positive number of seconds")
    formula = np.log(_each(load, mode, beliefs))
    size = formula - formula[places].mean()
    pace = np.log(seconds) - formula[places]
    wide = float((size[places] ** 2).sum())
    least = float((size[places] * (pace - pace.mean())).sum())
    residual = pace - pace.mean() - size[places] * least / (wide + BEND**-2 * pace.var(ddof=1))
    freedom = len(places) - 2
    scatter = (residual**2).sum() / random.chisquare(freedom, DRAWS)
    held = wide + scatter / BEND**2
    bend = least / held + random.standard_normal(DRAWS) * np.sqrt(scatter / held)
    level = pace.mean() + random.standard_normal(DRAWS) * np.sqrt(scatter / len(places)) + scatter / 2
    found = np.empty((2, DRAWS))  # mean seconds of an image, and of their squares
    for some in np.array_split(np.arange(DRAWS), max(1, DRAWS * len(load) // CHUNK)):
        of_each = np.exp(formula + level[some, None] + bend[some, None] * size)
        found[:, some] = (weights[some] * of_each).sum(axis=1), (weights[some] * of_each**2).sum(axis=1)
    noise = np.sqrt(np.expm1(scatter) * found[1] / images) * random.standard_normal(DRAWS)
    return np.asarray(np.maximum(found[0] + noise, 1e-6 * found[0]))


def _each(load: Load, mode: Mode, beliefs: Mapping[str, Prior]) -> Floats:
    """(J,) seconds of each image by the formula, all beliefs at their medians."""
    return _seconds(load, mode, _medians(beliefs), None)


def _medians(beliefs: Mapping[str, Prior]) -> dict[str, Floats]:
    return {name: np.array([prior.median]) for name, prior in beliefs.items()}


def _tornado(
    job: _Job, beliefs: Mapping[str, Prior], measured: Floats | None
) -> tuple[tuple[str, float, float], ...]:
    """Money with each belief at its P10 and P90 and the others at their medians, the widest first."""
    weights = np.full((1, len(job.load)), 1 / len(job.load))
    middle = _medians(beliefs)
    usual = None if measured is None else np.median(measured, keepdims=True)

    def money(name: str, value: float) -> float:
        return float(job.price({**middle, name: np.array([value])}, weights, usual)[1][0])

    found = [
        (name, money(name, prior.quantile(0.1)), money(name, prior.quantile(0.9)))
        for name, prior in beliefs.items()
        if measured is None or name in APART
    ]
    if measured is not None:
        ends = [float(job.price(middle, weights, np.quantile(measured, [tail]))[1][0]) for tail in (0.1, 0.9)]
        found.append(("pace", ends[0], ends[1]))
    moving = [each for each in found if each[2] - each[1] > 1e-9]
    return tuple(sorted(moving, key=lambda each: each[1] - each[2]))


def _by_outlines(load: Load, mode: Mode, beliefs: Mapping[str, Prior]) -> float:
    return float(_each(load, mode, beliefs).mean() / _each(load, "semantic", beliefs).mean())


def _tenths(values: Floats) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    return float(low), float(middle), float(high)


def with_ratio(priors: Mapping[str, Prior], median: float, spread: float, source: str) -> Mapping[str, Prior]:
    """The priors with another ratio of instance to semantic labels."""
    return {**priors, "ratio": replace(priors["ratio"], median=median, spread=spread, source=source)}
