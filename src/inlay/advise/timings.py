"""Tables of measured times: what people took for an image of each label type, as the studio writes them."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Sequence

from inlay.advise.cost import MODES, Timing
from inlay.advise.scores import refuse_missing
from inlay.core.errors import InlayError

COLUMNS = ("sample", "mode", "seconds")


def write_timings(timings: Sequence[Timing], names: Sequence[str]) -> str:
    """A CSV text with the columns sample, mode and seconds; `names` are those of the load's images."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows([names[each.place], each.mode, repr(each.seconds)] for each in timings)
    return text.getvalue()


def read_timings(text: str, name: str, names: Sequence[str]) -> list[Timing]:
    """The measured times of a CSV text, each of the image in `names` that it names.

    Parameters
    ----------
    text
        Columns may stand in any order.
    name
        How errors call the table.
    names
        Of the load's images. An image is found by its name, or by the last part of its path where no other
        has the same.

    Raises
    ------
    InlayError
        When a column is missing, or a line names no image, no label type or no positive time.
    """
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    refuse_missing(reader.fieldnames or (), COLUMNS, name)
    places = _places(names)
    return [_timing(row, places, f"{name}: line {reader.line_num}") for row in reader]


def _timing(row: dict[str, str], places: dict[str, int], where: str) -> Timing:
    sample, mode, seconds = (row[column] or "" for column in COLUMNS)
    place = places.get(sample, places.get(_last(sample)))
    if place is None:
        raise InlayError(f"{where}: sample {sample!r} is not in the labelled images")
    kind = next((each for each in MODES if each == mode), None)
    if kind is None:
        raise InlayError(f"{where}: there is no mode {mode!r}; there are {', '.join(MODES)}")
    try:
        value = float(seconds)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise InlayError(f"{where}: seconds: {seconds!r} is not a time above 0")
    return Timing(place, kind, value)


def _places(names: Sequence[str]) -> dict[str, int]:
    often = Counter(_last(name) for name in names)
    short = {_last(name): place for place, name in enumerate(names) if often[_last(name)] == 1}
    return short | {name: place for place, name in enumerate(names)}


def _last(name: str) -> str:
    return name.rsplit("/", 1)[-1]
