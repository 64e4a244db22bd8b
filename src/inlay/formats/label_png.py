"""Label PNG: a folder of images and a folder of maps whose pixels are class or instance numbers.

Reads palette, 1- to 16-bit grey and RGB maps in the usual layouts (`label_folders`) under the usual class
lists (`class_lists`); what maps without a class list mean is decided or refused in `inferred_classes`. Writes

- `images/`, and `classes.json` with the number, kind and colour of each class;
- `labels/`: where no class is a thing and no image has two segments of one class, 8-bit palette maps of
  classes (16-bit where numbers are over 255); else 16-bit maps of instance numbers, never wrapped;
- `segments.csv`: class, number, crowd, score, tags of each segment, for samples whose map does not say it;
- `samples.csv`: split, group, frame, tags of each image.

It imports numpy and Pillow alone, so that training from it needs nothing else.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.segmentation import Segmentation
from inlay.formats.parts import label_folders, label_tables
from inlay.formats.parts.class_lists import ClassList, classes_as_json, find_class_list
from inlay.formats.parts.davis_layout import video_maps
from inlay.formats.parts.facts import FACTS
from inlay.formats.parts.huggingface_layout import find_metadata
from inlay.formats.parts.inferred_classes import infer_classes
from inlay.formats.parts.label_folders import Pair
from inlay.formats.parts.label_maps import LabelMap, read_label_map, write_label_map
from inlay.formats.parts.label_tables import SampleRow, SegmentRow, TableWriter
from inlay.formats.parts.label_values import segments_of
from inlay.formats.parts.mapillary_layout import config_of
from inlay.formats.parts.places import place, store_image

KEEPS = FACTS - {"overlap", "order", "amodal", "box", "stated_box", "stated_area"}
_MOST = 65535  # the largest number of a 16-bit map
_OTHERS = (
    "labels/*/bitmasks",
    "annotations/*-object-segmentation.csv",
    "*.ndjson",
    "data/*.parquet",
)  # own formats
_VOID_COLOUR = (224, 224, 192)  # of pixels that belong to nobody: the cream of Pascal VOC


def sniff(path: Path) -> bool:
    """Whether it is our `classes.json`, or a folder with one, or has label maps where people put them."""
    if path.is_file():
        return path.name == "classes.json" and sniff(path.parent)
    if not path.is_dir() or video_maps(path) is not None:
        return False
    if (
        config_of(path) is not None
        or find_metadata(path)
        or any(next(path.glob(mark), None) for mark in _OTHERS)
    ):
        return False
    return (path / "classes.json").is_file() or label_folders.looks_like_labels(path)


def read(path: Path, *, like: Dataset | None = None) -> Dataset:
    """The samples of a folder; their maps are opened when they are asked for."""
    root = path.parent if path.is_file() else path
    if not root.is_dir():
        raise FormatError(path, "", "there is no such folder")
    listed = find_class_list(root)
    tables = (root / "samples.csv", root / "segments.csv")
    samples = label_tables.read_samples(tables[0]) if tables[0].is_file() else {}
    pairs = _pairs(root, samples, listed)
    labels = [pair.label for pair in pairs if pair.label is not None]
    if not labels and not tables[0].is_file():
        what = "no label maps below it; put images/ and labels/ into it, with labels named like images"
        raise FormatError(root, "", what)
    meaning = listed or (_of_dataset(like) if like is not None else infer_classes(root, labels))
    rows = label_tables.read_segments(tables[1], meaning.classes) if tables[1].is_file() else {}
    by_name = {pair.name: pair for pair in pairs}
    splits = {pair.name: pair.split for pair in pairs if pair.split}
    load = partial(_load, _Folder(by_name, samples, rows, meaning))
    return Dataset(meaning.classes, tuple(by_name), load, splits)


@dataclass(frozen=True, eq=False)
class _Folder:
    """All that is known of a folder before a map is opened."""

    pairs: Mapping[str, Pair]
    samples: Mapping[str, SampleRow]
    rows: Mapping[str, list[SegmentRow]]
    meaning: ClassList


def _pairs(root: Path, samples: Mapping[str, SampleRow], listed: ClassList | None) -> list[Pair]:
    """Samples of the table in its order, then those that lie in the folders besides."""
    own = listed is not None and listed.path is not None and listed.path.parent == root
    image_folder, label_folder = (listed.image_folder, listed.label_folder) if listed and own else ("", "")
    pairs = []
    for name, row in samples.items():
        image = root / row.image if row.image else None
        label = root / (label_folder or "labels") / f"{name}.png"
        pairs.append(Pair(name, image, label if label.is_file() else None, row.split))
    found = label_folders.find_pairs(root, image_folder=image_folder, label_folder=label_folder)
    return pairs + [pair for pair in found if pair.name not in samples]


def _of_dataset(like: Dataset) -> ClassList:
    """The classes of another dataset, numbered as in its own source."""
    numbers = tuple(like.classes.source_ids.tolist())
    values = numbers if len(set(numbers)) == len(numbers) else tuple(range(len(numbers)))
    return ClassList(like.classes, values, unlabelled=frozenset({255}) - set(values))


def _load(folder: _Folder, name: str) -> Sample:
    pair, table = folder.pairs[name], folder.samples.get(name)
    label = None
    if pair.label is not None:
        label = segments_of(read_label_map(pair.label), folder.meaning, folder.rows.get(name))
        if table is not None:
            label = label.replace(image_tags=table.tags)
    sample = Sample(name, pair.image, label, pair.split)
    return sample if table is None else sample.replace(group=table.group, frame=table.frame)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write `images/`, `labels/`, `classes.json` and the tables that are needed."""
    instances = bool(dataset.classes.is_thing.any())
    try:
        _write_all(dataset, path, instances=instances)
    except _SeveralOfAClassError:
        shutil.rmtree(path)
        _write_all(dataset, path, instances=True)


class _SeveralOfAClassError(InlayError):
    """A map of classes would merge two segments of one image."""


def _write_all(dataset: Dataset, path: Path, *, instances: bool) -> None:
    meaning = _numbering(dataset.classes, instances=instances)
    path.mkdir(parents=True, exist_ok=True)
    (path / "labels").mkdir()
    (path / "images").mkdir()
    with TableWriter(path) as tables:
        for sample in dataset:
            tables.sample(sample, store_image(sample, path / "images"))
            if sample.segmentation is not None:
                _write_label(sample, path, meaning, tables)
    (path / "classes.json").write_text(_as_json(meaning), "utf-8")


def _numbering(classes: Classes, *, instances: bool) -> ClassList:
    """The numbers of our own maps: source ids where they fit, and a free one for pixels of nobody."""
    numbers = classes.source_ids.tolist()
    if instances or len(set(numbers)) < len(numbers) or not all(0 <= number < _MOST for number in numbers):
        numbers = list(range(len(classes)))
    top = 255 if max(numbers, default=0) <= 255 and len(numbers) <= 255 else _MOST
    free = 0 if instances else next(value for value in range(top, -1, -1) if value not in numbers)
    return ClassList(classes, tuple(numbers), None, instances, frozenset({free}), None, "images", "labels")


def _as_json(meaning: ClassList) -> str:
    """The text of `classes.json`: one line for each key and class."""
    head: dict[str, Any] = {
        "labels": "instance" if meaning.instances else "semantic",
        "image_folder": meaning.image_folder,
        "label_folder": meaning.label_folder,
        "unlabelled": min(meaning.unlabelled),
    }
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    entries = classes_as_json(meaning.classes, meaning.values)
    rows = ",\n".join(f"    {json.dumps(entry, ensure_ascii=False)}" for entry in entries)
    return "{\n" + ",\n".join(lines) + ',\n  "classes": [\n' + rows + "\n  ]\n}\n"


def _write_label(sample: Sample, path: Path, meaning: ClassList, tables: TableWriter) -> None:
    label = sample.label().with_classes(meaning.classes)
    ids = _instance_ids(sample.name, label) if meaning.instances else _class_ids(label, meaning)
    void = min(meaning.unlabelled)
    numbers = label.masks.paint(ids, fill=void)
    deep = meaning.instances or max((*meaning.values, void)) > 255
    file = place(path / meaning.label_folder, sample.name, ".png")
    write_label_map(file, numbers, None if deep else _palette(meaning), bits=16 if deep else 8)
    if not _says_all(LabelMap(file, numbers, 16 if deep else 8), label, meaning):
        tables.segments(sample.name, label, ids.tolist())


def _class_ids(label: Segmentation, meaning: ClassList) -> NDArray[np.int64]:
    if len(np.unique(label.class_id)) < len(label):
        raise _SeveralOfAClassError("two segments of one class")
    return np.array(meaning.values, np.int64)[label.class_id]


def _instance_ids(name: str, label: Segmentation) -> NDArray[np.int64]:
    """A number for each segment: its instance id where that is one, else its place from the back."""
    ids: NDArray[np.int64] = label.instance_id.astype(np.int64)
    if len(label) > _MOST:
        what = f"sample {name!r} has {len(label)} segments; a 16-bit map holds {_MOST}"
        raise InlayError(f"{what}: write it as native or coco")
    plain = len(np.unique(ids)) == len(ids) and bool(((ids > 0) & (ids <= _MOST)).all())
    return ids if plain else np.arange(1, len(label) + 1)


def _says_all(numbers: LabelMap, label: Segmentation, meaning: ClassList) -> bool:
    """Whether the map alone gives the segments back."""
    if meaning.instances and len(meaning.classes) > 1 and len(label):
        return False
    kept = label.replace(amodal=None, stated_box=None, stated_area=None, image_tags=frozenset())
    return segments_of(numbers, meaning).equals(kept)


def _palette(meaning: ClassList) -> NDArray[np.uint8]:
    colours = np.zeros((256, 3), np.uint8)
    colours[list(meaning.unlabelled)] = _VOID_COLOUR
    colours[list(meaning.values)] = meaning.classes.colours
    return colours
