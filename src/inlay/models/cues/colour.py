"""Colours that lie as far apart as they look, and how much likelier one is inside than outside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

BINS = 10  # of each channel's histogram
TO_XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32
) / np.array([[0.9505], [1.0], [1.089]], np.float32)  # sRGB, white point D65
LINEAR = np.array(
    [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in np.arange(256) / 255], np.float32
)


def lab_of(pixels: NDArray[np.uint8]) -> Field:
    """(H, W, 3) CIE L*a*b* in hundredths: lightness from 0 to 1."""
    x = LINEAR[pixels] @ TO_XYZ.T
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + np.float32(16 / 116))
    light, red, yellow = 1.16 * f[..., 1] - 0.16, 5 * (f[..., 0] - f[..., 1]), 2 * (f[..., 1] - f[..., 2])
    lab: Field = np.stack([light, red, yellow], -1).astype(np.float32)
    return lab


def likelihood(lab: Field, inside: Field, outside: Field) -> Field:
    """(H, W) log of how much likelier each pixel's colour is inside, within -4 .. 4.

    Parameters
    ----------
    lab
        (H, W, 3) colours.
    inside, outside
        (H, W) how much each pixel counts for either side.
    """
    from scipy.ndimage import gaussian_filter

    colours = lab.reshape(-1, 3)
    low, high = np.quantile(colours[:: max(1, len(colours) // 4096)], [0.01, 0.99], axis=0)
    places = np.clip((colours - low) / np.maximum(high - low, 0.08) * (BINS - 1) + 0.5, 0, BINS - 1)
    numbers = places.astype(np.int64) @ np.array([BINS * BINS, BINS, 1])

    def histogram(weights: Field | None) -> NDArray[np.float64]:
        counts = np.bincount(numbers, None if weights is None else weights.ravel(), BINS**3)
        spread = gaussian_filter(counts.astype(float).reshape(BINS, BINS, BINS), 0.8, mode="nearest")
        share: NDArray[np.float64] = spread.ravel() / max(float(spread.sum()), 1e-9)
        return share

    anywhere = 0.05 * histogram(None) + 1e-6
    ratio = np.log(histogram(inside) + anywhere) - np.log(histogram(outside) + anywhere)
    found: Field = np.clip(ratio, -4, 4).astype(np.float32)[numbers].reshape(lab.shape[:2])
    return found
