"""Click to segment without weights: paths through colours, on a window that fits the segment.

Each cell of a window is measured (`parts/features.py`), small layers weigh the measures, and the result is
smoothed up to colour edges. The first click tries windows of several scales; the best goes on. The layers are
found by `benchmarks/tune_click.py` on training images.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inlay.click.parts.features import Look, look
from inlay.click.parts.judge import overlap, qualities
from inlay.click.parts.layers import Layers, read_layers
from inlay.click.parts.pyramid import Pyramid
from inlay.click.parts.shape import Shape
from inlay.click.parts.state import Ask, State
from inlay.click.parts.trim import trimmed
from inlay.models.cues import CERTAIN, cells_of
from inlay.models.cues.smooth import smooth
from inlay.parallel import Place, map_samples

COEFFICIENTS = Path(__file__).parent / "parts" / "classical.npz"
FIRST, NEXT = 80, 112  # cells a side of the grid: of each scale of a first click, of later ones

Rows = NDArray[np.float32]  # (N, Q) qualities of shapes


def ready() -> bool:
    """Whether it can be used here: always."""
    return True


def opens(path: Path) -> bool:
    """Whether a file or folder holds such an engine: never, it needs none."""
    del path
    return False


def make(path: Path | None = None) -> Classical:
    """The engine."""
    del path
    return Classical(_shipped())


@cache
def _shipped() -> dict[str, Layers]:
    return read_layers(COEFFICIENTS)


class Watch(Protocol):
    """Sees what is weighed, for tuning."""

    def cells(self, kind: str, seen: Look) -> None:
        """A window was measured."""

    def shapes(self, kind: str, shapes: Sequence[Shape], rows: Rows) -> None:
        """Shapes were judged by their qualities (N, Q)."""


class Classical:
    """The classical engine, and its sight."""

    def __init__(self, coefficients: Mapping[str, Layers], watch: Watch | None = None) -> None:
        self._coefficients, self._watch = coefficients, watch

    def embed(self, image: NDArray[np.uint8]) -> State:
        """An image ready for prompts: (H, W, 3) uint8."""
        return State(Pyramid(image), self)

    def __call__(self, pyramid: Pyramid, asks: Sequence[Ask]) -> list[Shape]:
        """A shape with its score for each window."""
        kind = "box" if asks[0].box else "next" if asks[0].before else "first"
        place: Place = "serial" if self._watch else "threads"  # a watch wants its windows in order
        found = list(map_samples(partial(self._seen, kind, pyramid), asks, on=place))
        shapes, rows = [shape for shape, _ in found], np.array([row for _, row in found])
        if kind == "first":
            rows = np.column_stack([rows, *_beside(shapes)]).astype(np.float32)
        if self._watch:
            self._watch.shapes(kind, shapes, rows)
        scores = 1 / (1 + np.exp(-self._coefficients[f"{kind}_score"](rows)))
        return [replace(shape, score=float(score)) for shape, score in zip(shapes, scores)]

    def _seen(self, kind: str, pyramid: Pyramid, ask: Ask) -> tuple[Shape, Rows]:
        """The shape in a window: measured, weighed, smoothed, trimmed to the clicks; and its qualities."""
        seen = look(
            pyramid,
            ask.window,
            ask.clicks,
            longest=FIRST if kind == "first" else NEXT,
            before=ask.before,
            box=ask.box,
            steps=ask.steps,
        )
        if self._watch:
            self._watch.cells(kind, seen)
        values = np.clip(self._coefficients[kind](seen.columns), -6, 6)
        values = np.clip(smooth(values, seen.guide, reach=1.2, contrast=0.05), -CERTAIN, CERTAIN)
        shape = Shape(ask.window, trimmed(values, *cells_of(ask.clicks, ask.window, seen.size), seen.before))
        return shape, qualities(shape, seen, pyramid.size, ask.steps)


def _beside(shapes: Sequence[Shape]) -> list[NDArray[np.float64]]:
    """How each shape lies among those of the next scales: IoU with either, and how much smaller it is."""
    pairs = [overlap(a, b) for a, b in itertools.pairwise(shapes)]
    area = np.log([shape.pixels + 20 for shape in shapes])
    steps = np.diff(area) / 3
    return [
        np.array([0.3, *pairs]),
        np.array([*pairs, 0.3]),
        np.array([0.0, *-steps]),
        np.array([*steps, 0.0]),
    ]
