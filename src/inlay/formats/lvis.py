"""LVIS: COCO's JSON, federated: each image says which classes are absent and which are not all drawn.

These stand in the image tags, and the frequency of a class (rare, common, frequent) in its parent, as
`inlay.core.federated` says: that a class has no segment does not mean that it is not there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.federated import ABSENT, FREQUENCIES, NOT_EXHAUSTIVE, federated_tags
from inlay.core.segmentation import Tags
from inlay.formats.parts import facts
from inlay.formats.parts.coco_folders import write_file, write_folder
from inlay.formats.parts.coco_images import CocoImages, dataset_of
from inlay.formats.parts.coco_json import Id, number
from inlay.formats.parts.coco_labels import CocoLabels, open_labels
from inlay.formats.parts.coco_layout import LabelFile, is_lvis, split_word
from inlay.formats.parts.coco_writer import LabelWriter
from inlay.formats.parts.readers import rule
from inlay.formats.parts.split_names import plain_split
from inlay.formats.parts.typed_json import decode, read_bytes

KEEPS = facts.FACTS - {"crowd"}
READERS = ("pycocotools", "detectron2")
_RARE, _COMMON = 10, 100  # images that a rare and a common class occur in at most


class _Image(Struct):
    id: Id
    neg_category_ids: list[int] = []
    not_exhaustive_category_ids: list[int] = []


class _Category(Struct):
    id: Id
    name: str
    frequency: str | None = None


class _Federated(Struct):
    images: list[_Image]
    categories: list[_Category]


def sniff(path: Path) -> bool:
    """Whether it is a JSON file of LVIS, or a folder with one, or with one in `annotations/`."""
    return bool(_files(path))


def _files(path: Path) -> list[LabelFile]:
    if path.is_file():
        found = [path] if is_lvis(path) else []
    else:
        found = sorted(
            file for file in (*path.glob("*.json"), *path.glob("annotations/*.json")) if is_lvis(file)
        )
    return [LabelFile(file, plain_split(split_word(file)), split_word(file)) for file in found]


@dataclass(frozen=True, eq=False)
class LvisLabels:
    """An opened file: COCO's labels, and what each image was looked through for."""

    labels: CocoLabels
    words: Mapping[int, Tags]

    @property
    def images(self) -> CocoImages:
        """Its images."""
        return self.labels.images

    @property
    def classes(self) -> Classes:
        """Its classes."""
        return self.labels.classes

    def under(self, classes: Classes, images: CocoImages) -> LvisLabels:
        """The same under other classes, matched by name, and other names of its images."""
        return replace(self, labels=self.labels.under(classes, images))

    def __call__(self, name: str) -> Sample:
        """The sample of that name."""
        sample = self.labels(name)
        words = self.words.get(self.images.ids[self.images.place(name)])
        label = sample.segmentation
        if label is None or not words:
            return sample
        return sample.replace(segmentation=label.replace(image_tags=label.image_tags | words))


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The dataset of a file, or of the label files of a folder, one split each."""
    files = _files(path)
    if not files:
        raise FormatError(path, "", "no JSON with neg_category_ids or frequency: LVIS files have both")
    opened = [_open(file, reader or READERS[0]) for file in files]
    left_out: Counter[str] = Counter()
    for each in opened:
        left_out.update(each.labels.left_out)
    for key in ("neg_category_ids", "not_exhaustive_category_ids"):
        left_out.pop(f"key {key!r}", None)
    return dataset_of(opened, left_out)


def _open(file: LabelFile, reader: str) -> LvisLabels:
    labels = open_labels(file, rule(reader))
    data = decode(read_bytes(file.path), file.path, _Federated)
    name_of = {
        number(item.id, file.path, f"categories[{i}].id"): item.name for i, item in enumerate(data.categories)
    }
    words: dict[int, Tags] = {}
    for i, image in enumerate(data.images):
        for key in ("neg_category_ids", "not_exhaustive_category_ids"):
            unknown = [each for each in getattr(image, key) if each not in name_of]
            if unknown:
                what = f"{unknown[0]} is no category here"
                raise FormatError(file.path, f"images[{i}].{key}", what)
        absent = [name_of[each] for each in image.neg_category_ids]
        partly = [name_of[each] for each in image.not_exhaustive_category_ids]
        words[number(image.id, file.path, f"images[{i}].id")] = federated_tags(absent, partly)
    parents = {item.name: FREQUENCIES.get(item.frequency or "", "") for item in data.categories}
    rows = tuple(replace(row, parent=row.parent or parents.get(row.name, "")) for row in labels.classes)
    return LvisLabels(replace(labels, classes=Classes(rows)), words)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:
    """Write one JSON file where the path ends in .json, else a folder with the images too.

    As `coco`, but for crowds, which LVIS has not. A class whose parent is no frequency gets the one that the
    written images give it.
    """

    def writer(_: Path) -> _Writer:
        return _Writer(dataset, reader or READERS[0])

    if path.suffix.lower() == ".json":
        write_file(dataset, path, writer(path))
    else:
        write_folder(dataset, path, writer, word="lvis_v1", whole="lvis_v1")


class _Writer:
    """Writes a file of COCO, and then what LVIS adds to it."""

    def __init__(self, dataset: Dataset, reader: str) -> None:
        self._dataset = dataset
        self._coco = LabelWriter(dataset, rule(reader), only_polygons=False)
        self._words: list[Tags] = []
        self._counts: Counter[str] = Counter()
        self._images: Counter[str] = Counter()

    def add(self, sample: Sample, file_name: str, *, name: str, split: str) -> None:
        """Add a sample."""
        label = sample.segmentation
        if label is not None:
            words = {word for word in label.image_tags if word.startswith((ABSENT, NOT_EXHAUSTIVE))}
            known = {ABSENT + each for each in self._dataset.classes.names}
            known |= {NOT_EXHAUSTIVE + each for each in self._dataset.classes.names}
            self._words.append(frozenset(words & known))
            sample = sample.replace(segmentation=label.replace(image_tags=label.image_tags - (words & known)))
            self._counts.update(label.class_names)
            self._images.update(set(label.class_names))
        else:
            self._words.append(frozenset())
        self._coco.add(sample, file_name, name=name, split=split)

    def write(self, path: Path) -> None:
        """Write the file, the images and categories before the annotations."""
        self._coco.write(path)
        data = msgspec.json.decode(path.read_bytes(), type=dict[str, Raw])
        images = msgspec.json.decode(data.pop("images"), type=list[dict[str, Any]])
        categories = msgspec.json.decode(data.pop("categories"), type=list[dict[str, Any]])
        ids: dict[str, int] = {item["name"]: item["id"] for item in categories}
        letters = {word: letter for letter, word in FREQUENCIES.items()}
        for item in categories:
            count = self._images[item["name"]]
            usual = "r" if count <= _RARE else "c" if count <= _COMMON else "f"
            item |= {"frequency": letters.get(item["supercategory"], usual)}
            item |= {"image_count": count, "instance_count": self._counts[item["name"]]}
        for image, words in zip(images, self._words):
            found: dict[str, list[int]] = defaultdict(list)
            for word in sorted(words):
                prefix = ABSENT if word.startswith(ABSENT) else NOT_EXHAUSTIVE
                found[prefix].append(ids[word.removeprefix(prefix)])
            image |= {"neg_category_ids": found[ABSENT], "not_exhaustive_category_ids": found[NOT_EXHAUSTIVE]}
        path.write_bytes(msgspec.json.encode({"categories": categories, "images": images, **data}) + b"\n")
