"""Drop what is empty: a segment without a pixel goes."""

from __future__ import annotations

from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.fixes.parts.change import Change

SAFE = True


def fix(label: Segmentation, rows: tuple[int, ...], region: Masks | None) -> Change:
    """The label without those of the segments that have no pixel."""
    del region
    return label, tuple(row for row in rows if not int(label.masks[row].area()[0]))
