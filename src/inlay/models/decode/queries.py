"""Classes and masks of queries into segmentations, in numpy: each mask inside its own box only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.models.decode.grids import masks_of_patches

Floats = NDArray[np.float32]
Shape = tuple[Floats, int, int]  # shares of pixels above a half, else 0; from row `top` and column `left` on


def things_of_queries(
    logits: Floats,
    masks: Floats,
    size: tuple[int, int],
    classes: Classes,
    *,
    stride: int,
    minimum_score: float,
) -> Segmentation:
    """One segment for each query that found one, the surest in front; masks may overlap.

    A score is the share of the class times the mean share of the pixels of the mask.

    Parameters
    ----------
    logits
        (Q, K + 1) of the classes, the last one "no segment".
    masks
        (Q, h, w) logits, at a pixel for `stride` of the image.
    size
        (height, width) of the image; what lies beyond is padding.
    """
    rows, score, shapes = _found(logits, masks, size, stride, minimum_score)
    patches = ((shares > 0, top, left) for shares, top, left in shapes)
    found = Segmentation(classes, masks_of_patches(patches, size), rows, np.zeros(len(rows), np.int32), score)
    return found.replace(instance_id=instance_numbers(found.is_thing))


def segments_of_queries(
    logits: Floats,
    masks: Floats,
    size: tuple[int, int],
    classes: Classes,
    *,
    stride: int,
    minimum_score: float,
    left_over: float,
) -> Segmentation:
    """A partition: each pixel to the query whose share of it, by its score, is largest (Cheng et al. 2021).

    A query is left out when less than the share `left_over` of its mask is left to it. Queries of one class
    of stuff are one segment. Other parameters as in `things_of_queries`.
    """
    rows, score, shapes = _found(logits, masks, size, stride, minimum_score)
    best, winner = np.zeros(size, np.float32), np.full(size, -1, np.int32)
    whole = np.zeros(len(rows), np.int64)
    for place, (shares, top, left) in enumerate(shapes):
        window = np.s_[top : top + shares.shape[0], left : left + shares.shape[1]]
        better = shares * np.float32(score[place]) > best[window]
        best[window][better] = (shares * np.float32(score[place]))[better]
        winner[window][better] = place
        whole[place] = np.count_nonzero(shares)
    kept = np.bincount(winner.ravel() + 1, minlength=len(rows) + 1)[1:]
    fine = (kept > 0) & (kept >= left_over * whole)
    return _joined(winner, fine, kept, rows, score, classes)


def _joined(
    winner: NDArray[np.int32],
    fine: NDArray[np.bool_],
    pixels: NDArray[np.int64],
    rows: NDArray[np.int32],
    score: NDArray[np.float64],
    classes: Classes,
) -> Segmentation:
    """Segments of a map of queries (-1 for none): stuff of one class joined, at the back."""
    thing = classes.is_thing[rows] if len(rows) else np.zeros(0, np.bool_)
    key = np.where(thing, len(classes) + np.arange(len(rows)), rows)  # queries of one key are one segment
    keys = np.unique(key[fine])
    place = np.searchsorted(keys, key).clip(max=max(len(keys) - 1, 0))
    of_query = np.append(np.where(fine, place, -1), -1)
    area = np.bincount(place[fine], pixels[fine], len(keys))
    mean = np.bincount(place[fine], (pixels * score)[fine], len(keys)) / np.maximum(area, 1)
    class_id = np.zeros(len(keys), np.int32)
    class_id[place[fine]] = rows[fine]
    none = np.zeros(len(keys), np.int32)
    ids = of_query[winner].astype(np.int32)
    found = Segmentation(classes, Masks.from_ids(ids, len(keys)), class_id, none, mean)
    found = found[np.lexsort((mean, found.is_thing))]  # back to front
    return found.replace(instance_id=instance_numbers(found.is_thing))


def _found(
    logits: Floats, masks: Floats, size: tuple[int, int], stride: int, minimum_score: float
) -> tuple[NDArray[np.int32], NDArray[np.float64], Iterator[Shape]]:
    """Class rows, rising scores and shapes of the queries that found something.

    Shapes are made one after the other: all together they may not fit into memory.
    """
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    row, sure = logits.argmax(1), shares[:, :-1].max(1, initial=0.0)
    kept: list[tuple[float, int]] = []
    inside = masks[:, : -(-size[0] // stride), : -(-size[1] // stride)]
    for query in np.flatnonzero((row < logits.shape[1] - 1) & (sure >= minimum_score)):
        shares_of = _enlarged(inside[query], stride, size)[0]
        seen = shares_of[shares_of > 0]
        score = float(sure[query]) * float(seen.mean()) if seen.size else 0.0
        if seen.size and score >= minimum_score:
            kept.append((score, int(query)))
    kept.sort(key=lambda each: each[0])
    queries = np.array([query for _, query in kept], np.int64)
    score_of = np.array([score for score, _ in kept]).clip(0, 1)
    shapes = (_enlarged(inside[query], stride, size) for query in queries)
    return row[queries].astype(np.int32), score_of, shapes


def _enlarged(logits: Floats, stride: int, size: tuple[int, int]) -> Shape:
    """The part of a mask above a half, with a margin, at the resolution of the image."""
    rows, columns = (np.flatnonzero((logits > 0).any(axis)) for axis in (1, 0))
    if rows.size == 0:
        return np.zeros((0, 0), np.float32), 0, 0
    top, left = max(0, int(rows[0]) - 1), max(0, int(columns[0]) - 1)
    part: NDArray[Any] = np.ascontiguousarray(logits[top : rows[-1] + 2, left : columns[-1] + 2])
    height, width = part.shape[0] * stride, part.shape[1] * stride
    large = cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width)
    large = large[: size[0] - top * stride, : size[1] - left * stride]
    shares = np.where(large > 0, 1 / (1 + np.exp(-large.clip(0, 80))), 0).astype(np.float32)
    return shares, top * stride, left * stride
