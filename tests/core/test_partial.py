"""Labels that say less than masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import Classes, InlayError, Masks, Segmentation, SegmentClass
from inlay.core.partial import PARTIAL, extents, is_whole, only_boxes, rectangles, separated, some_points

CLASSES = Classes((SegmentClass("hen", "thing"), SegmentClass("straw", "stuff")))


def hens(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (8, 12)) -> Segmentation:
    """Hens that fill their boxes."""
    count = len(boxes)
    return Segmentation(
        CLASSES, rectangles(boxes, size), np.zeros(count, np.int32), np.arange(1, count + 1, dtype=np.int32)
    )


@settings(max_examples=many(40))
@given(st.tuples(st.integers(1, 9), st.integers(1, 9)), st.data())
def test_a_rectangle_fills_its_box(size, data):
    height, width = size
    x0, x1 = sorted(data.draw(st.tuples(st.integers(0, width), st.integers(0, width))))
    y0, y1 = sorted(data.draw(st.tuples(st.integers(0, height), st.integers(0, height))))
    wanted = np.zeros(size, bool)
    wanted[y0:y1, x0:x1] = True
    assert np.array_equal(rectangles([(x0, y0, x1, y1)], size).decode()[0], wanted)


def test_boxes_stay_when_masks_go():
    label = hens((1, 1, 4, 5), (6, 2, 11, 8))
    weak = only_boxes(label, [1])
    assert is_whole(weak).tolist() == [True, False]
    assert extents(weak).tolist() == [[1, 1, 4, 5], [6, 2, 11, 8]]
    assert weak.masks.area().tolist() == [12, 0]


def test_points_are_given_to_the_segment_they_lie_on():
    label = hens((1, 1, 4, 5), (3, 2, 11, 8))  # the second hides a part of the first
    front = label.masks.paint([1, 2])
    known = some_points(label, 20, seed=3)
    assert all(PARTIAL in tags for tags in known.tags)
    assert known.class_names[0] == "background"
    for row, number in ((1, 1), (2, 2)):
        assert (front[known.masks[row].decode()[0]] == number).all()


def test_boxes_apart_and_a_map_give_whole_masks():
    truth = hens((1, 1, 4, 5), (6, 2, 11, 8))
    regions = Segmentation.from_semantic(truth.masks.paint([0, 0], fill=-1), CLASSES)
    found = separated(only_boxes(truth), regions)
    things = found.things()
    assert is_whole(things).all()
    assert things.masks.equals(truth.masks)
    assert found.class_names[0] == "background"


def test_pixels_in_two_boxes_stay_open_and_those_in_none_are_a_crowd():
    truth = hens((1, 1, 6, 5), (4, 3, 9, 8))
    ids = truth.masks.paint([0, 0], fill=1)
    ids[0, 11] = 0
    found = separated(only_boxes(truth), Segmentation.from_semantic(ids, CLASSES))
    crowd, first, second = found.things()
    assert crowd.crowd.all()
    assert crowd.masks.area().tolist() == [1]
    assert not is_whole(Segmentation.concat([first, second])).any()
    both = np.zeros(truth.size, bool)
    both[3:5, 4:6] = True
    claimed = first.masks.decode()[0] | second.masks.decode()[0]
    assert np.array_equal(claimed, truth.masks.union().decode()[0] & ~both)


def test_a_map_of_other_classes_or_size_is_refused():
    label = hens((1, 1, 4, 5))
    with pytest.raises(InlayError, match="the map has no class hen"):
        separated(label, Segmentation.empty(Classes.of("cow"), (8, 12)))
    with pytest.raises(InlayError, match="the map is of"):
        separated(label, Segmentation.empty(CLASSES, (8, 13)))


def test_points_without_a_box_are_refused():
    label = Segmentation(
        CLASSES,
        Masks.encode(np.ones((1, 2, 2), bool)),
        np.zeros(1, np.int32),
        np.ones(1, np.int32),
        tags=(frozenset({PARTIAL}),),
    )
    with pytest.raises(InlayError, match="has no box"):
        extents(label)
