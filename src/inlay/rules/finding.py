"""Findings: what rules report, one for each segment, pair, image or class that breaks one."""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError

if TYPE_CHECKING:
    from datetime import date

    from inlay.rules.baseline import Baseline, Known
    from inlay.rules.noise import Cause
    from inlay.rules.repair import Repair
    from inlay.rules.waivers import Waived, Waiver

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")  # the worst first
Measured = float | int | bool | str | None
Box = tuple[float, float, float, float]
Region = Mapping[str, Any]
State = Literal["", "new", "unchanged"]


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
        Name of the fix that the rule offers.
    fingerprint
        The same for the same rule and image, and segments of the same classes at about the same places.
    classes
        Class of each segment.
    share
        Part of the segments that the region is, 1 when it is all of them; `None` without segments.
    effect
        Expected effect on a metric that weighs all classes alike, points of 100: see `inlay.rules.noise`.
    state
        Beside a baseline: "new" or "unchanged"; else empty.
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
    classes: tuple[str, ...] = ()
    share: float | None = None
    effect: float = 0.0
    state: State = ""

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def of_json(cls, content: Mapping[str, Any]) -> Finding:
        """The finding of a JSON object; keys that it lacks are empty, others are left out."""
        known = {item.name: content.get(item.name) for item in fields(cls)}
        for key in ("segments", "rows", "classes"):
            known[key] = tuple(known[key] or ())
        known["effect"], known["state"] = known["effect"] or 0.0, known["state"] or ""
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
    tolerated: bool = False  # they are not reported: the rule allows for that many

    def __add__(self, other: Verdict) -> Verdict:
        return replace(
            self,
            asked=self.asked + other.asked,
            unknown=self.unknown + other.unknown,
            found=self.found + other.found,
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
    limits
        Largest share of a segment's pixels that the fix of a rule may change, by the rule's id.
    waived
        Findings that a waiver covers.
    gone
        What a baseline remembers and is no longer found.
    """

    found: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    images: int = 0
    segments: int = 0
    dataset: Dataset | None = field(default=None, repr=False)
    limits: Mapping[str, float] = field(default_factory=dict, repr=False)
    waived: tuple[Waived, ...] = ()
    gone: tuple[Known, ...] = ()

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
        """Findings of each rule that found something: the worst severity first, then the greatest effect."""
        counts = Counter(finding.rule for finding in self.found)
        severity = {finding.rule: SEVERITIES.index(finding.severity) for finding in self.found}
        effect: dict[str, float] = defaultdict(float)
        for finding in self.found:
            effect[finding.rule] += finding.effect
        order = sorted(counts, key=lambda rule: (severity[rule], -effect[rule], -counts[rule], rule))
        return {rule: counts[rule] for rule in order}

    @property
    def left_out(self) -> dict[str, int]:
        """Findings of each rule that were counted, and are not kept because of the caps."""
        kept = Counter(finding.rule for finding in self.found)
        kept.update(each.finding.rule for each in self.waived)
        more = {each.rule: each.found - kept[each.rule] for each in self.verdicts if not each.tolerated}
        return {rule: count for rule, count in more.items() if count > 0}

    @property
    def causes(self) -> list[Cause]:
        """Findings grouped by what they are about: those that share a place and segments; the worst first."""
        from inlay.rules.noise import causes

        return causes(self.found)

    @property
    def worst(self) -> Severity | None:
        """The worst severity found."""
        return next((severity for severity, count in self.by_severity.items() if count), None)

    @property
    def exit_code(self) -> int:
        """0 when there is no error, 1 when there is; beside a baseline only new ones count.

        2 stands for a check that broke.
        """
        return int(any(each.severity == "error" and each.state != "unchanged" for each in self.found))

    def of(self, rule: str) -> tuple[Finding, ...]:
        """The findings of one rule."""
        return tuple(finding for finding in self.found if finding.rule == rule)

    def waive(self, waivers: Sequence[Waiver], today: date | None = None) -> Findings:
        """The findings that no waiver covers, and what is to be said about the waivers themselves."""
        from inlay.rules.waivers import waive

        kept, waived = waive(self.found, waivers, today)
        return replace(self, found=tuple(kept), waived=(*self.waived, *waived))

    def compare(self, baseline: Baseline) -> Findings:
        """The findings, each marked as new or unchanged since the baseline was made."""
        from inlay.rules.baseline import compared

        marked, gone = compared(self.found, baseline)
        return replace(self, found=tuple(marked), gone=tuple(gone))

    @property
    def new(self) -> Findings:
        """Those alone that are not in the baseline."""
        return replace(self, found=tuple(each for each in self.found if each.state != "unchanged"))

    def repair(self, dataset: Dataset | None = None, *, unsafe: bool = False) -> Repair:
        """The fixes of these findings, each within the limit of its rule; nothing is changed yet.

        Raises
        ------
        InlayError
            When there is no dataset to repair.
        """
        from inlay.rules.repair import Repair

        chosen = dataset if dataset is not None else self.dataset
        if chosen is None:
            raise InlayError("these findings do not know their dataset: repair(dataset)")
        return Repair.of(chosen, self.found, self.limits, unsafe=unsafe)

    def write(
        self,
        path: Path | str,
        *,
        to: str | None = None,
        dataset: Dataset | None = None,
        source: Path | None = None,
    ) -> None:
        """Write a report as `to` names it, else as the suffix of the path says.

        Suffixes are .jsonl, .sarif, .xml (JUnit), .json (COCO), .md, .csv, .html and .txt.
        """
        from inlay.rules.report import write_report

        write_report(self, path, to=to, dataset=dataset, source=source)

    def to_jsonl(self, path: Path | str) -> None:
        """Write one JSON object a line."""
        self.write(path, to="jsonl")

    def to_html(self, path: Path | str, dataset: Dataset | None = None) -> None:
        """Write a contact sheet: a self-contained page of crops, grouped by rule."""
        self.write(path, to="html", dataset=dataset)

    def __str__(self) -> str:
        from inlay.rules.report import text

        return text.summary(self)

    def _repr_html_(self) -> str:
        from html import escape

        return f"<pre>{escape(str(self))}</pre>"


def fingerprint(rule: str, image: str | None, marks: Sequence[str]) -> str:
    """Sixteen hex digits for a rule, an image and the `mark`s of the segments, in whatever order."""
    digest = hashlib.blake2b(digest_size=8)
    for part in (rule, image or "", *sorted(marks)):
        text = part.encode("utf-8", "surrogatepass")
        digest.update(len(text).to_bytes(8, "little") + text)
    return digest.hexdigest()


def mark(class_name: str, box: Sequence[float]) -> str:
    """A segment by its class and about where it is: its box on a grid as wide as a quarter of it."""
    x0, y0, x1, y1 = box
    cell = 2 ** max(round(math.log2(max(x1 - x0, y1 - y0, 1) / 4)), 3)
    return f"{class_name} {cell} {round((x0 + x1) / 2 / cell)} {round((y0 + y1) / 2 / cell)}"
