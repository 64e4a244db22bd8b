"""Sizes that files state themselves: areas and volumes from the lattice of medical and microscope images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError
from inlay.core.lattice import UNITS, Lattice, lattice_of
from inlay.measure.areas import class_map
from inlay.measure.calibration import Calibration

if TYPE_CHECKING:
    from inlay.core.dataset import Dataset, Sample

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StatedSizes:
    """Sums over all images, in the unit of the first one.

    Parameters
    ----------
    areas
        (C + 1,) area of each class over all slices; the last of no class.
    volumes
        (C + 1,) volume; `None` where samples are no slices, or slices are missing between others.
    unit
        Of length.
    """

    areas: Floats
    volumes: Floats | None
    unit: str


def stated_lattice(sample: Sample, *, unit: str | None = None) -> Lattice:
    """Where the pixels of a sample lie, as its files state it, in a unit of length.

    Raises
    ------
    InlayError
        When they state nothing, or a lattice without a unit of length.
    """
    lattice = lattice_of(sample.label().image_tags)
    if lattice is None or not UNITS[lattice.unit]:
        what = "no spacing" if lattice is None else "a spacing without a unit of length"
        raise InlayError(
            f"sample {sample.name!r} states {what}: give the size of a pixel, as --pixel 0.5mm, or read the "
            "data from a format that keeps it (NIfTI, DICOM, OME-Zarr)"
        )
    return lattice.in_unit(unit or lattice.unit)


def stated_calibration(sample: Sample, *, unit: str | None = None) -> Calibration:
    """Size of a pixel as the files of a sample state it.

    Raises
    ------
    InlayError
        When they do not.
    """
    lattice = stated_lattice(sample, unit=unit)
    height, width, _ = lattice.spacing
    return Calibration(height, width, lattice.unit)


def stated_sizes(dataset: Dataset, *, names: Sequence[str]) -> StatedSizes:
    """Area and volume of each class by the spacing that each image states. Front segments count.

    Raises
    ------
    InlayError
        When an image states none.
    """
    areas, volumes, unit = np.zeros(len(names) + 1), np.zeros(len(names) + 1), None
    slices: dict[str, list[int]] = {}
    whole = True
    for sample in dataset:
        lattice = stated_lattice(sample, unit=unit)
        unit = lattice.unit
        pixels = np.bincount(class_map(sample.label(), names).ravel(), minlength=len(names) + 1)
        across, down, through = lattice.matrix[:3, :3].T
        face = np.cross(across, down)
        areas += pixels * float(np.linalg.norm(face))
        volumes += pixels * float(abs(face @ through))
        whole = whole and sample.frame is not None
        slices.setdefault(sample.group, []).append(sample.frame or 0)
    whole = whole and all(max(each) - min(each) + 1 == len(set(each)) for each in slices.values())
    return StatedSizes(areas, volumes if whole else None, unit or "px")
