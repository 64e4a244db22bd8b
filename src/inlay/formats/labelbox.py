"""Labelbox: an export of one JSON object a line, with masks, polygons and boxes, and `masks/` beside it.

Pixels of masks lie on Labelbox's servers: an address in a file is never fetched. They are taken from the file
itself, or from `masks/`, called by the id of the object (`FEATURE.png`), as its address ends, or, for a
composite of all objects in their colours, by the data row. Polygons are filled as pycocotools does; boxes
have no pixels. Answers to questions are tags: "question=answer"; those of the question "tags" are plain
words. Of several labels of one image the benchmark or the first is read; the others, points, lines and frames
of videos are left out, counted. We write masks, which hold every segment exactly.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import msgspec
import numpy as np
from msgspec import Struct

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.coco_layout import ImageFinder, safe_parts
from inlay.formats.parts.drawing import Box, Drawing, Row, is_bare_box, ring_of
from inlay.formats.parts.extras import KEPT, ExtraWriter, is_written_as, read_extras
from inlay.formats.parts.pieces import Pixels, foreground, from_base64, image_of, png_of
from inlay.formats.parts.places import refuse_nothing, size_of, store_image
from inlay.formats.parts.split_names import plain_split
from inlay.formats.parts.typed_json import HEAD, decode, read_bytes

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "order"),
    *("score", "crowd", "tags", "box"),
}
READERS = ("pycocotools", "opencv")
_FILE = "export.ndjson"
_SUFFIXES = (".ndjson", ".jsonl", ".json")
_TAGS, _CROWD, _INSTANCE = "tags", "iscrowd", "instance_id"


class _Answer(Struct):
    name: str = ""
    classifications: list[_Question] = []


class _Text(Struct):
    content: str = ""


class _Question(Struct):
    name: str = ""
    radio_answer: _Answer | None = None
    checklist_answers: list[_Answer] | None = None
    text_answer: _Text | None = None

    def words(self) -> Iterator[str]:
        """The answers as words."""
        several = [*(self.checklist_answers or ()), *([self.radio_answer] if self.radio_answer else ())]
        for answer in several:
            yield answer.name if self.name == _TAGS else f"{self.name}={answer.name}"
            for question in answer.classifications:
                yield from question.words()
        if self.text_answer is not None and self.name != _INSTANCE:
            yield f"{self.name}={self.text_answer.content}"


class _Mask(Struct):
    url: str = ""
    png: str = ""  # base64
    color_rgb: tuple[int, int, int] | None = None


class _Point(Struct):
    x: float
    y: float


class _Rectangle(Struct):
    top: float
    left: float
    height: float
    width: float


class _Object(Struct):
    name: str = ""
    feature_id: str = ""
    annotation_kind: str = ""
    mask: _Mask | None = None
    composite_mask: _Mask | None = None
    polygon: list[_Point] | None = None
    bounding_box: _Rectangle | None = None
    classifications: list[_Question] = []
    confidence: float | None = None

    @property
    def has_area(self) -> bool:
        """Whether it is a mask, a polygon or a box."""
        shapes = (self.mask, self.composite_mask, self.polygon, self.bounding_box)
        return any(shape is not None for shape in shapes)


class _Annotations(Struct):
    objects: list[_Object] = []
    classifications: list[_Question] = []
    frames: dict[str, Any] | None = None


class _Label(Struct):
    annotations: _Annotations = msgspec.field(default_factory=_Annotations)
    label_details: dict[str, Any] = {}


class _Project(Struct):
    labels: list[_Label] = []


class _DataRow(Struct):
    id: str = ""
    external_id: str | None = None
    global_key: str | None = None
    row_data: Any = None

    def file_name(self) -> str:
        """What the image is called."""
        address = urlsplit(self.row_data).path if _is_address(self.row_data) else ""
        return self.external_id or self.global_key or address.rpartition("/")[2] or self.id


class _Media(Struct):
    height: int | None = None
    width: int | None = None


class _Field(Struct):
    schema_name: str = ""
    value: Any = None


class _Row(Struct):
    data_row: _DataRow
    projects: dict[str, _Project] = {}
    media_attributes: _Media = msgspec.field(default_factory=_Media)
    metadata_fields: list[_Field] = []

    def chosen(self) -> tuple[_Label | None, int]:
        """The label to read, and how many others there are."""
        labels = [label for project in self.projects.values() for label in project.labels]
        best = [each for each in labels if each.label_details.get("is_benchmark_reference") is True]
        return next(iter([*best, *labels]), None), max(0, len(labels) - 1)

    def split(self) -> str:
        """The split that its metadata state."""
        for field in self.metadata_fields:
            value = field.value[0] if isinstance(field.value, list) and field.value else field.value
            value = value.get("schema_name") if isinstance(value, dict) else value
            if field.schema_name == "split" and isinstance(value, str):
                return plain_split(value)
        return ""


def _is_address(text: Any) -> bool:
    """Whether a text is a web address; one that is broken is none."""
    try:
        return isinstance(text, str) and urlsplit(text).scheme in ("http", "https", "gs", "s3")
    except ValueError:
        return False


def sniff(path: Path) -> bool:
    """Whether it is a file of data rows with projects, or a folder with one."""
    return bool(_files(path)) or is_written_as(path, "labelbox")


def _files(path: Path) -> list[Path]:
    files = [path] if path.is_file() else sorted(path.glob("*")) if path.is_dir() else []
    return [file for file in files if file.suffix.lower() in _SUFFIXES and _fits(file)]


def _fits(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return False
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return start in (b"{", b"[") and b'"data_row"' in head and (b'"projects"' in head or len(head) == HEAD)


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The data rows of a file, or of all files of a folder.

    Parameters
    ----------
    reader
        Tool whose way of filling polygons is meant; default pycocotools.
    """
    if not sniff(path):
        raise FormatError(path, "", "no NDJSON of data rows and projects, as Labelbox exports them")
    root = path.parent if path.is_file() else path
    extras = read_extras(root)
    found: dict[str, _Found] = {}
    names: dict[str, None] = {}
    left_out: Counter[str] = Counter()
    for file in _files(path):
        for where, row in _rows(file):
            found[_key(row, file, where, found)] = _Found(file, where, row)
            names |= _tally(row, left_out)
    classes = extras.classes_with(Classes(tuple(SegmentClass(name) for name in names)))
    images = [each for each in (root / "images", root / "data", root) if each.is_dir()]
    masks = [each for each in (root / "masks", root) if each.is_dir()]
    load = _Rows(found, ImageFinder(images), ImageFinder(masks), classes, reader or READERS[0])
    splits = {key: item.row.split() for key, item in found.items()}
    return extras.dataset(list(found), classes, load, root, splits=splits, left_out=+left_out)


def _rows(path: Path) -> Iterator[tuple[str, _Row]]:
    """The data rows of a file, each with its place."""
    data = read_bytes(path)
    if data.lstrip().startswith(b"["):
        yield from ((f"[{i}].", row) for i, row in enumerate(decode(data, path, list[_Row])))
        return
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            where = f"line {number} "
            yield where, decode(line, path, _Row, where)


def _key(row: _Row, path: Path, where: str, taken: Mapping[str, object]) -> str:
    name = row.data_row.file_name()
    parts = safe_parts(name)
    if not parts:
        raise FormatError(path, f"{where}data_row", f"{name!r} names no image")
    whole = "/".join(parts)
    stem = whole.removesuffix(Path(whole).suffix) or whole
    key = whole if stem in taken else stem
    if key in taken:
        raise FormatError(path, f"{where}data_row", f"{whole!r} stands twice")
    return key


def _tally(row: _Row, left_out: Counter[str]) -> dict[str, None]:
    """The names of the classes of a row; what of it is not read is counted."""
    label, others = row.chosen()
    left_out["further labels"] += others
    if label is None:
        return {}
    left_out["frames of videos"] += len(label.annotations.frames or ())
    for each in label.annotations.objects:
        if not each.has_area:
            left_out[each.annotation_kind or "objects without a shape"] += 1
    return dict.fromkeys(each.name for each in label.annotations.objects if each.has_area)


@dataclass(frozen=True)
class _Found:
    """A data row, its file and its place there."""

    path: Path
    where: str
    row: _Row


@dataclass(frozen=True, eq=False)
class _Rows:
    """Data rows by key; calling it with one makes its segments."""

    found: Mapping[str, _Found]
    image: ImageFinder
    mask: ImageFinder
    classes: Classes
    reader: str

    def __call__(self, key: str) -> Sample:
        item = self.found[key]
        row = item.row
        image = self.image(row.data_row.file_name())
        label, _ = row.chosen()
        if label is None:
            return Sample(key, image, None, row.split())
        height, width = row.media_attributes.height, row.media_attributes.width
        if height is None or width is None:
            if image is None:
                what = f"no height and width, and the image {row.data_row.file_name()!r} is not in images/"
                raise FormatError(item.path, f"{item.where}media_attributes", what)
            height, width = size_of(Sample(key, image, None))
        drawing = Drawing(self.classes, (height, width), item.path, self.reader)
        pictures = _Pictures(self.mask, drawing, row.data_row.id, key)
        for i, each in enumerate(label.annotations.objects):
            if each.has_area:
                where = f"{item.where}objects[{i}]"
                _draw(drawing, drawing.row(_row(each, item.path, where), where), each, pictures, where)
        tags = frozenset(word for each in label.annotations.classifications for word in each.words())
        return Sample(key, image, drawing.segmentation(image_tags=tags), row.split())


def _row(item: _Object, path: Path, where: str) -> Row:
    words = frozenset(word for each in item.classifications for word in each.words())
    box: Box | None = None
    each = item.bounding_box
    if each is not None and item.polygon is None and item.mask is None and item.composite_mask is None:
        sides = [[each.left, each.top], [each.left + each.width, each.top + each.height]]
        (x0, y0), (x1, y1) = ring_of(sides, path, f"{where}.bounding_box").tolist()
        box = (x0, y0, x1, y1)
    texts = [each.text_answer for each in item.classifications if each.name == _INSTANCE]
    number = next((text.content for text in texts if text), "")
    instance = int(number) if number.isascii() and number.isdigit() and len(number) < 11 else None
    return Row(item.name, words - {_CROWD}, instance, _CROWD in words, item.confidence, box)


def _draw(drawing: Drawing, row: int, item: _Object, pictures: _Pictures, where: str) -> None:
    if item.polygon is not None:
        corners = [[point.x, point.y] for point in item.polygon]
        drawing.polygon(row, [ring_of(corners, drawing.path, f"{where}.polygon")])
    elif item.mask is not None or item.composite_mask is not None:
        drawing.piece(row, pictures.pixels(item, where), 0, 0)


class _Pictures:
    """The mask pictures of one image; those of several objects are opened once.

    Parameters
    ----------
    find
        Finds files beside the export.
    drawing
        Says the size that they must have.
    names
        What a composite may be called.
    """

    def __init__(self, find: ImageFinder, drawing: Drawing, *names: str) -> None:
        self._find, self._drawing, self._names = find, drawing, names
        self._opened: dict[Path, np.ndarray[Any, Any]] = {}

    def pixels(self, item: _Object, where: str) -> Pixels:
        """The pixels of an object.

        Raises
        ------
        FormatError
            When they are at an address alone, saying where to put them, or have another size.
        """
        for mask, word in ((item.mask, "mask"), (item.composite_mask, "composite_mask")):
            if mask is None:
                continue
            at = f"{where}.{word}"
            inline = mask.png or (mask.url if mask.url.startswith("data:") else "")
            if inline:
                return self._chosen(from_base64(inline, self._drawing.path, at), mask, at)
            file = self._file(mask, item.feature_id, at)
            if file is not None:
                return self._chosen(file, mask, at)
        address = next(each.url for each in (item.mask, item.composite_mask) if each is not None)
        name = f"masks/{PurePosixPath(item.feature_id).name or 'FEATURE_ID'}.png"
        what = f"its pixels are at {address[:120]!r}, and no address is fetched: put them into {name}"
        raise FormatError(self._drawing.path, f"{where}.mask", what)

    def _file(self, mask: _Mask, feature: str, where: str) -> Path | None:
        if _is_address(mask.url):
            end = urlsplit(mask.url).path.rpartition("/")[2]
            usual = [f"{feature}.png"] if mask.color_rgb is None else [f"{name}.png" for name in self._names]
            names = [*usual, end if "." in end else f"{end}.png"]
        else:
            parts = PurePosixPath(mask.url.replace("\\", "/"))
            if parts.is_absolute() or ".." in parts.parts or "\0" in mask.url:
                what = f"{mask.url[:120]!r} is no file below the folder"
                raise FormatError(self._drawing.path, f"{where}.url", what)
            names = [mask.url.removeprefix("masks/"), f"{feature}.png"]
        return next((file for name in names if name and (file := self._find(name))), None)

    def _chosen(self, source: bytes | Path, mask: _Mask, where: str) -> Pixels:
        """The pixels of one object in a picture: of its colour, or all that are set."""
        size = self._drawing.size
        coloured = mask.color_rgb is not None
        values = self._opened.get(source) if isinstance(source, Path) else None
        if values is None:
            data = source if isinstance(source, bytes) else read_bytes(source, limit=1 << 30)
            path = self._drawing.path if isinstance(source, bytes) else source
            values = image_of(data, size[0] * size[1], path, where, mode="RGB" if coloured else None)
        if isinstance(source, Path) and coloured:
            self._opened[source] = values
        if values.shape[:2] != size:
            what = f"{values.shape[1]}x{values.shape[0]} pixels; the image has {size[1]}x{size[0]}"
            raise FormatError(self._drawing.path, where, what)
        if coloured:
            return np.asarray((values == np.array(mask.color_rgb)).all(axis=2))
        opaque = values.ndim == 3 and values.shape[2] in (2, 4) and bool((values[..., -1] == 255).all())
        return foreground(values[..., :-1] if opaque else values)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - masks
    """Write `export.ndjson`, `images/` and `masks/`, every segment a mask."""
    extras = ExtraWriter(dataset, "labelbox", listed=False)
    path.mkdir(parents=True, exist_ok=True)
    with (path / _FILE).open("wb") as file:
        for sample in dataset:
            refuse_nothing(sample)
            image = store_image(sample, path / "images")
            name = image.relative_to(path / "images").as_posix() if image else f"{sample.name}.png"
            file.write(msgspec.json.encode(_data_row(sample, name, path)) + b"\n")
            tags = frozenset[str]() if sample.segmentation is None else sample.segmentation.image_tags
            bare = None if sample.segmentation is None else sample.segmentation.replace(image_tags=tags)
            extras.add(sample, Sample(sample.name, None, bare, plain_split(sample.split)))
    extras.write(path)


def _data_row(sample: Sample, name: str, path: Path) -> dict[str, Any]:
    height, width = size_of(sample)
    label = sample.segmentation
    labels = []
    if label is not None:
        objects = list(_objects(label, sample.name, path))
        found = {
            "objects": objects,
            "classifications": _checklist(sorted(label.image_tags)),
            "relationships": [],
        }
        labels = [{"label_kind": "Default", "version": "1.0.0", "id": _id(sample.name), "annotations": found}]
    split = [{"schema_name": "split", "value": sample.split}] if sample.split else []
    return {
        "data_row": {"id": _id(f"{sample.name}#"), "external_id": name, "row_data": f"images/{name}"},
        "media_attributes": {"height": height, "width": width, "asset_type": "image"},
        "metadata_fields": split,
        "projects": {"inlay": {"name": "inlay", "labels": labels}},
    }


def _objects(label: Segmentation, name: str, path: Path) -> Iterator[dict[str, Any]]:
    bare, boxes = is_bare_box(label), label.boxes()
    usual = np.array_equal(label.instance_id, instance_numbers(label.is_thing))
    for i in np.flatnonzero((label.masks.area() > 0) | bare).tolist():
        known = label.class_names[i]
        item: dict[str, Any] = {"feature_id": _id(f"{name}#{i}"), "name": known, "value": known}
        if bare[i]:
            x0, y0, x1, y1 = boxes[i].tolist()
            item |= {"annotation_kind": "ImageBoundingBox"}
            item |= {"bounding_box": {"top": y0, "left": x0, "height": y1 - y0, "width": x1 - x0}}
        else:
            file = path / "masks" / f"{item['feature_id']}.png"
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(png_of(label.masks[i].decode()[0]))
            item |= {"annotation_kind": "ImageSegmentationMask", "mask": {"url": f"masks/{file.name}"}}
        answers = _checklist(sorted(label.tags[i]) + [_CROWD] * bool(label.crowd[i]))
        number = {"name": _INSTANCE, "text_answer": {"content": str(int(label.instance_id[i]))}}
        item |= {"classifications": answers if usual else [*answers, number]}
        yield item if label.score is None else {**item, "confidence": float(label.score[i])}


def _checklist(words: list[str]) -> list[dict[str, Any]]:
    """Words as the answers of one question."""
    answers = [{"name": word, "value": word} for word in words]
    return [{"name": _TAGS, "value": _TAGS, "checklist_answers": answers}] if words else []


def _id(text: str) -> str:
    """An id of 25 letters, as Labelbox has them, the same whenever the dataset is written."""
    return f"c{uuid.uuid5(uuid.NAMESPACE_URL, text).hex[:24]}"
