"""Refusals: why a request is not done, in one line with a status."""

from __future__ import annotations

from typing import Any


class Refused(Exception):  # noqa: N818 - `raise Refused(409, ...)` reads as it should
    """A request that is not done; `body` goes beside the line."""

    def __init__(self, status: int, words: str, *, where: str | None = None, **body: Any) -> None:
        super().__init__(words)
        self.status, self.words, self.where, self.body = status, words, where, body
