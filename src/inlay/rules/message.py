"""The words of a finding: a rule's message with its placeholders filled in."""

from __future__ import annotations

from collections.abc import Mapping

from inlay.core.segmentation import Segmentation
from inlay.rules.rule import Rule


def fill(rule: Rule, values: Mapping[str, object], names: Mapping[str, str]) -> str:
    """The message of a rule about one row: `values` by column key, `names` for {segment}, {a} and {b}."""
    measured = None if rule.measure is None else values[rule.measure.key]
    known = {**values, **rule.parameters, **names, "measured": measured, "limit": rule.limit}
    return "".join(text + (_formatted(known[name], form) if name else "") for text, name, form in rule.words)


def segment_name(label: Segmentation, row: int) -> str:
    """A segment as messages call it: its class, and its id in the file or place in the stack."""
    return f"{label.classes.names[label.class_id[row]]} {segment_id(label, row)}"


def segment_id(label: Segmentation, row: int) -> int:
    """Id of a segment in its source file, else its row + 1."""
    return row + 1 if label.source_id is None else int(label.source_id[row])


def short(value: float) -> str:
    """A number in four digits; a large one as a whole number."""
    return f"{value:.0f}" if 1e4 <= abs(value) < 1e12 else f"{value:.4g}"


def _formatted(value: object, form: str) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, float) and not form:
        return short(value)
    try:
        return format(value, form)
    except ValueError:  # `:.0%` of a word
        return str(value)
