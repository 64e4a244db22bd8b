"""ADE20K, full set of 2021: `NAME_seg.png` beside each image, whose colours say class and instance; JSON.

Class = red / 10 * 256 + green, instance = blue, as its authors pack them; names come from the JSON. Parts of
objects (`_parts_1.png`, ...) are left out, counted. Below `training` and `validation` the folder of an image
is its scene, and its group. The edition of 2016 names classes in a file of Matlab alone, and is refused; the
150 classes of the scene parsing challenge are a folder of label maps, which `label_png` reads.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import SUFFIXES
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.extras import KEPT, ExtraWriter, is_written_as, read_extras, said
from inlay.formats.parts.label_maps import read_label_map
from inlay.formats.parts.places import place, refuse_nothing, save_png, store_image
from inlay.formats.parts.split_lists import split_of
from inlay.formats.parts.typed_json import decode, read_bytes

KEEPS = KEPT | {"masks", "class_id", "instances", "holes", "parts"}
_MOST_CLASS = 25 * 256 + 255
_MOST_INSTANCES = 255


class _Object(Struct):
    name: str
    name_ndx: int


class _Annotation(Struct):
    object: list[_Object] | _Object = []


class _File(Struct):
    annotation: _Annotation


def sniff(path: Path) -> bool:
    """Whether it is a folder with `_seg.png` files beside JSON or text files of their names."""
    if not path.is_dir():
        return False
    first = next(path.rglob("*_seg.png"), None)
    beside = first is not None and any(_beside(first, end).is_file() for end in (".json", "_atr.txt"))
    return beside or is_written_as(path, "ade20k")


def _beside(label: Path, end: str) -> Path:
    return label.with_name(label.name.removesuffix("_seg.png") + end)


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - the files name their classes
    """The images of a folder; those without `_seg.png` are unlabelled."""
    if not sniff(path):
        raise FormatError(path, "", "no *_seg.png with a JSON beside it")
    labels = {_key(file, path, "_seg.png"): file for file in sorted(path.rglob("*_seg.png"))}
    numbers: dict[int, str] = {}
    for file in labels.values():
        for item in _objects(_beside(file, ".json")):
            numbers.setdefault(item.name_ndx, item.name)
    extras = read_extras(path)
    listed = {row.name: row for row in extras.classes_with(Classes(()))}
    found = [SegmentClass(name, source_id=number) for number, name in _unique(numbers).items()]
    classes = extras.classes_with(Classes(tuple(item for item in found if item.name not in listed)))
    row_of = {int(number): row for row, number in enumerate(_numbers(classes))}
    images = {
        key: file
        for file in sorted(path.rglob("*"))
        if file.suffix.lower() in SUFFIXES
        and not re.search(r"_(seg|parts_\d+)\.png$", file.name)
        and not re.match("instance_", file.name)
        for key in [_key(file, path, file.suffix)]
    }
    parts = sum(1 for _ in path.rglob("*_parts_*.png"))
    keys = sorted({*labels, *images})
    splits = {key: split_of(key) for key in keys}
    load = _Folder(labels, images, classes, row_of)
    left_out = {"part maps": parts} if parts else {}
    return extras.dataset(keys, classes, load, path, splits=splits, left_out=left_out)


def _key(file: Path, root: Path, suffix: str) -> str:
    return file.relative_to(root).as_posix().removesuffix(suffix)


def _objects(path: Path) -> list[_Object]:
    if not path.is_file():
        what = "missing: it names the classes of the map (the edition of 2016 has none, take that of 2021)"
        raise FormatError(path, "", what)
    found = decode(read_bytes(path), path, _File).annotation.object
    return found if isinstance(found, list) else [found]


def _unique(numbers: Mapping[int, str]) -> dict[int, str]:
    """Names that stand once, the number after those that several classes have."""
    count = Counter(numbers.values())
    return {
        number: name if count[name] == 1 else f"{name} {number}" for number, name in sorted(numbers.items())
    }


def _numbers(classes: Classes) -> list[int]:
    """The number of each class in the maps: its source's where all fit, else 1, 2, ..."""
    numbers: list[int] = classes.source_ids.tolist()
    fits = len(set(numbers)) == len(numbers) and all(0 < number <= _MOST_CLASS for number in numbers)
    return numbers if fits else list(range(1, len(numbers) + 1))


def _scene(key: str) -> str:
    """The folder of an image below that of its split."""
    parts = key.split("/")
    return parts[-2] if len(parts) > 2 and split_of(key) else ""


@dataclass(frozen=True, eq=False)
class _Folder:
    """Label maps and images by key; calling it with one reads that sample."""

    labels: Mapping[str, Path]
    images: Mapping[str, Path]
    classes: Classes
    row_of: Mapping[int, int]

    def __call__(self, key: str) -> Sample:
        label = None if key not in self.labels else self._segmentation(self.labels[key])
        return Sample(key, self.images.get(key), label, split_of(key), _scene(key))

    def _segmentation(self, path: Path) -> Segmentation:
        label = read_label_map(path)
        if not label.is_coloured:
            raise FormatError(path, "", "no colours: *_seg.png holds class and instance in three channels")
        red, green, blue = np.moveaxis(label.values.astype(np.int32), 2, 0)
        codes = (red // 10 * 256 + green) * 256 + blue
        present, ranks = np.unique(codes, return_inverse=True)
        ranks = ranks.reshape(codes.shape)
        class_id = [self.row_of.get(int(code) >> 8, -1) for code in present.tolist()]
        unknown = np.array([row < 0 and code >> 8 > 0 for row, code in zip(class_id, present.tolist())])[
            ranks
        ]
        if unknown.any():
            number = int(codes[unknown][0]) >> 8
            raise label.fail(unknown, f"{{value}} is class {number}, which no file here names")
        rows = np.array([row for row in class_id if row >= 0], np.int32)
        order = np.cumsum([row >= 0 for row in class_id]) - 1
        ids = np.where(np.array(class_id) >= 0, order, -1)[ranks]
        numbers = instance_numbers(self.classes.is_thing[rows] if len(rows) else [])
        return Segmentation(self.classes, Masks.from_ids(ids, len(rows)), rows, numbers)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write image, `_seg.png` and JSON of each sample.

    Raises
    ------
    InlayError
        When there are more classes than 6 655, or an image has more than 255 segments of one class.
    """
    numbers = np.array(_numbers(dataset.classes), np.int64)
    if len(numbers) > _MOST_CLASS:
        raise InlayError(f"{len(numbers)} classes; the colours of ADE20K hold {_MOST_CLASS}")
    extras = ExtraWriter(dataset, "ade20k", listed=False)
    path.mkdir(parents=True, exist_ok=True)
    for sample in dataset:
        refuse_nothing(sample)
        store_image(sample, path)
        label = sample.segmentation
        if label is not None:
            _write_label(sample.name, label, path, numbers)
        key = sample.name
        extras.add(sample, said(sample, key).replace(split=split_of(key), group=_scene(key)))
    extras.write(path)


def _write_label(name: str, label: Segmentation, path: Path, numbers: NDArray[np.int64]) -> None:
    class_id = label.class_id.astype(np.int64)
    place_in_class = np.zeros(len(label), np.int64)
    for row in np.unique(class_id):
        mine = np.flatnonzero(class_id == row)
        if len(mine) > _MOST_INSTANCES:
            what = f"{len(mine)} segments of class {label.classes.names[row]!r}; the blue of ADE20K holds"
            raise InlayError(f"sample {name!r} has {what} {_MOST_INSTANCES}: write coco or native")
        place_in_class[mine] = np.arange(1, len(mine) + 1)
    number = numbers[class_id] if len(label) else class_id
    codes = label.masks.paint((number << 8) | place_in_class)
    high, low = codes >> 16, (codes >> 8) & 255
    save_png(np.dstack([high * 10, low, codes & 255]).astype(np.uint8), place(path, name, "_seg.png"))
    objects = [
        {
            "id": i,
            "name": label.class_names[i],
            "name_ndx": int(number[i]),
            "occluded": [],
            "parts": {"part_level": 0},
        }
        for i in range(len(label))
    ]
    about = {"filename": name, "imsize": [*label.size, 3], "object": objects}
    place(path, name, ".json").write_bytes(msgspec.json.encode({"annotation": about}))
