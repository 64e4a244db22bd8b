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
    over
        (P, 2) int64 edges where `a` lies straight over `b`, and `b` over `a`; `None` from an id map.
    lower
        (N,) int64 edges at the lower side of each row's pixels; `None` from an id map.
    """

    a: NDArray[np.int32]
    b: NDArray[np.int32]
    length: NDArray[np.int64]
    void_length: NDArray[np.int64]
    border: NDArray[np.int64]
    over: NDArray[np.int64] | None = None
    lower: NDArray[np.int64] | None = None

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
    """Contacts of masks that do not overlap, in one sweep over their run lengths.

    What masks that do overlap touch is not defined: take the visible part of each before.
    """
    a, b, length, over, void, border, lower = kernels.neighbours(masks.counts, masks.offsets, *masks.size)
    return Contacts(a, b, length, void, border, over, lower)
