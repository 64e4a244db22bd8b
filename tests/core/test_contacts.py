"""Contacts of an id map against a plain count of pixel edges."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings

from inlay import InlayError
from inlay.core.contacts import contacts

from .random_masks import MANY, ROWS, id_maps

NOBODY, OUTSIDE = -1, -2


def plain_count(ids):
    """Pixel edges between each pair of different values, nobody and the outside among them."""
    framed = np.pad(ids, 1, constant_values=OUTSIDE)
    edges = Counter()
    for one, other in ((framed[1:], framed[:-1]), (framed[:, 1:], framed[:, :-1])):
        edges.update(tuple(sorted(pair)) for pair in zip(one.ravel().tolist(), other.ravel().tolist()))
    return {pair: length for pair, length in edges.items() if pair[0] != pair[1]}


@settings(**MANY)
@given(id_maps)
def test_contacts_are_the_pixel_edges_between_rows(ids):
    wanted, found = plain_count(ids), contacts(ids, ROWS)
    pairs = {pair: length for pair, length in wanted.items() if pair[0] >= 0}
    assert list(zip(found.a.tolist(), found.b.tolist())) == sorted(pairs)
    assert found.length.tolist() == [pairs[pair] for pair in sorted(pairs)]
    for row in range(ROWS):
        assert found.void_length[row] == wanted.get((NOBODY, row), 0)
        assert found.perimeter[row] == sum(length for pair, length in wanted.items() if row in pair)
        here = ids == row
        sides = [here[:, 0].sum(), here[0].sum(), here[:, -1].sum(), here[-1].sum()]
        assert found.border[row].tolist() == sides


@settings(**MANY)
@given(id_maps)
def test_values_beyond_the_rows_are_nobody(ids):
    cut = contacts(np.where(ids < 2, ids, -1), 2)
    wide = contacts(np.where(ids < 2, ids, ids.astype(np.int64) + 2**40), 2)
    for one in (contacts(ids, 2), wide):
        assert one.void_length.tolist() == cut.void_length.tolist()
        assert one.length.tolist() == cut.length.tolist()


def test_very_many_pairs_are_all_counted():
    ids = np.random.default_rng(0).permutation(3600).reshape(60, 60)
    found = contacts(ids, 3600)
    assert len(found.a) == found.length.sum() == 2 * 60 * 59
    assert found.border.sum() == 240


def test_no_pixel_touches_nothing():
    assert contacts(np.zeros((0, 4), int), 2).perimeter.tolist() == [0, 0]


def test_a_map_of_fractions_is_refused():
    with pytest.raises(InlayError, match="whole numbers"):
        contacts(np.zeros((2, 2)), 1)
