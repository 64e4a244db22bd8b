"""A batch: some images measured one by one, judged together."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from inlay.rules.cache import Store, opened
from inlay.rules.content import code_digest, rules_digest, sample_digest
from inlay.rules.evidence import unreadable
from inlay.rules.finding import Finding, Verdict
from inlay.rules.gathered import Gathered
from inlay.rules.measure import Measured, Plan, Tables, arranged, measure_tables
from inlay.rules.noise import DEFAULT, Caps
from inlay.rules.rule import Rule
from inlay.rules.stack import UNREADABLE, judge_images, no_verdicts
from inlay.rules.tables import DatasetTable


@dataclass(frozen=True, eq=False)
class Compiled:
    """Rules made ready for a dataset: what must be read and measured for them.

    Parameters
    ----------
    gathers
        Whether some rule needs facts of the whole dataset beside the census of its classes.
    """

    rules: tuple[Rule, ...]
    classes: Classes
    plan: Plan
    gathers: bool
    caps: Caps

    @classmethod
    def of(cls, rules: Sequence[Rule], classes: Classes, caps: Caps = DEFAULT) -> Compiled:
        """Rules made ready for a dataset of some classes."""
        plan = Plan.of(rules)
        asks = any(rule.is_late and rule.scope != "dataset" for rule in rules)
        return cls(tuple(rules), classes, plan, asks or bool(plan.gathers), caps)

    @cached_property
    def alone(self) -> Compiled:
        """The same for one image by itself: what late rules need of it is not measured."""
        rules = tuple(rule for rule in self.rules if not rule.is_late)
        return replace(self, rules=rules, plan=Plan.of(rules), gathers=False)


@dataclass(frozen=True)
class BatchResult:
    """What came of some images; verdicts for "unreadable" first, then for each rule."""

    found: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]
    census: DatasetTable
    gathered: Gathered | None = None  # when some rule needs the whole dataset

    def to_record(self) -> dict[str, Any]:
        """The same under words, as a cache keeps it."""
        counts = [(each.asked, each.unknown, each.found) for each in self.verdicts]
        return {
            "found": [finding.to_json() for finding in self.found],
            "verdicts": np.array(counts, np.int64),
            "census": np.stack([self.census.segment_count, self.census.image_count, self.census.pixel_count]),
            "images": self.census.images,
            **({} if self.gathered is None else self.gathered.to_record()),
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any], compiled: Compiled) -> BatchResult:
        """The result that a cache kept."""
        counts, census = record["verdicts"].tolist(), record["census"]
        verdicts = [
            replace(verdict, asked=asked, unknown=unknown, found=found)
            for verdict, (asked, unknown, found) in zip(no_verdicts(compiled.rules), counts)
        ]
        return cls(
            tuple(Finding.of_json(each) for each in record["found"]),
            tuple(verdicts),
            DatasetTable(compiled.classes, census[0], census[1], census[2], record["images"]),
            Gathered.of_record(record, compiled.classes) if "name" in record else None,
        )


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says of the images of a dataset.

    Parameters
    ----------
    partner
        Name in `dataset` by the name of the labelled sample.
    """

    dataset: Dataset
    partner: Mapping[str, str]

    @classmethod
    def of(cls, predictions: Dataset, labels: Dataset) -> Predictions:
        """Predictions paired with labels by their names."""
        return cls(predictions, dict(labels.pair(predictions)))

    def load(self, name: str) -> Segmentation | None:
        """The prediction for a sample; `None` when there is none."""
        if name not in self.partner:
            return None
        return self.dataset.load(self.partner[name]).segmentation


@dataclass(frozen=True, eq=False)
class Batches:
    """Checks some images of a dataset by their names; picklable, so that it can run elsewhere.

    Parameters
    ----------
    cache
        Folder of what earlier checks measured and found; `None` keeps nothing.
    """

    dataset: Dataset
    compiled: Compiled
    predictions: Predictions | None = None
    cache: Path | None = None

    def __call__(self, names: Sequence[str]) -> BatchResult:
        """Findings about single images, the census of these images, and what late rules need of them."""
        samples: list[Sample | None] = []
        predicted: list[Segmentation | None] = []
        found: dict[int, Finding] = {}
        for place, name in enumerate(names):
            sample = prediction = None
            try:
                sample = self.dataset[name]
                prediction = None if self.predictions is None else self.predictions.load(name)
            except (InlayError, OSError) as error:
                found[place] = unreadable(UNREADABLE, name, str(error))
            samples.append(sample if place not in found else None)
            predicted.append(prediction)
        with opened(self.cache) as store:
            if self.cache is None:
                return self._checked(names, samples, predicted, found, store, [])
            digests = [
                b"" if sample is None else sample_digest(sample, label)
                for sample, label in zip(samples, predicted)
            ]
            most = str(self.compiled.caps.per_image).encode()
            key = _joined(b"found", most, rules_digest(self.compiled.rules, self.compiled.classes), *digests)
            record = None if found else store.get(key)
            if record is not None:
                return BatchResult.of_record(record, self.compiled)
            result = self._checked(names, samples, predicted, found, store, digests)
            if not found:  # what could not be read may be readable tomorrow
                store.put(key, result.to_record())
            return result

    def _checked(
        self,
        names: Sequence[str],
        samples: Sequence[Sample | None],
        predicted: Sequence[Segmentation | None],
        broken: dict[int, Finding],
        store: Store,
        digests: Sequence[bytes],
    ) -> BatchResult:
        plan, classes = self.compiled.plan, self.compiled.classes
        images: list[Measured] = []
        census = DatasetTable.empty(classes)
        for place, (name, sample, label) in enumerate(zip(names, samples, predicted)):
            measured = Measured(name, None, {}, {})
            if sample is not None:
                try:
                    tables = self._tables(sample, label, store, digests[place] if digests else b"")
                    keeps = classes if self.compiled.gathers else None
                    measured = arranged(sample, tables, plan, classes=keeps, predicted=label)
                    census = census if measured.label is None else census.count(measured.label)
                except (InlayError, OSError) as error:
                    broken[place] = unreadable(UNREADABLE, name, str(error))
            images.append(measured)
        most = self.compiled.caps.per_image
        found, verdicts = judge_images(self.compiled.rules, plan, images, self.dataset.load, most)
        found |= {place: [finding] for place, finding in broken.items()}
        verdicts[0] = replace(verdicts[0], asked=len(names), found=len(broken))
        parts = [image.gathered for image in images if image.gathered is not None]
        return BatchResult(
            tuple(each for place in sorted(found) for each in found[place]),
            tuple(verdicts),
            census,
            Gathered.concat(parts) if parts else None,
        )

    def _tables(self, sample: Sample, predicted: Segmentation | None, store: Store, digest: bytes) -> Tables:
        """The measured tables of a sample, those that the cache keeps as they are."""
        if not digest:
            return measure_tables(sample, self.compiled.plan, predicted)
        key = _joined(b"columns", code_digest(self.compiled.rules), digest)
        record = store.get(key)
        kept = None if record is None else Tables.of_record(record, self.compiled.plan)
        if kept is not None:
            return kept
        tables = measure_tables(sample, self.compiled.plan, predicted)
        store.put(key, {**(record or {}), **tables.to_record()})
        return tables


def check_sample(
    sample: Sample, compiled: Compiled, predicted: Segmentation | None = None
) -> tuple[Finding, ...]:
    """What rules find in one sample at once, as a studio asks while somebody draws; late rules keep silent.

    Parameters
    ----------
    compiled
        `Compiled.of(rules, classes)`, made once.
    predicted
        What a model says of the image, for the columns that compare the two.

    Raises
    ------
    InlayError
        When a column cannot be measured.
    """
    alone = compiled.alone
    tables = measure_tables(sample, alone.plan, predicted)
    measured = arranged(sample, tables, alone.plan, predicted=predicted)
    found, _ = judge_images(alone.rules, alone.plan, [measured], lambda _: sample, alone.caps.per_image)
    return tuple(found.get(0, ()))


def _joined(*parts: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(4, "little") + part)
    return digest.digest()
