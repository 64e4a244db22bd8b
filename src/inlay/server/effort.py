"""Effort: which segments a gesture was about, so that its active seconds are booked to them."""

from __future__ import annotations

from collections.abc import Iterator

from inlay.server import wire

UNBOOKED = ("import", "restore", "take")  # not drawn by anybody
TAKING = ("erase", "undo", "delete")  # about those that lose pixels, not those that come to light


def about(gesture: wire.Gesture) -> list[str]:
    """Keys of the segments that a gesture was about, each once; none where nobody drew."""
    if gesture.kind in UNBOOKED:
        return []
    ops = gesture.ops
    created = [op.segment.key for op in ops if isinstance(op, wire.Create)]
    pixels = [op for op in ops if isinstance(op, wire.Pixels)]
    gaining, losing = (op.after for op in pixels), (op.before for op in pixels)
    first, second = (losing, gaining) if gesture.kind in TAKING else (gaining, losing)
    for keys in (created, first, second, _named(ops)):
        found = list(dict.fromkeys(key for key in keys if key is not None))
        if found:
            return found
    return []


def _named(ops: list[wire.Op]) -> Iterator[str | None]:
    for op in ops:
        if isinstance(op, wire.Create | wire.Delete):
            yield op.segment.key
        elif not isinstance(op, wire.Pixels):
            yield op.key
