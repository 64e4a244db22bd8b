"""Rows of Hugging Face datasets: the segments of one, and the row of a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.dataset import Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import image_size, read_image
from inlay.core.segmentation import Segmentation
from inlay.formats.parts.class_lists import ClassList
from inlay.formats.parts.coco_masks import Place, read_masks
from inlay.formats.parts.drawing import Box, Drawing, Row, ring_of
from inlay.formats.parts.huggingface_tables import Columns, Record
from inlay.formats.parts.label_maps import LabelMap, read_label_map
from inlay.formats.parts.label_values import segments_of
from inlay.formats.parts.pieces import png_of
from inlay.formats.parts.places import size_of

_BOX = ("bbox", "bboxes", "box", "boxes")
_CROWD = ("iscrowd", "is_crowd")


@dataclass(frozen=True, eq=False)
class Maker:
    """Makes segments of rows.

    Parameters
    ----------
    columns
        What the columns are.
    numbers
        The classes by their numbers.
    classes
        Of the dataset.
    """

    columns: Columns
    numbers: ClassList
    classes: Classes

    @cached_property
    def name_of(self) -> Mapping[int, str]:
        """Names of classes by their numbers."""
        return dict(zip(self.numbers.values, self.numbers.classes.names))

    def image(self, record: Record, label: Segmentation | None) -> Path | NDArray[np.uint8] | None:
        """The image of a row: its file, or the pixels that the table holds."""
        picture = record.image
        if picture is None or picture.data is None:
            return None if picture is None or not picture.path.is_file() else picture.path
        try:
            return read_image(picture.path, None if label is None else label.size, data=picture.data)
        except FormatError as error:
            raise _at(error, record, self.columns.image) from None

    def segmentation(self, record: Record) -> Segmentation | None:
        """The segments of a row: those of its objects, else of its map; `None` where it has neither."""
        try:
            if self.columns.pixels or not self.columns.mask:
                return None if record.objects is None else self._objects(record, record.objects)
            if record.mask is None:
                return None
            label = read_label_map(record.mask.path, record.mask.data)
            if record.segments is not None:
                return self._panoptic(record, label, record.segments)
            known = self.numbers if self.numbers.path else replace(self.numbers, path=record.path)
            return segments_of(label, known).with_classes(self.classes)
        except FormatError as error:
            raise _at(error, record, "" if record.path != error.path else self.columns.mask) from None

    def _size(self, record: Record) -> tuple[int, int]:
        if record.size is not None:
            return record.size
        for picture in (record.mask, record.image):
            if picture is not None and (picture.data is not None or picture.path.is_file()):
                return image_size(picture.path, data=picture.data)
        raise FormatError(record.path, record.where, "no image, no height and width: its size is not known")

    def _objects(self, record: Record, objects: list[dict[str, Any]]) -> Segmentation:
        path = record.path
        size = self._size(record)
        drawing = Drawing(self.classes, size, path, "pycocotools")
        where = f"{record.where} {self.columns.objects}"
        texts = [_text(item.get(self.columns.pixels), size) for item in objects]
        place = Place(path, lambda i: f"{where}[{i}].{self.columns.pixels}")
        masks = read_masks(texts, size, "pixel_edge", place)
        own = masks.box().astype(np.float64)
        for i, item in enumerate(objects):
            at = f"{where}[{i}]"
            name = next((key for key in _BOX if item.get(key) is not None), "")
            box = _box(item[name], path, f"{at}.{name}") if name else None
            same = box is not None and bool(np.allclose(own[i], box, rtol=0, atol=1e-9))
            crowd = any(bool(item.get(key)) for key in _CROWD)
            tags = item.get("tags") or ()
            words = (
                frozenset(word for word in tags if isinstance(word, str)) if isinstance(tags, list) else ()
            )
            row = Row(
                self._name(item.get(self.columns.category), path, f"{at}.{self.columns.category}"),
                frozenset(words),
                _whole(item.get("instance_id"), path, f"{at}.instance_id"),
                crowd,
                _real(item.get("score"), path, f"{at}.score"),
                None if same else box,
                _whole(item.get("id"), path, f"{at}.id") if not isinstance(item.get("id"), str) else None,
            )
            drawing.mask(drawing.row(row, at), masks[i])
        return drawing.segmentation()

    def _name(self, category: Any, path: Path, where: str) -> str:
        if isinstance(category, str):
            return category
        number = _whole(category, path, where)
        if number is None or number not in self.name_of:
            known = ", ".join(f"{key}: {name}" for key, name in list(self.name_of.items())[:8])
            raise FormatError(path, where, f"class {category!r} has no name; known are {known or 'none'}")
        return self.name_of[number]

    def _panoptic(self, record: Record, label: LabelMap, segments: list[dict[str, Any]]) -> Segmentation:
        """The segments of a map whose colours are ids; 0 is nobody."""
        where = f"{record.where} {self.columns.segments}"
        values = label.values.astype(np.int32)
        ids = values if values.ndim == 2 else values @ np.array([1, 256, 65536], np.int32)
        pairs, crowd = [], []
        for i, item in enumerate(segments):
            at = f"{where}[{i}]"
            number = _whole(item.get("id"), record.path, f"{at}.id")
            if number is None:
                raise FormatError(record.path, f"{at}.id", "is missing")
            category = item.get(self.columns.category)
            name = self._name(category, record.path, f"{at}.{self.columns.category}")
            pairs.append((number, self.classes.row(name)))
            crowd.append(any(bool(item.get(key)) for key in _CROWD))
        known = [number for number, _ in pairs]
        unknown = ~np.isin(ids, [0, *known])
        if unknown.any():
            number = int(ids[unknown][0])
            raise label.fail(
                unknown, f"{{value}} is segment {number}, which {self.columns.segments} does not list"
            )
        try:
            found = Segmentation.from_panoptic(ids, pairs, self.classes)
            return found.replace(crowd=np.array(crowd, np.bool_))
        except (InlayError, OverflowError) as error:
            raise FormatError(record.path, where, str(error)) from None


def _at(error: FormatError, record: Record, column: str) -> FormatError:
    """An error of a picture inside a table, with its row."""
    if error.path != record.path or error.where.startswith(record.where):
        return error
    return FormatError(error.path, " ".join(filter(None, (record.where, column, error.where))), error.what)


def _text(value: Any, size: tuple[int, int]) -> Raw:
    """The JSON text of a COCO segmentation: a string of run lengths takes the size of its image."""
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if isinstance(value, str):
        value = {"size": list(size), "counts": value}
    elif isinstance(value, dict) and isinstance(value.get("counts"), bytes):
        value = {**value, "counts": value["counts"].decode("ascii", "replace")}
    elif isinstance(value, list) and value and all(isinstance(number, int | float) for number in value):
        value = [value]
    try:
        return Raw(msgspec.json.encode([] if value is None else value))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return Raw(b"false")


def _whole(value: Any, path: Path, where: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise FormatError(path, where, f"{str(value)[:80]!r} is no whole number")
    return value


def _real(value: Any, path: Path, where: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e30:
        raise FormatError(path, where, f"{str(value)[:80]!r} is no number")
    return float(value)


def _box(value: Any, path: Path, where: str) -> Box:
    """The corners of a box of COCO: x, y, width, height."""
    if not isinstance(value, list) or len(value) != 4:
        raise FormatError(path, where, f"{str(value)[:80]} is no box: x, y, width, height")
    x, y, width, height = (_real(number, path, where) or 0.0 for number in value)
    (x0, y0), (x1, y1) = ring_of([[x, y], [x + width, y + height]], path, where).tolist()
    return x0, y0, x1, y1


def row_of(sample: Sample, first: int) -> dict[str, Any]:
    """The row of a sample; segments that their source does not number are numbered from `first`."""
    height, width = size_of(sample)
    label = sample.segmentation
    image = None if sample.image is None else _stored(sample)
    about = {"image": image, "image_id": sample.name, "height": height, "width": width}
    if label is None:
        return about | {"label": None, "objects": None}
    x0, y0, x1, y1 = label.boxes().T
    ids = np.arange(first, first + len(label)) if label.source_id is None else label.source_id
    objects: dict[str, Any] = {
        "id": ids.tolist(),
        "category": label.class_id.tolist(),
        "bbox": np.stack([x0, y0, x1 - x0, y1 - y0], 1).tolist(),
        "area": label.areas().astype(np.float64).tolist(),
        "iscrowd": label.crowd.tolist(),
        "segmentation": [runs.decode("ascii") for runs in label.masks.to_strings()],
        "score": None if label.score is None else label.score.astype(np.float64).tolist(),
        "instance_id": label.instance_id.tolist(),
        "tags": [sorted(tags) for tags in label.tags],
    }
    return about | {"label": {"bytes": _semantic(label), "path": f"{sample.name}.png"}, "objects": objects}


def _stored(sample: Sample) -> dict[str, Any]:
    if isinstance(sample.image, Path):
        return {"bytes": sample.image.read_bytes(), "path": f"{sample.name}{sample.image.suffix}"}
    return {"bytes": png_of(np.asarray(sample.image)), "path": f"{sample.name}.png"}


def _semantic(label: Segmentation) -> bytes:
    """The PNG of the class of each pixel; what is void is ignored."""
    wide = len(label.classes) > 255
    ignored = 65535 if wide else 255
    values = label.semantic(ignored)
    void = np.flatnonzero(label.classes.is_void)
    values = np.where(np.isin(values, void), ignored, values) if len(void) else values
    return png_of(values.astype(np.uint16 if wide else np.uint8))
