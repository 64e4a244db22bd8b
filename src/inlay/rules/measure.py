"""Measuring: the tables of some images, with those columns alone that rules read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.dataset import Sample
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from inlay.rules.columns import Column
from inlay.rules.expression import Reference
from inlay.rules.gathered import Gathered
from inlay.rules.rule import DTYPES, Rule
from inlay.rules.tables import ImageTable, PairTable, SegmentTable, UnknownError

if TYPE_CHECKING:
    import polars as pl

Columns = Mapping[Reference, Column]
SIDES = {"segment": 1, "pair": 2, "image": 0}  # segments that a row of each table is about
Values = dict[Reference, Any]  # an array, a scalar for image columns, None where all is unknown


@dataclass(frozen=True)
class Plan:
    """What a set of rules reads of each image.

    Parameters
    ----------
    frames
        The columns that rules judged image by image read, by scope.
    tables
        The columns measured on each table, without sides.
    gathers
        The columns that are kept for rules that need the whole dataset; side "image" or none.
    """

    frames: Mapping[str, Columns]
    tables: Mapping[str, Columns]
    gathers: Columns

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Plan:
        """The plan of some rules."""
        frames: dict[str, dict[Reference, Column]] = {}
        tables: dict[str, dict[Reference, Column]] = {"segment": {}, "image": {}, "pair": {}}
        gathers: dict[Reference, Column] = {}
        for rule in rules:
            gathers |= rule.gathers
            read = dict(rule.gathers)
            if not rule.is_late:
                read |= {**rule.columns, **rule.inner}
                frames.setdefault(rule.scope, {}).update(rule.columns)
                if rule.over:
                    frames.setdefault(rule.over, {}).update(rule.inner)
            for reference, column in read.items():
                tables[column.scope][bare(reference)] = column
        return cls(frames, tables, gathers)


def bare(reference: Reference) -> Reference:
    """A reference without its side."""
    return Reference("", reference.name, reference.argument)


@dataclass(frozen=True, eq=False)
class Measured:
    """One image: its label, and for each frame the number of rows and the values of the columns."""

    name: str
    label: Segmentation | None
    rows: Mapping[str, tuple[NDArray[Any], ...]]  # by scope, the segments that each row of the frame is about
    values: Mapping[str, Values]
    gathered: Gathered | None = None  # when some rule asks for it
    predicted: Segmentation | None = None
    segments: SegmentTable | None = None  # what is known of the masks, when they were measured just now

    @property
    def lengths(self) -> dict[str, int]:
        """Rows of each frame."""
        return {scope: len(rows[0]) if rows else 1 for scope, rows in self.rows.items()}


@dataclass(frozen=True, eq=False)
class Tables:
    """The measured tables of one image: by scope, the values of the columns, the segments of each row."""

    values: Mapping[str, Values]
    rows: Mapping[str, tuple[NDArray[Any], ...]]
    segments: SegmentTable | None = None  # what the masks were measured on; no cache keeps it

    def to_record(self) -> dict[str, Any]:
        """The same under words, as a cache keeps it."""
        kept = {
            f"{scope} {reference.key}": value
            for scope, values in self.values.items()
            for reference, value in values.items()
        }
        sides = {
            f"rows {scope} {side}": row for scope, rows in self.rows.items() for side, row in enumerate(rows)
        }
        return kept | sides | {"scopes": list(self.rows)}

    @classmethod
    def of_record(cls, record: Mapping[str, Any], plan: Plan) -> Tables | None:
        """The tables that a cache kept; `None` when they lack a column of the plan."""
        scopes = record["scopes"]
        labelled = "segment" in scopes
        if labelled and "pair" in plan.frames and "pair" not in scopes:
            return None
        values: dict[str, Values] = {}
        for scope in scopes:
            keys = {reference: f"{scope} {reference.key}" for reference in plan.tables[scope]}
            if any(key not in record for key in keys.values()):
                return None
            values[scope] = {reference: record[key] for reference, key in keys.items()}
        rows = {
            scope: tuple(record[f"rows {scope} {side}"] for side in range(SIDES[scope])) for scope in scopes
        }
        return cls(values, rows)


def measure_tables(sample: Sample, plan: Plan, predicted: Segmentation | None = None) -> Tables:
    """The columns that a plan reads of one sample.

    Raises
    ------
    InlayError
        When a column fails, naming it and the sample.
    """
    image = ImageTable(sample, predicted)
    tables: dict[str, Any] = {"image": image}
    if sample.segmentation is not None:
        tables["segment"] = image.segments
        if "pair" in plan.frames:
            tables["pair"] = PairTable.of(image.segments)
    values = {scope: _values(sample.name, table, plan.tables[scope]) for scope, table in tables.items()}
    own = tables["segment"].unseeing() if "segment" in tables else None
    return Tables(values, {scope: _rows(table) for scope, table in tables.items()}, own)


def arranged(
    sample: Sample,
    tables: Tables,
    plan: Plan,
    *,
    classes: Classes | None = None,
    predicted: Segmentation | None = None,
) -> Measured:
    """Measured columns as rules see them; with `classes`, what late columns need is gathered as well."""
    values = {
        scope: {reference: _seen_from(scope, reference, tables) for reference in columns}
        for scope, columns in plan.frames.items()
        if scope in tables.rows
    }
    gathered = None if classes is None else _gathered(sample, classes, plan.gathers, tables.values)
    return Measured(
        sample.name, sample.segmentation, tables.rows, values, gathered, predicted, tables.segments
    )


def _gathered(sample: Sample, classes: Classes, columns: Columns, own: Mapping[str, Values]) -> Gathered:
    kept: dict[str, Any] = {}
    for reference, column in columns.items():
        value = own.get(column.scope, {}).get(bare(reference))
        if value is None:
            count = 1 if reference.side else 0 if sample.segmentation is None else len(sample.segmentation)
            value = np.full(count, None, np.object_) if column.kind == "word" else np.full(count, np.nan)
        kept[reference.key] = value
    return Gathered.of(sample, classes, kept)


def _rows(table: SegmentTable | PairTable | ImageTable) -> tuple[NDArray[Any], ...]:
    if isinstance(table, ImageTable):
        return ()
    return (np.arange(len(table)),) if isinstance(table, SegmentTable) else (table.a, table.b)


def _values(sample: str, table: Any, columns: Columns) -> Values:
    values: Values = {}
    for reference, column in columns.items():
        try:
            values[reference] = column(table, reference)
        except UnknownError:
            values[reference] = None
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise InlayError(
                f"{sample}: column {reference.key!r} of scope {column.scope!r} cannot be measured: {error}"
            ) from error
    return values


def _seen_from(scope: str, reference: Reference, tables: Tables) -> Any:
    """Values of a column as a frame holds them: `a.class` is taken at the first segment of each pair."""
    own = tables.values
    if reference.side == "image":
        value = own["image"][bare(reference)]
        count = len(tables.rows[scope][0])
        return None if value is None else np.full(count, value, object if isinstance(value, str) else None)
    if reference.side:
        values = own["segment"][bare(reference)]
        return None if values is None else values[tables.rows["pair"]["ab".index(reference.side)]]
    return own[scope][bare(reference)]


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
    kind = {"number": np.float64, "integer": np.int64, "boolean": np.bool_, "word": np.object_}[column.kind]
    if column.kind == "word":
        words: list[str | None] = []
        for part, size in zip(parts, sizes):
            words += part.tolist() if isinstance(part, np.ndarray) and part.ndim else [part] * size
        return pl.Series(words, dtype=dtype)
    arrays = [_filled(part, size) for part, size in zip(parts, sizes)]
    joined = np.concatenate(arrays) if arrays else np.empty(0, kind)
    if column.kind != "number" and joined.dtype.kind == "f":  # some are unknown
        known = ~np.isnan(joined)
        made = pl.Series(np.where(known, joined, 0).astype(kind), dtype=dtype)
        return pl.select(pl.when(pl.Series(known)).then(made)).to_series()
    return pl.Series(joined.astype(kind, copy=False), dtype=dtype, nan_to_null=True)


def _filled(part: Any, size: int) -> NDArray[Any]:
    """So many values of a column; NaN where all are unknown."""
    if isinstance(part, np.ndarray) and part.ndim:
        return part
    return np.full(size, np.nan) if part is None else np.full(size, part)
