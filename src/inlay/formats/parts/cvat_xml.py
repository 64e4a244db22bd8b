"""CVAT's XML: labels, and the shapes that images and tracks share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset
from inlay.core.errors import FormatError
from inlay.core.segmentation import Segmentation, Tags
from inlay.formats.parts.drawing import Box, Drawing, Ring, Row, ring_of, turned
from inlay.formats.parts.pieces import ellipse, from_row_runs, piece_of, row_runs
from inlay.formats.parts.safe_xml import legal, read_xml, text_of

MOST_BYTES = 1 << 29
READERS = ("cvat", "pycocotools", "opencv")
AREAS = frozenset({"polygon", "mask", "box", "ellipse"})
NO_AREAS = frozenset({"polyline", "points", "skeleton", "cuboid"})
CROWD = "is_crowd"  # the attribute that CVAT itself passes on to COCO
_HEAD = 1 << 18


def files_of(path: Path, *, track: bool, deep: bool = False) -> list[Path]:
    """The file itself or those of a folder, with tracks or with images; never raises."""
    if path.is_file():
        return [path] if path.suffix.lower() == ".xml" and _fits(path, track=track) else []
    if not path.is_dir():
        return []
    found = islice(path.rglob("*.xml") if deep else path.glob("*.xml"), 1000)
    return sorted(file for file in found if _fits(file, track=track))


def _fits(path: Path, *, track: bool) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    if b"<annotations" not in head or b"<!DOCTYPE" in head:
        return False
    is_track = b"<track " in head or b"<mode>interpolation</mode>" in head
    return is_track if track else not is_track and (b"<image " in head or b"<mode>annotation</mode>" in head)


def read_root(path: Path) -> Element:
    """The root of a CVAT file.

    Raises
    ------
    FormatError
        When it is another XML, or none.
    """
    root = read_xml(path, limit=MOST_BYTES)
    if root.tag != "annotations":
        raise FormatError(path, f"<{root.tag}>", "the root of a CVAT file is <annotations>")
    return root


def classes_of(root: Element, path: Path) -> Classes:
    """The labels of the task or project, then those that only shapes name; points of skeletons are none."""
    found: dict[str, SegmentClass] = {}
    for node in root.findall("meta//labels/label"):
        name, colour = text_of(node.find("name")), text_of(node.find("color"))
        if node.find("parent") is None and text_of(node.find("type")) not in ("skeleton", "tag"):
            found[name] = SegmentClass(name, colour=_colour(colour, path, name))
    for shape in root.iter():
        if shape.tag in AREAS:
            own = shape.get("label")
            if own is not None and own not in found:
                found[own] = SegmentClass(own)
        elif shape.tag == "track" and shape.get("label", "") not in found and shape.find("skeleton") is None:
            found[shape.get("label", "")] = SegmentClass(shape.get("label", ""))
    return Classes(tuple(found.values()))


def _colour(text: str, path: Path, name: str) -> tuple[int, int, int] | None:
    if not text:
        return None
    if not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise FormatError(path, f"label {name!r}", f"colour {text!r} is not #rrggbb")
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue


def number(node: Element, key: str, path: Path, where: str, default: float | None = None) -> float:
    """The number in an attribute of an element.

    Raises
    ------
    FormatError
        When it is missing without a default, or no number.
    """
    text = node.get(key)
    if text is None and default is not None:
        return default
    try:
        value = float(text if text is not None else "missing")
    except ValueError:
        value = np.nan
    if not abs(value) < 2**31:
        raise FormatError(path, where, f"{key}={text!r} is no number of pixels or frames")
    return value


def whole(node: Element, key: str, path: Path, where: str, default: int | None = None) -> int:
    """The whole number in an attribute of an element."""
    return int(number(node, key, path, where, default))


def row_of(node: Element, class_name: str, instance: int | None, path: Path, where: str) -> Row:
    """What an element says of its segment beside the shape."""
    tags = {_tag(item) for item in node.findall("attribute")} - {""}
    tags |= {"occluded"} if node.get("occluded") == "1" else set()
    box = _box(node, path, where) if node.tag == "box" and not float_of(node, "rotation") else None
    return Row(class_name, frozenset(tags - {CROWD}), instance, CROWD in tags, box=box)


def float_of(node: Element, key: str) -> float:
    """A number that may be missing or empty."""
    try:
        return float(node.get(key) or 0)
    except ValueError:
        return 0.0


def _tag(node: Element) -> str:
    name, value = node.get("name", ""), text_of(node)
    if value.lower() == "true":
        return name
    return "" if value.lower() in ("false", "") else f"{name}={value}"


def _box(node: Element, path: Path, where: str) -> Box:
    x0, y0, x1, y1 = (number(node, side, path, where) for side in ("xtl", "ytl", "xbr", "ybr"))
    return x0, y0, x1, y1


def draw(drawing: Drawing, row: int, node: Element, where: str) -> None:
    """Add the shape of an element to a segment; upright boxes have no pixels."""
    path = drawing.path
    if node.tag == "polygon":
        drawing.polygon(row, [_points(node.get("points", ""), path, where)])
    elif node.tag == "mask":
        left, top, width, height = (
            whole(node, key, path, where) for key in ("left", "top", "width", "height")
        )
        try:
            runs = np.array([int(word) for word in node.get("rle", "").split(",")], np.int64)
        except (ValueError, OverflowError):
            raise FormatError(path, where, "rle is not a list of whole numbers") from None
        drawing.piece(row, from_row_runs(runs, height, width, path, where), left, top)
    elif node.tag == "ellipse":
        keys = ("cx", "cy", "rx", "ry")
        cx, cy, rx, ry = (number(node, key, path, where) for key in keys)
        if min(rx, ry) < 0:
            raise FormatError(path, where, f"radii {rx}, {ry} are below 0")
        drawing.piece(row, *ellipse((cx, cy), (rx, ry), float_of(node, "rotation"), drawing.size, at=0.5))
    elif float_of(node, "rotation"):
        x0, y0, x1, y1 = _box(node, path, where)
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        drawing.polygon(row, [turned(corners, corners.mean(axis=0), float_of(node, "rotation"))])


def _points(text: str, path: Path, where: str) -> Ring:
    pairs = [pair.split(",") for pair in text.split(";") if pair.strip()]
    try:
        values = [[float(word) for word in pair] for pair in pairs]
    except ValueError:
        values = [[np.nan]]
    return ring_of(values, path, where)


def in_stack_order(shapes: Iterable[tuple[Element, int]]) -> list[tuple[Element, int]]:
    """Shapes with their places, back to front: by `z_order`, else as they are listed."""
    return sorted(shapes, key=lambda shape: float_of(shape[0], "z_order"))


def write_meta(root: Element, dataset: Dataset, mode: str, words: Iterable[str], **task: str) -> Element:
    """Add `<meta>`, and give its task: the classes with tags as check boxes, as CVAT needs them."""
    job = SubElement(SubElement(root, "meta"), "task")
    for key, value in {**task, "mode": mode, "z_order": "True"}.items():
        SubElement(job, key).text = legal(value)
    labels = SubElement(job, "labels")
    for item in dataset.classes:
        label = SubElement(labels, "label")
        SubElement(label, "name").text = legal(item.name)
        if item.colour is not None:
            SubElement(label, "color").text = "#{:02x}{:02x}{:02x}".format(*item.colour)
        attributes = SubElement(label, "attributes")
        for word in words:
            attribute = SubElement(attributes, "attribute")
            SubElement(attribute, "name").text = legal(word)
            for key, value in (("mutable", "True"), ("input_type", "checkbox"), ("default_value", "false")):
                SubElement(attribute, key).text = value
            SubElement(attribute, "values").text = "false\ntrue"
    return job


def add_shape(
    parent: Element,
    label: Segmentation,
    row: int,
    ring: Ring | None,
    more: dict[str, str],
) -> Element:
    """Add the element of a segment: its polygon, else a mask, and a box where it has no pixel."""
    tags = label.tags[row]
    facts = {**more, "occluded": str(int("occluded" in tags)), "source": "manual", "z_order": str(row)}
    if ring is not None:
        points = ";".join(f"{x:g},{y:g}" if max(x, y) < 1e5 else f"{x:.0f},{y:.0f}" for x, y in ring.tolist())
        node = SubElement(parent, "polygon", {**facts, "points": points})
    elif label.masks.area()[row]:
        pixels, x, y = piece_of(label.masks, row)
        height, width = pixels.shape
        runs = ", ".join(map(str, row_runs(pixels)))
        place = {"rle": runs, "left": str(x), "top": str(y), "width": str(width), "height": str(height)}
        node = SubElement(parent, "mask", facts | place)
    else:
        sides = zip(("xtl", "ytl", "xbr", "ybr"), label.boxes()[row].tolist())
        node = SubElement(parent, "box", facts | {side: repr(value) for side, value in sides})
    for word in words_on(tags, crowd=bool(label.crowd[row])):
        SubElement(node, "attribute", {"name": legal(word)}).text = "true"
    return node


def words_on(tags: Tags, *, crowd: bool) -> Iterator[str]:
    """The attributes that say the tags of a segment."""
    yield from sorted(tags - {"occluded"})
    if crowd:
        yield CROWD


def shown(label: Segmentation, boxes: NDArray[np.bool_]) -> list[int]:
    """Rows that have a pixel or a box."""
    found: list[int] = np.flatnonzero((label.masks.area() > 0) | boxes).tolist()
    return found
