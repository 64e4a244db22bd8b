"""Which metrics the data allow."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from inlay.core.dataset import Dataset
from inlay.core.federated import is_federated
from inlay.core.segmentation import Segmentation

PEEKED = 12  # samples looked at to choose the metrics
OVERLAP = 0.05  # share of pixels that may lie in two segments of what is still a partition with sloppy edges


@dataclass(frozen=True, eq=False)
class Seen:
    """A sample that was looked at; of its group the frame."""

    group: str
    frame: int | None
    label: Segmentation | None
    predicted: Segmentation | None


def suitable(truth: Dataset, prediction: Dataset) -> tuple[str, ...]:
    """Names of the metrics that the data allow, judged by a few samples.

    Frames of which both sides keep the identities of things: tracking, and panoptic quality over time where
    there is stuff. Stuff, or at most one segment of each class: IoU. Things drawn one by one: average
    precision where predictions have scores (by LVIS' rules where the labels are federated), panoptic quality
    where hardly any segments overlap. Both need predictions that tell things apart.
    """
    seen = _look(truth, prediction)
    labels = [each.label for each in seen if each.label is not None and len(each.label)]
    predictions = [each.predicted for each in seen if each.predicted is not None and len(each.predicted)]
    stuff = any(not label.is_thing.all() for label in labels)
    scored = any(each.is_prediction for each in predictions) or not predictions  # empty ones cannot say
    instances = any(bool(label.is_thing.any()) for label in labels)
    instances &= not any(each and all(map(_is_semantic, each)) for each in (labels, predictions))
    partition = all(map(_hardly_overlaps, (*labels, *predictions)))
    names = []
    if _keeps_identities(seen):
        names += ["tracking", "video_panoptic"] if partition and stuff else ["tracking"]
    if stuff or all(map(_is_semantic, labels)) or (not scored and all(map(_is_merged, labels))):
        names.append("iou")
    if instances and scored:
        federated = any(is_federated(label.image_tags) for label in labels)
        names.append("lvis_average_precision" if federated else "average_precision")
    if instances and partition and not all(map(_is_merged, labels)):
        names.append("panoptic_quality")
    return tuple(names) or ("panoptic_quality",)


def _look(truth: Dataset, prediction: Dataset) -> list[Seen]:
    """A few samples, evenly spread, each with the one after it: neighbours may be frames of one video."""
    pairs = truth.pair(prediction)
    spread = {round(place) for place in np.linspace(0, len(pairs) - 1, min(PEEKED, len(pairs)))}
    seen = []
    for place in sorted(spread | {place + 1 for place in spread if place + 1 < len(pairs)}):
        mine, theirs = pairs[place]
        sample = truth.load(mine)
        if place in spread or sample.frame is not None:
            predicted = prediction.load(theirs).segmentation
            seen.append(Seen(sample.group, sample.frame, sample.segmentation, predicted))
    return seen


def _keeps_identities(seen: list[Seen]) -> bool:
    """Whether things of both sides come back with their identity in another frame of the same video.

    A prediction that numbers its things 1, 2, ... in each frame tracks nothing, unless the truth is so too.
    """
    groups: dict[str, list[Seen]] = {}
    for each in seen:
        if each.frame is not None and each.label is not None and each.predicted is not None:
            groups.setdefault(each.group, []).append(each)
    for frames in groups.values():
        labels = [each.label for each in frames if each.label is not None]
        predictions = [each.predicted for each in frames if each.predicted is not None]
        counted = all(map(_is_numbered, predictions)) and not all(map(_is_numbered, labels))
        if _come_back(labels) and _come_back(predictions) and not counted:
            return True
    return False


def _come_back(frames: list[Segmentation]) -> bool:
    things = [{*each.instance_id[each.is_thing & (each.instance_id > 0)].tolist()} for each in frames]
    return sum(map(len, things)) > len(set().union(*things))


def _is_numbered(segmentation: Segmentation) -> bool:
    ids = segmentation.instance_id[segmentation.is_thing]
    return np.array_equal(ids, np.arange(1, len(ids) + 1))


def _is_merged(segmentation: Segmentation) -> bool:
    """Whether no class has two segments."""
    return len(np.unique(segmentation.class_id)) == len(segmentation)


def _is_semantic(segmentation: Segmentation) -> bool:
    """Whether it is a map of classes: one segment for each, and hardly a pixel without."""
    covered = int(segmentation.masks.union().area()[0])
    return _is_merged(segmentation) and covered > 0.9 * math.prod(segmentation.size)


def _hardly_overlaps(segmentation: Segmentation) -> bool:
    covered = int(segmentation.masks.union().area()[0])
    return int(segmentation.masks.area().sum()) <= (1 + OVERLAP) * covered
