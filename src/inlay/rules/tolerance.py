"""Tolerance: how many findings of a rule are too many, and how far the rule is to be trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from inlay.core.errors import InlayError
from inlay.rules.finding import Severity, Verdict

KEYS = ("mostly", "error_if", "warn_if", "trust")
BOUND = re.compile(r"\s*(>=|>)\s*(\d+(?:\.\d+)?)\s*(%?)\s*")
TRUST: dict[str, float] = {"error": 0.95, "warning": 0.6, "info": 0.3}  # where a rule does not say


@dataclass(frozen=True)
class Bound:
    """More than so many findings, or so large a share of the rows that the rule was asked about."""

    sign: Literal[">", ">="]
    number: float
    is_share: bool

    def holds(self, verdict: Verdict) -> bool:
        """Whether a rule found that much."""
        amount = verdict.found / max(verdict.asked, 1) if self.is_share else verdict.found
        return amount > self.number or (self.sign == ">=" and amount == self.number)


@dataclass(frozen=True)
class Tolerance:
    """When findings of a rule are reported, and as what.

    Parameters
    ----------
    mostly
        Share of the rows asked that may break the rule: up to it, findings are tolerated.
    error_if, warn_if
        Findings are errors when the first holds, else warnings when the second holds; where it does not,
        they are tolerated. Without `warn_if` they are what `severity` says.
    trust
        Share of the findings expected to be right, 0 to 1: measured, or guessed from the severity.
    """

    severity: Severity = "warning"
    mostly: float = 0.0
    error_if: Bound | None = None
    warn_if: Bound | None = None
    trust: float = 0.6

    def judged(self, verdict: Verdict) -> Severity | None:
        """The severity of a rule's findings, `None` when they are tolerated."""
        if verdict.found <= self.mostly * verdict.asked and self.mostly:
            return None
        if self.error_if is not None and self.error_if.holds(verdict):
            return "error"
        if self.warn_if is not None:
            return "warning" if self.warn_if.holds(verdict) else None
        return self.severity


def read_tolerance(keys: Mapping[str, Any]) -> Tolerance:
    """The tolerance that the keys of a rule state.

    Raises
    ------
    InlayError
        On what is no share or bound.
    """
    severity = keys["severity"]
    return Tolerance(
        severity,
        _share(keys, "mostly", 0.0),
        _bound(keys, "error_if"),
        _bound(keys, "warn_if"),
        _share(keys, "trust", TRUST.get(severity, 0.0)),
    )


def _share(keys: Mapping[str, Any], key: str, default: float) -> float:
    value = keys.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InlayError(f"{key} is a share from 0 to 1, not {value!r}")
    return float(value)


def _bound(keys: Mapping[str, Any], key: str) -> Bound | None:
    if key not in keys:
        return None
    found = BOUND.fullmatch(keys[key]) if isinstance(keys[key], str) else None
    if found is None:
        raise InlayError(f'{key} is a count or a share, as "> 10" or ">= 2%", not {keys[key]!r}')
    sign, number, percent = found.groups()
    return Bound(sign, float(number) / (100 if percent else 1), bool(percent))  # type: ignore[arg-type]
