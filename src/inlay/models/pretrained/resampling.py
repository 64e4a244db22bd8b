"""Maps in other sizes, in numpy: rows by rows, so that a large image needs no large array of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]


def rows_at(values: Field, places: NDArray[np.floating]) -> Field:
    """(N, w) of (h, w) values at N places along the rows, bilinearly; 0 is the middle of the first row."""
    last = len(values) - 1
    clipped = np.clip(places.astype(np.float32), 0, last)
    low = clipped.astype(np.int64)
    share = (clipped - low)[:, None]
    found: Field = values[low] * (1 - share) + values[np.minimum(low + 1, last)] * share
    return found


def enlarged(values: Field, length: int, start: int, stop: int) -> Field:
    """Rows `start` .. `stop` of the rows of `values` brought to `length` rows, as torch enlarges."""
    place = np.arange(start, stop, dtype=np.float32) + np.float32(0.5)
    return rows_at(values, place * np.float32(len(values) / length) - np.float32(0.5))


def on_grid(values: Field, size: tuple[int, int], span: tuple[float, float], stride: int) -> Field:
    """(h, w) values of which the share `span` shows an image, at the middles of cells of `stride` pixels."""
    for axis in (0, 1):
        cells = -(-size[axis] // stride)
        place = (np.arange(cells, dtype=np.float32) + 0.5) * stride
        values = rows_at(values, place * (len(values) * span[axis] / size[axis]) - 0.5).T
    return np.ascontiguousarray(values)
