"""Front wins: where two segments lie on one another, the one in front keeps the pixels."""

from __future__ import annotations

from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.fixes.parts.change import Change, with_masks

SAFE = True


def fix(label: Segmentation, rows: tuple[int, ...], region: Masks | None) -> Change:
    """The label with the shared pixels of two segments taken from the one behind."""
    del region
    if len(rows) != 2:
        return label, ()
    behind, before = sorted(rows)
    return with_masks(label, {behind: label.masks[behind] - label.masks[before]}), ()
