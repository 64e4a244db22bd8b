"""Figures of average precision and recall, from counts of COCO's, boundary and LVIS' kind alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.metrics.parts.mistakes import Mistakes, best_threshold
from inlay.metrics.parts.ranking import (
    IOUS,
    LIMITS,
    RECALLS,
    Counts,
    Floats,
    Ints,
    Ranking,
    cells,
    mean_cells,
    rank,
)
from inlay.metrics.parts.result import Details

Cell = tuple[int, int, slice]  # row of AREAS, place in the limits, IoU thresholds


@dataclass(frozen=True)
class Tables:
    """Which cells of the tables of precision and of recall make which figure.

    Parameters
    ----------
    precisions, recalls
        Name of a figure to its cells; classes have those of precision too.
    limits
        Predictions judged in one sample, of one class.
    prefix
        Before the names of all figures.
    groups
        Name of a figure to the `parent` of the classes that it takes: AP of these alone.
    """

    precisions: Mapping[str, Cell]
    recalls: Mapping[str, Cell]
    limits: tuple[int, ...] = LIMITS
    prefix: str = ""
    groups: Mapping[str, str] | None = None

    def figures(self, counts: Sequence[Counts], classes: Classes, kinds: Sequence[str]) -> dict[str, float]:
        """Every figure of each kind, then those of the classes; -1 where no truth bears on one."""
        return self.of_ranking(rank(counts, classes=len(classes)), classes, kinds)

    def of_ranking(self, ranking: Ranking, classes: Classes, kinds: Sequence[str]) -> dict[str, float]:
        """The same of predictions that are ranked within their classes."""
        things = in_source_order(classes)
        figures: dict[str, float] = {}
        of_class: dict[str, float] = {}
        for kind in kinds:
            name = self.prefix + kind
            precision, recall = cells(ranking, kind, self.limits)
            precision, recall = precision[:, :, things], recall[:, things]
            for figure, (area, limit, at) in self.precisions.items():
                figures[f"{name}_{figure}"] = _mean(precision[at, :, :, area, limit])
            for figure, group in (self.groups or {}).items():
                chosen = [classes[row].parent == group for row in things]
                figures[f"{name}_{figure}"] = _mean(precision[:, :, chosen, 0, -1])
            for figure, (area, limit, at) in self.recalls.items():
                figures[f"{name}_{figure}"] = _mean(recall[at, :, area, limit])
            for k, row in enumerate(things):
                for figure, (area, limit, at) in self.precisions.items():
                    own = precision[at, :, k, area, limit]
                    of_class[f"{name}_{figure}/{classes.names[row]}"] = _mean(own)
        return figures | of_class

    def resampled(
        self, counts: Sequence[Counts], classes: Classes, weights: Ints, kinds: Sequence[str]
    ) -> dict[str, Floats]:
        """(B,) figures when sample `i` counts `weights[b, i]` times; nan where no truth was drawn."""
        ranking = rank(counts, classes=len(classes))
        every = (*self.precisions.values(), *self.recalls.values())
        wanted = sorted({(area, limit) for area, limit, _ in every})
        area_of = np.array([area for area, _ in wanted], np.int32)
        limits = np.array([self.limits[limit] for _, limit in wanted], np.int32)
        figures: dict[str, Floats] = {}
        for kind in kinds:
            name = self.prefix + kind
            tables = mean_cells(ranking, kind, area_of=area_of, limits=limits, weights=weights)
            for table, named in zip(tables, (self.precisions, self.recalls)):
                for figure, (area, limit, at) in named.items():
                    figures[f"{name}_{figure}"] = _means(table[:, at, :, wanted.index((area, limit))])
            precision = tables[0][..., wanted.index(self.precisions["AP"][:2])]
            for figure, group in (self.groups or {}).items():
                chosen = (
                    np.array([item.parent == group for item in classes.rows], np.bool_) & classes.is_thing
                )
                figures[f"{name}_{figure}"] = _means(precision[:, :, chosen])
            for row in np.flatnonzero(classes.is_thing):
                for figure, (area, limit, at) in self.precisions.items():
                    own = tables[0][:, at, row, wanted.index((area, limit)), None]
                    figures[f"{name}_{figure}/{classes.names[row]}"] = _means(own)
        return figures

    def per_sample(self, counts: Sequence[Counts], kinds: Sequence[str]) -> dict[str, Floats]:
        """(N,) AP and AP50 of each sample by itself, all its predictions in one ranking.

        Predictions where there is no truth at all make 0, a sample without either has no value (nan).
        """
        ranking = rank(counts)
        one = np.zeros(1, np.int32)
        ones = np.ones((1, len(counts)), np.int32)
        empty = np.where(np.diff(ranking.offsets) > 0, 0.0, np.nan)
        most = np.array([self.limits[-1]], np.int32)
        figures: dict[str, Floats] = {}
        for kind in kinds:
            table, _ = mean_cells(ranking, kind, area_of=one, limits=most, weights=ones)
            for name in ("AP", "AP50"):
                values = table[0, self.precisions[name][2], :, 0].mean(axis=0)
                figures[f"{self.prefix}{kind}_{name}"] = np.where(values < 0, empty, values)
        return figures

    def details(self, counts: Sequence[Counts], classes: Classes, kinds: Sequence[str]) -> Details:
        """Figures of each sample; errors and confusion at the score where F1 (IoU 0.5) is best."""
        kind = kinds[0]
        matches = [each.matches[kind] for each in counts]
        hit = np.concatenate([each.hit[0] & 1 for each in matches]) > 0
        miss = np.concatenate([each.miss[0] & 1 for each in matches]) > 0
        mistakes = Mistakes.concat([each.mistakes for each in counts if each.mistakes is not None])
        truths = sum(int((~each.ignored[0]).sum()) for each in counts)
        score = np.concatenate([each.score for each in counts])
        threshold, f1 = best_threshold(hit, hit | miss, score, truths)
        verdict = mistakes.at(threshold)
        remark = (
            f"kinds of error and the confusion table count predictions with a score of at least "
            f"{threshold:.3g}, where F1 at IoU 0.5 is best ({f1:.3f})"
        )
        return Details(
            per_sample=self.per_sample(counts, kinds),
            confusion={"segments": verdict.confusion(len(classes))},
            errors=verdict.tally(),
            loss=verdict.loss(),
            curves=self.curves(counts, classes, kind),
            threshold=threshold if f1 else None,
            remarks=(remark,) if f1 else (),
        )

    def curves(
        self, counts: Sequence[Counts], classes: Classes, kind: str
    ) -> dict[str, list[tuple[float, float]]]:
        """Precision over recall, mean of the classes that have truths, at three IoUs and over all ten."""
        precision = cells(rank(counts, classes=len(classes)), kind, self.limits)[0][:, :, :, 0, -1]
        precision = precision[:, :, (precision >= 0).all(axis=(0, 1))]
        if not precision.size:
            return {}
        lines = {f"IoU {IOUS[t]:.2f}": precision[t].mean(axis=1) for t in (0, 5, 9)}
        lines["mean of ten"] = precision.mean(axis=(0, 2))
        return {name: list(zip(RECALLS.tolist(), line.tolist())) for name, line in lines.items()}


def only_boxes(counts: Sequence[Counts]) -> bool:
    """Whether the truth or the prediction has nothing but boxes."""
    truths, predictions = (sum(each.maskless[side] for each in counts) for side in (0, 1))
    return 0 < truths == sum(len(each.truth_class) for each in counts) or (
        0 < predictions == sum(len(each.score) for each in counts)
    )


def in_source_order(classes: Classes) -> NDArray[np.int64]:
    """Rows of the thing classes by id, as pycocotools sorts them: the last bit of a mean depends on it."""
    things = np.flatnonzero(classes.is_thing)
    return things[np.argsort(classes.source_ids[things], kind="stable")]


def _mean(table: Floats) -> float:
    """Mean of the cells that have a value; -1 where none has."""
    known = table[table > -1]
    return float(np.mean(known)) if known.size else -1.0


def _means(table: Floats) -> Floats:
    """(B,) mean of the cells of each draw that have a value; nan where none has."""
    known = table > -1
    number = known.sum(axis=(1, 2)).astype(np.float64)
    total = np.where(known, table, 0.0).sum(axis=(1, 2))
    means: Floats = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
    return means
