"""COCO's figures of whole files at once: no segmentation of a sample is made, and no mask kept in vain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.batch import Batch, batch_of
from inlay.core.dataset import Dataset
from inlay.core.morphology import band_width
from inlay.metrics.average_precision import TABLES
from inlay.metrics.parts.counting import names_in_source_order
from inlay.metrics.parts.pairing import class_rows
from inlay.metrics.parts.ranking import AREAS, IOUS, Bits, Ints, Matches, Ranking
from inlay.metrics.parts.scoring import score

Kind = Literal["mask", "box", "boundary"]
KINDS: Mapping[str, tuple[Kind, ...]] = {
    "average_precision": ("mask", "box"),
    "boundary_average_precision": ("boundary",),
}


def coco_figures(
    truth: Dataset,
    prediction: Dataset,
    kinds: Sequence[Kind] = KINDS["average_precision"],
    *,
    threads: int = 0,
) -> dict[str, float]:
    """The figures of `average_precision` alone, for a COCO file of labels and results opened like it.

    They are those of `score(truth, prediction, ["average_precision"])`, bit for bit, in a small part of its
    time; and of `boundary_average_precision` likewise. For other sources, and files that say something
    unusual, that function is asked.

    Parameters
    ----------
    kinds
        What is judged: "mask", "box", "boundary".
    threads
        At most so many; 0 for as many as the machine has.
    """
    figures = figures_of_files(truth, prediction, kinds, threads=threads)
    return _one_by_one(truth, prediction, kinds) if figures is None else figures


def figures_of_files(
    truth: Dataset, prediction: Dataset, kinds: Sequence[Kind], *, threads: int = 0
) -> dict[str, float] | None:
    """As `coco_figures`; `None` for other sources, and files that say something unusual."""
    flat = _Flat.of(truth, prediction, names_in_source_order(truth), kinds)
    figures: dict[str, float] = {}
    for kind in kinds:
        ranking = None if flat is None else flat.ranking(kind, threads)
        if ranking is None:
            return None
        figures |= TABLES.of_ranking(ranking, truth.classes, (kind,))
    return figures


def _one_by_one(truth: Dataset, prediction: Dataset, kinds: Sequence[Kind]) -> dict[str, float]:
    names = [name for name, judged in KINDS.items() if set(judged) & set(kinds)]
    found = score(truth, prediction, names, intervals=False)
    figures = dict(found.figures)
    for row, each in found.per_class.items():
        figures |= {f"{name}/{row}": value for name, value in each.items()}
    return {name: value for name, value in figures.items() if name.startswith(tuple(kinds))}


class _Flat:
    """Truths and predictions of the same samples, things alone."""

    def __init__(self, truth: Batch, prediction: Batch) -> None:
        self._truth, self._prediction = truth, prediction

    @classmethod
    def of(
        cls, truth: Dataset, prediction: Dataset, names: Sequence[str], kinds: Sequence[Kind]
    ) -> _Flat | None:
        """Both in flat columns, or `None` where that is not possible."""
        if dict(truth.pair(prediction)) != {name: name for name in names} or not truth.classes.is_thing.all():
            return None
        rows = class_rows(prediction.classes, truth.classes)
        if not np.array_equal(rows, np.arange(len(truth.classes))):
            return None
        masks = set(kinds) != {"box"}
        predicted, true = batch_of(prediction, names, masks=masks), batch_of(truth, names, masks=masks)
        if predicted is None or true is None or not np.array_equal(predicted.sizes, true.sizes):
            return None
        has: Mapping[Kind, bool] = {
            "mask": true.runs is not None and predicted.text is not None,
            "boundary": true.runs is not None and predicted.text is not None,
            "box": true.box is not None and predicted.box is not None,
        }
        return cls(true, predicted) if all(has[kind] for kind in kinds) else None

    def ranking(self, kind: Kind, threads: int) -> Ranking | None:
        """All predictions matched and ranked within their classes; `None` where a mask is broken."""
        truth, prediction = self._truth, self._prediction
        judged = self._judged(kind, threads)
        if isinstance(judged, int):
            return None
        order, rank, hit, miss = judged
        place, offsets = kernels.rank_in_groups(
            prediction.class_id[order], self._score()[order], len(truth.classes), threads
        )
        assert truth.area is not None
        outside = (truth.area < AREAS[:, :1]) | (truth.area > AREAS[:, 1:])
        return Ranking(
            offsets=offsets,
            rank=rank[place],
            sample=_numbered(prediction.starts)[place],
            matches={kind: Matches(np.take(hit, place, axis=1), np.take(miss, place, axis=1))},
            truth_group=truth.class_id,
            truth_sample=_numbered(truth.starts),
            ignored=truth.crowd | outside,
            samples=len(truth.sizes),
        )

    def _score(self) -> NDArray[np.float64]:
        score = self._prediction.score
        return np.ones(len(self._prediction.class_id)) if score is None else score

    def _judged(self, kind: Kind, threads: int) -> tuple[NDArray[np.uint32], Ints, Bits, Bits] | int:
        truth, prediction = self._truth, self._prediction
        assert truth.area is not None
        columns = (
            prediction.starts,
            truth.starts,
            prediction.class_id,
            truth.class_id,
            self._score(),
            truth.area,
            truth.crowd.view(np.uint8),
            AREAS,
            IOUS,
        )
        if kind == "box":
            assert truth.box is not None
            assert prediction.box is not None
            area = prediction.box[:, 2] * prediction.box[:, 3]
            return kernels.judge_boxes(*columns, prediction.box, truth.box, area, threads)
        assert truth.runs is not None
        assert prediction.text is not None
        assert prediction.spans is not None
        sizes = prediction.sizes
        wide = [band_width((h, w)) for h, w in sizes.tolist()] if kind == "boundary" else []
        widths = np.array(wide, np.int32)
        return kernels.judge_masks(
            *columns, prediction.text, prediction.spans, sizes, *truth.runs, widths, threads
        )


def _numbered(starts: NDArray[np.int64]) -> Ints:
    """0, 0, 1, 1, 1, ...: the number of the sample for each of its rows."""
    return np.repeat(np.arange(len(starts) - 1, dtype=np.int32), np.diff(starts))
