"""The journal: lines for us, and events that TensorBoard reads."""

from __future__ import annotations

import json
import struct

import pytest

from inlay.training.journal import Journal, masked


def records(data):
    """The records of a file, checksums checked by the format's definition."""
    place = 0
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        (check,) = struct.unpack_from("<I", data, place + 8)
        assert check == masked(data[place : place + 8])
        content = data[place + 12 : place + 12 + length]
        (check,) = struct.unpack_from("<I", data, place + 12 + length)
        assert check == masked(content)
        yield content
        place += 16 + length


def fields(message):
    """(field, value) of a message of protocol buffers."""
    place = 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(message):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
            continue
        length = {1: 8, 2: None, 5: 4}[key & 7] or varint()
        yield key >> 3, message[place : place + length]
        place += length


def scalars(path):
    found = []
    for record in records(path.read_bytes()):
        event = dict(fields(record))
        for _, value in fields(event.get(5, b"")):
            content = dict(fields(value))
            found.append((event[2], content[1].decode(), struct.unpack("<f", content[2])[0]))
    return found


def test_the_checksum_is_that_of_the_format():
    crc = 0xE3069283  # CRC-32C of the digits, from RFC 3720's family of test vectors
    wanted = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert masked(b"123456789") == wanted


def test_lines_are_events_too(tmp_path):
    (tmp_path / "log.jsonl").write_text("")
    with Journal(tmp_path, 0) as journal:
        journal.write(10, 1.5, loss=2.5, dice=0.5)
        journal.write(300, 2.5, judged=0.25, mIoU=0.25)
        assert journal.bytes == (tmp_path / "log.jsonl").stat().st_size
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[0] == {"step": 10, "seconds": 1.5, "loss": 2.5, "dice": 0.5}
    (path,) = (tmp_path / "events").iterdir()
    assert path.name.startswith("events.out.tfevents.")
    first = dict(fields(next(records(path.read_bytes()))))
    assert first[3] == b"brain.Event:2"
    assert scalars(path) == [
        (10, "training/loss", 2.5),
        (10, "training/dice", 0.5),
        (300, "validation/mIoU", 0.25),
    ]


def test_a_resumed_journal_drops_what_came_after_the_checkpoint(tmp_path):
    (tmp_path / "log.jsonl").write_text("")
    with Journal(tmp_path, 0) as journal:
        journal.write(10, 1.0, loss=2.0)
        kept = journal.bytes
        journal.write(20, 2.0, loss=1.0)
    with Journal(tmp_path, kept) as journal:
        journal.write(20, 3.0, loss=0.5)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["loss"] for line in lines] == [2.0, 0.5]
    (path,) = (tmp_path / "events").iterdir()
    assert [value for _, _, value in scalars(path)] == [2.0, 0.5]


def test_a_process_that_does_not_lead_writes_nothing(tmp_path):
    with Journal(tmp_path, None) as journal:
        journal.write(10, 1.0, loss=2.0)
    assert list(tmp_path.iterdir()) == []


def test_events_are_read_by_tensorboard_itself(tmp_path):
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    (tmp_path / "log.jsonl").write_text("")
    with Journal(tmp_path, 0) as journal:
        journal.write(10, 1.0, loss=2.0)
    read = loader.EventAccumulator(str(tmp_path / "events")).Reload()
    assert [(item.step, item.value) for item in read.Scalars("training/loss")] == [(10, 2.0)]
