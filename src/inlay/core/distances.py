"""Exact Euclidean distances inside masks, and the pixel that lies deepest in each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.errors import InlayError
from inlay.core.masks import Masks


def distance(bitmap: NDArray[Any], *, walled: bool = False) -> NDArray[np.float64]:
    """(H, W) pixels from each pixel to the nearest zero, centre to centre; infinite where there is none.

    Parameters
    ----------
    walled
        Whether the pixels around the image count as zeros.
    """
    pixels = np.asarray(bitmap)
    if pixels.ndim != 2:
        raise InlayError(f"distances are those of an (H, W) bitmap, not of shape {pixels.shape}")
    squared = kernels.distance(np.ascontiguousarray(pixels != 0).view(np.uint8), walled)
    return np.sqrt(np.where(squared < 0, np.inf, squared))


def depth(masks: Masks, row: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """How deep each pixel of mask `row` lies, and the box (x0, y0, x1, y1) that the array covers.

    Depth is the distance to the nearest pixel outside the mask, and all around the image is outside: 1 on the
    boundary, 0 where the mask is not.
    """
    box = masks.box()[row]
    return distance(masks.crop(row, box), walled=True), box


def innermost(masks: Masks, *, threads: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(N, 2) the pixel (x, y) that lies deepest in each mask, and (N,) its depth.

    The first of equals down the columns; (0, 0) and depth 0 for an empty mask. Twice the depth, less one, is
    how thick a mask is at its thickest place.
    """
    found = kernels.innermost(masks.counts, masks.offsets, masks.size[0], threads)
    return found[:, :2], np.sqrt(found[:, 2])
