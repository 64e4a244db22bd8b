"""OME-Zarr: label images of `NAME.ome.zarr/labels/`, in stores on this machine (needs `inlay[volumes]`).

A sample is a slice (z, and t where there is time) of an image group; versions 0.1 to 0.5 are read, in Zarr 2
and 3. Each image in the list `labels` holds whole numbers, 0 being nobody: the class of a value is the
property `class` (`image-label.properties`), else the name of the label image, and its instance the property
`instance`, else the value. Scale and translation stand in image tags (`inlay.core.lattice`). Of the levels
the first is read. We write 0.4: one label image "segments" with the classes as properties and colours, its
smaller levels by the nearest pixel, and images in memory as the image.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes, Colour, SegmentClass
from inlay.core.dataset import Dataset
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import SUFFIXES
from inlay.core.segmentation import Segmentation
from inlay.formats.parts.extras import KEPT, ExtraWriter, is_written_as, read_extras
from inlay.formats.parts.object_numbers import ObjectNumbers, from_numbers
from inlay.formats.parts.places import place, store_image
from inlay.formats.parts.volumes import (
    SliceLoader,
    Volume,
    as_pixels,
    bare,
    count_slices,
    slice_key,
    volumes_of,
    whole_values,
)
from inlay.formats.parts.zarr_groups import ZarrImage, ZarrVolume, groups, open_volume
from inlay.formats.parts.zarr_writer import held_by, new_group, new_pyramid

KEEPS = KEPT | {"masks", "class_id", "instances", "instance_id", "track", "holes", "parts"}
LIBRARY = "zarr"  # of the extra "volumes"
MOST = 2**31 - 1
_ENDING = re.compile(r"(\.ome)?\.zarr$")
_OURS = "segments"  # the label image that we write
Meanings = Mapping[int, tuple[str, int]]


def sniff(path: Path) -> bool:
    """Whether it is an OME-Zarr group, or a folder with some."""
    if not path.is_dir():
        return False
    return next(groups(path), None) is not None or is_written_as(path, "ome_zarr")


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - the files name their classes
    """The slices of all image groups; those without a label image are unlabelled."""
    if not sniff(path):
        raise FormatError(path, "", "no OME-Zarr group: no .zattrs or zarr.json with multiscales or labels")
    extras = read_extras(path)
    volumes = {_key(folder, path): open_volume(folder) for folder in groups(path)}
    first = {name: _first(volume) for name, volume in volumes.items()}
    count_slices(path, [image.slices * image.times for image in first.values()])
    folder = path / "images"
    pictures = {
        file.relative_to(folder).with_suffix("").as_posix(): file
        for file in sorted(folder.rglob("*"))
        if file.suffix.lower() in SUFFIXES
    }
    slices, where = {}, {}
    for name, image in sorted(first.items()):
        for time in range(image.times):
            group = name if image.times == 1 else f"{name}/t{time:06d}"
            for number in range(image.slices):
                key = slice_key(group, number, image.slices)
                slices[key] = (group, number, image.slices, image.lattice)
                where[key] = (name, time * image.slices + number)
    for key in pictures:
        slices.setdefault(key, (key, 0, 1, None))
    meanings = {
        (name, label): _meanings(image)
        for name, volume in volumes.items()
        for label, image in volume.labels.items()
    }
    try:
        classes = extras.classes_with(_classes(volumes, meanings))
    except InlayError as error:
        raise FormatError(path, "labels", str(error)) from None
    load = _Slices(volumes, pictures, where, classes, meanings)
    images = [volume.image for volume in volumes.values() if volume.image is not None]
    left_out = Counter(
        {
            "image depth": sum(np.dtype(image.dtype) != np.uint8 for image in images),
            "image channels": sum(image.channels - 3 for image in images if image.channels > 3),
        }
    )
    told = {word: count for word, count in left_out.items() if count}
    loader = SliceLoader(slices, load.label, load.image, extras)
    return extras.dataset(list(slices), classes, loader, path, left_out=told)


def _key(folder: Path, root: Path) -> str:
    name = folder.relative_to(root).as_posix() if folder != root else folder.resolve().name
    return _ENDING.sub("", name) or name


def _first(volume: ZarrVolume) -> ZarrImage:
    """The image that tells the slices and where they lie: a label image where there is one."""
    labels = list(volume.labels.values())
    found = labels[0] if labels else volume.image
    if found is None:
        raise FormatError(volume.path, "", "neither an image nor a label image")
    return found


def _meanings(image: ZarrImage) -> Meanings:
    """Class and instance of the values that have properties."""
    found: dict[int, tuple[str, int]] = {}
    listed = image.about.get("properties")
    for place_, item in enumerate(listed if isinstance(listed, list) else ()):
        value = item.get("label-value") if isinstance(item, dict) else None
        if not isinstance(value, int) or isinstance(value, bool) or not -MOST <= value <= MOST:
            what = f"{item!r} has no label-value that is a whole number"
            raise FormatError(image.path.parent, f"image-label.properties[{place_}]", what)
        name, instance = item.get("class"), item.get("instance", value)
        plain = isinstance(instance, int) and not isinstance(instance, bool) and 0 <= instance <= MOST
        own = name if isinstance(name, str) and name else image.path.parent.name
        found[value] = own, instance if plain else max(value, 0)
    return found


def _colours(image: ZarrImage) -> dict[int, Colour]:
    """Colour of the values that have one."""
    found: dict[int, Colour] = {}
    listed = image.about.get("colors")
    for item in listed if isinstance(listed, list) else ():
        rgba = item.get("rgba") if isinstance(item, dict) else None
        value = item.get("label-value") if isinstance(item, dict) else None
        if isinstance(value, int) and isinstance(rgba, list) and len(rgba) in (3, 4):
            plain = all(isinstance(part, int) and 0 <= part <= 255 for part in rgba)
            if plain:
                found.setdefault(value, (rgba[0], rgba[1], rgba[2]))
    return found


def _classes(volumes: Mapping[str, ZarrVolume], meanings: Mapping[tuple[str, str], Meanings]) -> Classes:
    """The classes that properties name, then the names of label images that have values without one."""
    rows: dict[str, SegmentClass] = {}
    for name, volume in volumes.items():
        for label, image in volume.labels.items():
            colours = _colours(image)
            for value, (class_name, _) in meanings[name, label].items():
                rows.setdefault(class_name, SegmentClass(class_name, colour=colours.get(value)))
            if label != _OURS:
                rows.setdefault(_own_class(image), SegmentClass(_own_class(image)))
    return Classes(tuple(rows.values()))


def _own_class(image: ZarrImage) -> str:
    """The class of values that have no properties."""
    return _ENDING.sub("", image.path.parent.name) or "object"


@dataclass(frozen=True, eq=False)
class _Slices:
    """Labels and images of slices by key."""

    volumes: Mapping[str, ZarrVolume]
    pictures: Mapping[str, Path]
    where: Mapping[str, tuple[str, int]]
    classes: Classes
    meanings: Mapping[tuple[str, str], Meanings]

    def label(self, key: str) -> Segmentation | None:
        """The segments of a slice, of one label image after another; `None` where there is none."""
        name, number = self.where.get(key, ("", 0))
        volume = self.volumes.get(name)
        if volume is None or not volume.labels:
            return None
        found = [self._of(name, label, image, number) for label, image in volume.labels.items()]
        return found[0] if len(found) == 1 else Segmentation.concat(found)

    def _of(self, name: str, label: str, image: ZarrImage, number: int) -> Segmentation:
        where = f"slice {number}"
        values = whole_values(image.read(number)[0], image.path, where)
        meant, own = self.meanings[name, label], _own_class(image)
        strange = (values < 0) if own in self.classes.names else ~np.isin(values, [0, *meant])
        if strange.any():
            y, x = np.unravel_index(int(np.argmax(strange)), strange.shape)
            what = f"value {values[y, x]} has no class in image-label.properties"
            raise FormatError(image.path, f"{where}, pixel ({x}, {y})", what)

        def meaning(value: int) -> tuple[str, int] | None:
            return meant.get(value, (own, value)) if value else None

        return from_numbers(values, meaning, self.classes)

    def image(self, key: str) -> Path | NDArray[np.uint8] | None:
        """The image file of a slice, or its pixels: the first channel, or the first three as colours."""
        if key in self.pictures or key not in self.where:
            return self.pictures.get(key)
        name, number = self.where[key]
        image = self.volumes[name].image
        if image is None:
            return None
        values = image.read(number)
        colours = len(values) == 3 and values.dtype == np.uint8
        return as_pixels(values.transpose(1, 2, 0) if colours else values[0])


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write `NAME.ome.zarr` for each group, and `images/` where images are files."""
    extras = ExtraWriter(dataset, "ome_zarr", listed=False)
    path.mkdir(parents=True)
    for volume in volumes_of(dataset)[0]:
        _write_volume(dataset, volume, path, extras)
    extras.write(path)


def _write_volume(dataset: Dataset, volume: Volume, path: Path, extras: ExtraWriter) -> None:
    """The label image, 0 where nobody has labelled, and the image where all are in memory."""
    objects = ObjectNumbers(volume.name, MOST)
    top, seen = 0, []
    for name in volume.names:
        label = dataset.load(name).segmentation
        if label is not None and len(label):
            top = max(top, int(objects(label).max()))
    dtype = "uint8" if top < 2**8 else "uint16" if top < 2**16 else "int32"
    shape = (len(volume.names), *volume.size)
    folder = place(path, volume.name, ".ome.zarr")
    with ExitStack() as after:
        pictures = labels = None
        if volume.has_arrays or volume.is_labelled:
            group = after.enter_context(new_group(folder))
        if volume.has_arrays:
            whole = shape if volume.is_grey else (3, *shape)
            pictures = new_pyramid(group, volume.name, whole, "uint8", volume.stated)
        if volume.is_labelled:
            listed = group.create_group("labels")
            listed.attrs["labels"] = [_OURS]
            inside = listed.create_group(_OURS)
            labels = new_pyramid(inside, _OURS, shape, dtype, volume.stated)
            image = {"source": {"image": "../../"}} if volume.has_arrays else {}
            after.callback(lambda: inside.attrs.update(_about(dataset.classes, objects, image)))
        for number, name in enumerate(volume.names):
            sample = dataset.load(name)
            label = sample.segmentation
            if labels is not None and label is not None and len(label):
                labels.add(number, label.masks.paint(objects(label)).astype(dtype))
            if pictures is None:
                store_image(sample, path / "images", volume.key(number))
            else:
                pixels = sample.pixels()
                pictures.add(number, pixels[..., 0] if volume.is_grey else pixels.transpose(2, 0, 1))
            seen.append(bare(sample))
    nothing = Segmentation.empty(dataset.classes, volume.size) if volume.is_labelled else None
    for number, sample in enumerate(seen):
        said = volume.said(number, sample, held_by(volume.stated))
        label = nothing if said.segmentation is None else said.segmentation
        extras.add(sample, said.replace(segmentation=label))


def _about(classes: Classes, objects: ObjectNumbers, image: dict[str, Any]) -> dict[str, Any]:
    """What the label image says of its values."""
    found = sorted((number, *pair) for (_, number), pair in objects.meanings().items())
    colours = [
        {"label-value": number, "rgba": [*classes.colours[classes.row(name)].tolist(), 255]}
        for number, name, _ in found
    ]
    properties = [{"label-value": n, "class": name, "instance": i} for n, name, i in found]
    return {"image-label": {"version": "0.4", "colors": colours, "properties": properties} | image}
