"""Folders of label maps of a few pixels."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inlay.formats import label_png

SKY_ROAD_CAR = '{"classes": ["sky", "road", "car"]}'


def png(path: Path, rows: Any, *, dtype: Any = np.uint8, mode: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.array(rows, dtype))
    (image.convert(mode) if mode else image).save(path)
    return path


def stored(path: Path) -> tuple[str, list[list[int]]]:
    """Mode and pixels of an image file."""
    with Image.open(path) as image:
        return image.mode, np.asarray(image).tolist()


def folder(root: Path, rows: Any, classes: str | None = SKY_ROAD_CAR, **how: Any) -> Path:
    """A folder with one image, one map and perhaps a class list."""
    size = np.shape(rows)[:2]
    png(root / "images" / "a.png", np.zeros((*size, 3)))
    png(root / "labels" / "a.png", rows, **how)
    if classes is not None:
        (root / "classes.json").write_text(classes, "utf-8")
    return root


def raw_png(path: Path, width: int, height: int, bits: int, colour_type: int, lines: bytes) -> Path:
    """A PNG of any bit depth, as Pillow will not write it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def semantic(root: Path) -> list[list[int]]:
    return label_png.read(root)[0].label().semantic(void=-1).tolist()
