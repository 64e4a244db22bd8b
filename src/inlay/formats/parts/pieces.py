"""Pieces: small bitmaps that stand somewhere in an image, and the encodings that tools put them in."""

from __future__ import annotations

import base64
import binascii
import io
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import FormatError, reason
from inlay.core.images import MAX_PIXELS
from inlay.core.masks import Masks

Pixels = NDArray[np.bool_]  # (h, w) of a piece


def piece_of(masks: Masks, row: int) -> tuple[Pixels, int, int]:
    """The pixels of a mask inside its box, and the column and row of its first pixel."""
    box = masks.box()[row]
    return masks.crop(row, box), int(box[0]), int(box[1])


def row_runs(pixels: Pixels) -> list[int]:
    """Run lengths along the rows of a piece, the first one background."""
    flat = np.concatenate([[False], pixels.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    runs: list[int] = np.diff(edges, prepend=0, append=pixels.size).tolist()
    return runs[:-1] if len(runs) > 1 and runs[-1] == 0 else runs


def from_row_runs(runs: NDArray[np.int64], height: int, width: int, path: Path, where: str) -> Pixels:
    """The piece whose rows have these run lengths.

    Raises
    ------
    FormatError
        When they are negative or do not cover height x width pixels.
    """
    if height < 0 or width < 0 or height * width > MAX_PIXELS:
        raise FormatError(path, where, f"a piece of {height}x{width} pixels: at most {MAX_PIXELS} are read")
    if (runs < 0).any() or (runs > height * width).any() or int(runs.sum()) != height * width:
        what = f"run lengths cover {int(runs.sum())} pixels; the piece has {height * width}"
        raise FormatError(path, where, what)
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)


def from_value_runs(
    pairs: Sequence[int], height: int, width: int, path: Path, where: str
) -> NDArray[np.int64]:
    """The (H, W) numbers whose rows are these pairs of a number and how often it comes.

    Raises
    ------
    FormatError
        When they are no pairs, a length is negative, or they do not cover height x width pixels.
    """
    try:
        runs = np.array(pairs, np.int64)
    except OverflowError:
        raise FormatError(path, where, "a number of more than 64 bits") from None
    if runs.size % 2:
        raise FormatError(
            path, where, f"{runs.size} numbers: pairs of a number and its length have an even one"
        )
    values, lengths = runs[::2], runs[1::2]
    if (lengths < 0).any() or (lengths > height * width).any() or int(lengths.sum()) != height * width:
        what = f"run lengths cover {int(lengths.sum())} pixels; the image has {height * width}"
        raise FormatError(path, where, what)
    return np.repeat(values, lengths).reshape(height, width)


def from_base64(text: str, path: Path, where: str) -> bytes:
    """The bytes of a base64 text, with or without the head of a data URI."""
    try:
        return base64.b64decode(text.partition("base64,")[2] or text, validate=False)
    except (binascii.Error, ValueError) as error:
        raise FormatError(path, where, f"not base64 ({error})") from None


def inflate(data: bytes, most: int, path: Path, where: str) -> bytes:
    """What zlib data holds.

    Raises
    ------
    FormatError
        When it is broken, or holds more than `most` bytes.
    """
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(data, most + 1)
    except zlib.error as error:
        raise FormatError(path, where, f"not zlib data ({error})") from None
    if len(found) > most:
        raise FormatError(path, where, f"unpacks to more than {most} bytes: no mask of this image")
    if not unpacker.eof:
        raise FormatError(path, where, "zlib data that is cut off")
    return found


def image_of(data: bytes, most: int, path: Path, where: str, *, mode: str | None = None) -> NDArray[np.uint8]:
    """The (H, W) or (H, W, C) values of an image file held in memory; palettes give their indices.

    Parameters
    ----------
    most
        Pixels that it may have.
    mode
        Of Pillow, such as "RGB", to convert it to; default as it is stored.

    Raises
    ------
    FormatError
        When it is no image, broken, or has more than `most` pixels.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > most:
                what = f"{image.width}x{image.height} pixels are over the limit of {most}"
                raise FormatError(path, where, what)
            values = image if mode is None else image.convert(mode)
            return np.asarray(values).astype(np.uint8, copy=False)
    except FormatError:
        raise
    except Exception as error:  # the decoders of broken files raise whatever they stumble over
        raise FormatError(path, where, f"no image that can be read ({reason(error)[:200]})") from None


def foreground(values: NDArray[np.uint8]) -> Pixels:
    """Which pixels of a mask picture are set: by its alpha where it has one, else where it is not black."""
    if values.ndim == 3 and values.shape[2] in (2, 4):
        return np.asarray(values[..., -1] > 0)
    return np.asarray(values.any(axis=2) if values.ndim == 3 else values > 0)


def png_of(pixels: NDArray[Any]) -> bytes:
    """A piece as a PNG of one bit, colours as one of eight."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def ellipse(
    centre: tuple[float, float], radii: tuple[float, float], angle: float, size: tuple[int, int], *, at: float
) -> tuple[Pixels, int, int]:
    """The piece of an ellipse: pixels whose centres lie in it, those being `at` from their corners (0 or .5).

    Parameters
    ----------
    angle
        Degrees, clockwise on the screen.
    """
    reach = max(radii)
    x0, x1 = (int(np.clip(centre[0] + sign * (reach + 1), 0, size[1])) for sign in (-1, 1))
    y0, y1 = (int(np.clip(centre[1] + sign * (reach + 1), 0, size[0])) for sign in (-1, 1))
    y, x = np.mgrid[y0 : y1 + 1, x0 : x1 + 1].astype(np.float64)
    x, y = x + at - centre[0], y + at - centre[1]
    turn = np.deg2rad(angle)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    inside = (along * radii[1]) ** 2 + (across * radii[0]) ** 2 <= (radii[0] * radii[1]) ** 2 + 1e-9
    return np.asarray(inside), x0, y0
