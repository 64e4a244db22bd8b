"""Instants: times as they are stored and as they are sent."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(seconds: float) -> str:
    """ISO time in UTC of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
