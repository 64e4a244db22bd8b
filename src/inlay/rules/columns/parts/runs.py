"""Masks as vertical stretches of pixels: what sums, hulls and directed contacts are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stretches:
    """Stretches of pixels down one image column each, by row of the masks, then column, then start."""

    row: Integers  # (S,) the mask
    column: Integers  # (S,)
    start: Integers  # (S,) first image row
    stop: Integers  # (S,) image row after the last


def stretches(masks: Masks) -> Stretches:
    """The stretches of some masks."""
    height, width = masks.size
    stop = np.cumsum(masks.counts, dtype=np.int64)
    row = np.repeat(np.arange(len(masks)), np.diff(masks.offsets))
    seen = (np.arange(len(stop)) - masks.offsets[row]) % 2 == 1
    row, stop = row[seen], (stop - row * (height * width))[seen]
    start = stop - masks.counts[seen]
    columns = (stop - 1) // max(height, 1) - start // max(height, 1) + 1
    whole = np.repeat(np.arange(len(row)), columns)
    column = start[whole] // height + np.arange(len(whole)) - np.repeat(np.cumsum(columns) - columns, columns)
    top = np.maximum(start[whole], column * height) - column * height
    bottom = np.minimum(stop[whole], (column + 1) * height) - column * height
    return Stretches(row[whole], column, top, bottom)


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the pixel centres of each mask."""

    x: NDArray[np.float64]  # (N,) mean
    y: NDArray[np.float64]
    xx: NDArray[np.float64]  # (N,) variance, that of one pixel (1/12) counted in
    yy: NDArray[np.float64]
    xy: NDArray[np.float64]


def moments(masks: Masks) -> Moments:
    """Means and variances of the pixels of each mask; NaN for an empty one."""
    runs, count = stretches(masks), len(masks)
    length = (runs.stop - runs.start).astype(np.float64)
    x = runs.column + 0.5
    middle = (runs.start + runs.stop) / 2.0

    def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(runs.row, values, count).astype(np.float64)

    area = masks.area().astype(np.float64)
    area[area == 0] = np.nan
    mean_x, mean_y = summed(length * x) / area, summed(length * middle) / area
    dx, dy = x - mean_x[runs.row], middle - mean_y[runs.row]
    within = length * (length * length - 1.0) / 12.0
    return Moments(
        mean_x,
        mean_y,
        summed(length * dx * dx) / area + 1 / 12,
        (summed(length * dy * dy) + summed(within)) / area + 1 / 12,
        summed(length * dx * dy) / area,
    )


def hull_area(masks: Masks) -> NDArray[np.float64]:
    """(N,) area of the convex hull of each mask's pixels, corners counted; 0 for an empty mask."""
    count = len(masks)
    if not count:
        return np.zeros(0)
    runs = stretches(masks)
    key = runs.row * (masks.size[1] + 1) + runs.column
    first = np.flatnonzero(np.diff(key, prepend=-1))
    if not len(first):
        return np.zeros(count)
    row, column = runs.row[first], runs.column[first]
    top = np.minimum.reduceat(runs.start, first)
    bottom = np.maximum.reduceat(runs.stop, first)
    return _under(row, column, bottom, count) - _under(row, column, top, count, sign=-1)


def _under(row: Integers, column: Integers, y: Integers, count: int, *, sign: int = 1) -> NDArray[np.float64]:
    """Integral of the least concave function over the points (column, y) and (column + 1, y), by row.

    Points below the chord of their neighbours are struck out all at once, until none is left: a point under
    a chord of two others is never on the hull.
    """
    rows = np.repeat(row, 2)
    x = np.column_stack([column, column + 1]).ravel()
    height = sign * np.repeat(y, 2)
    while len(x) > 2:
        inner = (rows[:-2] == rows[1:-1]) & (rows[2:] == rows[1:-1])
        turn = (x[1:-1] - x[:-2]) * (height[2:] - height[:-2]) - (x[2:] - x[:-2]) * (
            height[1:-1] - height[:-2]
        )
        out = np.flatnonzero(inner & (turn >= 0)) + 1
        if not len(out):
            break
        keep = np.ones(len(x), np.bool_)
        keep[out] = False
        rows, x, height = rows[keep], x[keep], height[keep]
    same = rows[1:] == rows[:-1]
    pieces = (x[1:] - x[:-1]) * (height[1:] + height[:-1]) / 2.0
    return sign * np.bincount(rows[1:][same], pieces[same], count).astype(np.float64)
