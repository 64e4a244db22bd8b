"""Findings: what rules report, one for each segment, pair, image or class that breaks one."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, overload

from inlay.core.dataset import Dataset
from inlay.rules.rule import SEVERITIES, Severity

Measured = float | int | bool | str | None
Box = tuple[float, float, float, float]
Region = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """One thing that breaks a rule.

    Parameters
    ----------
    image
        Name of the sample; `None` for a finding about the dataset.
    segments
        Ids of the segments in the source file, else their rows + 1.
    rows
        The same segments as rows of the sample's `Segmentation`.
    box
        Where: x0, y0, x1, y1 in pixels; `None` when it is the whole image or dataset.
    region
        The offending pixels as COCO's compressed run lengths, `{"size": [h, w], "counts": "..."}`.
    measured, limit
        The value that broke the rule, and the number it was held against, if it was one.
    fix
        Id of a fix that can be applied.
    fingerprint
        The same for the same rule, image and geometry, in whatever order the segments stand.
    """

    rule: str
    severity: Severity
    image: str | None
    segments: tuple[int, ...]
    rows: tuple[int, ...]
    box: Box | None
    region: Region | None
    measured: Measured
    limit: float | None
    message: str
    fix: str | None
    fingerprint: str

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Finding:
        """The finding of a JSON object; keys that it lacks are empty, others are left out."""
        known = {item.name: content.get(item.name) for item in fields(cls)}
        for key in ("segments", "rows"):
            known[key] = tuple(known[key] or ())
        known["box"] = None if known["box"] is None else tuple(known["box"])
        return cls(**known)  # type: ignore[arg-type]

    def __str__(self) -> str:
        place = "dataset" if self.image is None else self.image
        return f"{place}: {self.severity}: {self.message} [{self.rule}]"


@dataclass(frozen=True)
class Verdict:
    """How often one rule was asked, and what came of it."""

    rule: str
    severity: Severity
    asked: int = 0  # rows that `where` selects
    unknown: int = 0  # of them, rows about which the rule cannot say anything
    found: int = 0

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            self.rule,
            self.severity,
            self.asked + other.asked,
            self.unknown + other.unknown,
            self.found + other.found,
        )


@dataclass(frozen=True, eq=False)
class Findings(Sequence[Finding]):
    """All findings of one check, in the order of the samples.

    Parameters
    ----------
    verdicts
        One for each rule, in the order of the packs.
    images, segments
        How much was checked.
    """

    found: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    images: int = 0
    segments: int = 0
    dataset: Dataset | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.found)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        return self.found[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def __repr__(self) -> str:
        return f"Findings({len(self)} in {self.images} images, worst: {self.worst or 'none'})"

    @property
    def by_severity(self) -> dict[Severity, int]:
        """Findings of each severity, the worst first."""
        counts = Counter(finding.severity for finding in self.found)
        return {severity: counts[severity] for severity in SEVERITIES}

    @property
    def by_rule(self) -> dict[str, int]:
        """Findings of each rule that found something: the worst severity first, then the most findings."""
        counts = Counter(finding.rule for finding in self.found)
        severity = {finding.rule: SEVERITIES.index(finding.severity) for finding in self.found}
        return dict(sorted(counts.items(), key=lambda item: (severity[item[0]], -item[1], item[0])))

    @property
    def worst(self) -> Severity | None:
        """The worst severity found."""
        return next((severity for severity, count in self.by_severity.items() if count), None)

    @property
    def exit_code(self) -> int:
        """0 when there is no error, 1 when there is; 2 stands for a check that broke."""
        return int(self.worst == "error")

    def of(self, rule: str) -> tuple[Finding, ...]:
        """The findings of one rule."""
        return tuple(finding for finding in self.found if finding.rule == rule)

    def to_jsonl(self, path: Path | str) -> None:
        """Write one JSON object a line."""
        from inlay.rules.report import jsonl

        jsonl.write(self, Path(path))

    def to_html(self, path: Path | str, dataset: Dataset | None = None) -> None:
        """Write a contact sheet: a self-contained page of crops, grouped by rule."""
        from inlay.rules.report import html

        html.write(self, Path(path), dataset or self.dataset)

    def __str__(self) -> str:
        from inlay.rules.report import text

        return text.summary(self)

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(str(self))}</pre>"


def fingerprint(rule: str, image: str | None, geometry: Sequence[bytes]) -> str:
    """Sixteen hex digits for a rule, an image and the run lengths of the segments, in whatever order."""
    digest = hashlib.blake2b(digest_size=8)
    for part in (rule.encode(), (image or "").encode(), *sorted(geometry)):
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()
