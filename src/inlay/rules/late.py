"""Late rules: those that need the whole dataset, judged when every image has been seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.rules.columns import Column
from inlay.rules.evidence import coco_region, share_of
from inlay.rules.expression import Reference
from inlay.rules.finding import Finding, Verdict, fingerprint, mark
from inlay.rules.gathered import AllImages, AllSegments, Gathered
from inlay.rules.judge import Inner, Judged, judge
from inlay.rules.measure import Columns, bare, frame
from inlay.rules.message import fill
from inlay.rules.noise import Caps, excess, weightiest
from inlay.rules.rule import COUNT, Rule
from inlay.rules.tables import DatasetTable, ImageTable, Subject
from inlay.rules.tracks import SequenceTable


class LateTables:
    """The tables of a whole dataset, made when a rule asks for them."""

    def __init__(self, gathered: Gathered, census: DatasetTable) -> None:
        self.gathered = gathered
        self.dataset = replace(census, gathered=gathered)

    @cached_property
    def _sequences(self) -> SequenceTable:
        return SequenceTable.of(self.gathered)

    def table(self, scope: str) -> Any:
        """The table of a scope."""
        if scope == "dataset":
            return self.dataset
        if scope in ("segment", "image"):
            return (AllSegments if scope == "segment" else AllImages).of(self.gathered)
        tracks = self._sequences.tracks if scope != "sequence" else None
        return self._sequences if tracks is None else tracks.steps if scope == "step" else tracks

    def values(self, scope: str, reference: Reference, column: Column) -> Any:
        """A column as a rule of a scope sees it."""
        if not column.late:
            image = scope == "image"
            values = self.gathered[f"image.{reference.key}" if image else reference.key]
            return values if image or not reference.side else values[self.gathered.image]
        try:
            values = column(self.table(column.scope), bare(reference))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise InlayError(
                f"column {reference.key!r} of scope {column.scope!r} cannot be measured: {error!r}"
            ) from error
        if values is None or not reference.side:
            return values
        return values[self.places(scope, reference.side)]

    def places(self, scope: str, outer: str) -> NDArray[np.int64]:
        """(rows of `scope`) the row of `outer` that each lies in."""
        if outer == "image":
            return self.gathered.image
        tracks = self._sequences.tracks
        if outer == "track":
            return tracks.steps.track
        return tracks.sequence if scope == "track" else tracks.sequence[tracks.steps.track]

    def frame(self, scope: str, columns: Columns) -> Any:
        """The Polars table of a scope."""
        values = {reference: self.values(scope, reference, column) for reference, column in columns.items()}
        return frame(columns, [values], [len(self.table(scope))])


@dataclass(frozen=True)
class LateHit:
    """A row of a late table that breaks a rule."""

    rule: int
    subject: Subject
    values: Mapping[str, Any]


def judge_late(
    rules: Sequence[Rule], gathered: Gathered, census: DatasetTable
) -> tuple[list[LateHit], dict[int, Verdict]]:
    """Hits of the late rules, and their verdicts by the number of the rule."""
    tables = LateTables(gathered, census)
    hits: list[LateHit] = []
    verdicts = {}
    for number, rule in enumerate(rules):
        if not rule.is_late:
            continue
        inner = None
        if rule.over:
            inner = Inner(tables.frame(rule.over, rule.inner), tables.places(rule.over, rule.scope))
        table = tables.frame(rule.scope, rule.columns)
        (judged,) = judge([rule], table, inner)
        verdicts[number] = Verdict(rule.id, rule.severity, judged.asked, judged.unknown, len(judged.hits))
        hits += _hits(number, rule, table, judged, tables.table(rule.scope))
    return hits, verdicts


def _hits(number: int, rule: Rule, table: Any, judged: Judged, rows: Any) -> Iterator[LateHit]:
    keys = [reference.key for reference in rule.columns]
    values = table[judged.hits].select(keys).to_dicts() if keys else [{} for _ in judged.hits]
    for place, row in enumerate(judged.hits.tolist()):
        subject = rows.subject(row)
        if judged.count is not None:
            values[place][COUNT.key] = int(judged.count[place])
        yield LateHit(number, subject, values[place])


def capped(rules: Sequence[Rule], hits: Sequence[LateHit], caps: Caps) -> list[LateHit]:
    """The hits that the caps leave room for: of each rule those furthest beyond its limit."""
    by_rule: dict[int, dict[int, list[LateHit]]] = defaultdict(lambda: defaultdict(list))
    for place, hit in enumerate(hits):
        image = hit.subject.image
        by_rule[hit.rule][-1 - place if image is None else image].append(hit)
    kept = []
    for number, images in by_rule.items():
        own = [each for some in images.values() for each in _heavy(rules[number], some, caps.per_image)]
        kept += _heavy(rules[number], own, caps.per_rule)
    return kept


def _heavy(rule: Rule, hits: list[LateHit], most: int) -> list[LateHit]:
    if rule.measure is None:
        return hits[:most]
    weights = [excess(hit.values[rule.measure.key], rule.limit) for hit in hits]
    return [hits[place] for place in weightiest(weights, most)]


def late_findings(
    rules: Sequence[Rule], hits: Sequence[LateHit], gathered: Gathered, dataset: Dataset
) -> list[Finding]:
    """What the hits mean, by image, those about the dataset last; samples are read again for regions."""
    by_image: dict[int | None, list[LateHit]] = defaultdict(list)
    for hit in hits:
        by_image[hit.subject.image].append(hit)
    found = []
    for place in sorted(by_image, key=lambda each: len(gathered.name) if each is None else each):
        sample = None if place is None else _sample(dataset, str(gathered.name[place]))
        found += [_finding(rules[hit.rule], hit, gathered, sample) for hit in by_image[place]]
    return found


def _sample(dataset: Dataset, name: str) -> Sample | None:
    try:
        sample = dataset.load(name)
    except (InlayError, OSError):  # it was there before: the finding does without its region
        return None
    return None if sample.segmentation is None else sample


def _finding(rule: Rule, hit: LateHit, gathered: Gathered, sample: Sample | None) -> Finding:
    subject = hit.subject
    name = None if subject.image is None else str(gathered.name[subject.image])
    places = np.array(subject.segments, np.int64)
    rows = tuple(gathered.row[places].tolist())
    region = None if sample is None else _region(rule, sample, rows)
    boxes = gathered.box[places] if region is None or not int(region.area()[0]) else region.box()
    box = None
    if len(boxes):
        (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
        box = (x0, y0, x1, y1)
    return Finding(
        rule.id,
        rule.severity,
        name,
        tuple(gathered.id[places].tolist()),
        rows,
        box,
        None if region is None else coco_region(region),
        None if rule.measure is None else hit.values[rule.measure.key],
        rule.limit,
        fill(rule, hit.values, subject.names),
        rule.fix,
        fingerprint(rule.id, name, [*_marks(gathered, subject)]),
        tuple(gathered.class_name(each) for each in subject.segments),
        share_of(None if sample is None else sample.segmentation, region, rows),
    )


def _region(rule: Rule, sample: Sample, rows: tuple[int, ...]) -> Masks | None:
    """The pixels that the rule's column points at, else those of the segments."""
    label = sample.label()
    if any(row >= len(label) for row in rows):
        return None
    column = None if rule.measure is None else rule.columns.get(rule.measure)
    if column is not None and rule.measure is not None and column.region is not None and not column.late:
        table = ImageTable(sample)
        if column.scope == "image":
            return column.pixels(table, 0, rule.measure)
        if len(rows) == 1:
            return column.pixels(table.segments, rows[0], rule.measure)
    return label.masks[list(rows)].union() if rows else None


def _marks(gathered: Gathered, subject: Subject) -> Iterator[str]:
    """What tells the subject from others of its image, and is the same tomorrow."""
    for place in subject.segments:
        yield mark(gathered.class_name(place), gathered.box[place].tolist())
    yield from subject.names.values() if not subject.segments else ()
