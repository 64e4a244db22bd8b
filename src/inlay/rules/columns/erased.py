"""Columns of bites that an eraser took: round, sharp at both ends, and of the colour of the mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.core.morphology import dilate
from inlay.rules.columns.parts.bays import bays, boxes_around
from inlay.rules.columns.parts.discs import Disc, snuggest
from inlay.rules.tables import Floats, SegmentTable, UnknownError

LEAST = 6  # pixels of a bay, and of each of the surfaces whose colours are compared
AROUND = 24  # pixels around a bay in which its circle may end
BESIDE = 5  # pixels from a bay in which the middle of its disc may lie
REACH = 5  # pixels around a disc whose colours it is held against
DOUBTED = 0.4  # likeness from which the colours are looked at
WEIGHT = 0.3  # of the colours: by so much do they change the likeness at most
CLEAR = 0.7  # deviations by which the colours inside and outside differ at least
NOISE = 3.0  # greys, at least


def erased(table: SegmentTable, width: float) -> Floats:
    """How much a bay at most so wide looks like the bite of an eraser; 0 to about 1.8, from 0.7 on it does.

    The share of a circle that lies along the mask without a gap (a half-disc has 0.5), times the root of its
    radius, and less where the outline goes on beyond its ends, as at the bend of two lines. With the image's
    pixels, up to 0.3 more where those in the bay look like those in the mask, and less where they look like
    those outside. 0 for stuff.
    """
    found = np.zeros(len(table))
    rows = np.flatnonzero(table.is_thing & (table.area > 0))
    for row, like, *_ in _found(table, width, rows):
        found[row] = max(found[row], like)
    return found


def erased_region(table: SegmentTable, row: int, width: float) -> Masks:
    """What of its disc does not lie in the mask, towards it."""
    each = _found(table, width, np.array([row]))
    if not each:
        return Masks.empty(table.masks.size, 1)
    _, _, disc, (x0, y0, x1, y1) = max(each, key=lambda found: found[1])
    whole = np.zeros(table.masks.size, np.bool_)
    whole[y0:y1, x0:x1] = _bitten(table.masks.crop(row, (x0, y0, x1, y1)), disc)[0]
    return Masks.encode(whole)


def _found(
    table: SegmentTable, width: float, rows: NDArray[np.int64]
) -> list[tuple[int, float, Disc, tuple[int, int, int, int]]]:
    """Row and likeness of each bay that holds a disc, the disc, and the box that it is told in."""
    parts, row = bays(table, rows, width)
    large = parts.area() >= LEAST
    parts, row = parts[large], row[large]
    near_by, found = dilate(parts, BESIDE), []
    for place, box in enumerate(map(tuple, boxes_around(parts, AROUND).tolist())):
        near = near_by.crop(place, box)
        mask = table.masks.crop(int(row[place]), box)
        disc = snuggest(mask, near)
        if disc is not None:
            found.append((int(row[place]), _likeness(table, mask, disc, box), disc, box))
    return found


def _likeness(table: SegmentTable, mask: NDArray[np.bool_], disc: Disc, box: tuple[int, ...]) -> float:
    """That of the form, and of the colours where they can tell."""
    if disc.likeness < DOUBTED:
        return disc.likeness
    try:
        pixels = table.pixels[box[1] : box[3], box[0] : box[2]]
    except UnknownError:
        return disc.likeness
    return max(disc.likeness + WEIGHT * _evidence(pixels, mask, disc), 0.0)


def _evidence(pixels: NDArray[np.uint8], mask: NDArray[np.bool_], disc: Disc) -> float:
    """-1 to 1: do the pixels of the bitten half look like those outside it, or like those in the mask?"""
    bitten, inwards, far = _bitten(mask, disc)
    near = far < disc.radius + REACH
    places = (bitten, mask & near, ~mask & near & (inwards < -1))
    if min(int(place.sum()) for place in places) < LEAST:
        return 0.0
    own, inside, outside = (pixels[place].astype(np.float64) for place in places)
    spread = float(np.sqrt(sum(each.var(axis=0).sum() for each in (own, inside, outside)) / 3)) + NOISE
    apart = float(np.linalg.norm(inside.mean(axis=0) - outside.mean(axis=0))) / spread
    if apart < CLEAR:
        return 0.0  # a picture in which one thing looks like the next says nothing
    nearer: Floats = np.linalg.norm(own - inside.mean(axis=0), axis=1)
    alike = float((nearer < np.linalg.norm(own - outside.mean(axis=0), axis=1)).mean())
    return (2 * alike - 1) * min(apart, 3.0) / 3.0


def _bitten(mask: NDArray[np.bool_], disc: Disc) -> tuple[NDArray[np.bool_], Floats, Floats]:
    """The half of a disc that faces the mask; how far each pixel lies that way, and from the middle."""
    away: Floats = np.indices(mask.shape) - np.array([disc.y, disc.x])[:, None, None]
    down, right = away[0], away[1]
    far = np.hypot(down, right)
    rim = mask & (far < disc.radius + 1.5)
    axis = away[:, rim].mean(axis=1)
    inwards = (down * axis[0] + right * axis[1]) / max(float(np.hypot(*axis)), 1e-9)
    return ~mask & (far < disc.radius) & (inwards > 0), inwards, far
