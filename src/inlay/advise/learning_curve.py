"""How the score grows with more labels: an ensemble of curves, its doubt, and how many labels reach a target.

One curve family alone over- or undershoots (R. Mahmood et al., "How Much More Data Do I Need?", CVPR 2022):
four are fitted, weighted by how well they predict the largest parts from the smaller ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError

Floats = NDArray[np.float64]
Family = Callable[[Floats, Floats], Floats]

FEWEST_SIZES = 4  # different numbers of images that a curve needs
FEWEST_SPAN = 4  # largest number over the smallest
FEWEST_IMAGES = 20  # of the largest training; smaller ones say more of the lot than of growth
DRAWS = 300
MOST = 1000  # times the labels at hand, beyond which nothing is said


def _power(n: Floats, p: Floats) -> Floats:
    return np.asarray(p[0] - p[1] * n ** -p[2])


def _logarithm(n: Floats, p: Floats) -> Floats:
    top = 50 * p[1] / max(float(p[2]), 1e-9)  # from there on it would fall, which more labels do not do
    steps = np.minimum(np.log(n), top)
    return np.asarray(p[0] + p[1] * steps - p[2] * steps**2 / 100)


def _arctangent(n: Floats, p: Floats) -> Floats:
    return np.asarray(p[0] * 2 / np.pi * np.arctan(p[1] * np.pi / 2 * n ** p[2]))


def _weibull(n: Floats, p: Floats) -> Floats:
    return np.asarray(p[0] * -np.expm1(-p[1] * n ** p[2]))


# Each with its starting point and bounds; sizes are counted in units of the smallest.
FAMILIES: Mapping[str, tuple[Family, Floats, Floats, Floats]] = {
    "power": (_power, np.array([0.7, 0.4, 0.5]), np.array([0.0, 0.0, 0.05]), np.array([1.0, 2.0, 2.0])),
    "logarithm": (_logarithm, np.array([0.3, 0.1, 0.5]), np.array([-1, 0.0, 0.0]), np.array([1.0, 1.0, 5.0])),
    "arctangent": (
        _arctangent,
        np.array([0.7, 0.5, 0.7]),
        np.array([0.0, 1e-4, 0.05]),
        np.array([1.0, 9.0, 2.0]),
    ),
    "weibull": (_weibull, np.array([0.7, 0.5, 0.5]), np.array([0.0, 1e-4, 0.05]), np.array([1.0, 9.0, 2.0])),
}


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Scores at growing numbers of labelled images, and what follows for more.

    Parameters
    ----------
    images
        (K,) labelled images of each training.
    scores
        (K,) its score on the same held-out images, 0 .. 1.

    Raises
    ------
    InlayError
        When there are too few sizes, or they lie too close together to say anything about more.
    """

    images: Floats
    scores: Floats

    def __post_init__(self) -> None:
        for name in ("images", "scores"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), np.float64))
        if self.images.shape != self.scores.shape or self.images.ndim != 1:
            raise InlayError("a learning curve has one score for each number of images")
        if not (np.isfinite(self.scores).all() and (self.images >= 1).all()):
            raise InlayError("numbers of images are 1 or more, and scores finite")
        if self.scores.size and not (self.scores.min() >= 0 and self.scores.max() <= 1):
            raise InlayError(
                f"scores are shares from 0 to 1, not {self.scores.max():g}: divide percent by 100"
            )
        sizes = np.unique(self.images)
        if sizes.size and sizes[-1] < FEWEST_IMAGES:
            raise InlayError(
                f"{sizes[-1]:g} labelled images make no learning curve: label {FEWEST_IMAGES} or more, and "
                "train on 1/8, 1/4, 1/2 and all of them"
            )
        if len(sizes) < FEWEST_SIZES or sizes[-1] < FEWEST_SPAN * sizes[0]:
            raise InlayError(
                f"trainings with {', '.join(f'{size:g}' for size in sizes)} images make no learning curve: "
                f"train on "
                f"at least {FEWEST_SIZES} sizes, the largest {FEWEST_SPAN} times the smallest, such as "
                f"1/8, 1/4, "
                "1/2 and all"
            )

    @cached_property
    def _fits(self) -> list[tuple[Family, Floats, float]]:
        """(family, parameters, weight) of the ensemble."""
        weights = _weights(self._sizes, self.scores)
        return [
            (FAMILIES[name][0], _fit(name, self._sizes, self.scores), weight)
            for name, weight in weights.items()
        ]

    @property
    def _sizes(self) -> Floats:
        return np.asarray(self.images / self.images.min())

    @cached_property
    def scatter(self) -> float:
        """Deviation of the scores of single trainings from the curve."""
        residual = self.scores - self.predict(self.images)
        return max(float(np.sqrt((residual**2).sum() / max(len(residual) - 3, 1))), 0.002)

    @cached_property
    def _draws(self) -> list[tuple[Family, Floats]]:
        """Curves fitted to scores with as much noise as they have; families as often as they weigh."""
        random = np.random.default_rng(0)
        weights = np.array([weight for _, _, weight in self._fits])
        names = list(FAMILIES)
        middle = self.predict(self.images)
        chosen = random.choice(len(names), DRAWS, p=weights)
        drawn = []
        for family in chosen:
            freedom = max(len(middle) - 3, 1)  # few scores say little of their own noise
            noise = self.scatter * np.sqrt(freedom / random.chisquare(freedom))
            noisy = middle + random.normal(0, min(noise, 4 * self.scatter), len(middle))
            start = self._fits[family][1]
            drawn.append((FAMILIES[names[family]][0], _fit(names[family], self._sizes, noisy, start=start)))
        return drawn

    def predict(self, images: Sequence[float] | Floats) -> Floats:
        """(M,) expected score at other numbers of images."""
        sizes = np.asarray(images, np.float64) / self.images.min()
        return np.asarray(sum(weight * family(sizes, fit) for family, fit, weight in self._fits))

    def interval(self, images: Sequence[float] | Floats) -> tuple[Floats, Floats]:
        """(M,) and (M,) 5 % and 95 % of the score that one more training would reach there."""
        random = np.random.default_rng(1)
        curves = self.draws(images)
        seen = curves + random.normal(0, self.scatter, (len(curves), 1))
        low, high = np.clip(np.quantile(seen, [0.05, 0.95], axis=0), 0, 1)
        return low, high

    def needed(self, target: float, *, margin: float = 0.0) -> tuple[float, float, float]:
        """P10, P50 and P90 of the labelled images that reach `target` + `margin`; infinite where none does.

        Aim a little higher than the target, in about five rounds: extrapolations err (Mahmood et al.).
        """
        sizes = np.geomspace(1, MOST * self._sizes.max(), 400)
        reached = []
        for family, fit in self._draws:
            enough = np.flatnonzero(family(sizes, fit) >= target + margin)
            reached.append(sizes[enough[0]] * self.images.min() if enough.size else np.inf)
        low, middle, high = np.quantile(reached, [0.1, 0.5, 0.9], method="inverted_cdf")
        return float(low), float(middle), float(high)

    def gain(self, more: float) -> tuple[float, float, float]:
        """P10, P50 and P90 of the score that `more` images add to the largest number at hand."""
        now, then = self.draws([self.images.max(), self.images.max() + more]).T
        low, middle, high = np.quantile(then - now, [0.1, 0.5, 0.9])
        return float(low), float(middle), float(high)

    def draws(self, images: Sequence[float] | Floats) -> Floats:
        """(DRAWS, M) scores that curves within the doubt say of numbers of images."""
        sizes = np.asarray(images, np.float64) / self.images.min()
        return np.stack([family(sizes, fit) for family, fit in self._draws])


def _fit(name: str, sizes: Floats, scores: Floats, *, start: Floats | None = None) -> Floats:
    """Parameters with the least squares within their bounds."""
    from scipy.optimize import least_squares

    family, usual, low, high = FAMILIES[name]

    def error(p: Floats) -> Floats:
        return family(sizes, p) - scores

    starts = [start] if start is not None else [usual, (low + high) / 2, 0.9 * low + 0.1 * high]
    tries = [
        least_squares(error, np.clip(each, low, high), bounds=(low, high), max_nfev=200) for each in starts
    ]
    best = min(tries, key=lambda found: float(found.cost))
    return np.asarray(best.x, np.float64)


def _weights(sizes: Floats, scores: Floats) -> dict[str, float]:
    """How much each family counts: by its error at the largest sizes when fitted to the smaller ones."""
    steps = np.unique(sizes)
    errors = dict.fromkeys(FAMILIES, 0.0)
    for held in steps[3:]:
        seen = sizes < held
        for name, (family, *_) in FAMILIES.items():
            fit = _fit(name, sizes[seen], scores[seen])
            errors[name] += float(((family(sizes[sizes == held], fit) - scores[sizes == held]) ** 2).mean())
    floor = 1e-5  # a lucky hit is no proof
    weight = {name: (error / max(len(steps) - 3, 1) + floor) ** -0.5 for name, error in errors.items()}
    total = sum(weight.values())
    return {name: each / total for name, each in weight.items()}


def back_test(images: Sequence[float], scores: Sequence[float]) -> tuple[float, float, float, float]:
    """What the curve of the smaller half would have said of the largest part: predicted, low, high, real.

    Raises
    ------
    InlayError
        When the smaller half makes no learning curve.
    """
    sizes, values = np.asarray(images, np.float64), np.asarray(scores, np.float64)
    half = sizes <= sizes.max() / 2
    curve = LearningCurve(sizes[half], values[half])
    low, high = curve.interval([sizes.max()])
    real = float(values[sizes == sizes.max()].mean())
    return float(curve.predict([sizes.max()])[0]), float(low[0]), float(high[0]), real
