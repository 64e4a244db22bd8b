"""An image that answers prompts: which windows an engine looks at, from the first click to the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inlay.click import Candidate
from inlay.click.parts.memory import Memory
from inlay.click.parts.prompt import Click, Prompt, prompt_of
from inlay.click.parts.pyramid import Pyramid, resampled
from inlay.click.parts.result import distinct, pixels_of
from inlay.click.parts.shape import FINE, Shape, shape_of
from inlay.click.parts.trim import reaches, trimmed
from inlay.core.masks import Masks
from inlay.models.cues import cells_of
from inlay.models.cues.colour import lab_of
from inlay.models.cues.smooth import smooth
from inlay.models.cues.windows import Size, Window, clipped, grid_of

SCALES = 8  # windows of a first click, at most, where an engine does not want fewer
SCALE_STEP = 0.48  # how much smaller each is than the one before; less in a very large image
LEAST = 20.0  # pixels from a first click to the side of its smallest window
TOUCHES = 0.12  # of a side of its window: a segment that covers more goes on beyond
OFFERED = 4  # candidates
CHAIN = 20  # clicks beyond these are answered from the state after these


@dataclass(frozen=True, eq=False)
class Ask:
    """What an engine is asked of one window.

    Parameters
    ----------
    window
        Pixels of the image.
    clicks
        All so far; the last is the newest.
    before
        The mask so far.
    box
        Box around the segment.
    steps
        How often clicks were added.
    """

    window: Window
    clicks: tuple[Click, ...]
    before: Shape | None = None
    box: Window | None = None
    steps: int = 1


class Sight(Protocol):
    """What an engine has of its own: it turns windows into shapes."""

    def __call__(self, pyramid: Pyramid, asks: Sequence[Ask]) -> list[Shape]:
        """A shape with its score for each window, in order; several are the scales of one first click."""


class State:
    """An image that answers prompts; the same prompt gets the same answer, whatever was asked before."""

    def __init__(self, pyramid: Pyramid, sight: Sight, *, scales: int = SCALES) -> None:
        self._pyramid, self._sight, self._scales = pyramid, sight, scales
        self._memory: Memory[tuple[Any, ...], list[Shape]] = Memory(64)

    @property
    def size(self) -> Size:
        """(height, width) of the image."""
        return self._pyramid.size

    def mask(
        self,
        points: Sequence[Sequence[Any]] = (),
        box: Sequence[float] | None = None,
        scribble: Sequence[Sequence[float]] | None = None,
        mask: Masks | NDArray[np.bool_] | None = None,
    ) -> list[Candidate]:
        """Masks for a prompt, the best first; see `inlay.click.State`."""
        prompt = prompt_of(self.size, points, box, scribble, mask)
        shapes = [self._fine(shape, prompt) for shape in distinct(self._shapes(prompt))[:OFFERED]]
        return [Candidate(shape.window, pixels_of(shape, prompt), shape.score, self.size) for shape in shapes]

    def _shapes(self, prompt: Prompt) -> list[Shape]:
        clicks = (*prompt.line, *prompt.clicks)
        if prompt.before is not None:
            before = shape_of(prompt.before.inside, prompt.before.corner, self.size)
            if clicks:
                return [self._next(before, clicks, len(prompt.clicks))]
            return self._boxed(prompt.box, ()) if prompt.box else [before]
        root = (prompt.box, prompt.line)
        if prompt.box or prompt.line:
            return self._chain(root, prompt.clicks, 0)
        opening = next(place for place, click in enumerate(prompt.clicks, start=1) if click[2])
        return self._chain(root, prompt.clicks, opening)

    def _chain(self, root: tuple[Any, ...], clicks: tuple[Click, ...], opening: int) -> list[Shape]:
        """The shapes after all clicks: those after fewer, and a step from their best."""
        return self._memory.get((root, clicks), lambda: self._link(root, clicks, opening))

    def _link(self, root: tuple[Any, ...], clicks: tuple[Click, ...], opening: int) -> list[Shape]:
        box, line = root
        if len(clicks) <= opening:
            return self._boxed(box, line) if box else self._lined(line) if line else self._first(clicks)
        done = min(len(clicks) - 1, max(CHAIN, opening))
        before = _mendable(self._chain(root, clicks[:done], opening), clicks[done])
        return [self._next(before, (*line, *clicks), len(clicks))]

    def _first(self, clicks: tuple[Click, ...]) -> list[Shape]:
        """A shape for each scale of window, the likeliest first."""
        shapes = self._sight(self._pyramid, [Ask(window, clicks) for window in self._windows(clicks)])
        return sorted(shapes, key=lambda shape: -shape.score)

    def _lined(self, line: tuple[Click, ...]) -> list[Shape]:
        """The shapes of a click in the middle of a line, mended by the whole line."""
        middle = (line[len(line) // 2],)
        shapes = [self._next(shape, line, 2) for shape in distinct(self._first(middle))[:OFFERED]]
        return sorted(shapes, key=lambda shape: -shape.score)

    def _windows(self, clicks: tuple[Click, ...]) -> list[Window]:
        """Windows of several scales round positive clicks, the largest first."""
        places = np.array([click[:2] for click in clicks if click[2]])
        low, high = places.min(0), places.max(0)
        radius = 0.5 * float(np.hypot(*self.size))
        step = min(SCALE_STEP, float((LEAST / radius) ** (1 / (self._scales - 1))))
        windows: list[Window] = []
        for _ in range(self._scales):
            window = clipped((*(low - radius), *(high + radius)), self.size)
            if window not in windows:
                windows.append(window)
            radius *= step
            if radius < 0.99 * LEAST:
                break
        return windows

    def _boxed(self, box: Window, line: tuple[Click, ...]) -> list[Shape]:
        margin = 4 + 0.15 * max(box[2] - box[0], box[3] - box[1])
        window = clipped((box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin), self.size)
        return self._sight(self._pyramid, [Ask(window, line, box=box)])

    def _next(self, before: Shape, clicks: tuple[Click, ...], steps: int) -> Shape:
        """A shape after one more click."""
        ask = Ask(around(before, clicks, self.size), clicks, before, steps=steps)
        shape = self._sight(self._pyramid, [ask])[0]
        if reaches(shape, self.size) > TOUCHES:  # it goes on beyond the window
            x0, y0, x1, y1 = ask.window
            more = 0.35 * max(x1 - x0, y1 - y0)
            larger = clipped((x0 - more, y0 - more, x1 + more, y1 + more), self.size)
            shape = self._sight(self._pyramid, [replace(ask, window=larger)])[0]
        return shape

    def _fine(self, shape: Shape, prompt: Prompt) -> Shape:
        """The shape on a finer grid, its outline drawn to the edges there."""
        size = grid_of(shape.window, FINE)
        if size[0] <= shape.values.shape[0] and size[1] <= shape.values.shape[1]:
            return shape
        guide = lab_of(self._pyramid.cut(shape.window, size))
        values = smooth(resampled(shape.values, size), guide, reach=2.5, contrast=0.08, rounds=1)
        cells = cells_of((*prompt.line, *prompt.clicks), shape.window, size)
        return replace(shape, values=trimmed(values, *cells, values))


def around(before: Shape, clicks: Sequence[Click], size: Size) -> Window:
    """A window round the mask so far and the positive clicks, with room to grow."""
    inside = [(x, y, x, y) for x, y, positive in clicks if positive]
    box = before.box
    corners = np.array(inside + ([box] if box else [])) if inside or box else np.array([before.window])
    low, high = corners[:, :2].min(0), corners[:, 2:].max(0)
    room = 8 + 0.35 * float((high - low).max())
    if clicks[-1][2] and not before.holds(*clicks[-1][:2]):
        room *= 1.8  # the newest click says that the segment is larger
    return clipped((*(low - room), *(high + room)), size)


def _mendable(shapes: Sequence[Shape], click: Click) -> Shape:
    """The best shape that a click says something new of: a user who clicks inside a mask sees another one."""
    x, y, positive = click
    return next((shape for shape in shapes if shape.holds(x, y) != positive), shapes[0])
