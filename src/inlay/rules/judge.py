"""Judging: rules as column expressions over a measured table, in SQL's three-valued logic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.rules.rule import Rule

if TYPE_CHECKING:
    import polars as pl


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
    expressions = [
        expression.alias(f"{kind}{number}")
        for number, rule in enumerate(rules)
        for kind, expression in _expressions(rule).items()
    ]
    answers = table.select(expressions)
    if answers.height != table.height:  # all of them are literals
        answers = table.with_columns(expressions)
    found = []
    for number, rule in enumerate(rules):
        asked = answers[f"asked{number}"]
        if rule.over and inner is not None:
            found.append(_counted(rule, asked.to_numpy(), inner))
            continue
        hits = np.flatnonzero(answers[f"hit{number}"].to_numpy())
        found.append(Judged(hits, int(asked.sum()), int(answers[f"unknown{number}"].sum())))
    return found


def _expressions(rule: Rule) -> dict[str, pl.Expr]:
    import polars as pl

    where = pl.lit(True) if rule.where is None else rule.where.compile().fill_null(False)
    exempt = pl.lit(False) if rule.unless is None else rule.unless.compile().fill_null(False)
    asked = where & ~exempt
    if rule.over:
        return {"asked": asked}
    verdict = rule.verdict.compile() if rule.forbids else ~rule.verdict.compile()
    return {
        "asked": asked,
        "unknown": asked & verdict.is_null(),
        "hit": asked & verdict.fill_null(False),
    }


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
