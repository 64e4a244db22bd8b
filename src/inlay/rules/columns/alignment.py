"""Columns of how a label as a whole lies on its image: on the edges, or on those of the image turned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.rules.columns.parts.glance import glance, steepness
from inlay.rules.tables import ImageTable, UnknownError

LONGEST = 320  # pixels of the picture that is looked at
FEW = 60  # pixels of outlines, under which nothing is said
TURNS = {
    "as it is": (slice(None), slice(None)),
    "turned by 180 degrees": (slice(None, None, -1), slice(None, None, -1)),
    "mirrored left to right": (slice(None), slice(None, None, -1)),
    "mirrored top to bottom": (slice(None, None, -1), slice(None)),
}


def edge_fit(table: ImageTable) -> float:
    """How steep the image is along all outlines of the label, as a rank among its pixels; 0 to 1.

    About 0.7 for outlines drawn anywhere, near 1 where they lie on edges. Looked at in a picture of 320
    pixels; unknown without an image, or with hardly any outline.
    """
    return _fits(table)["as it is"]


def turned_gain(table: ImageTable) -> float:
    """How much better the label lies on the image's edges turned or mirrored; -1 to 1, unknown as `edge_fit`.

    Below 0 for a label that lies right.
    """
    fits = _fits(table)
    return max(fit for name, fit in fits.items() if name != "as it is") - fits["as it is"]


def turned_how(table: ImageTable) -> str:
    """How the label lies best on the image: 'as it is', 'turned by 180 degrees', or mirrored, and how."""
    fits = _fits(table)
    return max(fits, key=lambda name: fits[name])


def _fits(table: ImageTable) -> dict[str, float]:
    label = table.segments.segmentation
    grey = glance(table.sample.image, label.size, LONGEST)
    outline = _outlines(label.masks.paint(np.arange(1, len(label) + 1)), grey.shape)
    if int(outline.sum()) < FEW or not np.ptp(grey):
        raise UnknownError
    rank = steepness(grey)
    return {name: float(rank[turn][outline].mean()) for name, turn in TURNS.items()}


def _outlines(ids: NDArray[np.int32], size: tuple[int, ...]) -> NDArray[np.bool_]:
    """(h, w) where the segment under a pixel's middle is another than to the right, or below."""
    rows = ((np.arange(size[0]) + 0.5) * ids.shape[0] / size[0]).astype(np.int64)
    columns = ((np.arange(size[1]) + 0.5) * ids.shape[1] / size[1]).astype(np.int64)
    small = ids[rows[:, None], columns]
    found = np.zeros(size, np.bool_)
    found[:, :-1] |= small[:, 1:] != small[:, :-1]
    found[:-1] |= small[1:] != small[:-1]
    return found
