"""How often a law is tried: more by night."""

from __future__ import annotations

from hypothesis import settings

NIGHT = 1000  # examples of a profile that is meant to run long


def many(by_day: int) -> int:
    """Examples: as many as by day, or those of the profile `nightly`."""
    tried = settings.default.max_examples
    return tried if tried >= NIGHT else by_day
