"""Columns that a label has by itself: class, size, box, score, what the file states."""

from __future__ import annotations

import numpy as np

from inlay.rules.columns.parts.concepts import concept_of
from inlay.rules.tables import Booleans, Floats, ImageTable, Integers, SegmentTable, Words, ratio


def class_(table: SegmentTable) -> Words:
    """Name of the segment's class."""
    label = table.segmentation
    return np.array(label.classes.names, np.object_)[label.class_id]


def kind(table: SegmentTable) -> Words:
    """What the class is: 'thing', 'stuff' or 'void'."""
    label = table.segmentation
    return np.array([item.kind for item in label.classes.rows], np.object_)[label.class_id]


def parent(table: SegmentTable) -> Words:
    """Name of the class or group above the segment's class; '' where there is none."""
    label = table.segmentation
    return np.array([item.parent for item in label.classes.rows], np.object_)[label.class_id]


def concept(table: SegmentTable) -> Words:
    """What the class name means: 'vehicle', 'person', 'sky', 'road' and so on; '' for a word unknown.

    'Car', 'cars' and 'parked car' are vehicles: rules of logic hold whatever a dataset calls its classes.
    """
    label = table.segmentation
    return np.array([concept_of(name) for name in label.classes.names], np.object_)[label.class_id]


def area_px(table: SegmentTable) -> Integers:
    """Pixels of the mask; 0 or more."""
    return table.area


def area_frac(table: SegmentTable) -> Floats:
    """Share of the image that the mask covers; 0 to 1."""
    height, width = table.masks.size
    return table.area / max(height * width, 1)


def instance_id(table: SegmentTable) -> Integers:
    """Number of the instance; 0 for stuff."""
    return table.segmentation.instance_id.astype(np.int64)


def order(table: SegmentTable) -> Integers:
    """Place in the stack, 0 at the back."""
    return np.arange(len(table))


def crowd(table: SegmentTable) -> Booleans:
    """Whether the segment is a group that nobody separated."""
    return table.segmentation.crowd


def score(table: SegmentTable) -> Floats | None:
    """Score of a prediction, 0 to 1; unknown for a label."""
    found = table.segmentation.score
    return None if found is None else found.astype(np.float64)


def box_agreement(table: SegmentTable) -> Floats | None:
    """Intersection over union of the stated box and the box of the mask, 0 to 1; unknown if none stated."""
    stated = table.segmentation.stated_box
    if stated is None:
        return None
    # a polygon's box ends between pixel corners; the pixels it covers lie inside the rounded-out box
    low, high = np.floor(stated[:, :2]), np.ceil(stated[:, 2:])
    inside = np.minimum(high, table.box[:, 2:]) - np.maximum(low, table.box[:, :2])
    shared = np.clip(inside, 0, None).prod(axis=1)
    both = (high - low).prod(axis=1) + (table.box[:, 2:] - table.box[:, :2]).prod(axis=1) - shared
    return ratio(shared, both)


def area_agreement(table: SegmentTable) -> Floats | None:
    """Smaller over larger of the stated area and the pixels of the mask, 0 to 1; unknown if none stated."""
    stated = table.segmentation.stated_area
    if stated is None:
        return None
    return ratio(np.minimum(stated, table.area), np.maximum(stated, table.area))


def name(table: ImageTable) -> str:
    """Name of the sample."""
    return table.sample.name


def split(table: ImageTable) -> str:
    """Split that the source puts the sample into; '' when it names none."""
    return table.sample.split


def height(table: ImageTable) -> int:
    """Height of the label; pixels."""
    return table.segments.segmentation.size[0]


def width(table: ImageTable) -> int:
    """Width of the label; pixels."""
    return table.segments.segmentation.size[1]


def has_label(table: ImageTable) -> bool:
    """Whether anybody has labelled the image; a label without segments is a label."""
    return table.sample.segmentation is not None


def n_segments(table: ImageTable) -> int:
    """Segments of the image; 0 or more."""
    return len(table.segments)


def count(table: ImageTable, class_name: str) -> int:
    """Segments of a class, crowds counted once; 0 or more."""
    label = table.segments.segmentation
    return sum(label.classes.names[row] == class_name for row in label.class_id)


def count_concept(table: ImageTable, concept: str) -> int:
    """Segments of all classes that mean the concept ('vehicle', 'sky', ...); 0 or more."""
    label = table.segments.segmentation
    means = np.array([concept_of(name) == concept for name in label.classes.names], np.bool_)
    return int(means[label.class_id].sum()) if len(label) else 0


def pixel_frac(table: ImageTable, class_name: str) -> float:
    """Share of the image that segments of a class cover; 0 to 1."""
    label = table.segments.segmentation
    of = np.array([label.classes.names[row] == class_name for row in label.class_id], np.bool_)
    height, width = label.size
    covered = int(label.masks[of].union().area()[0]) if of.any() else 0
    return covered / max(height * width, 1)


def label_set(table: ImageTable) -> str:
    """Names of the classes in the image, sorted, with a bar on either side of each: '|car|road|'."""
    label = table.segments.segmentation
    return "|".join(["", *sorted({label.classes.names[row] for row in label.class_id}), ""])


def ids_unique(table: ImageTable) -> bool:
    """Whether no id of the file, and no instance id of a thing, stands for two segments of the image."""
    label = table.segments.segmentation
    numbers = label.instance_id[label.instance_id > 0]
    sources = label.source_id if label.source_id is not None else np.empty(0, np.int64)
    return len(np.unique(numbers)) == len(numbers) and len(np.unique(sources)) == len(sources)
