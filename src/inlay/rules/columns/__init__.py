"""Measured columns: the vocabulary of the rules. One module for each family, one function for each column.

A column is a public function whose first parameter is a table of `inlay.rules.tables`: the table says which
scope it belongs to, the return type what the column holds, the docstring its unit and range. A second
parameter makes it a family: `count(table, class_name)` is read as `count('car')`, or `count_car`. Unknown is
NaN for numbers, and None for the whole column. `hole_px_region(table, row)` beside `hole_px` returns the
pixels behind one value.

A column whose table is one of `LATE` sees the whole dataset. The columns of single segments and images that
it needs stand in its module's `READS = ("area_px", "image.coverage")`, and are found as `table["area_px"]`
or `table.gathered["image.coverage"]`; a parameter called `column` takes the name of one more.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal

from inlay import plugins
from inlay.core.classes import KINDS as CLASS_KINDS
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.rules import gathered, tables, tracks
from inlay.rules.columns.parts.concepts import CONCEPTS
from inlay.rules.expression import Reference, nearest, read_expression

Scope = Literal["segment", "pair", "image", "step", "track", "sequence", "dataset"]
Kind = Literal["number", "integer", "boolean", "word"]

STREAMED = (tables.SegmentTable, tables.PairTable, tables.ImageTable)
SCOPES: dict[type, Scope] = {
    tables.SegmentTable: "segment",
    tables.PairTable: "pair",
    tables.ImageTable: "image",
    gathered.AllSegments: "segment",
    gathered.AllImages: "image",
    tracks.StepTable: "step",
    tracks.TrackTable: "track",
    tracks.SequenceTable: "sequence",
    tables.DatasetTable: "dataset",
}
LATE = tuple(table for table in SCOPES if table not in STREAMED)
SIDES: dict[Scope, Mapping[str, Scope]] = {  # what `side.column` reads in a rule of each scope
    "segment": {"image": "image"},
    "pair": {"a": "segment", "b": "segment", "image": "image"},
    "image": {},
    "step": {"track": "track", "sequence": "sequence"},
    "track": {"sequence": "sequence"},
    "sequence": {},
    "dataset": {},
}
KINDS: dict[Any, Kind] = {
    tables.Floats: "number",
    tables.Integers: "integer",
    tables.Booleans: "boolean",
    tables.Words: "word",
    float: "number",
    int: "integer",
    bool: "boolean",
    str: "word",
}
# What a column, or the argument of one, may be: another word in a rule is a slip.
CHOICES: dict[str, tuple[str, ...]] = {
    "kind": CLASS_KINDS,
    "concept": CONCEPTS,
    "side": ("left", "top", "right", "bottom"),
}
REGION, READS, COLUMN = "_region", "READS", "column"


@dataclass(frozen=True)
class Column:
    """One measured column of one scope."""

    name: str
    scope: Scope
    kind: Kind
    measure: Callable[..., Any]  # table (and the argument) -> array, scalar or None
    region: Callable[..., Masks] | None = None  # table, row (and the argument) -> one mask
    takes: str = ""  # name of the argument, empty when there is none
    takes_number: bool = False
    late: bool = False  # needs more than one image
    reads: tuple[str, ...] = ()  # columns of single segments and images that a late one needs

    def __call__(self, table: Any, reference: Reference) -> Any:
        """The values for a table: an array, for an image a scalar, None when all are unknown."""
        return self.measure(table, *self._arguments(reference))

    def pixels(self, table: Any, row: int, reference: Reference) -> Masks | None:
        """One mask: the pixels behind the value of a row; None when the column has no place."""
        return None if self.region is None else self.region(table, row, *self._arguments(reference))

    def _arguments(self, reference: Reference) -> tuple[str | float, ...]:
        if reference.argument is None:
            return ()
        return (float(reference.argument) if self.takes_number else reference.argument,)

    @property
    def explains(self) -> str:
        """Unit and range."""
        return inspect.getdoc(self.measure) or ""


Vocabulary = Mapping[tuple[str, str], Column]  # by (scope, name)


def vocabulary() -> Vocabulary:
    """Every column of every family, plugins included.

    Raises
    ------
    InlayError
        When two families define one column, or a column does not say what it holds.
    """
    found: dict[tuple[str, str], Column] = {}
    for family in plugins.names("rules.columns"):
        module = plugins.load("rules.columns", family)
        functions = {
            name: item
            for name, item in vars(module).items()
            if inspect.isfunction(item) and item.__module__ == module.__name__ and not name.startswith("_")
        }
        for name, function in functions.items():
            if name.endswith(REGION):
                continue
            reads = tuple(getattr(module, READS, ()))
            column = _column(name.rstrip("_"), function, functions.get(name + REGION), reads)
            if (column.scope, column.name) in found:
                raise InlayError(
                    f"column {column.name!r} of scope {column.scope!r} is defined twice ({family})"
                )
            found[column.scope, column.name] = column
    return found


def _column(
    name: str, function: Callable[..., Any], region: Callable[..., Masks] | None, reads: tuple[str, ...]
) -> Column:
    hints = typing.get_type_hints(function)
    result = hints.pop("return", None)
    if isinstance(result, UnionType):
        result = next(part for part in typing.get_args(result) if part is not type(None))
    parameters = list(inspect.signature(function).parameters)
    table = hints.get(parameters[0]) if parameters else None
    if table not in SCOPES or result not in KINDS or len(parameters) > 2:
        raise InlayError(
            f"column {name!r}: its first parameter must be a rule table, its result an array of a known type"
        )
    takes = parameters[1] if len(parameters) == 2 else ""
    late = table in LATE
    number = hints.get(takes) is float
    return Column(
        name, SCOPES[table], KINDS[result], function, region, takes, number, late, reads if late else ()
    )


def inputs(known: Vocabulary, column: Column, reference: Reference) -> dict[Reference, Column]:
    """What a late column needs of single segments (side "") and images (side "image").

    Raises
    ------
    InlayError
        When there is no such column, or it is late itself.
    """
    if not column.late:
        return {}
    names = [*column.reads, *([reference.argument] if column.takes == COLUMN and reference.argument else [])]
    found = {}
    for name in names:
        expression = read_expression(name, {})
        if not expression.is_column:
            raise InlayError(f"column {column.name!r} reads {name!r}, which is not one column")
        own = "image." if column.scope == "image" and name == reference.argument else ""
        read, full = resolve(known, "segment", read_expression(own + name, {}).reads[0])
        if read.late:
            raise InlayError(f"column {column.name!r} reads {name!r}, which needs the whole dataset itself")
        found[full] = read
    return found


def resolve(known: Vocabulary, scope: str, reference: Reference) -> tuple[Column, Reference]:
    """The column that a rule of a scope means, and its reference with `count_car` as `count('car')`.

    Raises
    ------
    InlayError
        Naming the nearest column when there is none.
    """
    table = _table_of(scope, reference)
    column = known.get((table, reference.name))
    if column is None and reference.argument is None:
        for end in (i for i, letter in enumerate(reference.name) if letter == "_"):
            column = known.get((table, reference.name[:end]))
            if column is not None and column.takes:
                whole = Reference(reference.side, column.name, reference.name[end + 1 :])
                return _spelt_out(known, *_checked(column, whole))
            column = None
    if column is None:
        names = [name for of, name in known if of == table]
        raise InlayError(f"there is no {table} column {reference.name!r}; {nearest(reference.name, names)}")
    return _spelt_out(known, *_checked(column, reference))


def _spelt_out(known: Vocabulary, column: Column, reference: Reference) -> tuple[Column, Reference]:
    """The column that another one takes by name, as it is gathered: `spur_px_2` as `spur_px('2')`."""
    if column.takes != COLUMN or not reference.argument:
        return column, reference
    expression = read_expression(reference.argument, {})
    if not expression.is_column:
        raise InlayError(f"column {column.name!r} takes one column, not {reference.argument!r}")
    scope = "image" if column.scope == "image" else "segment"
    _, taken = resolve(known, scope, expression.reads[0])
    return column, Reference(reference.side, reference.name, taken.key)


def _checked(column: Column, reference: Reference) -> tuple[Column, Reference]:
    if bool(column.takes) != (reference.argument is not None):
        wants = f"needs an argument: {column.name}({column.takes})" if column.takes else "takes no argument"
        raise InlayError(f"column {column.name!r} {wants}")
    if column.takes_number and reference.argument is not None:
        try:
            float(reference.argument)
        except ValueError:
            raise InlayError(f"column {column.name!r} wants a number, not {reference.argument!r}") from None
    allowed = CHOICES.get(column.takes)
    if allowed and reference.argument not in allowed:
        hint = nearest(str(reference.argument), allowed)
        raise InlayError(f"column {column.name!r} knows no {column.takes} {reference.argument!r}; {hint}")
    return column, reference


def _table_of(scope: str, reference: Reference) -> str:
    if not reference.side:
        return scope
    sides = SIDES[scope]  # type: ignore[index]
    if reference.side not in sides:
        raise InlayError(
            f"a rule of scope {scope!r} has no {reference.side!r}: "
            f"drop {reference.side!r} from {reference.key!r}"
        )
    return sides[reference.side]
