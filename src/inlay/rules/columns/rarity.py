"""Columns that hold a segment against all others of its class."""

from __future__ import annotations

import numpy as np

from inlay.rules.gathered import AllSegments
from inlay.rules.tables import Floats, Integers

FEW = 20  # segments of a class, under which nothing is said about what is usual
LEAST_SPREAD = 1e-9


def robust_z(table: AllSegments, column: str) -> Floats:
    """Distance from the median of the segment's class, in robust deviations (1.48 MAD); below 0 for less.

    Unknown in classes of fewer than 20 segments, and where more than half are equal.
    """
    values = _numbers(table, column)
    found = np.full(len(values), np.nan)
    for rows in _classes(table, values):
        middle = np.median(values[rows])
        spread = 1.4826 * np.median(np.abs(values[rows] - middle))
        if spread > LEAST_SPREAD:
            found[rows] = (values[rows] - middle) / spread
    return found


def tail(table: AllSegments, column: str) -> Floats:
    """Share of the class's segments whose value is at least this one's; above 0 to 1.

    Unknown in classes of fewer than 20 segments.
    """
    values = _numbers(table, column)
    found = np.full(len(values), np.nan)
    for rows in _classes(table, values):
        below = np.searchsorted(np.sort(values[rows]), values[rows], side="left")
        found[rows] = 1 - below / len(rows)
    return found


def _numbers(table: AllSegments, column: str) -> Floats:
    return table[column].astype(np.float64)


def _classes(table: AllSegments, values: Floats) -> list[Integers]:
    """Places of the known values of each class that has enough of them."""
    known = np.flatnonzero(~np.isnan(values))
    class_id = table.gathered.class_id[known]
    order = np.argsort(class_id, kind="stable")
    cuts = np.flatnonzero(np.diff(class_id[order])) + 1
    return [known[rows] for rows in np.split(order, cuts) if len(rows) >= FEW]
