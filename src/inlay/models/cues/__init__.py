"""What can be told of each cell of an image from clicks alone: paths from them, colours, the mask before.

The classical click engine weighs these measures; the click network reads them beside what its encoder sees.
No torch is needed.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.models.cues.colour import lab_of, likelihood
from inlay.models.cues.smooth import smooth

Field = NDArray[np.float32]
Cells = NDArray[np.int64]

COUNT = 19
MAPS = 3 + COUNT  # that a network reads: marks of positive and negative clicks, the mask before, cues
STRIDE = 4  # pixels of the image for one cell of its maps
SPREAD = 1.0  # cells that a click's mark is wide
CERTAIN = 3.0  # values of a mask are cut to this
CONTRAST = 120.0  # cells that a path through a full change of colour counts for
FAR = np.float32(1e3)  # cells; what nothing reaches is that far


def guide_of(pixels: NDArray[np.uint8]) -> Field:
    """(h, w, 3) colours that lie as far apart as they look, a little smoothed."""
    from scipy.ndimage import gaussian_filter

    guide: Field = gaussian_filter(lab_of(pixels), (0.6, 0.6, 0))
    return guide


def cells_of(
    clicks: Iterable[tuple[float, float, bool]], window: tuple[int, int, int, int], size: tuple[int, int]
) -> tuple[Cells, Cells]:
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


def cues(
    guide: Field, inside: Cells, outside: Cells, rim: NDArray[np.bool_], known: Field | None
) -> list[Field]:
    """`COUNT` measures (h, w) of each cell; what cannot be measured is 0.

    Parameters
    ----------
    guide
        (h, w, 3) colours, of `guide_of`.
    inside, outside
        Numbers of the cells with positive clicks, at least one, and with negative ones.
    rim
        (h, w) cells that are likely background.
    known
        (h, w) values of the mask before, from -3 (outside) to 3; `None` where there was none.
    """
    from scipy.ndimage import gaussian_filter

    size = guide.shape[0], guide.shape[1]
    zero = np.zeros(size, np.float32)
    diagonal = float(np.hypot(*size))
    seeds = (inside, outside, np.flatnonzero(rim))
    (to_inside, to_outside, to_rim), (of_inside, of_outside, _) = paths(guide, *seeds)
    wall_inside, wall_outside, wall_rim = _walls(guide, *seeds)
    air_inside, air_outside = air(size, inside) / diagonal, air(size, outside) / diagonal
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


def paths(guide: Field, *seeds: Cells) -> tuple[Field, NDArray[np.int32]]:
    """(n, h, w) cells from each set of seeds along paths that avoid edges of colour, and the nearest seed."""
    return _spread(guide, seeds, CONTRAST, barrier=False)


def _walls(guide: Field, *seeds: Cells) -> Field:
    """The strongest edge that a path from a seed must cross (Sinha et al., minimum barrier)."""
    return _spread(guide, seeds, 0.0, barrier=True)[0]


def _spread(
    guide: Field, seeds: tuple[Cells, ...], contrast: float, *, barrier: bool
) -> tuple[Field, NDArray[np.int32]]:
    offsets = np.cumsum([0, *map(len, seeds)])
    far, owner = kernels.geodesic(guide, np.concatenate(seeds), offsets, contrast, barrier)
    return np.minimum(far, FAR), owner


def air(size: tuple[int, int], seeds: Cells) -> Field:
    """(h, w) cells from the nearest seed; the diagonal where there is none."""
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
