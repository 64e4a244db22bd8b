"""Pictures of a model card: the learning curve, and the best and worst cases."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from inlay.core import overlay
from inlay.core.segmentation import Segmentation

Points = Sequence[tuple[float, float]]
WIDTH, HEIGHT, MARGIN = 640, 240, 44


def curve_svg(losses: Points, judged: Points, figure: str) -> str:
    """The loss (grey, own scale) and the judged figure (blue, 0 to 1) over the steps."""
    last = max([x for x, _ in [*losses, *judged]], default=1.0) or 1.0
    most = max([y for _, y in losses], default=1.0) or 1.0
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _place(0, share, 1, 1)[1]
        lines.append(f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        lines.append(f'<text x="6" y="{y + 4:.1f}" fill="#1f5fbf">{share:.2f}</text>')
        lines.append(f'<text x="{WIDTH - MARGIN + 6}" y="{y + 4:.1f}" fill="#888">{share * most:.2f}</text>')
    lines.append(_line(losses, last, most, "#999", 1))
    lines.append(_line(judged, last, 1.0, "#1f5fbf", 2))
    lines.append(
        f'<text x="{MARGIN}" y="{HEIGHT - 8}">{last:.0f} steps; blue: {figure}, grey: loss</text></svg>'
    )
    return "\n".join(lines) + "\n"


def _place(x: float, y: float, last: float, most: float) -> tuple[float, float]:
    return MARGIN + x / last * (WIDTH - 2 * MARGIN), HEIGHT - 28 - y / most * (HEIGHT - 48)


def _line(points: Points, last: float, most: float, colour: str, width: int) -> str:
    places = " ".join("{:.1f},{:.1f}".format(*_place(x, y, last, most)) for x, y in points)
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def side_by_side(
    image: NDArray[np.uint8], truth: Segmentation, found: Segmentation, *, height: int = 240
) -> NDArray[np.uint8]:
    """(height, W, 3) uint8: the image, its truth and its prediction, left to right."""
    width = max(1, round(image.shape[1] * height / image.shape[0]))
    panels = [overlay.draw(image, each, size=(height, width), names=False) for each in (truth, found)]
    return np.hstack([overlay.resize(image, (height, width)), *panels])


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file of red, green, blue pixels."""
    done, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    assert done
    return data.tobytes()
