"""Facts: what a dataset can say about its segments, samples and classes, and which of them it uses.

A format's `KEEPS` is a set of these names: what survives writing and reading again. Writing a dataset that
uses a fact outside `KEEPS` is a loss and refused unless `lossy`; the facts in `NOTED` are bookkeeping, which
is listed on the receipt without a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.segmentation import Segmentation, instance_numbers

Rows = NDArray[np.bool_]
Level = Literal["segments", "samples", "classes", "entries"]
_ONE = {"segments": "segment", "samples": "sample", "classes": "class", "entries": "entry"}
EXAMPLES = 3  # named for each loss


@dataclass(frozen=True)
class Loss:
    """A fact that a dataset uses and a target format does not keep.

    Parameters
    ----------
    fact
        Its name, or "left_out: WORD" for what the reader of the source had to leave out.
    count
        How many of them use it.
    of
        What is counted.
    examples
        The first few, by name: "street/0001 row 3 (car)".
    """

    fact: str
    count: int
    of: Level
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        named = f": {', '.join(self.examples)}{', ...' if self.count > len(self.examples) else ''}"
        noun = self.of if self.count != 1 else _ONE[self.of]
        return f"{self.fact} ({self.count} {noun}{named if self.examples else ''})"


def _masks(_: Sample, label: Segmentation) -> Rows:
    return np.asarray(label.masks.area() > 0)


def _class_id(_: Sample, label: Segmentation) -> Rows:
    return np.full(len(label), len(label.classes) > 1)


def _instances(_: Sample, label: Segmentation) -> Rows:
    return np.asarray(np.bincount(label.class_id)[label.class_id] > 1)


def _instance_id(_: Sample, label: Segmentation) -> Rows:
    return np.asarray(label.instance_id != instance_numbers(label.is_thing))


def _track(sample: Sample, label: Segmentation) -> Rows:
    return np.asarray((label.instance_id > 0) & (sample.frame is not None))


def _holes(_: Sample, label: Segmentation) -> Rows:
    return np.asarray(np.bincount(label.masks.holes()[1], minlength=len(label)) > 0)


def _parts(_: Sample, label: Segmentation) -> Rows:
    return np.asarray(np.bincount(label.masks.parts()[1], minlength=len(label)) > 1)


def _overlap(_: Sample, label: Segmentation) -> Rows:
    if label.is_partition:
        return np.zeros(len(label), np.bool_)
    shared = label.masks.intersection(label.masks)
    np.fill_diagonal(shared, 0)
    return np.asarray(shared.any(axis=1))


def _order(sample: Sample, label: Segmentation) -> Rows:
    whole = label if label.amodal is None else label.replace(masks=label.amodal)
    return _overlap(sample, whole)


def _score(_: Sample, label: Segmentation) -> Rows:
    return np.full(len(label), label.score is not None)


def _crowd(_: Sample, label: Segmentation) -> Rows:
    return label.crowd


def _amodal(_: Sample, label: Segmentation) -> Rows:
    return np.full(len(label), label.amodal is not None)


def _tags(_: Sample, label: Segmentation) -> Rows:
    return np.array([bool(tags) for tags in label.tags], np.bool_)


def _hidden(sample: Sample, label: Segmentation) -> Rows:
    return np.asarray((label.masks.area() == 0) & ~_box(sample, label))


def _box(_: Sample, label: Segmentation) -> Rows:
    boxes = label.boxes()
    return np.asarray((label.masks.area() == 0) & (boxes[:, 2:] > boxes[:, :2]).all(axis=1))


def _source_id(_: Sample, label: Segmentation) -> Rows:
    return np.full(len(label), label.source_id is not None)


def _stated_box(_: Sample, label: Segmentation) -> Rows:
    if label.stated_box is None:
        return np.zeros(len(label), np.bool_)
    return np.asarray((label.masks.area() > 0) & (label.stated_box != label.masks.box()).any(axis=1))


def _stated_area(_: Sample, label: Segmentation) -> Rows:
    if label.stated_area is None:
        return np.zeros(len(label), np.bool_)
    return np.asarray(label.stated_area != label.masks.area())


SEGMENT_FACTS: dict[str, Callable[[Sample, Segmentation], Rows]] = {
    "masks": _masks,  # which pixels the segment covers
    "class_id": _class_id,  # its class, where there are several
    "instances": _instances,  # told apart from other segments of its class in the image
    "instance_id": _instance_id,  # its number, where the things of the image are not just 1, 2, ...
    "track": _track,  # its number links frames of a video
    "holes": _holes,  # background enclosed in its mask
    "parts": _parts,  # more than one connected part (pixels that share a corner hang together)
    "overlap": _overlap,  # shares a pixel with another segment
    "order": _order,  # its full extent crosses another's: which of them is in front
    "score": _score,  # how sure a model is
    "crowd": _crowd,  # a group nobody separated
    "amodal": _amodal,  # its full extent behind what hides it
    "tags": _tags,  # words on it
    "hidden": _hidden,  # no pixel of it is seen, and no box is stated
    "box": _box,  # only a box is known, no pixels
    "source_id": _source_id,  # its id in the file it came from
    "stated_box": _stated_box,  # a box stated in the file that is not that of its mask
    "stated_area": _stated_area,  # an area stated in the file that is not that of its mask
}
SAMPLE_FACTS: dict[str, Callable[[Sample], bool]] = {
    "image_tags": lambda sample: sample.segmentation is not None and bool(sample.segmentation.image_tags),
    "split": lambda sample: bool(sample.split),  # train, val, test, ...
    "group": lambda sample: bool(sample.group),  # video, scene, patient
    "frame": lambda sample: sample.frame is not None,  # place in the group's video
    "empty": lambda sample: sample.segmentation is not None and not len(sample.segmentation),  # labelled
    "unlabelled": lambda sample: sample.segmentation is None,  # nobody has labelled it
}
CLASS_FACTS: dict[str, Callable[[int, SegmentClass], bool]] = {
    "stuff": lambda _, item: item.kind == "stuff",  # the class is not counted
    "void": lambda _, item: item.kind == "void",  # the class is neither judged nor learnt
    "colours": lambda _, item: item.colour is not None,
    "parents": lambda _, item: bool(item.parent),
    "class_number": lambda row, item: item.source_id not in (None, row),
}
FACTS = frozenset({*SEGMENT_FACTS, *SAMPLE_FACTS, *CLASS_FACTS})
NOTED = frozenset({"source_id", "stated_box", "stated_area", "colours", "parents", "class_number"})
NOTED_LEFT_OUT = frozenset(
    {"licences", "affines", "image depth", "image channels", "unlabelled images", "multi-frame images"}
)  # words of `Dataset.left_out` that are bookkeeping too


def is_noted(loss: Loss) -> bool:
    """Whether a loss is bookkeeping: told, but no reason to refuse."""
    return loss.fact in NOTED or loss.fact.removeprefix("left_out: ") in NOTED_LEFT_OUT


def losses(dataset: Dataset, keeps: Iterable[str]) -> tuple[Loss, ...]:
    """What the dataset uses outside `keeps`, by fact; samples are loaded only where a fact needs it."""
    lacking = FACTS - frozenset(keeps)
    found: dict[str, _Tally] = {}
    for name in lacking & CLASS_FACTS.keys():
        uses = [item.name for row, item in enumerate(dataset.classes) if CLASS_FACTS[name](row, item)]
        found[name] = _Tally("classes", len(uses), uses[:EXAMPLES])
    for name in lacking - CLASS_FACTS.keys():
        found[name] = _Tally("segments" if name in SEGMENT_FACTS else "samples", 0, [])
    if lacking - CLASS_FACTS.keys():
        for sample in dataset:
            _tally_sample(sample, lacking, found)
    for word, count in dataset.left_out.items():
        found[f"left_out: {word}"] = _Tally("entries", count, [])
    order = [*SEGMENT_FACTS, *SAMPLE_FACTS, *CLASS_FACTS, *(name for name in found if name not in FACTS)]
    return tuple(found[name].as_loss(name) for name in order if name in found and found[name].count)


@dataclass
class _Tally:
    of: Level
    count: int
    examples: list[str]

    def add(self, names: list[str]) -> None:
        self.count += len(names)
        self.examples += names[: EXAMPLES - len(self.examples)]

    def as_loss(self, fact: str) -> Loss:
        return Loss(fact, self.count, self.of, tuple(self.examples))


def _tally_sample(sample: Sample, lacking: frozenset[str], found: dict[str, _Tally]) -> None:
    for name in lacking & SAMPLE_FACTS.keys():
        if SAMPLE_FACTS[name](sample):
            found[name].add([sample.name])
    label = sample.segmentation
    if label is None or not len(label):
        return
    for name in lacking & SEGMENT_FACTS.keys():
        rows = np.flatnonzero(SEGMENT_FACTS[name](sample, label))
        if rows.size:
            names = label.class_names
            found[name].add([f"{sample.name} row {row} ({names[row]})" for row in rows.tolist()])
