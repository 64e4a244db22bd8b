"""From shapes to masks of pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.click.parts.judge import overlap
from inlay.click.parts.prompt import Click, Part, Prompt
from inlay.click.parts.shape import Shape
from inlay.models.cues.windows import Window

SAME = 0.85  # IoU from which two candidates are one


def distinct(shapes: list[Shape]) -> list[Shape]:
    """Shapes without those that are much like a better one."""
    kept: list[Shape] = []
    for shape in shapes:
        if all(overlap(shape, better) < SAME for better in kept):
            kept.append(shape)
    return kept


def pixels_of(shape: Shape, prompt: Prompt) -> NDArray[np.bool_]:
    """The mask of a shape's window: clicks are right to the pixel, a mask to mend keeps the rest."""
    return settled(shape.mask(), shape.window, prompt)


def settled(inside: NDArray[np.bool_], window: Window, prompt: Prompt) -> NDArray[np.bool_]:
    """The mask found in a window, with what the prompt says for sure."""
    if prompt.before is not None and (prompt.clicks or prompt.line):
        inside = _mended(inside, window, prompt.before, (*prompt.line, *prompt.clicks))
    for x, y, positive in prompt.clicks:
        place = _pixel(x, y, window)
        if place is not None:
            inside[place] = positive
    return inside


def _pixel(x: float, y: float, window: Window) -> tuple[int, int] | None:
    x0, y0, x1, y1 = window
    if not (x0 <= x <= x1 and y0 <= y <= y1):
        return None
    return min(int(y), y1 - 1) - y0, min(int(x), x1 - 1) - x0


def _mended(
    inside: NDArray[np.bool_], window: Window, before: Part, clicks: tuple[Click, ...]
) -> NDArray[np.bool_]:
    """The mask before, changed only where a change reaches a click (as in FocalClick, Chen et al. 2022)."""
    from scipy.ndimage import label

    old = np.zeros_like(inside)
    x0, y0 = window[:2]
    left, top = before.corner[0] - x0, before.corner[1] - y0
    part = before.inside[max(0, -top) :, max(0, -left) :]
    left, top = max(0, left), max(0, top)
    part = part[: inside.shape[0] - top, : inside.shape[1] - left]
    old[top : top + part.shape[0], left : left + part.shape[1]] = part
    changes, _ = label(inside != old, np.ones((3, 3)))
    places = [_pixel(x, y, window) for x, y, _ in clicks]
    wanted = np.unique([changes[place] for place in places if place is not None])
    return old ^ np.isin(changes, wanted[wanted > 0])
