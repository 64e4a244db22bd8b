"""Count every pair of samples by every metric, one after another or in processes."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import ModuleType
from typing import Any

from inlay import plugins
from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.metrics.parts.means import PART
from inlay.metrics.parts.pairing import Judge, Judged, class_rows
from inlay.parallel import Place, map_samples

Progress = Callable[[int, int, str], None]
Modules = Mapping[str, ModuleType]
TOGETHER = 16  # painted files that are judged in one go
NAMED = 3  # names given as examples in a remark


@dataclass(frozen=True, eq=False)
class Counted:
    """Counts of each sample by each metric, and the samples that have none."""

    samples: tuple[Judged, ...]  # those with a label, in order of their source
    missing: tuple[str, ...]  # without a prediction: counted as predicted empty
    extra: tuple[str, ...]  # predictions without a truth
    unlabelled: tuple[str, ...]  # truths that nobody has drawn

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples."""
        return tuple(sample.name for sample in self.samples)

    def of(self, place: int) -> list[Any]:
        """(N,) counts of the metric at a place; fewer where those of many samples are merged."""
        each = [sample.counts[place] for sample in self.samples if sample.counts is not None]
        return [counts for counts in each if counts is not None]

    def sequences(self) -> dict[str, list[int]]:
        """Places of the samples of each sequence, by frame; a sample without a group is one by itself."""
        found: dict[str, list[int]] = {}
        for place, sample in enumerate(self.samples):
            alone = not sample.group and sample.frame is None
            found.setdefault(sample.name if alone else sample.group, []).append(place)
        frame = [sample.frame or 0 for sample in self.samples]
        return {name: sorted(places, key=frame.__getitem__) for name, places in found.items()}

    def remarks(self) -> tuple[str, ...]:
        """What became of samples that have no partner."""
        several = (
            (self.missing, "without a prediction, which count as predicted empty"),
            (self.extra, "predicted without a truth, which are not judged"),
            (self.unlabelled, "whose truth is not labelled, which are not judged"),
        )
        return tuple(
            f"samples {words}: {len(names)} "
            f"({', '.join(names[:NAMED])}{', ...' if len(names) > NAMED else ''})"
            for names, words in several
            if names
        )


def count_all(
    truth: Dataset,
    prediction: Dataset,
    modules: Modules,
    *,
    like: str | None = None,
    merge: bool = False,
    on: Place = "serial",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Counted:
    """The counts of all samples of the truth; parameters and errors as for `score`.

    With `merge` those of many samples become one where the metric can do that (`merged`): memory then does
    not grow with the samples, and nothing can be said of one of them.
    """
    pairs = dict(truth.pair(prediction))
    class_rows(prediction.classes, truth.classes)
    counts = counters(modules, like)
    judge = Judge(truth, prediction, pairs, counts, painted_counters(modules, counts))
    judged: list[Judged] = []
    unlabelled: list[str] = []
    for done, sample in enumerate(_map(judge, names_in_source_order(truth), on, workers), start=1):
        if sample.counts is None:
            unlabelled.append(sample.name)
        else:
            judged.append(sample)
            if merge and len(judged) % PART == 0:
                judged[-PART:] = _merged(judged[-PART:], modules)
        if progress:
            progress(done, len(truth), sample.name)
    if not judged:
        raise InlayError(
            f"none of the {len(truth)} samples of the truth is labelled: there is nothing to score against"
        )
    found = set(pairs.values())
    return Counted(
        samples=tuple(judged),
        missing=tuple(sample.name for sample in judged if sample.name not in pairs),
        extra=tuple(name for name in prediction.names if name not in found),
        unlabelled=tuple(unlabelled),
    )


def _merged(samples: Sequence[Judged], modules: Modules) -> list[Judged]:
    """The same samples; the first has the counts of all where a metric can merge them, the others none."""
    columns: list[Sequence[Any]] = []
    for place, module in enumerate(modules.values()):
        column = [sample.counts[place] for sample in samples if sample.counts is not None]
        if hasattr(module, "merged"):
            column = [module.merged(column), *[None] * (len(column) - 1)]
        columns.append(column)
    return [sample._replace(counts=counts) for sample, counts in zip(samples, zip(*columns))]


def load_metrics(names: Sequence[str]) -> dict[str, ModuleType]:
    """Modules of these metrics, by name."""
    return {name: plugins.load("metrics", name) for name in names}


def counters(modules: Modules, like: str | None) -> tuple[Callable[..., Any], ...]:
    """What counts a sample for each metric: its `count`, or its `LIKE[like]` where it has that.

    Raises
    ------
    InlayError
        When none of the metrics knows the tool to be like.
    """
    if like is None:
        return tuple(module.count for module in modules.values())
    known = {name: getattr(module, "LIKE", {}) for name, module in modules.items()}
    if not any(like in each for each in known.values()):
        tools = sorted({tool for each in known.values() for tool in each})
        can = f"they can be like {', '.join(tools)}" if tools else "they are like no other tool"
        raise InlayError(f"none of the metrics {', '.join(modules)} can be like {like!r}: {can}")
    return tuple(known[name].get(like, module.count) for name, module in modules.items())


def painted_counters(
    modules: Modules, counts: Sequence[Callable[..., Any]]
) -> tuple[Callable[..., Any], ...]:
    """What counts painted files as `counts` count segmentations; empty where one of the metrics cannot."""
    ways = [getattr(module, "PAINTED", {}).get(count) for module, count in zip(modules.values(), counts)]
    known = tuple(way for way in ways if way is not None)
    return known if len(known) == len(ways) else ()


def names_in_source_order(truth: Dataset) -> tuple[str, ...]:
    """Names by the number of the image in its source: pycocotools ranks equal scores of two images so."""
    ids = truth.source_ids
    return tuple(sorted(truth.names, key=ids.__getitem__)) if ids.keys() >= set(truth.names) else truth.names


def _map(judge: Judge, names: Sequence[str], on: Place, workers: int | None) -> Iterator[Judged]:
    if on == "serial" and judge.painted:  # to inflate files is most of the work, and a kernel's
        several = [names[start : start + TOGETHER] for start in range(0, len(names), TOGETHER)]
        return chain.from_iterable(map_samples(judge.several, several, on="threads", workers=workers))
    if on in ("processes", "ray"):
        try:
            pickle.dumps(judge)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise InlayError(
                f"these datasets cannot be sent to other processes ({error}): score on='serial'"
            ) from None
    return map_samples(judge, names, on=on, workers=workers)
