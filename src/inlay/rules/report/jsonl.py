"""Findings as JSON Lines: one object a line, the keys in the order of `Finding`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from inlay.core.dataset import Dataset
from inlay.core.staging import staged
from inlay.rules.finding import Finding, Findings

SUFFIX = ".jsonl"
KEYS = tuple(item.name for item in dataclasses.fields(Finding) if item.name != "rows")


def line(finding: Finding) -> str:
    """One finding as JSON, without the line end."""
    return json.dumps({key: getattr(finding, key) for key in KEYS}, ensure_ascii=False)


def write(findings: Findings, path: Path, dataset: Dataset | None = None, source: Path | None = None) -> None:
    """Write all findings; the file appears whole or not at all, folders are made."""
    del dataset, source
    with staged(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(line(finding) + "\n" for finding in findings)
