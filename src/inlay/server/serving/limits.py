"""Limits of a model server: whom it answers, and how much it takes at once."""

from __future__ import annotations

from dataclasses import dataclass

from inlay.server.settings import LOOPBACK


@dataclass(frozen=True)
class Limits:
    """What one server takes.

    Parameters
    ----------
    hosts
        Names under which it may be addressed; another one is a page that plays us (DNS rebinding).
    token
        What every request but one for its health must bring as `Authorization: Bearer`; empty: nothing.
    max_body
        Most bytes of an image file.
    max_pixels
        Most pixels of an image.
    max_answer
        Most bytes of an answer.
    queue
        Most images that wait; more are sent away at once.
    seconds
        Longest time from a request's arrival to its answer.
    decode_memory
        Most bytes of the process that decodes an image.
    """

    hosts: frozenset[str] = frozenset(LOOPBACK)
    token: str = ""
    max_body: int = 64 << 20
    max_pixels: int = 200_000_000
    max_answer: int = 256 << 20
    queue: int = 32
    seconds: float = 120.0
    decode_memory: int = 6 << 30
