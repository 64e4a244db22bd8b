"""Category grids, kernels and mask features into segmentations, in numpy and in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.models.parts.nms import local_peaks, matrix_nms

Floats = NDArray[np.float32]
REACH = 1.5  # a mask is painted this many times the largest side of its grid around its cell
SMALL_PIXELS = 1  # of the mask features: what is smaller is noise
TOGETHER = 32  # cells painted at once
Patch = tuple[Floats, int, int]  # logits on the map of mask features, from row `top` and column `left` on


@dataclass(frozen=True, eq=False)
class Grid:
    """What one grid says of one image.

    Parameters
    ----------
    logits
        (K, h, w) of the classes.
    kernels
        (E + 4, h, w).
    cell
        Side of a cell, pixels.
    largest
        Largest side of a thing that it finds, pixels.
    """

    logits: Floats
    kernels: Floats
    cell: int
    largest: float


class Claim(NamedTuple):
    """A cell that claims to have found something: its grid, the class row, and (row, column) of the cell."""

    score: float
    grid: int
    class_id: int
    cell: tuple[int, int]


def things_of_grids(
    painted: Floats,
    grids: Sequence[Grid],
    size: tuple[int, int],
    classes: Classes,
    *,
    stride: int,
    minimum_score: float,
    candidates: int,
    partition: bool,
) -> Segmentation:
    """Things of one image, the surest in front.

    Parameters
    ----------
    painted
        (E, H / stride, W / stride) mask features.
    size
        (height, width) of the image; what lies beyond is padding.
    """
    claims = _claims(grids, minimum_score, candidates)
    inside = painted[:, : -(-size[0] // stride), : -(-size[1] // stride)]
    sure, coarse = np.zeros(len(claims), np.float32), [np.zeros(0, np.uint32)] * len(claims)
    for place, (patch, top, left) in _painted(inside, grids, claims, stride):
        seen = patch > 0
        if int(seen.sum()) >= SMALL_PIXELS:
            sure[place] = claims[place].score * float((1.0 / (1.0 + np.exp(-patch[seen]))).mean())
            coarse[place] = _runs(seen, top, left, (inside.shape[1], inside.shape[2]))
    at = np.flatnonzero(sure > 0)
    at = at[np.argsort(-sure[at], kind="stable")]
    rough = Masks.from_runs([coarse[place] for place in at], (inside.shape[1], inside.shape[2]))
    class_id = np.array([claims[place].class_id for place in at], np.int64)
    scores = matrix_nms(sure[at], class_id, lambda first, stop: rough[:stop].iou(rough[first:stop]))
    order = np.flatnonzero(scores >= minimum_score)
    order = order[np.argsort(scores[order], kind="stable")]  # back to front
    kept, fine = [claims[place] for place in at[order]], [np.zeros(0, np.uint32)] * len(order)
    for place, patch_at in _painted(inside, grids, kept, stride):  # again, as all patches would fill memory
        fine[place] = _runs(*_enlarged(patch_at, stride, size), size)
    things = Segmentation(
        classes,
        Masks.from_runs(fine, size),
        class_id[order].astype(np.int32),
        np.zeros(len(order), np.int32),
        scores[order].clip(0, 1),
    )
    if partition:
        things = things.flatten().replace(amodal=None)
    things = things[things.masks.area() > 0]
    return things.replace(instance_id=instance_numbers(things.is_thing))


def _painted(
    painted: Floats, grids: Sequence[Grid], claims: Sequence[Claim], stride: int
) -> Iterator[tuple[int, Patch]]:
    """(place among the claims, what its kernel paints), neighbours of a grid after each other."""
    for k, grid in enumerate(grids):
        mine = [place for place, claim in enumerate(claims) if claim.grid == k]
        mine.sort(key=lambda place: claims[place].cell)
        for start in range(0, len(mine), TOGETHER):
            part = mine[start : start + TOGETHER]
            yield from zip(
                part, paint(painted, grid, np.array([claims[place].cell for place in part]), stride)
            )


def _claims(grids: Sequence[Grid], minimum: float, most: int) -> list[Claim]:
    """The best above the least score, peaks of their grid."""
    claims: list[Claim] = []
    for k, grid in enumerate(grids):
        shares = (1.0 / (1.0 + np.exp(-grid.logits))).astype(np.float32)
        above = np.nonzero((shares >= minimum) & local_peaks(shares))
        for class_id, row, column in zip(*(each.tolist() for each in above)):
            claims.append(Claim(float(shares[class_id, row, column]), k, class_id, (row, column)))
    return sorted(claims, key=lambda claim: (-claim.score, *claim[1:]))[:most]


def paint(painted: Floats, grid: Grid, cells: NDArray[np.int64], stride: int) -> Iterator[Patch]:
    """The patches that kernels of some cells (row, column) paint; numpy twin of `solov2.mask_logits`.

    They are painted together on the part of the map that holds the surroundings of all of them: it is small
    when the cells lie near each other.
    """
    middle = (cells + 0.5) * grid.cell
    reach = min(REACH * grid.largest, 1e9)
    lows = np.maximum(0, (middle - reach) // stride).astype(int)
    highs = np.minimum(painted.shape[1:], (middle + reach) // stride + 1).astype(int)
    low, high = lows.min(0), highs.max(0)
    window = painted[:, low[0] : high[0], low[1] : high[1]]
    kernels = grid.kernels[:, cells[:, 0], cells[:, 1]].T.astype(np.float32)
    weights, (bias, slope_x, slope_y, fall) = kernels[:, :-4], kernels[:, -4:].T[:, :, None]
    unit = np.float32(4 * grid.cell)
    down, across = (
        ((np.arange(low[axis], high[axis], dtype=np.float32) + 0.5) * stride - middle[:, axis : axis + 1])
        / unit
        for axis in (0, 1)
    )
    fall = np.logaddexp(0.0, fall)
    logits = (weights @ window.reshape(len(window), -1)).reshape(-1, *window.shape[1:])
    logits += (slope_x * across - fall * across**2)[:, None, :].astype(np.float32)
    logits += (slope_y * down - fall * down**2 + bias)[:, :, None].astype(np.float32)
    for each, (top, left), (bottom, right) in zip(logits, lows, highs):
        own = each[top - low[0] : bottom - low[0], left - low[1] : right - low[1]]
        yield _trimmed(own, int(top), int(left))


def _trimmed(logits: Floats, top: int, left: int) -> Patch:
    """A patch cut down to what it shows and one pixel around it."""
    seen = logits > 0
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    if rows.size == 0:
        return logits[:0, :0], top, left
    y, x = max(0, int(rows[0]) - 1), max(0, int(columns[0]) - 1)
    return logits[y : rows[-1] + 2, x : columns[-1] + 2].copy(), top + y, left + x


def _enlarged(patch_at: Patch, stride: int, size: tuple[int, int]) -> tuple[NDArray[np.bool_], int, int]:
    """The patch at the resolution of the image: (pixels, top, left)."""
    patch, top, left = patch_at
    height, width = (length * stride for length in patch.shape)
    large = cv2.resize(patch, (width, height), interpolation=cv2.INTER_LINEAR) > 0
    top, left = top * stride, left * stride
    return large[: size[0] - top, : size[1] - left], top, left


def masks_of_patches(patches: Iterable[tuple[NDArray[np.bool_], int, int]], size: tuple[int, int]) -> Masks:
    """Masks of small bool arrays placed in an image, without an array of the image's size for each.

    Parameters
    ----------
    patches
        (pixels, top, left) of each mask, one after the other; pixels must lie inside the image.
    """
    return Masks.from_runs([_runs(pixels, top, left, size) for pixels, top, left in patches], size)


def _runs(pixels: NDArray[np.bool_], top: int, left: int, size: tuple[int, int]) -> NDArray[np.uint32]:
    """Column-major run lengths of a patch placed in an image, background first."""
    down = np.zeros((pixels.shape[1], pixels.shape[0] + 2), np.int8)
    down[:, 1:-1] = pixels.T
    step = np.diff(down)
    column, start = np.nonzero(step == 1)
    _, stop = np.nonzero(step == -1)
    first = (left + column) * size[0] + top
    ends: NDArray[Any] = np.stack([first + start, first + stop], 1).ravel()
    return np.diff(np.concatenate([[0], ends, [size[0] * size[1]]])).astype(np.uint32)
