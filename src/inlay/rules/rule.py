"""A rule: what its keys say, checked. Errors name the nearest right word; its file and id are added above."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Literal

from inlay.core.classes import KINDS
from inlay.core.errors import FormatError, InlayError
from inlay.rules.columns import Column, Vocabulary, resolve
from inlay.rules.expression import Expression, Parameter, Reference, nearest, read_expression
from inlay.rules.pictures import Example, read_examples

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")  # the worst first
OFF = "off"  # as a severity: an inherited rule is not wanted
SCOPES = ("segment", "pair", "image", "dataset")
CLAUSES = ("where", "forbid", "require", "unless")
NAMED = {
    "segment": ("segment",),
    "pair": ("a", "b"),
    "image": (),
    "dataset": (),
}  # placeholders that name a row
SAMPLES: dict[str, object] = {"number": 0.5, "integer": 1, "boolean": True, "word": ""}
DTYPES = {"number": "Float64", "integer": "Int64", "boolean": "Boolean", "word": "String"}


@dataclass(frozen=True)
class Rule:
    """One rule. A clause acts only when it is known to hold: a NULL neither passes nor condemns nor exempts.

    Parameters
    ----------
    verdict
        `forbid` or `require`; `forbids` says which: a row is found when it is TRUE, or FALSE.
    columns
        Every column that the clauses and the message read, by its reference.
    measure
        The column whose value a finding reports, and whose pixels it shows.
    words
        The message in pieces: text, the placeholder's column key (or parameter, or segment), its format.
    vocabulary
        Class names that the file may speak of although a dataset lacks them.
    """

    id: str
    scope: str
    severity: Severity
    message: str
    verdict: Expression
    forbids: bool
    where: Expression | None
    unless: Expression | None
    columns: Mapping[Reference, Column]
    measure: Reference | None
    words: tuple[tuple[str, str, str], ...]
    parameters: Mapping[str, Parameter]
    examples: tuple[Example, ...]
    file: str
    vocabulary: tuple[str, ...] = ()
    description: str = ""

    @property
    def limit(self) -> float | None:
        """The number that the verdict compares `measure` with."""
        return None if self.measure is None else self.verdict.limits.get(self.measure.key)


def make_rule(keys: Mapping[str, Any], file: str, classes: tuple[str, ...], known: Vocabulary) -> Rule:
    """The rule that some keys of a file describe.

    Raises
    ------
    FormatError
        On a missing key, a wrong value, an unknown word.
    """
    try:
        _check_words(keys)
        scope, parameters = keys["scope"], dict(keys.get("params", {}))
        for name in parameters:
            if (scope, name) in known:
                raise InlayError(f"parameter {name!r} has the name of a column: call it something else")
        clauses = {key: read_expression(keys[key], parameters) for key in CLAUSES if key in keys}
        columns, clauses = _resolved(clauses, scope, known)
        verdict = clauses.get("forbid") or clauses["require"]
        measure = _measure(keys, verdict, scope, known, columns)
        words = tuple(_words(keys["message"], scope, parameters, known, columns))
        rule = Rule(
            keys["id"],
            scope,
            keys["severity"],
            keys["message"],
            verdict,
            "forbid" in clauses,
            clauses.get("where"),
            clauses.get("unless"),
            columns,
            measure,
            words,
            parameters,
            read_examples(keys.get("examples", {})),
            file,
            classes,
            keys.get("description", ""),
        )
        _check_types(clauses, columns)
    except InlayError as error:
        raise FormatError(file, f"rule {keys['id']!r}", str(error)) from None
    return rule


def _check_words(keys: Mapping[str, Any]) -> None:
    for key in (
        "scope",
        "severity",
        "message",
        "where",
        "forbid",
        "require",
        "unless",
        "measure",
        "description",
    ):
        if key in keys and not isinstance(keys[key], str):
            raise InlayError(f"{key} must be text, not {keys[key]!r}")
    for key, allowed in (("scope", SCOPES), ("severity", (*SEVERITIES, OFF))):
        if key not in keys:
            raise InlayError(f"has no {key}; {nearest('', allowed)}")
        if keys[key] not in allowed:
            raise InlayError(f"there is no {key} {keys[key]!r}; {nearest(keys[key], allowed)}")
    if "message" not in keys:
        raise InlayError("has no message: say in plain words what is wrong")
    if ("forbid" in keys) == ("require" in keys):
        raise InlayError("needs either forbid (found when true) or require (found when false)")
    parameters = keys.get("params", {})
    if not isinstance(parameters, dict) or not all(
        isinstance(value, Parameter) for value in parameters.values()
    ):
        raise InlayError(f"params must be a table of numbers and words, not {parameters!r}")


def _resolved(
    clauses: Mapping[str, Expression], scope: str, known: Vocabulary
) -> tuple[dict[Reference, Column], dict[str, Expression]]:
    """The columns of all clauses, and the clauses with `count_car` written as `count('car')`."""
    columns: dict[Reference, Column] = {}
    changed = {}
    for key, clause in clauses.items():
        full = {}
        for reference in clause.reads:
            column, full[reference] = resolve(known, scope, reference)
            columns[full[reference]] = column
        changed[key] = clause.renamed(full)
    return columns, changed


def _measure(
    keys: Mapping[str, Any],
    verdict: Expression,
    scope: str,
    known: Vocabulary,
    columns: dict[Reference, Column],
) -> Reference | None:
    """The column that the rule names as `measure`, else the first of its verdict."""
    if "measure" not in keys:
        return verdict.reads[0] if verdict.reads else None
    column, reference = resolve(known, scope, _one_column(keys["measure"], "measure"))
    columns[reference] = column
    return reference


def _words(
    message: str,
    scope: str,
    parameters: Mapping[str, Parameter],
    known: Vocabulary,
    columns: dict[Reference, Column],
) -> Iterator[tuple[str, str, str]]:
    """(text, key, format) of each piece of a message; its columns are added to `columns`."""
    try:
        pieces = list(Formatter().parse(message))
    except ValueError as error:
        raise InlayError(f"message {message!r}: {error}") from None
    for text, name, form, conversion in pieces:
        if conversion or name == "":
            raise InlayError(f"message {message!r}: a placeholder is {{column}} or {{column:.0%}}")
        if name is None or name in NAMED[scope] or name in ("measured", "limit"):
            yield text, name or "", form or ""
            continue
        sample: object = parameters.get(name)
        if sample is None:
            column, reference = resolve(known, scope, _one_column(name, "message"))
            columns[reference] = column
            name, sample = reference.key, SAMPLES[column.kind]
        try:
            format(sample, form or "")
        except ValueError as error:
            raise InlayError(f"message {message!r}: {{{name}:{form}}}: {error}") from None
        yield text, name, form or ""


def _one_column(text: str, key: str) -> Reference:
    expression = read_expression(text, {})
    if not expression.is_column:
        raise InlayError(f"{key}: {text!r} is not one column")
    return expression.reads[0]


def _check_types(clauses: Mapping[str, Expression], columns: Mapping[Reference, Column]) -> None:
    """Each clause must be true or false of a row; Polars says so on an empty table."""
    import polars as pl

    schema = {reference.key: getattr(pl, DTYPES[column.kind]) for reference, column in columns.items()}
    for clause in clauses.values():
        for column, word in clause.words:
            if column.name == "kind" and word not in KINDS:
                raise InlayError(f"there is no kind {word!r}; {nearest(word, KINDS)}")
    for key, clause in clauses.items():
        try:
            result = pl.DataFrame(schema=schema).select(clause.compile()).dtypes[0]
        except pl.exceptions.PolarsError as error:
            raise InlayError(f"{key} = {clause.text!r}: {str(error).splitlines()[0]}") from None
        if result not in (pl.Boolean, pl.Null):
            raise InlayError(f"{key} = {clause.text!r} is no condition: it gives {result}, not true or false")
