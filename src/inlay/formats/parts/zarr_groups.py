"""OME-Zarr groups of a folder: images, their label images, axes and scales; stores of version 2 and 3."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import FormatError
from inlay.core.images import MAX_PIXELS
from inlay.core.lattice import Lattice
from inlay.formats.parts.class_lists import read_json
from inlay.formats.parts.libraries import imported, library_errors

_DEPTH = 5  # folders down to an image: plates have rows, columns and fields
_AXES = ("t", "c", "z", "y", "x")
_CHUNK = 1 << 29  # bytes of a chunk
_UNITS = {"nanometer": "nm", "micrometer": "um", "millimeter": "mm", "centimeter": "cm", "meter": "m"}
UNIT_NAMES = {short: name for name, short in _UNITS.items()}


@dataclass(frozen=True)
class ZarrImage:
    """The full resolution of an image or a label image.

    Parameters
    ----------
    path
        Folder of the array.
    size
        (height, width).
    times, channels, slices
        Lengths of the axes that are there, else 1.
    axes
        Their names, in the order of the array.
    dtype
        Of a value.
    lattice
        Scale and translation of z, y, x; `None` where they say nothing.
    about
        `image-label`: colours and properties of values.
    """

    path: Path
    size: tuple[int, int]
    times: int
    channels: int
    slices: int
    axes: str
    dtype: str
    lattice: Lattice | None
    about: Mapping[str, Any]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(times, slices, height, width): what an image and its labels share."""
        return (self.times, self.slices, *self.size)

    def read(self, number: int) -> NDArray[Any]:
        """(C, H, W) values of a slice; those of the next time follow the last.

        Raises
        ------
        FormatError
            When a chunk of it is broken.
        """
        at = {"t": number // self.slices, "z": number % self.slices, "c": slice(None)}
        index = tuple(at.get(axis, slice(None)) for axis in self.axes)
        with library_errors(self.path, f"slice {number}", "Zarr array"):
            array = imported("zarr", "OME-Zarr").open_array(self.path, mode="r")
            _check_blosc(self.path, array, index)
            return np.asarray(array[index]).reshape(self.channels, *self.size)


def _check_blosc(path: Path, array: Any, index: tuple[Any, ...]) -> None:
    """Hold the heads of Blosc chunks against their files: the library reads past the end of those cut off."""
    if not any("Blosc" in type(codec).__name__ for codec in array.compressors) or array.shards is not None:
        return
    ranges = [
        range(-(-side // chunk)) if isinstance(at, slice) else [at // chunk]
        for at, side, chunk in zip(index, array.shape, array.chunks)
    ]
    for place in product(*ranges):
        file = path / array.metadata.encode_chunk_key(place)
        if not file.is_file():
            continue
        with file.open("rb") as chunk:
            head = chunk.read(16)
        unpacked, packed = (int.from_bytes(head[at : at + 4], "little") for at in (4, 12))
        if len(head) < 16 or packed != file.stat().st_size or unpacked > _CHUNK:
            what = f"{file.stat().st_size} bytes of {packed}, for {unpacked}: broken or cut off"
            raise FormatError(file, "chunk", what)


@dataclass(frozen=True)
class ZarrVolume:
    """An image group: its image, where there is one, and its label images by their names."""

    path: Path
    image: ZarrImage | None
    labels: Mapping[str, ZarrImage]


def attributes(folder: Path) -> dict[str, Any]:
    """What a group says of itself: `.zattrs`, or `zarr.json`, where OME has a key of its own.

    Raises
    ------
    FormatError
        When the file is broken.
    """
    if (folder / "zarr.json").is_file():
        data = read_json(folder / "zarr.json")
        found = data.get("attributes") if isinstance(data, dict) else None
        found = found.get("ome", found) if isinstance(found, dict) else None
    elif (folder / ".zattrs").is_file():
        found = read_json(folder / ".zattrs")
    else:
        found = None
    return found if isinstance(found, dict) else {}


def is_group(folder: Path) -> bool:
    """Whether a folder is an image group, or one of label images alone; never raises."""
    try:
        own = attributes(folder)
        return bool(own.get("multiscales")) or bool(attributes(folder / "labels").get("labels"))
    except FormatError:
        return False


def groups(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """The image groups below a folder, or itself; what lies inside of one is not looked at."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    names = {entry.name for entry in entries}
    if names & {".zattrs", ".zgroup", "zarr.json"} and is_group(folder):
        yield folder
    elif depth and ".zarray" not in names:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                yield from groups(Path(entry.path), depth - 1)


def open_volume(folder: Path) -> ZarrVolume:
    """The image and the label images of a group.

    Raises
    ------
    FormatError
        When a label image lies outside of the group, or has another size than the image.
    """
    own = attributes(folder)
    if "image-label" in own:  # the label image itself was named
        return ZarrVolume(folder, None, {_name(folder): _image(folder, own, label=True)})
    image = _image(folder, own, label=False) if own.get("multiscales") else None
    listed = attributes(folder / "labels").get("labels", [])
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise FormatError(folder / "labels", "labels", f"{listed!r} is no list of names")
    labels = {}
    for name in listed:
        place = _inside(folder / "labels", name)
        labels[name] = found = _image(place, attributes(place), label=True)
        first = image or next(iter(labels.values()))
        if found.shape != first.shape:
            what = f"(times, slices, height, width) is {found.shape}, that of its image {first.shape}"
            raise FormatError(found.path, "shape", what)
    return ZarrVolume(folder, image, labels)


def _name(folder: Path) -> str:
    return re.sub(r"(\.ome)?\.zarr$", "", folder.name)


def _inside(folder: Path, name: str) -> Path:
    """A path that a file names below a folder."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or "\0" in name:
        raise FormatError(folder, "path", f"{name!r} leads out of the group: such files are not read")
    return folder.joinpath(*parts)


def _image(folder: Path, own: Mapping[str, Any], *, label: bool) -> ZarrImage:
    several = own.get("multiscales")
    first = several[0] if isinstance(several, list) and several else None
    datasets = first.get("datasets") if isinstance(first, dict) else None
    level = datasets[0] if isinstance(datasets, list) and datasets else None
    if not isinstance(first, dict) or not isinstance(level, dict) or not isinstance(level.get("path"), str):
        raise FormatError(folder, "multiscales[0].datasets[0].path", "missing: no resolution is named")
    path = _inside(folder, level["path"])
    with library_errors(path, "", "Zarr array"):
        array = imported("zarr", "OME-Zarr").open_array(path, mode="r")
        shape, chunks = tuple(map(int, array.shape)), tuple(map(int, array.chunks))
        dtype = np.dtype(array.dtype)
    kinds = "iu" if label else "iufb"
    if dtype.kind not in kinds or dtype.itemsize > 8:
        what = f"values of type {dtype}: labels are whole numbers" if label else f"values of type {dtype}"
        raise FormatError(path, "dtype", what)
    axes = _axes(folder, first.get("axes"), len(shape))
    side = dict(zip(axes, shape))
    if min(shape) < 1 or side["y"] * side["x"] > MAX_PIXELS:
        raise FormatError(path, "shape", f"{shape}: slices of none, or over {MAX_PIXELS} pixels")
    if math.prod(chunks) * dtype.itemsize > _CHUNK:
        raise FormatError(path, "chunks", f"{chunks} are over {_CHUNK} bytes: save it in smaller ones")
    channels = side.get("c", 1)
    if label and channels > 1:
        raise FormatError(path, "shape", f"{channels} channels: label images have one")
    if channels * side["y"] * side["x"] > MAX_PIXELS:
        raise FormatError(path, "shape", f"{shape}: slices over {MAX_PIXELS} values")
    about = own.get("image-label")
    lattice = _lattice(folder, first, level, axes)
    counts = (side.get("t", 1), channels, side.get("z", 1))
    size, said = (side["y"], side["x"]), about if isinstance(about, dict) else {}
    return ZarrImage(path, size, *counts, axes, dtype.str, lattice, said)


def _axes(folder: Path, listed: Any, count: int) -> str:
    """The letters of the axes; five, as before 0.3, where they are not said."""
    if listed is None and count == len(_AXES):
        return "".join(_AXES)
    several = listed if isinstance(listed, list) else []
    names = [each.get("name") if isinstance(each, dict) else each for each in several]
    known = all(isinstance(name, str) and name in _AXES for name in names)
    if not known or len(set(names)) != len(names) or len(names) != count or names[-2:] != ["y", "x"]:
        what = f"{names} for an array of {count} axes; there are t, c, z, then y and x"
        raise FormatError(folder, "multiscales[0].axes", what)
    return "".join(map(str, names))


def _lattice(folder: Path, first: Mapping[str, Any], level: Mapping[str, Any], axes: str) -> Lattice | None:
    """Where the pixels lie: the scale and translation of the level, then those of all levels."""
    scale, moved = np.ones(len(axes)), np.zeros(len(axes))
    for owner in (level, first):
        steps = owner.get("coordinateTransformations", ())
        for step in steps if isinstance(steps, list) else ():
            kind = step.get("type") if isinstance(step, dict) else None
            if kind not in ("scale", "translation"):
                continue
            try:
                values = np.array(step.get(kind), np.float64)
            except (TypeError, ValueError):
                values = np.empty(0)
            if values.shape != scale.shape:
                what = f"{step.get(kind)!r} is no {kind} of {len(axes)} axes"
                raise FormatError(folder, "coordinateTransformations", what)
            with np.errstate(all="ignore"):
                scale, moved = (
                    (scale * values, moved * values) if kind == "scale" else (scale, moved + values)
                )
    listed = first.get("axes") if isinstance(first.get("axes"), list) else []
    said = {str(each.get("name")): each.get("unit") for each in listed or () if isinstance(each, dict)}
    units = {_UNITS.get(str(said.get(axis)), "px") for axis in "zyx" if axis in axes}
    place = {axis: (float(scale[i]), float(moved[i])) for i, axis in enumerate(axes)}
    sides = [place.get(axis, (1.0, 0.0)) for axis in "xyz"]
    unit = units.pop() if len(units) == 1 else "px"
    if unit == "px" and sides == [(1.0, 0.0)] * 3:
        return None
    matrix = np.diag([*(side for side, _ in sides), 1.0])
    matrix[:3, 3] = [start for _, start in sides]
    return Lattice.of(matrix, "own", unit)
