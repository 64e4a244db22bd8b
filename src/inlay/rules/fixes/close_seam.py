"""Close a seam: nobody's pixels between segments go to the nearest of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.fixes.parts.change import Change, with_masks

SAFE = True
NOBODY, OPEN = -1, -2
STEPS = 16  # pixels that a segment grows at most


def fix(label: Segmentation, rows: tuple[int, ...], region: Masks | None) -> Change:
    """The label with the region shared out among what lies around it, void excepted."""
    del rows
    if region is None or not int(region.area()[0]):
        return label, ()
    says = np.flatnonzero(~label.classes.is_void[label.class_id])
    ids = label.masks[says].paint(np.arange(len(says)), fill=NOBODY)
    ids[region.decode()[0] & (ids == NOBODY)] = OPEN
    grown = _grown(ids)
    new = {}
    for place in np.unique(grown[(ids == OPEN) & (grown >= 0)]).tolist():
        part = Masks.encode((ids == OPEN) & (grown == place))
        new[int(says[place])] = label.masks[int(says[place])] | part
    taken = Masks.encode((ids == OPEN) & (grown >= 0))
    for row in np.flatnonzero(label.classes.is_void[label.class_id]).tolist():
        if int(label.masks[row].intersection(taken)[0, 0]):
            new[row] = label.masks[row] - taken
    return with_masks(label, new), ()


def _grown(ids: NDArray[np.int32]) -> NDArray[np.int32]:
    """The open pixels with the number of the nearest segment, one step of four neighbours after another."""
    grown = ids.copy()
    for _ in range(STEPS):
        still = grown == OPEN
        if not still.any():
            break
        before = grown.copy()
        for to, of in (
            (np.s_[1:, :], np.s_[:-1, :]),
            (np.s_[:-1, :], np.s_[1:, :]),
            (np.s_[:, 1:], np.s_[:, :-1]),
            (np.s_[:, :-1], np.s_[:, 1:]),
        ):
            reach = (grown[to] == OPEN) & (before[of] >= 0)
            grown[to][reach] = before[of][reach]
    return grown
