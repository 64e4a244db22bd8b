"""A rule: what its keys say, checked. Errors name the nearest right word; its file and id are added above."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from inlay import plugins
from inlay.core.errors import FormatError, InlayError
from inlay.rules.columns import CHOICES, SIDES, Column, Vocabulary, inputs, resolve
from inlay.rules.expression import Expression, Parameter, Reference, nearest, read_expression
from inlay.rules.finding import SEVERITIES, Severity
from inlay.rules.pictures import Example, read_examples
from inlay.rules.tolerance import Tolerance, read_tolerance

MAX_CHANGE = 0.05
OFF = "off"  # as a severity: an inherited rule is not wanted
SCOPES = tuple(SIDES)
QUANTIFIERS = ("require_any", "forbid_any", "count")
VERDICTS = ("forbid", "require", *QUANTIFIERS)
CLAUSES = ("where", "unless", *VERDICTS)
OVER = {
    "segment": "pair",
    "image": "segment",
    "track": "step",
    "sequence": "track",
}  # what is counted of each
COUNT = Reference("", "count")  # the value of a rule that counts
NAMED = {  # placeholders that name a row
    "segment": ("segment",),
    "pair": ("a", "b"),
    "step": ("track", "sequence", "segment", "before"),
    "track": ("track", "sequence"),
    "sequence": ("sequence",),
}
LATE_SCOPES = ("step", "track", "sequence", "dataset")
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
    over
        Scope of the rows that `verdict` is asked of, when it is counted how many of them say TRUE: pairs of
        a segment, segments of an image. A row is found when these are fewer than `least` or more than `most`.
    tolerance
        How many findings are too many.
    fix
        Name of a module of `inlay.rules.fixes`; it may change `max_change` of a segment's pixels at most.
    inner
        The columns of these rows that `verdict` reads.
    gathers
        What late columns need of single segments and images, by reference; side "image" or none.
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
    over: str = ""
    least: int | None = None
    most: int | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)
    fix: str | None = None
    max_change: float = MAX_CHANGE
    inner: Mapping[Reference, Column] = field(default_factory=dict)
    gathers: Mapping[Reference, Column] = field(default_factory=dict)

    @property
    def is_late(self) -> bool:
        """Whether it is judged when all images have been seen."""
        columns = (*self.columns.values(), *self.inner.values())
        return self.scope in LATE_SCOPES or any(column.late for column in columns)

    @property
    def named_classes(self) -> tuple[str, ...]:
        """The classes that its clauses speak of."""
        clauses = [clause for clause in (self.where, self.verdict, self.unless) if clause]
        compared = [word for clause in clauses for column, word in clause.words if column.name == "class"]
        taken = [
            str(reference.argument)
            for reference, column in {**self.columns, **self.inner, **self.gathers}.items()
            if column.takes == "class_name"
        ]
        return tuple(dict.fromkeys(compared + taken))

    @property
    def limit(self) -> float | None:
        """The number that the verdict compares `measure` with."""
        if self.over:
            return self.least if self.most is None else self.most
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
        over, least, most = _counting(keys)
        clauses = {key: read_expression(keys[key], parameters) for key in CLAUSES if key in keys}
        asked = next(key for key in VERDICTS if key in clauses)
        inner: dict[Reference, Column] = {}
        if over:
            inner, counted = _resolved({asked: clauses.pop(asked)}, over, known)
        columns, clauses = _resolved(clauses, scope, known)
        verdict = counted[asked] if over else clauses[asked]
        measure = COUNT if over else _measure(keys, verdict, scope, known, columns)
        words = tuple(_words(keys["message"], scope, parameters, known, columns, counts=bool(over)))
        rule = Rule(
            keys["id"],
            scope,
            keys["severity"],
            keys["message"],
            verdict,
            asked == "forbid",
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
            over,
            least,
            most,
            read_tolerance(keys),
            *_fix(keys),
            inner,
            _gathers(scope, over, {**columns, **inner}, known),
        )
        _check_types(clauses, columns)
        if over:
            _check_types({asked: verdict}, inner)
    except InlayError as error:
        raise FormatError(file, f"rule {keys['id']!r}", str(error)) from None
    return rule


def _check_words(keys: Mapping[str, Any]) -> None:
    for key in (
        "scope",
        "severity",
        "message",
        *CLAUSES,
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
    if sum(key in keys for key in VERDICTS) != 1:
        raise InlayError(
            "needs either forbid (found when true) or require (found when false), or one of "
            + ", ".join(QUANTIFIERS)
        )
    parameters = keys.get("params", {})
    if not isinstance(parameters, dict) or not all(
        isinstance(value, Parameter) for value in parameters.values()
    ):
        raise InlayError(f"params must be a table of numbers and words, not {parameters!r}")


def _counting(keys: Mapping[str, Any]) -> tuple[str, int | None, int | None]:
    """Scope of the rows that are counted, empty when none are; how many must be TRUE at least and at most."""
    asked = next((key for key in QUANTIFIERS if key in keys), "")
    bounds = {key: keys[key] for key in ("least", "most") if key in keys}
    for key, bound in bounds.items():
        if type(bound) is not int or bound < 0:
            raise InlayError(f"{key} is a number of rows, 0 or more, not {bound!r}")
        if asked != "count":
            raise InlayError(f"{key} goes with count, and this rule has none")
    if not asked:
        return "", None, None
    if keys["scope"] not in OVER:
        raise InlayError(f"{asked} counts within {', '.join(OVER)}, not within scope {keys['scope']!r}")
    if "measure" in keys:
        raise InlayError(f"{asked} measures how many rows say TRUE: measure has no place beside it")
    if asked == "count" and not bounds:
        raise InlayError("count needs least or most: how many rows may say TRUE")
    least, most = {"require_any": (1, None), "forbid_any": (None, 0)}.get(asked, (None, None))
    return OVER[keys["scope"]], bounds.get("least", least), bounds.get("most", most)


def _fix(keys: Mapping[str, Any]) -> tuple[str | None, float]:
    """The fix that a rule offers, and how much of a segment it may change."""
    fix, most = keys.get("fix"), keys.get("max_change", MAX_CHANGE)
    known = plugins.names("rules.fixes")
    if fix is not None and fix not in known:
        raise InlayError(f"there is no fix {fix!r}; {nearest(str(fix), known)}")
    if isinstance(most, bool) or not isinstance(most, int | float) or not 0 <= most <= 1:
        raise InlayError(f"max_change is a share of a segment's pixels from 0 to 1, not {most!r}")
    return fix, float(most)


def _gathers(
    scope: str, over: str, columns: Mapping[Reference, Column], known: Vocabulary
) -> dict[Reference, Column]:
    """What late columns need, and what a rule that has some reads beside them."""
    found: dict[Reference, Column] = {}
    for reference, column in columns.items():
        found |= inputs(known, column, reference)
    if not any(column.late for column in columns.values()):
        return found
    if scope == "pair" or (over and scope not in LATE_SCOPES):
        late = next(reference.key for reference, column in columns.items() if column.late)
        raise InlayError(
            f"{late!r} needs the whole dataset: ask it in a rule of scope segment without counting"
        )
    for reference, column in columns.items():
        if not column.late:
            side = "image" if scope == "image" else reference.side
            found[Reference(side, reference.name, reference.argument)] = column
    return found


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
    *,
    counts: bool,
) -> Iterator[tuple[str, str, str]]:
    """(text, key, format) of each piece of a message; its columns are added to `columns`."""
    try:
        pieces = list(Formatter().parse(message))
    except ValueError as error:
        raise InlayError(f"message {message!r}: {error}") from None
    for text, name, form, conversion in pieces:
        if conversion or name == "":
            raise InlayError(f"message {message!r}: a placeholder is {{column}} or {{column:.0%}}")
        own = (*NAMED.get(scope, ()), "measured", "limit", *(["count"] if counts else []))
        if name is None or name in own:
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
            choices = CHOICES.get(column.name)
            if choices and word not in choices:
                raise InlayError(f"there is no {column.name} {word!r}; {nearest(word, choices)}")
    for key, clause in clauses.items():
        try:
            result = pl.DataFrame(schema=schema).select(clause.compile()).dtypes[0]
        except pl.exceptions.PolarsError as error:
            raise InlayError(f"{key} = {clause.text!r}: {str(error).splitlines()[0]}") from None
        if result not in (pl.Boolean, pl.Null):
            raise InlayError(f"{key} = {clause.text!r} is no condition: it gives {result}, not true or false")
