"""Outlines and cracks on run lengths are those of the bitmap."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from inlay.core.masks import Masks
from inlay.rules.outline import cracks, perimeter, widened

stacks = st.builds(
    lambda stack, down, right: stack.repeat(down, axis=1).repeat(right, axis=2),
    arrays(np.bool_, array_shapes(min_dims=3, max_dims=3, max_side=8)),
    st.integers(1, 3),
    st.integers(1, 3),
)


def edges(mask):
    padded = np.pad(mask, 1)
    return int((padded[1:] != padded[:-1]).sum() + (padded[:, 1:] != padded[:, :-1]).sum())


def narrow(labelled):
    """Background with foreground on two opposite sides, one step off on one and at most two on the other."""
    found = np.zeros(labelled.shape, np.bool_)
    for turned, out in ((labelled, found), (labelled.T, found.T)):
        for row in range(turned.shape[0]):
            for before, after in ((1, 1), (1, 2), (2, 1)):
                if row >= before and row + after < turned.shape[0]:
                    out[row] |= ~turned[row] & turned[row - before] & turned[row + after]
    return found


@settings(max_examples=100, deadline=None)
@given(stacks)
def test_the_perimeter_is_the_number_of_edges(stack):
    assert perimeter(Masks.encode(stack)).tolist() == [edges(mask) for mask in stack]


@settings(max_examples=100, deadline=None)
@given(stacks, st.integers(0, 3), st.integers(0, 3))
def test_widening_adds_empty_columns(stack, left, right):
    wider = np.pad(stack, ((0, 0), (0, 0), (left, right)))
    found = widened(Masks.encode(stack), left, right)
    assert found.size == wider.shape[1:]
    assert np.array_equal(np.asarray(found), wider)


@settings(max_examples=100, deadline=None)
@given(stacks)
def test_cracks_are_strips_of_background_at_most_two_wide(stack):
    labelled = stack.any(axis=0)
    assert np.array_equal(np.asarray(cracks(Masks.encode(labelled)))[0], narrow(labelled))
