"""Erase: the pixels found leave the segment, and go to the neighbour that touches them most."""

from __future__ import annotations

from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.fixes.parts.change import Change, heir, with_masks

SAFE = True


def fix(label: Segmentation, rows: tuple[int, ...], region: Masks | None) -> Change:
    """The label with the region taken from its first segment; what lies under it in another is left."""
    if region is None or not rows:
        return label, ()
    row = rows[0]
    new = {row: label.masks[row] - region}
    others = label.masks[[each for each in range(len(label)) if each != row]].union()
    parts, _ = ((region & label.masks[row]) - others).parts()
    for part in parts:
        to = heir(label, part, row)
        if to is not None:
            new[to] = new.get(to, label.masks[to]) | part
    return with_masks(label, new), ()
