"""Scores of datasets or of the files that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inlay.core.dataset import Dataset
from inlay.metrics import Comparison, Score
from inlay.metrics import compare as compare_datasets
from inlay.metrics import score as score_datasets
from inlay.metrics.parts.counting import Progress
from inlay.parallel import Place


def score(
    truth: Dataset | Path | str,
    prediction: Dataset | Path | str,
    metrics: Sequence[str] | None = None,
    *,
    like: str | None = None,
    intervals: bool = True,
    on: Place = "serial",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Score:
    """The figures of a prediction against the truth, each a dataset or a path in any format.

    As `inlay.metrics.score`, which see; predictions that hold no classes, names or sizes, as result lists of
    COCO, take them from the truth.
    """
    labels = _opened(truth)
    return score_datasets(
        labels,
        _opened(prediction, like=labels),
        metrics,
        like=like,
        intervals=intervals,
        on=on,
        workers=workers,
        progress=progress,
    )


def compare(
    truth: Dataset | Path | str,
    first: Dataset | Path | str,
    second: Dataset | Path | str,
    metrics: Sequence[str] | None = None,
    *,
    like: str | None = None,
    on: Place = "serial",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """How far the second prediction lies above the first, each a dataset or a path in any format.

    As `inlay.metrics.compare`, which see.
    """
    labels = _opened(truth)
    before, after = (_opened(each, like=labels) for each in (first, second))
    return compare_datasets(
        labels, before, after, metrics, like=like, on=on, workers=workers, progress=progress
    )


def _opened(data: Dataset | Path | str, like: Dataset | None = None) -> Dataset:
    if isinstance(data, Dataset):
        return data
    from inlay.formats import read

    return read(data, like=like)
