"""Records: arrays, words and plain values as bytes that say whether they are whole, and hold no code."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from inlay.core.errors import InlayError

CHECK = 16  # bytes


class BrokenRecordError(InlayError):
    """The bytes are no whole record."""


def encode(values: Mapping[str, Any]) -> bytes:
    """A record of arrays (words as object arrays) and of what JSON can hold."""
    head: dict[str, Any] = {}
    buffers: list[bytes] = []
    for key, value in values.items():
        if isinstance(value, np.ndarray) and value.dtype.kind != "O":
            head[key] = {"dtype": value.dtype.str, "shape": value.shape}
            buffers.append(np.ascontiguousarray(value).tobytes())
        elif isinstance(value, np.ndarray):
            head[key] = {"words": value.tolist()}
        else:
            head[key] = {"value": value}
    text = json.dumps(head).encode()
    body = zlib.compress(b"".join((len(text).to_bytes(8, "little"), text, *buffers)), 1)
    return hashlib.blake2b(body, digest_size=CHECK).digest() + body


def decode(record: bytes) -> dict[str, Any]:
    """What a record holds.

    Raises
    ------
    BrokenRecordError
        When a byte of it is not what was written.
    """
    body = record[CHECK:]
    if hashlib.blake2b(body, digest_size=CHECK).digest() != record[:CHECK]:
        raise BrokenRecordError("a record is broken")
    content = zlib.decompress(body)
    start = 8 + int.from_bytes(content[:8], "little")
    values: dict[str, Any] = {}
    for key, item in json.loads(content[8:start]).items():
        if "dtype" in item:
            dtype = np.dtype(item["dtype"])
            count = int(np.prod(item["shape"], dtype=np.int64))
            array = np.frombuffer(content, dtype, count, start).reshape(item["shape"])
            start += array.nbytes
            values[key] = array
        elif "words" in item:
            words = np.empty(len(item["words"]), np.object_)
            words[:] = item["words"]
            values[key] = words
        else:
            values[key] = item["value"]
    return values
