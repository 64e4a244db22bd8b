"""Measured columns: the vocabulary of the rules. One module for each family, one function for each column.

A column is a public function whose first parameter is a table of `inlay.rules.tables`: the table says which
scope it belongs to, the return type what the column holds, the docstring its unit and range. A second
parameter makes it a family: `count(table, class_name)` is read as `count('car')`, or `count_car`. Unknown is
NaN for numbers, and None for the whole column. `hole_px_region(table, row)` beside `hole_px` returns the
pixels behind one value.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal

from inlay import plugins
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.rules import tables
from inlay.rules.expression import Reference, nearest

Scope = Literal["segment", "pair", "image", "dataset"]
Kind = Literal["number", "integer", "boolean", "word"]

SCOPES: dict[type, Scope] = {
    tables.SegmentTable: "segment",
    tables.PairTable: "pair",
    tables.ImageTable: "image",
    tables.DatasetTable: "dataset",
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
REGION = "_region"


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
            column = _column(name.rstrip("_"), function, functions.get(name + REGION))
            if (column.scope, column.name) in found:
                raise InlayError(
                    f"column {column.name!r} of scope {column.scope!r} is defined twice ({family})"
                )
            found[column.scope, column.name] = column
    return found


def _column(name: str, function: Callable[..., Any], region: Callable[..., Masks] | None) -> Column:
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
    return Column(name, SCOPES[table], KINDS[result], function, region, takes, hints.get(takes) is float)


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
                return _checked(column, Reference(reference.side, column.name, reference.name[end + 1 :]))
            column = None
    if column is None:
        names = [name for of, name in known if of == table]
        raise InlayError(f"there is no {table} column {reference.name!r}; {nearest(reference.name, names)}")
    return _checked(column, reference)


def _checked(column: Column, reference: Reference) -> tuple[Column, Reference]:
    if bool(column.takes) != (reference.argument is not None):
        wants = f"needs an argument: {column.name}({column.takes})" if column.takes else "takes no argument"
        raise InlayError(f"column {column.name!r} {wants}")
    if column.takes_number and reference.argument is not None:
        try:
            float(reference.argument)
        except ValueError:
            raise InlayError(f"column {column.name!r} wants a number, not {reference.argument!r}") from None
    return column, reference


def _table_of(scope: str, reference: Reference) -> str:
    if not reference.side:
        return scope
    if reference.side == "image" and scope in ("segment", "pair"):
        return "image"
    if reference.side in ("a", "b") and scope == "pair":
        return "segment"
    raise InlayError(
        f"a rule of scope {scope!r} has no {reference.side!r}: drop {reference.side!r} from {reference.key!r}"
    )
