"""Score a dataset of predictions against a dataset of labels: count each sample, sum up."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay import plugins
from inlay.core.classes import Classes
from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.metrics.intervals import DRAWS, bootstrap
from inlay.metrics.pairing import Judge, class_rows, suitable
from inlay.metrics.result import Score
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
        Draw the samples 200 times with replacement (seeded), and give the middle 95 % of each figure.
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
    for done, (name, counts) in enumerate(_map(judge, truth.names, on, workers), start=1):
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
    parts: dict[str, Any] = {
        part: {} for part in ("figures", "intervals", "per_sample", "confusion", "errors")
    }
    remarks: list[str] = []
    for place, (name, module) in enumerate(modules.items()):
        if progress:
            progress(len(counted), len(counted), f"{name}: figures and intervals")
        counts = [each[place] for each in counted.values()]
        parts["figures"] |= module.score(counts, classes)
        parts["per_sample"] |= _per_sample(module, counts, classes)
        if intervals:
            parts["intervals"] |= bootstrap(module, counts, classes)
        if hasattr(module, "errors"):
            parts["errors"][name] = module.errors(counts, classes)
        if hasattr(module, "confusion"):
            unit, table = module.confusion(counts, classes)
            parts["confusion"][unit] = table
        if hasattr(module, "remarks"):
            remarks += module.remarks(counts, classes)
    figures = parts.pop("figures")
    return Score(
        figures={name: value for name, value in figures.items() if "/" not in name},
        per_class=_by_class(figures),
        samples=tuple(counted),
        classes=classes,
        metrics=tuple(modules),
        draws=DRAWS if parts["intervals"] else 0,
        remarks=tuple(remarks),
        **parts,
    )


def _per_sample(
    module: ModuleType, counts: Sequence[Any], classes: Classes
) -> Mapping[str, NDArray[np.float64]]:
    if hasattr(module, "per_sample"):
        figures: Mapping[str, NDArray[np.float64]] = module.per_sample(counts, classes)
        return figures
    each = [module.score([one], classes) for one in counts]
    names = [name for name in each[0] if "/" not in name]
    return {name: np.array([one[name] for one in each], np.float64) for name in names}


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
        (missing, "samples have no prediction and count as predicted empty"),
        (extra, "predictions have no truth and are not judged"),
        (unlabelled, "samples are not labelled and are not judged"),
    )
    return tuple(
        f"{len(names)} {words}: {', '.join(names[:NAMED])}{', ...' if len(names) > NAMED else ''}"
        for names, words in several
        if names
    )
