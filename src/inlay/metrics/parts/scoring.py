"""Score a dataset of predictions against a dataset of labels: count each sample, sum up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset
from inlay.metrics.parts.counting import (
    Counted,
    Modules,
    Progress,
    count_all,
    load_metrics,
    names_in_source_order,
)
from inlay.metrics.parts.intervals import FEWEST_SAMPLES, Floats, draws_for, interval, spread
from inlay.metrics.parts.result import Details, Interval, Score
from inlay.metrics.parts.suitability import suitable
from inlay.parallel import Place


def score(
    truth: Dataset,
    prediction: Dataset,
    metrics: Sequence[str] | None = None,
    *,
    like: str | None = None,
    intervals: bool = True,
    details: bool = True,
    on: Place = "serial",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Score:
    """The figures of `prediction` against `truth`, with 95 % bootstrap intervals over images.

    Samples are paired by name, classes by name. A truth without a prediction counts as predicted empty, and
    the result lists it, as it lists predictions without a truth, which are not judged.

    Parameters
    ----------
    metrics
        Names of metrics; default: those that the data allow (see `suitable`).
    like
        Another tool whose known faults to reproduce, such as "pycocotools"; default: none.
    intervals
        Draw the samples with replacement, 200 times (seeded; at least 80 where samples are many), and give a
        95 % interval of each figure (basic bootstrap). Whole groups are drawn (videos, patients), where there
        are five or more.
    details
        Give intervals, figures of each sample, kinds of error and confusion too. Without them counts of
        pixels and of panoptic segments are merged as they come, so memory does not grow with the samples,
        and average precision of a COCO file and its results takes a fraction of the time: no segmentation
        is made.
    on, workers
        "serial", "processes" or "ray", and how many processes.
    progress
        Called with samples done, samples in all, and words.

    Raises
    ------
    InlayError
        When no sample names are shared, a predicted class is unknown, or an image and its prediction differ
        in size.
    """
    modules = load_metrics(tuple(metrics) if metrics else suitable(truth, prediction))
    if not details:
        bare = _whole_files(truth, prediction, modules) if like is None else None
        if bare is not None:
            return bare
        intervals = False
    counted = count_all(
        truth, prediction, modules, like=like, merge=not details, on=on, workers=workers, progress=progress
    )
    return assemble(
        modules, counted, truth.classes, like=like, intervals=intervals, details=details, progress=progress
    )


def _whole_files(truth: Dataset, prediction: Dataset, modules: Modules) -> Score | None:
    """The figures alone, from whole files, where metrics and data allow that; else `None`."""
    from inlay.metrics.parts.whole_files import KINDS, figures_of_files  # it asks `score` for other data

    if not modules.keys() <= KINDS.keys():
        return None
    figures: dict[str, float] = {}
    figures_of = {}
    for name in modules:
        own = figures_of_files(truth, prediction, KINDS[name])
        if own is None:
            return None
        figures |= own
        figures_of[name] = tuple(_whole(own))
    return Score(
        figures=_whole(figures),
        per_class=_by_class(figures),
        intervals={},
        samples=names_in_source_order(truth),
        per_sample={},
        classes=truth.classes,
        metrics=tuple(modules),
        figures_of=figures_of,
    )


@dataclass(frozen=True, eq=False)
class Units:
    """What a metric judges one by one: samples, or sequences of them, with their counts."""

    names: tuple[str, ...]
    counts: list[Any]
    groups: NDArray[np.int64]  # (N,) which of them are drawn together
    are_sequences: bool

    @property
    def drawn(self) -> int:
        """How many draws are made of."""
        return int(self.groups.max(initial=-1)) + 1

    @classmethod
    def of(cls, module: ModuleType, counted: Counted, place: int) -> Units:
        """The counts of a metric; those of the frames of a sequence joined where it has `join`."""
        counts, sequences = counted.of(place), counted.sequences()
        if not hasattr(module, "join"):
            groups = np.arange(len(counted.samples))
            if len(sequences) >= FEWEST_SAMPLES:
                for number, places in enumerate(sequences.values()):
                    groups[places] = number
            return cls(counted.names, counts, groups, are_sequences=False)
        joined = [module.join([counts[i] for i in places]) for places in sequences.values()]
        return cls(tuple(sequences), joined, np.arange(len(joined)), are_sequences=True)


def assemble(
    modules: Modules,
    counted: Counted,
    classes: Classes,
    *,
    like: str | None = None,
    intervals: bool = True,
    details: bool = True,
    progress: Progress | None = None,
) -> Score:
    """All that the metrics can say of the counts of each sample."""
    figures: dict[str, float] = {}
    figures_of: dict[str, tuple[str, ...]] = {}
    bounds: dict[str, tuple[float, float]] = {}
    told: dict[str, Details] = {}
    of_sequence: dict[str, dict[str, float]] = {}
    units: dict[str, str] = {}
    remarks: list[str] = []
    most = 0
    for place, (name, module) in enumerate(modules.items()):
        if progress:
            progress(len(counted.samples), len(counted.samples), f"{name}: figures")
        judged = Units.of(module, counted, place)
        own = module.score(judged.counts, classes)
        figures |= own
        figures_of[name] = tuple(_whole(own))
        units |= getattr(module, "UNITS", {})
        if details:
            told[name] = _details(module, counted.of(place), classes)
        if judged.are_sequences:
            for sequence, one in zip(judged.names, judged.counts):
                of_sequence.setdefault(sequence, {}).update(_whole(module.score([one], classes)))
        draws = draws_for(judged.drawn) if intervals else 0
        if draws:
            drawn = spread(module, judged.counts, classes, draws=draws, groups=judged.groups)
            bounds |= _bounds(drawn, own, getattr(module, "UNITS", {}))
            most = max(most, draws)
        elif intervals and judged.are_sequences:
            remarks.append(f"{name}: {len(judged.counts)} sequences are too few for intervals")
    each = told.values()
    return Score(
        figures=_whole(figures),
        per_class=_by_class(figures),
        intervals=bounds,
        samples=counted.names,
        per_sample={name: values for one in each for name, values in one.per_sample.items()},
        classes=classes,
        metrics=tuple(modules),
        figures_of=figures_of,
        units=units,
        per_sequence=of_sequence,
        confusion={unit: table for one in each for unit, table in one.confusion.items()},
        errors={name: one.errors for name, one in told.items() if one.errors},
        loss={name: one.loss for name, one in told.items() if one.loss},
        curves={name: points for one in each for name, points in one.curves.items()},
        threshold=next((one.threshold for one in each if one.threshold is not None), None),
        missing=counted.missing,
        extra=counted.extra,
        unlabelled=counted.unlabelled,
        draws=most,
        remarks=(
            *counted.remarks(),
            *_group_remarks(counted, draws=most),
            *((f"counted like {like}, with its known faults",) if like else ()),
            *remarks,
            *(remark for one in each for remark in one.remarks),
        ),
    )


def _bounds(
    drawn: Mapping[str, Floats], figures: Mapping[str, float], units: Mapping[str, str]
) -> dict[str, Interval]:
    """The interval of each figure that has one."""
    found = {}
    for figure, values in drawn.items():
        is_share = figure.partition("/")[0] not in units
        bounds = interval(values, figures.get(figure, math.nan), is_share=is_share)
        if bounds:
            found[figure] = bounds
    return found


def _group_remarks(counted: Counted, *, draws: int) -> tuple[str, ...]:
    """What the draws are made of, where samples hang together."""
    groups = len(counted.sequences())
    if not draws or groups == len(counted.samples):
        return ()
    if groups < FEWEST_SAMPLES:
        return (
            f"the images come from {groups} groups, too few to draw: images are drawn one by one, and "
            "intervals are narrower than those for images from elsewhere",
        )
    return (f"intervals draw whole groups, {groups} of them, for images of one group are alike",)


def _details(module: ModuleType, counts: Sequence[Any], classes: Classes) -> Details:
    if hasattr(module, "details"):
        found: Details = module.details(counts, classes)
        return found
    each = [_whole(module.score([one], classes)) for one in counts]
    return Details(per_sample={name: np.array([one[name] for one in each], np.float64) for name in each[0]})


def _whole(figures: Mapping[str, float]) -> dict[str, float]:
    """The figures that are not of one class."""
    return {name: value for name, value in figures.items() if "/" not in name}


def _by_class(figures: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Class name to figure to value, from figures named "figure/class"."""
    table: dict[str, dict[str, float]] = {}
    for name, value in figures.items():
        figure, slash, class_name = name.partition("/")
        if slash:
            table.setdefault(class_name, {})[figure] = value
    return table
