"""Columns of the horizon: where it lies in the image, and how much of a segment lies below it."""

from __future__ import annotations

import numpy as np

from inlay.core.placing import cut
from inlay.rules.columns.parts.concepts import concept_of
from inlay.rules.tables import Floats, ImageTable, SegmentTable

GROUND = ("road", "pavement", "water")
LEAST = 0.005  # of the image: smaller pieces of ground say nothing about where it ends
TAG = "horizon="


def horizon(table: ImageTable) -> float:
    """Height of the horizon, from 0 at the top of the image to 1 at the bottom.

    As the image's tag "horizon=ROW" states (from the pose of the camera), else the top of road, pavement and
    water, which never rise above it by much. Unknown without either.
    """
    return table.segments.once(_row) / max(table.segments.masks.size[0], 1)


def below_horizon_frac(table: SegmentTable) -> Floats:
    """Share of the mask that lies below the horizon; 0 to 1, unknown without a horizon or pixels."""
    return _below(table, table.once(_row))


def _below(table: SegmentTable, row: float) -> Floats:
    found = np.full(len(table), np.nan)
    if np.isnan(row):
        return found
    top, bottom = table.box[:, 1], table.box[:, 3]
    found[table.area > 0] = (top >= row)[table.area > 0]
    across = np.flatnonzero((top < row) & (bottom > row))
    if len(across):
        height, width = table.masks.size
        under = cut(table.masks[across], (0, int(np.ceil(row)), width, height))
        found[across] = under.area() / table.area[across]
    return found


def _row(table: SegmentTable) -> float:
    """Row of pixels at which the horizon lies; NaN when nothing tells."""
    for word in table.segmentation.image_tags:
        if word.startswith(TAG):
            try:
                return float(word[len(TAG) :])
            except ValueError:
                continue
    label = table.segmentation
    means = np.array([concept_of(name) in GROUND for name in label.classes.names], np.bool_)
    if not len(label) or not means[label.class_id].any():
        return float("nan")
    parts, row = table.parts
    height, width = table.masks.size
    large = means[label.class_id][row] & (parts.area() >= LEAST * height * width)
    return float(parts[large].box()[:, 1].min()) if large.any() else float("nan")
