"""Noise control: caps that keep counts, findings that share a cause, the expected effect of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from inlay.rules.finding import Finding, Severity, Verdict
from inlay.rules.rule import Rule
from inlay.rules.tables import DatasetTable


@dataclass(frozen=True)
class Caps:
    """How many findings are kept; the rest is counted.

    Parameters
    ----------
    per_image
        Of one rule in one image.
    per_rule
        Of one rule in all.
    """

    per_image: int = 20
    per_rule: int = 2_000


DEFAULT = Caps()


def excess(measured: object, limit: object) -> float:
    """How far a value lies beyond its limit, as a ratio of the two; 1 where they are no numbers."""
    pair = [value for value in (measured, limit) if isinstance(value, int | float)]
    if len(pair) < 2 or any(isinstance(value, bool) for value in pair):
        return 1.0
    low, high = sorted(map(abs, pair))
    return high / low if low else 1.0 + high


def weightiest(weights: Sequence[float], most: int) -> list[int]:
    """Places of the greatest weights, no more than `most`, in order; of equal ones the first."""
    if len(weights) <= most:
        return list(range(len(weights)))
    return sorted(sorted(range(len(weights)), key=lambda place: -weights[place])[:most])


class Kept:
    """Findings as they come, of each rule no more than its cap: those furthest beyond its limit."""

    def __init__(self, caps: Caps) -> None:
        self._most = caps.per_rule
        self._kept: dict[str, list[tuple[int, Finding]]] = defaultdict(list)
        self._come = 0

    def add(self, findings: Iterable[Finding]) -> None:
        """Keep what the caps leave room for."""
        for finding in findings:
            self._come += 1
            some = self._kept[finding.rule]
            some.append((self._come, finding))
            if len(some) > 2 * self._most:
                self._kept[finding.rule] = self._within(some)

    @property
    def found(self) -> list[Finding]:
        """What is kept, in the order in which it came."""
        kept = [each for some in self._kept.values() for each in self._within(some)]
        return [finding for _, finding in sorted(kept, key=lambda each: each[0])]

    def _within(self, some: list[tuple[int, Finding]]) -> list[tuple[int, Finding]]:
        weights = [excess(finding.measured, finding.limit) for _, finding in some]
        return [some[place] for place in weightiest(weights, self._most)]


def tolerated(
    found: Iterable[Finding], verdicts: Sequence[Verdict], rules: Sequence[Rule]
) -> tuple[list[Finding], list[Verdict]]:
    """Findings with the severity that their number gives them, without those that are tolerated."""
    judged: dict[str, Severity | None] = {}
    changed = [verdicts[0]]
    for rule, verdict in zip(rules, verdicts[1:]):
        severity = rule.tolerance.judged(verdict)
        judged[rule.id] = severity
        changed.append(replace(verdict, severity=severity or verdict.severity, tolerated=severity is None))
    kept = []
    for finding in found:
        severity = judged.get(finding.rule, finding.severity)
        if severity is not None:
            kept.append(finding if severity == finding.severity else replace(finding, severity=severity))
    return kept, changed


def weighed(found: Iterable[Finding], rules: Sequence[Rule], census: DatasetTable) -> list[Finding]:
    """Findings with their expected effect on a metric that weighs classes alike, as PQ, in points.

    A rule is right as often as it is trusted. If it is, the part of the segments that it points at is lost:
    a share of one segment of its class, the class being one of all that occur. A finding without segments
    weighs nothing: what it would cost is not known.
    """
    trust = {rule.id: rule.tolerance.trust for rule in rules}
    count = dict(zip(census.classes.names, census.segment_count.tolist()))
    occurring = max(sum(number > 0 for number in count.values()), 1)
    weights = []
    for finding in found:
        each = min((count.get(name, 0) for name in finding.classes), default=0)
        effect = 0.0
        if finding.share is not None and each:
            effect = 100 * trust.get(finding.rule, 1.0) * finding.share / (each * occurring)
        weights.append(replace(finding, effect=effect))
    return weights


@dataclass(frozen=True)
class Cause:
    """Findings that share a cause: those about the same place of the same segments of one image.

    Parameters
    ----------
    main
        The worst of them, and of these the one with the greatest effect.
    others
        What else was found about it.
    """

    main: Finding
    others: tuple[Finding, ...] = ()

    @property
    def effect(self) -> float:
        """Expected effect of mending it: that of the finding that weighs most, since they are one fault."""
        return max(each.effect for each in (self.main, *self.others))


RANK: Mapping[Severity, int] = {"error": 0, "warning": 1, "info": 2}


def causes(found: Iterable[Finding]) -> list[Cause]:
    """Findings grouped by cause, the worst first: by severity, then by effect."""
    by_image: dict[str | None, list[Finding]] = defaultdict(list)
    for finding in found:
        by_image[finding.image].append(finding)
    grouped = [
        cause
        for image, of_image in by_image.items()
        for cause in ([Cause(each) for each in of_image] if image is None else _of_image(of_image))
    ]
    return sorted(grouped, key=lambda cause: (RANK[cause.main.severity], -cause.effect))


def _of_image(found: Sequence[Finding]) -> list[Cause]:
    group = np.arange(len(found))
    by_segment: dict[int, list[int]] = defaultdict(list)
    for place, finding in enumerate(found):
        for row in finding.rows:
            by_segment[row].append(place)
    for places in by_segment.values():
        for at, first in enumerate(places):
            for second in places[at + 1 :]:
                if group[first] != group[second] and _meet(found[first], found[second]):
                    group[group == group[second]] = group[first]
    members: dict[int, list[Finding]] = defaultdict(list)
    for place, finding in enumerate(found):
        members[int(group[place])].append(finding)
    return [_cause(some) for some in members.values()]


def _cause(some: list[Finding]) -> Cause:
    main, *others = sorted(some, key=lambda each: (RANK[each.severity], -each.effect))
    return Cause(main, tuple(others))


def _meet(one: Finding, other: Finding) -> bool:
    """Whether two findings of different rules point at the same place, by their boxes."""
    if one.rule == other.rule or one.box is None or other.box is None:
        return False
    low = max(one.box[0], other.box[0]), max(one.box[1], other.box[1])
    high = min(one.box[2], other.box[2]), min(one.box[3], other.box[3])
    return low[0] < high[0] and low[1] < high[1]
