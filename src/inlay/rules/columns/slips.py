"""Columns of slips of the pen: tongues that nothing in the image stands for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.rules.columns.parts.bays import boxes_around
from inlay.rules.columns.parts.tongues import all_tongues, lengths, tongues
from inlay.rules.tables import Integers, SegmentTable

LEAST = 4  # pixels of a tongue that is looked at
FLANK = 3  # pixels beside a tongue that it is held against
BODY = 8  # pixels around it in which the mask's own colours are taken
ALIKE = 0.7  # share of its pixels that look more like what is beside them than like the mask
SAME = 0.6  # deviations by which its mean colour may differ from that of its flanks
CLEAR = 0.7  # deviations by which the two differ at least
NOISE = 3.0  # greys, at least


def slip_px(table: SegmentTable, width: float) -> Integers:
    """Length of the longest tongue, at most so many pixels wide, that looks like what is beside it; pixels.

    A leg or a cable differs from both its sides; what a pen slipped over does not, and differs from the mask.
    0 where no tongue does, or the mask looks like its surroundings. Unknown without pixels.
    """
    parts, row = _slips(table, *table.once(all_tongues, width))
    found = np.zeros(len(table), np.int64)
    np.maximum.at(found, row, lengths(parts))
    return found


def slip_px_region(table: SegmentTable, row: int, width: float) -> Masks:
    """That tongue."""
    parts, _ = _slips(table, *tongues(table, np.array([row]), width))
    return parts[np.argsort(-lengths(parts), kind="stable")[:1]].union()


def _slips(table: SegmentTable, parts: Masks, row: NDArray[np.int64]) -> tuple[Masks, NDArray[np.int64]]:
    long = lengths(parts) >= LEAST
    parts, row = parts[long], row[long]
    boxes = boxes_around(parts, BODY).tolist()
    keep = [_is_slip(table, parts.crop(at, box), int(row[at]), box) for at, box in enumerate(boxes)]
    return parts[np.array(keep, np.bool_)], row[np.array(keep, np.bool_)]


def _is_slip(table: SegmentTable, tongue: NDArray[np.bool_], row: int, box: list[int]) -> bool:
    x0, y0, x1, y1 = box
    mask = table.masks.crop(row, (x0, y0, x1, y1))
    pixels = table.pixels[y0:y1, x0:x1].astype(np.float64)
    body = mask & ~tongue
    beside = ~mask
    flanks = _means_near(pixels, beside, np.argwhere(tongue))
    known = ~np.isnan(flanks[:, 0])
    if known.sum() < LEAST or body.sum() < LEAST:
        return False
    own, flanks = pixels[tongue][known], flanks[known]
    inside = pixels[body]
    noise = float(np.sqrt((own - flanks).var(axis=0).sum())) + NOISE
    if float(np.linalg.norm((own - flanks).mean(axis=0))) > SAME * noise:
        return False
    spread = float(np.sqrt((inside.var(axis=0).sum() + noise * noise) / 2))
    apart = np.linalg.norm(flanks - inside.mean(axis=0), axis=1)
    if float(np.median(apart)) < CLEAR * spread:
        return False
    off = np.linalg.norm(own - flanks, axis=1)
    return float((off < np.linalg.norm(own - inside.mean(axis=0), axis=1)).mean()) >= ALIKE


def _means_near(
    pixels: NDArray[np.float64], of: NDArray[np.bool_], at: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean colour of the pixels near each place; NaN where there are none.

    Sums of whole numbers are exact in whatever order, so that a table of sums gives the mean to the bit.
    """
    counted = np.concatenate([np.where(of[..., None], pixels, 0.0), of[..., None]], axis=2)
    sums = np.zeros((of.shape[0] + 1, of.shape[1] + 1, counted.shape[2]))
    sums[1:, 1:] = counted.cumsum(axis=0).cumsum(axis=1)
    top, left = np.maximum(at - FLANK, 0).T
    bottom, right = np.minimum(at + FLANK + 1, of.shape).T
    near = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    count = near[:, -1:]
    means: NDArray[np.float64] = np.full((len(at), pixels.shape[2]), np.nan)
    np.divide(near[:, :-1], count, out=means, where=count > 0)
    return means
