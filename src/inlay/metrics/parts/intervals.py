"""Bootstrap intervals: what the figures would be on other images drawn from the same source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes

Floats = NDArray[np.float64]

LEVEL = 0.95
MOST, FEWEST = 200, 80  # draws
WORK = 300_000  # samples times draws that take a few seconds
ENOUGH = 0.99  # share of the draws that must give a figure
FEWEST_SAMPLES = 5  # with fewer, the draws repeat each other and the interval pretends


def draws_for(samples: int) -> int:
    """How many draws to make: 200, fewer for many samples, whose intervals are narrow, none for a handful."""
    return 0 if samples < FEWEST_SAMPLES else min(MOST, max(FEWEST, WORK // samples))


def bootstrap(
    module: ModuleType, counts: Sequence[Any], classes: Classes, *, draws: int, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """95 % percentile interval of each figure of a metric, over samples drawn with replacement.

    A figure that more than one draw in a hundred cannot give rests on fewer than about five samples (a rare
    class) and has none.
    """
    size = len(counts)
    weights = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), draws).astype(np.int32)
    resampled = getattr(module, "resampled", None)
    spread = (
        resampled(counts, classes, weights) if resampled else _score_each(module, counts, classes, weights)
    )
    known = {name: values[np.isfinite(values)] for name, values in spread.items()}
    return {name: _middle(values) for name, values in known.items() if len(values) >= ENOUGH * draws}


def _middle(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _score_each(
    module: ModuleType, counts: Sequence[Any], classes: Classes, weights: NDArray[np.int32]
) -> Mapping[str, Floats]:
    """The slow way, for metrics that have no `resampled` of their own."""
    drawn = [[each for each, times in zip(counts, weight) for _ in range(times)] for weight in weights]
    scores = [module.score(each, classes) for each in drawn]
    return {name: np.array([one.get(name, np.nan) for one in scores]) for name in scores[0]}
