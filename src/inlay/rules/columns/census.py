"""Columns of the dataset, one row for each of its classes."""

from __future__ import annotations

import unicodedata

import numpy as np

from inlay.rules.tables import Booleans, DatasetTable, Floats, Integers, Words


def class_(table: DatasetTable) -> Words:
    """Name of the class."""
    return np.array(table.classes.names, np.object_)


def kind(table: DatasetTable) -> Words:
    """'thing', 'stuff' or 'void'."""
    return np.array([item.kind for item in table.classes.rows], np.object_)


def class_in_use(table: DatasetTable) -> Booleans:
    """Whether any segment of the dataset is of the class."""
    return table.segment_count > 0


def n_segments(table: DatasetTable) -> Integers:
    """Segments of the class; 0 or more."""
    return table.segment_count


def n_images(table: DatasetTable) -> Integers:
    """Images with a segment of the class; 0 or more."""
    return table.image_count


def n_labelled(table: DatasetTable) -> Integers:
    """Labelled images of the dataset, the same for each class; 0 or more."""
    return np.full(len(table), table.images)


def pixel_frac(table: DatasetTable) -> Floats:
    """Share of all labelled pixels that is of the class, 0 to 1; unknown when there are none."""
    total = int(table.pixel_count.sum())
    return table.pixel_count / total if total else np.full(len(table), np.nan)


def segment_frac(table: DatasetTable) -> Floats:
    """Share of all segments that is of the class, 0 to 1; unknown when there are none."""
    total = int(table.segment_count.sum())
    return table.segment_count / total if total else np.full(len(table), np.nan)


def name_variant(table: DatasetTable) -> Words:
    """An earlier class whose name differs by case, accents, punctuation or a plural s alone; '' if none."""
    names = table.classes.names
    first: dict[str, str] = {}
    earlier = [first.setdefault(_folded(name), name) for name in names]
    return np.array([other if other != name else "" for other, name in zip(earlier, names)], np.object_)


def _folded(name: str) -> str:
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", name.casefold()) if letter.isalnum())
    plain = plain or name
    return plain[:-1] if plain.endswith("s") and not plain.endswith("ss") and len(plain) > 3 else plain
