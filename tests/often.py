"""How often a law is tried: more by night."""

from __future__ import annotations

from hypothesis import settings

NIGHT = 1000  # examples of a profile that is meant to run long


def many(by_day: int, *, divided: int = 1) -> int:
    """Examples: as many as by day, or those of the profile `nightly` divided among so many runs of a law."""
    tried = settings.default.max_examples
    return tried // divided if tried >= NIGHT else by_day
