"""Everything in a box, and a mask found again in the next frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay.click import Candidate
from inlay.click.parts.follow import follow, motion
from inlay.click.parts.grid import INSIDE, MOST, SHARED, apart, everything, grid_of, shared
from inlay.core.errors import InlayError

SIZE = (60, 80)


def candidate(x0, y0, x1, y1, score=0.9):
    return Candidate((x0, y0, x1, y1), np.ones((y1 - y0, x1 - x0), np.bool_), score, SIZE)


class Rectangles:
    """A state that knows the rectangles of a drawn image, and takes any other click for the whole ground."""

    def __init__(self, *boxes):
        self.boxes, self.asked = boxes, []
        self.image = np.zeros((*SIZE, 3), np.uint8)
        for x0, y0, x1, y1 in boxes:
            self.image[y0:y1, x0:x1] = 200

    def mask(self, points=(), box=None, scribble=None, mask=None):
        ((x, y, _),) = points
        self.asked.append((x, y))
        found = [each for each in self.boxes if each[0] <= x < each[2] and each[1] <= y < each[3]]
        return [candidate(*each) for each in found] or [candidate(0, 0, 80, 60, 0.6)]


def test_each_segment_in_the_box_is_proposed_once_and_the_ground_is_not():
    state = Rectangles((5, 5, 30, 25), (40, 10, 70, 30), (10, 40, 30, 55))
    found = everything(state, state.image, (0, 0, 80, 60), side=8)
    assert sorted(each.window for each in found) == sorted(state.boxes)
    assert len(state.asked) < 48  # clicks into what was found are left out


def test_nothing_is_proposed_outside_the_box_or_where_somebody_has_drawn():
    state = Rectangles((5, 5, 30, 25), (40, 10, 70, 30))
    taken = np.zeros(SIZE, np.bool_)
    taken[5:25, 5:18] = True  # more than half of the first one
    assert [each.window for each in everything(state, state.image, (0, 0, 80, 60), taken=taken)] == [
        (40, 10, 70, 30)
    ]
    assert everything(state, state.image, (50, 0, 80, 60)) == []  # two thirds of it lie in the box
    assert everything(state, state.image, (0, 0, 80, 60), least_area=700) == []
    assert everything(state, state.image, (0, 0, 80, 60), least_score=0.95) == []
    with pytest.raises(InlayError, match="no place for a click"):
        everything(state, state.image, (5, 5, 5, 9))
    assert INSIDE > 2 / 3 and MOST < 1


boxes = st.tuples(st.integers(0, 60), st.integers(0, 40), st.integers(4, 20), st.integers(4, 20))


@settings(max_examples=60)
@given(st.lists(st.tuples(boxes, st.floats(0, 1)), max_size=12))
def test_no_two_that_are_kept_share_much_and_what_goes_shares_much_with_a_better_one(drawn):
    every = [candidate(x, y, x + w, y + h, score) for (x, y, w, h), score in drawn]
    kept = apart(every)
    for place, one in enumerate(kept):
        assert all(shared(one, other) < SHARED for other in kept[:place])
    for each in every:
        if not any(each is other for other in kept):
            assert any(other.score >= each.score and shared(each, other) >= SHARED for other in kept)
    for one in every:
        for other in every:
            both = (one.mask & other.mask).sum() / min(one.mask.sum(), other.mask.sum())
            assert shared(one, other) == pytest.approx(both)


@given(st.tuples(st.floats(0, 30), st.floats(0, 30), st.floats(1, 50), st.floats(1, 50)), st.integers(1, 12))
def test_a_grid_stands_inside_its_box(box, side):
    x0, y0, width, height = box
    places = grid_of((x0, y0, x0 + width, y0 + height), side)
    assert places and max(width, height) / side * len(places) > 0
    assert all(x0 < x < x0 + width and y0 < y < y0 + height for x, y in places)


def moving(by, size=(90, 120)):
    """Two frames of a patch that moves over a ground, and its masks."""
    rng = np.random.default_rng(11)
    ground = rng.integers(0, 90, (*size, 3), np.uint8)
    patch = rng.integers(90, 255, (20, 26, 3), np.uint8)
    frames, masks = [], []
    for x, y in ((40, 30), (40 + by[0], 30 + by[1])):
        frame, mask = ground.copy(), np.zeros(size, np.bool_)
        frame[y : y + 20, x : x + 26], mask[y : y + 20, x : x + 26] = patch, True
        frames.append(frame)
        masks.append(mask)
    return frames, masks


@settings(max_examples=25, deadline=None)
@given(st.tuples(st.integers(-11, 11), st.integers(-11, 11)))
def test_the_motion_of_a_textured_patch_is_found_to_the_pixel(by):
    frames, masks = moving(by)
    assert motion(*frames, masks[0]) == by
    found = follow(*frames, masks[0])
    assert found is not None and np.array_equal(found.mask, masks[1])


def test_the_engine_may_draw_the_outline_but_nothing_far_from_the_shifted_mask():
    frames, masks = moving((5, -3))

    class Leaking:
        def mask(self, points=(), box=None, scribble=None, mask=None):
            x0, y0 = (int(value) for value in box[:2])
            inside = np.ones((90 - y0, 120 - x0 + 1), np.bool_)  # from one column before, far beyond the rest
            return [Candidate((x0 - 1, y0, 120, 90), inside, 0.7, (90, 120))]

    found = follow(*frames, masks[0], Leaking())
    extra = found.mask & ~masks[1]
    rows, columns = masks[1].nonzero()
    assert extra[:, columns.min() - 1].any()
    assert not found.mask[:, columns.max() + 4 :].any() and not found.mask[rows.max() + 4 :].any()


def test_what_has_no_pixel_is_not_followed_and_frames_must_fit():
    frames, masks = moving((0, 0))
    assert follow(*frames, np.zeros_like(masks[0])) is None
    with pytest.raises(InlayError, match="frames of one size"):
        follow(frames[0], frames[1][:50], masks[0])
