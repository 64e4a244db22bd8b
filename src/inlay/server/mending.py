"""Mending: the difference of two segmentations as a gesture."""

from __future__ import annotations

from collections.abc import Sequence

from inlay.core.boxed import tight
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.server import wire
from inlay.server.carrying import gesture_of
from inlay.server.draft import Draft


def mend(
    draft: Draft, keys: Sequence[str], before: Segmentation, after: Segmentation, rows: Sequence[int]
) -> wire.Gesture:
    """The gesture that makes a document what a fix made of its segmentation.

    Parameters
    ----------
    keys
        The segment of each row of `before`.
    rows
        The row of `before` that each row of `after` was; the others go.
    """
    place_of = {row: place for place, row in enumerate(rows)}
    nothing = Masks.empty(before.size, 1)
    released: list[wire.Op] = []
    taken: list[wire.Op] = []
    for row, key in enumerate(keys):
        place = place_of.get(row)
        new = nothing if place is None else after.masks[place]
        hidden = nothing
        if place is not None and after.amodal is not None:
            hidden = after.amodal[place] - new
        old, old_hidden = draft.mask(key), draft.mask(key, "hidden")
        released += [*_pixels(key, None, old - new), *_hidden(key, old_hidden - hidden, remove=True)]
        taken += [*_pixels(None, key, new - old), *_hidden(key, hidden - old_hidden, remove=False)]
    numbered = [op for row, place in place_of.items() for op in _number(draft, keys[row], after, place)]
    return gesture_of("fix", [*released, *taken, *numbered, *_gone(draft, keys, place_of)])


def _mask(pixels: Masks) -> wire.Mask | None:
    boxed = tight(pixels)[0]
    return None if boxed is None else wire.Mask(box=boxed[0], runs=boxed[1].decode())


def _pixels(before: str | None, after: str | None, pixels: Masks) -> list[wire.Op]:
    mask = _mask(pixels)
    owner = {"before": before, "after": after}
    return [] if mask is None else [wire.Pixels(op="pixels", mask=mask, **owner)]


def _hidden(key: str, pixels: Masks, *, remove: bool) -> list[wire.Op]:
    mask = _mask(pixels)
    if mask is None:
        return []
    change = {"remove" if remove else "add": mask}
    return [wire.Hidden(op="hidden", key=key, **change)]


def _number(draft: Draft, key: str, after: Segmentation, place: int) -> list[wire.Op]:
    """The op that gives a segment its new number, where it has one."""
    old, new = draft.rows[key].facts.instance_id, int(after.instance_id[place])
    if old == new:
        return []
    return [wire.Set(op="set", key=key, field="instance_id", before=old, after=new)]


def _gone(draft: Draft, keys: Sequence[str], place_of: dict[int, int]) -> list[wire.Op]:
    """The ops that take emptied segments away, the front one first."""
    going = {key for row, key in enumerate(keys) if row not in place_of}
    ops: list[wire.Op] = []
    for place in reversed(range(len(draft.order))):
        key = draft.order[place]
        if key in going:
            above = draft.order[place - 1] if place else None
            ops.append(wire.Delete(op="delete", segment=draft.rows[key].facts, above=above))
    return ops
