"""Masks that answered clicks on a grid, into a segmentation without anything twice."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.models.decode.grids import masks_of_patches

Floats = NDArray[np.float32]
SAME = 0.5  # IoU from which two masks show one thing


def things_of_prompts(
    logits: Floats,
    score: Floats,
    class_logits: Floats,
    points: NDArray[np.float64],
    size: tuple[int, int],
    classes: Classes,
    *,
    stride: int,
    minimum_score: float,
) -> Segmentation:
    """Things of one image, the surest in front.

    Parameters
    ----------
    logits
        (N, h, w) masks, one for each click; cells beyond the image are padding.
    score, class_logits
        (N,) logits of the predicted IoU, and (N, K).
    points
        (N, 2) x, y of the clicks: a mask without its click is none.
    """
    shares = np.exp(class_logits - class_logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    sure = shares.max(1) / (1 + np.exp(-score))
    cells = (points // stride).astype(int)
    clicked = logits[np.arange(len(logits)), cells[:, 1], cells[:, 0]] > 0
    inside = logits[:, : -(-size[0] // stride), : -(-size[1] // stride)]
    order = np.flatnonzero(clicked & (sure >= minimum_score))
    order = order[np.argsort(-sure[order], kind="stable")]
    coarse = masks_of_patches(((inside[row] > 0, 0, 0) for row in order), inside.shape[1:])
    kept: list[int] = []
    for place in range(len(order)):
        if not kept or float(coarse[kept].iou(coarse[place : place + 1]).max()) < SAME:
            kept.append(place)
    order = order[kept[::-1]]  # back to front
    masks = masks_of_patches(((_enlarged(inside[row], stride, size), 0, 0) for row in order), size)
    things = Segmentation(
        classes,
        masks,
        class_logits.argmax(1)[order].astype(np.int32),
        np.zeros(len(order), np.int32),
        sure[order].astype(np.float64).clip(0, 1),
    )
    things = things[things.masks.area() > 0]
    return things.replace(instance_id=instance_numbers(things.is_thing))


def _enlarged(logits: Floats, stride: int, size: tuple[int, int]) -> NDArray[np.bool_]:
    height, width = (length * stride for length in logits.shape)
    large = cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width)
    return np.asarray(large[: size[0], : size[1]] > 0)
