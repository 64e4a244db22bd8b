"""Where in space the slices of a volume lie: an affine from pixel and slice numbers to millimetres.

A sample is one slice: its `group` is the volume, its `frame` the number of the slice. The affine of the
volume stands as one word in `Segmentation.image_tags` of each slice, so that every format that keeps image
tags keeps it: "lattice: ras mm " and twelve numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inlay.core.errors import InlayError

Space = Literal["ras", "own"]
UNITS = {"nm": 1e-6, "um": 1e-3, "mm": 1.0, "cm": 10.0, "m": 1e3, "px": 0.0}  # in mm; a pixel has no length
_TAG = "lattice: "
_FORM = re.compile(rf"lattice: (ras|own) ({'|'.join(UNITS)})((?: [-+0-9.e]+){{12}})")
_NEAR = 1e-5  # of a voxel: what 32-bit floats and decimal strings of headers leave


@dataclass(frozen=True)
class Lattice:
    """The place of each pixel centre of a volume.

    Parameters
    ----------
    affine
        Three rows of four: (x, y, slice, 1), the centre of the first pixel being (0, 0, 0), to a place.
    space
        "ras": towards the right, the front and the head of a patient (DICOM's, LPS, turned by its first two
        signs); "own": axes of the volume itself.
    unit
        Of the places; "px" where nobody says.

    Raises
    ------
    InlayError
        When the affine is not finite, maps the volume to a plane, or the unit is none.
    """

    affine: tuple[tuple[float, float, float, float], ...]
    space: Space = "ras"
    unit: str = "mm"

    def __post_init__(self) -> None:
        matrix = np.array(self.affine, np.float64)
        sides = self._sides(matrix) if matrix.shape == (3, 4) else np.zeros(1)
        with np.errstate(all="ignore"):
            volume = abs(np.linalg.det(matrix[:, :3] / sides)) if np.isfinite(matrix).all() else 0.0
        if not (sides > 0).all() or not volume > 1e-6:
            raise InlayError(f"the affine {self.affine} does not map a volume to places")
        if self.unit not in UNITS or self.space not in ("ras", "own"):
            raise InlayError(f"a lattice is in one of {', '.join(UNITS)}, not in {self.unit!r}")

    @staticmethod
    def _sides(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.linalg.norm(matrix[:, :3], axis=0))

    @classmethod
    def of(cls, matrix: ArrayLike, space: Space = "ras", unit: str = "mm") -> Lattice | None:
        """The lattice of a (3, 4) or (4, 4) affine; `None` where it maps no volume to places."""
        rows = np.asarray(matrix, np.float64)[:3].tolist()
        try:
            return cls(tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in rows), space, unit)
        except (InlayError, ValueError):
            return None

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(4, 4) affine."""
        return np.array([*self.affine, (0.0, 0.0, 0.0, 1.0)])

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance of neighbouring rows, columns and slices, in `unit`."""
        x, y, z = self._sides(self.matrix[:3]).tolist()
        return y, x, z

    def in_unit(self, unit: str) -> Lattice:
        """The same places in another unit of length; pixels stay as they are, as nobody knows their size."""
        if not UNITS[self.unit] or not UNITS[unit]:
            return self
        matrix = self.matrix[:3] * (UNITS[self.unit] / UNITS[unit])
        return Lattice.of(matrix, self.space, unit) or self

    def at_slice(self, number: int) -> Lattice:
        """The same places counted from another slice."""
        matrix = self.matrix
        matrix[:3, 3] += number * matrix[:3, 2]
        return Lattice.of(matrix, self.space, self.unit) or self

    def is_near(self, other: Lattice | None, *, within: float = _NEAR, length: int = 1000) -> bool:
        """Whether both put the corners of a volume of a length at one place, up to a share of that length."""
        if other is None or (self.space, self.unit) != (other.space, other.unit):
            return False
        off = np.abs(self.matrix - other.matrix)[:3] @ np.array([length, length, length, 1.0])
        return bool((off < length * within * max(self.spacing)).all())

    def tag(self) -> str:
        """The word that says it."""
        numbers = " ".join(f"{value + 0.0!r}" for row in self.affine for value in row)
        return f"{_TAG}{self.space} {self.unit} {numbers}"


def lattice_of(image_tags: Iterable[str]) -> Lattice | None:
    """The lattice that stands in image tags; `None` where none does, or what stands there is broken."""
    for tag in image_tags:
        found = _FORM.fullmatch(tag)
        if found:
            try:
                numbers = [float(word) for word in found[3].split()]
            except ValueError:
                return None
            return Lattice.of(np.reshape(numbers, (3, 4)), "ras" if found[1] == "ras" else "own", found[2])
    return None


def is_lattice(tag: str) -> bool:
    """Whether a tag says a lattice."""
    return tag.startswith(_TAG)
