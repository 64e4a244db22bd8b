"""The XML files of Pascal VOC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from inlay.core.errors import FormatError, InlayError
from inlay.core.segmentation import NO_TAGS, Tags
from inlay.formats.parts.safe_xml import legal, read_xml, text_of, write_xml

FLAGS = ("truncated", "occluded", "difficult")
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Listed:
    """An object as the XML lists it.

    Parameters
    ----------
    name
        Its class.
    box
        (x0, y0, x1, y1), half-open, pixels from 0; `None` where the file has none.
    tags
        "truncated", "occluded", "difficult" and other words; "pose=Left", "action=running".
    crowd
        Whether it is a group.
    parts
        How many parts (head, hand, ...) it has: they are left out.
    number
        Its number in `SegmentationObject`, 0 for none; `None` in files of other tools, which do not say it.
    """

    name: str
    box: Box | None
    tags: Tags = NO_TAGS
    crowd: bool = False
    parts: int = 0
    number: int | None = None


@dataclass(frozen=True)
class Page:
    """What an XML file says of its image: size (height, width) or `None`, and its objects in order."""

    size: tuple[int, int] | None
    objects: tuple[Listed, ...]


def read_page(path: Path) -> Page:
    """The contents of an XML file.

    Raises
    ------
    FormatError
        When it is no XML, has a document type, is too large, or an object has no name or a broken box.
    """
    root = read_xml(path)
    if root.tag != "annotation":
        raise FormatError(path, f"<{root.tag}>", "the root of a VOC file is <annotation>")
    objects = tuple(_listed(path, place, node) for place, node in enumerate(root.findall("object")))
    size = (_number(path, "size", root.find("size/height")), _number(path, "size", root.find("size/width")))
    return Page((int(size[0]), int(size[1])) if size[0] and size[1] else None, objects)


def _number(path: Path, where: str, node: Element | None, *, less: int = 0) -> float:
    """The number in a node, lessened in decimals: a box that we wrote comes back to the last bit."""
    try:
        value = float(Decimal(text_of(node) or 0) - less)
    except InvalidOperation:
        raise FormatError(path, where, f"{text_of(node)!r} is not a number") from None
    if not abs(value) < 1e9:
        raise FormatError(path, where, f"{value} is no place in an image")
    return value


def _listed(path: Path, place: int, node: Element) -> Listed:
    where = f"object {place + 1}"
    name = text_of(node.find("name"))
    if not name:
        raise FormatError(path, where, "has no <name>: which class is it?")
    tags = {flag for flag in FLAGS if text_of(node.find(flag)).lower() in ("1", "true")}
    pose = text_of(node.find("pose"))
    if pose and pose.lower() != "unspecified":
        tags.add(f"pose={pose}")
    tags |= {f"action={action.tag}" for action in node.findall("actions/*") if text_of(action) == "1"}
    more = {_attribute(item) for item in node.findall("attributes/attribute")} - {""}
    number = node.find("number")
    return Listed(
        name,
        _box(path, where, node.find("bndbox")),
        frozenset(tags | more - {"iscrowd"}),
        "iscrowd" in more,
        len(node.findall("part")),
        None if number is None else int(_number(path, where, number)),
    )


def _attribute(node: Element) -> str:
    """`name` for a true attribute, `name=value` for one with another value, nothing for a false one."""
    name, value = text_of(node.find("name")), text_of(node.find("value"))
    if value.lower() in ("true", "1"):
        return name
    return "" if value.lower() in ("false", "0", "") else f"{name}={value}"


def _box(path: Path, where: str, node: Element | None) -> Box | None:
    """Half-open box from 0 of a `bndbox`, whose corners are pixels counted from 1, both inside."""
    if node is None:
        return None
    x0, y0 = (_number(path, where, node.find(side), less=1) for side in ("xmin", "ymin"))
    x1, y1 = (_number(path, where, node.find(side)) for side in ("xmax", "ymax"))
    return x0, y0, x1, y1


def write_page(path: Path, image: str, size: tuple[int, int], objects: Sequence[Listed]) -> None:
    """Write the XML file of one image.

    Raises
    ------
    InlayError
        When a class or tag has a character that XML cannot hold.
    """
    root = Element("annotation")
    SubElement(root, "filename").text = legal(image)
    node = SubElement(root, "size")
    for side, pixels in (("width", size[1]), ("height", size[0]), ("depth", 3)):
        SubElement(node, side).text = str(pixels)
    SubElement(root, "segmented").text = "1"
    for item in objects:
        _add(SubElement(root, "object"), item)
    write_xml(root, path)


def _add(node: Element, item: Listed) -> None:
    SubElement(node, "name").text = legal(item.name)
    poses = sorted(tag for tag in item.tags if tag.startswith("pose=") and tag != "pose=")[:1]
    SubElement(node, "pose").text = legal(poses[0].removeprefix("pose=")) if poses else "Unspecified"
    if item.number is not None:
        SubElement(node, "number").text = str(item.number)
    for flag in FLAGS:
        SubElement(node, flag).text = str(int(flag in item.tags))
    if item.box is not None:
        box = SubElement(node, "bndbox")
        for side, value, more in zip(("xmin", "ymin", "xmax", "ymax"), item.box, (1, 1, 0, 0)):
            SubElement(box, side).text = _decimal(value, more)
    others = sorted(item.tags - {*FLAGS, *poses}) + (["iscrowd"] if item.crowd else [])
    if others:
        attributes: Any = SubElement(node, "attributes")
        for tag in others:
            one = SubElement(attributes, "attribute")
            SubElement(one, "name").text = legal(tag)
            SubElement(one, "value").text = "true"


def _decimal(value: float, more: int) -> str:
    if not abs(value) < 1e9:
        raise InlayError(f"box side {value} is no place in an image")
    number = Decimal(repr(float(value))) + more
    return str(int(number)) if number == int(number) else f"{number:f}"
