"""Federated labels, as LVIS has them: which classes somebody looked for in an image, and how thoroughly.

With thousands of classes nobody checks each image for all of them. What was checked stands in words in
`Segmentation.image_tags`, so that every format that keeps image tags keeps it:

- "absent: CLASS": somebody looked, and there is none (LVIS: `neg_category_ids`);
- "not exhaustive: CLASS": there are more than the drawn ones (LVIS: `not_exhaustive_category_ids`).

A class that has a segment was looked for. How often a class occurs in the training images (LVIS: `frequency`)
is the group above it: `SegmentClass.parent` is one of `FREQUENCIES`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes

ABSENT, NOT_EXHAUSTIVE = "absent: ", "not exhaustive: "
FREQUENCIES = {"r": "rare", "c": "common", "f": "frequent"}  # LVIS' letter to the parent of a class


def federated_tags(absent: Iterable[str], not_exhaustive: Iterable[str]) -> frozenset[str]:
    """Image tags that say which classes (by name) are known to be absent, and which are not all drawn."""
    return frozenset(ABSENT + name for name in absent) | frozenset(
        NOT_EXHAUSTIVE + name for name in not_exhaustive
    )


def absent_classes(image_tags: Iterable[str], classes: Classes) -> NDArray[np.int32]:
    """Rows, rising, of the classes that somebody looked for and did not find."""
    return _rows(ABSENT, image_tags, classes)


def not_exhaustive_classes(image_tags: Iterable[str], classes: Classes) -> NDArray[np.int32]:
    """Rows, rising, of the classes of which only some segments are drawn."""
    return _rows(NOT_EXHAUSTIVE, image_tags, classes)


def is_federated(image_tags: Iterable[str]) -> bool:
    """Whether the tags say of any class that it was looked for."""
    return any(tag.startswith((ABSENT, NOT_EXHAUSTIVE)) for tag in image_tags)


def _rows(prefix: str, image_tags: Iterable[str], classes: Classes) -> NDArray[np.int32]:
    """Classes that this dataset does not know are nobody's business."""
    names = {tag.removeprefix(prefix) for tag in image_tags if tag.startswith(prefix)}
    rows = [row for row, name in enumerate(classes.names) if name in names]
    return np.array(rows, np.int32)
