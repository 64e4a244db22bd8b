"""Datumaro: `annotations/SUBSET.json` of items with masks, polygons, ellipses and boxes, and `images/`.

Masks are COCO's run lengths; polygons are filled as pycocotools does. `z_order` is the order of the stack,
and masks and polygons of one label and one `group` are one segment; a `track_id` is its number. Attributes
are tags. CVAT writes all object ids as 0: ids are kept where they differ. Labels of the whole image are its
tags; points, lines, captions and cuboids are left out, counted. We write masks, which hold everything
exactly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Struct

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import image_size
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.formats.parts.coco_layout import ImageFinder, safe_parts
from inlay.formats.parts.drawing import Box, Drawing, Row, group_numbers, is_bare_box, ring_of
from inlay.formats.parts.extras import KEPT, ExtraWriter, read_extras
from inlay.formats.parts.pieces import ellipse
from inlay.formats.parts.places import refuse_nothing, size_of, store_image
from inlay.formats.parts.split_names import plain_split, splits_of
from inlay.formats.parts.tag_words import attributes_of, tags_of
from inlay.formats.parts.typed_json import decode, looks_like, read_bytes

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "order"),
    *("score", "crowd", "tags", "box", "source_id"),
}
READERS = ("pycocotools", "opencv")
_AREAS = frozenset({"mask", "polygon", "ellipse", "bbox"})
_UNSPLIT = "default"


class _Rle(Struct):
    counts: str | list[int]
    size: tuple[int, int]


class _Item(Struct):
    type: str
    id: int = 0
    group: int = 0
    label_id: int | None = None
    z_order: int = 0
    attributes: dict[str, Any] = {}
    points: list[float] = []
    bbox: list[float] = []
    rle: _Rle | None = None


class _Media(Struct):
    path: str = ""
    size: tuple[int, int] | None = None


class _Entry(Struct):
    id: str
    annotations: list[_Item] = []
    attr: dict[str, Any] = {}
    image: _Media | None = None


class _Label(Struct):
    name: str
    parent: str | None = None


class _Labels(Struct, frozen=True):
    labels: list[_Label] = []


class _Colour(Struct):
    label_id: int
    r: int
    g: int
    b: int


class _Colours(Struct, frozen=True):
    colormap: list[_Colour] = []


class _Categories(Struct, frozen=True):
    label: _Labels = _Labels()
    mask: _Colours = _Colours()


class _File(Struct):
    items: list[_Entry]
    categories: _Categories = _Categories()


def sniff(path: Path) -> bool:
    """Whether it is a JSON with categories and items, or a folder with some."""
    return bool(_files(path))


def _files(path: Path) -> list[Path]:
    files = [path] if path.is_file() else sorted([*path.glob("annotations/*.json"), *path.glob("*.json")])
    return [file for file in files if looks_like(file, "categories", "items", "label")]


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The items of a file, or of all subsets of a folder.

    Parameters
    ----------
    reader
        Tool whose way of filling polygons is meant; default pycocotools.
    """
    files = _files(path)
    if not files:
        raise FormatError(path, "", "no JSON with categories and items")
    root = files[0].parent.parent if files[0].parent.name == "annotations" else files[0].parent
    extras = read_extras(root)
    classes, found = Classes(()), dict[str, _Found]()
    left_out: Counter[str] = Counter()
    for file in files:
        data = decode(read_bytes(file), file, _File)
        own = _classes(data.categories, file)
        classes = classes.merge(own)
        split = "" if file.stem == _UNSPLIT else plain_split(file.stem)
        for i, entry in enumerate(data.items):
            key = entry.id if entry.id not in found else f"{file.stem}/{entry.id}"
            if not safe_parts(entry.id) or key in found:
                raise FormatError(file, f"items[{i}].id", f"{entry.id!r} names no image, or stands twice")
            found[key] = _Found(file, i, entry, own.names, split)
            left_out.update(item.type for item in entry.annotations if item.type not in {*_AREAS, "label"})
    classes = extras.classes_with(classes)
    folders = [root / "images" / name for name in dict.fromkeys(file.stem for file in files)]
    finder = ImageFinder([folder for folder in (*folders, root / "images", root) if folder.is_dir()])
    load = _Items(found, finder, classes, reader or READERS[0])
    splits = {key: item.split for key, item in found.items()}
    return extras.dataset(list(found), classes, load, root, splits=splits, left_out=left_out)


@dataclass(frozen=True)
class _Found:
    """An item: its file, place, contents, the labels of its file, its split."""

    path: Path
    place: int
    entry: _Entry
    labels: tuple[str, ...]
    split: str


def _classes(categories: _Categories, path: Path) -> Classes:
    colours = {each.label_id: (each.r, each.g, each.b) for each in categories.mask.colormap}
    rows = [
        SegmentClass(label.name, "thing", colours.get(i), label.parent or "")
        for i, label in enumerate(categories.label.labels)
    ]
    try:
        return Classes(tuple(rows))
    except InlayError as error:
        raise FormatError(path, "categories.label.labels", str(error)) from None


@dataclass(frozen=True, eq=False)
class _Items:
    """Items by key; calling it with one makes its segments."""

    found: Mapping[str, _Found]
    find: ImageFinder
    classes: Classes
    reader: str

    def __call__(self, key: str) -> Sample:
        item = self.found[key]
        media = item.entry.image or _Media()
        names = [media.path, *(f"{item.entry.id}{suffix}" for suffix in (".jpg", ".png"))]
        image = next((file for name in names if name and (file := self.find(name))), None)
        size = media.size
        if size is None:
            if image is None:
                what = f"no size, and the image {media.path or item.entry.id!r} is not in images/"
                raise FormatError(item.path, f"items[{item.place}].image", what)
            size = image_size(image)
        drawing = Drawing(self.classes, size, item.path, self.reader)
        frame = item.entry.attr.get("frame")
        frame = frame if isinstance(frame, int) and not isinstance(frame, bool) else None
        return Sample(key, image, _segmentation(drawing, item), item.split, frame=frame)


def _segmentation(drawing: Drawing, found: _Found) -> Segmentation:
    rows: dict[tuple[int | None, int], int] = {}
    words: set[str] = set()
    listed = list(enumerate(found.entry.annotations))
    ids = [item.id for _, item in listed if item.type in _AREAS]
    for i, item in sorted(listed, key=lambda pair: pair[1].z_order):
        where = f"items[{found.place}].annotations[{i}]"
        if item.type == "label":
            words.add(_name(found, item, where))
        if item.type not in _AREAS:
            continue
        group = (item.label_id, item.group)
        row = rows.get(group) if item.group and item.type != "bbox" else None
        if row is None:
            about = _row(found, item, where, keep_id=len(set(ids)) == len(ids))
            row = drawing.row(about, where)
            if item.type != "bbox":
                rows[group] = row
        _draw(drawing, row, item, where)
    return drawing.segmentation(image_tags=frozenset(words))


def _name(found: _Found, item: _Item, where: str) -> str:
    if item.label_id is None or not 0 <= item.label_id < len(found.labels):
        what = f"{item.label_id} is none of the {len(found.labels)} labels"
        raise FormatError(found.path, f"{where}.label_id", what)
    return found.labels[item.label_id]


def _row(found: _Found, item: _Item, where: str, *, keep_id: bool) -> Row:
    known = dict(item.attributes)
    crowd = bool(known.pop("is_crowd", False))
    track, score = known.get("track_id"), known.pop("score", None)
    box: Box | None = None
    if item.type == "bbox":
        if len(item.bbox) != 4:
            what = f"{len(item.bbox)} numbers; a box is x, y, width, height"
            raise FormatError(found.path, f"{where}.bbox", what)
        x, y, width, height = item.bbox
        box = (x, y, x + width, y + height)
    number = track if isinstance(track, int) and not isinstance(track, bool) else None
    value = float(score) if isinstance(score, int | float) and not isinstance(score, bool) else None
    source = item.id if keep_id else None
    return Row(_name(found, item, where), tags_of(known), number, crowd, value, box, source)


def _draw(drawing: Drawing, row: int, item: _Item, where: str) -> None:
    path = drawing.path
    if item.type == "polygon":
        drawing.polygon(row, [ring_of(item.points, path, f"{where}.points")])
    elif item.type == "ellipse":
        if len(item.points) != 4:
            raise FormatError(path, f"{where}.points", f"{len(item.points)} numbers; an ellipse has its box")
        (x0, y0), (x1, y1) = ring_of(item.points, path, f"{where}.points").tolist()
        centre, radii = ((x0 + x1) / 2, (y0 + y1) / 2), (abs(x1 - x0) / 2, abs(y1 - y0) / 2)
        drawing.piece(row, *ellipse(centre, radii, 0, drawing.size, at=0.5))
    elif item.type == "mask":
        if item.rle is None or item.rle.size != drawing.size:
            what = (
                "missing" if item.rle is None else f"{item.rle.size} is not the {drawing.size} of the image"
            )
            raise FormatError(path, f"{where}.rle", what)
        try:
            texts = item.rle.counts
            make = Masks.from_strings([texts], drawing.size) if isinstance(texts, str) else None
            drawing.mask(row, make or Masks.from_runs([texts], drawing.size))
        except (InlayError, OverflowError) as error:
            raise FormatError(path, f"{where}.rle.counts", str(error)) from None


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - masks
    """Write `annotations/SUBSET.json` and `images/SUBSET/`, every segment a mask."""
    extras = ExtraWriter(dataset, "datumaro")
    splits = {split: split or _UNSPLIT for split in splits_of(dataset)}
    items: dict[str, list[dict[str, Any]]] = {word: [] for word in splits.values()}
    for sample in dataset:
        refuse_nothing(sample)
        split = dataset.splits.get(sample.name, "")
        word = splits[split]
        image = store_image(sample, path / "images" / word)
        name = image.relative_to(path / "images" / word).as_posix() if image else f"{sample.name}.png"
        label = sample.segmentation or Segmentation.empty(dataset.classes, size_of(sample))
        attributes = {} if sample.frame is None else {"frame": sample.frame}
        about = {"path": name, "size": list(label.size)}
        items[word].append(
            {"id": sample.name, "annotations": _items(label), "attr": attributes, "image": about}
        )
        said = label.replace(image_tags=frozenset())
        extras.add(sample, Sample(sample.name, None, said, plain_split(split), frame=sample.frame))
    colours = [
        dict(zip(("label_id", "r", "g", "b"), (i, *item.colour)))
        for i, item in enumerate(dataset.classes)
        if item.colour is not None
    ]
    labels = [{"name": item.name, "parent": item.parent, "attributes": []} for item in dataset.classes]
    categories = {"label": {"labels": labels, "attributes": ["is_crowd"]}, "mask": {"colormap": colours}}
    (path / "annotations").mkdir(parents=True)
    for word, several in items.items():
        data = {"info": {}, "categories": categories, "items": several}
        (path / "annotations" / f"{word}.json").write_bytes(msgspec.json.encode(data))
    extras.write(path)


def _items(label: Segmentation) -> list[dict[str, Any]]:
    found = []
    bare, numbers = is_bare_box(label), group_numbers(label)
    strings, boxes = label.masks.to_strings(), label.boxes()
    for i in np.flatnonzero((label.masks.area() > 0) | bare).tolist():
        known = attributes_of(label.tags[i])
        attributes: dict[str, Any] = {} if known is UNSET else dict(known)
        attributes |= {"is_crowd": True} if label.crowd[i] else {}
        attributes |= {} if label.score is None else {"score": float(label.score[i])}
        attributes |= {} if numbers[i] is None else {"track_id": numbers[i]}
        item: dict[str, Any] = {"id": i + 1 if label.source_id is None else int(label.source_id[i])}
        item |= {"attributes": attributes, "group": 0, "label_id": int(label.class_id[i]), "z_order": i}
        if bare[i]:
            x0, y0, x1, y1 = boxes[i].tolist()
            found.append({**item, "type": "bbox", "bbox": [x0, y0, x1 - x0, y1 - y0]})
        else:
            rle = {"counts": strings[i].decode("ascii"), "size": list(label.size)}
            found.append({**item, "type": "mask", "rle": rle})
    return found
