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


def judge(rules: Sequence[Rule], table: pl.DataFrame) -> list[Judged]:
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
    answers = table.with_columns(expressions)
    return [
        Judged(
            np.flatnonzero(answers[f"hit{number}"].to_numpy()),
            int(answers[f"asked{number}"].sum()),
            int(answers[f"unknown{number}"].sum()),
        )
        for number in range(len(rules))
    ]


def _expressions(rule: Rule) -> dict[str, pl.Expr]:
    import polars as pl

    where = pl.lit(True) if rule.where is None else rule.where.compile().fill_null(False)
    exempt = pl.lit(False) if rule.unless is None else rule.unless.compile().fill_null(False)
    verdict = rule.verdict.compile() if rule.forbids else ~rule.verdict.compile()
    asked = where & ~exempt
    return {
        "asked": asked,
        "unknown": asked & verdict.is_null(),
        "hit": asked & verdict.fill_null(False),
    }
