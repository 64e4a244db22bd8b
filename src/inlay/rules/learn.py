"""Learning what is usual: thresholds from a trusted part of the data, shown, and frozen into a rule file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.core.staging import staged
from inlay.rules.columns import Column, resolve, vocabulary
from inlay.rules.expression import Reference, read_expression
from inlay.rules.message import short
from inlay.rules.tables import SegmentTable, UnknownError

USUAL = ("area_px", "aspect", "solidity", "elongation", "n_parts", "n_holes", "spur_px(2)", "centre_y")
FEW = 30  # segments of a class, under which nothing is learnt


@dataclass(frozen=True)
class Range:
    """What a column of a class's segments usually is."""

    class_name: str
    column: str
    segments: int
    low: float
    middle: float
    high: float

    @property
    def id(self) -> str:
        """Id of the rule that holds segments against it."""
        return f"usual {self.column} of {self.class_name}"


@dataclass(frozen=True)
class Learnt:
    """The ranges learnt from a dataset, by class and column."""

    ranges: tuple[Range, ...]
    images: int
    share: float
    skipped: tuple[str, ...] = ()  # classes with too few segments

    def __str__(self) -> str:
        lines = [f"learnt from {self.images} images; outside lie about {self.share:.1%} of their segments"]
        head = ("class", "column", "segments", "from", "median", "to")
        rows = [
            (each.class_name, each.column, str(each.segments), *_words(each.low, each.middle, each.high))
            for each in self.ranges
        ]
        widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
        lines += ["  ".join(word.ljust(width) for word, width in zip(row, widths)) for row in (head, *rows)]
        if self.skipped:
            lines.append(f"fewer than {FEW} segments, nothing learnt: {', '.join(self.skipped)}")
        return "\n".join(lines)

    def to_toml(self) -> str:
        """A rule file: one rule for each range, for people to read, change and keep."""
        classes = json.dumps(sorted({each.class_name for each in self.ranges}))
        parts = [
            f"# Learnt from {self.images} trusted images; look through it before you rely on it.",
            f"classes = {classes}",
        ]
        for each in self.ranges:
            name = each.class_name.replace("'", "''")
            message = f"{{segment}}: {each.column} is {{measured}}, usually {{low}} to {{high}}"
            parts.append(
                "\n".join(
                    (
                        "\n[[rule]]",
                        f"id = {json.dumps(each.id)}",
                        'scope = "segment"',
                        f"where = {json.dumps(f'class = {_quoted(name)} AND NOT crowd AND area_px > 0')}",
                        f"forbid = {json.dumps(f'{each.column} < :low OR {each.column} > :high')}",
                        f"params = {{ low = {each.low!r}, high = {each.high!r} }}",
                        'severity = "warning"',
                        f"message = {json.dumps(message)}",
                    )
                )
            )
        return "\n".join(parts) + "\n"

    def write(self, path: Path | str) -> None:
        """Freeze the ranges into a rule file."""
        with staged(Path(path)) as place:
            place.write_text(self.to_toml(), "utf-8")


def learn(
    dataset: Dataset,
    *,
    columns: Sequence[str] = USUAL,
    share: float = 0.01,
    progress: Callable[[int, int, str], None] | None = None,
) -> Learnt:
    """The usual ranges of measured columns, for each class of a dataset that is trusted.

    Parameters
    ----------
    columns
        Numbers of single segments, as rules name them.
    share
        Of the segments may lie outside each range; it is widened by a tenth on either side.
    progress
        Called with images measured, images in all, and the name of the last.

    Raises
    ------
    InlayError
        When there is no such column, it is no number, or the share is none.
    """
    if not 0 <= share < 1:
        raise InlayError(f"a share of {share} of the segments cannot lie outside: give 0 to 1, as in 0.01")
    known = vocabulary()
    asked = {name: _number(name, *resolve(known, "segment", _one(name))) for name in columns}
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    images = 0
    for place, sample in enumerate(dataset, 1):
        if progress:
            progress(place, len(dataset), sample.name)
        if sample.segmentation is None:
            continue
        images += 1
        table = SegmentTable(sample.segmentation)
        there = np.flatnonzero(~sample.segmentation.crowd & (table.area > 0))
        names = sample.segmentation.class_names
        for row in there:
            counts[names[row]] += 1
        for name, (column, reference) in asked.items():
            try:
                found = column(table, reference)
            except UnknownError:
                continue
            for row in there if found is not None else ():
                if not np.isnan(found[row]):
                    values[names[row], name].append(float(found[row]))
    judged = [item.name for item in dataset.classes.rows if item.kind != "void"]
    kept = [each for each in judged if counts[each] >= FEW]
    ranges = [
        _range(name, column, np.array(values[name, column]), share)
        for name in kept
        for column in columns
        if len(values[name, column]) >= FEW
    ]
    few = tuple(name for name in judged if 0 < counts[name] < FEW)
    return Learnt(tuple(ranges), images, share, few)


def _range(class_name: str, column: str, values: np.ndarray, share: float) -> Range:
    low, middle, high = np.quantile(values, (share / 2, 0.5, 1 - share / 2)).tolist()
    room = 0.1 * (high - low)
    low, high = low - room, high + room
    if (values >= 0).all():
        low = max(low, 0.0)
    if (values == np.round(values)).all():  # counts: whole numbers on the outer side
        low, high = float(np.floor(low)), float(np.ceil(high))
    return Range(class_name, column, len(values), _short(low), _short(middle), _short(high))


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _words(*values: float) -> list[str]:
    return [short(value) for value in values]


def _quoted(name: str) -> str:
    return f"'{name}'"


def _one(name: str) -> Reference:
    expression = read_expression(name, {})
    if not expression.is_column:
        raise InlayError(f"{name!r} is not one column")
    return expression.reads[0]


def _number(name: str, column: Column, reference: Reference) -> tuple[Column, Reference]:
    if column.kind not in ("number", "integer") or column.late:
        raise InlayError(f"column {name!r} is no number of a single segment: nothing can be learnt of it")
    return column, reference
