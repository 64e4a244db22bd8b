"""Prompts: what a user shows, checked once and brought to one form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.models.cues.windows import Size, Window, clipped

Click = tuple[float, float, bool]  # x, y, whether the segment is there
SCRIBBLE_POINTS = 24  # of a line, evenly along it


@dataclass(frozen=True, eq=False)
class Part:
    """A mask inside the box of its pixels.

    Parameters
    ----------
    corner
        x, y of the upper left pixel.
    inside
        (h, w) bool.
    """

    corner: tuple[int, int]
    inside: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Prompt:
    """What a user shows of one segment.

    Parameters
    ----------
    clicks
        In the order they were made; of several in one pixel only the last is left.
    box
        Pixels around the segment.
    line
        Clicks along a scribble.
    before
        The mask to mend.
    """

    clicks: tuple[Click, ...]
    box: Window | None
    line: tuple[Click, ...]
    before: Part | None


def prompt_of(
    size: Size,
    points: Sequence[Sequence[Any]] = (),
    box: Sequence[float] | None = None,
    scribble: Sequence[Sequence[float]] | None = None,
    mask: Masks | NDArray[np.bool_] | None = None,
) -> Prompt:
    """The prompt of an image of (height, width) pixels.

    Raises
    ------
    InlayError
        When something of it lies outside the image, has no area or another size, or nothing says where the
        segment is.
    """
    prompt = Prompt(
        _clicks(points, size),
        None if box is None else _box(box, size),
        _line(scribble or (), size),
        None if mask is None else _part(mask, size),
    )
    shown = any(positive for _, _, positive in prompt.clicks) or prompt.box or prompt.line
    if not shown and prompt.before is None:
        raise InlayError(
            "the prompt does not say where the segment is: add a positive click, a box, a scribble or a mask"
        )
    return prompt


def _clicks(points: Sequence[Sequence[Any]], size: Size) -> tuple[Click, ...]:
    height, width = size
    last: dict[tuple[int, int], Click] = {}
    for number, point in enumerate(points, start=1):
        if len(point) not in (2, 3):
            raise InlayError(f"click {number} is {tuple(point)}; a click is (x, y, positive)")
        x, y = float(point[0]), float(point[1])
        if not (0 <= x <= width and 0 <= y <= height):  # false for NaN as well
            place = f"click {number} at ({x:g}, {y:g})"
            raise InlayError(f"{place} lies outside the image of {width}x{height} pixels")
        pixel = min(int(x), width - 1), min(int(y), height - 1)
        last.pop(pixel, None)
        last[pixel] = (x, y, bool(point[2]) if len(point) == 3 else True)
    return tuple(last.values())


def _box(box: Sequence[float], size: Size) -> Window:
    if len(box) != 4 or not all(math.isfinite(value) for value in box):
        raise InlayError(f"the box is {list(box)}; a box is (x0, y0, x1, y1)")
    x0, y0, x1, y1 = box
    if not (x0 < x1 and y0 < y1):
        raise InlayError(f"box {list(box)} is empty: x1 must be above x0 and y1 above y0")
    if x1 <= 0 or y1 <= 0 or x0 >= size[1] or y0 >= size[0]:
        raise InlayError(f"box {list(box)} lies outside the image of {size[1]}x{size[0]} pixels")
    return clipped((x0, y0, x1, y1), size)


def _line(scribble: Sequence[Sequence[float]], size: Size) -> tuple[Click, ...]:
    """Points evenly along a line of (x, y); what leaves the image is left out."""
    if not len(scribble):
        return ()
    path = np.asarray(scribble, float).reshape(-1, 2)
    if not np.isfinite(path).all():
        raise InlayError("a point of the scribble is no number")
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    wanted = np.linspace(0, along[-1], min(SCRIBBLE_POINTS, max(2, round(along[-1] / 3))))
    points = np.stack([np.interp(wanted, along, path[:, axis]) for axis in (0, 1)], -1)
    inside = ((points >= 0) & (points < size[::-1])).all(1)
    if not inside.any():
        raise InlayError(f"the scribble lies outside the image of {size[1]}x{size[0]} pixels")
    return tuple((float(x), float(y), True) for x, y in points[inside])


def _part(mask: Masks | NDArray[np.bool_], size: Size) -> Part | None:
    """The mask inside its own box; `None` for an empty one."""
    if isinstance(mask, Masks):
        if mask.size != size or len(mask) != 1:
            raise InlayError(_wrong(f"{len(mask)} of {mask.size[1]}x{mask.size[0]} pixels", size))
        box = mask.box()[0].tolist()
        return None if box[2] == box[0] else Part((box[0], box[1]), mask.crop(0, box))
    mask = np.asarray(mask)
    if mask.shape != size:
        raise InlayError(_wrong(f"of shape {mask.shape}", size))
    mask = mask.astype(np.bool_, copy=False)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Part((int(columns[0]), int(rows[0])), part)


def _wrong(what: str, size: Size) -> str:
    return f"the mask to mend is {what}; the image needs one of {size[1]}x{size[0]}"
