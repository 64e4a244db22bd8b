"""Columns that hold people against one another: what one draws otherwise than the rest."""

from __future__ import annotations

import numpy as np

from inlay.rules.tables import DatasetTable, Floats, Words

READS = ("annotator",)
FEW = 20  # segments of a class, under which nothing is said about what somebody does
LEAST_SPREAD = 1e-9


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
