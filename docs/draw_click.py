"""Draw the picture of the page on click to segment: python docs/draw_click.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from inlay import scenes
from inlay.cli.click import draw_clicks
from inlay.click import load

SIZE = (240, 320)


def panels(kind: str, place: int, clicks: list[tuple[float, float, bool]]) -> np.ndarray:
    """The mask after each click, over the image."""
    pixels = scenes.make(kind, place + 1, size=SIZE, seed=5)[place].pixels()
    state = load("classical").embed(pixels)
    return np.hstack(
        [
            draw_clicks(pixels, state.mask(clicks[:count])[0].mask, clicks[:count])
            for count in range(1, len(clicks) + 1)
        ]
    )


if __name__ == "__main__":
    rows = [
        panels("street", 0, [(75, 115, True), (98, 117, True), (66, 135, False)]),
        panels("cells", 0, [(75, 215, True), (60, 205, True), (110, 205, False)]),
    ]
    Image.fromarray(np.vstack(rows)).save(Path(__file__).parent / "pictures" / "click.jpg", quality=85)
