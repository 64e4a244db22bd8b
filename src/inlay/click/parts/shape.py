"""Shapes: where a segment is, as signed values on a grid over a window of the image."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.click.parts.pyramid import resampled
from inlay.models.cues import CERTAIN
from inlay.models.cues.windows import Size, Window, clipped, grid_of

Field = NDArray[np.float32]

OUTSIDE = -3.0  # beyond the window
FINE = 224  # cells a side of the finest grid
WHOLE = 1 << 20  # pixels up to which a mask is enlarged in one piece
TILES = 16


@dataclass(frozen=True, eq=False)
class Shape:
    """A segment on a grid: positive inside.

    Parameters
    ----------
    window
        Pixels of the image that the grid lies over.
    values
        (h, w) float32 from -3 (outside) to 3.
    score
        Predicted IoU.
    """

    window: Window
    values: Field
    score: float = 0.0

    @property
    def pixels(self) -> float:
        """Pixels of the image inside."""
        x0, y0, x1, y1 = self.window
        return float((self.values > 0).sum()) * (x1 - x0) * (y1 - y0) / self.values.size

    def holds(self, x: float, y: float) -> bool:
        """Whether a place of the image lies inside."""
        x0, y0, x1, y1 = self.window
        if not (x0 <= x < x1 and y0 <= y < y1):
            return False
        height, width = self.values.shape
        return bool(self.values[int((y - y0) * height / (y1 - y0)), int((x - x0) * width / (x1 - x0))] > 0)

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """The box of what is inside, in pixels of the image; `None` where nothing is."""
        inside = self.values > 0
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        if not len(rows):
            return None
        x0, y0, x1, y1 = self.window
        across, down = (x1 - x0) / inside.shape[1], (y1 - y0) / inside.shape[0]
        return (
            float(x0 + across * columns[0]),
            float(y0 + down * rows[0]),
            float(x0 + across * (columns[-1] + 1)),
            float(y0 + down * (rows[-1] + 1)),
        )

    def at(self, window: Window, size: Size) -> Field:
        """(h, w) values on another grid, `OUTSIDE` where this one does not reach."""
        rows, share_down = _between(window[1::2], size[0], self.window[1::2], self.values.shape[0])
        columns, share_across = _between(window[::2], size[1], self.window[::2], self.values.shape[1])
        wide = np.pad(self.values, 1, constant_values=OUTSIDE)
        down = wide[rows] * (1 - share_down)[:, None] + wide[rows + 1] * share_down[:, None]
        both = down[:, columns] * (1 - share_across) + down[:, columns + 1] * share_across
        return both.astype(np.float32)

    def mask(self) -> NDArray[np.bool_]:
        """(height, width) bool of the window's own pixels."""
        x0, y0, x1, y1 = self.window
        return enlarged(self.values, (y1 - y0, x1 - x0))


def _between(
    wanted: tuple[int, ...], count: int, own: tuple[int, ...], cells: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each cell of a wanted line: the padded cell of the own line before it, and how far beyond."""
    middle = wanted[0] + (np.arange(count) + 0.5) * (wanted[1] - wanted[0]) / count
    place = np.clip((middle - own[0]) / (own[1] - own[0]) * cells + 0.5, 0, cells + 1 - 1e-4)
    before = place.astype(np.int64)
    return before, (place - before).astype(np.float32)


def enlarged(values: Field, size: Size) -> NDArray[np.bool_]:
    """(height, width) bool where the interpolated values are positive.

    A large mask is enlarged by tiles, and tiles that lie whole on one side are filled at once.
    """
    if values.shape == size:
        return values > 0
    if size[0] * size[1] <= WHOLE:
        return resampled(values, size) > 0
    mask = np.zeros(size, np.bool_)
    down, across = (n / s for n, s in zip(values.shape, size))
    for y0, y1 in _pieces(size[0]):
        for x0, x1 in _pieces(size[1]):
            inner = (x0 * across, y0 * down, x1 * across, y1 * down)
            left, top = int(max(0, inner[0] - 1)), int(max(0, inner[1] - 1))
            near = values[top : int(inner[3]) + 2, left : int(inner[2]) + 2]
            if near.max() <= 0:
                continue
            if near.min() > 0:
                mask[y0:y1, x0:x1] = True
            else:
                mask[y0:y1, x0:x1] = resampled(values, (y1 - y0, x1 - x0), inner) > 0
    return mask


def _pieces(length: int) -> list[tuple[int, int]]:
    ends = np.linspace(0, length, TILES + 1).astype(int).tolist()
    return [(a, b) for a, b in itertools.pairwise(ends) if b > a]


def shape_of(inside: NDArray[np.bool_], corner: tuple[int, int], size: Size) -> Shape:
    """The shape of a mask of a part of an image, whose upper left corner (x, y) is given."""
    height, width = inside.shape
    x, y = corner
    margin = max(2, round(0.1 * max(height, width)))
    window = clipped((x - margin, y - margin, x + width + margin, y + height + margin), size)
    wide = np.zeros((window[3] - window[1], window[2] - window[0]), np.uint8)
    wide[y - window[1] : y - window[1] + height, x - window[0] : x - window[0] + width] = 255 * inside
    small = resampled(wide, grid_of(window, FINE)).astype(np.float32)
    return Shape(window, (small - 127.5) / 127.5 * CERTAIN, 1.0)
