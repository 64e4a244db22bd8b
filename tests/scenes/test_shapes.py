"""Shapes: the sign of a distance says inside or outside exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay.core.classes import Classes, SegmentClass
from inlay.scenes.drawing.shapes import blob, box, capsule, circle, convex, ellipse, polygon, union
from inlay.scenes.drawing.stage import LEAST_SEEN, Backdrop, Layer, Piece, perform
from inlay.scenes.streetscape.view import View, hull

Y, X = (axis.astype(np.float32) + 0.5 for axis in np.ogrid[:40, :50])
NUMBERS = st.floats(-10, 60, allow_nan=False, width=32)
CLASSES = Classes((SegmentClass("ground", "stuff"), SegmentClass("disc"), SegmentClass("bar")))


def inside_by_winding(points, x, y):
    """Angle walked around the point, the slow way."""
    corners = np.asarray(points, np.float64)
    total = 0.0
    for (ax, ay), (bx, by) in zip(corners - (x, y), np.roll(corners, -1, axis=0) - (x, y)):
        total += np.arctan2(ax * by - ay * bx, ax * bx + ay * by)
    return abs(total) > np.pi


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=5, max_size=9), st.floats(5, 45), st.floats(5, 35))
def test_a_convex_polygon_is_the_same_either_way(points, x, y):
    corners = hull(np.array(points, np.float64))
    if len(corners) < 3:
        return
    one, other = (
        shape(corners).distance(np.float32([[x]]), np.float32([[y]]))[0, 0] for shape in (convex, polygon)
    )
    if min(abs(one), abs(other)) > 1e-2:
        assert (one < 0) == (other < 0) == inside_by_winding(corners, x, y)


def test_a_star_is_filled_as_its_winding_says():
    turns = np.arange(10) * np.pi / 5
    radius = np.where(np.arange(10) % 2, 6, 17)
    points = np.stack([25 + radius * np.cos(turns), 20 + radius * np.sin(turns)], axis=1)
    mask = polygon(points).distance(X, Y) <= 0
    want = [[inside_by_winding(points, x, y) for x in X[0]] for y in Y[:, 0]]
    assert np.array_equal(mask, want)


@pytest.mark.parametrize("angle", [0.0, 0.7, 2.0])
def test_round_shapes_follow_their_equations(angle):
    u = (X - 25) * np.cos(angle) + (Y - 20) * np.sin(angle)
    v = (Y - 20) * np.cos(angle) - (X - 25) * np.sin(angle)
    assert np.array_equal(
        ellipse(25, 20, 12.3, 6.1, angle=angle).distance(X, Y) <= 0, (u / 12.3) ** 2 + (v / 6.1) ** 2 <= 1
    )
    assert np.array_equal(
        box(25, 20, 9.3, 4.2, angle=angle).distance(X, Y) < 0, (abs(u) < 9.3) & (abs(v) < 4.2)
    )
    assert np.array_equal(
        blob(25, 20, 8.2, (), angle=angle).distance(X, Y) <= 0, np.hypot(X - 25, Y - 20) <= 8.2
    )


def test_a_distance_is_one_pixel_a_pixel():
    for shape in (
        circle(25, 20, 8),
        capsule(10, 10, 40, 30, 5),
        box(25, 20, 9, 6),
        polygon([(5, 5), (45, 9), (20, 36)]),
    ):
        far = shape.distance(X, Y)
        steps = np.hypot(np.diff(far, axis=0)[:, :-1], np.diff(far, axis=1)[:-1])
        assert np.median(steps) == pytest.approx(1, abs=0.05) and steps.max() < 1.5


def test_shapes_combine_as_sets():
    a, b = circle(20, 20, 9), box(30, 20, 8, 5)
    one, other = a.distance(X, Y) <= 0, b.distance(X, Y) <= 0
    assert np.array_equal((a | b).distance(X, Y) <= 0, one | other)
    assert np.array_equal((a & b).distance(X, Y) <= 0, one & other)
    assert np.array_equal((a - b).distance(X, Y) < 0, one & ~other)
    assert np.array_equal(union([a, b]).distance(X, Y), (a | b).distance(X, Y))
    assert np.array_equal(a.moved(3, 2).distance(X, Y), circle(23, 22, 9).distance(X, Y))


@pytest.mark.parametrize(
    "shape",
    [
        ellipse(25, 20, 14, 5, angle=0.6),
        capsule(12, 12, 33, 25, 3, 6),
        blob(25, 20, 8, [(3, 0.2, 1.0), (5, -0.1, 0.0)], stretch=1.5, angle=0.4),
        box(25, 20, 9, 4, angle=1.1, round_by=2),
        circle(20, 20, 5).grown(3) | circle(30, 25, 4).moved(-2, 1),
    ],
)
def test_a_box_holds_its_shape(shape):
    x0, y0, x1, y1 = shape.box
    outside = (x0 > X) | (x1 < X) | (y0 > Y) | (y1 < Y)
    assert not ((shape.distance(X, Y) <= 0) & outside).any()


def ground(colour=(0.2, 0.2, 0.2)):
    return Backdrop("ground", np.ones((40, 50), np.bool_), np.full((40, 50, 3), colour, np.float32))


def test_the_picture_shows_each_segment_in_its_paint():
    disc = Piece("disc", [Layer(circle(20, 20, 9), (1, 0, 0))], 1)
    bar = Piece("bar", [Layer(box(30, 20, 8, 4), (0, 0, 1))], 2)
    picture, truth = perform([ground(), disc, bar], CLASSES, (40, 50))
    paints = np.array([(0.2, 0.2, 0.2), (1, 0, 0), (0, 0, 1)], np.float32)
    nearest = np.abs(picture[:, :, None] - paints).sum(axis=3).argmin(axis=2)
    assert np.array_equal(nearest + 1, truth.panoptic())
    assert truth.tags == (frozenset(), frozenset({"occluded"}), frozenset())


def test_a_thing_that_hardly_shows_is_in_neither_picture_nor_truth():
    hidden = Piece("disc", [Layer(circle(25, 20, 5), (1, 0, 0))], 1)
    front = Piece("bar", [Layer(box(25, 20, 8, 8), (0, 0, 1))], 2)
    picture, truth = perform([ground(), hidden, front], CLASSES, (40, 50))
    assert truth.class_names == ("ground", "bar")
    assert picture[..., 0].max() < 0.3
    assert LEAST_SEEN > 1


def test_shadows_and_details_belong_to_nobody():
    shape = circle(25, 20, 6)
    shadow = Layer(shape.moved(4, 4), (0, 0, 0), opacity=0.5, soft=4, owns=False)
    spot = Layer(circle(31, 20, 4), (1, 1, 1), inside=True, owns=False)
    picture, truth = perform(
        [ground(), Piece("disc", [shadow, Layer(shape, (1, 0, 0)), spot], 1)], CLASSES, (40, 50)
    )
    assert np.array_equal(truth.amodal.decode()[1], shape.distance(X, Y) <= 0)
    assert picture[28, 31].max() < 0.2, "the shadow darkens the ground"
    assert picture[20, 29].min() > 0.9, "the spot is on the disc"
    assert picture[20, 34].max() < 0.21, "and nowhere else"


def test_a_polygon_is_cut_where_it_passes_the_camera():
    view = View((40, 50), 40.0, 25.0, 20.0, 1.5, 0.0, 10.0)
    corners = np.array([(1, 0, 5), (3, 0, 5), (3, 0, 20), (1, 0, 20)], np.float64)
    seen = view.seen(corners)
    assert len(seen) == 4 and np.isfinite(seen).all() and (seen[:, 1] > view.horizon).all()
    assert len(view.seen(corners - (0, 0, 20))) == 0
