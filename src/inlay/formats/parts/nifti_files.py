"""NIfTI files: headers by nibabel, slices one at a time, packed or not."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import FormatError, reason
from inlay.core.images import MAX_PIXELS
from inlay.core.lattice import Lattice
from inlay.formats.parts.libraries import imported

_RATIO = 1032  # bytes that one byte of deflate can become, at most
_PACKED = 2  # files kept open packed: a label and its image
_RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
_ERRORS = (OSError, EOFError, zlib.error)
_LOCK = Lock()


@dataclass(frozen=True)
class NiftiFile:
    """What the header of a file says.

    Parameters
    ----------
    size
        (height, width): the second axis of the file runs down, the first to the right.
    slices, times
        Length of the third and of the fourth axis.
    dtype
        Of a value, with its byte order; "rgb" for three bytes of colour.
    offset
        Byte of the first value.
    slope, inter
        What values are multiplied with, and what is added then.
    window
        Values to show as black and as white, where the header says them.
    lattice
        Where the pixels lie; `None` where the header does not say it.
    has_affine
        Whether it says something, be it no place.
    """

    path: Path
    size: tuple[int, int]
    slices: int
    times: int
    dtype: str
    offset: int
    slope: float
    inter: float
    window: tuple[float, float] | None
    lattice: Lattice | None
    has_affine: bool

    @property
    def value(self) -> np.dtype[Any]:
        """Type of a value."""
        return _RGB if self.dtype == "rgb" else np.dtype(self.dtype)

    def read(self, number: int) -> NDArray[Any]:
        """(H, W) values as stored, or (H, W, 3) colours, of a slice; those of the next time follow the last.

        Raises
        ------
        FormatError
            When the file is broken or cut off there.
        """
        count = self.size[0] * self.size[1] * self.value.itemsize
        at = self.offset + number * count
        last = number + 1 == self.slices * self.times
        try:
            if not is_packed(self.path):
                with self.path.open("rb") as file:
                    file.seek(at)
                    data = file.read(count)
            else:
                about = self.path.stat()
                with _LOCK:
                    packed = _packed(self.path, (about.st_mtime_ns, about.st_size))
                    packed.seek(at)
                    data = packed.read(count)
                    if last:
                        packed.read(1)  # checks the sum over all
        except _ERRORS as error:
            _packed.cache_clear()
            raise FormatError(self.path, f"slice {number}", f"broken or cut off ({error})") from None
        if len(data) != count:
            raise FormatError(self.path, f"slice {number}", f"cut off: {len(data)} of {count} bytes")
        values = np.frombuffer(data, self.value).reshape(self.size)
        return values.view("u1").reshape(*self.size, 3) if self.dtype == "rgb" else values


class _Header(Protocol):
    """What is used of nibabel's headers."""

    def get_data_shape(self) -> tuple[int, ...]: ...
    def get_data_dtype(self) -> np.dtype[Any]: ...
    def get_best_affine(self) -> NDArray[np.float64]: ...
    def get_xyzt_units(self) -> tuple[str, str]: ...
    def __getitem__(self, name: str) -> Any: ...


def is_packed(path: Path) -> bool:
    """Whether a file is a gzip."""
    return path.suffix.lower() == ".gz"


@lru_cache(maxsize=_PACKED)
def _packed(path: Path, stamp: tuple[int, int]) -> gzip.GzipFile:  # noqa: ARG001 - a changed file is another
    """A packed file in memory: its slices in their order cost nothing twice, going back begins anew."""
    return gzip.GzipFile(fileobj=io.BytesIO(path.read_bytes()))


def open_nifti(path: Path) -> NiftiFile:
    """What the header says, after it has been held against the length of the file.

    Raises
    ------
    FormatError
        When it is no NIfTI, or promises what the file cannot hold.
    """
    library = imported("nibabel", "NIfTI")
    try:
        with gzip.open(path) if is_packed(path) else path.open("rb") as file:
            head = file.read(540)
    except _ERRORS as error:
        raise FormatError(path, "header", f"broken or cut off ({error})") from None
    kind, order = _kind_of(head, path)
    length = 348 if kind == 1 else 540
    try:
        with np.errstate(all="ignore"):
            make = library.Nifti1Header if kind == 1 else library.Nifti2Header
            header: _Header = make(head[:length], endianness=order, check=False)
            return _checked(header, path)
    except FormatError:
        raise
    except Exception as error:  # nibabel raises whatever it stumbles over
        raise FormatError(path, "header", f"cannot be read ({reason(error)})") from None


def _kind_of(head: bytes, path: Path) -> tuple[int, str]:
    """1 or 2, and the byte order."""
    sizes = {"<": int.from_bytes(head[:4], "little"), ">": int.from_bytes(head[:4], "big")}
    orders = sizes.items()
    found = next(((order, size) for order, size in orders if size in (348, 540)), None)
    if found is None or len(head) < found[1]:
        raise FormatError(path, "header", "no NIfTI header of 348 or 540 bytes")
    magic = head[344:348] if found[1] == 348 else head[4:8]
    if not magic.startswith((b"n+1", b"n+2")):
        pair = magic.startswith((b"ni1", b"ni2"))
        what = "a .hdr/.img pair, or Analyze: save it as one .nii file" if pair else f"magic {magic!r}"
        raise FormatError(path, "header", what)
    return (1 if found[1] == 348 else 2), found[0]


def _checked(header: _Header, path: Path) -> NiftiFile:
    shape = tuple(int(side) for side in header.get_data_shape())
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    if not 2 <= len(shape) <= 4 or min(shape) < 1:
        what = f"{len(shape)} axes {shape}: a volume has two, three, or time as a fourth"
        raise FormatError(path, "header.dim", what)
    width, height, slices, times = (*shape, 1, 1)[:4]
    if width * height > MAX_PIXELS:
        what = f"slices of {width}x{height} pixels are over the limit of {MAX_PIXELS}"
        raise FormatError(path, "header.dim", what)
    stored = header.get_data_dtype()
    rgb = stored.fields is not None
    if stored.itemsize != 3 if rgb else stored.kind not in "iuf" or stored.itemsize > 8:
        raise FormatError(path, "header.datatype", f"values of type {stored}: no labels, no image")
    offset = float(header["vox_offset"])
    if not math.isfinite(offset) or offset < 0:
        raise FormatError(path, "header.vox_offset", f"{offset} is no place in a file")
    needed = int(offset) + width * height * slices * times * stored.itemsize
    length = path.stat().st_size
    if needed > length * (_RATIO if is_packed(path) else 1):
        promise = f"{width}x{height}x{slices}x{times} values need {needed} bytes"
        raise FormatError(path, "header.dim", f"{promise}; the file has {length}: cut off, or no NIfTI")
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if not math.isfinite(slope) or slope == 0 or rgb:
        slope, inter = 1.0, 0.0
    low, high = float(header["cal_min"]), float(header["cal_max"])
    window = (low, high) if math.isfinite(high - low) and high > low else None
    lattice, has_affine = _lattice(header, slices)
    kind = "rgb" if rgb else stored.str
    inter = inter if math.isfinite(inter) else 0.0
    return NiftiFile(
        *(path, (height, width), slices, times, kind, int(offset), slope, inter, window),
        lattice=lattice,
        has_affine=has_affine,
    )


def _lattice(header: _Header, slices: int) -> tuple[Lattice | None, bool]:
    """The sform, else the qform, else the sizes of voxels; a flat image may leave its third axis out."""
    placed = int(header["sform_code"]) > 0 or int(header["qform_code"]) > 0
    sides = [float(side) for side in header["pixdim"][1:4]]
    matrix = header.get_best_affine() if placed else np.diag([*sides, 1.0])
    if not placed and sides == [1.0, 1.0, 1.0]:
        return None, False
    matrix = np.array(matrix, np.float64)
    if slices == 1 and not np.any(matrix[:3, 2]) and np.isfinite(matrix).all():
        across = np.cross(matrix[:3, 0], matrix[:3, 1])
        matrix[:3, 2] = across / max(float(np.linalg.norm(across)), 1e-300)
    try:
        word = header.get_xyzt_units()[0]
    except KeyError:
        word = "unknown"
    unit = {"meter": "m", "micron": "um"}.get(word, "mm")
    return Lattice.of(matrix, "ras" if placed else "own", unit), True


@contextmanager
def nifti_writer(
    path: Path, size: tuple[int, int], slices: int, dtype: str, lattice: Lattice | None
) -> Iterator[gzip.GzipFile]:
    """A packed file whose header is written; slices are to follow, rows down, as C arrays."""
    library = imported("nibabel", "NIfTI")
    shape = (size[1], size[0], slices)
    header = library.Nifti2Header() if max(shape) > 32767 else library.Nifti1Header()
    header.set_data_shape(shape)
    header.set_data_dtype(_RGB if dtype == "rgb" else np.dtype(dtype))
    header["vox_offset"] = offset = 544 if max(shape) > 32767 else 352
    header["scl_slope"], header["scl_inter"] = 1, 0
    if lattice is not None and lattice.unit != "px":
        unit = {"nm": "um", "cm": "mm"}.get(lattice.unit, lattice.unit)
        lattice = lattice.in_unit(unit)
        height, width, depth = lattice.spacing
        header.set_xyzt_units({"m": "meter", "um": "micron", "mm": "mm"}[unit], "sec")
        header.set_zooms((width, height, depth))
        if lattice.space == "ras":
            header.set_qform(lattice.matrix, 1)
            header.set_sform(lattice.matrix, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
        file.write(header.binaryblock.ljust(offset, b"\0"))
        yield file
