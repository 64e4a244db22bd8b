"""Fill: the pixels found, as far as they are nobody's, become the segment's."""

from __future__ import annotations

from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.fixes.parts.change import Change, with_masks

SAFE = True


def fix(label: Segmentation, rows: tuple[int, ...], region: Masks | None) -> Change:
    """The label with nobody's pixels of the region given to its first segment."""
    if region is None or not rows:
        return label, ()
    free = region - label.masks.union()
    return with_masks(label, {rows[0]: label.masks[rows[0]] | free}), ()
