"""Columns that look at the image itself: does an outline lie on an edge, is what it holds of one kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.core.morphology import boundary_band, dilate
from inlay.rules.tables import Floats, SegmentTable

BINS = 64


def boundary_gradient(table: SegmentTable) -> Floats:
    """How steep the image is along the outline, as a rank among all its pixels; 0 to 1.

    The steepest pixel within 1 of each outline pixel counts. About 0.6 for an outline drawn anywhere, near 1
    for one that lies on an edge. Unknown without pixels, and for an empty mask.
    """
    rank = _steepness(table.pixels)
    rim = boundary_band(table.masks, 1)
    inner = _values(rim, rank)
    return np.array([float(each.mean()) if each.size else np.nan for each in inner])


def contrast(table: SegmentTable) -> Floats:
    """Difference of mean grey in the mask and in a ring of 5 pixels around, over the image's deviation.

    0 or more; unknown without pixels, and where either is empty.
    """
    grey = _grey(table.pixels)
    ring = dilate(table.masks, 5, element="disk") - table.masks
    inside, around = _values(table.masks, grey), _values(ring, grey)
    spread = max(float(grey.std()), 1e-9)
    return np.array(
        [abs(a.mean() - b.mean()) / spread if a.size and b.size else np.nan for a, b in zip(inside, around)]
    )


def leak_score(table: SegmentTable) -> Floats:
    """Share of the variance of the greys inside that a split into two explains best (Otsu); 0 to 1.

    About 0.6 for one even surface, more when two kinds of surface are in one mask. Unknown without pixels.
    """
    grey = _grey(table.pixels)
    return np.array([_two_kinds(each) for each in _values(table.masks, grey)])


def _grey(pixels: NDArray[np.uint8]) -> Floats:
    grey: Floats = pixels.astype(np.float64).mean(axis=2)
    return grey


def _steepness(pixels: NDArray[np.uint8]) -> Floats:
    """(H, W) rank of each pixel's gradient, the largest of its 3 x 3 neighbours taken; 0 to 1."""
    if min(pixels.shape[:2]) < 2:
        return np.zeros(pixels.shape[:2])
    down, right = np.gradient(_grey(pixels))
    steep = np.pad(np.hypot(down, right), 1, mode="edge")
    height, width = pixels.shape[:2]
    windows = [steep[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    order = np.sort(np.hypot(down, right), axis=None)
    steepest = np.maximum.reduce(windows)
    rank: Floats = np.searchsorted(order, steepest.ravel()).reshape(steepest.shape) / max(order.size, 1)
    return rank


def _values(masks: Masks, image: Floats) -> list[Floats]:
    """The values of an image under each mask."""
    found = []
    for row, (x0, y0, x1, y1) in enumerate(masks.box().tolist()):
        found.append(image[y0:y1, x0:x1][masks.crop(row, (x0, y0, x1, y1))])
    return found


def _two_kinds(values: Floats) -> float:
    if values.size < 2 or not np.ptp(values):
        return float("nan") if values.size < 2 else 0.0
    counts, edges = np.histogram(values, BINS)
    middle = (edges[:-1] + edges[1:]) / 2
    weight = np.cumsum(counts) / values.size
    mean = np.cumsum(counts * middle) / values.size
    both = weight * (1 - weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = np.where(both > 0, (mean[-1] * weight - mean) ** 2 / both, 0.0)
    total = float((counts * (middle - mean[-1]) ** 2).sum() / values.size)
    return float(min(between.max() / total, 1.0)) if total > 0 else 0.0
