"""Columns of where two segments that touch stand to each other: on top, beside, resting on."""

from __future__ import annotations

import numpy as np

from inlay.rules.columns.parts.runs import moments
from inlay.rules.tables import Booleans, Floats, Integers, PairTable, ratio


def on_top_px(table: PairTable) -> Integers:
    """Pixel edges where a visible pixel of `a` lies straight over one of `b`; 0 or more."""
    return table.over


def on_top_frac(table: PairTable) -> Floats:
    """Share of the lower edges of `a`, the image's lower side counted in, that lie on `b`; 0 to 1."""
    return ratio(table.over, _lower(table))


def beneath_frac(table: PairTable) -> Floats:
    """Share of the upper edges of `a` over which `b` lies straight; 0 to 1."""
    half = len(table) // 2  # of the rows, and then the same pairs the other way round
    over = np.append(table.over[half:], table.over[:half])
    return ratio(over, _lower(table))  # a mask has as many upper edges as lower ones


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


def _lower(table: PairTable) -> Integers:
    """(P,) lower edges of the visible part of the first segment of each pair."""
    lower = table.segments.contacts.lower
    return np.zeros(len(table), np.int64) if lower is None else lower[table.a]
