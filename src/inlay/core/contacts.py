"""Contacts: how long each segment of an image touches each other one, nobody, and the sides of the image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.checks import id_map
from inlay.core.masks import Masks

DENSE = 12  # pixels for each stretch of pixels, under which an id map is faster than the stretches


@dataclass(frozen=True, eq=False)
class Contacts:
    """The contact graph of one image. All lengths count 4-neighbour pixel edges.

    Parameters
    ----------
    a, b
        (P,) int32 rows of each pair that touches, `a < b`, sorted.
    length
        (P,) int64 edges between the two.
    void_length
        (N,) int64 edges between each row and pixels of nobody.
    border
        (N, 4) int64 edges on the left, top, right and bottom side of the image.
    """

    a: NDArray[np.int32]
    b: NDArray[np.int32]
    length: NDArray[np.int64]
    void_length: NDArray[np.int64]
    border: NDArray[np.int64]

    @cached_property
    def perimeter(self) -> NDArray[np.int64]:
        """(N,) edges around each row: those to other rows, to nobody and on the image sides."""
        outline: NDArray[np.int64] = self.void_length + self.border.sum(axis=1)
        np.add.at(outline, self.a, self.length)
        np.add.at(outline, self.b, self.length)
        return outline


def contacts(ids: NDArray[np.integer[Any]], count: int) -> Contacts:
    """Contacts of the rows 0 .. count - 1 of an (H, W) id map, in one pass; other values are nobody.

    Raises
    ------
    InlayError
        When the map has not two dimensions, holds fractions, or `count` is negative.
    """
    return Contacts(*kernels.contacts(id_map(ids, count), count))


def contacts_of(masks: Masks) -> Contacts:
    """Contacts of masks that do not overlap; on their run lengths unless these are very short.

    What masks that do overlap touch is not defined: take the visible part of each before.
    """
    height, width = masks.size
    if masks.counts.size * DENSE > height * width or not len(masks):
        return contacts(masks.paint(np.arange(len(masks)), fill=-1), len(masks))
    count = len(masks)
    row, column, start, stop = _stretches(masks)
    length = stop - start
    side_by_side, edges = _across(row, start, stop, height, count)
    below = np.flatnonzero((stop[:-1] == start[1:]) & (column[:-1] == column[1:]))
    keys = np.append(side_by_side, _keys(row[below], row[below + 1], count))
    keys, edges = _summed(keys, np.append(edges, np.ones(len(below), np.int64)), count)
    a, b = keys // max(count, 1), keys % max(count, 1)
    inner, touched = np.zeros((2, count), np.int64)
    inner[a[a == b]] = edges[a == b]
    a, b, edges = a[a != b], b[a != b], edges[a != b]
    for end in (a, b):
        np.add.at(touched, end, edges)
    border = np.zeros((count, 4), np.int64)
    sides = (column == 0, start % height == 0, column == width - 1, stop % height == 0)
    for side, at in enumerate(sides):
        np.add.at(border[:, side], row[at], length[at] if side % 2 == 0 else 1)
    outline = 2 * (np.bincount(row, minlength=count) + masks.area() - inner)
    void = outline - border.sum(axis=1) - touched
    return Contacts(a.astype(np.int32), b.astype(np.int32), edges, void, border)


def _stretches(masks: Masks) -> tuple[NDArray[np.int64], ...]:
    """Row, image column, start and stop of each stretch of pixels down one column, by start."""
    height, width = masks.size
    stop = np.cumsum(masks.counts, dtype=np.int64)
    row = np.repeat(np.arange(len(masks)), np.diff(masks.offsets))
    seen = (np.arange(len(stop)) - masks.offsets[row]) % 2 == 1
    row, stop = row[seen], (stop - row * (height * width))[seen]
    start = stop - masks.counts[seen]
    order = np.argsort(start, kind="stable")
    row, start, stop = row[order], start[order], stop[order]
    columns = (stop - 1) // height - start // height + 1
    whole = np.repeat(np.arange(len(row)), columns)
    column = start[whole] // height + np.arange(len(whole)) - np.repeat(np.cumsum(columns) - columns, columns)
    return (
        row[whole],
        column,
        np.maximum(start[whole], column * height),
        np.minimum(stop[whole], (column + 1) * height),
    )


def _across(
    row: NDArray[np.int64], start: NDArray[np.int64], stop: NDArray[np.int64], height: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Keys of the pairs that lie side by side in neighbouring columns, and the edges they share."""
    first = np.searchsorted(stop, start - height, side="right")
    many = np.searchsorted(start, stop - height, side="left") - first
    right = np.repeat(np.arange(len(row)), many)
    left = np.arange(len(right)) - np.repeat(np.cumsum(many) - many - first, many)
    edges = np.minimum(stop[right] - height, stop[left]) - np.maximum(start[right] - height, start[left])
    return _keys(row[left], row[right], count), edges


def _keys(one: NDArray[np.int64], other: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.minimum(one, other) * count + np.maximum(one, other)


def _summed(
    keys: NDArray[np.int64], amounts: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each key once, rising, with the sum of its amounts."""
    if count <= 1000:  # a table of all pairs is faster than sorting while it is small
        table = np.bincount(keys, amounts, count * count).astype(np.int64)
        found = np.flatnonzero(table)
        return found, table[found]
    found, place = np.unique(keys, return_inverse=True)
    return found, np.bincount(place, amounts, len(found)).astype(np.int64)
