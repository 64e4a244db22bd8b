"""Masks: N binary masks of one image as run lengths in two flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inlay.core import kernels
from inlay.core.checks import check_size, id_map, whole_numbers
from inlay.core.errors import InlayError

Connectivity = Literal[4, 8]
Index = int | slice | NDArray[Any] | Sequence[int]

AND, OR, MINUS = 0b1000, 0b1110, 0b0100  # truth tables, read at bit 2a + b


@dataclass(frozen=True, eq=False)
class Masks:
    """N masks of one image, run-length encoded down the columns, first run background (the COCO order).

    Made by `encode`, `from_ids`, `from_runs`, `from_strings` or `inlay.core.polygons`; the constructor takes
    arrays that are already canonical: no empty run but possibly the first, each mask as long as the image.

    Parameters
    ----------
    counts
        (R,) uint32, the run lengths of all masks, one mask after another.
    offsets
        (N + 1,) int64; mask `i` owns `counts[offsets[i]:offsets[i + 1]]`.
    size
        (height, width) in pixels.

    Raises
    ------
    InlayError
        When the offsets do not rise from 0 to the end, or a mask is longer or shorter than the image.
    """

    counts: NDArray[np.uint32]
    offsets: NDArray[np.int64]
    size: tuple[int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", check_size(self.size))
        for name, dtype in (("counts", np.uint32), ("offsets", np.int64)):
            column = getattr(self, name)
            if type(column) is not np.ndarray or column.dtype != dtype or not column.flags.c_contiguous:
                object.__setattr__(self, name, np.ascontiguousarray(column, dtype))
        bad = kernels.uncovered(self.counts, self.offsets, self.size[0] * self.size[1])
        if bad == -2:
            raise InlayError(f"offsets of masks do not rise from 0 to their {self.counts.size} run lengths")
        if bad >= 0:
            self._refuse(self.counts, self.offsets, bad, self.size)

    @classmethod
    def _made(cls, runs: tuple[NDArray[np.uint32], NDArray[np.int64]], size: tuple[int, int]) -> Masks:
        """Masks of a kernel's run lengths, which are not looked at again."""
        masks = object.__new__(cls)
        masks.__dict__.update(counts=runs[0], offsets=runs[1], size=size)
        return masks

    @staticmethod
    def _refuse(
        counts: NDArray[np.uint32], offsets: NDArray[np.int64], row: int, size: tuple[int, int]
    ) -> NoReturn:
        total = int(counts[offsets[row] : offsets[row + 1]].sum(dtype=np.int64))
        pixels = size[0] * size[1]
        raise InlayError(
            f"run lengths of mask {row} cover {total} pixels; the image has {pixels} ({size[0]}x{size[1]})"
        )

    @classmethod
    def empty(cls, size: tuple[int, int], count: int = 0) -> Masks:
        """`count` masks without a pixel."""
        height, width = check_size(size)
        runs = np.full(count, height * width, np.uint32)
        return cls(runs, np.arange(count + 1, dtype=np.int64), size)

    @classmethod
    def encode(cls, stack: ArrayLike) -> Masks:
        """Masks of an (N, H, W) stack, or of one (H, W) array; nonzero is foreground.

        A stack that lies column-major in memory, as `decode` returns it, is read without being turned.
        """
        pixels = np.asarray(stack)
        if pixels.ndim == 2:
            pixels = pixels[None]
        if pixels.ndim != 3:
            raise InlayError(f"a mask stack has shape (N, H, W) or (H, W), not {pixels.shape}")
        if pixels.dtype.itemsize != 1 or pixels.dtype.kind not in "bui":
            pixels = pixels != 0
        height, width = check_size(pixels.shape[1:])
        columns = pixels.transpose(0, 2, 1)
        down = columns.flags.c_contiguous and not pixels.flags.c_contiguous
        source = columns if down else np.ascontiguousarray(pixels)
        return cls(*kernels.encode(source.view(np.uint8), down), (height, width))

    @classmethod
    def from_ids(cls, ids: NDArray[np.integer[Any]], count: int) -> Masks:
        """Masks of the values 0 .. count - 1 of an (H, W) id map, in one pass; others belong to nobody."""
        rows = id_map(ids, count)
        return cls(*kernels.split_ids(rows, count), (rows.shape[0], rows.shape[1]))

    @classmethod
    def from_runs(cls, runs: Sequence[ArrayLike], size: tuple[int, int]) -> Masks:
        """Masks of N lists of run lengths as other tools write them.

        Raises
        ------
        InlayError
            When the lengths of a mask are negative or do not sum to height x width.
        """
        height, width = check_size(size)
        arrays = []
        for i, run in enumerate(runs):
            array = whole_numbers(run)
            if array is None or (array.size and (array.min() < 0 or array.max() > height * width)):
                raise InlayError(
                    f"run lengths of mask {i} are not whole numbers of 0 .. {height * width} pixels"
                )
            arrays.append(array)
        offsets = np.zeros(len(arrays) + 1, np.int64)
        np.cumsum([array.size for array in arrays], out=offsets[1:])
        counts = np.concatenate([*arrays, np.empty(0, np.int64)]).astype(np.uint32)
        return cls._checked(counts, offsets, size)

    @classmethod
    def from_strings(cls, strings: Sequence[bytes | str], size: tuple[int, int]) -> Masks:
        """Masks of COCO's compressed run-length strings.

        Raises
        ------
        InlayError
            When a string is broken or does not cover height x width pixels.
        """
        texts = [text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text for text in strings]
        ends = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(text) for text in texts], out=ends[1:])
        bad, counts, offsets = kernels.from_strings(np.frombuffer(b"".join(texts), np.uint8), ends)
        if bad >= 0:
            raise InlayError(f"run-length string of mask {bad} is broken: {texts[bad][:40]!r}")
        return cls._checked(counts, offsets, size)

    @classmethod
    def _checked(cls, counts: NDArray[np.uint32], offsets: NDArray[np.int64], size: tuple[int, int]) -> Masks:
        height, width = check_size(size)
        bad, canonical, ends = kernels.canonical(counts, offsets, height * width)
        if bad >= 0:
            cls._refuse(counts, offsets, bad, (height, width))
        return cls(canonical, ends, (height, width))

    @classmethod
    def concat(cls, parts: Iterable[Masks]) -> Masks:
        """All masks of several `Masks` of one image size, in order."""
        several = list(parts)
        sizes = {part.size for part in several}
        if len(sizes) != 1:
            raise InlayError(f"masks to concatenate must share one image size, not {sorted(sizes)}")
        lengths = np.concatenate([np.diff(part.offsets) for part in several])
        offsets = np.zeros(lengths.size + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        return cls(np.concatenate([part.counts for part in several]), offsets, sizes.pop())

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: Index) -> Masks:
        """The masks at an int, a slice, a boolean or an integer array; always `Masks`."""
        places = range(len(self))
        if isinstance(index, (int, np.integer)):
            row = places[index]
            return self._view(row, row + 1)
        if isinstance(index, slice):
            chosen = places[index]
            if chosen.step == 1:
                return self._view(chosen.start, max(chosen.start, chosen.stop))
        rows = np.arange(len(self))[list(index) if isinstance(index, tuple) else index]
        if rows.size and rows[-1] - rows[0] == rows.size - 1 and bool((rows[1:] > rows[:-1]).all()):
            return self._view(int(rows[0]), int(rows[-1]) + 1)
        return Masks._made(kernels.take(self.counts, self.offsets, rows), self.size)

    def _view(self, start: int, stop: int) -> Masks:
        """Consecutive masks, without a copy of their run lengths."""
        ends = self.offsets[start : stop + 1]
        return Masks._made((self.counts[ends[0] : ends[-1]], ends - ends[0]), self.size)

    def __iter__(self) -> Iterator[Masks]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Masks({len(self)} of {self.size[0]}x{self.size[1]} px, {self.counts.size} runs)"

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return self.decode().astype(dtype or np.bool_, copy=False)

    def equals(self, other: Masks) -> bool:
        """Whether both hold the same masks in the same order."""
        return (
            self.size == other.size
            and np.array_equal(self.offsets, other.offsets)
            and np.array_equal(self.counts, other.counts)
        )

    def decode(self, *, out: NDArray[Any] | None = None) -> NDArray[np.bool_]:
        """(N, H, W) bool, column-major in memory: that of `out`, (N, W, H) bool or uint8, if given."""
        height, width = self.size
        if out is None:
            pixels = kernels.decode(self.counts, self.offsets, height, width)
        else:
            wanted = (len(self), width, height)
            if out.shape != wanted or out.itemsize != 1 or not out.flags.c_contiguous:
                raise InlayError(f"out is {wanted} contiguous bool or uint8, not {out.shape} {out.dtype}")
            pixels = out.view(np.uint8)
            kernels.decode_into(self.counts, self.offsets, height * width, pixels)
        return pixels.view(np.bool_).transpose(0, 2, 1)

    def crop(self, row: int, box: ArrayLike) -> NDArray[np.bool_]:
        """(y1 - y0, x1 - x0) bool: mask `row` inside `box` (x0, y0, x1, y1), which must lie in the image."""
        x0, y0, x1, y1 = (int(v) for v in np.asarray(box))
        if not (0 <= x0 <= x1 <= self.size[1] and 0 <= y0 <= y1 <= self.size[0]):
            raise InlayError(
                f"box {(x0, y0, x1, y1)} leaves the image of {self.size[0]}x{self.size[1]} pixels"
            )
        window = kernels.crop(self[row].counts, self.size[0], x0, y0, x1, y1)
        return window.view(np.bool_).T

    @cached_property
    def _areas(self) -> NDArray[np.int64]:
        return kernels.area(self.counts, self.offsets)

    @cached_property
    def _boxes(self) -> NDArray[np.int32]:
        return kernels.box(self.counts, self.offsets, self.size[0])

    def area(self) -> NDArray[np.int64]:
        """(N,) pixels of each mask."""
        return self._areas

    def box(self) -> NDArray[np.int32]:
        """(N, 4) smallest box (x0, y0, x1, y1), half-open; zeros for an empty mask."""
        return self._boxes

    def intersection(self, other: Masks) -> NDArray[np.int64]:
        """(N, M) pixels shared by each pair."""
        self._same_size(other)
        return kernels.intersection(
            self.counts, self.offsets, self._boxes, other.counts, other.offsets, other._boxes
        )

    def iou(self, other: Masks, crowd: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """(N, M) intersection over union; over the area of `self` where `crowd` (M,) says `other` is a crowd.

        Two empty masks have IoU 0, as in pycocotools.
        """
        shared = self.intersection(other).astype(np.float64)
        area = self._areas[:, None].astype(np.float64)
        union = area + other._areas[None] - shared
        if crowd is not None:
            union = np.where(crowd[None], area, union)
        return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)

    def _same_size(self, other: Masks) -> None:
        if self.size != other.size:
            raise InlayError(
                f"masks of images of {self.size} and {other.size} pixels (height, width) do not mix"
            )

    def _combine(self, other: Masks, operation: int) -> Masks:
        self._same_size(other)
        if len(self) != len(other) and 1 not in (len(self), len(other)):
            raise InlayError(f"{len(self)} masks do not pair with {len(other)}: give as many, or one")
        if 0 in (len(self), len(other)):
            return Masks.empty(self.size)
        runs = kernels.combine(self.counts, self.offsets, other.counts, other.offsets, operation)
        return Masks._made(runs, self.size)

    def __and__(self, other: Masks) -> Masks:
        return self._combine(other, AND)

    def __or__(self, other: Masks) -> Masks:
        return self._combine(other, OR)

    def __sub__(self, other: Masks) -> Masks:
        return self._combine(other, MINUS)

    def union(self) -> Masks:
        """One mask: every pixel that any of these covers."""
        return self._unite(np.array([0, len(self)]))

    def merge(self, row: ArrayLike, count: int) -> Masks:
        """`count` masks, each the union of the masks whose `row` (N,) is its place; the inverse of `parts`.

        Raises
        ------
        InlayError
            When `row` has not one value in 0 .. count - 1 for each mask.
        """
        rows = np.asarray(row, np.int64)
        if rows.shape != (len(self),) or (rows.size and not 0 <= rows.min() <= rows.max() < count):
            raise InlayError(f"merge wants for each of {len(self)} masks a row in 0 .. {count - 1}")
        ordered = bool((np.diff(rows) >= 0).all())
        masks = self if ordered else self[np.argsort(rows, kind="stable")]
        return masks._unite(np.searchsorted(rows if ordered else np.sort(rows), np.arange(count + 1)))

    def _unite(self, groups: NDArray[np.int64]) -> Masks:
        pixels = self.size[0] * self.size[1]
        return Masks._made(kernels.unite(self.counts, self.offsets, groups, pixels), self.size)

    def __invert__(self) -> Masks:
        pixels = self.size[0] * self.size[1]
        return Masks(np.array([0, pixels], np.uint32), np.array([0, 2]), self.size) - self if pixels else self

    def parts(self, connectivity: Connectivity = 8) -> tuple[Masks, NDArray[np.int32]]:
        """The connected parts of all masks, and (P,) the mask that each belongs to.

        Parameters
        ----------
        connectivity
            8 where pixels that share a corner hang together, 4 where they must share an edge.
        """
        counts, offsets, row = kernels.parts(self.counts, self.offsets, *self.size, connectivity == 8)
        return Masks._made((counts, offsets), self.size), row

    def holes(self, connectivity: Connectivity = 8) -> tuple[Masks, NDArray[np.int32]]:
        """The holes of all masks, and (P,) the mask that each belongs to.

        A hole is a connected part of the background that does not touch the image border. `connectivity` is
        that of the foreground; the background hangs together the other way (4 for 8, 8 for 4).
        """
        around, row = (~self).parts(4 if connectivity == 8 else 8)
        x0, y0, x1, y1 = around.box().T
        inside = (x0 > 0) & (y0 > 0) & (x1 < self.size[1]) & (y1 < self.size[0])
        return around[inside], row[inside]

    def fill_holes(self, connectivity: Connectivity = 8) -> Masks:
        """The same masks without holes."""
        holes, row = self.holes(connectivity)
        return Masks.concat([self, holes]).merge(np.concatenate([np.arange(len(self)), row]), len(self))

    def paint(self, values: ArrayLike, *, fill: int = 0) -> NDArray[np.int32]:
        """(H, W) map: the value of the last mask on each pixel, `fill` where there is none."""
        each = whole_numbers(values)
        if each is None or (each.size and not -(2**31) <= each.min() <= each.max() < 2**31):
            raise InlayError("paint wants whole numbers of 32 bits")
        if each.shape != (len(self),):
            raise InlayError(f"paint wants one value for each of {len(self)} masks, not shape {each.shape}")
        return kernels.paint(self.counts, self.offsets, each.astype(np.int32), fill, *self.size)

    def to_strings(self) -> list[bytes]:
        """COCO's compressed run-length string of each mask."""
        text, ends = kernels.to_strings(self.counts, self.offsets)
        joined = text.tobytes()
        return [joined[a:b] for a, b in zip(ends[:-1].tolist(), ends[1:].tolist())]

    def to_runs(self) -> list[list[int]]:
        """The run lengths of each mask as plain lists (COCO's uncompressed form)."""
        return [
            self.counts[a:b].tolist() for a, b in zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist())
        ]
