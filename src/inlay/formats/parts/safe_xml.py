"""Safe XML: label files read without trust: no document type, no entities, no depth, no large files."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, TreeBuilder, indent
from xml.parsers import expat

from inlay.core.errors import FormatError, InlayError

MAX_BYTES = 16_000_000  # of the labels of one image
MAX_DEPTH = 64
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_xml(path: Path, *, limit: int = MAX_BYTES) -> Element:
    """The root of an XML file.

    Raises
    ------
    FormatError
        When it is no XML, has a document type (and so entities), or is too deep or over `limit` bytes.
    """
    try:
        if path.stat().st_size > limit:
            raise FormatError(path, "", f"{path.stat().st_size} bytes are over the limit of {limit}")
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(path, "", error.strerror or str(error)) from None
    parser, builder = expat.ParserCreate(), TreeBuilder()
    depth = 0

    def refuse(*_: object) -> None:
        what = "a document type is not read: delete <!DOCTYPE ...>"
        raise FormatError(path, f"line {parser.CurrentLineNumber}", what)

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            what = f"elements are nested deeper than {MAX_DEPTH}: no label file"
            raise FormatError(path, f"line {parser.CurrentLineNumber}", what)
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        what = f"not XML ({expat.ErrorString(error.code)})"
        raise FormatError(path, f"line {error.lineno}", what) from None
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise FormatError(path, "line 1", f"not XML that can be read ({error})") from None
    return builder.close()


def write_xml(root: Element, path: Path) -> None:
    """Write a document, indented."""
    indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree(root).write(path, "utf-8", xml_declaration=True)


def text_of(node: Element | None) -> str:
    """The text of an element without the space around it; empty where there is none."""
    return "" if node is None or node.text is None else node.text.strip()


def legal(text: str) -> str:
    """The text itself.

    Raises
    ------
    InlayError
        When it has a character that XML cannot hold.
    """
    if _ILLEGAL.search(text):
        raise InlayError(f"{text!r} has a character that XML cannot hold: rename it")
    return text
