"""Noise fields and what a camera does to a picture."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.scenes.drawing.shapes import Field

TILE = 256  # pixels of a noise tile; it repeats without a seam


@lru_cache(maxsize=8)
def _tile(kind: int) -> Field:
    """(TILE, TILE) noise of mean 0 and deviation 1: 0 is fine grain, higher ones are ever softer clouds."""
    from scipy.ndimage import gaussian_filter

    grain = np.random.default_rng([2718, kind]).standard_normal((TILE, TILE))
    field = np.zeros_like(grain)
    for octave in range(kind + 1):
        soft = gaussian_filter(grain, 2.0**octave, mode="wrap") if octave else grain
        field += soft / soft.std() * 1.6**octave
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def noise(
    x: NDArray[np.floating[Any]],
    y: NDArray[np.floating[Any]],
    *,
    scale: float = 1.0,
    softness: int = 3,
    at: int = 0,
) -> Field:
    """Noise of mean 0 and deviation 1 at the points of broadcast x and y.

    Parameters
    ----------
    scale
        Pixels (or metres) to one texel.
    softness
        0 fine grain .. 6 clouds.
    at
        Where in the tile to begin: another number, another pattern.
    """
    u = np.asarray(x, np.float32) / np.float32(scale) + np.float32(at * 37 % TILE)
    v = np.asarray(y, np.float32) / np.float32(scale) + np.float32(at * 91 % TILE)
    left, top = np.floor(u), np.floor(v)
    a, b = u - left, v - top
    x0, y0 = left.astype(np.int32) % TILE, top.astype(np.int32) % TILE
    x1, y1 = (x0 + 1) % TILE, (y0 + 1) % TILE
    tile = _tile(softness)
    upper = tile[y0, x0] * (1 - a) + tile[y0, x1] * a
    lower = tile[y1, x0] * (1 - a) + tile[y1, x1] * a
    field: Field = upper * (1 - b) + lower * b
    return field


def grain(
    x: NDArray[np.floating[Any]],
    y: NDArray[np.floating[Any]],
    *,
    scale: float = 1.0,
    softness: int = 2,
    at: int = 0,
) -> Field:
    """`noise` without interpolation: faster, and as good where a texel is no larger than a pixel."""
    across = (np.asarray(x, np.float32) / np.float32(scale)).astype(np.int32) + at * 37
    down = (np.asarray(y, np.float32) / np.float32(scale)).astype(np.int32) + at * 91
    field: Field = _tile(softness)[down & (TILE - 1), across & (TILE - 1)]
    return field


def develop(
    picture: NDArray[np.float32],
    random: np.random.Generator,
    *,
    blur: float = 0.6,
    grain: float = 0.015,
    vignette: float = 0.15,
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0),
    gamma: float = 1.0,
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 as a camera would have it: out of focus, uneven, noisy, of its own colour."""
    from scipy.ndimage import gaussian_filter1d

    height, width = picture.shape[:2]
    if blur > 0:
        for axis in (0, 1):
            picture = gaussian_filter1d(picture, blur, axis=axis, truncate=3.0, mode="nearest")
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height * 2 - 1
    x = (np.arange(width, dtype=np.float32)[None] + 0.5) / width * 2 - 1
    fall = 1 - np.float32(vignette) * (x * x + y * y) / 2
    picture = np.clip(picture * (fall[..., None] * np.array(gains, np.float32)), 0, 1)
    if gamma != 1:
        picture = picture ** np.float32(gamma)
    hiss = random.standard_normal(picture.shape, np.float32)
    hiss *= np.float32(grain) * np.sqrt(picture * np.float32(0.9) + np.float32(0.1))
    return np.asarray(np.clip(picture + hiss, 0, 1) * 255 + 0.5, np.uint8)
