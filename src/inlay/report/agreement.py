"""How far people agree who labelled the same images, per pair, person and class; and one label of all."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, Literal

import numpy as np

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.agreement import Agreement, PairCounts, agreement, compare_people
from inlay.metrics.parts.consensus import majority, staple
from inlay.metrics.parts.pairing import class_rows, in_classes
from inlay.metrics.parts.result import columns

By = Literal["majority", "staple"]
FIGURES = {"pq": "PQ", "sq": "SQ", "rq": "RQ", "iou": "IoU", "boundary_iou": "boundary IoU"}


@dataclass(frozen=True, eq=False)
class AgreementReport:
    """Agreement of every pair of people, of each person with all others, and of all.

    `whole.pq` is the human ceiling: a model that reaches it errs no more against one person than another
    person does.
    """

    whole: Agreement
    pairs: Mapping[tuple[str, str], Agreement]
    people: Mapping[str, Agreement]
    class_names: tuple[str, ...]
    worst: tuple[tuple[str, float], ...]  # images with the least mean IoU of what is drawn, worst first
    honeypots: Mapping[str, Agreement] = field(default_factory=dict)  # each person with the known truth

    def __str__(self) -> str:
        rows: list[tuple[str, ...]] = [("", *FIGURES.values(), "images")]
        rows += [_row(f"{a} - {b}", each) for (a, b), each in self.pairs.items()]
        rows += [_row(f"{name} - all others", each) for name, each in self.people.items()]
        rows.append(_row("all", self.whole))
        rows += [_row(f"{name} - known truth", each) for name, each in self.honeypots.items()]
        blocks = [columns(rows), columns([("PQ of class", "all", *self.people), *self.by_class()])]
        confused = self.confused()
        if confused:
            lines = [("called", "and by another", "segments")]
            lines += [(a, b, str(number)) for a, b, number in confused[:10]]
            blocks.append(columns(lines))
        if self.worst:
            blocks.append("least agreed on: " + ", ".join(f"{n} ({v:.2f})" for n, v in self.worst[:5]))
        return "\n\n".join(blocks)

    def by_class(self) -> list[tuple[str, ...]]:
        """Name of each class, its PQ among all, and of each person with others; the least agreed on first."""
        ordered = sorted(self.whole.of_class, key=self.whole.of_class.__getitem__)
        everybody = (self.whole, *self.people.values())
        return [
            (self.class_names[row], *(shown(each.of_class.get(row, math.nan)) for each in everybody))
            for row in ordered
        ]

    def to_json(self) -> str:
        """All figures; null where there is nothing to compare."""
        return json.dumps(
            {
                "all": self._figures(self.whole),
                "pairs": [{"people": pair, **self._figures(each)} for pair, each in self.pairs.items()],
                "people": {name: self._figures(each) for name, each in self.people.items()},
                "honeypots": {name: self._figures(each) for name, each in self.honeypots.items()},
                "confused": self.confused(),
                "images": dict(self.worst),
            },
            ensure_ascii=False,
            indent=1,
        )

    def _figures(self, each: Agreement) -> dict[str, Any]:
        values = {name: getattr(each, name) for name in FIGURES}
        known = {name: None if math.isnan(value) else value for name, value in values.items()}
        return {
            **known,
            "images": each.images,
            "classes": {self.class_names[row]: value for row, value in each.of_class.items()},
        }

    def confused(self) -> list[tuple[str, str, int]]:
        """Pairs of classes that people gave to one segment, most often first; "nothing": only one drew it."""
        names = (*self.class_names, "nothing")
        table = np.triu(self.whole.confusion, 1)
        order = np.argsort(-table, axis=None, kind="stable")
        places = [divmod(int(place), len(names)) for place in order]
        return [(names[a], names[b], int(table[a, b])) for a, b in places if table[a, b]]


def annotator_agreement(people: Mapping[str, Dataset], truth: Dataset | None = None) -> AgreementReport:
    """How far people agree, on the images that at least two of them have labelled.

    Parameters
    ----------
    people
        Name of a person to what they labelled. Samples are paired by name, classes by name with those of the
        first person.
    truth
        Labels known to be right of some of the images (honeypots): each person is compared with them too.

    Raises
    ------
    InlayError
        When there are fewer than two people, they share no labelled image, or the first lacks a class.
    """
    found = _among(people)
    if truth is None:
        return found
    beside = {}
    for name, labels in people.items():
        if _common(labels, truth):
            beside[name] = _among({"truth": truth, name: labels}).whole
    if not beside:
        raise InlayError(f"the known truth has no image that {', '.join(people)} labelled: names must agree")
    return replace(found, honeypots=beside)


def _among(people: Mapping[str, Dataset]) -> AgreementReport:
    if len(people) < 2:
        raise InlayError(f"agreement is between two people or more, not {len(people)}: give another dataset")
    first = next(iter(people.values()))
    for each in people.values():
        class_rows(each.classes, first.classes)
    counts: dict[tuple[str, str], list[PairCounts]] = {}
    of_image: dict[str, list[float]] = {}
    for a, b in itertools.combinations(people, 2):
        counts[a, b] = []
        for mine, theirs in _common(people[a], people[b]):
            labels = [people[name].load(key).segmentation for name, key in ((a, mine), (b, theirs))]
            both = [in_classes(label, first.classes) for label in labels if label is not None]
            if len(both) == 2:
                _check_size(mine, both)
                found = compare_people(both[0], both[1])
                counts[a, b].append(found)
                of_image.setdefault(mine, []).append(_share(found))
    if not any(counts.values()):
        raise InlayError(f"no image is labelled by two of {', '.join(people)}")
    size = len(first.classes)
    means = {name: float(np.mean(values)) for name, values in of_image.items()}
    return AgreementReport(
        agreement([each for several in counts.values() for each in several], size),
        {pair: agreement(several, size) for pair, several in counts.items() if several},
        {
            name: agreement(
                [each for pair, several in counts.items() if name in pair for each in several], size
            )
            for name in people
            if len(people) > 2
        },
        first.classes.names,
        tuple(sorted(((n, v) for n, v in means.items() if not math.isnan(v)), key=lambda item: item[1])),
    )


def consensus(people: Mapping[str, Dataset], *, by: By = "majority") -> Dataset:
    """One dataset out of those of several people, lazily; images that one person labelled stay as they are.

    Parameters
    ----------
    by
        "majority": the segments and pixels that more than half have. "staple": the likely classes, people
        weighed by how reliable they are (see `inlay.metrics.parts.consensus`); instances are merged.

    Raises
    ------
    InlayError
        When there is nobody, or `by` is no such word.
    """
    if by not in ("majority", "staple"):
        raise InlayError(f"a consensus is by 'majority' or 'staple', not {by!r}")
    if not people:
        raise InlayError("a consensus needs the labels of one person or more")
    first, *others = people.values()
    partners = [dict(_common(first, other)) for other in others]

    def agreed(sample: Sample) -> Sample:
        found = [sample.segmentation]
        found += [o.load(p[sample.name]).segmentation for o, p in zip(others, partners) if sample.name in p]
        labels = [in_classes(label, first.classes) for label in found if label is not None]
        if len(labels) < 2:
            return sample.replace(segmentation=labels[0] if labels else None)
        _check_size(sample.name, labels)
        return sample.replace(
            segmentation=majority(labels) if by == "majority" else staple(labels).segmentation
        )

    return first.map(agreed)


def _common(one: Dataset, other: Dataset) -> list[tuple[str, str]]:
    """Names of the images that both have, as `Dataset.pair` gives them; people may share none."""
    ends = [{PurePosixPath(name).stem for name in each.names} for each in (one, other)]
    return one.pair(other) if ends[0] & ends[1] else []


def _check_size(name: str, labels: list[Segmentation]) -> None:
    sizes = {label.size for label in labels}
    if len(sizes) > 1:
        raise InlayError(f"sample {name!r}: people drew on images of {sorted(sizes)} pixels (height, width)")


def _share(counts: PairCounts) -> float:
    """Mean IoU of what either drew; nothing in common is 0, nothing at all has no value."""
    number = len(counts.iou) + 0.5 * sum(map(len, counts.alone))
    return float(counts.iou.sum() / number) if number else math.nan


def _row(name: str, each: Agreement) -> tuple[str, ...]:
    return (name, *(shown(getattr(each, figure)) for figure in FIGURES), str(each.images))


def shown(value: float) -> str:
    """A figure as text; a dash where there is nothing to compare."""
    return "–" if math.isnan(value) else f"{value:.4f}"
