"""What comes from outside, checked before a kernel sees it: sizes, offsets, id maps, whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inlay.core.errors import InlayError


def check_size(size: Sequence[int]) -> tuple[int, int]:
    """(height, width) as plain ints.

    Raises
    ------
    InlayError
        When one is negative or the image has more pixels than run lengths can count.
    """
    height, width = int(size[0]), int(size[1])
    if height < 0 or width < 0 or height * width >= 2**32:
        raise InlayError(
            f"an image of {height}x{width} pixels (height, width) is not possible: at most 2^32 - 1"
        )
    return height, width


def id_map(ids: NDArray[Any], count: int) -> NDArray[np.int32]:
    """(H, W) int32 of a map of whole numbers; where they need more bits, foreign ones become -1.

    Raises
    ------
    InlayError
        When the map has not two dimensions, holds fractions, or `count` is negative.
    """
    ids = np.asarray(ids)
    if ids.ndim != 2 or ids.dtype.kind not in "biu":
        raise InlayError(f"an id map is (H, W) whole numbers, not {ids.shape} {ids.dtype}")
    if not 0 <= count < 2**31:
        raise InlayError(f"an id map cannot hold {count} rows")
    if np.can_cast(ids.dtype, np.int32):
        return np.ascontiguousarray(ids, np.int32)
    foreign = (ids < 0) | (ids >= count)  # cut to 32 bits, one of these could become a row
    rows = ids.astype(np.int32)
    rows[foreign] = -1
    return np.ascontiguousarray(rows)


def whole_numbers(values: ArrayLike) -> NDArray[np.int64] | None:
    """One row of int64, or None where a value is no whole number."""
    try:
        array = np.asarray(values).reshape(-1)
        if array.size == 0:
            return np.empty(0, np.int64)
        return array.astype(np.int64) if array.dtype.kind in "iu" else None
    except (ValueError, OverflowError):
        return None


def check_offsets(name: str, offsets: NDArray[np.int64], last: int) -> None:
    """Refuse offsets that do not rise from 0 to `last`."""
    fits = offsets.ndim == 1 and offsets.size > 0 and offsets[0] == 0 and offsets[-1] == last
    if not fits or (np.diff(offsets) < 0).any():
        raise InlayError(f"{name} must rise from 0 to {last}")
