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


def spread(
    module: ModuleType,
    counts: Sequence[Any],
    classes: Classes,
    *,
    draws: int,
    groups: NDArray[np.int64],
    seed: int = 0,
) -> Mapping[str, Floats]:
    """(B,) values of each figure of a metric, over samples drawn with replacement, whole groups at a time.

    The same seed draws the same samples, so that two predictions for one truth can be compared draw by draw.

    Parameters
    ----------
    groups
        (N,) number of the group of each sample, 0, 1, ...: frames of one video say the same again and again.
    """
    size = int(groups.max(initial=-1)) + 1
    drawn_groups = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), draws)
    weights = drawn_groups.astype(np.int32)[:, groups]
    resampled = getattr(module, "resampled", None)
    drawn: Mapping[str, Floats] = (
        resampled(counts, classes, weights) if resampled else _score_each(module, counts, classes, weights)
    )
    return drawn


def interval(values: Floats, figure: float, *, is_share: bool) -> tuple[float, float] | None:
    """The 95 % interval of a figure from its (B,) draws: the basic bootstrap (Davison and Hinkley, 1997).

    The draws are mirrored at the figure. Means over classes of which some are rare come out higher in the
    draws than in the data, as they do in the data than in the world, and mirroring takes that back; the
    middle of the draws as they are would add it once more, and can miss the figure itself. The interval is
    widened to hold the figure; that of a share stays in 0 .. 1.

    A figure that more than one draw in a hundred cannot give rests on fewer than about five samples (a rare
    class) and has none.
    """
    known = values[np.isfinite(values)]
    if len(known) < ENOUGH * len(values) or not np.isfinite(figure):
        return None
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    start, stop = min(figure, 2 * figure - float(high)), max(figure, 2 * figure - float(low))
    return (max(0.0, start), min(1.0, stop)) if is_share else (start, stop)


def _score_each(
    module: ModuleType, counts: Sequence[Any], classes: Classes, weights: NDArray[np.int32]
) -> Mapping[str, Floats]:
    """The slow way, for metrics that have no `resampled` of their own."""
    drawn = [[each for each, times in zip(counts, weight) for _ in range(times)] for weight in weights]
    scores = [module.score(each, classes) for each in drawn]
    return {name: np.array([one.get(name, np.nan) for one in scores]) for name in scores[0]}
