"""Mask kernels in C++ over flat run lengths; sources in `kernels/`."""

import numpy as np
from numpy.typing import NDArray


def encode(stack: NDArray[np.uint8], columns: bool) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def decode(counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, w: int, /) -> NDArray[np.uint8]: ...
def area(counts: NDArray[np.uint32], offsets: NDArray[np.int64], /) -> NDArray[np.int64]: ...
def box(counts: NDArray[np.uint32], offsets: NDArray[np.int64], h: int, /) -> NDArray[np.int32]: ...
def intersection(
    counts_a: NDArray[np.uint32],
    offsets_a: NDArray[np.int64],
    boxes_a: NDArray[np.int32],
    counts_b: NDArray[np.uint32],
    offsets_b: NDArray[np.int64],
    boxes_b: NDArray[np.int32],
    /,
) -> NDArray[np.int64]: ...
def combine(
    counts_a: NDArray[np.uint32],
    offsets_a: NDArray[np.int64],
    counts_b: NDArray[np.uint32],
    offsets_b: NDArray[np.int64],
    operation: int,
    /,
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def unite(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], pixels: int, /
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def paint(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], values: NDArray[np.int32], fill: int, h: int, w: int, /
) -> NDArray[np.int32]: ...
def split_ids(ids: NDArray[np.int32], n: int, /) -> tuple[NDArray[np.uint32], NDArray[np.int64]]: ...
def canonical(
    counts: NDArray[np.uint32], offsets: NDArray[np.int64], pixels: int, /
) -> tuple[int, NDArray[np.uint32], NDArray[np.int64]]: ...
def to_strings(counts: NDArray[np.uint32], offsets: NDArray[np.int64], /) -> tuple[NDArray[np.uint8], NDArray[np.int64]]: ...
def from_strings(
    text: NDArray[np.uint8], ends: NDArray[np.int64], /
) -> tuple[int, NDArray[np.uint32], NDArray[np.int64]]: ...
