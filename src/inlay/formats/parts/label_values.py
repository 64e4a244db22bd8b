"""Label values: the segments of a map from its numbers or colours, its class list and its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import FormatError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.formats.parts.class_lists import ClassList
from inlay.formats.parts.label_maps import LabelMap
from inlay.formats.parts.label_tables import SegmentRow, with_rows

Ids = NDArray[np.int32]
_TABLE = 1 << 20  # numbers below this go through a look-up table, larger ones through a sort


def segments_of(
    label: LabelMap, meaning: ClassList, rows: Sequence[SegmentRow] | None = None
) -> Segmentation:
    """The segments of a label map.

    Parameters
    ----------
    meaning
        The class list.
    rows
        What `segments.csv` says of the segments, back to front; numbers of the map that it lacks follow.

    Raises
    ------
    FormatError
        Naming the first pixel whose value or colour means nothing in the class list.
    """
    if meaning.instances:
        return _instances(label, meaning, rows or ())
    ids = class_rows(label, meaning)
    if rows is None:
        return Segmentation.from_semantic(ids, meaning.classes)
    by_value = {value: row for row, value in enumerate(meaning.values)}
    for row in rows:
        if meaning.classes.names[by_value.get(row.id, 0)] != row.class_name or row.id not in by_value:
            what = f"segments.csv gives id {row.id} to class {row.class_name!r}, the class list does not"
            raise FormatError(label.path, "", what)
    keys = [by_value[row.id] for row in rows]
    present, ranks = _ranks(ids, keys)
    added = [SegmentRow(meaning.values[key], meaning.classes.names[key], 0) for key in present]
    return _with_facts(ranks, [*rows, *added], meaning)


def _instances(label: LabelMap, meaning: ClassList, rows: Sequence[SegmentRow]) -> Segmentation:
    """One segment for each number of the map that is not unlabelled."""
    numbers = label.as_numbers()
    if numbers.is_coloured:
        raise FormatError(label.path, "", "instance numbers in colours: export them as a 16-bit grey PNG")
    ids: Ids = numbers.values.astype(np.int32)
    if ids.size and int(ids.min()) < 0:
        raise numbers.fail(ids < 0, "{value} is below 0; instance numbers start at 1")
    ids[np.isin(ids, list(meaning.unlabelled))] = -1
    present, ranks = _ranks(ids, [row.id for row in rows])
    if label.bits == 8 and len(present) + len(rows) >= 255 and int(ids.max()) == 255:
        raise FormatError(
            label.path,
            "",
            "an 8-bit map that uses all numbers 1 .. 255: further instances have wrapped; export 16 bits",
        )
    if present and len(meaning.classes) != 1:
        raise numbers.fail(
            ids == present[0],
            f"which of {len(meaning.classes)} classes is {{value}}? segments.csv says it: sample,id,class",
        )
    added = [SegmentRow(number, meaning.classes.names[0], number) for number in present]
    return _with_facts(ranks, [*rows, *added], meaning)


def _with_facts(ranks: Ids, rows: Sequence[SegmentRow], meaning: ClassList) -> Segmentation:
    none = np.zeros(len(rows), np.int32)
    return with_rows(Segmentation(meaning.classes, Masks.from_ids(ranks, len(rows)), none, none), rows)


def _ranks(ids: Ids, first: Sequence[int]) -> tuple[list[int], Ids]:
    """Numbers >= 0 in `ids` that `first` lacks, ascending; and each pixel's place among `first` and those."""
    places: Ids | None = None
    if ids.size and int(ids.max()) >= _TABLE:
        values, inverse = np.unique(ids, return_inverse=True)
        places = inverse.reshape(ids.shape).astype(np.int32)
    else:
        values = (np.flatnonzero(np.bincount(ids.ravel() + 1)) - 1).astype(np.int32)
    known = frozenset(first)
    added = [value for value in values.tolist() if value >= 0 and value not in known]
    rank_of = {value: rank for rank, value in enumerate([*first, *added])}
    ranks = np.array([rank_of.get(value, -1) for value in values.tolist()], np.int32)
    if places is not None:
        return added, ranks[places]
    table = np.full(int(values[-1]) + 2 if values.size else 1, -1, np.int32)
    table[values] = ranks  # -1 goes to the last place, which no number owns
    return added, table[ids]


def class_rows(label: LabelMap, meaning: ClassList) -> Ids:
    """(H, W) rows of the class list; -1 where the map says that nobody owns the pixel.

    Raises
    ------
    FormatError
        Naming the first pixel whose value or colour is not in the class list.
    """
    if meaning.threshold is not None:
        return _above(label, meaning, meaning.threshold)
    if label.is_coloured and meaning.is_coloured:
        return _by_colour(label, label.values, meaning)
    numbers = label.as_numbers()
    if numbers.is_coloured:
        raise FormatError(
            label.path, "", f"colours, but {_source(meaning)} states none: add columns r, g, b to it"
        )
    if (
        numbers.palette is not None
        and meaning.is_coloured
        and _colours_decide(numbers, numbers.palette, meaning)
    ):
        return _by_colour(numbers, numbers.palette[numbers.values], meaning)
    return _by_number(numbers, meaning)


def _above(label: LabelMap, meaning: ClassList, threshold: int) -> Ids:
    numbers = label.as_numbers()
    if len(meaning.classes) != 2 or numbers.is_coloured:
        what = "the threshold of the class list wants two classes and maps of numbers"
        raise FormatError(label.path, "", f"{what}; here are {len(meaning.classes)} classes")
    return (numbers.values >= threshold).astype(np.int32)


def _by_number(label: LabelMap, meaning: ClassList) -> Ids:
    listed = {
        **dict.fromkeys(meaning.unlabelled, -1),
        **{value: row for row, value in enumerate(meaning.values)},
    }
    top = max([value for value in listed if value < _TABLE], default=0)
    table = np.full(top + 2, -2, np.int32)
    for value, row in listed.items():
        if 0 <= value <= top:
            table[value] = row
    outside = (label.values > top) | (label.values < 0) if label.bits > 8 else label.values > top
    rows = np.asarray(table[np.where(outside, top + 1, label.values) if outside.any() else label.values])
    if rows.size and int(rows.min()) == -2:
        ids = _in_words(sorted(meaning.values))
        ways = f'name it there, or write classes.json with "unlabelled": {int(label.values[rows == -2][0])}'
        raise label.fail(rows == -2, f"{{value}} is no class; {_source(meaning)} has {ids}: {ways}")
    return rows


def _by_colour(label: LabelMap, colours: NDArray[Any], meaning: ClassList) -> Ids:
    """Rows of the classes by the exact colours of the pixels; a near one is never taken."""
    of: dict[int, int] = {}
    for row, item in enumerate(meaning.classes):
        if item.colour is not None and of.setdefault(_code(item.colour), row) != row:
            other = meaning.classes.names[of[_code(item.colour)]]
            raise FormatError(
                meaning.path or label.path, f"class {item.name!r}", f"has the colour of {other!r}"
            )
    codes = np.array(sorted(of), np.int32)
    each = (
        (colours[..., 0].astype(np.int32) << 16) | (colours[..., 1].astype(np.int32) << 8) | colours[..., 2]
    )
    at = np.searchsorted(codes, each).clip(max=codes.size - 1)
    unknown = codes[at] != each
    if unknown.any():
        shown = LabelMap(label.path, colours.astype(np.int16), 8)
        raise shown.fail(
            unknown, f"{{value}} is that of no class in {_source(meaning)}: add it there, or repair the map"
        )
    return np.asarray(np.array([of[code] for code in codes.tolist()], np.int32)[at])


def _code(colour: Sequence[int]) -> int:
    return colour[0] << 16 | colour[1] << 8 | colour[2]


def _colours_decide(label: LabelMap, palette: NDArray[np.int16], meaning: ClassList) -> bool:
    """Whether the palette's colours say the classes and its indices cannot.

    Raises
    ------
    FormatError
        When both could, and disagree: the palette was reordered, or the class list is of another dataset.
    """
    coloured = [
        (_code(item.colour), value)
        for item, value in zip(meaning.classes, meaning.values)
        if item.colour is not None
    ]
    of = dict(coloured)
    if len(of) < len(coloured):  # two classes of one colour: colours cannot say anything
        return False
    used = [
        value
        for value in np.flatnonzero(np.bincount(label.values.ravel())).tolist()
        if value not in meaning.unlabelled
    ]
    meant = [of.get(_code(palette[value].tolist())) for value in used]
    if None in meant or meant == used:
        return False
    if not set(used) <= set(meaning.values):
        return True
    index = next(value for value, other in zip(used, meant) if value != other)
    raise label.fail(
        label.values == index,
        f"{{value}} has the colour that {_source(meaning)} gives to id {meant[used.index(index)]}: "
        "export the map as grey or RGB, or correct the colours of the list",
    )


def _source(meaning: ClassList) -> str:
    return meaning.path.name if meaning.path else "the class list"


def _in_words(values: list[int]) -> str:
    if not values:
        return "no ids"
    if values == list(range(values[0], values[-1] + 1)):
        return f"ids {values[0]} .. {values[-1]}"
    return f"ids {', '.join(map(str, values[:12]))}{', ...' if len(values) > 12 else ''}"
