"""Columns of the words on segments and images: tags, who drew a segment, how long it took."""

from __future__ import annotations

import numpy as np

from inlay.rules.tables import Booleans, Floats, ImageTable, SegmentTable, Words


def tag(table: SegmentTable, word: str) -> Booleans | None:
    """Whether the segment carries the tag; unknown where no segment of the image carries any."""
    tags = table.segmentation.tags
    return np.array([word in each for each in tags], np.bool_) if any(tags) else None


def tag_value(table: SegmentTable, key: str) -> Words | None:
    """What stands behind "key=" on the segment; unknown where no segment of the image has the key."""
    values = _values(table, key)
    return np.array(values, np.object_) if any(value is not None for value in values) else None


def annotator(table: SegmentTable) -> Words | None:
    """Who drew the segment, of its tag "annotator=NAME"; unknown where nobody says."""
    return tag_value(table, "annotator")


def seconds_spent(table: SegmentTable) -> Floats | None:
    """Seconds of work on the segment, of its tag "seconds=NUMBER"; unknown where nobody counted."""
    values = [_number(value) for value in _values(table, "seconds")]
    return None if np.isnan(values).all() else np.array(values, np.float64)


def image_tag(table: ImageTable, word: str) -> bool:
    """Whether the image carries the tag."""
    return word in table.segments.segmentation.image_tags


def uses_tag(table: ImageTable, word: str) -> bool:
    """Whether any segment of the image carries the tag."""
    return any(word in tags for tags in table.segments.segmentation.tags)


def _values(table: SegmentTable, key: str) -> list[str | None]:
    start = key + "="
    found = (
        sorted(tag[len(start) :] for tag in tags if tag.startswith(start)) for tags in table.segmentation.tags
    )
    return [values[0] if values else None for values in found]


def _number(value: str | None) -> float:
    try:
        return float("nan" if value is None else value)
    except ValueError:
        return float("nan")
