"""What is measured at each cell of a window: paths from clicks, colours, and the mask before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.click.parts.colour import lab_of, likelihood
from inlay.click.parts.prompt import Click
from inlay.click.parts.pyramid import Pyramid, Size, Window, grid_of
from inlay.click.parts.shape import Shape
from inlay.click.parts.smooth import smooth
from inlay.core import kernels

Field = NDArray[np.float32]
Cells = NDArray[np.int64]

CONTRAST = 120.0  # cells that a path through a full change of colour counts for
FAR = np.float32(1e3)  # cells; what nothing reaches is that far


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
    from scipy.ndimage import gaussian_filter

    size = grid_of(window, longest)
    guide = gaussian_filter(lab_of(pyramid.cut(window, size)), (0.6, 0.6, 0))
    inside, outside = cells_of(clicks, window, size)
    rim = _rim(window, size, pyramid.size) if box is None else _beyond(box, window, size)
    if not len(inside):
        inside = np.array([_middle(box or window, window, size)])
    known = None if before is None else before.at(window, size)
    columns = _measured(guide, inside, outside, rim, known)
    newest = clicks[-1] if clicks else None
    columns += _newest(guide, newest, window)
    for value in (*scale_of(window, pyramid.size), np.log2(steps + 1), float(len(outside) > 0)):
        columns.append(np.full(size, value, np.float32))
    return Look(window, guide, np.stack(columns, -1).astype(np.float32), rim, known)


def scale_of(window: Window, image: Size) -> tuple[float, float]:
    """Share of the image's diagonal, and sixths of the logarithm of the width in pixels.

    Both are held to what the images had that the layers were tuned on: a window of a larger one is alike.
    """
    width = window[2] - window[0]
    share = np.hypot(width, window[3] - window[1]) / np.hypot(*image)
    return max(float(share), 0.06), float(np.log(min(width, 640) + 1)) / 6


def cells_of(clicks: Sequence[Click], window: Window, size: Size) -> tuple[Cells, Cells]:
    """Numbers of the cells with positive clicks, and with negative ones; in a cell the last counts."""
    x0, y0, x1, y1 = window
    last: dict[int, bool] = {}
    for x, y, positive in clicks:
        column = int((x - x0) * size[1] / (x1 - x0))
        row = int((y - y0) * size[0] / (y1 - y0))
        if x0 <= x <= x1 and y0 <= y <= y1:
            last[min(row, size[0] - 1) * size[1] + min(column, size[1] - 1)] = positive
    return (
        np.array([cell for cell, positive in last.items() if positive], np.int64),
        np.array([cell for cell, positive in last.items() if not positive], np.int64),
    )


def _rim(window: Window, size: Size, image: Size) -> NDArray[np.bool_]:
    """Cells of the window's sides, but where they are the image's: there a segment may go on."""
    rim = np.zeros(size, np.bool_)
    rim[0], rim[-1] = window[1] > 0, window[3] < image[0]
    rim[:, 0] |= window[0] > 0
    rim[:, -1] |= window[2] < image[1]
    return rim


def _beyond(box: Window, window: Window, size: Size) -> NDArray[np.bool_]:
    rows = window[1] + (np.arange(size[0]) + 0.5) * (window[3] - window[1]) / size[0]
    columns = window[0] + (np.arange(size[1]) + 0.5) * (window[2] - window[0]) / size[1]
    within = np.outer((rows >= box[1]) & (rows < box[3]), (columns >= box[0]) & (columns < box[2]))
    return ~within if within.any() else np.zeros(size, np.bool_)


def _middle(box: Window, window: Window, size: Size) -> int:
    middle = [((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, True)]
    cells = cells_of(middle, window, size)[0]
    return int(cells[0]) if len(cells) else size[0] // 2 * size[1] + size[1] // 2


def _measured(
    guide: Field, inside: Cells, outside: Cells, rim: NDArray[np.bool_], known: Field | None
) -> list[Field]:
    """The columns; what cannot be measured is 0."""
    from scipy.ndimage import gaussian_filter

    size = guide.shape[:2]
    zero = np.zeros(size, np.float32)
    diagonal = float(np.hypot(*size))
    rims = np.flatnonzero(rim)
    to_inside, of_inside = _paths(guide, inside)
    to_outside, of_outside = _paths(guide, outside)
    to_rim, _ = _paths(guide, rims)
    wall_inside, wall_rim, wall_outside = (_walls(guide, each) for each in (inside, rims, outside))
    air_inside, air_outside = _air(size, inside) / diagonal, _air(size, outside) / diagonal
    mean = gaussian_filter(guide, (1.5, 1.5, 0)).reshape(-1, 3)
    like_inside = np.linalg.norm(guide - mean[inside][of_inside], axis=-1)
    like_outside = np.linalg.norm(guide - mean[outside][of_outside], axis=-1) if len(outside) else zero + 0.5
    depth = zero if known is None else _depth(known > 0)
    ratio = likelihood(guide, *_sides(known, inside, outside, rim, to_inside, to_outside, to_rim))
    wall_any = np.minimum(wall_rim, wall_outside)
    some = len(outside) > 0
    return [
        _ratio(to_rim, to_inside),
        _ratio(to_outside, to_inside) if some else zero,
        _ratio(np.minimum(to_outside, to_rim), to_inside),
        _ratio(wall_any, wall_inside, 0.01),
        _ratio(wall_outside, wall_inside, 0.01) if some else zero,
        ratio,
        smooth(ratio, guide, reach=6.0, contrast=0.06),
        air_inside,
        np.sqrt(air_inside),
        air_outside if some else zero,
        _ratio(air_outside * diagonal, air_inside * diagonal) if some else zero,
        np.minimum(like_inside, 0.6),
        np.minimum(like_outside, 0.6),
        np.minimum(like_outside, 0.6) - np.minimum(like_inside, 0.6),
        np.minimum(wall_inside, 0.3) * 5,
        _ratio(to_inside, zero + 0.3 * diagonal),
        depth,
        zero if known is None else known / 3,
        rim.astype(np.float32),
    ]


def _newest(guide: Field, newest: Click | None, window: Window) -> list[Field]:
    """How near the newest click is, along paths and through the air; negative for a negative click."""
    size = guide.shape[0], guide.shape[1]
    cells = np.concatenate(cells_of([newest], window, size)) if newest else np.zeros(0, np.int64)
    if newest is None or not len(cells):
        return [np.zeros(size, np.float32)] * 2
    sign = np.float32(1.0 if newest[2] else -1.0)
    return [sign * np.exp(-_paths(guide, cells)[0] / 25), sign * np.exp(-_air(size, cells) / 12)]


def _paths(guide: Field, seeds: Cells) -> tuple[Field, NDArray[np.int32]]:
    far, owner = kernels.geodesic(guide, seeds, CONTRAST, False)
    return np.minimum(far, FAR), owner


def _walls(guide: Field, seeds: Cells) -> Field:
    """The strongest edge that a path from a seed must cross (Sinha et al., minimum barrier)."""
    wall: Field = np.minimum(kernels.geodesic(guide, seeds, 0.0, True)[0], FAR)
    return wall


def _air(size: Size, seeds: Cells) -> Field:
    if not len(seeds):
        return np.full(size, np.hypot(*size), np.float32)
    bitmap = np.ones(size, np.uint8)
    bitmap.flat[seeds] = 0
    return np.sqrt(kernels.distance(bitmap, False)).astype(np.float32)


def _depth(inside: NDArray[np.bool_]) -> Field:
    """How deep inside (or, negative, how far outside) a cell lies, up to 12 cells as 1."""
    if inside.all() or not inside.any():
        return np.full(inside.shape, 1.0 if inside.all() else -1.0, np.float32)
    deep = np.sqrt(kernels.distance(inside.astype(np.uint8), False))
    away = np.sqrt(kernels.distance((~inside).astype(np.uint8), False))
    depth: Field = (np.clip(deep - away, -12, 12) / 12).astype(np.float32)
    return depth


def _ratio(a: Field, b: Field, least: float = 2.0) -> Field:
    ratio: Field = np.clip(np.log((a + least) / (b + least)), -4, 4)
    return ratio


def _sides(
    known: Field | None,
    inside: Cells,
    outside: Cells,
    rim: NDArray[np.bool_],
    to_inside: Field,
    to_outside: Field,
    to_rim: Field,
) -> tuple[Field, Field]:
    """How much each cell counts for the colours inside, and for those outside."""
    likely, unlikely = (np.zeros(rim.shape, np.float32) for _ in range(2))
    if known is not None and (known > 0).sum() > 10:
        likely += (known > 0) + 0.3 * _nearest(to_inside, 0.05)
        unlikely += 0.5 * (known <= 0) + rim
    else:
        likely += _nearest(to_inside, 0.06)
        unlikely += rim + (0.5 * _nearest(to_rim, 0.25) if rim.any() else 1.0)
    likely.flat[inside] += 20
    unlikely.flat[outside] += 20
    if len(outside):
        unlikely += 3.0 * _nearest(to_outside, 0.03)
    return likely, unlikely


def _nearest(far: Field, share: float) -> NDArray[np.bool_]:
    place = int(share * (far.size - 1))
    near: NDArray[np.bool_] = far <= np.partition(far.ravel(), place)[place]
    return near
