"""Evidence: what a finding shows beside its words. Segments, box, offending pixels, measured value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from inlay.core.dataset import Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.finding import Box, Finding, Region, fingerprint, mark
from inlay.rules.message import fill, segment_id, segment_name
from inlay.rules.rule import Rule
from inlay.rules.tables import ImageTable, PairTable, SegmentTable, UnknownError

SIDES = {"segment": ("segment",), "pair": ("a", "b"), "image": ()}


class Evidence:
    """Explains what rules found in one image; its tables are measured again where they are not at hand."""

    def __init__(
        self,
        name: str,
        label: Segmentation | None,
        predicted: Segmentation | None = None,
        load: Callable[[], Sample] | None = None,
        segments: SegmentTable | None = None,
    ) -> None:
        self.name = name
        self.label = label
        self.image = ImageTable(Sample(name, None, label), predicted, segments)
        self._load = load

    def _with_pixels(self) -> None:
        """Take the tables anew from the sample with its image, which is not kept meanwhile."""
        if self._load is not None:
            self.image = ImageTable(self._load(), self.image.predicted)
            self.__dict__.pop("pairs", None)
            self._load = None

    @cached_property
    def pairs(self) -> PairTable:
        """The pairs of the image."""
        return PairTable.of(self.image.segments)

    def finding(self, rule: Rule, row: int, rows: tuple[int, ...], values: Mapping[str, Any]) -> Finding:
        """What `rule` found in a row of its table, which is about the segments `rows`."""
        label = self.label
        names: dict[str, str] = {}
        ids: tuple[int, ...] = ()
        marks: list[str] = []
        classes: tuple[str, ...] = ()
        if label is not None:
            names = {side: segment_name(label, each) for side, each in zip(SIDES[rule.scope], rows)}
            ids = tuple(segment_id(label, each) for each in rows)
            classes = tuple(label.classes.names[label.class_id[each]] for each in rows)
            boxes = label.masks.box()[list(rows)].tolist() if rows else []
            marks = [mark(name, box) for name, box in zip(classes, boxes)]
        region = self._region(rule, row, rows)
        measured = None if rule.measure is None else values[rule.measure.key]
        return Finding(
            rule.id,
            rule.severity,
            self.name,
            ids,
            rows,
            self._box(region, rows),
            None if region is None else coco_region(region),
            measured,
            rule.limit,
            fill(rule, values, names),
            rule.fix,
            fingerprint(rule.id, self.name, marks),
            classes,
            share_of(self.label, region, rows),
        )

    def _region(self, rule: Rule, row: int, rows: tuple[int, ...]) -> Masks | None:
        """The pixels that the rule's column points at, else those of the segments."""
        column = None if rule.measure is None else rule.columns.get(rule.measure)
        if rule.measure is not None and column is not None and column.region and self.label is not None:
            try:
                table, place = self._row_of(column.scope, rule.measure.side, row, rows)
                return column.pixels(table, place, rule.measure)
            except UnknownError:
                self._with_pixels()
                table, place = self._row_of(column.scope, rule.measure.side, row, rows)
                return column.pixels(table, place, rule.measure)
        return self.label.masks[np.array(rows, np.int64)].union() if self.label is not None and rows else None

    def _row_of(self, scope: str, side: str, row: int, rows: tuple[int, ...]) -> tuple[Any, int]:
        """The table of the rule's column, and the row of it that the finding is about."""
        if scope == "pair":
            return self.pairs, row
        if scope == "image":
            return self.image, 0
        return self.image.segments, rows[1 if side == "b" else 0]

    def _box(self, region: Masks | None, rows: tuple[int, ...]) -> Box | None:
        if region is not None and int(region.area()[0]):
            x0, y0, x1, y1 = region.box()[0].tolist()
            return x0, y0, x1, y1
        if self.label is None or not rows:
            return None
        boxes = self.label.boxes()[list(rows)]  # an empty mask is where the file says it is
        (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
        return x0, y0, x1, y1


def coco_region(mask: Masks) -> Region | None:
    """One mask as COCO's compressed run lengths; `None` when it is empty."""
    if not int(mask.area()[0]):
        return None
    return {"size": list(mask.size), "counts": mask.to_strings()[0].decode("ascii")}


def share_of(label: Segmentation | None, region: Masks | None, rows: Sequence[int]) -> float | None:
    """Part of some segments that a region is, 1 without one; `None` without segments."""
    if label is None or not rows:
        return None
    whole = int(label.masks.area()[list(rows)].sum())
    return 1.0 if region is None or not whole else min(int(region.area()[0]) / whole, 1.0)


def unreadable(rule: str, name: str, why: str) -> Finding:
    """A sample that could not be read."""
    words = " ".join(why.split())
    return Finding(
        rule, "error", name, (), (), None, None, None, None, words, None, fingerprint(rule, name, [])
    )
