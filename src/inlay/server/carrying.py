"""Carrying: gestures that bring segments into a document, from another image or from a file."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from inlay.core.boxed import Boxed, tight
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.server import wire
from inlay.server.draft import Draft, inverse
from inlay.server.refusals import Refused


def carry(source: Draft, target: Draft, keys: Sequence[str]) -> wire.Gesture:
    """A gesture that copies segments of one document to another, where nobody owns the pixels."""
    chosen = [key for key in source.order if not keys or key in set(keys)]
    if not chosen:
        raise Refused(409, "there is nothing to carry: the image has no such segments")
    free = ~owned(target)
    ops: list[wire.Op] = []
    above = target.order[-1] if target.order else None
    for key in chosen:
        facts = source.rows[key].facts
        new = facts.model_copy(update={"key": new_key(), "source": "hand"})
        ops.append(wire.Create(op="create", segment=new, above=above))
        above = new.key
        ops += _give(new.key, tight(source.mask(key) & free)[0])
    return gesture_of("paste", ops)


def owned(draft: Draft) -> Masks:
    """Where a segment is seen."""
    seen = [draft.mask(key) for key in draft.order if draft.rows[key].visible is not None]
    return Masks.concat(seen).union() if seen else Masks.empty(draft.size, 1)


def _claimed(draft: Draft) -> Masks:
    """Where something is hidden: what comes behind it cannot be seen there."""
    hidden = [draft.mask(key, "hidden") for key in draft.order if draft.rows[key].hidden is not None]
    return Masks.concat(hidden).union() if hidden else Masks.empty(draft.size, 1)


def emptied(draft: Draft) -> list[wire.Op]:
    """Ops that take all segments of a document away."""
    return inverse(built(draft))


def built(draft: Draft) -> list[wire.Op]:
    """Ops that build a document from nothing."""
    ops: list[wire.Op] = []
    above = None
    for key in draft.order:
        row = draft.rows[key]
        ops.append(wire.Create.model_construct(op="create", segment=row.facts, above=above))
        above = key
        ops += [*_give(key, row.visible), *_give(key, row.hidden, hidden=True)]
    return ops


def _give(key: str, boxed: Boxed | None, *, hidden: bool = False) -> Iterable[wire.Op]:
    if boxed is None:
        return []
    mask = wire.Mask.model_construct(box=boxed[0], runs=boxed[1].decode())
    if hidden:
        return [wire.Hidden.model_construct(op="hidden", key=key, add=mask, remove=None)]
    return [wire.Pixels.model_construct(op="pixels", before=None, after=key, mask=mask)]


def drawn(key: str, pixels: NDArray[np.bool_]) -> list[wire.Op]:
    """Ops that give (H, W) pixels, which nobody owns, to a segment."""
    return list(_give(key, tight(Masks.encode(pixels[None]))[0]))


def new_key() -> str:
    """A key for a segment."""
    return uuid.uuid4().hex[:20]


def gesture_of(kind: str, ops: list[wire.Op]) -> wire.Gesture:
    """A gesture of the server's own."""
    return wire.Gesture.model_construct(
        id=str(uuid.uuid4()), kind=kind, ops=ops, seconds=0.0, undoes=None, at=""
    )


def bring(
    label: Segmentation, class_ids: Sequence[int], target: Draft, *, source: str, state: wire.SegmentState
) -> wire.Gesture:
    """A gesture that brings a segmentation into a document, behind all that is there.

    What is in front keeps its pixels; what it covers of those behind becomes their hidden part, so that
    nothing is lost. A full extent that would lie in front of what is seen of a segment behind it contradicts
    the order of the file, and ends there.
    """
    taken = owned(target) | _claimed(target)
    seen: list[Masks] = []
    for row in reversed(range(len(label))):
        seen.append(label.masks[row] - taken)
        taken = taken | label.masks[row]
    seen.reverse()
    behind = Masks.empty(label.size, 1)
    parts: list[tuple[Boxed | None, Boxed | None]] = []
    for row, visible in enumerate(seen):
        hidden = label.masks[row] - visible
        if label.amodal is not None:
            hidden = (hidden | label.amodal[row]) - visible - behind
            behind = behind | visible
        parts.append((tight(visible)[0], tight(hidden)[0]))
    ops: list[wire.Op] = []
    above = None
    for row, (visible_part, hidden_part) in enumerate(parts):
        facts = _facts(label, row, class_ids, source=source, state=state)
        ops.append(wire.Create.model_construct(op="create", segment=facts, above=above))
        above = facts.key
        ops += [*_give(facts.key, visible_part), *_give(facts.key, hidden_part, hidden=True)]
    tags = sorted({*target.image_tags, *(str(tag)[:60] for tag in label.image_tags)})
    if tags != sorted(target.image_tags):
        ops.append(wire.Set(op="set", key=None, field="image_tags", before=target.image_tags, after=tags))
    return gesture_of("import", ops)


def _facts(
    label: Segmentation, row: int, class_ids: Sequence[int], *, source: str, state: wire.SegmentState
) -> wire.SegmentFacts:
    score = None if label.score is None else float(np.clip(label.score[row], 0, 1))
    return wire.SegmentFacts(
        key=new_key(),
        class_id=class_ids[int(label.class_id[row])],
        instance_id=max(0, int(label.instance_id[row])),
        crowd=bool(label.crowd[row]),
        tags=sorted(str(tag)[:60] for tag in label.tags[row] if tag)[:50],
        score=score,
        source=source,
        state=state,
    )
