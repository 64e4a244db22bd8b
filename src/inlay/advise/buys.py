"""What the next hours buy most of: new images, better outlines of those at hand, or another label type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.advise.learning_curve import LearningCurve
from inlay.core.errors import InlayError

Floats = NDArray[np.float64]
FURTHEST = 4  # times the largest number measured: beyond, more images are not counted on


@dataclass(frozen=True)
class Option:
    """A way to spend the next hours, and what it is measured or thought to add."""

    name: str
    hours: float
    gain: tuple[float, float, float]  # P10, P50 and P90 of the score added, between two single trainings

    def __post_init__(self) -> None:
        if not self.hours > 0:
            raise InlayError(f"option {self.name!r} takes {self.hours} hours; give what it costs")

    @property
    def per_hour(self) -> float:
        """Score added by an hour, at the median."""
        return self.gain[1] / self.hours

    def __str__(self) -> str:
        low, middle, high = self.gain
        return f"{self.name}: {middle:+.3f} ({low:+.3f} to {high:+.3f}) in {self.hours:.1f} hours"


@dataclass(frozen=True, eq=False)
class LabelType:
    """A way to label, how long an image takes, and what models learn from so many images.

    Parameters
    ----------
    name
        As it is called in the answer: "outlines", "coarse outlines", "points".
    seconds
        Of one image, active time with review.
    curve
        Scores of trainings on such labels, judged on the same exact ones.
    """

    name: str
    seconds: float
    curve: LearningCurve

    def __post_init__(self) -> None:
        if not (np.isfinite(self.seconds) and self.seconds > 0):
            raise InlayError(f"label type {self.name!r} takes {self.seconds} seconds an image; time some")


def buys(types: Sequence[LabelType], have: str, images: float, hours: float) -> list[Option]:
    """What the same hours add in each way, the most for an hour first, from `images` labels of type `have`.

    New images of that type; the images at hand labelled once more in a better (slower) type, as many as the
    hours allow; and new images of each other type. What a mixture of two types teaches is taken to be what
    each teaches alone: the labels at hand count as so many images of the other type as give the same score.
    Images beyond four times the most that were measured add nothing here. Gains have the scatter of both
    trainings in them, the one before and the one after.

    Raises
    ------
    InlayError
        When there is no type of that name, or a figure is not positive.
    """
    known = {each.name: each for each in types}
    if have not in known:
        raise InlayError(f"there are no scores of the label type {have!r}; there are {', '.join(known)}")
    if not (images >= 1 and hours > 0):
        raise InlayError(f"{images} images and {hours} hours: both are above 0")
    mine = known[have]
    random = np.random.default_rng(1)
    now = _trained(mine.curve, images, random)
    new = hours * 3600 / mine.seconds
    found = [_option(f"{new:.0f} new images, {have}", hours, _then(mine.curve, images + new, random) - now)]
    for other in types:
        if other is mine:
            continue
        if other.seconds > mine.seconds:
            share = min(1.0, hours * 3600 / (other.seconds * images))
            bare = other.curve.draws([images])[:, 0] - mine.curve.draws([images])[:, 0]
            scatter = float(np.hypot(mine.curve.scatter, other.curve.scatter))
            redone = share * bare + random.normal(0, scatter, len(bare))
            spent = share * images * other.seconds / 3600
            found.append(_option(f"{share * images:.0f} images once more, {other.name}", spent, redone))
        more = hours * 3600 / other.seconds
        then = _then(other.curve, _worth(other.curve, now) + more, random)
        found.append(_option(f"{more:.0f} new images, {other.name}", hours, then - now))
    return sorted(found, key=lambda each: -each.per_hour)


def _worth(curve: LearningCurve, scores: Floats) -> float:
    """Images at which a curve reaches what is reached already; the most measured where it does not."""
    sizes = np.geomspace(1, float(curve.images.max()), 300)
    reached = np.flatnonzero(curve.predict(sizes) >= np.median(scores))
    return float(sizes[reached[0]] if reached.size else sizes[-1])


def _then(curve: LearningCurve, images: float, random: np.random.Generator) -> Floats:
    """Scores with so many images; what lies far beyond all that was measured counts for nothing."""
    return _trained(curve, min(images, FURTHEST * float(curve.images.max())), random)


def _trained(curve: LearningCurve, images: float, random: np.random.Generator) -> Floats:
    """Scores that single trainings on so many images would reach."""
    drawn = curve.draws([images])[:, 0]
    return np.asarray(drawn + random.normal(0, curve.scatter, len(drawn)))


def _option(name: str, hours: float, gains: Floats) -> Option:
    low, middle, high = np.quantile(gains, [0.1, 0.5, 0.9])
    return Option(name, hours, (float(low), float(middle), float(high)))


def best_buy(options: Iterable[Option]) -> Option | None:
    """The option that adds most for an hour; None, where none is expected to add anything, means: stop."""
    adding = [each for each in options if each.gain[1] > 0]
    return max(adding, key=lambda each: each.per_hour, default=None)
