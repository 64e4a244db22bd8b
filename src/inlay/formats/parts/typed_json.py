"""Typed JSON: label files read into structs, with every error at its place in the file."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import FormatError

T = TypeVar("T")
Text = bytes | memoryview
Data = TypeVar("Data", bytes, NDArray[np.uint8])
BOM = b"\xef\xbb\xbf"
MAX_BYTES = 16 << 30  # the largest label files there are have a few thousand million bytes
NON_NUMBER = re.compile(rb'"(?:[^"\\]|\\.)*"|-?Infinity|NaN')  # or a string, within which these are words
HEAD = 1 << 16  # bytes looked at, at both ends, to recognise a file


def read_bytes(path: Path, *, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a file without a byte order mark.

    Raises
    ------
    FormatError
        When it cannot be read, is empty, or is larger than `limit` bytes.
    """
    return _whole(path, path.read_bytes, limit).removeprefix(BOM)


def read_buffer(path: Path) -> NDArray[np.uint8]:
    """As `read_bytes` for files that are large: numpy asks for memory in large pages, which come faster."""
    data = _whole(path, lambda: np.fromfile(path, np.uint8), MAX_BYTES)
    return data[3:] if data[:3].tobytes() == BOM else data


def _whole(path: Path, read: Callable[[], Data], limit: int) -> Data:
    try:
        if path.stat().st_size > limit:
            what = f"{path.stat().st_size} bytes are over the limit of {limit} for this kind of file"
            raise FormatError(path, "", what)
        data = read()
    except OSError as error:
        raise FormatError(path, "", error.strerror or str(error)) from None
    if bytes(data[:1]) in b" \t\n\r\v\f" and not bytes(data).strip():
        raise FormatError(path, "", "the file is empty")
    return data


def decode(data: Text, path: Path, kind: type[T], where: str = "") -> T:
    """The value of type `kind` that a JSON text holds.

    Raises
    ------
    FormatError
        With the JSON path, or the line, of what is wrong.
    """
    with json_errors(data, path, where), without_collector():
        return msgspec.json.decode(data, type=kind)


def without_non_numbers(data: Text) -> bytes:
    """The text with null for NaN and Infinity, which Python's json writes and JSON lacks."""
    return NON_NUMBER.sub(lambda found: found[0] if found[0][:1] == b'"' else b"null", bytes(data))


@contextmanager
def without_collector() -> Iterator[None]:
    """Millions of new objects and no cycle among them: the cyclic collector would double the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def json_errors(data: Text, path: Path, where: str = "") -> Iterator[None]:
    """Turn what the JSON library says into a `FormatError` with the place."""
    try:
        yield
    except msgspec.ValidationError as error:
        what, _, at = str(error).partition(" - at ")
        place = at.strip("`").removeprefix("$").removeprefix(".")
        raise FormatError(path, where + place, what.replace("`", "")) from None
    except msgspec.DecodeError as error:
        found = re.search(r"\(byte (\d+)\)", str(error))
        lines = bytes(data).count(b"\n", 0, int(found[1])) + 1 if found else 0
        line = f"line {lines}, byte {found[1]}" if found else ""
        raise FormatError(path, where or line, f"not valid JSON ({_plain(str(error))})") from None
    except RecursionError:
        raise FormatError(path, where, "brackets are nested too deep to be a label file") from None
    except UnicodeDecodeError as error:
        raise FormatError(
            path, where, f"text that is not UTF-8 ({error.reason}): save the file as UTF-8"
        ) from None


def _plain(text: str) -> str:
    text = re.sub(r" \(byte \d+\)", "", text.removeprefix("JSON is malformed: "))
    return "the file is cut off" if "truncated" in text else text


def looks_like(path: Path, *keys: str) -> bool:
    """Whether the beginning and the end of a JSON file name all these keys; reads little, never raises."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            if path.stat().st_size > HEAD:
                file.seek(-min(HEAD, path.stat().st_size - HEAD), os.SEEK_END)
                head += file.read()
    except OSError:
        return False
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return start in (b"{", b"[") and all(f'"{key}"'.encode() in head for key in keys)
