"""Classes: names, kinds, colours and how two lists of them go together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inlay import Classes, InlayError, SegmentClass
from inlay.core.classes import distinct_colour

STREET = Classes(
    (
        SegmentClass("car", "thing", (0, 0, 142), "vehicle", 26),
        SegmentClass("road", "stuff"),
        SegmentClass("ego", "void"),
    )
)


def test_a_class_is_found_by_its_name():
    assert STREET.row("road") == 1
    assert STREET[STREET.row("car")].parent == "vehicle"
    assert STREET.names == ("car", "road", "ego")
    assert len(STREET) == 3
    assert STREET[0] in STREET


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(InlayError, match="did you mean 'road'"):
        STREET.row("raod")
    with pytest.raises(InlayError, match="classes are car, road, ego"):
        STREET.row("zebra")


def test_kinds_and_numbers_are_columns():
    assert STREET.is_thing.tolist() == [True, False, False]
    assert STREET.is_void.tolist() == [False, False, True]
    assert STREET.source_ids.tolist() == [26, 1, 2]


def test_colours_are_stated_or_distinct():
    assert STREET.colours.dtype == np.uint8
    assert STREET.colours[0].tolist() == [0, 0, 142]
    assert STREET.colours[1].tolist() == list(distinct_colour(1))
    black = Classes((SegmentClass("night", colour=(0, 0, 0)),))
    assert black.colours.tolist() == [[0, 0, 0]]
    assert Classes(()).colours.shape == (0, 3)


def test_distinct_colours_differ_and_are_never_grey():
    colours = [distinct_colour(row) for row in range(200)]
    assert len(set(colours)) == 200
    assert min(max(colour) - min(colour) for colour in colours) > 60


def test_kinds_are_changed_by_name_alone():
    changed = STREET.with_kinds({"road": "void"})
    assert changed.is_void.tolist() == [False, True, True]
    assert changed[0] == STREET[0]
    with pytest.raises(InlayError, match="no class 'sky'"):
        STREET.with_kinds({"sky": "stuff"})


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdef"), unique=True))
def test_merged_classes_keep_their_rows_and_gain_the_new_names(mine, others):
    merged = Classes.of(*mine).merge(Classes.of(*others))
    assert merged.names[: len(mine)] == tuple(mine)
    assert set(merged.names) == {*mine, *others}
    rows = Classes.of(*others).rows_in(merged)
    assert [merged.names[row] for row in rows] == others


def test_classes_are_equal_by_value():
    assert Classes.of("a", "b") == Classes.of("a", "b")
    assert Classes.of("a", "b") != Classes.of("b", "a")
    assert Classes.of("a") != Classes.of("a", kind="stuff")
    assert hash(Classes.of("a")) == hash(Classes.of("a"))


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([SegmentClass("a"), SegmentClass("a")], "twice"),
        ([SegmentClass("a", "object")], "thing, stuff, void"),
        ([SegmentClass("a", colour=(0, 0, 256))], "colour"),
        ([SegmentClass("a", colour=(0, 0))], "colour"),
        ([SegmentClass("a", colour=(0.5, 0, 0))], "colour"),
    ],
)
def test_impossible_classes_are_refused(rows, word):
    with pytest.raises(InlayError, match=word):
        Classes(tuple(rows))
