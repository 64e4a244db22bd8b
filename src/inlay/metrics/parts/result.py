"""Score: the figures of a prediction, with intervals, by class and by sample."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.errors import InlayError

Interval = tuple[float, float]
Point = tuple[float, float]


FEW = 8  # figures of a class that fit a line of text
# of these where there are more
TELLING = (
    *("HOTA", "AssA", "IDF1", "VPQ", "IoU", "iIoU", "boundary_IoU", "mask_AP", "box_AP", "boundary_AP"),
    *("LVIS_mask_AP", "LVIS_box_AP", "PQ", "SQ", "RQ", "count_MAE", "count_bias", "HD95"),
)


@dataclass(frozen=True, eq=False)
class Details:
    """What a metric can tell beyond its figures."""

    per_sample: Mapping[str, NDArray[np.float64]]  # (N,) figures of each sample by itself
    confusion: Mapping[str, NDArray[np.int64]] = field(
        default_factory=dict
    )  # truth by prediction, as in Score
    errors: Mapping[str, int] = field(default_factory=dict)  # numbers of right and wrong segments
    loss: Mapping[str, float] = field(default_factory=dict)  # share of each kind of error; they sum to it
    curves: Mapping[str, Sequence[Point]] = field(default_factory=dict)  # precision over recall, by name
    threshold: float | None = None  # least score of the predictions that errors and confusion count
    remarks: tuple[str, ...] = ()  # what to know when reading the figures


@dataclass(frozen=True, eq=False)
class Score(Mapping[str, float]):
    """Figures by name: `score["mIoU"]`. Figures of one class stand under `score.per_class["car"]["IoU"]`.

    A confusion table has a row for each true class and a column for each predicted one; a last column counts
    what was not predicted, a last row, where there is one, what was predicted on no truth.

    A figure that nothing bears on (a class that neither side shows) is nan, or -1 where COCO's tools say so.
    """

    figures: Mapping[str, float]
    per_class: Mapping[str, Mapping[str, float]]  # class name to figure to value
    intervals: Mapping[str, Interval]  # by figure, and by "figure/class"; 95 %
    samples: tuple[str, ...]  # judged
    per_sample: Mapping[str, NDArray[np.float64]]  # (N,) by figure
    classes: Classes
    metrics: tuple[str, ...]
    figures_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # names of figures by metric
    # figures that are no shares of 1, and what they are counted in ("pixels"; "" for a bare number)
    units: Mapping[str, str] = field(default_factory=dict)
    # by sequence, where a metric judges sequences: figure to value
    per_sequence: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    # by what the table counts: "pixels" or "segments"
    confusion: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    # by metric: kinds of error and how many
    errors: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    # by metric: kinds of error and what each costs; they sum to the loss
    loss: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    curves: Mapping[str, Sequence[Point]] = field(default_factory=dict)  # precision over recall, by name
    threshold: float | None = None  # least score of the predictions that errors and confusion count
    missing: tuple[str, ...] = ()  # samples without a prediction: they count as empty predictions
    extra: tuple[str, ...] = ()  # predictions without a truth: not judged
    unlabelled: tuple[str, ...] = ()  # samples whose truth nobody has drawn: not judged
    draws: int = 0  # of the bootstrap
    remarks: tuple[str, ...] = ()  # what to know when reading the figures

    def __getitem__(self, name: str) -> float:
        return self.figures[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.figures)

    def __len__(self) -> int:
        return len(self.figures)

    @property
    def main(self) -> str:
        """Name of the figure that ranks samples and classes: the first."""
        return next(iter(self.figures))

    def ranked(self, figure: str | None = None) -> list[tuple[str, float]]:
        """Samples with their figure (default: the first), worst first; those without a value are left out."""
        if not self.per_sample:
            raise InlayError("this score has figures of the whole alone: score with details=True")
        values = self.per_sample[figure or next(iter(self.per_sample))]
        order = np.argsort(values, kind="stable")
        return [(self.samples[i], float(values[i])) for i in order if not math.isnan(values[i])]

    def to_json(self) -> str:
        """All of it as JSON, figures by name; floats in full, null where there is no value."""
        table = {
            "metrics": self.metrics,
            **self.figures,
            "intervals": self.intervals,
            "per_class": self.per_class,
            "per_sequence": self.per_sequence,
            "units": self.units,
            "per_sample": {
                name: dict(zip(self.samples, values.tolist())) for name, values in self.per_sample.items()
            },
            "classes": self.classes.names,
            "confusion": {unit: table.tolist() for unit, table in self.confusion.items()},
            "errors": self.errors,
            "loss": self.loss,
            "curves": self.curves,
            "threshold": self.threshold,
            "samples": len(self.samples),
            "missing": self.missing,
            "extra": self.extra,
            "unlabelled": self.unlabelled,
            "draws": self.draws,
            "remarks": self.remarks,
        }
        return json.dumps(plain(table), indent=1, ensure_ascii=False, allow_nan=False)

    def __str__(self) -> str:
        rows = [(name, self.words(name, value), self.spread(name)) for name, value in self.figures.items()]
        heads = ("figure", "value", "95 %" if self.intervals else "")
        blocks = [f"{len(self.samples)} samples, {', '.join(self.metrics)}", columns([heads, *rows])]
        names = self.class_figures()
        if len(names) > FEW:
            names = tuple(name for name in TELLING if name in names) or names
            blocks.append("of each class the main figures (all of them in the JSON and on the page):")
        if names and len(self.per_class) > 1:
            lines = [
                (name, *(self.words(f, each.get(f, math.nan)) for f in names))
                for name, each in self.known_classes()
            ]
            blocks.append(columns([("class", *names), *lines]))
        for metric, kinds in self.errors.items():
            blocks.append(f"{metric}: " + ", ".join(f"{number} {kind}" for kind, number in kinds.items()))
        blocks += [_loss_text(metric, shares) for metric, shares in self.loss.items()]
        blocks += [f"note: {remark}" for remark in self.remarks]
        return "\n\n".join(blocks)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{self.words(name, value)}</td><td>{self.spread(name)}</td></tr>"
            for name, value in self.figures.items()
        )
        remarks = "".join(f"<p>{escape(remark)}</p>" for remark in self.remarks)
        return f"<table><tr><th>figure</th><th>value</th><th>95 %</th></tr>{rows}</table>{remarks}"

    def __repr__(self) -> str:
        return f"Score({self.main}={self.words(self.main, self[self.main])}, {len(self.samples)} samples)"

    def class_figures(self) -> tuple[str, ...]:
        """Names of the figures that classes have; stuff may have others than things."""
        return tuple(dict.fromkeys(name for each in self.per_class.values() for name in each))

    def known_classes(self) -> list[tuple[str, Mapping[str, float]]]:
        """Classes of which anything is known, with their figures, in the order of the classes."""
        return [
            (name, each)
            for name, each in self.per_class.items()
            if any(self.knows(figure, value) for figure, value in each.items())
        ]

    def knows(self, figure: str, value: float) -> bool:
        """Whether a figure (of a class too) has a value: not nan, nor the -1 of COCO's tools."""
        return not math.isnan(value) and (value >= 0 or figure.partition("/")[0] in self.units)

    def words(self, figure: str, value: float) -> str:
        """A value of a figure to be read: four decimals, four digits where it has a unit, a dash for none."""
        if not self.knows(figure, value):
            return "–"
        return f"{value:.4g}" if figure.partition("/")[0] in self.units else f"{value:.4f}"

    def spread(self, figure: str) -> str:
        """The interval of a figure to be read; empty where it has none."""
        if figure not in self.intervals:
            return ""
        low, high = self.intervals[figure]
        return f"{self.words(figure, low)} – {self.words(figure, high)}"


def _loss_text(metric: str, shares: Mapping[str, float]) -> str:
    total = sum(shares.values())
    kinds = " + ".join(f"{share:.4f} {kind}" for kind, share in shares.items() if share > 0)
    return f"{metric}: lost {total:.4f} to a perfect score" + (f" = {kinds}" if kinds else "")


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Lines of a table: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def plain(value: Any) -> Any:
    """JSON's own types; a float without a value becomes None."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
