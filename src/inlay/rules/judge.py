"""Judging: rules as column expressions over a measured table, in SQL's three-valued logic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.rules.expression import Expression
from inlay.rules.rule import Rule

if TYPE_CHECKING:
    import polars as pl

KEPT, HIT, UNKNOWN, NOT_ASKED = range(4)


@dataclass(frozen=True, eq=False)
class Judged:
    """What a rule says about a table."""

    hits: NDArray[np.int64]  # rows that break it
    asked: int  # rows that `where` selects and `unless` does not exempt
    unknown: int  # of them, rows about which the verdict is NULL
    count: NDArray[np.int64] | None = None  # of each hit, how many inner rows say TRUE
    inner: NDArray[np.int64] | None = None  # inner rows that say TRUE and are too many


@dataclass(frozen=True, eq=False)
class Inner:
    """The rows that rules count within each row of a table."""

    table: pl.DataFrame
    owner: NDArray[np.int64]  # row of the outer table that each belongs to


def judge(rules: Sequence[Rule], table: pl.DataFrame, inner: Inner | None = None) -> list[Judged]:
    """Each rule's judgement of the rows of a table.

    A clause acts only when it is known: `where` and `unless` on TRUE, `forbid` on TRUE, `require` on FALSE.
    """
    if table.height == 0:
        return [Judged(np.empty(0, np.int64), 0, 0) for _ in rules]
    codes = [_code(rule).alias(str(number)) for number, rule in enumerate(rules)]
    answers = table.select(codes)
    if answers.height != table.height:  # all of them are literals
        answers = table.with_columns(codes)
    found = []
    for number, rule in enumerate(rules):
        said = answers[str(number)].to_numpy()
        if rule.over and inner is not None:
            found.append(_counted(rule, said != NOT_ASKED, inner))
            continue
        asked, unknown = (int(np.count_nonzero(each)) for each in (said != NOT_ASKED, said == UNKNOWN))
        found.append(Judged(np.flatnonzero(said == HIT), asked, unknown))
    return found


def _code(rule: Rule) -> pl.Expr:
    """What a rule says of each row: `KEPT`, `HIT`, `UNKNOWN` or `NOT_ASKED`."""
    return _coded(rule.where, rule.unless, None if rule.over else rule.verdict, forbids=rule.forbids)


@lru_cache(maxsize=4096)
def _coded(
    where: Expression | None, unless: Expression | None, verdict: Expression | None, *, forbids: bool
) -> pl.Expr:
    import polars as pl

    asked = pl.lit(True) if where is None else where.compile().fill_null(False)
    if unless is not None:
        asked &= ~unless.compile().fill_null(False)
    said = pl.lit(KEPT, pl.UInt8)
    if verdict is not None:
        broken = verdict.compile() if forbids else ~verdict.compile()
        said = broken.cast(pl.UInt8).fill_null(UNKNOWN)
    return pl.when(asked).then(said).otherwise(pl.lit(NOT_ASKED, pl.UInt8)).cast(pl.UInt8)


def _counted(rule: Rule, asked: NDArray[np.bool_], inner: Inner) -> Judged:
    """Rows within which too few or too many inner rows say TRUE, whatever the unknown ones would say."""
    said = inner.table.with_columns(rule.verdict.compile().alias(" said"))[" said"]
    sure = said.fill_null(False).to_numpy()
    true = np.bincount(inner.owner[sure], minlength=len(asked))
    perhaps = true + np.bincount(inner.owner[said.is_null().to_numpy()], minlength=len(asked))
    none = np.zeros(len(asked), np.bool_)
    few = none if rule.least is None else perhaps < rule.least
    many = none if rule.most is None else true > rule.most
    open_ = none
    if rule.least is not None:
        open_ = open_ | ((true < rule.least) & ~few)
    if rule.most is not None:
        open_ = open_ | ((perhaps > rule.most) & ~many)
    hit = asked & (few | many)
    hits = np.flatnonzero(hit)
    rows = np.flatnonzero(sure)
    return Judged(
        hits,
        int(asked.sum()),
        int((asked & open_ & ~hit).sum()),
        true[hits],
        rows[(hit & many)[inner.owner[rows]]],
    )
