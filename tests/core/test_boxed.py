"""Boxed masks hold what masks of the whole image hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tests.often import many

from inlay import InlayError, Masks
from inlay.core.boxed import tight, whole

STACKS = st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(1, 9)).flatmap(
    lambda shape: arrays.arrays(np.bool_, shape)
)


@given(STACKS)
@settings(max_examples=many(300))
def test_masks_come_back_from_their_tight_boxes(stack):
    masks = Masks.encode(stack)
    boxed = tight(masks)
    assert [each is None for each in boxed] == [not mask.any() for mask in stack]
    some = [each for each in boxed if each is not None]
    assert whole(some, masks.size).equals(masks[masks.area() > 0])
    assert [list(box) for box, _ in some] == masks.box()[masks.area() > 0].tolist()


@given(STACKS, st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4))
@settings(max_examples=many(300))
def test_a_box_need_not_be_tight_and_lands_where_it_says(stack, left, top, right, bottom):
    count, height, width = stack.shape
    box = (left, top, left + width, top + height)
    size = (top + height + bottom, left + width + right)
    inside = Masks.encode(stack).to_strings() if count else []
    masks = whole([(box, runs) for runs in inside], size)
    expected = np.zeros((count, *size), np.bool_)
    expected[:, top : top + height, left : left + width] = stack
    assert np.array_equal(np.asarray(masks), expected)
    assert masks.equals(Masks.encode(expected))  # canonical


@pytest.mark.parametrize("box", [(0, 0, 0, 3), (-1, 0, 3, 3), (0, 0, 11, 3), (0, 2, 3, 1), (0, 0, 3, 9)])
def test_a_box_that_leaves_the_image_is_refused(box):
    with pytest.raises(InlayError, match="leaves the image"):
        whole([(box, b"9")], (8, 10))


@pytest.mark.parametrize("runs", [b"", b"04", b"\xff\xff", b"0Z", b"0a@"])
def test_runs_that_do_not_fill_their_box_are_refused(runs):
    with pytest.raises(InlayError):
        whole([((0, 0, 3, 3), runs)], (8, 10))
