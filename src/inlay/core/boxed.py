"""Boxed masks: run lengths inside a box, as the studio stores them and sends them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.errors import InlayError
from inlay.core.masks import Masks

Box = tuple[int, int, int, int]
Boxed = tuple[Box, bytes]  # box (x0, y0, x1, y1), and COCO's compressed run lengths of the pixels inside it


def whole(boxed: Sequence[Boxed], size: tuple[int, int]) -> Masks:
    """Masks of an image of (height, width) pixels, from masks of boxes in it.

    Raises
    ------
    InlayError
        When a box leaves the image or is empty, or run lengths do not fill it.
    """
    height, width = size
    for (x0, y0, x1, y1), _ in boxed:
        if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
            raise InlayError(
                f"box {[x0, y0, x1, y1]} is empty or leaves the image of {width}x{height} pixels"
            )
    ends = np.zeros(len(boxed) + 1, np.int64)
    np.cumsum([len(runs) for _, runs in boxed], out=ends[1:])
    text = np.frombuffer(b"".join(runs for _, runs in boxed), np.uint8)
    bad, counts, offsets = kernels.from_strings(text, ends)
    if bad >= 0:
        raise InlayError(f"run-length string of mask {bad} is broken: {boxed[bad][1][:40]!r}")
    pieces = [counts[a:b] for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist())]
    return Masks.from_runs([_placed(runs, box, size) for runs, (box, _) in zip(pieces, boxed)], size)


def _placed(runs: NDArray[np.uint32], box: Box, size: tuple[int, int]) -> NDArray[np.int64]:
    """Run lengths of the whole image, of the run lengths inside a box."""
    x0, y0, x1, y1 = box
    down, tall = y1 - y0, size[0]
    ends = np.cumsum(runs, dtype=np.int64)
    if not ends.size or ends[-1] != down * (x1 - x0):
        covered = int(ends[-1]) if ends.size else 0
        raise InlayError(
            f"run lengths of a mask cover {covered} pixels; its box {list(box)} has {down * (x1 - x0)}"
        )
    start, stop = ends[:-1:2], ends[1::2]
    start, stop = start[: stop.size][stop > start[: stop.size]], stop[stop > start[: stop.size]]
    if down < tall:  # a run goes on in the next column of the box: in the image it is several
        first, last = start // down, (stop - 1) // down
        times = last - first + 1
        column = np.repeat(first - np.cumsum(times) + times, times) + np.arange(int(times.sum()))
        start, stop = np.repeat(start, times), np.repeat(stop, times)
        start, stop = np.maximum(start, column * down), np.minimum(stop, (column + 1) * down)
        shift = (x0 + column) * tall + y0 - column * down
    else:
        shift = np.full(start.size, x0 * tall, np.int64)
    return _runs(start + shift, stop + shift, tall * size[1])


def _runs(start: NDArray[np.int64], stop: NDArray[np.int64], pixels: int) -> NDArray[np.int64]:
    """Run lengths of foreground runs; those that touch become one."""
    apart = start[1:] != stop[:-1]
    first, last = np.concatenate([[True], apart]), np.concatenate([apart, [True]])
    edges = np.zeros(2 * int(apart.sum()) + 4 if start.size else 2, np.int64)
    if start.size:
        edges[1:-1:2], edges[2:-1:2] = start[first], stop[last]
    edges[-1] = pixels
    lengths = np.diff(edges)
    return lengths[:-1] if lengths.size > 1 and lengths[-1] == 0 else lengths


def tight(masks: Masks) -> list[Boxed | None]:
    """Each mask inside its smallest box; `None` for an empty one."""
    tall = masks.size[0]
    found: list[tuple[Box, NDArray[np.uint32]] | None] = []
    for row, box in enumerate(masks.box().tolist()):
        x0, y0, x1, y1 = box
        if x1 == x0:
            found.append(None)
            continue
        ends = np.cumsum(masks.counts[masks.offsets[row] : masks.offsets[row + 1]], dtype=np.int64)
        start = ends[0::2][: ends[1::2].size]
        stop, down = ends[1::2], y1 - y0
        column = start // tall
        shift = (column - x0) * down - y0 - column * tall if down < tall else -x0 * tall
        runs = _runs(start + shift, stop + shift, down * (x1 - x0)).astype(np.uint32)
        found.append(((x0, y0, x1, y1), runs))
    runs_of = [each[1] for each in found if each is not None]
    offsets = np.zeros(len(runs_of) + 1, np.int64)
    np.cumsum([runs.size for runs in runs_of], out=offsets[1:])
    text, ends = kernels.to_strings(np.concatenate([*runs_of, np.empty(0, np.uint32)]), offsets)
    joined, bounds = text.tobytes(), ends.tolist()
    strings = iter([joined[a:b] for a, b in pairwise(bounds)])
    return [None if each is None else (each[0], next(strings)) for each in found]
