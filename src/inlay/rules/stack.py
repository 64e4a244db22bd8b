"""Many measured images judged at once: their tables one below another, and whose row each is."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Sample
from inlay.rules.evidence import Evidence
from inlay.rules.finding import Finding, Verdict
from inlay.rules.judge import Inner, Judged, judge
from inlay.rules.measure import Measured, Plan, frame
from inlay.rules.noise import excess, weightiest
from inlay.rules.rule import COUNT, Rule

STREAMED = ("segment", "pair", "image")
UNREADABLE = "unreadable"


def judge_images(
    rules: Sequence[Rule], plan: Plan, images: Sequence[Measured], load: Callable[[str], Sample], most: int
) -> tuple[dict[int, list[Finding]], list[Verdict]]:
    """Findings by the place of their image, `most` of each rule, and the verdicts, which count them all."""
    verdicts, hits = _judge_images(rules, plan, images)
    found: dict[int, list[Finding]] = {}
    for place, of_image in itertools.groupby(sorted(hits, key=_place), key=lambda hit: hit.image):
        image = images[place]
        again = partial(load, image.name)
        evidence = Evidence(image.name, image.label, image.predicted, again, image.segments)
        found[place] = [
            evidence.finding(rules[hit.rule], hit.row, hit.rows, hit.values)
            for number, of_rule in itertools.groupby(of_image, key=lambda hit: hit.rule)
            for hit in _heavy(rules[number], list(of_rule), most)
        ]
    return found, verdicts


def no_verdicts(rules: Sequence[Rule]) -> list[Verdict]:
    """Verdicts of nothing asked yet."""
    return [Verdict(UNREADABLE, "error"), *(Verdict(rule.id, rule.severity) for rule in rules)]


@dataclass(frozen=True)
class _Hit:
    """A row that breaks a rule."""

    image: int
    rule: int
    row: int  # of the image's table
    rows: tuple[int, ...]  # segments
    values: Mapping[str, Any]


def _heavy(rule: Rule, hits: list[_Hit], most: int) -> list[_Hit]:
    """The hits of a rule in one image that lie furthest beyond its limit."""
    if rule.measure is None:
        return hits[:most]
    weights = [excess(hit.values[rule.measure.key], rule.limit) for hit in hits]
    return [hits[place] for place in weightiest(weights, most)]


def _place(hit: _Hit) -> tuple[int, int, int]:
    return hit.image, hit.rule, hit.row


class _Stack:
    """The tables of some images, one scope below another, and which image each row is of."""

    def __init__(self, scope: str, plan: Plan, images: Sequence[Measured]) -> None:
        self.places = [place for place, image in enumerate(images) if scope in image.values]
        lengths = [images[place].lengths[scope] for place in self.places]
        self.ends = np.cumsum(lengths, dtype=np.int64)
        self.starts = self.ends - lengths
        self.table = frame(plan.frames[scope], [images[each].values[scope] for each in self.places], lengths)

    def split(self, rows: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
        """(image, row of the image's table) of some rows."""
        at = np.searchsorted(self.ends, rows, side="right")
        return zip([self.places[each] for each in at.tolist()], (rows - self.starts[at]).tolist())


def _judge_images(
    rules: Sequence[Rule], plan: Plan, images: Sequence[Measured]
) -> tuple[list[Verdict], list[_Hit]]:
    verdicts, hits = no_verdicts(rules), []
    stacks = {scope: _Stack(scope, plan, images) for scope in STREAMED if scope in plan.frames}
    for scope, stack in stacks.items():
        for over in ("", "segment", "pair"):
            numbers = [
                number
                for number, rule in enumerate(rules)
                if rule.scope == scope and rule.over == over and not rule.is_late
            ]
            if not numbers or not stack.places:
                continue
            inner = _inner(stack, stacks[over], scope, over, images) if over else None
            for number, judged in zip(numbers, judge([rules[each] for each in numbers], stack.table, inner)):
                own = list(_hits_of(rules[number], number, judged, stack, images, inner, stacks.get(over)))
                hits += own
                verdicts[number + 1] += Verdict(
                    rules[number].id, rules[number].severity, judged.asked, judged.unknown, len(own)
                )
    return verdicts, hits


def _inner(outer: _Stack, inner: _Stack, scope: str, over: str, images: Sequence[Measured]) -> Inner:
    """The rows counted within each row of `outer`: pairs of a segment, segments of an image."""
    start = dict(zip(outer.places, outer.starts.tolist()))
    owners = [np.empty(0, np.int64)]
    for place in inner.places:
        first = images[place].rows[over][0]
        owners.append(start[place] + (first if scope == "segment" else np.zeros(len(first), np.int64)))
    return Inner(inner.table, np.concatenate(owners))


def _hits_of(
    rule: Rule,
    number: int,
    judged: Judged,
    stack: _Stack,
    images: Sequence[Measured],
    inner: Inner | None,
    counted: _Stack | None,
) -> Iterator[_Hit]:
    """The hits of one rule; of a pair found both ways round, the first."""
    if not len(judged.hits):
        return
    seen: set[tuple[int, frozenset[int]]] = set()
    values: list[dict[str, Any]] = [{} for _ in judged.hits]
    if rule.columns:
        keys = [reference.key for reference in rule.columns]
        values = stack.table[judged.hits].select(keys).to_dicts()
    others = _others(rule, judged, inner, counted, images)
    for at, (place, row) in enumerate(stack.split(judged.hits)):
        rows = tuple(int(each[row]) for each in images[place].rows[rule.scope])
        key = place, frozenset(rows)
        if rule.scope == "pair" and key in seen:
            continue
        seen.add(key)
        if judged.count is not None:
            values[at][COUNT.key] = int(judged.count[at])
            rows += others.get(int(judged.hits[at]), ())
        yield _Hit(place, number, row, rows, values[at])


def _others(
    rule: Rule, judged: Judged, inner: Inner | None, counted: _Stack | None, images: Sequence[Measured]
) -> dict[int, tuple[int, ...]]:
    """The segments that are too many, by the row that they were counted in."""
    found: dict[int, tuple[int, ...]] = {}
    if inner is None or counted is None or judged.inner is None:
        return found
    for owner, (place, row) in zip(inner.owner[judged.inner].tolist(), counted.split(judged.inner)):
        found[owner] = (*found.get(owner, ()), int(images[place].rows[rule.over][-1][row]))
    return found
