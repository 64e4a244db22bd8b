"""Bootstrap intervals: what the figures would be on other images drawn from the same source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes

Floats = NDArray[np.float64]

DRAWS = 200
LEVEL = 0.95
FEWEST = 5  # samples: with fewer, the draws repeat each other and the interval pretends
BATCH = 20  # draws in memory at once


def bootstrap(
    module: ModuleType, counts: Sequence[Any], classes: Classes, *, draws: int = DRAWS, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """95 % percentile interval of each figure of a metric, over samples drawn with replacement.

    Figures that fewer than half of the draws can give, and all figures of fewer than `FEWEST` samples, have
    none.
    """
    size = len(counts)
    if size < FEWEST:
        return {}
    weights = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), draws).astype(np.int32)
    resampled = getattr(module, "resampled", None)
    batches = [
        resampled(counts, classes, each) if resampled else _resampled(module, counts, classes, each)
        for each in np.array_split(weights, max(1, draws // BATCH))
    ]
    names = batches[0].keys()
    spread = {name: np.concatenate([batch[name] for batch in batches]) for name in names}
    return {
        name: _interval(values) for name, values in spread.items() if 2 * np.isfinite(values).sum() >= draws
    }


def _interval(values: Floats) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _resampled(
    module: ModuleType, counts: Sequence[Any], classes: Classes, weights: NDArray[np.int32]
) -> Mapping[str, Floats]:
    """The slow way, for metrics that have no `resampled` of their own: score each draw."""
    drawn = [[each for each, times in zip(counts, weight) for _ in range(times)] for weight in weights]
    scores = [module.score(each, classes) for each in drawn]
    return {name: np.array([each.get(name, np.nan) for each in scores]) for name in scores[0]}
