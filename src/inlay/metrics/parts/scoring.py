"""Score a dataset of predictions against a dataset of labels: count each sample, sum up."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from inlay import plugins
from inlay.core.classes import Classes
from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.metrics.parts.intervals import bootstrap, draws_for
from inlay.metrics.parts.pairing import Judge, class_rows, suitable
from inlay.metrics.parts.result import Details, Score
from inlay.parallel import Place, map_samples

Progress = Callable[[int, int, str], None]
NAMED = 3  # names given as examples in a remark


def score(
    truth: Dataset,
    prediction: Dataset,
    metrics: Sequence[str] | None = None,
    *,
    intervals: bool = True,
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
    intervals
        Draw the samples with replacement, 200 times (seeded; at least 80 where samples are many),
        and give the middle 95 % of each figure.
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
    pairs = dict(truth.pair(prediction))
    class_rows(prediction.classes, truth.classes)
    names = tuple(metrics) if metrics else suitable(truth, prediction)
    modules = {name: plugins.load("metrics", name) for name in names}
    judge = Judge(truth, prediction, pairs, tuple(module.count for module in modules.values()))
    counted: dict[str, tuple[Any, ...]] = {}
    unlabelled = []
    for done, (name, counts) in enumerate(_map(judge, _in_source_order(truth), on, workers), start=1):
        if counts is None:
            unlabelled.append(name)
        else:
            counted[name] = counts
        if progress:
            progress(done, len(truth), name)
    if not counted:
        raise InlayError(
            f"none of the {len(truth)} samples of the truth is labelled: there is nothing to score against"
        )
    found = set(pairs.values())
    missing = tuple(name for name in counted if name not in pairs)
    extra = tuple(name for name in prediction.names if name not in found)
    result = _assemble(modules, counted, truth.classes, intervals=intervals, progress=progress)
    return replace(
        result,
        missing=missing,
        extra=extra,
        unlabelled=tuple(unlabelled),
        remarks=_sample_remarks(missing, extra, unlabelled) + result.remarks,
    )


def _in_source_order(truth: Dataset) -> tuple[str, ...]:
    """Names by the number of the image in its source: pycocotools ranks equal scores of two images so."""
    ids = truth.source_ids
    return tuple(sorted(truth.names, key=ids.__getitem__)) if ids.keys() >= set(truth.names) else truth.names


def _map(judge: Judge, names: Sequence[str], on: Place, workers: int | None) -> Iterator[Any]:
    if on != "serial":
        try:
            pickle.dumps(judge)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise InlayError(
                f"these datasets cannot be sent to other processes ({error}): score on='serial'"
            ) from None
    return map_samples(judge, names, on=on, workers=workers)


def _assemble(
    modules: Mapping[str, ModuleType],
    counted: Mapping[str, tuple[Any, ...]],
    classes: Classes,
    *,
    intervals: bool,
    progress: Progress | None,
) -> Score:
    """All that the metrics can say of the counts of each sample."""
    draws = draws_for(len(counted)) if intervals else 0
    figures: dict[str, float] = {}
    spread: dict[str, tuple[float, float]] = {}
    details: dict[str, Details] = {}
    for place, (name, module) in enumerate(modules.items()):
        if progress:
            progress(len(counted), len(counted), f"{name}: figures")
        counts = [each[place] for each in counted.values()]
        figures |= module.score(counts, classes)
        details[name] = _details(module, counts, classes)
        if draws:
            spread |= bootstrap(module, counts, classes, draws=draws)
    each = details.values()
    return Score(
        figures={name: value for name, value in figures.items() if "/" not in name},
        per_class=_by_class(figures),
        intervals=spread,
        samples=tuple(counted),
        per_sample={name: values for one in each for name, values in one.per_sample.items()},
        classes=classes,
        metrics=tuple(modules),
        confusion={unit: table for one in each for unit, table in one.confusion.items()},
        errors={name: one.errors for name, one in details.items() if one.errors},
        loss={name: one.loss for name, one in details.items() if one.loss},
        curves={name: points for one in each for name, points in one.curves.items()},
        threshold=next((one.threshold for one in each if one.threshold is not None), None),
        draws=draws,
        remarks=tuple(remark for one in each for remark in one.remarks),
    )


def _details(module: ModuleType, counts: Sequence[Any], classes: Classes) -> Details:
    if hasattr(module, "details"):
        found: Details = module.details(counts, classes)
        return found
    each = [module.score([one], classes) for one in counts]
    names = [name for name in each[0] if "/" not in name]
    return Details(per_sample={name: np.array([one[name] for one in each], np.float64) for name in names})


def _by_class(figures: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Class name to figure to value, from figures named "figure/class"."""
    table: dict[str, dict[str, float]] = {}
    for name, value in figures.items():
        figure, slash, class_name = name.partition("/")
        if slash:
            table.setdefault(class_name, {})[figure] = value
    return table


def _sample_remarks(
    missing: Sequence[str], extra: Sequence[str], unlabelled: Sequence[str]
) -> tuple[str, ...]:
    """What became of samples that have no partner."""
    several = (
        (missing, "without a prediction, which count as predicted empty"),
        (extra, "predicted without a truth, which are not judged"),
        (unlabelled, "whose truth is not labelled, which are not judged"),
    )
    return tuple(
        f"samples {words}: {len(names)} ({', '.join(names[:NAMED])}{', ...' if len(names) > NAMED else ''})"
        for names, words in several
        if names
    )
