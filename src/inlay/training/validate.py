"""Judging a model while it trains, on images that it does not learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from inlay import plugins
from inlay.core.classes import Classes, SegmentClass
from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from inlay.training.examples import Examples
from inlay.training.hardware import autocast

METRICS = {"semantic": "iou", "instance": "average_precision"}
SHOWN = {
    "semantic": ("mIoU", "pixel_accuracy", "class_accuracy"),
    "instance": ("mask_AP50", "mask_AP", "mask_AP75"),
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


@torch.inference_mode()
def segment(
    network: nn.Module,
    images: Sequence[NDArray[np.uint8]],
    device: torch.device,
    precision: str,
    minimum_score: float | None = None,
) -> list[Segmentation]:
    """Predictions for images of one size.

    Raises
    ------
    InlayError
        When they do not fit into memory.
    """
    pixels = torch.from_numpy(np.stack(images)).to(device).permute(0, 3, 1, 2).float()
    try:
        with autocast(device, precision):
            raw = network(pixels)
        found: list[Segmentation] = network.decode(  # type: ignore[operator]
            raw, [image.shape[:2] for image in images], minimum_score=minimum_score
        )
    except (torch.OutOfMemoryError, MemoryError):
        height, width = images[0].shape[:2]
        raise InlayError(
            f"{len(images)} images of {width}x{height} pixels do not fit into memory: cut them into tiles"
        ) from None
    return found


def judge(
    network: nn.Module,
    examples: Examples,
    places: Sequence[int],
    task: str,
    device: torch.device,
    precision: str,
) -> Judgement:
    """How well a model does on some of the examples."""
    metric: Any = plugins.load("metrics", METRICS[task])
    background = bool(getattr(network.config, "background", False))
    classes = judged_classes(examples.classes, examples.dataset.classes, background=background)
    counts = []
    for place in places:
        truth = examples.dataset[place].label()
        truth = truth[np.isin(truth.class_names, classes.names)].with_classes(classes)
        found = segment(network, [examples[place].image], device, precision)[0].with_classes(classes)
        if background:
            truth, found = with_background(truth), with_background(found)
        counts.append(metric.count(truth, found))
    figures = metric.score(counts, classes)
    decisive = SHOWN[task][0]
    each = [float(metric.score([count], classes)[decisive]) for count in counts]
    return Judgement(
        {name: float(figures[name]) for name in SHOWN[task]},
        {examples.dataset.names[place]: value for place, value in zip(places, each)},
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
