"""SQL boolean expressions over measured columns: read, bounded to their own table, and compiled by Polars."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from inlay.core.errors import InlayError

if TYPE_CHECKING:
    import polars as pl

Parameter = bool | int | float | str

# Row by row only: an aggregate or a window would make a finding depend on which images share a batch.
FUNCTIONS = frozenset(
    (
        *("abs", "ceil", "exp", "floor", "greatest", "least", "ln", "log10", "pow", "round", "sqrt"),
        *("coalesce", "nullif", "ends_with", "length", "lower", "regexp_like", "starts_with", "upper"),
    )
)
KEYWORDS = frozenset(
    (
        *("and", "or", "not", "in", "between", "is", "null", "like", "ilike"),
        *("true", "false", "case", "when", "then", "else", "end"),
    )
)
SIDES = ("a", "b", "image", "track", "sequence")

TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*')
    | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))
    | (?P<parameter>:[A-Za-z_]\w*)
    | (?P<name>(?:[A-Za-z_]\w*\.)?(?:[A-Za-z_]\w*|"[^"]+"))
    | (?P<sign><=|>=|<>|!=|[=<>+\-*/%(),])
    )""",
    re.VERBOSE,
)
QUERIES = frozenset(("select", "from", "join", "union", "with", "exists", "over"))
COMPARISONS = frozenset(("=", "<", ">", "<=", ">=", "<>", "!="))
ARITHMETIC = frozenset("+-*/%")


@dataclass(frozen=True, order=True)
class Reference:
    """A measured column as an expression names it: `area_px`, `a.class`, `count('car')`."""

    side: str  # "a", "b", "image", or empty for the rule's own table
    name: str
    argument: str | None = None

    @property
    def key(self) -> str:
        """Name of the column in the table that the expression sees."""
        own = self.name if self.argument is None else f"{self.name}('{self.argument}')"
        return f"{self.side}.{own}" if self.side else own


@dataclass(frozen=True)
class Expression:
    """One clause of a rule.

    Parameters
    ----------
    text
        As written in the rule file.
    sql
        The same with parameters filled in and every column quoted.
    reads
        The columns, each once, in the order of the text.
    limits
        Number that a column is compared with, by the key of the column.
    words
        Pairs (column, text literal that it is compared with).
    """

    text: str
    sql: str
    reads: tuple[Reference, ...]
    limits: Mapping[str, float] = field(hash=False)
    words: tuple[tuple[Reference, str], ...]

    @property
    def is_column(self) -> bool:
        """Whether it is one column and nothing else."""
        return len(self.reads) == 1 and self.sql == _quoted(self.reads[0])

    def renamed(self, full: Mapping[Reference, Reference]) -> Expression:
        """The expression with some columns under other references."""
        if all(old == new for old, new in full.items()):
            return self
        sql = self.sql
        for old, new in full.items():
            sql = sql.replace(_quoted(old), _quoted(new))
        limits = {new.key: self.limits[old.key] for old, new in full.items() if old.key in self.limits}
        words = tuple((full.get(column, column), word) for column, word in self.words)
        return Expression(self.text, sql, tuple(dict.fromkeys(full.values())), limits, words)

    def compile(self) -> pl.Expr:
        """The expression for a Polars table with the columns `reads`.

        Raises
        ------
        InlayError
            When it is no single SQL expression.
        """
        expression = _sql_expression(self.sql, self.text)
        strange = set(expression.meta.root_names()) - {reference.key for reference in self.reads}
        if strange:  # Polars takes a keyword in an odd place for a column
            raise InlayError(f"{self.text!r} is no SQL expression: {', '.join(sorted(strange))} stands alone")
        return expression


@lru_cache(maxsize=4096)
def _sql_expression(sql: str, text: str) -> pl.Expr:
    import polars as pl

    try:
        return pl.sql_expr(sql)
    except pl.exceptions.PolarsError as error:
        raise InlayError(f"{text!r} is no SQL expression: {error}") from None


def nearest(word: str, known: Iterable[str]) -> str:
    """How an error ends: the nearest right word, or all of them when they are few."""
    words = sorted(set(known))
    near = difflib.get_close_matches(word, words, 1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are: {', '.join(words)}" if len(words) <= 60 else f"there are {len(words)} others"


def read_expression(text: str, parameters: Mapping[str, Parameter]) -> Expression:
    """An expression over columns; nothing but columns, literals, operators and `FUNCTIONS` is let through.

    Raises
    ------
    InlayError
        On a second statement, a comment, a sub-query, an unknown function or parameter.
    """
    tokens = list(_tokens(text))
    sql: list[str] = []
    reads: dict[str, Reference] = {}
    operands: list[object] = []  # beside `sql`: a Reference, a literal, or None for anything else
    place = 0
    while place < len(tokens):
        kind, word = tokens[place]
        operand: object = None
        if kind == "parameter":
            operand = _parameter(word[1:], parameters)
            word = _literal(operand)
        elif kind == "number":
            operand = float(word)
        elif kind == "string":
            operand = word[1:-1].replace("''", "'")
        elif kind == "name" and not _is_sql(word, tokens[place + 1 : place + 2]):
            operand, used = _reference(word, tokens[place + 1 : place + 4], text, parameters)
            reads[operand.key] = operand
            word = _quoted(operand)
            place += used
        sql.append(word)
        operands.append(operand)
        place += 1
    return Expression(
        text, " ".join(sql), tuple(reads.values()), _limits(sql, operands), _words(sql, operands)
    )


def _quoted(reference: Reference) -> str:
    return '"' + reference.key.replace('"', '""') + '"'


def _tokens(text: str) -> Iterable[tuple[str, str]]:
    place, end = 0, len(text.rstrip())
    if not end:
        raise InlayError("the expression is empty")
    while place < end:
        match = TOKEN.match(text, place)
        if match is None:
            raise InlayError(f"{text!r}: {text[place:].strip()[:12]!r} is not allowed in a rule's expression")
        kind = str(match.lastgroup)
        yield kind, match[kind]
        place = match.end()


def _is_sql(word: str, following: list[tuple[str, str]]) -> bool:
    if word.lower() in KEYWORDS:
        return True
    return word.lower() in FUNCTIONS and following == [("sign", "(")]


def _reference(
    word: str, following: list[tuple[str, str]], text: str, parameters: Mapping[str, Parameter]
) -> tuple[Reference, int]:
    """The column named by `word`, and how many of the following tokens belong to it."""
    if word.lower() in QUERIES:
        raise InlayError(
            f"{text!r}: {word} leaves the rule's table: it sees one row at a time; "
            "to ask of several, give require_any, forbid_any or count"
        )
    head, dot, tail = word.partition(".") if not word.startswith('"') else ("", "", word)
    side, name = (head, tail) if dot else ("", head or tail)
    name = name.strip('"')
    if side and side not in SIDES:
        raise InlayError(
            f"{text!r}: {word!r} leaves the rule's table; columns are {', '.join(SIDES)}.name or name"
        )
    if following[:1] != [("sign", "(")]:
        return Reference(side, name), 0
    if len(following) == 3 and following[2] == ("sign", ")"):
        kind, argument = following[1]
        if kind == "parameter":
            return Reference(side, name, str(_parameter(argument[1:], parameters))), 3
        if kind in ("string", "number"):
            return Reference(
                side, name, argument[1:-1].replace("''", "'") if kind == "string" else argument
            ), 3
    raise InlayError(f"{text!r}: there is no function {word!r}; {nearest(word, FUNCTIONS)}")


def _parameter(name: str, parameters: Mapping[str, Parameter]) -> Parameter:
    if name not in parameters:
        hint = nearest(name, parameters) if parameters else f"give it: params = {{ {name} = 1 }}"
        raise InlayError(f"there is no parameter {name!r} in `params`; {hint}")
    return parameters[name]


def _literal(value: object) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _limits(sql: list[str], operands: list[object]) -> dict[str, float]:
    limits: dict[str, float] = {}
    for i in (i for i, word in enumerate(sql) if word in COMPARISONS and 0 < i < len(sql) - 1):
        if ARITHMETIC.intersection((*sql[max(i - 2, 0) : i - 1], *sql[i + 2 : i + 3])):
            continue  # `x + y > 5` bounds neither x nor y
        sides = operands[i - 1], operands[i + 1]
        for column, value in (sides, sides[::-1]):
            if isinstance(column, Reference) and isinstance(value, int | float):
                limits.setdefault(column.key, value)
    return limits


def _words(sql: list[str], operands: list[object]) -> tuple[tuple[Reference, str], ...]:
    """Columns with the text literals beside them: `x = 'w'`, `'w' = x`, `x IN ('u', 'v')`."""
    found: list[tuple[Reference, str]] = []
    column: object = None
    listing = False
    for i, word in enumerate(sql):
        if isinstance(operands[i], Reference):
            column = operands[i]
        elif isinstance(operands[i], str):
            before, after = sql[i - 1 : i], sql[i + 1 : i + 2]
            beyond = next(iter(operands[i + 2 : i + 3]), None)
            if listing or (before and before[0] in COMPARISONS):
                found += [(column, str(operands[i]))] if isinstance(column, Reference) else []
            elif after and after[0] in COMPARISONS and isinstance(beyond, Reference):
                found.append((beyond, str(operands[i])))
        elif word.lower() in ("in", ")"):
            listing = word != ")"
        elif word.lower() in ("and", "or", "then", "when", "else"):
            column = None
    return tuple(found)
