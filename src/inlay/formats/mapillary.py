"""Mapillary Vistas: `config_v2.0.json`, `SPLIT/images/`, and 16-bit maps in `SPLIT/v2.0/instances/`.

A value is class * 256 + number. Classes that have instances are things, those called `void--...` void, others
stuff; "void--unlabeled" is nobody. Where an image has a map of classes alone, its things are crowds. Editions
1.2 and 2.0 are read, the newest first; polygons and panoptic maps say the same and are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from inlay.core.classes import Classes, Kind, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import SUFFIXES
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.extras import KEPT, ExtraWriter, read_extras
from inlay.formats.parts.label_maps import read_label_map, write_label_map
from inlay.formats.parts.mapillary_layout import config_of
from inlay.formats.parts.places import place, refuse_nothing, store_image
from inlay.formats.parts.split_names import Placer, plain_split, splits_of
from inlay.formats.parts.typed_json import decode, read_bytes

KEEPS = KEPT | {"masks", "class_id", "instances", "holes", "parts"}
_PER_CLASS, _MOST = 256, 255  # numbers of a class; classes beside that of nobody
_NOBODY = "void--unlabeled"
_FOLDERS = {"train": "training", "val": "validation", "test": "testing", "": "all"}


class _Label(Struct):
    name: str
    instances: bool = False
    color: tuple[int, int, int] | None = None

    def as_class(self) -> SegmentClass:
        """The class, its kind by its name and by whether it has instances."""
        kind: Kind = "void" if self.name.startswith("void--") else "thing" if self.instances else "stuff"
        return SegmentClass(self.name, kind, self.color)


class _Config(Struct):
    labels: list[_Label]


def sniff(path: Path) -> bool:
    """Whether it is a folder with a `config_v2.0.json` that lists labels, or an earlier one."""
    return config_of(path) is not None


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - the folder lists its classes
    """The images of all splits; those without a map are unlabelled."""
    config = config_of(path)
    if config is None:
        what = "no config_v2.0.json with labels: Mapillary Vistas lists its classes there"
        raise FormatError(path, "", what)
    edition = config.stem.removeprefix("config").removeprefix("_")
    listed = decode(read_bytes(config), config, _Config).labels
    extras = read_extras(path)
    own = {item.name for item in extras.classes_with(Classes(()))}
    rows = [each.as_class() for each in listed if each.name in own or not each.name.startswith(_NOBODY)]
    try:
        classes = extras.classes_with(Classes(tuple(rows)))
    except InlayError as error:
        raise FormatError(config, "labels", str(error)) from None
    numbers = tuple(classes.names.index(each.name) if each.name in classes.names else -1 for each in listed)
    found = {kind: dict(_files(path, edition, kind)) for kind in ("images", "instances", "labels")}
    keys = sorted(set().union(*found.values()))
    load = _Folder(found["images"], found["instances"], found["labels"], classes, numbers)
    return extras.dataset(keys, classes, load, path, splits={key: _split(key) for key in keys})


def _files(root: Path, edition: str, kind: str) -> Iterator[tuple[str, Path]]:
    """Files of a kind by split and name: below the folder of the edition, or in that of the split."""
    suffixes = SUFFIXES if kind == "images" else (".png",)
    for split in sorted(path for path in root.iterdir() if path.is_dir()):
        folder = split / edition / kind if edition and (split / edition / kind).is_dir() else split / kind
        for file in sorted(folder.rglob("*")) if folder.is_dir() else []:
            if file.suffix.lower() in suffixes:
                stem = file.relative_to(folder).as_posix().removesuffix(file.suffix)
                yield f"{split.name}/{stem}", file


def _split(key: str) -> str:
    folder = key.partition("/")[0]
    return "" if folder == _FOLDERS[""] else plain_split(folder)


@dataclass(frozen=True, eq=False)
class _Folder:
    """Images and maps by key; calling it with one reads that sample."""

    images: Mapping[str, Path]
    instances: Mapping[str, Path]
    labels: Mapping[str, Path]
    classes: Classes
    numbers: tuple[int, ...]  # row of each class of the config; -1: nobody

    def __call__(self, key: str) -> Sample:
        label = None
        if key in self.instances:
            label = self._segmentation(self.instances[key])
        elif key in self.labels:
            label = self._segmentation(self.labels[key], alone=True)
            label = label.replace(crowd=label.is_thing)
        return Sample(key, self.images.get(key), label, _split(key))

    def _segmentation(self, path: Path, *, alone: bool = False) -> Segmentation:
        found = read_label_map(path).as_numbers()
        if found.is_coloured:
            raise FormatError(path, "", "colours: Mapillary Vistas keeps numbers in grey and palette PNGs")
        values = found.values.astype(np.int64) * (_PER_CLASS if alone else 1)
        unknown = values // _PER_CLASS >= len(self.numbers)
        if unknown.any():
            what = f"{{value}} is of no class: the config lists {len(self.numbers)}"
            raise found.fail(unknown, what)
        present, ranks = np.unique(values, return_inverse=True)
        rows = np.array(self.numbers, np.int64)[present // _PER_CLASS]
        ids = np.where(rows >= 0, np.cumsum(rows >= 0) - 1, -1)[ranks.reshape(values.shape)]
        class_id = rows[rows >= 0].astype(np.int32)
        things = self.classes.is_thing[class_id] if len(class_id) else np.zeros(0, np.bool_)
        masks = Masks.from_ids(ids, len(class_id))
        return Segmentation(self.classes, masks, class_id, instance_numbers(things))


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write `config_v2.0.json`, and images, instance maps and class maps below their splits.

    Raises
    ------
    InlayError
        When there are more than 255 classes, or an image has more than 256 segments of one.
    """
    if len(dataset.classes) > _MOST:
        raise InlayError(f"{len(dataset.classes)} classes; the maps of mapillary hold {_MOST}: write coco")
    extras = ExtraWriter(dataset, "mapillary", listed=False)
    path.mkdir(parents=True, exist_ok=True)
    config = msgspec.json.format(msgspec.json.encode(_config(dataset.classes)))
    (path / "config_v2.0.json").write_bytes(config)
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(dataset.classes)] = dataset.classes.colours
    folders = {split: _FOLDERS.get(split, split) for split in splits_of(dataset)}
    placer = Placer()
    for sample in dataset:
        refuse_nothing(sample)
        split = dataset.splits.get(sample.name, "")
        folder, stem = path / folders[split], placer(sample, split)
        store_image(sample, folder / "images", stem)
        label = sample.segmentation
        if label is not None:
            painted = label.masks.paint(_values(sample.name, label), fill=len(dataset.classes) * _PER_CLASS)
            write_label_map(place(folder / "v2.0" / "instances", stem, ".png"), painted, bits=16)
            classes = painted // _PER_CLASS
            write_label_map(place(folder / "v2.0" / "labels", stem, ".png"), classes, colours)
            label = label.replace(image_tags=frozenset())
        key = f"{folders[split]}/{stem}"
        extras.add(sample, Sample(key, None, label, _split(key)))
    extras.write(path)


def _config(classes: Classes) -> dict[str, object]:
    """The list of classes, that of nobody at its end."""
    nobody = _NOBODY
    while nobody in classes.names:
        nobody += "-"
    labels = [
        {"name": item.name, "readable": item.name, "instances": item.kind == "thing"}
        | {"evaluate": item.kind != "void", "color": colour}
        for item, colour in zip(classes, classes.colours.tolist())
    ]
    last = {"name": nobody, "readable": "Unlabeled", "instances": False, "evaluate": False}
    return {"labels": [*labels, {**last, "color": [0, 0, 0]}], "version": "2.0"}


def _values(name: str, label: Segmentation) -> NDArray[np.int64]:
    """(N,) the value of each segment in the map."""
    class_id = label.class_id.astype(np.int64)
    numbers = np.zeros(len(label), np.int64)
    for row in np.unique(class_id):
        mine = np.flatnonzero(class_id == row)
        if len(mine) > _PER_CLASS:
            what = f"{len(mine)} segments of class {label.classes.names[row]!r}; the maps of mapillary hold"
            raise InlayError(f"sample {name!r} has {what} {_PER_CLASS}: write coco or native")
        numbers[mine] = np.arange(len(mine))
    return class_id * _PER_CLASS + numbers
