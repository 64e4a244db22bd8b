"""Pictures with one segment each."""

from __future__ import annotations

import numpy as np

Y, X = 120, 160


def disk(height=Y, width=X, centre=(80, 60), radius=28, noise=10, seed=0):
    """A warm disk on a cold ground, and its mask."""
    lot = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
    image = np.where(inside[..., None], [200, 120, 60], [60, 90, 130])
    image = image + lot.normal(0, noise, (height, width, 3))
    return image.clip(0, 255).astype(np.uint8), inside


def anything(seed, height, width):
    """Blurred noise of any colours."""
    from scipy.ndimage import gaussian_filter

    lot = np.random.default_rng(seed)
    blurred = gaussian_filter(lot.random((height, width, 3)), (lot.uniform(0, 5), lot.uniform(0, 5), 0))
    low, high = blurred.min(), blurred.max()
    return ((blurred - low) / max(high - low, 1e-9) * 255).astype(np.uint8)


def iou(a, b):
    return (a & b).sum() / max((a | b).sum(), 1)
