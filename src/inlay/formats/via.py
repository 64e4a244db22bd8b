"""VIA, the VGG Image Annotator: one JSON of regions; polygons, circles, ellipses and rectangles.

The class of a region is its attribute `class`, or one called alike, else the only one it has; other
attributes are tags. VIA states no image sizes: they come from the images, or stand where we wrote them.
Rectangles have no pixels; points and lines are left out, counted. A hole survives as a slit from the rim, and
parts as regions of one number `segment`. Corners are pixels, as scikit-image and OpenCV read them; `reader`
says otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import image_size
from inlay.core.polygons import trace
from inlay.core.segmentation import Segmentation, Tags
from inlay.formats.parts.coco_layout import ImageFinder, unique_names
from inlay.formats.parts.drawing import Box, Drawing, Ring, Row, is_bare_box, ring_of
from inlay.formats.parts.extras import FILE, KEPT, ExtraWriter, is_written_as, read_extras
from inlay.formats.parts.keyholes import closed_holes
from inlay.formats.parts.pieces import ellipse
from inlay.formats.parts.places import refuse_nothing, size_of, store_image
from inlay.formats.parts.readers import rule
from inlay.formats.parts.tag_words import tags_of
from inlay.formats.parts.typed_json import decode, looks_like, read_bytes

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "holes", "parts", "overlap", "order", "crowd", "tags", "box"),
}
READERS = ("opencv", "pycocotools")
_AREAS = frozenset({"polygon", "circle", "ellipse", "rect"})
_CLASS_WORDS = ("class", "label", "name", "type", "object", "category", "species")
_CROWD, _SEGMENT = "iscrowd", "segment"
_FILE = "via_region_data.json"
_NAMELESS = "object"  # class of regions without attributes


class _Region(Struct):
    shape_attributes: dict[str, Any]
    region_attributes: dict[str, Any] = {}


class _Entry(Struct):
    filename: str
    regions: list[_Region] | dict[str, _Region] = []
    file_attributes: dict[str, Any] = {}

    def listed(self) -> list[_Region]:
        """The regions in order; VIA 1 numbers them."""
        return self.regions if isinstance(self.regions, list) else list(self.regions.values())


class _Project(Struct):
    _via_img_metadata: dict[str, _Entry]


def sniff(path: Path) -> bool:
    """Whether it is a JSON of VIA's regions or project, or a folder with one."""
    return bool(_files(path))


def _files(path: Path) -> list[Path]:
    files = [path] if path.is_file() else sorted(path.glob("*.json")) if path.is_dir() else []
    return [file for file in files if file.name != FILE and _fits(file)]


def _fits(file: Path) -> bool:
    if looks_like(file, "regions", "filename", "file_attributes"):
        return True
    return file.name == _FILE and is_written_as(file.parent, "via")  # without an image


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The images of a file or project, or of the one file of a folder.

    Parameters
    ----------
    reader
        Tool whose way of filling polygons is meant; default OpenCV.
    """
    files = _files(path)
    if len(files) != 1:
        what = (
            f"several: {', '.join(file.name for file in files)}" if files else "no JSON with regions of VIA"
        )
        raise FormatError(path, "", f"{what}; name the file to read")
    file, root = files[0], files[0].parent
    data = read_bytes(file)
    if looks_like(file, "_via_img_metadata"):
        entries = list(decode(data, file, _Project)._via_img_metadata.values())
    else:
        entries = list(decode(data, file, dict[str, _Entry]).values())
    keys = unique_names([entry.filename for entry in entries], [None] * len(entries), file)
    names: dict[str, None] = {}
    left_out: Counter[str] = Counter()
    for entry in entries:
        for region in entry.listed():
            kind = str(region.shape_attributes.get("name"))
            if kind in _AREAS:
                names[_class_of(region.region_attributes)[0]] = None
            else:
                left_out[kind] += 1
    extras = read_extras(root)
    classes = extras.classes_with(Classes.of(*names))
    finder = ImageFinder([folder for folder in (root, root / "images") if folder.is_dir()])
    load = _Images(file, dict(zip(keys, entries)), finder, classes, reader or READERS[0])
    return extras.dataset(keys, classes, load, root, left_out=left_out)


def _class_of(attributes: Mapping[str, Any]) -> tuple[str, str]:
    """The class of a region and the key that says it; the key is empty where none does."""
    plain = {key: value for key, value in attributes.items() if isinstance(value, str) and value}
    for word in _CLASS_WORDS:
        for key, value in plain.items():
            if key.lower() == word:
                return value, key
    if len(attributes) == 1 and plain:
        key, value = next(iter(plain.items()))
        return value, key
    return _NAMELESS, ""


@dataclass(frozen=True, eq=False)
class _Images:
    """Entries by key; calling it with one makes its segments."""

    path: Path
    entries: Mapping[str, _Entry]
    find: ImageFinder
    classes: Classes
    reader: str

    def __call__(self, key: str) -> Sample:
        entry = self.entries[key]
        image = self.find(entry.filename)
        sides = [entry.file_attributes.get(side) for side in ("inlay_height", "inlay_width")]
        if all(isinstance(side, int) for side in sides):
            size = (int(sides[0] or 0), int(sides[1] or 0))
        elif image is not None:
            size = image_size(image)
        else:
            what = "its image is missing, and so its size: put it beside the file"
            raise FormatError(self.path, entry.filename, what)
        drawing = Drawing(self.classes, size, self.path, self.reader)
        rows: dict[str, int] = {}
        for i, region in enumerate(entry.listed()):
            if str(region.shape_attributes.get("name")) in _AREAS:
                where = f"{entry.filename}.regions[{i}]"
                segment = region.region_attributes.get(_SEGMENT)
                row = rows.get(str(segment)) if segment is not None else None
                if row is None:
                    row = rows[str(segment)] = drawing.row(_row(region, self.path, where), where)
                _draw(drawing, row, region.shape_attributes, where)
        known = {key: value for key, value in entry.file_attributes.items() if key not in _OWN}
        return Sample(key, image, drawing.segmentation(image_tags=_tags(known)))


_OWN = ("inlay_height", "inlay_width")


def _tags(attributes: Mapping[str, Any]) -> Tags:
    """Attributes as words; those of check boxes, {"word": true}, by themselves."""
    boxes = [value for value in attributes.values() if isinstance(value, dict)]
    plain = {key: value for key, value in attributes.items() if not isinstance(value, dict) and value != ""}
    return tags_of(plain).union(*(tags_of(box) for box in boxes))


def _row(region: _Region, path: Path, where: str) -> Row:
    name, key = _class_of(region.region_attributes)
    tags = _tags(
        {word: value for word, value in region.region_attributes.items() if word not in (key, _SEGMENT)}
    )
    box: Box | None = None
    if region.shape_attributes.get("name") == "rect":
        x, y, width, height = _numbers(region.shape_attributes, path, where, "x", "y", "width", "height")
        box = (x, y, x + width, y + height)
    return Row(name, tags - {_CROWD}, None, _CROWD in tags, box=box)


def _numbers(shape: Mapping[str, Any], path: Path, where: str, *keys: str) -> list[float]:
    found = []
    for key in keys:
        value = shape.get(key, 0 if key == "theta" else None)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e7:
            raise FormatError(path, f"{where}.{key}", f"{value!r} is no number of pixels")
        found.append(float(value))
    return found


def _draw(drawing: Drawing, row: int, shape: Mapping[str, Any], where: str) -> None:
    path, at = drawing.path, 0.5 if rule(drawing.reader) == "pixel_edge" else 0.0
    if shape["name"] == "polygon":
        xs, ys = shape.get("all_points_x"), shape.get("all_points_y")
        if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys):
            raise FormatError(path, f"{where}.all_points_x", "x and y are not two lists of one length")
        drawing.polygon(row, [ring_of(list(zip(xs, ys)), path, f"{where}.all_points_x")])
    elif shape["name"] == "circle":
        x, y, radius = _numbers(shape, path, where, "cx", "cy", "r")
        drawing.piece(row, *ellipse((x, y), (abs(radius), abs(radius)), 0, drawing.size, at=at))
    elif shape["name"] == "ellipse":
        x, y, along, across, theta = _numbers(shape, path, where, "cx", "cy", "rx", "ry", "theta")
        turn = float(np.rad2deg(theta))
        drawing.piece(row, *ellipse((x, y), (abs(along), abs(across)), turn, drawing.size, at=at))


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:
    """Write `via_region_data.json`, and the images in `images/`."""
    extras = ExtraWriter(dataset, "via", listed=False)
    entries: dict[str, Any] = {}
    for sample in dataset:
        refuse_nothing(sample)
        image = store_image(sample, path / "images")
        name = image.relative_to(path).as_posix() if image else f"images/{sample.name}.png"
        label = sample.segmentation or Segmentation.empty(dataset.classes, size_of(sample))
        regions = [
            {"shape_attributes": shape, "region_attributes": attributes}
            for shape, attributes in _regions(label, reader or READERS[0])
        ]
        about = dict(zip(_OWN, label.size)) | {"tags": dict.fromkeys(sorted(label.image_tags), True)}
        size = image.stat().st_size if image else -1
        entries[f"{name}{size}"] = {
            "filename": name,
            "size": size,
            "regions": regions,
            "file_attributes": about,
        }
        extras.add(sample, Sample(name.removesuffix(Path(name).suffix), None, label))
    path.mkdir(parents=True, exist_ok=True)
    (path / _FILE).write_bytes(msgspec.json.encode(entries))
    extras.write(path)


def _regions(label: Segmentation, reader: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(shape, attributes) of each region, a segment of several parts being several."""
    polygons, bare, boxes = trace(label.masks, rule=rule(reader)), is_bare_box(label), label.boxes()
    for i in np.flatnonzero((label.masks.area() > 0) | bare).tolist():
        attributes: dict[str, Any] = {"class": label.class_names[i]}
        words = sorted(label.tags[i]) + [_CROWD] * bool(label.crowd[i])
        attributes |= {"tags": dict.fromkeys(words, True)} if words else {}
        if bare[i]:
            x0, y0, x1, y1 = boxes[i].tolist()
            yield {"name": "rect", "x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}, attributes
        else:
            rings: list[Ring] = [closed_holes(part) for part in polygons[i]]
            attributes |= {_SEGMENT: i} if len(rings) > 1 else {}
            for ring in rings:
                xs, ys = ring.astype(np.int64).T.tolist()
                yield {"name": "polygon", "all_points_x": xs, "all_points_y": ys}, attributes
