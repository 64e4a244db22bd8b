"""Findings as a table that spreadsheets open."""

from __future__ import annotations

import csv
from pathlib import Path

from inlay.core.dataset import Dataset
from inlay.core.staging import staged
from inlay.rules.finding import Finding, Findings

SUFFIX = ".csv"
HEADER = (
    *("rule", "severity", "state", "image", "segments", "classes", "x0", "y0", "x1", "y1"),
    *("measured", "limit", "effect", "message", "fix", "fingerprint"),
)


def write(findings: Findings, path: Path, dataset: Dataset | None = None, source: Path | None = None) -> None:
    """Write one finding a row."""
    del dataset, source
    with staged(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(HEADER)
        table.writerows([_cell(cell) for cell in _row(finding)] for finding in findings)


def _row(finding: Finding) -> list[object]:
    return [
        *(finding.rule, finding.severity, finding.state, finding.image),
        *(" ".join(map(str, finding.segments)), ", ".join(finding.classes)),
        *(finding.box or (None,) * 4),
        *(finding.measured, finding.limit, round(finding.effect, 4)),
        *(finding.message, finding.fix, finding.fingerprint),
    ]


def _cell(value: object) -> object:
    """A word that a spreadsheet would run as a formula is written as a word."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value
