"""V7 Darwin 2.0: a JSON for each item, usually in `annotations/`, with polygons, masks, ellipses and boxes.

The paths of a polygon are one shape by the even-odd rule, so that holes and parts survive. The pixels of
masks lie together in a raster layer: pairs of a number and how often it comes, along the rows. Boxes have no
pixels. Attributes, properties and texts are tags; the tag "iscrowd" marks a crowd; an item's tags are those
of its image. Annotations of key points, lines, skeletons and frames of videos are left out, counted, and so
are further slots of an item. We write polygons, which hold every mask exactly.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.masks import Masks
from inlay.core.polygons import trace
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.coco_layout import ImageFinder, safe_parts
from inlay.formats.parts.drawing import FAR, Box, Drawing, Ring, Row, is_bare_box, ring_of
from inlay.formats.parts.extras import FILE, KEPT, ExtraWriter, is_written_as, read_extras
from inlay.formats.parts.pieces import ellipse, from_value_runs
from inlay.formats.parts.places import place, refuse_nothing, size_of, store_image
from inlay.formats.parts.readers import fill_even_odd, rule
from inlay.formats.parts.split_lists import split_of
from inlay.formats.parts.tag_words import tags_of
from inlay.formats.parts.typed_json import decode, looks_like, read_bytes

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "order"),
    *("score", "crowd", "tags", "box"),
}
READERS = ("pycocotools", "opencv")
_AREAS = ("polygon", "mask", "ellipse", "bounding_box")
_ABOUT = frozenset(
    {"id", "name", "slot_names", "attributes", "properties", "text", "instance_id", "inference", "inlay"}
    | {
        "annotators",
        "reviewers",
        "ranges",
        "directional_vector",
        "measures",
        "hidden_areas",
        "only_keyframes",
    }
)
_CROWD = "iscrowd"
_SCHEMA = "https://darwin-public.s3.eu-west-1.amazonaws.com/darwin_json/2.0/schema.json"
_SLOT = "0"


class _Point(Struct):
    x: float
    y: float


class _Polygon(Struct):
    paths: list[list[_Point]] = []


class _Ellipse(Struct):
    center: _Point
    radius: _Point
    angle: float = 0.0  # radians


class _Box(Struct):
    x: float
    y: float
    w: float
    h: float


class _Layer(Struct):
    dense_rle: list[int]
    mask_annotation_ids_mapping: dict[str, int]


class _Property(Struct):
    name: str
    value: Any = None


class _Value(Struct):
    value: int


class _Text(Struct):
    text: str = ""


class _Inference(Struct):
    confidence: float | None = None


class _Annotation(Struct):
    name: str = ""
    id: str = ""
    slot_names: list[str] = []
    polygon: _Polygon | None = None
    ellipse: _Ellipse | None = None
    bounding_box: _Box | None = None
    mask: dict[str, Any] | None = None
    raster_layer: _Layer | None = None
    frames: dict[str, Any] | None = None
    tag: dict[str, Any] | None = None
    attributes: list[str] | None = None
    properties: list[_Property] | None = None
    text: _Text | None = None
    instance_id: _Value | None = None
    inference: _Inference | None = None

    @property
    def kind(self) -> str:
        """The first shape it has; empty for one that is not read."""
        if self.frames is not None:
            return ""
        return next(
            (kind for kind in (*_AREAS, "tag", "raster_layer") if getattr(self, kind) is not None), ""
        )

    def words(self) -> frozenset[str]:
        """What is said of it beside its class."""
        named = [tags_of({each.name: each.value}) for each in self.properties or ()]
        text = {f"text={self.text.text}"} if self.text and self.text.text else set[str]()
        return frozenset(self.attributes or ()).union(text, *named)


class _Slot(Struct):
    slot_name: str = _SLOT
    type: str = "image"
    width: int | None = None
    height: int | None = None


class _Item(Struct):
    name: str
    slots: list[_Slot]
    path: str = "/"


class _File(Struct):
    item: _Item
    annotations: list[_Annotation] = []


def sniff(path: Path) -> bool:
    """Whether it is a JSON of an item with slots and its annotations, or a folder with one."""
    if path.is_file():
        return looks_like(path, "item", "slots", "annotations")
    files = islice(path.rglob("*.json"), 8) if path.is_dir() else ()
    return any(sniff(file) for file in files if file.name != FILE) or is_written_as(path, "darwin")


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The items of a folder or of one file.

    Parameters
    ----------
    reader
        Tool whose way of filling polygons is meant; default pycocotools.
    """
    if not sniff(path):
        raise FormatError(
            path, "", "no JSON of an item with its slots and annotations, as Darwin 2.0 has them"
        )
    root = path.parent if path.is_file() else path
    root = root.parent if root.name == "annotations" else root
    files = [path] if path.is_file() else sorted(path.rglob("*.json"))
    extras = read_extras(root)
    left_out: Counter[str] = Counter()
    found: dict[str, Path] = {}
    names: dict[str, None] = {}
    for file in files:
        if file.name == FILE or (
            file.parent != root / "annotations" and not looks_like(file, "item", "slots")
        ):
            continue
        text = read_bytes(file, limit=1 << 30)
        data = decode(text, file, _File)
        found[_key(data.item, file, found)] = file
        left_out.update(_left_out(data, text))
        names |= dict.fromkeys(each.name for each in _drawn(data))
    classes = extras.classes_with(Classes(tuple(SegmentClass(name) for name in names)))
    folders = [root / "images", root, *dict.fromkeys(file.parent for file in found.values())]
    load = _Items(
        found, ImageFinder([each for each in folders if each.is_dir()]), classes, reader or READERS[0]
    )
    splits = {key: split_of(key) for key in found}
    return extras.dataset(list(found), classes, load, root, splits=splits, left_out=left_out)


def _key(item: _Item, file: Path, taken: Mapping[str, Path]) -> str:
    """What a sample is called: the path of its item, without suffix."""
    parts = safe_parts(f"{item.path.strip('/')}/{item.name}".lstrip("/")) if item.name else ()
    if not parts or not item.slots:
        raise FormatError(file, "item", f"{item.name!r} with {len(item.slots)} slots names no image")
    whole = "/".join(parts)
    stem = whole.removesuffix(Path(whole).suffix) or whole
    key = whole if stem in taken else stem
    if key in taken:
        raise FormatError(file, "item.name", f"{whole!r} stands in {taken[key].name} too")
    return key


def _mine(data: _File) -> Iterator[tuple[int, _Annotation]]:
    """The annotations of the first slot, with their places."""
    slot = data.item.slots[0].slot_name
    for place_, each in enumerate(data.annotations):
        if not each.slot_names or slot in each.slot_names:
            yield place_, each


def _drawn(data: _File) -> Iterator[_Annotation]:
    return (each for _, each in _mine(data) if each.kind in _AREAS)


def _left_out(data: _File, text: bytes) -> Counter[str]:
    """What the file says that is not read, counted by its words."""
    counts: Counter[str] = Counter()
    if len(data.item.slots) > 1:
        counts["further slots"] += len(data.item.slots) - 1
    unread = [place_ for place_, each in _mine(data) if not each.kind]
    if unread:
        raw = msgspec.json.decode(text, type=dict[str, msgspec.Raw])["annotations"]
        whole = msgspec.json.decode(raw, type=list[dict[str, msgspec.Raw]])
        for place_ in unread:
            words = [key for key in whole[place_] if key not in _ABOUT and key not in _AREAS]
            counts["frames of videos" if "frames" in words else next(iter(words), "empty annotations")] += 1
    return counts


@dataclass(frozen=True, eq=False)
class _Items:
    """Label files by key; calling it with one reads that sample."""

    found: Mapping[str, Path]
    find: ImageFinder
    classes: Classes
    reader: str

    def __call__(self, key: str) -> Sample:
        path = self.found[key]
        data = decode(read_bytes(path, limit=1 << 30), path, _File)
        image = self.find(f"{data.item.path.strip('/')}/{data.item.name}".lstrip("/"))
        slot = data.item.slots[0]
        if slot.height is None or slot.width is None:
            if image is None:
                what = f"no width and height, and the image {data.item.name!r} is not in images/"
                raise FormatError(path, "item.slots[0]", what)
            size = size_of(Sample(key, image, None))
        else:
            size = (slot.height, slot.width)
        drawing = Drawing(self.classes, size, path, self.reader)
        layers = _Layers(data, size, path)
        words = set[str]()
        for place_, each in _mine(data):
            where = f"annotations[{place_}]"
            if each.kind == "tag":
                words.add(each.name)
            elif each.kind in _AREAS:
                _draw(drawing, drawing.row(_row(each, path, where), where), each, layers, where)
        return Sample(key, image, drawing.segmentation(image_tags=frozenset(words)), split_of(key))


@dataclass(frozen=True, eq=False)
class _Layers:
    """The raster layers of an item, unpacked when the first mask is asked for."""

    data: _File
    size: tuple[int, int]
    path: Path

    @cached_property
    def masks(self) -> dict[str, Masks]:
        """The pixels of each mask by the id of its annotation."""
        height, width = self.size
        found: dict[str, Masks] = {}
        for place_, each in _mine(self.data):
            if each.raster_layer is not None:
                where = f"annotations[{place_}].raster_layer.dense_rle"
                values = from_value_runs(each.raster_layer.dense_rle, height, width, self.path, where)
                numbers = each.raster_layer.mask_annotation_ids_mapping
                present, ranks = np.unique(values, return_inverse=True)
                stack = Masks.from_ids(ranks.reshape(self.size).astype(np.int32), len(present))
                rows = {number: row for row, number in enumerate(present.tolist())}
                found |= {name: stack[rows[number]] for name, number in numbers.items() if number in rows}
        return found

    def mask(self, name: str) -> Masks:
        """The pixels of a mask by the id of its annotation; none where no layer has it."""
        return self.masks.get(name, Masks.empty(self.size, 1))


def _row(item: _Annotation, path: Path, where: str) -> Row:
    words = item.words()
    box: Box | None = None
    if item.kind == "bounding_box" and item.bounding_box is not None:
        each = item.bounding_box
        corners = ring_of(
            [[each.x, each.y], [each.x + each.w, each.y + each.h]], path, f"{where}.bounding_box"
        )
        (x0, y0), (x1, y1) = corners.tolist()
        box = (x0, y0, x1, y1)
    number = None if item.instance_id is None else item.instance_id.value
    score = None if item.inference is None else item.inference.confidence
    return Row(item.name, words - {_CROWD}, number, _CROWD in words, score, box)


def _draw(drawing: Drawing, row: int, item: _Annotation, layers: _Layers, where: str) -> None:
    if item.kind == "polygon" and item.polygon is not None:
        at = f"{where}.polygon.paths"
        rings = [
            ring_of([[point.x, point.y] for point in path], drawing.path, at) for path in item.polygon.paths
        ]
        drawing.mask(row, fill_even_odd(drawing.reader, rings, drawing.size))
    elif item.kind == "mask":
        drawing.mask(row, layers.mask(item.id))
    elif item.kind == "ellipse" and item.ellipse is not None:
        each = item.ellipse
        sides = [[each.center.x, each.center.y], [each.radius.x, each.radius.y]]
        (x, y), (across, down) = ring_of(sides, drawing.path, f"{where}.ellipse").tolist()
        if min(across, down) < 0 or not abs(each.angle) < FAR:
            what = f"radius {across} x {down}, angle {each.angle}: no ellipse"
            raise FormatError(drawing.path, f"{where}.ellipse", what)
        angle = float(np.rad2deg(each.angle))
        drawing.piece(row, *ellipse((x, y), (across, down), angle, drawing.size, at=0.5))


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:
    """Write `annotations/NAME.json` and `images/`, every segment a polygon of all its rings."""
    extras = ExtraWriter(dataset, "darwin", listed=False)
    for sample in dataset:
        refuse_nothing(sample)
        image = store_image(sample, path / "images")
        label = sample.segmentation
        folder, _, last = sample.name.rpartition("/")
        name = image.name if image else f"{last}.png"
        height, width = size_of(sample)
        slot = {"slot_name": _SLOT, "type": "image", "width": width, "height": height, "source_files": []}
        item = {"name": name, "path": f"/{folder}", "slots": [slot]}
        drawn = [] if label is None else list(_annotations(label, reader or READERS[0], sample.name))
        data = {"version": "2.0", "schema_ref": _SCHEMA, "item": item, "annotations": drawn}
        place(path / "annotations", sample.name, ".json").write_bytes(msgspec.json.encode(data))
        said = label or Segmentation.empty(dataset.classes, (1, 1))
        extras.add(sample, Sample(sample.name, None, said, split_of(sample.name)))
    extras.write(path)


def _annotations(label: Segmentation, reader: str, name: str) -> Iterator[dict[str, Any]]:
    """The segments, back to front, and the tags of the image."""
    bare, boxes = is_bare_box(label), label.boxes()
    polygons = trace(label.masks, rule=rule(reader))
    usual = np.array_equal(label.instance_id, instance_numbers(label.is_thing))
    for i in np.flatnonzero((label.masks.area() > 0) | bare).tolist():
        x0, y0, x1, y1 = boxes[i].tolist()
        item: dict[str, Any] = {"id": _id(name, i), "name": label.class_names[i], "slot_names": [_SLOT]}
        item |= {"bounding_box": {"x": x0, "y": y0, "w": x1 - x0, "h": y1 - y0}}
        if not bare[i]:
            item["polygon"] = {"paths": _paths([ring for part in polygons[i] for ring in part])}
        words = sorted(label.tags[i]) + [_CROWD] * bool(label.crowd[i])
        item |= {"attributes": words} if words else {}
        item |= {} if usual else {"instance_id": {"value": int(label.instance_id[i])}}
        item |= {} if label.score is None else {"inference": {"confidence": float(label.score[i])}}
        yield item
    for k, word in enumerate(sorted(label.image_tags)):
        yield {"id": _id(name, -1 - k), "name": word, "slot_names": [_SLOT], "tag": {}}


def _id(name: str, number: int) -> str:
    """An id that is the same whenever the dataset is written."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}#{number}"))


def _paths(rings: Sequence[Ring]) -> list[list[dict[str, float]]]:
    return [[{"x": x, "y": y} for x, y in ring.tolist()] for ring in rings]
