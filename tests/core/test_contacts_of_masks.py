"""Contacts measured on run lengths are those measured on the id map."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from tests.often import many

from inlay.core.contacts import contacts, contacts_of
from inlay.core.masks import Masks

COLUMNS = ("a", "b", "length", "void_length", "border")
id_maps = st.builds(
    lambda ids, down, right: ids.repeat(down, axis=0).repeat(right, axis=1),
    arrays(np.int32, array_shapes(min_dims=2, max_dims=2, max_side=9), elements=st.integers(-1, 3)),
    st.integers(1, 3),
    st.integers(1, 3),
)


@settings(max_examples=many(300), deadline=None)
@given(id_maps)
def test_masks_have_the_contacts_of_their_id_map(ids):
    wanted, found = contacts(ids, 4), contacts_of(Masks.from_ids(ids, 4))
    for column in COLUMNS:
        assert np.array_equal(getattr(found, column), getattr(wanted, column)), column


@settings(max_examples=many(300), deadline=None)
@given(id_maps)
def test_the_edges_where_one_mask_lies_straight_over_another_are_counted(ids):
    found = contacts_of(Masks.from_ids(ids, 4))
    upper, lower = ids[:-1].ravel(), ids[1:].ravel()
    for (a, b), over in zip(zip(found.a, found.b), found.over, strict=True):
        assert over.tolist() == [np.sum((upper == a) & (lower == b)), np.sum((upper == b) & (lower == a))]
    ends = [np.sum((upper == row) & (lower != row)) + np.sum(ids[-1] == row) for row in range(4)]
    assert found.lower.tolist() == ends


def test_contacts_of_very_many_masks_need_no_table_of_all_pairs():
    ids = np.arange(1200, dtype=np.int32).reshape(30, 40)
    wanted, found = contacts(ids, 1200), contacts_of(Masks.from_ids(ids, 1200))
    assert all(np.array_equal(getattr(found, column), getattr(wanted, column)) for column in COLUMNS)


def test_no_masks_touch_nothing():
    assert len(contacts_of(Masks.empty((4, 5))).a) == 0
