"""Prototypes and coefficients into segmentations, in numpy: each mask is mixed inside its own box only."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.models.decode.grids import masks_of_patches
from inlay.models.parts.boxes import LARGEST_STEP

Floats = NDArray[np.float32]


def things_of_prototypes(
    prototypes: Floats,
    mixes: Floats,
    boxes: Floats,
    score: Floats,
    row: NDArray[np.int64],
    size: tuple[int, int],
    classes: Classes,
    *,
    stride: int,
) -> Segmentation:
    """Things of one image, the surest in front.

    Parameters
    ----------
    prototypes
        (P, h, w); one of their pixels is `stride` pixels of the image.
    mixes
        (N, P) coefficients of things with falling scores.
    boxes
        (N, 4) where their masks are cut; `score` (N,) and class `row` (N,).
    size
        (height, width) of the image; what lies beyond is padding.
    """
    order = np.arange(len(score))[::-1]  # back to front
    boxes = boxes.clip(0, np.array([size[1], size[0]] * 2, np.float32))
    patches = (_patch(prototypes, mixes[k], boxes[k], stride, size) for k in order)
    things = Segmentation(
        classes,
        masks_of_patches(patches, size),
        row[order].astype(np.int32),
        np.zeros(len(order), np.int32),
        score[order].astype(np.float64),
    )
    things = things[things.masks.area() > 0]
    return things.replace(instance_id=instance_numbers(things.is_thing))


def surest(logits: Floats, minimum: float, most: int) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Falling scores of the best of (N, K) class logits, their class rows, and their places among the N."""
    if logits.shape[1] == 0:
        nothing = np.zeros(0, np.int64)
        return np.zeros(0, np.float32), nothing, nothing
    row = logits.argmax(axis=1)
    score = 1 / (1 + np.exp(-logits[np.arange(len(logits)), row]))
    good = np.flatnonzero(score >= minimum)
    at = good[np.argsort(-score[good], kind="stable")][:most]
    return score[at].astype(np.float32), row[at], at


def boxes_of(moves: Floats, anchors: Floats, weights: tuple[float, float]) -> Floats:
    """(N, 4) boxes; the numpy twin of `parts.boxes.decode`."""
    side = (anchors[:, 2:] - anchors[:, :2]).clip(min=1e-3)
    middle = anchors[:, :2] + side / 2 + moves[:, :2] / weights[0] * side
    half = np.exp((moves[:, 2:] / weights[1]).clip(max=LARGEST_STEP)) * side / 2
    return np.concatenate([middle - half, middle + half], axis=1)


def fast_nms(boxes: Floats, row: NDArray[np.int64], overlap: float) -> NDArray[np.int64]:
    """Places of falling boxes that no better one of their class, kept or not, overlaps more (YOLACT, 3.4)."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    both = (high - low).clip(min=0).prod(axis=2)
    area = (boxes[:, 2:] - boxes[:, :2]).clip(min=0).prod(axis=1)
    shared = both / (area[:, None] + area[None] - both).clip(min=1e-6)
    rival = np.triu(shared, 1) * (row[:, None] == row[None])
    return np.flatnonzero(rival.max(axis=0, initial=0) <= overlap)


def _patch(
    prototypes: Floats, mix: Floats, box: Floats, stride: int, size: tuple[int, int]
) -> tuple[NDArray[np.bool_], int, int]:
    """(pixels, top, left) of one thing at the resolution of the image."""
    left, top = (int(np.floor(value)) for value in box[:2])
    right, bottom = (int(np.ceil(value)) for value in box[2:])
    right, bottom = min(right, size[1]), min(bottom, size[0])
    if right <= left or bottom <= top:
        return np.zeros((0, 0), np.bool_), 0, 0
    rows = np.s_[max(0, top // stride - 1) : bottom // stride + 2]
    columns = np.s_[max(0, left // stride - 1) : right // stride + 2]
    logits = np.tensordot(mix, prototypes[:, rows, columns], axes=1)
    x = (np.arange(left, right, dtype=np.float32) + 0.5) / stride - 0.5 - columns.start
    y = (np.arange(top, bottom, dtype=np.float32) + 0.5) / stride - 0.5 - rows.start
    across = np.repeat(x[None].astype(np.float32), len(y), axis=0)
    down = np.repeat(y[:, None].astype(np.float32), len(x), axis=1)
    border = cv2.BORDER_REPLICATE
    seen = cv2.remap(logits.astype(np.float32), across, down, cv2.INTER_LINEAR, borderMode=border)
    return seen > 0, top, left
