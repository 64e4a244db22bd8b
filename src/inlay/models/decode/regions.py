"""Boxes, scores and small masks into segmentations, in numpy: each mask is pasted into its own box only."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.models.decode.grids import masks_of_patches

Floats = NDArray[np.float32]


def things_of_regions(
    raw: Sequence[Floats],
    size: tuple[int, int],
    classes: Classes,
    *,
    minimum_score: float,
    masks: Sequence[Floats] | None = None,
) -> Segmentation:
    """Things of one image, the surest in front.

    Parameters
    ----------
    raw
        Boxes (M, 4), scores (M,), class rows (M,) and, where there are masks, their logits (M, S, S). Without
        masks a thing is its whole box.
    size
        (height, width) of the image; what lies beyond is padding.
    masks
        The masks by themselves, where they differ in size.
    """
    boxes, score, row = raw[:3]
    order = np.flatnonzero(score >= max(minimum_score, 1e-6))
    order = order[np.argsort(score[order], kind="stable")]  # back to front
    logits = raw[3] if len(raw) > 3 else masks
    patches = (pasted(boxes[k], None if logits is None else logits[int(k)], size) for k in order)
    things = Segmentation(
        classes,
        masks_of_patches(patches, size),
        row[order].astype(np.int32),
        np.zeros(len(order), np.int32),
        score[order].clip(0, 1),
    )
    things = things[things.masks.area() > 0]
    return things.replace(instance_id=instance_numbers(things.is_thing))


def pasted(box: Floats, logits: Floats | None, size: tuple[int, int]) -> tuple[NDArray[np.bool_], int, int]:
    """(pixels, top, left): the pixels of the image whose centres lie in the box and the resized mask."""
    x0, y0, x1, y1 = (float(value) for value in box)
    left, right = max(0, round(x0)), min(size[1], round(x1))
    top, bottom = max(0, round(y0)), min(size[0], round(y1))
    if right <= left or bottom <= top:
        return np.zeros((0, 0), np.bool_), 0, 0
    if logits is None:
        return np.ones((bottom - top, right - left), np.bool_), top, left
    side = logits.shape[0]
    x = (np.arange(left, right, dtype=np.float32) + 0.5 - x0) / max(x1 - x0, 1e-3) * side - 0.5
    y = (np.arange(top, bottom, dtype=np.float32) + 0.5 - y0) / max(y1 - y0, 1e-3) * side - 0.5
    across = np.repeat(x[None].astype(np.float32), len(y), axis=0)
    down = np.repeat(y[:, None].astype(np.float32), len(x), axis=1)
    seen = cv2.remap(logits, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return seen > 0, top, left
