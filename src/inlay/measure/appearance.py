"""How things look: colours of each mask as a vector, and how alike two looks are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks

Floats = NDArray[np.float64]
BINS = 5  # of each of the three opponent colours
BANDS = 2  # a look has this many parts from top to bottom


def look(pixels: NDArray[np.uint8], masks: Masks) -> Floats:
    """(N, BANDS * 3 * BINS) colour histograms of the upper and the lower half of each mask, bins soft.

    The colours are brightness, red against green and yellow against blue; each histogram sums to 1, or is
    zero where its half is empty.
    """
    found = np.zeros((len(masks), BANDS, 3 * BINS))
    for row in range(len(masks)):
        box = masks.box()[row]
        inside = masks.crop(row, box)
        window = pixels[box[1] : box[3], box[0] : box[2]]
        for band, (part, colours) in enumerate(
            zip(np.array_split(inside, BANDS), np.array_split(window, BANDS), strict=True)
        ):
            if part.any():
                found[row, band] = _histogram(colours[part].astype(np.float64))
    return found.reshape(len(masks), BANDS * 3 * BINS)


def _histogram(colours: Floats) -> Floats:
    red, green, blue = colours.T
    brightness, yellow = (red + green + blue) / 3, (red + green) / 2
    channels = (brightness / 255, 0.5 + (red - green) / 255, 0.5 + (yellow - blue) / 255)
    parts = []
    for channel in channels:
        place = np.clip(channel, 0, 1) * (BINS - 1)
        low = np.minimum(place.astype(int), BINS - 2)
        share = place - low
        histogram = np.bincount(low, 1 - share, BINS) + np.bincount(low + 1, share, BINS)
        parts.append(histogram / histogram.sum())
    return np.concatenate(parts) / len(channels)


def likeness(mine: Floats, theirs: Floats) -> Floats:
    """(N, M) Bhattacharyya coefficients, 0 .. 1, of looks; only the bands that both have are compared."""
    a = np.sqrt(mine).reshape(len(mine), BANDS, -1)
    b = np.sqrt(theirs).reshape(len(theirs), BANDS, -1)
    shared = np.einsum("nbk,mbk->nmb", a, b)
    mine_has, theirs_has = np.asarray(a.any(axis=2)), np.asarray(b.any(axis=2))
    both = (mine_has[:, None] & theirs_has[None]).sum(axis=2)
    return np.asarray(shared.sum(axis=2) / np.maximum(both, 1))
