"""Findings as a few lines for people: grouped by rule, the worst first, examples capped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from inlay.core.dataset import Dataset
from inlay.core.staging import staged
from inlay.rules.finding import Finding, Findings

SUFFIX = ".txt"
EXAMPLES = 3
WIDTH = 160


def write(findings: Findings, path: Path, dataset: Dataset | None = None, source: Path | None = None) -> None:
    """Write the summary."""
    del dataset, source
    with staged(path) as part:
        part.write_text(summary(findings) + "\n", "utf-8")


def summary(findings: Findings) -> str:
    """Counts by rule with the examples of each that weigh most."""
    lines = [counted(findings)]
    severity = {finding.rule: finding.severity for finding in findings}
    more = findings.left_out
    for rule, count in findings.by_rule.items():
        found = findings.of(rule)
        amount = str(count) if rule not in more else f"{count + more[rule]}"
        lines.append(_cut(f"  {severity[rule]:<8}{rule} ({amount}){about(found)}"))
        some = weightiest(found, EXAMPLES)
        lines += [_cut(f"          {each.image or 'dataset'}: {each.message}") for each in some]
        if count > len(some):
            lines.append(f"          ... and {count - len(some)} more")
        if rule in more:
            lines.append(f"          {more[rule]} more were counted and not kept")
    return "\n".join([*lines, *(_cut(f"  {line}") for line in remarks(findings))])


def counted(findings: Findings) -> str:
    """How much was checked, and how many findings of each severity there are."""
    size, counts = (", ".join(f"{count} {name}" for name, count in each.items()) for each in totals(findings))
    return f"{size}: {counts or 'no findings'}"


def totals(findings: Findings) -> tuple[dict[str, int], dict[str, int]]:
    """How much was checked, and how many findings of each severity there are, by what is counted."""
    sizes = {"image": findings.images, "segment": findings.segments}
    found = {name: count for name, count in findings.by_severity.items() if count}
    size, counts = ({name + _plural(name, n): n for name, n in each.items()} for each in (sizes, found))
    return size, counts


def about(found: tuple[Finding, ...]) -> str:
    """Which classes findings of one rule are about, when there are many, and what they may cost."""
    words = []
    classes = Counter(name for finding in found for name in set(finding.classes))
    if len(found) > EXAMPLES and len(classes) > 1:
        share = [f"{name} {count / len(found):.0%}" for name, count in classes.most_common(3)]
        words.append(", ".join(share))
    effect = sum(finding.effect for finding in found)
    if effect >= 0.05:
        words.append(f"about {effect:.1f} points")
    return f": {'; '.join(words)}" if words else ""


def weightiest(found: tuple[Finding, ...], count: int) -> list[Finding]:
    """The findings of greatest effect, new ones first."""
    return sorted(found, key=lambda each: (each.state == "unchanged", -each.effect))[:count]


def remarks(findings: Findings) -> list[str]:
    """What is to be said beside the findings: tolerated, waived, known, unknown."""
    lines = []
    causes = len(findings.causes)
    if causes < len(findings):
        lines.append(f"{len(findings)} findings have {causes} causes: some are about one place")
    tolerated = [verdict for verdict in findings.verdicts if verdict.tolerated and verdict.found]
    if tolerated:
        told = ", ".join(f"{each.rule} {each.found} of {each.asked}" for each in tolerated)
        lines.append(f"tolerated: {told}")
    if findings.waived:
        reasons = Counter(each.waiver.reason for each in findings.waived)
        told = ", ".join(f"{count} ({reason})" for reason, count in reasons.items())
        lines.append(f"waived: {told}")
    old = sum(finding.state == "unchanged" for finding in findings)
    if old or findings.gone:
        new = len(findings) - old
        lines.append(f"beside the baseline: {new} new, {old} unchanged, {len(findings.gone)} gone")
    fixable = Counter(finding.fix for finding in findings if finding.fix)
    if fixable:
        told = ", ".join(f"{fix} {count}" for fix, count in fixable.most_common())
        lines.append(f"can be fixed (--fix): {told}")
    unknown = [verdict for verdict in findings.verdicts if verdict.unknown]
    if unknown:
        told = ", ".join(f"{each.rule} {each.unknown} of {each.asked}" for each in unknown)
        lines.append(f"not known, so neither passed nor found: {told}")
    return lines


def _plural(name: str, count: int) -> str:
    return "" if count == 1 or name == "info" else "s"


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."
