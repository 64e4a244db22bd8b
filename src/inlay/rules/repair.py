"""Repair: the fixes of findings applied, each within its limit, with a patch that says what it did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from inlay import plugins
from inlay.core.dataset import Dataset, Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.evidence import coco_region
from inlay.rules.finding import Finding, Region
from inlay.rules.message import segment_id
from inlay.rules.rule import MAX_CHANGE


class Fix(Protocol):
    """A module of `inlay.rules.fixes`."""

    SAFE: bool  # whether it leaves classes and ids alone

    def fix(
        self, label: Segmentation, rows: tuple[int, ...], region: Masks | None
    ) -> tuple[Segmentation, tuple[int, ...]]:
        """The changed label with the same rows, and the rows that are to go."""


@dataclass(frozen=True)
class Step:
    """What a patch did to one segment.

    Parameters
    ----------
    before, after
        Its mask as COCO run lengths; `None` when it has no pixel, or when it is gone.
    iou
        Of the two; of a segment that is gone, with the one that it doubled.
    """

    segment: int
    before: Region | None
    after: Region | None
    changed_px: int
    iou: float


@dataclass(frozen=True)
class Patch:
    """What one fix did about one finding, or would have done.

    Parameters
    ----------
    refused
        Why it was not applied; empty when it was.
    """

    finding: Finding
    fix: str
    steps: tuple[Step, ...]
    refused: str = ""

    @property
    def changed_px(self) -> int:
        """Pixels that came or went, over all segments."""
        return sum(step.changed_px for step in self.steps)

    @property
    def iou(self) -> float:
        """The least agreement of a segment with itself before."""
        return min((step.iou for step in self.steps), default=1.0)

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return {
            "fix": self.fix,
            "rule": self.finding.rule,
            "image": self.finding.image,
            "fingerprint": self.finding.fingerprint,
            "changed_px": self.changed_px,
            "iou": self.iou,
            "refused": self.refused,
            "steps": [vars(step) for step in self.steps],
        }


@dataclass(frozen=True, eq=False)
class Repaired:
    """A label after its fixes.

    Parameters
    ----------
    rows
        (M,) row of `before` that each row of `after` was.
    """

    before: Segmentation
    after: Segmentation
    rows: tuple[int, ...]
    patches: tuple[Patch, ...]


def repair_label(
    label: Segmentation, found: Iterable[Finding], limits: Mapping[str, float], *, unsafe: bool = False
) -> Repaired:
    """A label with the fixes of its findings applied one after another, as far as their limits let them.

    Parameters
    ----------
    limits
        Largest share of a segment's pixels that the fix of a rule may change, by the rule's id.
    unsafe
        Apply fixes as well that change classes or ids.
    """
    current, gone, patches = label, set[int](), list[Patch]()
    for finding in found:
        if finding.fix is None:
            continue
        module: Any = plugins.load("rules.fixes", finding.fix)
        if not module.SAFE and not unsafe:
            patches.append(Patch(finding, finding.fix, (), "it changes ids or classes (--unsafe-fixes)"))
            continue
        if gone.intersection(finding.rows):
            patches.append(Patch(finding, finding.fix, (), "another fix has taken a segment of it away"))
            continue
        region = _region(finding, label.size)
        changed, drops = module.fix(current, finding.rows, region)
        steps = tuple(_steps(current, changed, finding, drops))
        limit = limits.get(finding.rule, MAX_CHANGE)
        refused = _refusal(current, steps, limit) if steps or drops else ""
        patches.append(Patch(finding, finding.fix, steps, refused))
        if not refused:
            current = changed
            gone.update(drops)
    rows = tuple(row for row in range(len(label)) if row not in gone)
    return Repaired(label, current[list(rows)] if gone else current, rows, tuple(patches))


def _region(finding: Finding, size: tuple[int, int]) -> Masks | None:
    return None if finding.region is None else Masks.from_strings([finding.region["counts"]], size)


def _steps(
    before: Segmentation, after: Segmentation, finding: Finding, drops: Sequence[int]
) -> Iterable[Step]:
    for row in drops:
        kept = [each for each in finding.rows if each not in drops]
        twin = before.masks[kept].union() if kept else Masks.empty(before.size, 1)
        yield _step(before, row, before.masks[row], twin, gone=True)
    pairs = [(before.masks, after.masks)]
    if before.amodal is not None and after.amodal is not None:
        pairs.append((before.amodal, after.amodal))
    for old, new in pairs:
        for row in range(len(before)):
            if not old[row].equals(new[row]):
                yield _step(before, row, old[row], new[row])
    for row in np.flatnonzero(before.instance_id != after.instance_id).tolist():
        yield _step(before, row, before.masks[row], before.masks[row])


def _step(label: Segmentation, row: int, old: Masks, new: Masks, *, gone: bool = False) -> Step:
    shared = int(old.intersection(new)[0, 0])
    union = int(old.area()[0]) + int(new.area()[0]) - shared
    return Step(
        segment_id(label, row),
        coco_region(old),
        None if gone else coco_region(new),
        union - shared,
        shared / union if union else 1.0,
    )


def _refusal(label: Segmentation, steps: Sequence[Step], limit: float) -> str:
    """Why a fix is too much; empty when it is not."""
    for step in steps:
        rows = [row for row in range(len(label)) if segment_id(label, row) == step.segment]
        area = int(label.masks[rows].union().area()[0])
        if step.changed_px > limit * max(area, 1) and step.changed_px > 0:
            share = step.changed_px / max(area, 1)
            return f"it would change {share:.1%} of segment {step.segment}; its rule allows {limit:.1%}"
    return ""


@dataclass(frozen=True, eq=False)
class Repair:
    """Fixes the samples of a dataset as they are loaded; picklable."""

    dataset: Dataset
    found: Mapping[str, tuple[Finding, ...]]
    limits: Mapping[str, float]
    unsafe: bool = False

    @classmethod
    def of(
        cls, dataset: Dataset, found: Iterable[Finding], limits: Mapping[str, float], *, unsafe: bool = False
    ) -> Repair:
        """The repair of what was found in a dataset; limits as in `repair_label`."""
        by_image: dict[str, list[Finding]] = defaultdict(list)
        for finding in found:
            if finding.fix is not None and finding.image is not None:
                by_image[finding.image].append(finding)
        return cls(dataset, {name: tuple(some) for name, some in by_image.items()}, limits, unsafe)

    def label(self, name: str) -> Repaired:
        """One label after its fixes.

        Raises
        ------
        InlayError
            When the sample cannot be read any more.
        """
        label = self.dataset.load(name).label()
        return repair_label(label, self.found[name], self.limits, unsafe=self.unsafe)

    def load(self, name: str) -> Sample:
        """One sample after its fixes."""
        sample = self.dataset.load(name)
        if name not in self.found or sample.segmentation is None:
            return sample
        return sample.replace(segmentation=self.label(name).after)

    @property
    def repaired(self) -> Dataset:
        """The dataset after its fixes, read and fixed when asked for."""
        return replace(self.dataset, load=self.load)
