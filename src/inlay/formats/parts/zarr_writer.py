"""OME-Zarr 0.4 written: arrays of slices with their smaller copies, in a store of version 2."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.lattice import Lattice
from inlay.formats.parts.libraries import imported
from inlay.formats.parts.zarr_groups import UNIT_NAMES

_SMALLEST = 256  # pixels of the longer side that need no smaller copy


@dataclass(frozen=True)
class Pyramid:
    """A multiscale image; a level has every second row and column of the one before: no value is made up."""

    levels: tuple[Any, ...]

    def add(self, number: int, values: NDArray[Any]) -> None:
        """Write a slice, (H, W) or (C, H, W)."""
        for array in self.levels:
            index = (slice(None), number) if values.ndim == 3 else (number,)
            array[index] = values
            values = values[..., ::2, ::2]


@contextmanager
def new_group(path: Path) -> Iterator[Any]:
    """An empty group, in a folder that is made; nothing is written to it any more once the block has ended.

    When one of its files cannot be written, zarr says so at once and lets the others go on: they would come
    back into a folder that is being removed.
    """
    try:
        yield imported("zarr", "OME-Zarr").open_group(path, mode="w", zarr_format=2)
    except BaseException:
        imported("zarr.core.sync", "OME-Zarr").sync(_others())
        raise


async def _others() -> None:
    """Every other task of this event loop has ended, and so have those that they began."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.gather(*others, return_exceptions=True)


def held_by(lattice: Lattice | None) -> Lattice | None:
    """What scale and translation can say of a lattice; turned ones keep their distances alone."""
    if lattice is None:
        return None
    matrix = lattice.matrix
    sides = np.diag(matrix)[:3]
    plain = lattice.space == "own" and not np.any(matrix[:3, :3] - np.diag(sides)) and (sides > 0).all()
    if plain:
        return lattice
    down, right, depth = lattice.spacing
    return Lattice.of(np.diag([right, down, depth, 1.0]), "own", lattice.unit)


def new_pyramid(
    group: Any, name: str, shape: tuple[int, ...], dtype: str, lattice: Lattice | None
) -> Pyramid:
    """The arrays of an image of (z, y, x), or (c, z, y, x), and what the group says of them."""
    channels = shape[:-3]
    axes = [{"name": "c", "type": "channel"}] * len(channels)
    unit = UNIT_NAMES.get(lattice.unit) if lattice else None
    axes += [{"name": axis, "type": "space"} | ({"unit": unit} if unit else {}) for axis in "zyx"]
    held = held_by(lattice)
    matrix = np.eye(4) if held is None else held.matrix
    sides, start = np.diag(matrix)[2::-1].tolist(), matrix[2::-1, 3].tolist()
    levels: list[Any] = []
    datasets: list[dict[str, Any]] = []
    height, width = shape[-2:]
    times = 1
    while not levels or max(height, width) > _SMALLEST:
        if levels:
            height, width, times = -(-height // 2), -(-width // 2), times * 2
        own = (*shape[:-2], height, width)
        chunks = (*(1 for _ in shape[:-2]), min(height, 1024), min(width, 1024))
        separator = {"name": "v2", "separator": "/"}
        path = str(len(levels))
        levels.append(
            group.create_array(*(path,), shape=own, dtype=dtype, chunks=chunks, chunk_key_encoding=separator)
        )
        scale = [*(1.0 for _ in channels), sides[0], sides[1] * times, sides[2] * times]
        steps: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
        if any(start):
            steps.append({"type": "translation", "translation": [*(0.0 for _ in channels), *start]})
        datasets.append({"path": path, "coordinateTransformations": steps})
    about = {"version": "0.4", "name": name, "axes": axes, "datasets": datasets, "type": "nearest"}
    group.attrs["multiscales"] = [about]
    return Pyramid(tuple(levels))
