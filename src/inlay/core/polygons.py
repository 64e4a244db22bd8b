"""Polygons: rings with holes for N masks, filled and traced by either of the two families of rasterisers.

A polygon file has no meaning until one says who reads it. Under *pixel_edge* (pycocotools, rasterio, shapely)
a ring runs along the edges of pixels: pixel (0, 0) is the square from (0, 0) to (1, 1). Under *pixel_centre*
(OpenCV, and so Ultralytics and supervision) a point names a pixel by its column and row, and the ring belongs
to the mask. What is written for one and read by the other grows or shrinks by half a pixel all round.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inlay.core import kernels
from inlay.core.checks import check_offsets, check_size
from inlay.core.errors import InlayError
from inlay.core.masks import Masks

Rule = Literal["pixel_edge", "pixel_centre"]
MAX_COORDINATE = 1e9  # pixels; far outside any image, near enough for exact arithmetic


@dataclass(frozen=True, eq=False)
class Polygons:
    """The rings of N masks in flat arrays: ring `r` is `points[ring_offsets[r]:ring_offsets[r + 1]]`.

    A ring closes itself: its last point is not its first one again.

    Parameters
    ----------
    points
        (P, 2) float64 x, y in pixels.
    ring_offsets
        (R + 1,) int64 into `points`.
    mask_offsets
        (N + 1,) int64 into the rings.
    is_hole
        (R,) bool: a hole is cut out of the last ring before it that is none; the rest is united.

    Raises
    ------
    InlayError
        When offsets do not rise from 0 to the end, a coordinate is not finite or beyond `MAX_COORDINATE`, or
        a mask begins with a hole.
    """

    points: NDArray[np.float64]
    ring_offsets: NDArray[np.int64]
    mask_offsets: NDArray[np.int64]
    is_hole: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for name, dtype in (
            ("points", np.float64),
            ("ring_offsets", np.int64),
            ("mask_offsets", np.int64),
            ("is_hole", np.bool_),
        ):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype))
        if self.points.ndim != 2 or self.points.shape[1] != 2:
            raise InlayError(f"polygon points have shape (P, 2), not {self.points.shape}")
        check_offsets("ring_offsets", self.ring_offsets, len(self.points))
        check_offsets("mask_offsets", self.mask_offsets, len(self.ring_offsets) - 1)
        if self.is_hole.shape != (len(self.ring_offsets) - 1,):
            raise InlayError(
                f"is_hole has shape {self.is_hole.shape}; there are {len(self.ring_offsets) - 1} rings"
            )
        far = ~(np.abs(self.points) <= MAX_COORDINATE)
        if far.any():
            bad = int(np.flatnonzero(far.any(axis=1))[0])
            x, y = self.points[bad]
            raise InlayError(f"polygon point {bad} is ({x}, {y}): no place in an image")
        starts = self.mask_offsets[:-1][np.diff(self.mask_offsets) > 0]
        if self.is_hole[starts].any():
            bad = int(np.searchsorted(self.mask_offsets, starts[self.is_hole[starts]][0], side="right")) - 1
            raise InlayError(f"polygon {bad} begins with a hole: its outer ring comes first")

    def __len__(self) -> int:
        return len(self.mask_offsets) - 1

    def __repr__(self) -> str:
        return f"Polygons({len(self)} masks, {len(self.is_hole)} rings, {len(self.points)} points)"

    def __getitem__(self, row: int) -> list[list[NDArray[np.float64]]]:
        """The parts of mask `row`: for each, its outer ring and then its holes, each (K, 2)."""
        if not -len(self) <= row < len(self):
            raise IndexError(f"there is no polygon {row} among {len(self)}")
        row %= len(self)
        parts: list[list[NDArray[np.float64]]] = []
        for ring in range(int(self.mask_offsets[row]), int(self.mask_offsets[row + 1])):
            if not self.is_hole[ring]:
                parts.append([])
            parts[-1].append(self.points[self.ring_offsets[ring] : self.ring_offsets[ring + 1]])
        return parts

    def __iter__(self) -> Iterator[list[list[NDArray[np.float64]]]]:
        return (self[row] for row in range(len(self)))

    def replace_points(self, points: ArrayLike) -> Polygons:
        """The same rings with other points, one for each: moved, scaled or rounded."""
        return Polygons(np.asarray(points, np.float64), self.ring_offsets, self.mask_offsets, self.is_hole)


def from_parts(masks: Sequence[Sequence[ArrayLike]]) -> Polygons:
    """Polygons without holes: for each mask its parts, each a flat x, y, x, y, ... list (as in COCO) or (K,
    2).

    Raises
    ------
    InlayError
        When a part has an odd number of coordinates or one that is no number, naming mask and part.
    """
    return from_rings([[[part] for part in parts] for parts in masks])


def from_rings(masks: Sequence[Sequence[Sequence[ArrayLike]]]) -> Polygons:
    """Polygons with holes: for each mask its parts, each an outer ring and then its holes (see `from_parts`).

    Raises
    ------
    InlayError
        When a ring has an odd number of coordinates or one that is no number, naming mask and part.
    """
    rings = [ring for parts in masks for part in parts for ring in part]
    flat = _flatten(rings)
    if flat is None:
        for i, parts in enumerate(masks):
            for k, part in enumerate(parts):
                if _flatten(part) is None:
                    raise InlayError(
                        f"part {k} of polygon {i} is not an even number of coordinates x, y, ..."
                    )
        raise InlayError("polygons are not lists of coordinates")
    points, ring_offsets = flat
    counts = [sum(len(part) for part in parts) for parts in masks]
    is_hole = [bool(k) for parts in masks for part in parts for k in range(len(part))]
    return Polygons(points, ring_offsets, np.cumsum([0, *counts]), np.array(is_hole, np.bool_))


def _flatten(rings: Sequence[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64]] | None:
    """Points and offsets of rings; None where they are no pairs of numbers."""
    try:
        if all(
            isinstance(ring, list) and not (ring and isinstance(ring[0], (list, tuple))) for ring in rings
        ):
            lengths = [len(ring) for ring in rings]
            flat = np.array(list(chain.from_iterable(rings)), np.float64)
        else:
            arrays = [np.asarray(ring, np.float64).reshape(-1) for ring in rings]
            lengths = [array.size for array in arrays]
            flat = np.concatenate([*arrays, np.empty(0)])
    except (TypeError, ValueError):
        return None
    if any(length % 2 for length in lengths):
        return None
    return flat.reshape(-1, 2), np.cumsum([0, *lengths]) // 2


def fill(polygons: Polygons, size: tuple[int, int], *, rule: Rule = "pixel_edge") -> Masks:
    """(N) masks of `size` (height, width) that the polygons cover, as the readers of `rule` see them.

    "pixel_edge" equals `pycocotools.mask.frPyObjects` for each ring, "pixel_centre" equals `cv2.fillPoly`
    (OpenCV from 4.11) for each outer ring together with its holes, bit for bit.

    Raises
    ------
    InlayError
        When `rule` is "pixel_centre" and a point is not an integer: whether to round or to cut is up to the
        reader.
    """
    height, width = check_size(size)
    arrays = (polygons.points, polygons.ring_offsets, polygons.mask_offsets, polygons.is_hole.view(np.uint8))
    if rule == "pixel_edge":
        return Masks(*kernels.fill_edge(*arrays, height, width), (height, width))
    fraction = (polygons.points != np.rint(polygons.points)).any(axis=1)
    if fraction.any():
        x, y = polygons.points[int(np.flatnonzero(fraction)[0])]
        raise InlayError(
            f"pixel_centre polygons have integer points, not ({x}, {y}): round them as the reader does"
        )
    return Masks(*kernels.fill_centre(*arrays, height, width), (height, width))


def trace(masks: Masks, *, rule: Rule = "pixel_edge") -> Polygons:
    """Rings with holes for each mask, which `fill` by the same rule turns into exactly the same mask.

    "pixel_edge": along the edges of pixels, integer corners, area-exact; parts share no pixel edge, and no
    ring touches itself, so that they are valid polygons elsewhere. "pixel_centre": through the centres of
    border pixels, each at least three points long (a pixel or a line repeats one).
    """
    points, ring_offsets, mask_offsets, is_hole = kernels.trace(
        masks.counts, masks.offsets, masks.size[0], rule == "pixel_centre"
    )
    return Polygons(points, ring_offsets, mask_offsets, is_hole.view(np.bool_))
