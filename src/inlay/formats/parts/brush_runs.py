"""Label Studio's brush run lengths: thi.ng's packed bits over the RGBA values of an image, row by row.

A head of 32 bits (how many values), 5 bits (bits of a value, less 1) and four times 4 bits (bits of the four
sizes of run lengths, less 1); then records: 1 bit whether a run follows or single values, 2 bits which of the
sizes, the length less 1, and one value, or as many as the length says.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import FormatError

_HEAD = 32 + 5 + 4 * 4
_SIZES = (3, 4, 8, 16)  # as Label Studio writes them
_LONGEST = 1 << 16


def unpack(data: Sequence[int], size: tuple[int, int], path: Path, where: str) -> NDArray[np.bool_]:
    """(H, W) mask: where the last channel is over half of its largest value.

    Raises
    ------
    FormatError
        When the bits are broken, or hold another number of values than four for each pixel.
    """
    try:
        packed = np.array(data, np.uint8)
        whole = packed.ndim == 1 and bool((packed == np.array(data)).all())
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole or packed.size * 8 < _HEAD:
        raise FormatError(path, where, "rle is no list of bytes")
    bits = _Bits(np.unpackbits(packed))
    count, width = bits.number(32), bits.number(5) + 1
    sizes = [bits.number(4) + 1 for _ in range(4)]
    if count != 4 * size[0] * size[1]:
        what = f"rle holds {count} values; {size[1]}x{size[0]} pixels of RGBA are {4 * size[0] * size[1]}"
        raise FormatError(path, where, what)
    values = np.zeros(count, np.uint8)
    done = 0
    while done < count:
        is_run = bits.number(1)
        length = bits.number(sizes[bits.number(2)]) + 1
        end = min(done + length, count)
        found = bits.numbers(1 if is_run else end - done, width)
        if found is None:
            raise FormatError(path, where, f"rle ends after {done} of {count} values")
        values[done:end] = np.minimum(found, 255)
        done = end
    alpha = values.reshape(*size, 4)[..., 3]
    return np.asarray((alpha > 0) & (alpha.astype(np.int32) * 2 > int(alpha.max(initial=0))))


class _Bits:
    """Reads numbers from bits; beyond the end there are zeros."""

    def __init__(self, bits: NDArray[np.uint8]) -> None:
        self._bits = bits
        self._at = 0

    def number(self, width: int) -> int:
        """The next number of `width` bits."""
        word = self._bits[self._at : self._at + width].tobytes()
        self._at += width
        value = 0
        for bit in word:
            value = value << 1 | bit
        return value

    def numbers(self, count: int, width: int) -> NDArray[np.int64] | None:
        """The next `count` numbers; `None` where the bits end before."""
        end = self._at + count * width
        if end > self._bits.size:
            return None
        table = self._bits[self._at : end].reshape(count, width).astype(np.int64)
        self._at = end
        return np.asarray(table @ (1 << np.arange(width - 1, -1, -1)))


def pack(mask: NDArray[np.bool_]) -> list[int]:
    """The bytes of an (H, W) mask, 255 in all four channels where it is set."""
    flat = mask.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    starts = np.concatenate([[0], edges])
    lengths = np.diff(starts, append=flat.size) * 4
    pieces = -(-lengths // _LONGEST)
    owner = np.repeat(np.arange(lengths.size), pieces)
    rest = lengths[owner] - _LONGEST * (np.arange(owner.size) - (np.cumsum(pieces) - pieces)[owner])
    records = np.zeros((owner.size, 27), np.uint8)  # a run, size 3 (16 bits), its length, its value
    records[:, :3] = 1
    records[:, 3:19] = _as_bits(np.minimum(rest, _LONGEST) - 1, 16)
    records[:, 19:] = flat[starts][owner][:, None]
    head = [_as_bits(np.array([4 * flat.size]), 32), _as_bits(np.array([7]), 5)]
    head += [_as_bits(np.array([size - 1]), 4) for size in _SIZES]
    bits = np.concatenate([*(part.ravel() for part in head), records.ravel()])
    found: list[int] = np.packbits(bits).tolist()
    return found


def _as_bits(values: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    return np.asarray((values[:, None] >> np.arange(width - 1, -1, -1)) & 1, np.uint8)
