"""Whatever gestures come: no pixel has two owners, nothing hidden lies in front, all can be taken back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Masks
from inlay.client import mask
from inlay.core.boxed import tight
from inlay.server import wire
from inlay.server.carrying import bring, built, carry, emptied
from inlay.server.draft import BrokenError, Draft, apply, inverse

from .talking import key_of

SIZE = (7, 9)
KEYS = [key_of(number) for number in range(4)]
MASKS = st.builds(
    lambda x, y, w, h: (x, y, min(x + w, SIZE[1]), min(y + h, SIZE[0])),
    st.integers(0, SIZE[1] - 1),
    st.integers(0, SIZE[0] - 1),
    st.integers(1, 5),
    st.integers(1, 5),
)


def box_mask(box) -> Masks:
    pixels = np.zeros(SIZE, np.bool_)
    pixels[box[1] : box[3], box[0] : box[2]] = True
    return Masks.encode(pixels)


def facts(key: str) -> wire.SegmentFacts:
    return wire.SegmentFacts(key=key, class_id=1)


def empty_draft() -> Draft:
    return Draft(SIZE, frozenset([1, 2]))


KEY = st.sampled_from(KEYS)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("draw"), KEY, MASKS),
        st.tuples(st.just("erase"), KEY, MASKS),
        st.tuples(st.just("hide"), KEY, MASKS),
        st.tuples(st.just("raw"), KEY, MASKS),
        st.tuples(st.just("order"), KEY, KEY),
        st.tuples(st.just("class"), KEY, st.sampled_from([1, 2])),
    ),
    max_size=12,
)


def gesture_for(draft: Draft, action) -> list[wire.Op]:
    """Ops as a front end would make them; "raw" and "hide" may not fit."""
    kind, key, what = action
    ops: list[wire.Op] = []
    if key not in draft.rows:
        ops.append(
            wire.Create(op="create", segment=facts(key), above=draft.order[-1] if draft.order else None)
        )
    if kind == "draw":
        left = box_mask(what)
        for other in draft.order:
            part = left & draft.mask(other)
            if part.area()[0] and other != key:
                ops.append(wire.Pixels(op="pixels", before=other, after=key, mask=wire.Mask(**mask(part))))
            left = left - draft.mask(other)
        if left.area()[0]:
            ops.append(wire.Pixels(op="pixels", before=None, after=key, mask=wire.Mask(**mask(left))))
    elif kind == "erase" and key in draft.rows:
        part = box_mask(what) & draft.mask(key)
        if part.area()[0]:
            ops.append(wire.Pixels(op="pixels", before=key, after=None, mask=wire.Mask(**mask(part))))
    elif kind == "hide":
        ops.append(wire.Hidden(op="hidden", key=key, add=wire.Mask(**mask(box_mask(what)))))
    elif kind == "raw":
        ops.append(wire.Pixels(op="pixels", before=None, after=key, mask=wire.Mask(**mask(box_mask(what)))))
    elif kind == "order" and key in draft.rows and what in draft.rows:
        place = draft.order.index(key)
        before = draft.order[place - 1] if place else None
        ops.append(wire.Order(op="order", key=key, before=before, after=what))
    elif kind == "class" and key in draft.rows:
        old = draft.rows[key].facts.class_id
        ops.append(wire.Set(op="set", key=key, field="class_id", before=old, after=what))
    return ops


def state(draft: Draft):
    rows = [draft.rows[key] for key in draft.order]
    return [(row.facts, row.visible, row.hidden, row.area) for row in rows], draft.image_tags


def copy(draft: Draft) -> Draft:
    again = empty_draft()
    apply(again, built(draft))
    return again


def see_laws(draft: Draft) -> None:
    seen = [np.asarray(draft.mask(key))[0] for key in draft.order]
    assert sum(seen, start=np.zeros(SIZE, int)).max(initial=0) <= 1
    for place, key in enumerate(draft.order):
        hidden = np.asarray(draft.mask(key, "hidden"))[0]
        for behind in seen[: place + 1]:
            assert not (hidden & behind).any()
        assert draft.rows[key].area == seen[place].sum()


@given(ACTIONS)
@settings(max_examples=100, deadline=None)
def test_any_sequence_of_gestures_keeps_the_laws_and_can_be_taken_back(actions):
    draft, done, before = empty_draft(), [], []
    for action in actions:
        try_out = copy(draft)
        ops = gesture_for(draft, action)
        try:
            apply(try_out, ops)
        except BrokenError:
            continue
        before.append(state(draft))
        done.append(ops)
        apply(draft, ops)
        assert state(draft) == state(try_out)
        see_laws(draft)
    for ops in reversed(done):
        apply(draft, inverse(ops))
        assert state(draft) == before.pop()
    assert draft.order == []


@given(ACTIONS)
@settings(max_examples=30, deadline=None)
def test_a_document_is_emptied_and_built_again(actions):
    draft = empty_draft()
    for action in actions:
        try_out = copy(draft)
        try:
            apply(try_out, gesture_for(draft, action))
        except BrokenError:
            continue
        draft = try_out
    whole = state(draft)
    again = copy(draft)
    assert state(again) == whole
    apply(draft, emptied(draft))
    assert draft.order == []


@st.composite
def overlapping_labels(draw):
    from inlay import Classes, Segmentation

    stack = [box_mask(draw(MASKS)) for _ in range(draw(st.integers(1, 4)))]
    whole = [each | box_mask(draw(MASKS)) for each in stack]
    masks = Masks.concat(stack)
    count = len(masks)
    amodal = Masks.concat(whole) if draw(st.booleans()) else None
    ids = np.arange(1, count + 1, dtype=np.int32)
    return Segmentation(Classes.of("car"), masks, np.zeros(count, np.int32), ids, amodal=amodal)


@given(overlapping_labels(), ACTIONS)
@settings(max_examples=60, deadline=None)
def test_labels_that_overlap_come_in_without_losing_a_pixel(label, actions):
    draft = empty_draft()
    for action in actions[:4]:
        try_out = copy(draft)
        try:
            apply(try_out, gesture_for(draft, action))
        except BrokenError:
            continue
        draft = try_out
    old = state(draft)[0]
    gesture = bring(label, [1], draft, source="import", state="final")
    apply(draft, gesture.ops)
    see_laws(draft)
    new = draft.order[: len(label)]
    assert [each[1:] for each in state(draft)[0][len(label) :]] == [each[1:] for each in old]
    for row, key in enumerate(new):
        full = draft.mask(key) | draft.mask(key, "hidden")
        assert not (label.masks[row] - full).area()[0]
        if label.amodal is None:
            assert full.equals(label.masks[row])
    apply(draft, inverse(gesture.ops))
    assert state(draft)[0] == old


def test_carried_segments_take_free_pixels_alone():
    source, target = empty_draft(), empty_draft()
    for draft, key, box in ((source, KEYS[0], (0, 0, 4, 4)), (target, KEYS[1], (2, 0, 6, 4))):
        boxed = tight(box_mask(box))[0]
        create = wire.Create(op="create", segment=facts(key))
        shown = wire.Mask(box=boxed[0], runs=boxed[1].decode())
        apply(draft, [create, wire.Pixels(op="pixels", before=None, after=key, mask=shown)])
    apply(target, carry(source, target, []).ops)
    see_laws(target)
    assert [target.rows[key].area for key in target.order] == [16, 8]
