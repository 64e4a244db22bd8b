"""LabelMe: one JSON file of shapes beside each image; polygons, circles, rectangles and mask bitmaps.

LabelMe draws its polygons with Pillow, through pixel centres and with fractions cut off: so does the usual
reader here. Shapes of one label and one `group_id` are one segment; a segment with holes is written as a
`mask` shape, since polygons here have none. Points and lines have no area and are left out, counted. The
image comes from `imagePath`, else from `imageData`. Segments are in the order of the file, the last one in
front; `flags` are tags; `labels.txt` lists the classes, `__ignore__` being void and `_background_` stuff.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from inlay.core.classes import Classes, Kind, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import MAX_PIXELS, SUFFIXES, image_size, list_images
from inlay.core.segmentation import NO_TAGS, Segmentation, Tags
from inlay.formats.parts.class_lists import read_text
from inlay.formats.parts.coco_layout import safe_parts
from inlay.formats.parts.drawing import Drawing, Row, group_numbers, outlines, ring_of
from inlay.formats.parts.extras import FILE, KEPT, ExtraWriter, is_written_as, read_extras, said
from inlay.formats.parts.pieces import ellipse, foreground, from_base64, image_of, piece_of, png_of
from inlay.formats.parts.places import place, refuse_nothing, store_image
from inlay.formats.parts.readers import rule
from inlay.formats.parts.tag_words import tags_of
from inlay.formats.parts.typed_json import decode, looks_like, read_bytes

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "order"),
    *("score", "crowd", "tags"),
}
READERS = ("labelme", "opencv", "pycocotools")
MOST_BYTES = 1 << 30  # of one label file, which may hold its image
_AREAS = frozenset({"polygon", "rectangle", "circle", "mask"})
_KINDS: Mapping[str, Kind] = {"__ignore__": "void", "_background_": "stuff"}
_CROWD = "iscrowd"  # a flag: the format has no word for it


class _Shape(Struct):
    label: str
    points: list[tuple[float, float]] = []
    shape_type: str = "polygon"
    group_id: int | None = None
    flags: dict[str, Any] | None = None
    attributes: dict[str, Any] | None = None
    description: str | None = None
    difficult: bool | None = None
    score: float | None = None
    mask: str | None = None


class _File(Struct):
    shapes: list[_Shape]
    imagePath: str | None = None  # noqa: N815 - their spelling
    imageData: str | None = None  # noqa: N815
    imageHeight: int | None = None  # noqa: N815
    imageWidth: int | None = None  # noqa: N815
    flags: dict[str, Any] | None = None


def sniff(path: Path) -> bool:
    """Whether it is a JSON file with shapes and imagePath, or a folder with one among its first files."""
    if path.is_file():
        return looks_like(path, "shapes", "imagePath")
    files = islice(path.rglob("*.json"), 8) if path.is_dir() else ()
    return any(sniff(file) for file in files if file.name != FILE) or is_written_as(path, "labelme")


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The samples of a folder or of one file; images without a label file are unlabelled.

    Parameters
    ----------
    reader
        Tool whose way of filling polygons is meant; default LabelMe's own.
    """
    root = path.parent if path.is_file() else path
    files = [path] if path.is_file() else sorted(path.rglob("*.json"))
    files = [file for file in files if file.name != FILE and (path.is_file() or sniff(file))]
    if not files and not is_written_as(root, "labelme"):
        raise FormatError(path, "", "no JSON file with shapes and imagePath below it")
    found = {file.relative_to(root).with_suffix("").as_posix(): file for file in files}
    labels, left_out, images = _scan(found.values())
    lone = {} if path.is_file() else {_key(file, root): file for file in list_images(root)}
    alone = {key: file for key, file in lone.items() if key not in found and file not in images}
    extras = read_extras(root)
    classes = extras.classes_with(_classes(root / "labels.txt", labels))
    load = Folder(found, alone, classes, reader or READERS[0])
    keys = sorted({**found, **alone})
    return extras.dataset(keys, classes, load, root, left_out=left_out)


def _key(image: Path, root: Path) -> str:
    return image.relative_to(root).as_posix().removesuffix(image.suffix)


def _scan(files: Any) -> tuple[dict[str, None], dict[str, int], set[Path]]:
    """Labels in the order of their first use, counts of shapes without area, and images that files name."""
    labels: dict[str, None] = {}
    left_out: Counter[str] = Counter()
    images: set[Path] = set()
    for file in files:
        data = _open(file)
        labels.update(dict.fromkeys(shape.label for shape in data.shapes if shape.shape_type in _AREAS))
        left_out.update(shape.shape_type for shape in data.shapes if shape.shape_type not in _AREAS)
        image = _image_file(file, data)
        images |= {image} if image else set()
    return labels, dict(left_out), images


def _open(path: Path) -> _File:
    return decode(read_bytes(path, limit=MOST_BYTES), path, _File)


def _classes(path: Path, labels: Mapping[str, None]) -> Classes:
    listed = [line.strip() for line in read_text(path).splitlines()] if path.is_file() else []
    names = dict.fromkeys([*filter(None, listed), *labels])
    used = [name for name in names if name in labels or name not in _KINDS]
    return Classes(tuple(SegmentClass(name, _KINDS.get(name, "thing")) for name in used))


def _image_file(path: Path, data: _File) -> Path | None:
    """The image beside a label file; `None` where it is not there."""
    plain = (data.imagePath or "").replace("\\", "/")
    parts = safe_parts(plain)
    places = [path.parent.joinpath(*parts)] if parts else []
    if plain.startswith("../") and parts:  # images in a folder beside that of the labels
        places.append(path.parent.parent.joinpath(*parts))
    places += [path.parent / parts[-1]] if parts else []
    places += [path.with_suffix(suffix) for suffix in SUFFIXES]
    return next((file for file in places if file.is_file()), None)


@dataclass(frozen=True, eq=False)
class Folder:
    """Label files and unlabelled images by key; calling it with one reads that sample."""

    labels: Mapping[str, Path]
    images: Mapping[str, Path]
    classes: Classes
    reader: str

    def __call__(self, key: str) -> Sample:
        """The sample of that key."""
        if key not in self.labels:
            return Sample(key, self.images[key], None)
        path = self.labels[key]
        data = _open(path)
        image: Any = _image_file(path, data)
        size: tuple[int | None, ...] = (data.imageHeight, data.imageWidth)
        if image is None and data.imageData:
            image = _embedded(path, data.imageData)
            size = image.shape[:2]
        if size[0] is None or size[1] is None:
            if image is None:
                raise FormatError(path, "imageHeight", f"missing, and so is the image {data.imagePath!r}")
            size = image_size(image)
        label = _segmentation(path, data, (size[0] or 0, size[1] or 0), self.classes, self.reader)
        return Sample(key, image, label)


def _embedded(path: Path, text: str) -> Any:
    pixels = image_of(from_base64(text, path, "imageData"), MAX_PIXELS, path, "imageData")
    grey = pixels.ndim == 2 or pixels.shape[2] < 3
    return np.repeat(pixels.reshape(*pixels.shape[:2], -1)[..., :1], 3, axis=2) if grey else pixels[..., :3]


def _segmentation(
    path: Path, data: _File, size: tuple[int, int], classes: Classes, reader: str
) -> Segmentation:
    drawing = Drawing(classes, size, path, reader)
    rows: dict[tuple[str, int], int] = {}
    for i, shape in enumerate(data.shapes):
        if shape.shape_type not in _AREAS:
            continue
        where = f"shapes[{i}]"
        key = (shape.label, -1 if shape.group_id is None else shape.group_id)
        row = rows.get(key) if shape.group_id is not None else None
        if row is None:
            row = rows[key] = drawing.row(_row(shape), where)
        _draw(drawing, row, shape, where)
    return drawing.segmentation(image_tags=tags_of(data.flags))


def _row(shape: _Shape) -> Row:
    tags: Tags = tags_of(shape.flags) | tags_of(shape.attributes)
    if shape.description:
        tags |= {f"description={shape.description}"}
    tags |= {"difficult"} if shape.difficult else NO_TAGS
    number = shape.group_id if shape.group_id is not None and shape.group_id > 0 else None
    return Row(shape.label, tags - {_CROWD}, number, _CROWD in tags, shape.score)


def _draw(drawing: Drawing, row: int, shape: _Shape, where: str) -> None:
    points = ring_of(shape.points, drawing.path, f"{where}.points")
    if shape.shape_type == "polygon":
        drawing.polygon(row, [points])
        return
    if len(points) != 2:
        what = f"{len(points)} points; a {shape.shape_type} has 2"
        raise FormatError(drawing.path, f"{where}.points", what)
    (x0, y0), (x1, y1) = points.tolist()
    if shape.shape_type == "rectangle":
        drawing.polygon(row, [np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])])
    elif shape.shape_type == "circle":
        radius = float(np.hypot(x1 - x0, y1 - y0))
        at = 0.5 if rule(drawing.reader) == "pixel_edge" else 0.0
        drawing.piece(row, *ellipse((x0, y0), (radius, radius), 0, drawing.size, at=at))
    else:
        text = from_base64(shape.mask or "", drawing.path, f"{where}.mask")
        most = drawing.size[0] * drawing.size[1]
        pixels = foreground(image_of(text, most, drawing.path, f"{where}.mask"))
        drawing.piece(row, pixels, round(x0), round(y0))


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:
    """Write images, a JSON file beside each, and `labels.txt`.

    Segments of one part without holes become polygons as the reader fills them, all others masks.
    """
    path.mkdir(parents=True, exist_ok=True)
    extras = ExtraWriter(dataset, "labelme")
    for sample in dataset:
        refuse_nothing(sample)
        image = store_image(sample, path)
        label = sample.segmentation
        if label is None:
            extras.add(sample, Sample(sample.name, None, None))
            continue
        file = place(path, sample.name, ".json")
        about: dict[str, Any] = {
            "version": "5.5.0",
            "flags": dict.fromkeys(sorted(label.image_tags), True),
            "shapes": list(_shapes(label, reader or READERS[0])),
            "imagePath": image.name if image else f"{file.stem}.png",
            "imageData": None,
            "imageHeight": label.size[0],
            "imageWidth": label.size[1],
        }
        file.write_bytes(msgspec.json.encode(about))
        extras.add(sample, said(sample, sample.name, tags=True))
    (path / "labels.txt").write_text("".join(f"{name}\n" for name in dataset.classes.names), "utf-8")
    extras.write(path)


def _shapes(label: Segmentation, reader: str) -> Iterator[dict[str, Any]]:
    rings, groups = outlines(label.masks, reader), group_numbers(label)
    for i in np.flatnonzero(label.masks.area() > 0).tolist():
        flags = dict.fromkeys(sorted(label.tags[i]), True) | ({_CROWD: True} if label.crowd[i] else {})
        shape: dict[str, Any] = {"label": label.class_names[i], "group_id": groups[i], "flags": flags}
        shape |= {} if label.score is None else {"score": float(label.score[i])}
        ring = rings[i]
        if ring is None:
            pixels, x, y = piece_of(label.masks, i)
            corners = [[x, y], [x + pixels.shape[1] - 1, y + pixels.shape[0] - 1]]
            mask = base64.b64encode(png_of(pixels)).decode("ascii")
            yield shape | {"shape_type": "mask", "points": corners, "mask": mask}
        else:
            yield shape | {"shape_type": "polygon", "points": ring.tolist(), "mask": None}
