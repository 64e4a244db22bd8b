"""What is measured at each cell of a window: paths from clicks, colours, and the mask before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.click.parts.prompt import Click
from inlay.click.parts.pyramid import Pyramid
from inlay.click.parts.shape import Shape
from inlay.models.cues import Field, air, cells_of, cues, guide_of, paths
from inlay.models.cues.windows import Size, Window, grid_of, rim_of


@dataclass(frozen=True, eq=False)
class Look:
    """A window as it was measured.

    Parameters
    ----------
    window
        Its pixels in the image.
    guide
        (h, w, 3) colours of the grid.
    columns
        (h, w, F) features.
    rim
        (h, w) cells of the rim (or outside the box) that are likely background.
    before
        (h, w) values of the mask before, where there was one.
    """

    window: Window
    guide: Field
    columns: Field
    rim: NDArray[np.bool_]
    before: Field | None

    @property
    def size(self) -> Size:
        """(height, width) of the grid."""
        return self.guide.shape[0], self.guide.shape[1]


def look(
    pyramid: Pyramid,
    window: Window,
    clicks: Sequence[Click],
    *,
    longest: int,
    before: Shape | None = None,
    box: Window | None = None,
    steps: int = 1,
) -> Look:
    """Measure a window of an image.

    Parameters
    ----------
    pyramid
        The image.
    window
        Where to look.
    clicks
        All clicks; the last is the newest.
    longest
        Cells a side of the grid.
    before
        The mask so far.
    box
        Box around the segment.
    steps
        How often clicks were added so far.
    """
    size = grid_of(window, longest)
    known = None if before is None else before.at(window, size)
    guide, rim, columns = cues_of(pyramid, window, clicks, size, known, box)
    newest = clicks[-1] if clicks else None
    columns += _newest(guide, newest, window)
    negative = len(cells_of(clicks, window, size)[1]) > 0
    for value in (*scale_of(window, pyramid.size), np.log2(steps + 1), float(negative)):
        columns.append(np.full(size, value, np.float32))
    return Look(window, guide, np.stack(columns, -1).astype(np.float32), rim, known)


def cues_of(
    pyramid: Pyramid,
    window: Window,
    clicks: Sequence[Click],
    size: Size,
    known: Field | None,
    box: Window | None = None,
) -> tuple[Field, NDArray[np.bool_], list[Field]]:
    """Colours, rim and cues of a window on a grid of (height, width) cells; see `inlay.models.cues`."""
    guide = guide_of(pyramid.cut(window, size))
    inside, outside = cells_of(clicks, window, size)
    rim = rim_of(window, size, pyramid.size) if box is None else _beyond(box, window, size)
    if not len(inside):
        inside = np.array([_middle(box or window, window, size)])
    return guide, rim, cues(guide, inside, outside, rim, known)


def scale_of(window: Window, image: Size) -> tuple[float, float]:
    """Share of the image's diagonal, and sixths of the logarithm of the width in pixels.

    Both are held to what the images had that the layers were tuned on: a window of a larger one is alike.
    """
    width = window[2] - window[0]
    share = np.hypot(width, window[3] - window[1]) / np.hypot(*image)
    return max(float(share), 0.06), float(np.log(min(width, 640) + 1)) / 6


def _beyond(box: Window, window: Window, size: Size) -> NDArray[np.bool_]:
    rows = window[1] + (np.arange(size[0]) + 0.5) * (window[3] - window[1]) / size[0]
    columns = window[0] + (np.arange(size[1]) + 0.5) * (window[2] - window[0]) / size[1]
    within = np.outer((rows >= box[1]) & (rows < box[3]), (columns >= box[0]) & (columns < box[2]))
    return ~within if within.any() else np.zeros(size, np.bool_)


def _middle(box: Window, window: Window, size: Size) -> int:
    middle = [((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, True)]
    cells = cells_of(middle, window, size)[0]
    return int(cells[0]) if len(cells) else size[0] // 2 * size[1] + size[1] // 2


def _newest(guide: Field, newest: Click | None, window: Window) -> list[Field]:
    """How near the newest click is, along paths and through the air; negative for a negative click."""
    size = guide.shape[0], guide.shape[1]
    cells = np.concatenate(cells_of([newest], window, size)) if newest else np.zeros(0, np.int64)
    if newest is None or not len(cells):
        return [np.zeros(size, np.float32)] * 2
    sign = np.float32(1.0 if newest[2] else -1.0)
    return [sign * np.exp(-paths(guide, cells)[0][0] / 25), sign * np.exp(-air(size, cells) / 12)]
