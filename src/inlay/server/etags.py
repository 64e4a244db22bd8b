"""ETags: revisions as HTTP headers."""

from __future__ import annotations

from inlay.server.refusals import Refused


def etag(revision: int) -> str:
    """The header of a revision."""
    return f'"{revision}"'


def revision_of(if_match: str | None) -> int:
    """The revision in an If-Match header.

    Raises
    ------
    Refused
        With 428 when there is none; 400 when it is no revision.
    """
    if if_match is None:
        raise Refused(428, 'say in If-Match which revision this is based on: If-Match: "7"')
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isdecimal() or len(text) > 9:
        raise Refused(400, f"If-Match {if_match[:40]!r} is no revision")
    return int(text)


def matches(if_none_match: str | None, version: str) -> bool:
    """Whether the browser has this version already."""
    return if_none_match is not None and f'"{version}"' in if_none_match
