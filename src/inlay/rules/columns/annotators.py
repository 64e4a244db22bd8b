"""Columns that hold people against one another: what one draws otherwise than the rest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from inlay.rules.tables import DatasetTable, Floats, Integers, Words

READS = ("annotator",)
FEW = 20  # segments of a class, under which nothing is said about what somebody does
LEAST_SPREAD = 1e-9
EFFECT = 0.15  # by which the chance that one of theirs is larger differs from a half, to be of note


def odd_annotator(table: DatasetTable, column: str) -> Words:
    """Who differs most from the others in a column of the class's segments; '' when nobody does."""
    return _annotators(table, column)[0]


def annotator_shift(table: DatasetTable, column: str) -> Floats:
    """How far that person's median lies from that of the others, in robust deviations; 0 or more.

    Unknown where no two people drew 20 segments of the class each.
    """
    return _annotators(table, column)[1]


def odd_hand(table: DatasetTable, column: str) -> Words:
    """Who differs most surely from the others in a column of the class's segments; '' when nobody does."""
    return _ranked(table, column)[0]


def hand_z(table: DatasetTable, column: str) -> Floats:
    """How surely that person's segments are larger or smaller in the column: |z| of the rank sum; 0 or more.

    0 where a segment of theirs is the larger one with a chance of 35 to 65 %, however sure that is. Unknown
    where no two people drew 20 segments of the class each.
    """
    return _ranked(table, column)[1]


def _ranked(table: DatasetTable, column: str) -> tuple[Words, Floats]:
    names, found = np.full(len(table), "", np.object_), np.full(len(table), np.nan)
    for row, values, number, who in _drawn(table, column):
        _, place, many = np.unique(values, return_inverse=True, return_counts=True)
        rank = (np.cumsum(many) - (many - 1) / 2)[place]
        size = np.bincount(number).astype(np.float64)
        rest = len(values) - size
        chance = (np.bincount(number, rank) / size - (size + 1) / 2) / np.maximum(rest, 1)
        ties = 1 - (many.astype(np.float64) ** 3 - many).sum() / max(len(values) ** 3 - len(values), 1)
        spread = np.sqrt(
            np.maximum((len(values) + 1) * ties, LEAST_SPREAD) / (12 * size * np.maximum(rest, 1))
        )
        sure = np.where(np.abs(chance - 0.5) > EFFECT, np.abs(chance - 0.5) / spread, 0.0)
        sure[size < FEW] = 0.0
        names[row], found[row] = (who[int(np.argmax(sure))] if sure.any() else ""), sure.max()
    return names, found


def _annotators(table: DatasetTable, column: str) -> tuple[Words, Floats]:
    names, shift = np.full(len(table), "", np.object_), np.full(len(table), np.nan)
    for row, values, number, who in _drawn(table, column):
        able = np.flatnonzero(np.bincount(number) >= FEW)
        spread = max(1.4826 * _deviation(values), LEAST_SPREAD)
        away = [
            abs(np.median(values[number == each]) - np.median(values[number != each])) / spread
            for each in able
        ]
        names[row], shift[row] = who[able[int(np.argmax(away))]], max(away)
    return names, shift


def _drawn(table: DatasetTable, column: str) -> Iterator[tuple[int, Floats, Integers, Words]]:
    """For each class of which two people drew enough: its row, the values, who drew each, their names."""
    gathered = table.gathered
    if gathered is None:
        return
    values, people = gathered[column].astype(np.float64), gathered["annotator"]
    known = ~np.isnan(values) & np.array([isinstance(each, str) for each in people], np.bool_)
    for row in range(len(table)):
        of = np.flatnonzero(known & (gathered.class_id == row))
        who, number = np.unique(people[of].astype(str), return_inverse=True)
        if (np.bincount(number, minlength=len(who)) >= FEW).sum() >= 2:
            yield row, values[of], number, who


def _deviation(values: Floats) -> float:
    return float(np.median(np.abs(values - np.median(values))))
