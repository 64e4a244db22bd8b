"""What tells a good mask from a bad one, before anybody has seen it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.click.parts.features import Look, scale_of
from inlay.click.parts.shape import Shape
from inlay.click.parts.trim import reaches


def qualities(shape: Shape, seen: Look, image: tuple[int, int], steps: int) -> NDArray[np.float32]:
    """(Q,) measures of a shape: size, edges under its outline, colours inside and outside, certainty."""
    from scipy.ndimage import binary_erosion

    inside, guide = shape.values > 0, seen.guide
    edges = np.hypot(*(np.abs(np.gradient(guide, axis=axis)).sum(-1) for axis in (0, 1)))
    outline = inside & ~binary_erosion(inside, border_value=1)
    area, length = float(inside.mean()), float(outline.sum())
    some = 3 < inside.sum() < inside.size - 3
    within, without = (guide[inside], guide[~inside]) if some else (np.zeros((1, 3)),) * 2
    scale, wide = scale_of(shape.window, image)
    agreed = 0.0 if seen.before is None else _iou(inside, seen.before > 0)
    return np.array(
        [
            area,
            np.sqrt(area),
            reaches(shape, image),
            float(edges[outline].mean() if length else 0.0) / (float(edges.mean()) + 0.01),
            float(within.std(0).sum()),
            float(np.abs(within.mean(0) - without.mean(0)).sum()),
            float(np.abs(shape.values).mean()),
            float((np.abs(shape.values) < 1).mean()),
            length / np.sqrt(float(inside.sum()) + 1),
            scale,
            wide,
            scale * np.sqrt(area),
            np.log2(steps + 1),
            agreed,
            float(edges.mean()),
        ],
        np.float32,
    )


def overlap(a: Shape, b: Shape) -> float:
    """IoU of two shapes, on the grid of the one with the smaller window."""
    small, large = sorted((a, b), key=lambda each: each.window[2] - each.window[0])
    inside = small.values > 0
    other = large.at(small.window, small.values.shape) > 0
    cell = _cell(small)
    shared = float((inside & other).sum()) * cell
    return shared / max(small.pixels + large.pixels - shared, 1.0)


def _cell(shape: Shape) -> float:
    x0, y0, x1, y1 = shape.window
    return (x1 - x0) * (y1 - y0) / shape.values.size


def _iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum()) / max(float((a | b).sum()), 1.0)
