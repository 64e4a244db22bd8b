"""Windows of an image round a segment, and the grids that they are worked on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Window = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels of the image, half-open
Size = tuple[int, int]  # height, width

SIDE = 256  # pixels of the squares that a network sees
LARGEST = 8.0  # enlargement of a small window for it: there is nothing more to see


def grid_of(window: Window, longest: int, *, enlarged: float = 1.0) -> Size:
    """(height, width) of the grid that a window is worked on, never below 8.

    At most `longest` a side, and `enlarged` times as many as pixels.
    """
    height, width = window[3] - window[1], window[2] - window[0]
    share = min(enlarged, longest / max(height, width))
    return max(8, round(height * share)), max(8, round(width * share))


def clipped(box: tuple[float, float, float, float], size: Size) -> Window:
    """The window of all pixels that a box touches inside an image; at least one pixel."""
    height, width = size
    x0, y0 = int(min(max(0, np.floor(box[0])), width - 1)), int(min(max(0, np.floor(box[1])), height - 1))
    x1, y1 = int(min(width, np.ceil(box[2]))), int(min(height, np.ceil(box[3])))
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


def rim_of(window: Window, size: Size, image: Size) -> NDArray[np.bool_]:
    """Cells of the window's sides, but where they are the image's: there a segment may go on."""
    rim = np.zeros(size, np.bool_)
    rim[0], rim[-1] = window[1] > 0, window[3] < image[0]
    rim[:, 0] |= window[0] > 0
    rim[:, -1] |= window[2] < image[1]
    return rim
