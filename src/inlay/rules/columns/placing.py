"""Columns of where two segments that touch stand to each other: on top, beside, resting on."""

from __future__ import annotations

import numpy as np

from inlay.rules.columns.parts.runs import moments, stretches
from inlay.rules.tables import Booleans, Floats, Integers, PairTable, SegmentTable, ratio


def on_top_px(table: PairTable) -> Integers:
    """Pixel edges where a visible pixel of `a` lies straight over one of `b`; 0 or more."""
    return _stacked(table.segments)[0][table.a, table.b]


def on_top_frac(table: PairTable) -> Floats:
    """Share of the lower edges of `a`, the image's lower side counted in, that lie on `b`; 0 to 1."""
    over, bottom = _stacked(table.segments)
    return ratio(over[table.a, table.b], bottom[table.a])


def beneath_frac(table: PairTable) -> Floats:
    """Share of the upper edges of `a` over which `b` lies straight; 0 to 1."""
    over, bottom = _stacked(table.segments)  # a mask has as many upper edges as lower ones
    return ratio(over[table.b, table.a], bottom[table.a])


def above(table: PairTable) -> Booleans:
    """Whether the centre of mass of `a` is higher in the image than that of `b`."""
    y = moments(table.segments.masks).y
    return y[table.a] < y[table.b]


def left_of(table: PairTable) -> Booleans:
    """Whether the centre of mass of `a` is further left in the image than that of `b`."""
    x = moments(table.segments.masks).x
    return x[table.a] < x[table.b]


def feet_gap_px(table: PairTable) -> Integers:
    """How much lower the bottom of `a` stands than that of `b`; pixels, negative when it is higher."""
    bottom = table.segments.box[:, 3]
    return bottom[table.a] - bottom[table.b]


def area_ratio(table: PairTable) -> Floats:
    """Pixels of `a` over those of `b`; 0 or more, unknown when `b` is empty."""
    area = table.segments.area
    return ratio(area[table.a], area[table.b])


def _stacked(table: SegmentTable) -> tuple[Integers, Integers]:
    """(N, N) edges where the row lies straight over the column, and (N,) lower edges of each row."""
    runs = stretches(table.visible)
    count = len(table)
    order = np.lexsort((runs.start, runs.column))
    row, column, start, stop = (part[order] for part in (runs.row, runs.column, runs.start, runs.stop))
    meet = np.flatnonzero((column[:-1] == column[1:]) & (stop[:-1] == start[1:]))
    over = np.bincount(row[meet] * count + row[meet + 1], minlength=count * count).reshape(count, count)
    lower = np.bincount(row, minlength=count) - np.diagonal(over)
    np.fill_diagonal(over, 0)
    return over, lower
