"""Rule files: TOML in, checked rules out. Every error names the file, the rule and the nearest right word."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Formatter
from typing import Any, Literal

from inlay.core.classes import KINDS
from inlay.core.errors import FormatError, InlayError
from inlay.rules.columns import Column, Vocabulary, resolve, vocabulary
from inlay.rules.expression import Expression, Parameter, Reference, nearest, read_expression
from inlay.rules.pictures import Example, read_examples

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")  # the worst first
OFF = "off"  # as a severity: an inherited rule is not wanted
SCOPES = ("segment", "pair", "image", "dataset")
FILE_KEYS = ("extends", "description", "classes", "rule")
RULE_KEYS = (
    *("id", "scope", "where", "forbid", "require", "unless", "severity"),
    *("message", "measure", "params", "examples", "description"),
)
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
    def place(self) -> str:
        """File and rule, as errors name them."""
        return f"{self.file}: rule {self.id!r}"

    @property
    def limit(self) -> float | None:
        """The number that the verdict compares `measure` with."""
        return None if self.measure is None else self.verdict.limits.get(self.measure.key)


@dataclass(frozen=True)
class _Draft:
    """A rule before it is checked: its keys as written, and where."""

    keys: dict[str, Any]
    file: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class _Reading:
    """The files open above this one, to see cycles of `extends`."""

    chain: tuple[str, ...] = ()
    drafts: dict[str, _Draft] = field(default_factory=dict)


def pack_names() -> list[str]:
    """Names of the packs that come with Inlay."""
    return sorted(
        item.name.removesuffix(".toml") for item in _packs().iterdir() if item.name.endswith(".toml")
    )


def read_rules(packs: Iterable[str] = (), rules: Path | str | None = None) -> tuple[Rule, ...]:
    """The rules of some packs and of a file, in that order; the file may change a pack's rule by its id.

    Raises
    ------
    InlayError
        On anything a rule file should not hold, naming file, rule and the nearest right word.
    """
    reading = _Reading()
    for pack in packs:
        _collect(_find(pack, Path()), _named(pack), reading)
    if rules is not None:
        _collect(Path(rules), str(rules), reading)
    known = vocabulary()
    wanted = (draft for draft in reading.drafts.values() if draft.keys.get("severity") != OFF)
    return tuple(_rule(draft, known) for draft in wanted)


def _packs() -> Traversable:
    return files("inlay.rules") / "packs"


def _find(name: str, beside: Path) -> Traversable | Path:
    """A pack by its name, or a file beside the one that names it."""
    if _is_file_name(name):
        return beside / name
    if name not in pack_names():
        raise InlayError(f"there is no rule pack {name!r}; {nearest(name, pack_names())}")
    return _packs() / f"{name}.toml"


def _is_file_name(name: str) -> bool:
    return name.endswith(".toml") or "/" in name


def _named(pack: str) -> str:
    """A pack as errors and tests name it, wherever it is installed."""
    return f"pack {pack}"


def _collect(source: Traversable | Path, place: str, reading: _Reading) -> None:
    """Add the rules of a file, those it extends first."""
    identity = str(Path(str(source)).resolve())
    if identity in reading.chain:
        circle = [Path(name).name for name in (*reading.chain[reading.chain.index(identity) :], identity)]
        raise FormatError(
            place, "extends", f"rule files extend one another in a circle: {' -> '.join(circle)}"
        )
    content = _toml(source, place)
    _only(content, FILE_KEYS, place, "")
    deeper = _Reading((*reading.chain, identity), reading.drafts)
    for name in _texts(content, "extends", place):
        try:
            found = _find(name, Path(place).parent)
        except InlayError as error:
            raise FormatError(place, "extends", str(error)) from None
        _collect(
            found, str(found) if isinstance(found, Path) and _is_file_name(name) else _named(name), deeper
        )
    _add(content, place, reading.drafts)


def _toml(source: Traversable | Path, place: str) -> dict[str, Any]:
    try:
        return tomllib.loads(source.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise FormatError(place, "", f"not TOML: {error}") from None
    except UnicodeDecodeError as error:
        raise FormatError(place, f"byte {error.start}", "not UTF-8 text") from None
    except OSError as error:
        raise FormatError(place, "", f"the rule file cannot be read ({error.strerror or error})") from None


def _texts(content: Mapping[str, Any], key: str, place: str) -> list[str]:
    found = content.get(key, [])
    texts = [found] if isinstance(found, str) else found
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise FormatError(place, key, f"must be a list of words, not {found!r}")
    return texts


def _only(content: Mapping[str, Any], keys: Sequence[str], place: str, where: str) -> None:
    for key in content:
        if key not in keys:
            raise FormatError(place, where, f"there is no key {key!r}; {nearest(key, keys)}")


def _add(content: Mapping[str, Any], place: str, drafts: dict[str, _Draft]) -> None:
    rules = content.get("rule", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise FormatError(place, "rule", "rules are written under [[rule]], with two brackets")
    classes = tuple(_texts(content, "classes", place))
    seen: set[str] = set()
    for number, keys in enumerate(rules, 1):
        name = keys.get("id")
        if not isinstance(name, str) or not name:
            raise FormatError(place, f"rule {number}", 'has no id: write id = "a-short-name"')
        where = f"rule {name!r}"
        _only(keys, RULE_KEYS, place, where)
        if name in seen:
            raise FormatError(place, where, "stands twice in this file: ids are unique")
        seen.add(name)
        drafts[name] = _merged(drafts.get(name), _Draft(keys, place, classes))


def _merged(inherited: _Draft | None, draft: _Draft) -> _Draft:
    """The inherited rule with the keys that the new one gives; parameters are merged one by one."""
    if inherited is None:
        return draft
    keys = {**inherited.keys, **draft.keys}
    if "forbid" in draft.keys:
        keys = {key: value for key, value in keys.items() if key != "require" or key in draft.keys}
    if "require" in draft.keys:
        keys = {key: value for key, value in keys.items() if key != "forbid" or key in draft.keys}
    if isinstance(inherited.keys.get("params"), dict) and isinstance(draft.keys.get("params"), dict):
        keys["params"] = {**inherited.keys["params"], **draft.keys["params"]}
    return _Draft(keys, draft.file, inherited.classes + draft.classes)


def _rule(draft: _Draft, known: Vocabulary) -> Rule:
    keys, where = draft.keys, f"rule {draft.keys['id']!r}"
    try:
        _check_words(keys)
        scope, parameters = keys["scope"], dict(keys.get("params", {}))
        for name in parameters:
            if (scope, name) in known:
                raise InlayError(f"parameter {name!r} has the name of a column: call it something else")
        clauses = {key: read_expression(keys[key], parameters) for key in _CLAUSES if key in keys}
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
            draft.file,
            draft.classes,
            keys.get("description", ""),
        )
        _check_types(clauses, columns)
    except InlayError as error:
        raise FormatError(draft.file, where, str(error)) from None
    return rule


_CLAUSES = ("where", "forbid", "require", "unless")


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
