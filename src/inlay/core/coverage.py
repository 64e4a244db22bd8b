"""Pixels that several masks share, and how often the values of two label maps meet."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.errors import InlayError
from inlay.core.masks import Masks


def covered(masks: Masks, least: int = 1) -> Masks:
    """One mask: the pixels that at least `least` of the masks cover; 2 for overlaps, N for what all share."""
    if least < 1:
        raise InlayError(f"a pixel is covered by at least 1 mask, not {least}")
    pixels = masks.size[0] * masks.size[1]
    return Masks(*kernels.covered(masks.counts, masks.offsets, pixels, least), masks.size)


def shared(masks: Masks) -> Masks:
    """One mask: the pixels that all masks cover; none where there are no masks."""
    return covered(masks, max(len(masks), 1))


def confusion(
    truth: NDArray[Any], prediction: NDArray[Any], classes: int, *, threads: int = 0
) -> NDArray[np.int64]:
    """(classes, classes + 1) pixels of each true and predicted class of two 8-bit label maps of one shape.

    Pixels whose truth is no class (255, say) are not judged. The last column counts judged pixels whose
    prediction is no class: what these mean is up to the caller.

    Raises
    ------
    InlayError
        When the maps differ in shape, are not uint8, or there are more than 256 classes.
    """
    if truth.shape != prediction.shape or truth.dtype != np.uint8 or prediction.dtype != np.uint8:
        raise InlayError(
            f"label maps to compare are uint8 of one shape, not {truth.dtype} {truth.shape} and "
            f"{prediction.dtype} {prediction.shape}"
        )
    if not 0 <= classes <= 256:
        raise InlayError(f"an 8-bit label map cannot hold {classes} classes: at most 256")
    true, predicted = (np.ascontiguousarray(each).reshape(-1) for each in (truth, prediction))
    return kernels.tally(true, predicted, classes, classes, threads)[:classes]
