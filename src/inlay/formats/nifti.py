"""NIfTI: `.nii` or `.nii.gz` label volumes, and image volumes beside them (needs `inlay[volumes]`).

A sample is a slice along the third axis, as it is stored: nothing is turned or resampled. The affine (sform,
else qform) stands in its image tags (`inlay.core.lattice`). Values are classes as `dataset.json` of nnU-Net,
`classes.json` or another class list says; without one each value is a class "label N", for which all values
are read once. 0 is nobody. Values that are no whole numbers after `scl_slope` are an error. Folders are
`labels` or `masks` with `images`, `labelsTr` with `imagesTr` (train), `labelsTs` with `imagesTs` (test), or
files called `..._seg`, `..._label`, `..._mask` beside their images.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import SUFFIXES
from inlay.core.lattice import Lattice
from inlay.core.segmentation import Segmentation
from inlay.formats.parts.class_lists import find_class_list, kind_of, read_json
from inlay.formats.parts.extras import KEPT, Extras, ExtraWriter, is_written_as, read_extras
from inlay.formats.parts.nifti_files import NiftiFile, nifti_writer, open_nifti
from inlay.formats.parts.object_numbers import ObjectNumbers, from_numbers
from inlay.formats.parts.places import place, store_image
from inlay.formats.parts.volumes import (
    SliceLoader,
    Volume,
    as_pixels,
    bare,
    class_numbers,
    count_slices,
    slice_key,
    volumes_of,
    whole_values,
)

KEEPS = KEPT | {"masks", "class_id", "instances", "instance_id", "track", "holes", "parts"}
LIBRARY = "nibabel"  # of the extra "volumes"
MOST = 2**31 - 1
_ENDINGS = (".nii.gz", ".nii")
_LAYOUTS = (
    ("labels", "images", ""),
    ("labelsTr", "imagesTr", "train"),
    ("labelsTs", "imagesTs", "test"),
    ("masks", "images", ""),
)
_LABEL = re.compile(r"[-_.](seg|dseg|segmentation|labels?|mask)$", re.IGNORECASE)
_CHANNEL = re.compile(r"_(\d{4})$")  # nnU-Net: the channels of an image are files
_MANY = 256  # classes without a name; more values are instances


def sniff(path: Path) -> bool:
    """Whether it is a NIfTI file, or a folder with some."""
    if path.is_file():
        return path.name.lower().endswith(_ENDINGS) and path.stat().st_size > 0
    if not path.is_dir():
        return False
    return any(next(path.rglob(f"*{end}"), None) for end in _ENDINGS) or is_written_as(path, "nifti")


@dataclass
class _Found:
    """Files by the names of their volumes."""

    labels: dict[str, Path] = field(default_factory=dict)
    images: dict[str, Path] = field(default_factory=dict)
    pictures: dict[str, Path] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)


def read(path: Path, *, like: Dataset | None = None) -> Dataset:
    """The slices of a file, or of all volumes of a folder; those without a label volume are unlabelled."""
    if not sniff(path):
        raise FormatError(path, "", "no .nii or .nii.gz file")
    root = path.parent if path.is_file() else path
    found = _Found({_stem(path): path}) if path.is_file() else _find(path)
    extras = Extras() if path.is_file() else read_extras(root)
    labels = {name: open_nifti(file) for name, file in found.labels.items()}
    images = {name: open_nifti(file) for name, file in found.images.items()}
    for name in labels.keys() & images.keys():
        _refuse_apart(labels[name], images[name])
    volumes = {**images, **labels}
    count_slices(root, [volume.slices * volume.times for volume in volumes.values()])
    classes, names = _classes(root, labels, extras, like)
    slices: dict[str, tuple[str, int, int, Lattice | None]] = {}
    where: dict[str, tuple[str, int]] = {}
    for name in sorted({*volumes, *found.pictures}):
        volume = volumes.get(name)
        for time in range(volume.times if volume else 1):
            group = name if volume is None or volume.times == 1 else f"{name}/t{time:06d}"
            count = volume.slices if volume else 1
            for number in range(count):
                key = slice_key(group, number, count)
                lattice = volume.lattice if volume else None
                slices.setdefault(key, (group, number, count, lattice))
                where.setdefault(key, (name, time * count + number))
    splits = {key: found.splits[name] for key, (name, _) in where.items() if name in found.splits}
    load = _Slices(labels, images, found.pictures, where, classes, names, extras)
    left_out = found.left_out
    left_out["affines"] = sum(item.has_affine and item.lattice is None for item in volumes.values())
    left_out["image depth"] = sum(image.dtype not in ("|u1", "rgb") for image in images.values())
    loader = SliceLoader(slices, load.label, load.image, extras, splits)
    return extras.dataset(
        list(slices), classes, loader, root, splits=splits, left_out={k: n for k, n in left_out.items() if n}
    )


def _stem(file: Path, folder: Path | None = None) -> str:
    name = file.name if folder is None else file.relative_to(folder).as_posix()
    end = next((end for end in _ENDINGS if name.lower().endswith(end)), file.suffix)
    return name[: len(name) - len(end)]


def _volumes(folder: Path) -> dict[str, Path]:
    files = sorted(file for file in folder.rglob("*") if file.name.lower().endswith(_ENDINGS))
    return {_stem(file, folder): file for file in files if not file.name.startswith(".")}


def _find(path: Path) -> _Found:
    found = _Found()
    for of_labels, of_images, split in _LAYOUTS:
        if not (path / of_labels).is_dir() and not (split and (path / of_images).is_dir()):
            continue
        labels = _volumes(path / of_labels)
        images, channels = _first_channels(_volumes(path / of_images), labels)
        found.labels.update(labels)
        found.images.update(images)
        found.left_out["image channels"] += channels
        found.splits.update(dict.fromkeys({**labels, **images}, split) if split else {})
    if not found.labels and not found.images and not is_written_as(path, "nifti"):
        every = _volumes(path)
        found.labels = {_LABEL.sub("", name): file for name, file in every.items() if _LABEL.search(name)}
        found.images = {name: file for name, file in every.items() if not _LABEL.search(name)}
        if not found.labels:
            found.labels, found.images = found.images, {}
    if not found.images and (path / "images").is_dir():
        found.images = _volumes(path / "images")
    folder = path / "images"
    pictures = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    found.pictures = {file.relative_to(folder).with_suffix("").as_posix(): file for file in pictures}
    return found


def _first_channels(images: dict[str, Path], labels: Mapping[str, Path]) -> tuple[dict[str, Path], int]:
    """The first channel of each image, and how many are left out."""
    found: dict[str, Path] = {}
    for name, file in images.items():
        whole = name if name in labels else _CHANNEL.sub("", name)
        found.setdefault(whole, file)
    return found, len(images) - len(found)


def _refuse_apart(label: NiftiFile, image: NiftiFile) -> None:
    mine, theirs = (*label.size, label.slices, label.times), (*image.size, image.slices, image.times)
    if mine != theirs:
        what = f"(height, width, slices, times) is {mine}, that of its image {theirs}: {image.path.name}"
        raise FormatError(label.path, "header.dim", what)
    one, other = label.lattice, image.lattice
    placed = one is not None and other is not None and one.space == other.space == "ras"
    if placed and one is not None and not one.is_near(other, within=0.5 / max(mine), length=max(mine)):
        what = f"lies elsewhere than its image, {image.path.name}: resample one, or read it alone"
        raise FormatError(label.path, "header, affine", what)


def _classes(
    root: Path, labels: Mapping[str, NiftiFile], extras: Extras, like: Dataset | None
) -> tuple[Classes, dict[int, str] | None]:
    """The classes, and the name of each value; no names where the values are instances of one class."""
    own = extras.classes_with(Classes(()))
    listed = find_class_list(root)
    if (root / "dataset.json").is_file():
        numbers = _numbers(root / "dataset.json")
    elif listed is not None:
        if listed.instances:
            return own.merge(listed.classes), None
        numbers = dict(zip(listed.values, listed.classes.names))
        own = own.merge(listed.classes)
    elif len(own) or not labels:
        numbers = {}
    elif like is not None and len(like.classes):
        return like.classes, dict(zip(class_numbers(like.classes), like.classes.names))
    else:
        numbers = {value: f"label {value}" for value in _values(root, labels)}
    rows = tuple(
        SegmentClass(name, kind_of(name, "stuff"), source_id=value) for value, name in numbers.items()
    )
    try:
        return own.merge(Classes(rows)), numbers
    except InlayError as error:
        raise FormatError(root, "class list", str(error)) from None


def _numbers(path: Path) -> dict[int, str]:
    """Class names by value of nnU-Net's `dataset.json`: {"liver": 1}, or {"1": "liver"} as before."""
    data = read_json(path)
    entries = data.get("labels") if isinstance(data, dict) else None
    if not isinstance(entries, dict):
        raise FormatError(path, "labels", 'expected {"background": 0, "liver": 1}')
    found: dict[int, str] = {}
    for key, value in entries.items():
        turned = isinstance(value, str) and key.isdecimal()
        number, name = (key, value) if turned else (value, key)
        plain = isinstance(number, int | str) and not isinstance(number, bool) and str(number).isdecimal()
        if not plain or len(str(number)) > 9:
            what = f"{key!r}: {value!r} is no class with one number; regions of several are not read"
            raise FormatError(path, "labels", what)
        if int(number) in found:
            raise FormatError(path, "labels", f"{found[int(number)]!r} and {name!r} have number {number}")
        found[int(number)] = name
    if found.get(0, "").lower() == "background":
        del found[0]
    return found


def _values(root: Path, labels: Mapping[str, NiftiFile]) -> list[int]:
    """All values but 0 of volumes without a class list, one slice in memory at a time."""
    seen: set[int] = set()
    for volume in labels.values():
        for number in range(volume.slices * volume.times):
            seen.update(np.unique(_whole(volume, number)).tolist())
            if len(seen) > _MANY:
                way = f'write {root / "classes.json"} with {{"labels": "instance"}}, or with the classes'
                what = f"over {_MANY} values and no class list: instances? If so, {way}"
                raise FormatError(volume.path, f"slice {number}", what)
    return sorted(seen - {0})


def _whole(volume: NiftiFile, number: int) -> NDArray[np.int32]:
    if volume.dtype == "rgb":
        raise FormatError(volume.path, "header.datatype", "colours: label volumes hold numbers")
    raw = volume.read(number)
    where = f"slice {number}"
    return whole_values(raw, volume.path, where, slope=volume.slope, inter=volume.inter)


@dataclass(frozen=True, eq=False)
class _Slices:
    """Labels and images of slices by key."""

    labels: Mapping[str, NiftiFile]
    images: Mapping[str, NiftiFile]
    pictures: Mapping[str, Path]
    where: Mapping[str, tuple[str, int]]
    classes: Classes
    names: Mapping[int, str] | None
    extras: Extras

    def label(self, key: str) -> Segmentation | None:
        """The segments of a slice; `None` where it has no label volume."""
        name, number = self.where[key]
        volume = self.labels.get(name)
        if volume is None:
            return None
        values = _whole(volume, number)
        objects = self.extras.objects.get(name)
        unknown: NDArray[np.bool_] = np.zeros(0, np.bool_)
        if objects is not None:
            unknown = ~np.isin(values, [0, *objects])
        elif self.names is not None:
            unknown = ~np.isin(values, [0, *self.names])
        if unknown.any():
            y, x = np.unravel_index(int(np.argmax(unknown)), unknown.shape)
            what = f"value {values[y, x]} is not in the class list: add it there"
            raise FormatError(volume.path, f"slice {number}, pixel ({x}, {y})", what)

        def meaning(value: int) -> tuple[str, int] | None:
            if objects is not None:
                return objects.get(value)
            if self.names is not None:
                return (self.names[value], 0) if value in self.names else None
            return (self.classes.names[0], value) if value else None

        return from_numbers(values, meaning, self.classes)

    def image(self, key: str) -> Path | NDArray[np.uint8] | None:
        """The image file of a slice, or the pixels of its image volume."""
        name, number = self.where[key]
        volume = self.images.get(name)
        if key in self.pictures or volume is None:
            return self.pictures.get(key)
        raw = volume.read(number)
        if volume.window is not None and volume.dtype != "rgb":
            return as_pixels(raw.astype(np.float64) * volume.slope + volume.inter, volume.window)
        return as_pixels(raw)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write `labels/`, `images/`, and `dataset.json` where the values are classes.

    Images in memory become a volume, 8-bit grey or RGB; image files are copied beside.
    """
    extras = ExtraWriter(dataset, "nifti", listed=False)
    volumes, semantic = volumes_of(dataset)
    (path / "labels").mkdir(parents=True)
    (path / "images").mkdir()
    numbers = class_numbers(dataset.classes)
    for volume in volumes:
        objects = None if semantic else ObjectNumbers(volume.name, MOST)
        _write_volume(dataset, volume, path, numbers, objects, extras)
        if objects is not None:
            meant = {number: pair for (_, number), pair in objects.meanings().items()}
            extras.add_objects(volume.name, meant)
    if semantic and volumes:
        listed = {"background": 0} | dict(zip(dataset.classes.names, numbers))
        about = {"labels": listed, "file_ending": ".nii.gz", "numTraining": len(volumes)}
        (path / "dataset.json").write_bytes(msgspec.json.format(msgspec.json.encode(about), indent=1))
    extras.write(path)


def _write_volume(
    dataset: Dataset,
    volume: Volume,
    path: Path,
    numbers: list[int],
    objects: ObjectNumbers | None,
    extras: ExtraWriter,
) -> None:
    """The label volume, 0 where nobody has labelled, and the images: a volume where all are in memory."""
    top = max(numbers, default=0) if objects is None else _largest(dataset, volume, objects)
    dtype = "<u1" if top < 2**8 else "<u2" if top < 2**16 else "<i4"
    shape, seen = (volume.size, len(volume.names)), []
    with ExitStack() as files:
        out = pictures = None
        labels = place(path / "labels", volume.name, ".nii.gz")
        if volume.is_labelled:
            out = files.enter_context(nifti_writer(labels, *shape, dtype, volume.stated))
        if volume.has_arrays:
            images = place(path / "images", volume.name, ".nii.gz")
            kind = "|u1" if volume.is_grey else "rgb"
            pictures = files.enter_context(nifti_writer(images, *shape, kind, volume.stated))
        for number, name in enumerate(volume.names):
            sample = dataset.load(name)
            label = sample.segmentation
            if out is not None:
                painted = np.zeros(volume.size, np.int32)
                if label is not None and len(label):
                    values = objects(label) if objects else np.array(numbers)[label.class_id]
                    painted = label.masks.paint(values)
                out.write(np.ascontiguousarray(painted, dtype).tobytes())
            if pictures is not None:
                pixels = sample.pixels()
                pictures.write(np.ascontiguousarray(pixels[..., 0] if volume.is_grey else pixels).tobytes())
            else:
                store_image(sample, path / "images", volume.key(number))
            seen.append(bare(sample))
    held = open_nifti(labels).lattice if volume.is_labelled else None
    nothing = Segmentation.empty(dataset.classes, volume.size) if volume.is_labelled else None
    for number, sample in enumerate(seen):
        said = volume.said(number, sample, held)
        label = nothing if said.segmentation is None else said.segmentation
        extras.add(sample, said.replace(segmentation=label))


def _largest(dataset: Dataset, volume: Volume, objects: ObjectNumbers) -> int:
    """The largest number that a segment of the volume gets."""
    labels = (dataset.load(name).segmentation for name in volume.names)
    return max((int(objects(label).max()) for label in labels if label is not None and len(label)), default=0)
