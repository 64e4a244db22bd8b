"""Supervisely: `meta.json` and, for each dataset of the project, `ann/` and `img/`.

Bitmaps are zlib-packed PNGs with the column and row of their first pixel; polygons have holes, which
Supervisely fills and then takes out, rim included. Upright rectangles have no pixels. We write bitmaps, which
hold every mask exactly. Tags of objects and of images are tags, with `=value` where they have one; lines,
points, graphs and masks of many alphas are left out, counted. The datasets of a project are its splits where
they are called so.
"""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import SUFFIXES
from inlay.core.polygons import from_rings
from inlay.core.segmentation import Segmentation, Tags
from inlay.formats.parts.drawing import Box, Drawing, Row, is_bare_box, ring_of
from inlay.formats.parts.extras import KEPT, ExtraWriter, read_extras
from inlay.formats.parts.pieces import foreground, from_base64, image_of, inflate, piece_of, png_of
from inlay.formats.parts.places import FlatNames, place, refuse_nothing, store_image
from inlay.formats.parts.readers import fill_for
from inlay.formats.parts.split_lists import SPLIT_WORDS
from inlay.formats.parts.split_names import splits_of
from inlay.formats.parts.typed_json import decode, looks_like, read_bytes

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "order"),
    *("crowd", "tags", "box", "source_id"),
}
READERS = ("supervisely", "opencv", "pycocotools")
_AREAS = frozenset({"bitmap", "polygon", "rectangle", "alpha_mask"})
_CROWD = "iscrowd"
_UNSPLIT = "ds0"  # the folder of samples without a split


class _Tag(Struct):
    name: str
    value: Any = None

    @property
    def word(self) -> str:
        """The tag as a word."""
        return self.name if self.value is None else f"{self.name}={self.value}"


class _Bitmap(Struct):
    data: str
    origin: tuple[int, int]


class _Points(Struct):
    exterior: list[tuple[float, float]] = []
    interior: list[list[tuple[float, float]]] = []


class _Object(Struct):
    classTitle: str  # noqa: N815 - their spelling
    geometryType: str  # noqa: N815
    id: int | None = None
    instance: Any = None
    tags: list[_Tag] = []
    bitmap: _Bitmap | None = None
    points: _Points | None = None


class _Size(Struct):
    height: int
    width: int


class _File(Struct):
    size: _Size
    objects: list[_Object] = []
    tags: list[_Tag] = []


class _MetaClass(Struct):
    title: str
    color: str | None = None


class _Meta(Struct):
    classes: list[_MetaClass]


def sniff(path: Path) -> bool:
    """Whether it is a folder with a `meta.json` of classes, or that file."""
    file = path if path.is_file() and path.name == "meta.json" else path / "meta.json"
    return looks_like(file, "classes", "tags")


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The images of all datasets of a project; those without a label file are unlabelled.

    Parameters
    ----------
    reader
        Tool whose way of filling polygons is meant; default Supervisely's own.
    """
    root = path.parent if path.is_file() else path
    if not (root / "meta.json").is_file():
        raise FormatError(path, "", "no meta.json: a Supervisely project begins with it")
    extras = read_extras(root)
    entries = _entries(root)
    left_out: Counter[str] = Counter()
    for labels, _ in entries.values():
        if labels is not None:
            kinds = (each.geometryType for each in _open(labels).objects)
            left_out.update(kind for kind in kinds if kind not in _AREAS)
    classes = extras.classes_with(_classes(root / "meta.json"))
    splits = {key: SPLIT_WORDS.get(key.split("/")[0].lower(), "") for key in entries}
    load = _Project(entries, splits, classes, reader or READERS[0])
    return extras.dataset(list(entries), classes, load, root, splits=splits, left_out=left_out)


def _entries(root: Path) -> dict[str, tuple[Path | None, Path | None]]:
    """Label file and image of each sample, called by its dataset and its file name without suffix."""
    found: dict[str, tuple[Path | None, Path | None]] = {}
    for folder in sorted({*root.glob("**/ann"), *(ann.with_name("ann") for ann in root.glob("**/img"))}):
        images = {file.name: file for file in folder.with_name("img").glob("*") if file.is_file()}
        labels = {file.name.removesuffix(".json"): file for file in folder.glob("*.json")}
        for name in sorted({*images, *labels}):
            suffix = Path(name).suffix
            stem = name.removesuffix(suffix) if suffix.lower() in SUFFIXES else name
            place_ = folder.parent.relative_to(root).as_posix()
            key = f"{place_}/{stem}"
            key = f"{place_}/{name}" if key in found else key
            found[key] = labels.get(name), images.get(name)
    return found


def _open(path: Path) -> _File:
    return decode(read_bytes(path, limit=1 << 30), path, _File)


def _classes(path: Path) -> Classes:
    rows: dict[str, SegmentClass] = {}
    for i, item in enumerate(decode(read_bytes(path), path, _Meta).classes):
        try:
            colour = bytes.fromhex((item.color or "").lstrip("#"))
        except ValueError:
            colour = b"?"
        if len(colour) not in (0, 3):
            raise FormatError(path, f"classes[{i}].color", f"{item.color!r} is not #rrggbb")
        rgb = (colour[0], colour[1], colour[2]) if colour else None
        rows.setdefault(item.title, SegmentClass(item.title, colour=rgb))
    return Classes(tuple(rows.values()))


@dataclass(frozen=True, eq=False)
class _Project:
    """Label files and images by key; calling it with one reads that sample."""

    entries: Mapping[str, tuple[Path | None, Path | None]]
    splits: Mapping[str, str]
    classes: Classes
    reader: str

    def __call__(self, key: str) -> Sample:
        path, image = self.entries[key]
        if path is None:
            return Sample(key, image, None, self.splits[key])
        data = _open(path)
        drawing = Drawing(self.classes, (data.size.height, data.size.width), path, self.reader)
        for i, item in enumerate(data.objects):
            if item.geometryType in _AREAS:
                where = f"objects[{i}]"
                _draw(drawing, drawing.row(_row(item, path, where), where), item, where)
        label = drawing.segmentation(image_tags=frozenset(tag.word for tag in data.tags))
        return Sample(key, image, label, self.splits[key])


def _row(item: _Object, path: Path, where: str) -> Row:
    tags: Tags = frozenset(tag.word for tag in item.tags)
    box: Box | None = None
    if item.geometryType == "rectangle":
        corners = ring_of(item.points.exterior if item.points else [], path, f"{where}.points")
        if len(corners) != 2:
            raise FormatError(path, f"{where}.points.exterior", f"{len(corners)} points; a rectangle has 2")
        (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
        box = (x0, y0, x1 + 1, y1 + 1)  # its corners are pixels, both inside
    number = item.instance if isinstance(item.instance, int) and not isinstance(item.instance, bool) else None
    return Row(item.classTitle, tags - {_CROWD}, number, _CROWD in tags, box=box, source_id=item.id)


def _draw(drawing: Drawing, row: int, item: _Object, where: str) -> None:
    path = drawing.path
    if item.geometryType == "polygon":
        points = item.points or _Points()
        outer = ring_of(points.exterior, path, f"{where}.points.exterior")
        inner = [ring_of(ring, path, f"{where}.points.interior") for ring in points.interior]
        if inner and drawing.reader == "supervisely":
            both = fill_for(drawing.reader, from_rings([[[outer]], [[ring] for ring in inner]]), drawing.size)
            drawing.mask(row, both[0] - both[1])
        else:
            drawing.polygon(row, [outer, *inner])
    elif item.geometryType != "rectangle":
        if item.bitmap is None:
            raise FormatError(path, f"{where}.bitmap", "missing")
        most = drawing.size[0] * drawing.size[1]
        packed = from_base64(item.bitmap.data, path, f"{where}.bitmap.data")
        data = inflate(packed, 8 * most + 65_536, path, f"{where}.bitmap.data")
        pixels = foreground(image_of(data, most, path, f"{where}.bitmap.data"))
        drawing.piece(row, pixels, *item.bitmap.origin)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - bitmaps
    """Write a project with a dataset for each split, every segment a bitmap."""
    extras = ExtraWriter(dataset, "supervisely")
    words: set[str] = set()
    folders = {split: split or _UNSPLIT for split in splits_of(dataset)}
    names = {folder: FlatNames() for folder in folders.values()}
    for sample in dataset:
        refuse_nothing(sample)
        folder = folders[dataset.splits.get(sample.name, "")]
        stem = names[folder](sample.name)
        image = store_image(sample, path / folder / "img", stem)
        label = sample.segmentation
        (path / folder / "ann").mkdir(parents=True, exist_ok=True)
        if label is not None:
            name = image.name if image else f"{stem}.png"
            place(path / folder / "ann", name, ".json").write_bytes(msgspec.json.encode(_annotation(label)))
            words |= {*label.image_tags, *(word for tags in label.tags for word in tags)}
        split = SPLIT_WORDS.get(folder.lower(), "")
        extras.add(sample, Sample(f"{folder}/{stem}", None, label, split))
    meta = {
        "classes": [
            {"title": item.name, "shape": "any", "color": "#{:02x}{:02x}{:02x}".format(*colour)}
            for item, colour in zip(dataset.classes, dataset.classes.colours.tolist())
        ],
        "tags": [
            {"name": word, "value_type": "none", "color": "#808080"} for word in sorted({*words, _CROWD})
        ],
        "projectType": "images",
    }
    path.mkdir(parents=True, exist_ok=True)
    (path / "meta.json").write_bytes(msgspec.json.encode(meta))
    extras.write(path)


def _annotation(label: Segmentation) -> dict[str, Any]:
    objects = []
    bare, boxes = is_bare_box(label), label.boxes()
    plain = label.source_id is None
    for i in np.flatnonzero((label.masks.area() > 0) | bare).tolist():
        tags = sorted(label.tags[i]) + [_CROWD] * bool(label.crowd[i])
        item: dict[str, Any] = {"classTitle": label.class_names[i], "description": ""}
        item |= {"tags": [{"name": word, "value": None} for word in tags]}
        item |= {} if plain or label.source_id is None else {"id": int(label.source_id[i])}
        item |= {"instance": int(label.instance_id[i])}
        if bare[i]:
            x0, y0, x1, y1 = boxes[i].tolist()
            points = {"exterior": [[x0, y0], [x1 - 1, y1 - 1]], "interior": []}
            objects.append({**item, "geometryType": "rectangle", "points": points})
        else:
            pixels, x, y = piece_of(label.masks, i)
            data = base64.b64encode(zlib.compress(png_of(pixels))).decode("ascii")
            objects.append({**item, "geometryType": "bitmap", "bitmap": {"data": data, "origin": [x, y]}})
    size = {"height": label.size[0], "width": label.size[1]}
    tags_of_image = [{"name": word, "value": None} for word in sorted(label.image_tags)]
    return {"description": "", "tags": tags_of_image, "size": size, "objects": objects}
