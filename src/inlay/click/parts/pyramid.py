"""Windows of an image at the scale that is worked on: a large image costs what its segment costs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError
from inlay.models.cues.windows import Size, Window

STEP = 4  # each level has a fourth of the pixels a side
SMALLEST = 256  # no level is made of an image that has no more pixels a side


class Pyramid:
    """An image and its reduced copies; `cut` is the only way in.

    Parameters
    ----------
    image
        (H, W, 3) uint8.

    Raises
    ------
    InlayError
        When it is no such array, or empty.
    """

    def __init__(self, image: NDArray[np.uint8]) -> None:
        from PIL import Image

        image = np.asarray(image)
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise InlayError(
                f"the image has shape {image.shape} and type {image.dtype}; "
                "engines take (H, W, 3) arrays of uint8 (inlay.core.images.read_image makes them)"
            )
        if not image.size:
            raise InlayError(f"the image has no pixels: its shape is {image.shape}")
        self.levels = [image]
        while max(self.levels[-1].shape[:2]) > SMALLEST * STEP:
            reduced = Image.fromarray(self.levels[-1]).reduce(STEP)
            self.levels.append(np.asarray(reduced))
        self.size: Size = (image.shape[0], image.shape[1])

    def cut(self, window: Window, size: Size) -> NDArray[np.uint8]:
        """(h, w, 3) pixels of a window, resampled to a size."""
        x0, y0, x1, y1 = window
        shrunk = max(1.0, min((y1 - y0) / size[0], (x1 - x0) / size[1]))
        level = min(int(np.log(shrunk) / np.log(STEP) + 1e-9), len(self.levels) - 1)
        by = STEP**level
        pixels = self.levels[level]
        left, top = x0 // by, y0 // by
        right, bottom = min(-(-x1 // by), pixels.shape[1]), min(-(-y1 // by), pixels.shape[0])
        inner = (x0 / by - left, y0 / by - top, min(x1 / by, right) - left, min(y1 / by, bottom) - top)
        return resampled(pixels[top:bottom, left:right], size, inner)


def resampled(
    field: NDArray[Any], size: Size, inner: tuple[float, float, float, float] | None = None
) -> NDArray[Any]:
    """(H, W, 3) uint8 or (H, W) float32, or the part `inner` (x0, y0, x1, y1) of it, in another size."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(field))
    shrinks = field.shape[0] > size[0] or field.shape[1] > size[1]
    way = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.asarray(image.resize((size[1], size[0]), way, box=inner))
