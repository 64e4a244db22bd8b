"""Measuring: the tables of some images, with those columns alone that rules read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Sample
from inlay.core.segmentation import Segmentation
from inlay.rules.columns import Column
from inlay.rules.expression import Reference
from inlay.rules.rule import DTYPES, Rule
from inlay.rules.tables import DatasetTable, ImageTable, PairTable, SegmentTable, UnlabelledError

if TYPE_CHECKING:
    import polars as pl

Columns = Mapping[Reference, Column]
Values = dict[Reference, Any]  # an array, a scalar for image columns, None where all is unknown


@dataclass(frozen=True)
class Plan:
    """What a set of rules reads: the columns of each scope's frame, and of each table without sides."""

    frames: Mapping[str, Columns]
    tables: Mapping[str, Columns]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Plan:
        """The plan of some rules."""
        frames: dict[str, dict[Reference, Column]] = {}
        tables: dict[str, dict[Reference, Column]] = {"segment": {}, "image": {}, "pair": {}, "dataset": {}}
        for rule in rules:
            frames.setdefault(rule.scope, {}).update(rule.columns)
            for reference, column in rule.columns.items():
                tables[column.scope][Reference("", reference.name, reference.argument)] = column
        return cls(frames, tables)


@dataclass(frozen=True, eq=False)
class Measured:
    """One image: its label, and for each frame the number of rows and the values of the columns."""

    name: str
    label: Segmentation | None
    rows: Mapping[str, tuple[NDArray[Any], ...]]  # by scope, the segments that each row of the frame is about
    values: Mapping[str, Values]

    @property
    def lengths(self) -> dict[str, int]:
        """Rows of each frame."""
        return {scope: len(rows[0]) if rows else 1 for scope, rows in self.rows.items()}


def measure(sample: Sample, plan: Plan) -> Measured:
    """The columns of one sample."""
    image = ImageTable(sample)
    label = sample.segmentation
    tables: dict[str, Any] = {"image": image}
    if label is not None and "pair" in plan.frames:
        tables["pair"] = PairTable.of(image.segments)
    if label is not None:
        tables["segment"] = image.segments
    own = {scope: _values(table, plan.tables[scope]) for scope, table in tables.items()}
    rows = {scope: _rows(table) for scope, table in tables.items()}
    values = {
        scope: {reference: _seen_from(scope, reference, own, tables) for reference in columns}
        for scope, columns in plan.frames.items()
        if scope in tables
    }
    return Measured(sample.name, label, rows, values)


def _rows(table: SegmentTable | PairTable | ImageTable) -> tuple[NDArray[Any], ...]:
    if isinstance(table, ImageTable):
        return ()
    return (np.arange(len(table)),) if isinstance(table, SegmentTable) else (table.a, table.b)


def _values(table: Any, columns: Columns) -> Values:
    values: Values = {}
    for reference, column in columns.items():
        try:
            values[reference] = column(table, reference)
        except UnlabelledError:
            values[reference] = None
    return values


def _seen_from(scope: str, reference: Reference, own: Mapping[str, Values], tables: Mapping[str, Any]) -> Any:
    """Values of a column as a frame holds them: `a.class` is taken at the first segment of each pair."""
    bare = Reference("", reference.name, reference.argument)
    if reference.side == "image":
        value = own["image"][bare]
        return (
            None
            if value is None
            else np.full(len(tables[scope]), value, object if isinstance(value, str) else None)
        )
    if reference.side:
        values = own["segment"][bare]
        return None if values is None else values[getattr(tables["pair"], reference.side)]
    return own[scope][bare]


def frame(columns: Columns, parts: Iterable[Values], lengths: Iterable[int]) -> pl.DataFrame:
    """The Polars table of a scope over several images."""
    import polars as pl

    values, sizes = list(parts), list(lengths)
    series = {
        reference.key: _series([each[reference] for each in values], sizes, column)
        for reference, column in columns.items()
    }
    return pl.DataFrame(series) if series else pl.DataFrame({"": [None] * sum(sizes)})


def _series(parts: list[Any], sizes: list[int], column: Column) -> pl.Series:
    """One column; NaN, and a part that is None, become NULL."""
    import polars as pl

    dtype = getattr(pl, DTYPES[column.kind])
    blank: Any = {"number": np.nan, "integer": 0, "boolean": False, "word": None}[column.kind]
    kind = {"number": np.float64, "integer": np.int64, "boolean": np.bool_, "word": np.object_}[column.kind]
    arrays: list[NDArray[Any]] = [
        np.full(size, blank, kind) if part is None else np.broadcast_to(np.asarray(part, kind), size)
        for part, size in zip(parts, sizes)
    ]
    joined = np.concatenate(arrays) if arrays else np.empty(0, kind)
    if column.kind == "word":
        return pl.Series(joined.tolist(), dtype=dtype)
    made = pl.Series(joined, dtype=dtype, nan_to_null=True)
    if column.kind != "number" and any(part is None for part in parts):
        known = np.repeat([part is not None for part in parts], sizes)
        made = pl.select(pl.when(pl.Series(known)).then(made)).to_series()
    return made


def dataset_frame(columns: Columns, census: DatasetTable) -> pl.DataFrame:
    """The Polars table of a dataset's classes."""
    return frame(columns, [_values(census, columns)], [len(census)])
