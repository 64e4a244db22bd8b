"""Writing COCO labels: one JSON file for each split, its images beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.core.images import image_size
from inlay.core.polygons import Rule
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.coco_json import CategoryExtra, ImageExtra, Rle, attributes_of
from inlay.formats.coco_layout import plain_split, split_word
from inlay.formats.coco_masks import WrittenRings, write_masks
from inlay.formats.staging import store_image


class _Annotation(Struct):
    """An annotation without `id` and `image_id`, which are known when all are."""

    category_id: int
    iscrowd: int
    bbox: list[float]
    area: float
    segmentation: WrittenRings | Rle
    score: float | UnsetType = UNSET
    instance_id: int | UnsetType = UNSET
    attributes: Mapping[str, Any] | UnsetType = UNSET
    inlay: Mapping[str, Any] | UnsetType = UNSET


class _Image(Struct):
    id: int
    file_name: str
    height: int | UnsetType = UNSET
    width: int | UnsetType = UNSET
    video_id: int | UnsetType = UNSET
    frame_id: int | UnsetType = UNSET
    inlay: ImageExtra | UnsetType = UNSET


class _Category(Struct):
    id: int
    name: str
    supercategory: str
    isthing: int | UnsetType = UNSET
    color: tuple[int, int, int] | UnsetType = UNSET
    inlay: CategoryExtra | UnsetType = UNSET


class SplitWriter:
    """Gathers the samples of one label file."""

    def __init__(self, dataset: Dataset, rule: Rule, *, only_polygons: bool) -> None:
        self._source_ids = dataset.source_ids
        self._category_ids = np.array(category_ids(dataset.classes), np.int64)
        self._classes = dataset.classes
        self._rule, self._only_polygons = rule, only_polygons
        self._images: list[_Image] = []
        self._names: list[str] = []
        self._videos: dict[str, int] = {}
        self._texts: list[list[bytes]] = []
        self._ids: list[NDArray[np.int64] | None] = []

    def add(self, sample: Sample, file_name: str, *, name: str, split: str) -> None:
        """Add a sample whose image is `file_name`; `name` and `split` are what these say by themselves."""
        label = sample.segmentation
        image = _Image(len(self._images) + 1, file_name)
        size = _size(sample)
        if size is not None:
            image.height, image.width = size
        if sample.group:
            image.video_id = self._videos.setdefault(sample.group, len(self._videos) + 1)
        if sample.frame is not None:
            image.frame_id = sample.frame
        extra = ImageExtra(
            sample.name if sample.name != name else None,
            sample.split if sample.split != split else None,
            sorted(label.image_tags) if label else [],
            label is None,
        )
        if extra != ImageExtra():
            image.inlay = extra
        self._images.append(image)
        self._names.append(sample.name)
        self._ids.append(np.empty(0, np.int64) if label is None else label.source_id)
        self._texts.append([] if label is None else self._annotations(label, video=sample.frame is not None))

    def _annotations(self, label: Segmentation, *, video: bool) -> list[bytes]:
        if not len(label):
            return []
        geometries = write_masks(
            label.masks, runs=label.crowd, rule=self._rule, only_polygons=self._only_polygons
        )
        boxes = (
            _xywh(label.boxes()).tolist()
            if label.stated_box is not None
            else _xywh(label.masks.box()).tolist()
        )
        areas = label.areas().tolist() if label.stated_area is not None else label.masks.area().tolist()
        categories = self._category_ids[label.class_id].tolist()
        rows = [
            _Annotation(*values)
            for values in zip(categories, label.crowd.astype(int).tolist(), boxes, areas, geometries)
        ]
        self._add_extras(rows, label, video=video)
        return [msgspec.json.encode(row) for row in rows]

    def _add_extras(self, rows: Sequence[_Annotation], label: Segmentation, *, video: bool) -> None:
        if label.score is not None:
            for row, score in zip(rows, label.score.tolist()):
                row.score = score
        usual = (
            np.zeros(len(label), np.bool_) if video else label.instance_id == instance_numbers(label.is_thing)
        )
        for i in np.flatnonzero(~usual).tolist():
            rows[i].instance_id = int(label.instance_id[i])
        for row, tags in zip(rows, label.tags):
            row.attributes = attributes_of(tags)
        if label.amodal is not None:
            never = np.zeros(len(label), np.bool_)
            for row, geometry in zip(rows, write_masks(label.amodal, runs=never, rule=self._rule)):
                row.inlay = {"amodal": geometry}
        empty = label.masks.area() == 0
        if label.stated_box is not None and empty.any():
            for i in np.flatnonzero(empty & (label.stated_box[:, 2] > label.stated_box[:, 0])).tolist():
                rows[i].segmentation = []

    def write(self, path: Path) -> None:
        """Write the file; ids of the source are kept where they are distinct and above 0."""
        image_ids = self._image_ids()
        for image, number in zip(self._images, image_ids):
            image.id = number
        texts = [text for each in self._texts for text in each]
        owners = [number for number, each in zip(image_ids, self._texts) for _ in each]
        annotations = [
            b'{"id":%d,"image_id":%d,%b' % (number, owner, text[1:])
            for number, owner, text in zip(self._annotation_ids(len(texts)), owners, texts)
        ]
        head: dict[str, Any] = {"info": {"description": "Written by Inlay"}, "licenses": []}
        head["categories"] = _categories(self._classes, self._category_ids.tolist())
        if self._videos:
            head["videos"] = [{"id": number, "name": name} for name, number in self._videos.items()]
        head["images"] = self._images
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(msgspec.json.encode(head)[:-1] + b',"annotations":[')
            file.write(b",\n".join(annotations))
            file.write(b"]}\n")

    def _image_ids(self) -> list[int]:
        given = [self._source_ids[name] for name in self._names if name in self._source_ids]
        kept = len(set(given)) == len(self._names)
        return given if kept else list(range(1, len(self._names) + 1))

    def _annotation_ids(self, count: int) -> list[int]:
        given = [ids for ids in self._ids if ids is not None]
        if count and len(given) == len(self._ids):
            ids = np.concatenate(given)
            if int(ids.min()) > 0 and np.unique(ids).size == count:
                kept: list[int] = ids.tolist()
                return kept
        return list(range(1, count + 1))


def category_ids(classes: Classes) -> list[int]:
    """Ids of categories: those of the source where they are distinct, else 1, 2, ...: some readers drop 0."""
    given = [item.source_id for item in classes]
    ids = [number for number in given if number is not None]
    if len(set(ids)) == len(given):
        return ids
    return list(range(1, len(given) + 1))


def _categories(classes: Classes, ids: Sequence[int]) -> list[_Category]:
    all_things = all(item.kind == "thing" for item in classes)
    return [
        _Category(
            number,
            item.name,
            item.parent,
            UNSET if all_things else int(item.kind == "thing"),
            UNSET if item.colour is None else item.colour,
            CategoryExtra("void") if item.kind == "void" else UNSET,
        )
        for number, item in zip(ids, classes)
    ]


def _xywh(boxes: NDArray[Any]) -> NDArray[Any]:
    """(N, 4) x, y, width, height of corner boxes, with widths that give the same corners back."""
    found = boxes.copy()
    extent = boxes[:, 2:] - boxes[:, :2]
    short = np.round(extent, 6)
    found[:, 2:] = np.where(boxes[:, :2] + short == boxes[:, 2:], short, extent)
    return found


def _size(sample: Sample) -> tuple[int, int] | None:
    if sample.segmentation is not None:
        return sample.segmentation.size
    if isinstance(sample.image, Path):
        return image_size(sample.image)
    return None if sample.image is None else (sample.image.shape[0], sample.image.shape[1])


class Placer:
    """Gives each image a file name below its split, and the sample name that a reader takes from it."""

    def __init__(self, splits: Sequence[str]) -> None:
        self._several = len(splits) > 1
        self._taken: set[str] = set()

    def __call__(self, sample: Sample, split: str) -> tuple[str, str]:
        """File name below the folder of the split, without suffix, and the sample name it gives."""
        prefix = f"{plain_split(split)}/" if self._several and split else ""
        short = sample.name.removeprefix(prefix) or sample.name
        name, number = short, 1
        while f"{split}/{name}" in self._taken:
            number += 1
            name = f"{short}-{number}"
        self._taken.add(f"{split}/{name}")
        return name, prefix + name


def write_folder(dataset: Dataset, folder: Path, rule: Rule, *, only_polygons: bool) -> None:
    """`annotations.json`, `images/`; with splits `annotations/instances_SPLIT.json`, `images/SPLIT/`."""
    splits = sorted({dataset.splits.get(name, "") for name in dataset.names} or {""})
    for split in splits:
        if split and not re.fullmatch(r"[\w.-]+", split):
            raise InlayError(f"split {split!r} makes no file name: use letters, digits, '_', '.', '-'")
    writers = {split: SplitWriter(dataset, rule, only_polygons=only_polygons) for split in splits}
    place = Placer(splits)
    for sample in dataset:
        split = dataset.splits.get(sample.name, "")
        stem, name = place(sample, split)
        images = folder / "images" / split if split else folder / "images"
        file = store_image(sample, images, stem)
        file_name = file.relative_to(images).as_posix() if file else stem
        writers[split].add(sample, file_name, name=name, split=plain_split(split))
    for split, writer in writers.items():
        named = folder / "annotations" / (f"instances_{split}.json" if split else "instances.json")
        writer.write(folder / "annotations.json" if splits == [""] else named)


def write_file(dataset: Dataset, path: Path, rule: Rule, *, only_polygons: bool) -> None:
    """One JSON file of labels alone; images keep their names."""
    writer = SplitWriter(dataset, rule, only_polygons=only_polygons)
    split = plain_split(split_word(path))
    for sample in dataset:
        suffix = sample.image.suffix if isinstance(sample.image, Path) else ".png"
        writer.add(sample, sample.name + suffix, name=sample.name, split=split)
    writer.write(path)
