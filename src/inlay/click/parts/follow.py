"""Following: a mask of one frame found again in the next, by its motion and then by the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.click.parts.grid import Window, cut, part
from inlay.core.errors import InlayError

if TYPE_CHECKING:
    from inlay.click import Candidate, State

Bits = NDArray[np.bool_]
Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

REACH = 0.5  # of the longer side of a mask: as far as it is looked for, at least REACH_PIXELS
REACH_PIXELS = 24
COARSE = 96  # pixels along the longer side of what is compared first
CLINGS = 0.5  # of the usual difference, for a way as long as the reach: nothing is sent wandering
BAND = 0.04  # of the root of a mask's area: so far from its outline the engine may move it


def follow(before: Pixels, after: Pixels, mask: Bits, state: State | None = None) -> Candidate | None:
    """The mask of `before` in `after`; None where it has left the image.

    The mask is shifted by the motion of its pixels (the shift with the least squared difference). Then the
    engine is asked with the box of the shifted mask and a click in its middle, and draws the outline anew
    within a narrow band round the shifted one: what it gets wrong beyond stays out.

    Parameters
    ----------
    before, after
        (H, W, 3) uint8 frames of one size.
    mask
        (H, W) bool in `before`.
    state
        `after`, embedded; without one the shifted mask is the answer.

    Raises
    ------
    InlayError
        When the frames or the mask differ in size.
    """
    from inlay.click import Candidate

    if before.shape != after.shape or mask.shape != before.shape[:2]:
        raise InlayError(
            f"frames of {before.shape[:2]} and {after.shape[:2]} pixels and a mask of {mask.shape} do not go "
            "together: following needs frames of one size"
        )
    window = _window(mask)
    if window is None:
        return None
    moved = _moved(mask, window, motion(before, after, mask))
    target = _window(moved)
    if target is None:
        return None
    shifted = Candidate(target, moved[cut(target)], 0.0, mask.shape)
    return shifted if state is None else _refined(state, shifted)


def _window(mask: Bits) -> Window | None:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _moved(mask: Bits, window: Window, by: tuple[int, int]) -> Bits:
    rows, columns = mask[cut(window)].nonzero()
    x, y = columns + window[0] + by[0], rows + window[1] + by[1]
    inside = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
    moved = np.zeros_like(mask)
    moved[y[inside], x[inside]] = True
    return moved


def motion(before: Pixels, after: Pixels, mask: Bits) -> tuple[int, int]:
    """(x, y) pixels that a mask has moved: coarse over the whole reach, then fine round the best place."""
    window = _window(mask)
    if window is None:
        return 0, 0
    longer = max(window[2] - window[0], window[3] - window[1])
    reach = int(max(REACH * longer, REACH_PIXELS))
    step = max(1, -(-(longer + 2 * reach) // COARSE))
    x, y = _best(before, after, mask, (0, 0), reach, step)
    return (x, y) if step == 1 else _best(before, after, mask, (x, y), 2 * step, 1)


def _best(
    before: Pixels, after: Pixels, mask: Bits, start: tuple[int, int], reach: int, step: int
) -> tuple[int, int]:
    """The shift round `start` with the least mean squared difference, on every `step`-th pixel."""
    window = _window(mask)
    assert window is not None
    weight = mask[cut(window)][::step, ::step].astype(np.float64)
    pattern = before[cut(window)][::step, ::step].astype(np.float64) / 255
    count = 2 * (reach // step) + 1
    left, top = (window[axis] + start[axis] - reach // step * step for axis in (0, 1))
    high, wide = weight.shape[0] + count - 1, weight.shape[1] + count - 1
    rows, columns = top + step * np.arange(high), left + step * np.arange(wide)
    there = ((rows >= 0) & (rows < mask.shape[0]))[:, None] & ((columns >= 0) & (columns < mask.shape[1]))
    clipped = (np.clip(rows, 0, mask.shape[0] - 1)[:, None], np.clip(columns, 0, mask.shape[1] - 1))
    scene = np.where(there[..., None], after[clipped].astype(np.float64) / 255, 0.0)
    seen = _slid(there.astype(np.float64), weight)
    squares = _slid((scene**2).sum(2), weight)
    own = _slid(there.astype(np.float64), weight * (pattern**2).sum(2))
    cross = sum(_slid(scene[..., each], weight * pattern[..., each]) for each in range(3))
    misfit = squares - 2 * cross + own
    usual = float(misfit.sum() / max(seen.sum(), 1e-9))  # what pixels of two places differ by
    offsets = step * np.arange(count) - reach // step * step
    far = np.hypot(offsets[:, None], offsets) / max(reach, 1)
    error = misfit + usual * (weight.sum() - seen) + CLINGS * usual * weight.sum() * far
    row, column = np.unravel_index(int(error.argmin()), error.shape)
    return start[0] + int(offsets[column]), start[1] + int(offsets[row])


def _slid(scene: Floats, weight: Floats) -> Floats:
    """Sums of `scene` under `weight` at each place where it fits (a correlation, by Fourier transforms)."""
    shape = scene.shape
    product = np.fft.rfft2(scene) * np.conj(np.fft.rfft2(weight, shape))
    whole = np.fft.irfft2(product, shape)
    return whole[: shape[0] - weight.shape[0] + 1, : shape[1] - weight.shape[1] + 1]


def _refined(state: State, shifted: Candidate) -> Candidate:
    """The shifted mask with the engine's outline, as far as that lies near."""
    from scipy.ndimage import distance_transform_edt

    from inlay.click import Candidate

    offered = state.mask(points=[(*_middle(shifted), True)], box=[float(value) for value in shifted.window])
    engine = max(offered, key=lambda each: overlap(each, shifted))
    width = max(2.0, BAND * float(np.sqrt(shifted.inside.sum())))
    room = int(np.ceil(width))
    height, wide = shifted.size
    x0, y0, x1, y1 = shifted.window
    window = (max(0, x0 - room), max(0, y0 - room), min(wide, x1 + room), min(height, y1 + room))
    old, new = part(shifted, window), part(engine, window)
    away = distance_transform_edt(~old) + distance_transform_edt(old)
    mixed = np.where(away <= width, new, old)
    return Candidate(window, mixed, engine.score, shifted.size) if mixed.any() else shifted


def _middle(candidate: Candidate) -> tuple[float, float]:
    """The place deepest inside a mask."""
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(np.pad(candidate.inside, 1))
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return candidate.window[0] + float(column) - 0.5, candidate.window[1] + float(row) - 0.5


def overlap(one: Candidate, other: Candidate) -> float:
    """IoU of two masks."""
    x0, y0 = np.minimum(one.window[:2], other.window[:2])
    x1, y1 = np.maximum(one.window[2:], other.window[2:])
    first, second = (part(each, (int(x0), int(y0), int(x1), int(y1))) for each in (one, other))
    return float((first & second).sum() / max(1, (first | second).sum()))
