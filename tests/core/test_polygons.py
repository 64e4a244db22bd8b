"""Polygons by both rasteriser rules against pycocotools and OpenCV, and traced back."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco
from scipy import ndimage
from tests.often import many

from inlay import InlayError, Masks
from inlay.core import polygons
from inlay.core.polygons import Polygons

from .random_masks import MANY, small_stacks

RULES = ("pixel_edge", "pixel_centre")
sides = st.integers(1, 50)
# The rule for lines that miss pixel centres was another in OpenCV 4.9 and 4.10.
new_enough = pytest.mark.skipif(
    tuple(map(int, cv2.__version__.split(".")[:2])) < (4, 11), reason="needs OpenCV 4.11 or later"
)


def _coordinates(rng, count, span, step):
    """Random vertices in and around an image, on a grid of `step` (0: none), self-intersecting as a rule."""
    points = rng.uniform(-span, 50 + span, (count, 2))
    return np.round(points / step) * step if step else points


reach = st.sampled_from([0, 0, 10, 300, 40_000])
random_rings = st.builds(
    lambda seed, count, span, step: _coordinates(np.random.default_rng(seed), count, span, step),
    st.integers(0, 2**32 - 1),
    st.integers(3, 14),
    reach,
    st.sampled_from([0, 0.1, 0.2, 0.5, 1]),
)
random_integer_rings = st.builds(
    lambda seed, count, span: _coordinates(np.random.default_rng(seed), count, span, 1),
    st.integers(0, 2**32 - 1),
    st.integers(1, 14),
    reach,
)


def read_by_coco(rings, height, width):
    return coco.frPyObjects([ring.ravel().tolist() for ring in rings], height, width)


def drawn_by_opencv(parts, height, width):
    image = np.zeros((height, width), np.uint8)
    for part in parts:
        cv2.fillPoly(image, [ring.astype(np.int32) for ring in part], 1)
    return image.astype(bool)


@settings(max_examples=many(300), deadline=None)
@given(st.lists(random_rings, min_size=1, max_size=4), sides, sides)
def test_each_ring_by_the_pixel_edge_rule_is_that_of_pycocotools(rings, height, width):
    masks = polygons.fill(polygons.from_parts([[ring] for ring in rings]), (height, width))
    assert masks.to_strings() == [each["counts"] for each in read_by_coco(rings, height, width)]


@settings(**MANY)
@given(st.lists(st.tuples(st.floats(-20, 70), st.floats(-20, 70)), min_size=3, max_size=9), sides, sides)
def test_odd_coordinates_by_the_pixel_edge_rule_are_as_in_pycocotools(points, height, width):
    ring = np.array(points)
    masks = polygons.fill(polygons.from_parts([[ring]]), (height, width))
    assert masks.to_strings() == [read_by_coco([ring], height, width)[0]["counts"]]


@settings(**MANY)
@given(st.lists(random_rings, min_size=1, max_size=4), sides, sides)
def test_parts_of_a_mask_are_united_as_in_pycocotools(rings, height, width):
    masks = polygons.fill(polygons.from_parts([rings]), (height, width))
    assert masks.to_strings() == [coco.merge(read_by_coco(rings, height, width))["counts"]]


@new_enough
@settings(max_examples=many(300), deadline=None)
@given(random_integer_rings, sides, sides)
def test_a_ring_by_the_pixel_centre_rule_is_that_of_opencv(ring, height, width):
    masks = polygons.fill(polygons.from_parts([[ring]]), (height, width), rule="pixel_centre")
    assert np.array_equal(masks.decode()[0], drawn_by_opencv([[ring]], height, width))


@new_enough
@settings(**MANY)
@given(st.lists(st.lists(random_integer_rings, min_size=1, max_size=3), min_size=1, max_size=3), sides, sides)
def test_rings_with_holes_by_the_pixel_centre_rule_are_those_of_opencv(parts, height, width):
    masks = polygons.fill(polygons.from_rings([parts]), (height, width), rule="pixel_centre")
    assert np.array_equal(masks.decode()[0], drawn_by_opencv(parts, height, width))


@settings(**MANY)
@given(st.lists(st.lists(random_rings, min_size=1, max_size=3), min_size=1, max_size=3), sides, sides)
def test_holes_by_the_pixel_edge_rule_are_cut_out_of_their_own_part_alone(parts, height, width):
    def alone(ring):
        return polygons.fill(polygons.from_parts([[ring]]), (height, width))

    wanted = Masks.empty((height, width), 1)
    for outer, *holes in parts:
        wanted |= alone(outer) - Masks.concat([Masks.empty((height, width)), *map(alone, holes)]).union()
    assert polygons.fill(polygons.from_rings([parts]), (height, width)).equals(wanted)


@pytest.mark.parametrize("rule", RULES)
@settings(**MANY)
@given(small_stacks)
def test_traced_masks_are_filled_exactly(rule, stack):
    masks = Masks.encode(stack)
    assert polygons.fill(polygons.trace(masks, rule=rule), masks.size, rule=rule).equals(masks)


@settings(**MANY)
@given(small_stacks)
def test_traced_pixel_centres_are_drawn_exactly_by_opencv(stack):
    traced = polygons.trace(Masks.encode(stack), rule="pixel_centre")
    for parts, mask in zip(traced, stack):
        assert np.array_equal(drawn_by_opencv(parts, *mask.shape), mask)
        assert all(len(ring) >= 3 for part in parts for ring in part)


def signed_area(ring):
    x, y = ring.T
    return (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2


@settings(**MANY)
@given(small_stacks)
def test_traced_pixel_edges_are_valid_rings_of_the_same_area(stack):
    for parts, mask in zip(polygons.trace(Masks.encode(stack)), stack):
        assert len(parts) == ndimage.label(mask)[1]
        assert sum(signed_area(ring) for part in parts for ring in part) == mask.sum()
        for outer, *holes in parts:
            assert signed_area(outer) > 0
            assert all(signed_area(hole) < 0 for hole in holes)
            for ring in (outer, *holes):
                assert len({tuple(point) for point in ring}) == len(ring), "a ring touches itself"
                steps = np.sign(np.roll(ring, -1, axis=0) - ring)
                assert (np.abs(steps).sum(axis=1) == 1).all(), "a step is not along pixel edges"
                assert (np.abs(steps) != np.abs(np.roll(steps, 1, axis=0))).all(), "a point is no corner"


def test_a_ring_in_a_ring_is_a_part_of_its_own():
    target = np.ones((9, 9), bool)
    target[1:8, 1:8] = False
    target[3:6, 3:6] = True
    for rule, points in (("pixel_edge", [9.0, 7.0]), ("pixel_centre", [8.0, 8.0])):
        parts = polygons.trace(Masks.encode(target), rule=rule)[0]
        assert [len(part) for part in parts] == [2, 1]
        assert [part[0].max() - part[0].min() for part in parts] == [
            points[0],
            3.0 if points[0] == 9 else 2.0,
        ]


def test_a_rectangle_covers_the_pixels_between_its_edges_or_those_it_names():
    rectangle = polygons.from_parts([[[2, 1, 5, 1, 5, 3, 2, 3]]])
    assert polygons.fill(rectangle, (6, 8)).box().tolist() == [[2, 1, 5, 3]]
    assert polygons.fill(rectangle, (6, 8), rule="pixel_centre").box().tolist() == [[2, 1, 6, 4]]


def test_rings_are_given_flat_or_in_pairs_in_lists_or_arrays():
    flat = [[[0.0, 0.0, 4.0, 0.0, 4.0, 3.0]], [[1, 1, 2, 1, 2, 2], [5, 5, 6, 5, 6, 6]]]
    pairs = [[np.reshape(ring, (-1, 2)) for ring in parts] for parts in flat]
    lists = [[ring.tolist() for ring in parts] for parts in pairs]
    first = polygons.from_parts(flat)
    for other in (polygons.from_parts(pairs), polygons.from_parts(lists)):
        assert np.array_equal(other.points, first.points)
        assert np.array_equal(other.ring_offsets, first.ring_offsets)
        assert np.array_equal(other.mask_offsets, first.mask_offsets)
    assert [[len(part) for part in parts] for parts in first] == [[1], [1, 1]]
    assert first[-1][1][0].tolist() == [[5, 5], [6, 5], [6, 6]]


def test_degenerate_rings_cover_what_their_reader_covers():
    rings = [[[]], [[3, 3]], [[1, 1, 4, 1]], []]
    found = polygons.from_parts(rings)
    assert polygons.fill(found, (6, 6)).area().tolist() == [0, 0, 0, 0]
    assert polygons.fill(found, (6, 6), rule="pixel_centre").area().tolist() == [0, 1, 4, 0]
    assert polygons.fill(found, (0, 6)).area().tolist() == [0, 0, 0, 0]
    assert polygons.fill(found, (6, 0), rule="pixel_centre").area().tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("rule", RULES)
def test_coordinates_at_the_end_of_the_world_are_filled_and_soon(rule):
    far = polygons.MAX_COORDINATE
    whole = polygons.from_parts([[[-far, -far, far, -far, far, far, -far, far]]])
    assert polygons.fill(whole, (20, 30), rule=rule).area().tolist() == [600]
    zigzag = np.random.default_rng(0).choice([-far, far], (200, 2))
    polygons.fill(polygons.from_parts([[zigzag]]), (20, 30), rule=rule)


def test_points_can_be_exchanged_under_the_same_rings():
    masks = Masks.encode(np.pad(np.ones((2, 2), bool), 1))
    traced = polygons.trace(masks)
    moved = traced.replace_points(traced.points + np.array([1, 0]))
    assert polygons.fill(moved, masks.size).box().tolist() == [[2, 1, 4, 3]]


TRIANGLE = np.array([[0.0, 0], [4, 0], [4, 4]])
WRONG = {
    "a coordinate is no number": lambda: polygons.from_parts([[[0, 0, np.nan, 1, 2, 2]]]),
    "a coordinate is infinite": lambda: polygons.from_parts([[[0, 0, np.inf, 1, 2, 2]]]),
    "a coordinate is huge": lambda: polygons.from_parts([[[0, 0, 1e300, 1, 2, 2]]]),
    "a coordinate is missing": lambda: polygons.from_parts([[[0, 0, 1, 1, 2]]]),
    "a coordinate is a word": lambda: polygons.from_parts([[["a", 0]]]),
    "a coordinate is nothing": lambda: polygons.from_parts([[[None, 0]]]),
    "rings are ragged": lambda: polygons.from_parts([[[[0, 0], [1]]]]),
    "points are not pairs": lambda: Polygons(np.zeros((2, 3)), [0, 2], [0, 1], [False]),
    "offsets of rings fall": lambda: Polygons(TRIANGLE, [0, 4, 3], [0, 2], [False, False]),
    "offsets of rings end too late": lambda: Polygons(TRIANGLE, [0, 5], [0, 1], [False]),
    "offsets of masks end too early": lambda: Polygons(TRIANGLE, [0, 3], [0, 0], [False]),
    "there are no offsets": lambda: Polygons(TRIANGLE, [], [0], []),
    "kinds of rings are too few": lambda: Polygons(TRIANGLE, [0, 3], [0, 1], []),
    "a mask begins with a hole": lambda: Polygons(TRIANGLE, [0, 3], [0, 1], [True]),
    "a size is negative": lambda: polygons.fill(polygons.from_parts([[TRIANGLE]]), (-1, 5)),
    "pixels are named by fractions": lambda: polygons.fill(
        polygons.from_parts([[TRIANGLE + 0.5]]), (9, 9), rule="pixel_centre"
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_polygons_are_refused_in_one_line_when(wrong):
    with pytest.raises(InlayError) as error:
        wrong()
    assert "\n" not in str(error.value)


def test_the_part_that_is_no_list_of_coordinates_is_named():
    with pytest.raises(InlayError, match="part 1 of polygon 2"):
        polygons.from_parts([[[0, 0]], [], [[1, 1], [1, 2, 3]]])


def test_the_polygon_that_begins_with_a_hole_is_named():
    with pytest.raises(InlayError, match="polygon 2 begins with a hole"):
        Polygons(np.zeros((2, 2)), [0, 1, 2], [0, 1, 1, 2], [False, True])


def test_polygons_of_real_labels_are_those_of_pycocotools_and_survive_tracing(shared):
    labels = json.loads((shared / "data/coco_subset/annotations/instances_val2017.json").read_text())
    sizes = {image["id"]: (image["height"], image["width"]) for image in labels["images"]}
    drawn: dict[int, list] = {}
    for segment in labels["annotations"]:
        if isinstance(segment["segmentation"], list):
            drawn.setdefault(segment["image_id"], []).append(segment["segmentation"])
    assert drawn
    for image, parts in drawn.items():
        size = sizes[image]
        masks = polygons.fill(polygons.from_parts(parts), size)
        theirs = [coco.merge(coco.frPyObjects(each, *size)) for each in parts]
        assert masks.to_strings() == [each["counts"] for each in theirs]
        for rule in RULES:
            assert polygons.fill(polygons.trace(masks, rule=rule), size, rule=rule).equals(masks)
