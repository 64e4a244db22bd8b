"""Which of two predictions is better: the difference of their figures, image by image drawn together."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset
from inlay.metrics.parts.counting import Counted, Modules, Progress, count_all, load_metrics
from inlay.metrics.parts.intervals import draws_for, interval, spread
from inlay.metrics.parts.result import Interval, Score, columns, plain
from inlay.metrics.parts.scoring import Units, assemble
from inlay.metrics.parts.suitability import suitable
from inlay.parallel import Place


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two predictions for one truth: how far the second lies above the first, figure by figure."""

    first: Score
    second: Score
    difference: Mapping[str, float]  # second less first, by figure, and by "figure/class"
    intervals: Mapping[str, Interval]  # of the difference; 95 %

    def is_certain(self, figure: str) -> bool:
        """Whether the interval of the difference leaves out 0."""
        low, high = self.intervals.get(figure, (-math.inf, math.inf))
        return low > 0 or high < 0

    def to_json(self) -> str:
        """Both scores and their difference as JSON."""
        table = {
            "difference": self.difference,
            "intervals": self.intervals,
            "first": json.loads(self.first.to_json()),
            "second": json.loads(self.second.to_json()),
        }
        return json.dumps(plain(table), indent=1, ensure_ascii=False, allow_nan=False)

    def __str__(self) -> str:
        rows = [("figure", "this one", "the other", "difference", "95 %", "")]
        for name, difference in self.difference.items():
            low, high = self.intervals.get(name, (math.nan, math.nan))
            if "/" in name or math.isnan(difference):
                continue
            rows.append(
                (
                    name,
                    self.second.words(name, self.second[name]),
                    self.first.words(name, self.first[name]),
                    f"{difference:+.4f}",
                    "" if math.isnan(low) else f"{low:+.4f} – {high:+.4f}",
                    "certain" if self.is_certain(name) else "",
                )
            )
        note = "certain: the interval of the difference, images drawn together, leaves out 0"
        return f"{len(self.first.samples)} samples\n\n{columns(rows)}\n\n{note}"


def compare(
    truth: Dataset,
    first: Dataset,
    second: Dataset,
    metrics: Sequence[str] | None = None,
    *,
    like: str | None = None,
    on: Place = "serial",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """How far `second` lies above `first`, with 95 % intervals of the difference.

    Both are scored on the same images, and each draw takes the same images of both: what is hard for both
    cancels out, so that a difference can be certain though the intervals of the figures overlap.

    Parameters
    ----------
    metrics, like, on, workers, progress
        As for `score`; the default metrics are those that suit `first`.

    Raises
    ------
    InlayError
        As `score` does, for either.
    """
    modules = load_metrics(tuple(metrics) if metrics else suitable(truth, first))
    counted = [
        count_all(truth, each, modules, like=like, on=on, workers=workers, progress=progress)
        for each in (first, second)
    ]
    scores = [assemble(modules, each, truth.classes, like=like, progress=progress) for each in counted]
    difference = {
        name: value - _all_figures(scores[0]).get(name, math.nan)
        for name, value in _all_figures(scores[1]).items()
    }
    return Comparison(
        scores[0], scores[1], difference, _intervals(modules, counted, truth.classes, difference)
    )


def _all_figures(score: Score) -> dict[str, float]:
    """Every known figure, those of classes as "figure/class"."""
    figures = dict(score.figures)
    for class_name, each in score.per_class.items():
        figures |= {f"{name}/{class_name}": value for name, value in each.items()}
    return {name: value if score.knows(name, value) else math.nan for name, value in figures.items()}


def _intervals(
    modules: Modules, counted: Sequence[Counted], classes: Classes, difference: Mapping[str, float]
) -> dict[str, Interval]:
    found: dict[str, Interval] = {}
    for place, module in enumerate(modules.values()):
        units = [Units.of(module, each, place) for each in counted]
        draws = draws_for(units[0].drawn)
        if not draws:
            continue
        first, second = (
            spread(module, each.counts, classes, draws=draws, groups=each.groups) for each in units
        )
        for name in second.keys() & first.keys():
            with np.errstate(invalid="ignore"):
                apart = second[name] - first[name]
            bounds = interval(apart, difference.get(name, math.nan), is_share=False)
            if bounds:
                found[name] = bounds
    return found
