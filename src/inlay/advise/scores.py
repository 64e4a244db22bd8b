"""Tables of scores: what trainings on labels of each type gained, and the seconds an image of it takes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

import numpy as np

from inlay.advise.buys import LabelType
from inlay.advise.learning_curve import LearningCurve
from inlay.core.errors import InlayError

COLUMNS = ("type", "seconds", "images", "score")
SEPARATORS = ("\t", ";", ",")  # of spreadsheets first: their texts may hold commas


def read_scores(text: str, name: str) -> list[LabelType]:
    """The label types of a CSV text with the columns type, seconds, images and score, in order of appearance.

    Parameters
    ----------
    text
        Columns are parted by commas, or by tabs or semicolons as spreadsheets do.
    name
        How errors call the table.

    Raises
    ------
    InlayError
        When a column is missing, a line cannot be read, or a type has too few sizes for a curve.
    """
    head = text.lstrip("\ufeff \n\r").partition("\n")[0]
    separator = next((each for each in SEPARATORS if each in head), ",")
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=separator)
    header: list[str] | None = None
    points: dict[str, list[tuple[float, float, float]]] = {}
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            where = f"{name}: line {reader.line_num}"
            if not any(cells):
                continue
            if header is None:
                refuse_missing(cells, COLUMNS, name)
                header = cells
                continue
            kind, *figures = _cells(cells, header, where)
            seconds, images, score = (_number(cell, what, where) for cell, what in zip(figures, COLUMNS[1:]))
            points.setdefault(kind, []).append((seconds, images, score))
    except csv.Error as error:
        raise InlayError(f"{name}: line {reader.line_num}: {error}") from None
    if not points:
        raise InlayError(f"{name}: there is no line with scores; wanted are {', '.join(COLUMNS)}")
    return [_label_type(kind, rows, name) for kind, rows in points.items()]


def refuse_missing(header: Sequence[str], columns: Sequence[str], name: str) -> None:
    """Name the first column that a table lacks."""
    missing = [column for column in columns if column not in header]
    if missing:
        raise InlayError(
            f"{name}: header: there is no column {missing[0]!r}; wanted are {', '.join(columns)}"
        )


def _cells(cells: list[str], header: list[str], where: str) -> list[str]:
    if len(cells) < len(header):
        raise InlayError(f"{where}: {len(cells)} cells under {len(header)} columns; fill the line")
    found = [cells[header.index(column)] for column in COLUMNS]
    if not found[0]:
        raise InlayError(f"{where}: there is no type; name the kind of labels")
    return found


def _number(text: str, column: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InlayError(f"{where}: {column}: {text!r} is not a number")
    if column != "score" and value <= 0:
        raise InlayError(f"{where}: {column}: {text} is not above 0")
    return value


def _label_type(kind: str, rows: list[tuple[float, float, float]], name: str) -> LabelType:
    seconds, images, score = np.array(rows).T
    try:
        return LabelType(kind, float(seconds.mean()), LearningCurve(images, score))
    except InlayError as error:
        raise InlayError(f"{name}: type {kind!r}: {error}") from None
