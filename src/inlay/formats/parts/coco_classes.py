"""The categories of COCO files as classes, and back."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from msgspec import UNSET, Struct, UnsetType
from numpy.typing import NDArray

from inlay.core.classes import Classes, Kind, SegmentClass
from inlay.core.errors import FormatError
from inlay.formats.parts.coco_json import CategoryExtra, CocoCategory


def classes_of(
    categories: Sequence[CocoCategory], ids: Sequence[int], used: Iterable[int], path: Path
) -> tuple[Classes, NDArray[np.int32]]:
    """The classes of a file, and the row of each category.

    Some tools list a category twice under one name and use one of them: the unused one is no class.

    Raises
    ------
    FormatError
        When two categories in use share a name, or a colour is none.
    """
    used = set(used)
    places: dict[str, list[int]] = {}
    for place, category in enumerate(categories):
        places.setdefault(category.name, []).append(place)
    rows: list[SegmentClass] = []
    row_of = np.full(len(categories), -1, np.int32)
    for name, twins in places.items():
        chosen = [place for place in twins if place in used] or twins[:1]
        if len(chosen) > 1:
            which = " and ".join(str(ids[place]) for place in chosen)
            what = f"name {name!r} stands twice, with ids {which}: merge or rename them"
            raise FormatError(path, f"categories[{chosen[1]}].name", what)
        row_of[chosen[0]] = len(rows)
        rows.append(_class(categories[chosen[0]], ids[chosen[0]], path, f"categories[{chosen[0]}]"))
    return Classes(tuple(rows)), row_of


def _class(category: CocoCategory, number: int, path: Path, where: str) -> SegmentClass:
    kind: Kind = "stuff" if category.isthing is not None and not category.isthing else "thing"
    if category.inlay is not None and category.inlay.kind == "void":
        kind = "void"
    colour = category.color
    if colour is not None and (len(colour) != 3 or not all(0 <= part <= 255 for part in colour)):
        raise FormatError(path, f"{where}.color", f"{colour} is not red, green, blue of 0 to 255")
    parent = "" if category.supercategory in (None, "none") else category.supercategory
    rgb = None if colour is None else (colour[0], colour[1], colour[2])
    return SegmentClass(category.name, kind, rgb, parent or "", number)


def rows_under(class_row: NDArray[np.int32], own: Classes, classes: Classes) -> NDArray[np.int32]:
    """Rows of categories in `classes` instead of in a file's own; -1 stays."""
    rows = np.append(own.rows_in(classes), np.int32(-1))
    return rows[class_row]


class WrittenCategory(Struct):
    """An entry of `categories` as we write it."""

    id: int
    name: str
    supercategory: str
    isthing: int | UnsetType = UNSET
    color: tuple[int, int, int] | UnsetType = UNSET
    inlay: CategoryExtra | UnsetType = UNSET


def category_ids(classes: Classes) -> list[int]:
    """Ids of categories: those of the source, free ones from 1 for others: some readers drop 0."""
    given = [item.source_id for item in classes if item.source_id is not None]
    if len(set(given)) < len(given):
        return list(range(1, len(classes) + 1))
    free = (number for number in itertools.count(1) if number not in given)
    return [next(free) if item.source_id is None else item.source_id for item in classes]


def categories_of(classes: Classes, *, kinds: bool) -> list[WrittenCategory]:
    """Categories of classes; `isthing` where `kinds` or where not all are things."""
    kinds = kinds or not all(item.kind == "thing" for item in classes)
    return [
        WrittenCategory(
            number,
            item.name,
            item.parent,
            int(item.kind == "thing") if kinds else UNSET,
            UNSET if item.colour is None else item.colour,
            CategoryExtra("void") if item.kind == "void" else UNSET,
        )
        for number, item in zip(category_ids(classes), classes)
    ]
