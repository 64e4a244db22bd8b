"""Everything in a box: a grid of clicks, and of the masks they give those that are segments of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError

if TYPE_CHECKING:
    from inlay.click import Candidate, State

Bits = NDArray[np.bool_]
Floats = NDArray[np.float64]
Window = tuple[int, int, int, int]

SHARED = 0.6  # of the smaller of two masks: from here on they are one segment
INSIDE = 0.8  # of a mask: with less of it in the box, its segment belongs elsewhere
FREE = 0.5  # of a mask: with less of it unlabelled, somebody has drawn it already
EDGED = 0.5  # of an outline: so much of it lies on edges stronger than usual
MOST = 0.75  # of the box: what covers more is the ground between segments


def everything(
    state: State,
    image: NDArray[np.uint8],
    box: Sequence[float],
    *,
    taken: Bits | None = None,
    side: int = 8,
    least_score: float = 0.5,
    least_area: int = 64,
) -> list[Candidate]:
    """Segments in a box that nobody has clicked, the best first; no two of them share much.

    Clicks stand on a grid over the box. A click is left out where a mask found before lies already, so that
    an image costs about one click for each segment and for each gap of the grid.

    Parameters
    ----------
    state, image
        An embedded image, and its (H, W, 3) uint8 pixels.
    box
        (x0, y0, x1, y1) in pixels, inside the image.
    taken
        (H, W) bool: pixels that have a segment; nothing is proposed where half of it lies there.
    side
        Clicks along the longer side of the box.
    least_score, least_area
        Predicted IoU and pixels below which nothing is proposed.

    Raises
    ------
    InlayError
        When the box is empty, or there is no click to a side.
    """
    x0, y0, x1, y1 = (float(value) for value in box)
    if not (x0 < x1 and y0 < y1) or side < 1:
        raise InlayError(f"box {list(box)} with {side} clicks to a side has no place for a click")
    edges = edges_of(image, (x0, y0, x1, y1))
    found: list[Candidate] = []
    for x, y in grid_of((x0, y0, x1, y1), side):
        if (taken is not None and taken[int(y), int(x)]) or any(holds(each, x, y) for each in found):
            continue
        for each in state.mask(points=[(x, y, True)]):
            fits = each.score >= least_score and _fits(each, (x0, y0, x1, y1), taken, least_area)
            if fits and edges.follows(each):
                found.append(each)
                break
    return apart(found)


@dataclass(frozen=True, eq=False)
class Edges:
    """Edges of an image in a box, as strong as colours change from pixel to pixel.

    Parameters
    ----------
    strength
        (h, w) of the box.
    corner
        x, y of its upper left pixel.
    usual
        Their mean.
    """

    strength: Floats
    corner: tuple[int, int]
    usual: float

    def follows(self, candidate: Candidate) -> bool:
        """Whether an outline lies on edges: an engine gives a mask for a click into even ground too."""
        from scipy.ndimage import binary_dilation, binary_erosion

        height, wide = self.strength.shape
        x, y = self.corner
        inside = part(candidate, (x, y, x + wide, y + height))
        outline = binary_dilation(inside) & ~binary_erosion(inside, border_value=1)
        on_edge = self.strength[outline] > self.usual
        return bool(outline.any()) and float(on_edge.mean()) >= EDGED


def edges_of(image: NDArray[np.uint8], box: tuple[float, float, float, float]) -> Edges:
    """The edges in a box."""
    x0, y0 = int(box[0]), int(box[1])
    cut = image[y0 : int(np.ceil(box[3])), x0 : int(np.ceil(box[2]))].astype(np.float64)
    strength = np.zeros(cut.shape[:2])
    for axis in (0, 1):
        change = np.abs(np.diff(cut, axis=axis)).max(2)
        low, high = (slice(None, -1), slice(1, None))
        for side in (low, high):
            place = (side, slice(None)) if axis == 0 else (slice(None), side)
            strength[place] = np.maximum(strength[place], change)
    return Edges(strength, (x0, y0), float(strength.mean()))


def grid_of(box: tuple[float, float, float, float], side: int) -> list[tuple[float, float]]:
    """Middles of even cells of a box, `side` along its longer side."""
    x0, y0, x1, y1 = box
    step = max(x1 - x0, y1 - y0) / side
    across, down = (max(1, round(length / step)) for length in (x1 - x0, y1 - y0))
    return [
        (x0 + (column + 0.5) * (x1 - x0) / across, y0 + (row + 0.5) * (y1 - y0) / down)
        for row in range(down)
        for column in range(across)
    ]


def holds(candidate: Candidate, x: float, y: float) -> bool:
    """Whether a mask has the pixel of a place."""
    left, top, right, bottom = candidate.window
    inside = left <= x < right and top <= y < bottom
    return inside and bool(candidate.inside[int(y) - top, int(x) - left])


def _fits(
    candidate: Candidate, box: tuple[float, float, float, float], taken: Bits | None, least_area: int
) -> bool:
    area = int(candidate.inside.sum())
    if area < least_area:
        return False
    rows, columns = candidate.inside.nonzero()
    x, y = columns + candidate.window[0] + 0.5, rows + candidate.window[1] + 0.5
    x0, y0, x1, y1 = box
    within = int(((x >= x0) & (x < x1) & (y >= y0) & (y < y1)).sum())
    free = area if taken is None else area - int(taken[cut(candidate.window)][candidate.inside].sum())
    return within >= INSIDE * area and within <= MOST * (x1 - x0) * (y1 - y0) and free >= FREE * area


def cut(window: Window) -> tuple[slice, slice]:
    """The rows and columns of a window."""
    return slice(window[1], window[3]), slice(window[0], window[2])


def apart(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates, the best first, without those that share much with a better one."""
    kept: list[Candidate] = []
    for each in sorted(candidates, key=lambda each: -each.score):
        if all(shared(each, better) < SHARED for better in kept):
            kept.append(each)
    return kept


def shared(one: Candidate, other: Candidate) -> float:
    """Pixels of both masks as a share of those of the smaller one."""
    low = np.maximum(one.window[:2], other.window[:2])
    high = np.minimum(one.window[2:], other.window[2:])
    if (high <= low).any():
        return 0.0
    window = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    both = int((part(one, window) & part(other, window)).sum())
    return both / max(1, min(int(one.inside.sum()), int(other.inside.sum())))


def part(candidate: Candidate, window: Window) -> Bits:
    """(h, w) pixels of a mask in a window of its image."""
    x0, y0, x1, y1 = window
    left, top, right, bottom = candidate.window
    found = np.zeros((y1 - y0, x1 - x0), np.bool_)
    across, down = (max(x0, left), min(x1, right)), (max(y0, top), min(y1, bottom))
    if across[0] < across[1] and down[0] < down[1]:
        inside = candidate.inside[down[0] - top : down[1] - top, across[0] - left : across[1] - left]
        found[down[0] - y0 : down[1] - y0, across[0] - x0 : across[1] - x0] = inside
    return found
