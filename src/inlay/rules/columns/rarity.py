"""Columns that hold a segment against all others of its class, and people against one another."""

from __future__ import annotations

import numpy as np

from inlay.rules.gathered import AllSegments
from inlay.rules.tables import DatasetTable, Floats, Integers, Words

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


def odd_annotator(table: DatasetTable, column: str) -> Words:
    """Who differs most from the others in a column of the class's segments; '' when nobody does."""
    return _annotators(table, column)[0]


def annotator_shift(table: DatasetTable, column: str) -> Floats:
    """How far that person's median lies from that of the others, in robust deviations; 0 or more.

    Unknown where no two people drew 20 segments of the class each.
    """
    return _annotators(table, column)[1]


def _annotators(table: DatasetTable, column: str) -> tuple[Words, Floats]:
    names, shift = np.full(len(table), "", np.object_), np.full(len(table), np.nan)
    gathered = table.gathered
    if gathered is None:
        return names, shift
    values, people = gathered[column].astype(np.float64), gathered["annotator"]
    known = ~np.isnan(values) & np.array([isinstance(each, str) for each in people], np.bool_)
    for row in range(len(table)):
        of = np.flatnonzero(known & (gathered.class_id == row))
        who, number, many = np.unique(people[of].astype(str), return_inverse=True, return_counts=True)
        able = np.flatnonzero(many >= FEW)
        if len(able) < 2:
            continue
        spread = max(1.4826 * _deviation(values[of]), LEAST_SPREAD)
        away = [
            abs(np.median(values[of][number == each]) - np.median(values[of][number != each])) / spread
            for each in able
        ]
        names[row], shift[row] = who[able[int(np.argmax(away))]], max(away)
    return names, shift


def _deviation(values: Floats) -> float:
    return float(np.median(np.abs(values - np.median(values))))


def _numbers(table: AllSegments, column: str) -> Floats:
    return table[column].astype(np.float64)


def _classes(table: AllSegments, values: Floats) -> list[Integers]:
    """Places of the known values of each class that has enough of them."""
    known = np.flatnonzero(~np.isnan(values))
    class_id = table.gathered.class_id[known]
    order = np.argsort(class_id, kind="stable")
    cuts = np.flatnonzero(np.diff(class_id[order])) + 1
    return [known[rows] for rows in np.split(order, cuts) if len(rows) >= FEW]
