"""Findings as Markdown for a pull request: a table of the rules, below it the weightiest findings."""

from __future__ import annotations

from pathlib import Path

from inlay.core.dataset import Dataset
from inlay.core.staging import staged
from inlay.rules.finding import Finding, Findings
from inlay.rules.report.text import counted, remarks, weightiest

SUFFIX = ".md"
SHOWN = 10  # findings of each rule
LONGEST = 60_000  # letters; a comment on GitHub holds 65 536
MARKS = {"error": "🔴", "warning": "🟠", "info": "🔵"}


def write(findings: Findings, path: Path, dataset: Dataset | None = None, source: Path | None = None) -> None:
    """Write the page, cut where a comment would be too long."""
    del dataset
    title = "Labels" if source is None else f"Labels of {_plain(source.name)}"
    head = [f"### {title}: {counted(findings)}", "", *_table(findings)]
    head += ["", *(f"- {_plain(line)}" for line in remarks(findings))]
    text = "\n".join(head)
    for rule in findings.by_rule:
        part = "\n".join(_details(rule, findings.of(rule)))
        if len(text) + len(part) > LONGEST:
            text += "\n\n... and more: see the whole report."
            break
        text += "\n\n" + part
    with staged(path) as staged_path:
        staged_path.write_text(text + "\n", "utf-8")


def _table(findings: Findings) -> list[str]:
    if not len(findings):
        return ["No findings."]
    lines = ["| | rule | findings | new | points | fix |", "|---|---|---:|---:|---:|---|"]
    for rule, count in findings.by_rule.items():
        found = findings.of(rule)
        new = sum(each.state == "new" for each in found) if any(each.state for each in found) else ""
        effect = sum(each.effect for each in found)
        cells = (MARKS[found[0].severity], f"`{rule}`", count, new, f"{effect:.1f}", found[0].fix or "")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def _details(rule: str, found: tuple[Finding, ...]) -> list[str]:
    some = weightiest(found, SHOWN)
    lines = [f"<details><summary><code>{rule}</code> ({len(found)})</summary>", ""]
    lines += [f"- **{_plain(each.image or 'the dataset')}**: {_plain(each.message)}" for each in some]
    if len(found) > len(some):
        lines.append(f"- ... and {len(found) - len(some)} more")
    return [*lines, "", "</details>"]


def _plain(text: str) -> str:
    """Text that Markdown and HTML leave as it is."""
    for sign in "\\`*_{}[]<>|#~@":
        text = text.replace(sign, f"\\{sign}" if sign not in "<>@" else f"&#{ord(sign)};")
    return " ".join(text.split())
