"""Columns of the image file beside the label: can it be read, is it of the label's size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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


def exif_turned(table: ImageTable) -> bool | None:
    """Whether EXIF turns the stored pixels by a quarter, so that readers disagree; unknown without a file."""
    image = table.sample.image
    if not isinstance(image, Path) or table.image_size is None:
        return None
    with open_image(image) as opened:
        return (opened.height, opened.width) != table.image_size


def look(table: ImageTable) -> str | None:
    """What the image looks like from afar: 64 bits as hex digits, alike for like pictures; '' when even.

    A difference hash: of the picture shrunk to 9 x 8 greys, whether each is lighter than the one to its left.
    """
    image = table.sample.image
    if image is None:
        return None
    from PIL import Image

    try:
        if isinstance(image, Path):
            with open_image(image) as opened:
                opened.draft("L", (72, 64))
                small = opened.convert("L").resize((9, 8), Image.Resampling.BOX)
        else:
            small = Image.fromarray(image).convert("L").resize((9, 8), Image.Resampling.BOX)
    except (FormatError, OSError, SyntaxError):
        return None
    grey = np.asarray(small, np.int16)
    lighter = grey[:, 1:] > grey[:, :-1]
    if not np.ptp(grey):
        return ""  # nothing to be seen: alike to any other empty picture
    return f"{int.from_bytes(np.packbits(lighter).tobytes(), 'big'):016x}"
