"""Judging a model while it trains, on images that it does not learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from inlay import plugins
from inlay.core.classes import Classes, SegmentClass
from inlay.core.partial import is_whole
from inlay.core.segmentation import Segmentation
from inlay.models.parts.targets import Target
from inlay.training.batches import batch_of
from inlay.training.distributed import Group
from inlay.training.examples import Examples
from inlay.training.segmenting import Looking, Segmenter

METRICS = {"semantic": "iou", "instance": "average_precision", "panoptic": "panoptic_quality"}
SHOWN = {
    "semantic": ("mIoU", "pixel_accuracy", "class_accuracy"),
    "instance": ("mask_AP50", "mask_AP", "mask_AP75"),
    "panoptic": ("PQ", "SQ", "RQ"),
}
UNLABELLED = "(none of the classes)"


@dataclass(frozen=True)
class Judgement:
    """Figures of a model, the one that decides first; and that figure for each image."""

    figures: dict[str, float]
    by_image: dict[str, float]

    @property
    def decisive(self) -> float:
        """The figure by which weights are chosen; 0 where nothing could be judged."""
        return max(0.0, float(np.nan_to_num(next(iter(self.figures.values())))))


def judge(
    network: nn.Module,
    examples: Examples,
    places: Sequence[int],
    task: str,
    device: torch.device,
    precision: str,
    group: Group | None = None,
) -> Judgement:
    """How well a model does on some of the examples, of which each process of a group takes its share."""
    group = group or Group()
    own: Any = getattr(network, "judged", None)
    if own is not None:
        network.eval()
        return _judged_by_itself(own, examples, places, device, group)
    metric: Any = plugins.load("metrics", METRICS[task])
    background = task == "semantic" and bool(getattr(network.config, "background", False))
    classes = judged_classes(examples.classes, examples.dataset.classes, background=background)
    segmenter, looking = Segmenter(network, device, precision), Looking()
    counts, boxed = [], False
    for place in places[group.rank :: group.count]:
        truth = examples.dataset[place].label()
        truth = truth[np.isin(truth.class_names, classes.names)].with_classes(classes)
        boxed |= task == "instance" and not is_whole(truth).all()
        found = segmenter.images([examples[place].image], looking)[0].with_classes(classes)
        if background:
            truth, found = with_background(truth), with_background(found)
        counts.append(metric.count(truth, found))
    counts = group.gathered(counts)
    figures = metric.score(counts, classes)
    names: tuple[str, ...] = SHOWN[task]
    if names[0] not in figures or any(group.gathered([boxed])):  # no mask to compare with
        names = tuple(name.replace("mask_", "box_") for name in names)
    decisive = names[0]
    each = [float(metric.score([count], classes)[decisive]) for count in counts]
    return Judgement(
        {name: float(figures[name]) for name in names},
        {examples.dataset.names[place]: value for place, value in zip(places, each)},
    )


def _judged_by_itself(
    judged: Callable[[torch.Tensor, Target], list[dict[str, float]]],
    examples: Examples,
    places: Sequence[int],
    device: torch.device,
    group: Group,
) -> Judgement:
    """Means of the figures that a family has of its own for each thing, such as those of a click network."""
    found: list[tuple[int, list[dict[str, float]]]] = []
    for place in places[group.rank :: group.count]:
        batch = batch_of([examples[place]]).to(device)
        found.append((place, judged(batch.images[0], batch.targets[0])))
    by_place = dict(group.gathered(found))
    things = [each for place in places for each in by_place[place]]
    if not things:
        return Judgement({"things": 0.0}, {})
    decisive = next(iter(things[0]))
    return Judgement(
        {name: float(np.mean([each[name] for each in things])) for name in things[0]},
        {
            examples.dataset.names[place]: float(np.mean([each[decisive] for each in by_place[place]]))
            for place in places
            if by_place[place]
        },
    )


def judged_classes(learnt: Classes, named: Classes, *, background: bool) -> Classes:
    """The classes to judge by: those learnt, void ones, and unlabelled pixels where those are learnt."""
    void = Classes(tuple(item for item in named.rows if item.kind == "void"))
    return learnt.merge(void).merge((SegmentClass(UNLABELLED, "stuff"),) if background else ())


def with_background(segmentation: Segmentation) -> Segmentation:
    """The semantic view, with all that nobody claims as the last class."""
    classes = segmentation.classes
    values = segmentation.class_id
    ids = segmentation.masks.paint(values, fill=len(classes) - 1)
    return Segmentation.from_semantic(ids, classes)
