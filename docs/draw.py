"""Draw the pictures of the documentation: python docs/draw.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from inlay import scenes
from inlay.core.overlay import draw

SIZE = (180, 240)
PICTURES = Path(__file__).parent / "pictures"


def scene_sheet() -> Image.Image:
    """Four pictures of each kind of scene above their truth."""
    rows = []
    for kind in ("street", "parts", "cells"):
        samples = list(scenes.make(kind, 4, size=SIZE, seed=5))
        rows.append(np.hstack([sample.pixels() for sample in samples]))
        rows.append(np.hstack([draw(sample.pixels(), sample.label(), names=False) for sample in samples]))
    return Image.fromarray(np.vstack(rows))


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    scene_sheet().save(PICTURES / "scenes.jpg", quality=85)
