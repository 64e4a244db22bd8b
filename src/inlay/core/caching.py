"""Where a user's caches lie."""

from __future__ import annotations

import os
from pathlib import Path


def default_folder() -> Path:
    """The folder of this program's caches: they may be deleted at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inlay"
