"""Zero id: stuff loses its instance id. Unsafe: somebody may refer to it."""

from __future__ import annotations

import numpy as np

from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.fixes.parts.change import Change

SAFE = False


def fix(label: Segmentation, rows: tuple[int, ...], region: Masks | None) -> Change:
    """The label with instance id 0 for those of the segments that are stuff."""
    del region
    ids = label.instance_id.copy()
    stuff = [row for row in rows if label.classes.rows[label.class_id[row]].kind == "stuff"]
    ids[np.array(stuff, np.int64)] = 0
    return label.replace(instance_id=ids), ()
