"""Which object of a VOC XML file is which mask: by its number, its place in the list, or its box."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import FormatError
from inlay.core.masks import Masks
from inlay.core.segmentation import NO_TAGS, Segmentation, instance_numbers
from inlay.formats.parts.voc_xml import Listed

_NEAR = 0.5  # IoU from which a box of the XML may be that of an object


def with_objects(label: Segmentation, path: Path, objects: Sequence[Listed]) -> Segmentation:
    """The segments with the tags and boxes of the XML; objects without pixels follow, as boxes.

    Parameters
    ----------
    label
        Segments whose `source_id` is their number in `SegmentationObject`, 0 for none.

    Raises
    ------
    FormatError
        Naming an object whose class is not in the class list.
    """
    known = frozenset(label.classes.names)
    for number, item in enumerate(objects, 1):
        if item.name not in known:
            what = f"class {item.name!r} is not in the class list of the folder"
            raise FormatError(path, f"object {number}", what)
    row_of = _link(label, objects)
    listed = {row: item for row, item in zip(row_of, objects) if row >= 0}
    boxes = label.masks.box().astype(np.float64)
    stated = boxes.copy()
    for row, item in listed.items():
        stated[row] = boxes[row] if item.box is None else item.box
    label = label.replace(
        tags=tuple(listed[row].tags if row in listed else NO_TAGS for row in range(len(label))),
        crowd=[listed[row].crowd if row in listed else bool(label.crowd[row]) for row in range(len(label))],
        stated_box=None if np.array_equal(stated, boxes) else stated,
    )
    bare = [item for row, item in zip(row_of, objects) if row < 0]
    return _with_boxes(label, bare, stated) if bare else label


def _with_boxes(label: Segmentation, bare: Sequence[Listed], stated: NDArray[np.float64]) -> Segmentation:
    class_id = [label.classes.row(item.name) for item in bare]
    boxes = np.array([item.box or (0, 0, 0, 0) for item in bare], np.float64).reshape(-1, 4)
    class_ids = np.concatenate([label.class_id, class_id]).astype(np.int32)
    return Segmentation(
        label.classes,
        Masks.concat([label.masks, Masks.empty(label.size, len(bare))]),
        class_ids,
        instance_numbers(label.classes.is_thing[class_ids]),
        crowd=np.concatenate([label.crowd, [item.crowd for item in bare]]),
        tags=(*label.tags, *(item.tags for item in bare)),
        stated_box=np.concatenate([stated, boxes]),
    )


def _link(label: Segmentation, objects: Sequence[Listed]) -> list[int]:
    """The row of each XML object, or -1: first by its place in the list, then by its box."""
    wanted = np.array([item.box or (np.nan,) * 4 for item in objects], np.float64)
    classes = np.array([label.classes.row(item.name) for item in objects])
    numbered = np.zeros(0) if label.source_id is None else label.source_id
    able = (classes[:, None] == label.class_id) & (numbered > 0)
    near = np.where(able, _box_iou(wanted, label.masks.box()), -1.0)
    near[np.isnan(near)] = 1.0  # no box: its place must do
    row_of = [-1] * len(objects)
    for index, item in enumerate(objects):
        rows = np.flatnonzero(
            (numbered > 0) & (numbered == (index + 1 if item.number is None else item.number))
        )
        if rows.size and (item.number is not None or near[index, rows[0]] >= _NEAR):
            row_of[index] = int(rows[0])
            near[:, rows[0]] = -1.0
    for index, row in enumerate(row_of):
        unsaid = objects[index].number is None and objects[index].box is not None
        if row < 0 and unsaid and len(label) and near[index].max() >= _NEAR:
            row_of[index] = int(near[index].argmax())
            near[:, row_of[index]] = -1.0
    return row_of


def _box_iou(one: NDArray[np.float64], other: NDArray[np.int32]) -> NDArray[np.float64]:
    """(N, M) IoU of boxes."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    area = np.prod(one[:, 2:] - one[:, :2], axis=1)[:, None] + np.prod(other[:, 2:] - other[:, :2], axis=1)
    return np.asarray(shared / np.maximum(area - shared, 1e-9))
