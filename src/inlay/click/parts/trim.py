"""Trimming values to what was clicked: clicks are right, islands without a click go, small holes close."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.click.parts.shape import Shape

Field = NDArray[np.float32]
Cells = NDArray[np.int64]

SMALL_HOLE = 0.02  # of the segment's area, and a few cells
BARELY = np.float32(0.05)  # value of a cell that was moved to the other side


def trimmed(values: Field, inside: Cells, outside: Cells, before: Field | None = None) -> Field:
    """(h, w) values whose positive cells are one segment.

    Parameters
    ----------
    values
        (h, w) positive inside.
    inside, outside
        Numbers of cells with positive and negative clicks.
    before
        Values of a mask to mend: where no positive click tells, parts of it stay.
    """
    from scipy.ndimage import binary_fill_holes, label

    values = values.copy()
    _press(values, outside, -1.0)
    _press(values, inside, 1.0)
    for cells, value in ((outside, -1.0), (inside, 1.0)):
        values.flat[cells] = np.where(values.flat[cells] * value > 0, values.flat[cells], value)
    parts, _ = label(values > 0)
    kept = np.unique(parts.flat[inside])
    if before is not None and not len(inside):
        kept = np.unique(parts[before > 0])
    kept = kept[kept > 0]
    if not len(kept):  # only a box tells: the largest part
        kept = np.bincount(parts.ravel())[1:].argsort()[-1:] + 1
    mask = np.isin(parts, kept)
    holes, count = label(binary_fill_holes(mask) & ~mask)
    if count:
        room = np.bincount(holes.ravel())
        fill = room < SMALL_HOLE * mask.sum() + 4
        fill[0] = False
        fill[holes.flat[outside]] = False
        mask |= fill[holes]
    found: Field = np.where(mask, np.maximum(values, BARELY), np.minimum(values, -BARELY))
    return found


def _press(values: Field, cells: Cells, value: float) -> None:
    """Move the cells round clicks to their side."""
    for cell in cells.tolist():
        y, x = divmod(cell, values.shape[1])
        near = values[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
        (np.maximum if value > 0 else np.minimum)(near, np.float32(value), out=near)


def reaches(shape: Shape, image: tuple[int, int]) -> float:
    """Share of the window's sides that the segment covers, where the image goes on; of the worst side."""
    x0, y0, x1, y1 = shape.window
    inside = shape.values > 0
    sides = inside[:, 0], inside[:, -1], inside[0], inside[-1]
    goes_on = x0 > 0, x1 < image[1], y0 > 0, y1 < image[0]
    return max(float(side.mean()) * more for side, more in zip(sides, goes_on))
