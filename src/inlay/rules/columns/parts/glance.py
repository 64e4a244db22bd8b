"""A glance: the image of a sample small and grey, turned as its label is, and how steep it is where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import FormatError
from inlay.core.images import open_image
from inlay.rules.tables import UnknownError

if TYPE_CHECKING:
    from PIL import Image

LEVELS = 1024


def glance(
    image: Path | NDArray[np.uint8] | None, size: tuple[int, int], longest: int
) -> NDArray[np.float32]:
    """(h, w) grey of an image whose label is `size` large, shrunk to at most `longest` pixels.

    Raises
    ------
    UnknownError
        Without an image that can be read, or when it has another shape than the label.
    """
    from PIL import Image, ImageOps

    shrink = max(size) / longest
    small = size if shrink <= 1 else (max(round(size[0] / shrink), 1), max(round(size[1] / shrink), 1))
    if isinstance(image, np.ndarray):
        opened = Image.fromarray(image)
        return _shrunk(opened, size, small)
    if image is None:
        raise UnknownError
    try:
        with open_image(image) as stored:
            whole = (stored.height, stored.width)
            stored.draft("L", (max(small), max(small)))  # a JPEG is decoded at a part of its size
            turned = ImageOps.exif_transpose(stored)
            sides = whole if turned.size == stored.size else whole[::-1]
            if sides != size and whole == size:
                turned, sides = stored, whole
            if sides != size:
                raise UnknownError
            return _shrunk(turned, None, small)
    except (FormatError, OSError, SyntaxError, ValueError):
        raise UnknownError from None


def _shrunk(image: Image.Image, size: tuple[int, int] | None, small: tuple[int, int]) -> NDArray[np.float32]:
    from PIL import Image

    if size is not None and (image.height, image.width) != size:
        raise UnknownError
    grey = image.convert("F") if image.mode.startswith("I") else image.convert("L")
    if (grey.height, grey.width) != small:
        grey = grey.resize(small[::-1], Image.Resampling.BOX)
    return np.asarray(grey, np.float32)


def steepness(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w) rank of each pixel's gradient among all, 0 to 1, the steepest of its 3 x 3 neighbours taken."""
    if min(grey.shape) < 3:
        return np.zeros(grey.shape, np.float32)
    steep = np.zeros_like(grey)
    steep[:, 1:-1] += np.abs(grey[:, 2:] - grey[:, :-2])
    steep[1:-1] += np.abs(grey[2:] - grey[:-2])
    level = (steep * ((LEVELS - 1) / max(float(steep.max()), 1e-9))).astype(np.int64)
    many = np.bincount(level.ravel(), minlength=LEVELS)
    rank = ((np.cumsum(many) - 0.5 * many) / max(level.size, 1)).astype(np.float32)[level]
    for axis in (0, 1):
        near = rank.copy()
        ahead = [slice(None)] * 2
        behind = [slice(None)] * 2
        ahead[axis], behind[axis] = slice(1, None), slice(None, -1)
        np.maximum(near[tuple(behind)], rank[tuple(ahead)], out=near[tuple(behind)])
        np.maximum(near[tuple(ahead)], rank[tuple(behind)], out=near[tuple(ahead)])
        rank = near
    return rank
