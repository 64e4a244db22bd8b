"""Journal: what training writes down while it goes on, for our pages (JSON lines) and for TensorBoard."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

LOG, EVENTS = "log.jsonl", "events"


class Journal:
    """Lines of `log.jsonl`, and the same figures as events that TensorBoard reads.

    Parameters
    ----------
    folder
        Run folder.
    keep
        Bytes of the log that a resumed run keeps: what came after its checkpoint is written again. `None`
        writes nothing.
    """

    def __init__(self, folder: Path, keep: int | None) -> None:
        self._log: IO[str] | None = None
        self._events: IO[bytes] | None = None
        self.bytes = keep or 0
        if keep is None:
            return
        self._log = (folder / LOG).open("r+", encoding="utf-8", newline="\n")
        self._log.truncate(keep)
        self._log.seek(0)
        lines = [json.loads(line) for line in self._log]
        self._log.seek(keep)
        (folder / EVENTS).mkdir(exist_ok=True)
        name = f"events.out.tfevents.0.{socket.gethostname()}"
        self._events = (folder / EVENTS / name).open("wb")
        self._events.write(record_of(_event(time.time(), 0, _bytes(3, b"brain.Event:2"))))
        for line in lines:
            self._write_event(line)

    def write(self, step: int, seconds: float, **figures: float) -> None:
        """One line and its event."""
        if self._log is None:
            return
        line = {"step": step, "seconds": round(seconds, 3), **figures}
        self._log.write(json.dumps(line) + "\n")
        self._log.flush()
        self.bytes = self._log.tell()
        self._write_event(line)

    def _write_event(self, line: Mapping[str, float]) -> None:
        assert self._events is not None
        kind = "validation" if "judged" in line else "training"
        values = [
            _bytes(1, _bytes(1, f"{kind}/{name}".encode()) + b"\x15" + struct.pack("<f", value))
            for name, value in line.items()
            if name not in ("step", "seconds", "judged")
        ]
        step = int(line["step"])
        self._events.write(record_of(_event(time.time(), step, _bytes(5, b"".join(values)))))
        self._events.flush()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (self._log, self._events):
            if file is not None:
                file.close()


def record_of(data: bytes) -> bytes:
    """A record of TensorFlow's record format: length and data, each with its checksum."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def masked(data: bytes) -> int:
    """The CRC-32C of bytes, turned and shifted as the record format wants it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = _table()


def _event(when: float, step: int, content: bytes) -> bytes:
    """An `Event` message: wall time (field 1), step (field 2), and one of its contents."""
    return b"\x09" + struct.pack("<d", when) + b"\x10" + _varint(step) + content


def _bytes(field: int, content: bytes) -> bytes:
    """A field of bytes in a message of protocol buffers."""
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
