"""Drop a duplicate: of two segments that are one thing, one goes."""

from __future__ import annotations

from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.fixes.parts.change import Change

SAFE = True


def fix(label: Segmentation, rows: tuple[int, ...], region: Masks | None) -> Change:
    """The label without the one of lower score; of labels, without the one that lies in front."""
    del region
    if len(rows) != 2:
        return label, ()
    one, other = sorted(rows)
    if label.score is not None and label.score[one] < label.score[other]:
        return label, (one,)
    return label, (other,)
