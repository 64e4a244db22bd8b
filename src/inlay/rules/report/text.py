"""Findings as a few lines for people: grouped by rule, the worst first, examples capped."""

from __future__ import annotations

from inlay.rules.finding import Findings

EXAMPLES = 3
WIDTH = 160


def summary(findings: Findings) -> str:
    """Counts by rule with the first examples of each."""
    lines = [counted(findings)]
    severity = {finding.rule: finding.severity for finding in findings}
    for rule, count in findings.by_rule.items():
        lines.append(f"  {severity[rule]:<8}{rule} ({count})")
        some = findings.of(rule)[:EXAMPLES]
        lines += [_cut(f"          {each.image or 'dataset'}: {each.message}") for each in some]
        if count > len(some):
            lines.append(f"          ... and {count - len(some)} more")
    unknown = [verdict for verdict in findings.verdicts if verdict.unknown]
    if unknown:
        told = ", ".join(f"{each.rule} {each.unknown} of {each.asked}" for each in unknown)
        lines.append(_cut(f"  not known, so neither passed nor found: {told}"))
    return "\n".join(lines)


def counted(findings: Findings) -> str:
    """How much was checked, and how many findings of each severity there are."""
    counts = ", ".join(
        f"{count} {name}{_plural(name, count)}" for name, count in findings.by_severity.items() if count
    )
    return f"{findings.images} images, {findings.segments} segments: {counts or 'no findings'}"


def _plural(name: str, count: int) -> str:
    return "" if count == 1 or name == "info" else "s"


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."
