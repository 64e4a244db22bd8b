"""Overlays: what is drawn, and what is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.name_tags import anchors
from inlay.core.overlay import PAPER, class_colours, draw, nearest, row_colours, within
from inlay.core.segmentation import Segmentation

HOSTILE = "<script>alert('x')</script>\n\"&"
CLASSES = Classes(
    (
        SegmentClass("ball", "thing", (220, 60, 40)),
        SegmentClass("lawn", "stuff", (40, 160, 60)),
        SegmentClass("murk", "void"),
        SegmentClass(HOSTILE),
    )
)


def photo(size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def segmentation(ids, class_id, **columns):
    count = int(ids.max(initial=-1)) + 1
    class_id = np.array(class_id[:count], np.int32)
    return Segmentation(CLASSES, Masks.from_ids(ids, count), class_id, np.arange(1, count + 1), **columns)


id_maps = st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1)).map(
    lambda drawn: np.random.default_rng(drawn[2]).integers(-1, 4, drawn[:2]).astype(np.int32)
)


@settings(max_examples=many(60), deadline=None)
@given(id_maps, st.floats(0, 1), st.booleans(), st.booleans())
def test_pixels_of_no_segment_stay_as_they_are(ids, opacity, outline, instance_colours):
    label = segmentation(ids, [0, 1, 2, 3])
    pixels = photo(ids.shape)
    drawn = draw(
        pixels, label, opacity=opacity, outline=outline, names=False, instance_colours=instance_colours
    )
    assert drawn.shape == pixels.shape and drawn.dtype == np.uint8
    assert np.array_equal(drawn[ids < 0], pixels[ids < 0])


@settings(max_examples=many(20), deadline=None)
@given(id_maps)
def test_drawing_leaves_the_image_it_was_given_alone(ids):
    label, pixels = segmentation(ids, [0, 1, 2, 3]), photo(ids.shape)
    before = pixels.copy()
    drawn = draw(pixels, label)
    assert np.array_equal(pixels, before) and not np.shares_memory(drawn, pixels)
    drawn[:] = 0


def test_the_fill_is_a_blend_of_image_and_colour():
    ids = np.zeros((20, 20), np.int32)
    label = segmentation(ids, [1])
    drawn = draw(np.full((20, 20, 3), 100, np.uint8), label, opacity=0.5, outline=False, names=False)
    assert np.abs(drawn.astype(int) - (100 + np.array((40, 160, 60))) // 2).max() <= 1
    clear = draw(photo((20, 20)), label, opacity=0, outline=False, names=False)
    assert np.array_equal(clear, photo((20, 20)))


def test_the_outline_lies_inside_and_shows_both_neighbours():
    ids = np.full((12, 12), -1, np.int32)
    ids[2:10, 2:6], ids[2:10, 6:10] = 0, 1
    label = segmentation(ids, [0, 1])
    colours = row_colours(label)
    drawn = draw(photo((12, 12)), label, opacity=0.2, names=False)
    for row in (0, 1):
        rim = (drawn == colours[row]).all(axis=2)
        inner = ids == row
        inner[1:-1, 1:-1] &= (
            (ids[:-2, 1:-1] == row)
            & (ids[2:, 1:-1] == row)
            & (ids[1:-1, :-2] == row)
            & (ids[1:-1, 2:] == row)
        )
        assert np.array_equal(rim & (ids == row), (ids == row) & ~inner)
        assert not (rim & (ids != row)).any()


def test_things_of_one_class_differ_in_lightness_and_stuff_does_not():
    ids = np.arange(4, dtype=np.int32)[None].repeat(2, 0)
    colours = row_colours(segmentation(ids, [0, 0, 1, 1]))
    assert (colours[0] != colours[1]).any() and (colours[2] == colours[3]).all()
    hues = row_colours(segmentation(ids, [0, 0, 1, 1]), instance_colours=True)
    assert (hues[0] != hues[1]).any() and (hues[2] == hues[3]).all()


def test_void_and_crowds_are_hatched():
    ids = np.zeros((40, 40), np.int32)
    flat = np.full((40, 40, 3), 90, np.uint8)
    plain = draw(flat, segmentation(ids, [0]), names=False)
    void = draw(flat, segmentation(ids, [2]), names=False)
    crowd = draw(flat, segmentation(ids, [0], crowd=np.array([True])), names=False)
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) == 1
    assert len(np.unique(void.reshape(-1, 3), axis=0)) == 2
    assert len(np.unique(crowd.reshape(-1, 3), axis=0)) == 2


def test_the_hidden_part_of_a_thing_has_a_dashed_outline():
    back, front = np.zeros((2, 60, 60), np.bool_)
    back[10:40, 10:40], front[20:50, 20:50] = True, True
    whole = Masks.encode(np.stack([back, front]))
    label = Segmentation(CLASSES, whole, np.array([0, 1]), np.array([1, 0]), amodal=whole).flatten()
    without = draw(None, label.replace(amodal=None), names=False, outline=True)
    drawn = draw(None, label, names=False)
    changed = (drawn != without).any(axis=2)
    hidden_rim = back & front
    hidden_rim[11:39, 11:39] = False
    assert changed.any() and not (changed & ~hidden_rim).any()
    assert 0.2 < changed.sum() / hidden_rim.sum() < 0.8, "dashed, not drawn through"


def test_names_are_written_on_what_has_room_for_them():
    ids = np.full((80, 160), -1, np.int32)
    ids[5:75, 5:155] = 0
    label = segmentation(ids, [0])
    with_names, without = (draw(None, label, names=names) for names in (True, False))
    changed = (with_names != without).any(axis=2)
    assert 80 < changed.sum() < 0.5 * 70 * 150
    assert not changed[ids < 0].any()
    tiny = np.full((80, 160), -1, np.int32)
    tiny[40:43, 80:84] = 0
    small = segmentation(tiny, [0])
    assert np.array_equal(draw(None, small), draw(None, small, names=False))


@pytest.mark.parametrize("score", [None, np.array([0.25], np.float32)])
def test_any_name_can_be_written(score):
    ids = np.full((90, 200), 3, np.int32)
    label = segmentation(ids, [0, 1, 2, 3])[3].replace(score=score)
    drawn = draw(None, label)
    assert (drawn != draw(None, label, names=False)).any()


@settings(max_examples=many(40), deadline=None)
@given(id_maps)
def test_a_tag_is_anchored_on_its_segment(ids):
    label = segmentation(ids, [0, 1, 2, 3])
    panoptic = label.panoptic()
    found = anchors(panoptic)
    assert sorted(row for row, *_ in found) == np.flatnonzero(label.masks.area()).tolist()
    for row, x, y, room, area in found:
        assert panoptic[y, x] == row + 1
        assert area == label.masks.area()[row] and 1 <= room <= area
    assert [area for *_, area in found] == sorted((area for *_, area in found), reverse=True)


@pytest.mark.parametrize("size", [(10, 16), (40, 64), (33, 21), (1, 1)])
def test_a_drawing_can_be_of_another_size(size):
    ids = np.random.default_rng(1).integers(-1, 3, (20, 32)).astype(np.int32)
    drawn = draw(photo((20, 32)), segmentation(ids, [0, 1, 2]), size=size)
    assert drawn.shape == (*size, 3)
    assert nearest(ids, (20, 32)) is ids
    assert np.array_equal(nearest(ids, (40, 64))[::2, ::2], ids)


@pytest.mark.parametrize(
    "size, longest, want", [((100, 200), 50, (25, 50)), ((10, 20), 50, (10, 20)), ((1, 900), 9, (1, 9))]
)
def test_a_thumbnail_keeps_its_shape(size, longest, want):
    assert within(size, longest) == want


def test_an_image_of_another_size_is_refused():
    label = segmentation(np.zeros((4, 6), np.int32), [0])
    with pytest.raises(InlayError, match=r"\(5, 6, 3\).*\(4, 6\)"):
        draw(photo((5, 6)), label)
    with pytest.raises(InlayError, match="opacity is 1\\.5"):
        draw(None, label, opacity=1.5)


def test_no_segments_leave_the_image_and_no_image_is_paper():
    empty = Segmentation.empty(CLASSES, (7, 9))
    assert np.array_equal(draw(photo((7, 9)), empty), photo((7, 9)))
    assert (draw(None, empty) == PAPER).all()


def test_a_notebook_shows_pictures_and_escapes_names():
    ids = np.full((30, 40), 3, np.int32)
    label = segmentation(ids, [0, 1, 2, 3])
    samples = [
        Sample(HOSTILE, photo((30, 40)), label),
        Sample("bare", photo((30, 40)), None),
        Sample("lost", None, None),
        Sample("label alone", None, label, split="val"),
    ]
    dataset = Dataset.of(samples, CLASSES)
    shown = [
        dataset._repr_html_(),
        label._repr_html_(),
        *(sample._repr_html_() for sample in (*samples[:2], samples[3])),
    ]
    for markup in shown:
        assert "data:image/" in markup and "<script" not in markup and "http" not in markup
    assert "there is no image" in dataset._repr_html_() or "no image" in dataset._repr_html_()


def test_void_without_a_colour_is_grey_and_other_classes_keep_theirs():
    colours = class_colours(CLASSES)
    assert len(set(colours[2].tolist())) == 1
    assert np.array_equal(colours[[0, 1, 3]], CLASSES.colours[[0, 1, 3]])
