"""A label with some masks exchanged."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from inlay.core.contacts import contacts_of
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.tables import SegmentTable

Change = tuple[Segmentation, tuple[int, ...]]  # same rows, and those that are to go


def with_masks(label: Segmentation, new: Mapping[int, Masks]) -> Segmentation:
    """The label with other masks at some rows; what was stated about the old ones is measured anew."""
    if not new:
        return label
    rows = np.array(list(new), np.int64)
    place = np.arange(len(label))
    place[rows] = len(label) + np.arange(len(rows))
    masks = Masks.concat([label.masks, *new.values()])[place]
    columns: dict[str, object] = {"masks": masks}
    if label.amodal is not None:
        grown = label.amodal[rows] | masks[rows]
        columns["amodal"] = Masks.concat([label.amodal, grown])[place]
    if label.stated_box is not None:
        box = columns["stated_box"] = label.stated_box.copy()
        box[rows] = masks.box()[rows]
    if label.stated_area is not None:
        area = columns["stated_area"] = label.stated_area.copy()
        area[rows] = masks.area()[rows]
    return label.replace(**columns)


def heir(label: Segmentation, part: Masks, without: int) -> int | None:
    """The row that one part touches for longest, `None` when that is nobody or the side of the image."""
    others = np.flatnonzero(np.arange(len(label)) != without)
    seen = SegmentTable(label[others]).visible - part
    graph = contacts_of(Masks.concat([seen, part]))
    beside = graph.b == len(others)
    if not beside.any():
        return None
    lengths, rows = graph.length[beside], graph.a[beside]
    longest = int(lengths.argmax())
    nobody = int(graph.void_length[-1])
    return int(others[rows[longest]]) if int(lengths[longest]) >= nobody else None
