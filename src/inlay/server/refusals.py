"""Refusals: why a request is not done, in one line with a status."""

from __future__ import annotations

from typing import Any

from inlay.core.errors import FormatError


class Refused(Exception):  # noqa: N818 - `raise Refused(409, ...)` reads as it should
    """A request that is not done; `body` goes beside the line."""

    def __init__(self, status: int, words: str, *, where: str | None = None, **body: Any) -> None:
        super().__init__(words)
        self.status, self.words, self.where, self.body = status, words, where, body


def told(error: Exception) -> str:
    """An error in one line for people elsewhere: of a file its name, not where it lies on this machine."""
    if isinstance(error, FormatError):
        place = f"{error.path.name}: {error.where}" if error.where else error.path.name
        return f"{place}: {error.what}"
    return " ".join(str(error).split())
