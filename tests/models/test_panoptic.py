"""Things of one prediction before the stuff of another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Classes, InlayError, Masks, Segmentation, SegmentClass
from inlay.models.decode.panoptic import merged

THINGS = Classes((SegmentClass("ball"), SegmentClass("box")))
ALL = Classes((SegmentClass("sky", "stuff"), SegmentClass("ball"), SegmentClass("sea", "stuff")))
SIZE = (12, 17)


def things_of(rng: np.random.Generator, count: int) -> Segmentation:
    """Rectangles that overlap, some of no pixel."""
    stack = np.zeros((count, *SIZE), bool)
    for mask in stack:
        y, x = rng.integers(0, SIZE[0]), rng.integers(0, SIZE[1])
        mask[y : y + rng.integers(0, 8), x : x + rng.integers(0, 8)] = True
    score = rng.permutation(count) / max(count, 1)  # no two alike
    row = rng.integers(0, 2, count).astype(np.int32)
    return Segmentation(THINGS, Masks.encode(stack), row, np.arange(1, count + 1), score)


def stuff_of(rng: np.random.Generator) -> Segmentation:
    """Blocks of the three classes, and of nobody."""
    blocks = rng.integers(0, 4, (3, 5)).repeat(4, 0).repeat(4, 1)[: SIZE[0], : SIZE[1]]
    found = Segmentation.from_semantic(blocks.astype(np.int32), ALL)
    return found.replace(score=rng.random(len(found)))


def by_hand(things, stuff, minimum_score, hidden, stuff_area) -> np.ndarray:
    """(H, W) names of what is on each pixel, by the words of the paper."""
    shown = np.full(SIZE, "", object)
    masks = things.masks.decode()
    for row in np.argsort(-things.score):
        free = masks[row] & (shown == "")
        if things.score[row] < minimum_score or not masks[row].any():
            continue
        if (masks[row] & ~free).sum() > hidden * masks[row].sum() or not free.any():
            continue
        shown[free] = f"{things.class_names[row]} {row}"
    for name, mask in zip(stuff.class_names, stuff.masks.decode()):
        free = mask & (shown == "")
        if name != "ball" and free.sum() >= max(stuff_area, 1):
            shown[free] = name
    return shown


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(0, 12),
    st.sampled_from([0, 0.3, 0.5, 1.0]),
    st.sampled_from([0, 9, 60]),
)
def test_each_pixel_goes_to_the_surest_thing_then_to_its_stuff(seed, count, hidden, area):
    rng = np.random.default_rng(seed)
    things, stuff = things_of(rng, count), stuff_of(rng)
    found = merged(things, stuff, minimum_score=0.2, hidden=hidden, stuff_area=area)
    shown = by_hand(things, stuff, 0.2, hidden, area)
    assert found.is_partition
    assert len(found) == len(set(shown.ravel()) - {""})
    for name, mask in zip(found.class_names, found.masks.decode()):
        inside = set(shown[mask])
        assert len(inside) == 1
        assert mask.sum() == (shown == inside.pop()).sum()
        assert shown[mask][0].split()[0] == name
    assert found.masks.area().sum() == (shown != "").sum()


def test_stuff_lies_at_the_back_and_the_surest_thing_in_front():
    rng = np.random.default_rng(3)
    found = merged(things_of(rng, 8), stuff_of(rng), minimum_score=0.1, stuff_area=1)
    thing = found.is_thing
    assert thing.any()
    assert not thing.all()
    assert (np.diff(thing.astype(int)) >= 0).all()
    assert (np.diff(found.score[thing]) > 0).all()
    assert found.instance_id[thing].tolist() == list(range(1, int(thing.sum()) + 1))
    assert not found.instance_id[~thing].any()
    assert found.classes.names == ("ball", "box", "sky", "sea")


def test_nothing_merged_with_nothing_is_nothing():
    rng = np.random.default_rng(0)
    none = Segmentation.empty(ALL, SIZE).replace(score=np.empty(0))
    assert len(merged(none, none)) == 0
    assert len(merged(none, stuff_of(rng), stuff_area=10**6)) == 0
    assert merged(things_of(rng, 5), none, minimum_score=0.0).is_thing.all()


def test_predictions_of_two_images_are_not_merged():
    rng = np.random.default_rng(0)
    with pytest.raises(InlayError, match=r"things are of \(12, 17\) pixels, stuff of \(3, 3\)"):
        merged(things_of(rng, 2), Segmentation.empty(ALL, (3, 3)))
