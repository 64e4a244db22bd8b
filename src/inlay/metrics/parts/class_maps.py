"""Semantic maps of truth and prediction, and which pixels are judged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation

Ids = NDArray[np.int32]
UNJUDGED = -1


def judges_background(classes: Classes) -> bool:
    """Whether pixels without a label are background, not unknown: no class is stuff."""
    return bool((classes.is_thing | classes.is_void).all())


def class_maps(truth: Segmentation, prediction: Segmentation) -> tuple[Ids, Ids]:
    """(H, W) true and predicted class rows; K for no class, -1 where the truth is not judged."""
    classes = len(truth.classes)
    return paint_truth(truth, truth.class_id, nobody=classes), prediction.semantic(void=classes)


def paint_truth(truth: Segmentation, values: Ids, *, nobody: int) -> Ids:
    """(H, W) the value of the front row; -1 where the truth is not judged, `nobody` on judged background."""
    shown = np.where(truth.classes.is_void[truth.class_id], UNJUDGED, values)
    background = judges_background(truth.classes)
    return truth.masks.paint(shown, fill=nobody if background else UNJUDGED)


def class_masks(ids: Ids, class_id: Ids) -> Masks:
    """(C) the mask of each of these values of a map."""
    place = np.full(int(max(ids.max(initial=0), class_id.max(initial=0))) + 2, -1, np.int32)
    place[class_id] = np.arange(len(class_id))
    return Masks.from_ids(place[ids], len(class_id))  # -1 reads the last place, which is free
