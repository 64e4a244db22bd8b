"""Contain: the full extent of a segment takes in all that one sees of it."""

from __future__ import annotations

import numpy as np

from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.fixes.parts.change import Change

SAFE = True


def fix(label: Segmentation, rows: tuple[int, ...], region: Masks | None) -> Change:
    """The label with the visible pixels of the first segment added to its amodal mask."""
    del region
    if label.amodal is None or not rows:
        return label, ()
    place = np.arange(len(label))
    place[rows[0]] = len(label)
    grown = label.amodal[rows[0]] | label.masks[rows[0]]
    return label.replace(amodal=Masks.concat([label.amodal, grown])[place]), ()
