"""Columns of the image file beside the label: can it be read, is it of the label's size."""

from __future__ import annotations

from pathlib import Path

from inlay.core.errors import FormatError
from inlay.core.images import open_image, read_image
from inlay.rules.tables import ImageTable

JPEG_END, TAIL = b"\xff\xd9", 64


def image_exists(table: ImageTable) -> bool | None:
    """Whether the image file that the sample names is there; unknown when it names none."""
    image = table.sample.image
    return None if image is None else not isinstance(image, Path) or image.exists()


def image_readable(table: ImageTable) -> bool | None:
    """Whether the image file is whole; unknown when there is none.

    A PNG is judged by its checksums, a JPEG by its end mark (without it, by decoding), the rest by decoding.
    """
    image = table.sample.image
    if not isinstance(image, Path) or not image.exists():
        return None if image is None or isinstance(image, Path) else True
    try:
        return _is_whole(image)
    except FormatError:
        return False


def _is_whole(path: Path) -> bool:
    opened = open_image(path)
    with opened:
        if opened.format == "PNG":
            try:
                opened.verify()
            except (OSError, SyntaxError, ValueError):
                return False
            return True
        if opened.format == "JPEG" and JPEG_END in _tail(path):
            return True
    read_image(path)
    return True


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - TAIL, 0))
        return file.read()


def image_height(table: ImageTable) -> float:
    """Height of the image as its header says, turned by EXIF; pixels. Unknown when it cannot be read."""
    return float("nan") if table.image_size is None else float(table.image_size[0])


def image_width(table: ImageTable) -> float:
    """Width of the image as its header says, turned by EXIF; pixels. Unknown when it cannot be read."""
    return float("nan") if table.image_size is None else float(table.image_size[1])


def size_match(table: ImageTable) -> bool | None:
    """Whether the label has the size of its image, turned by EXIF or as stored; unknown when unreadable."""
    size = table.image_size
    if size is None:
        return None
    label = table.segments.segmentation.size
    if label == size:
        return True
    image = table.sample.image
    if not isinstance(image, Path) or label != size[::-1]:
        return False
    with open_image(image) as opened:  # labels drawn on the stored pixels, before EXIF turned them
        return (opened.height, opened.width) == label
