"""Shared edges: a view of a partition that can be moved, simplified and turned back."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from inlay import InlayError, Masks, Segmentation
from inlay.core.edges import Edges, edges, from_edges

from .random_masks import MANY, ROWS, id_maps, partition_of, segmentation_of, stacks


def crack_count(ids):
    framed = np.pad(ids, 1, constant_values=-1)
    return (framed[1:] != framed[:-1]).sum() + (framed[:, 1:] != framed[:, :-1]).sum()


@settings(**MANY)
@given(id_maps)
def test_edges_rebuild_the_rows(ids):
    segmentation = partition_of(ids)
    found = segmentation.edges()
    assert np.array_equal(found.ids(), ids)
    assert Segmentation.from_edges(found, like=segmentation).equals(segmentation)


@settings(**MANY)
@given(stacks)
def test_edges_rebuild_a_flattened_stack(stack):
    flat = segmentation_of(Masks.encode(stack)).flatten()
    assert from_edges(edges(flat), like=flat).equals(flat)


@settings(**MANY)
@given(id_maps)
def test_every_crack_lies_on_one_arc_between_its_two_rows(ids):
    framed = np.pad(ids, 1, constant_values=-1)
    found = edges(partition_of(ids))
    assert sum(np.abs(np.diff(arc, axis=0)).sum() for arc in found) == crack_count(ids)
    for arc, left, right in zip(found, found.left, found.right):
        assert left != right
        for (x0, y0), (x1, y1) in pairwise(arc):
            middle, along = np.array([x0 + x1, y0 + y1]) / 2, np.sign([x1 - x0, y1 - y0])
            to_left = middle + np.array([along[1], -along[0]]) / 2
            to_right = middle - np.array([along[1], -along[0]]) / 2
            for (x, y), row in ((to_left, left), (to_right, right)):
                assert framed[int(np.floor(y)) + 1, int(np.floor(x)) + 1] == row


@settings(**MANY)
@given(id_maps)
def test_arcs_end_where_arcs_meet_or_close(ids):
    found = edges(partition_of(ids))
    ends = [tuple(arc[k]) for arc in found for k in (0, -1) if tuple(arc[0]) != tuple(arc[-1])]
    height, width = ids.shape
    for x, y in set(ends):
        on_border = x in (0, width) or y in (0, height)
        inner = [tuple(p) for arc in found for p in arc[1:-1]]
        assert (x, y) not in inner
        assert on_border or sum(tuple(p) == (x, y) for arc in found for p in (arc[0], arc[-1])) >= 3


@settings(**MANY)
@given(id_maps, st.floats(0, 4))
def test_simplified_arcs_change_pixels_near_the_arcs_alone(ids, tolerance):
    segmentation = partition_of(ids)
    found = edges(segmentation)
    simple = found.simplify(tolerance)
    changed = simple.ids() != ids
    cracks = np.zeros((2 * ids.shape[0] + 1, 2 * ids.shape[1] + 1), bool)
    for arc in found:
        for (x0, y0), (x1, y1) in pairwise(arc):
            xs, ys = sorted((int(2 * x0), int(2 * x1))), sorted((int(2 * y0), int(2 * y1)))
            cracks[ys[0] : ys[1] + 1, xs[0] : xs[1] + 1] = True
    if changed.any():
        distance = ndimage.distance_transform_edt(~cracks)[1::2, 1::2] / 2
        assert distance[changed].max() <= tolerance + 1e-9
    assert len(simple.points) <= len(found.points)
    assert simple.left.tolist() == found.left.tolist()


@settings(**MANY)
@given(id_maps, st.floats(0, 50))
def test_simplified_arcs_keep_their_ends_and_loops_three_points(ids, tolerance):
    found = edges(partition_of(ids))
    for before, after in zip(found, found.simplify(tolerance)):
        assert np.array_equal(before[[0, -1]], after[[0, -1]])
        if np.array_equal(before[0], before[-1]):
            assert len(after) >= 4
        assert {tuple(p) for p in after} <= {tuple(p) for p in before}


@settings(**MANY)
@given(id_maps, st.floats(0, 10))
def test_the_border_of_the_image_stays_where_it_is(ids, tolerance):
    ids = np.abs(ids)  # nobody owns nothing
    segmentation = partition_of(ids)
    simple = from_edges(edges(segmentation).simplify(tolerance), like=segmentation)
    assert simple.masks.area().sum() == ids.size


@settings(**MANY)
@given(id_maps, st.integers(0, 2**32 - 1))
def test_arcs_moved_anywhere_still_bound_a_partition(ids, seed):
    rng = np.random.default_rng(seed)
    segmentation = partition_of(ids)
    found = edges(segmentation)
    assume(len(found))
    for _ in range(3):
        arc = int(rng.integers(len(found)))
        between = rng.uniform(-20, 60, (int(rng.integers(1, 6)), 2))
        found = found.move(arc, np.concatenate([found[arc][:1], between, found[arc][-1:]]))
    moved = from_edges(found, like=segmentation)
    assert moved.is_partition
    assert len(moved) == len(segmentation)
    assert moved.class_names == segmentation.class_names


def two_halves():
    ids = np.zeros((6, 8), np.int32)
    ids[:, 4:] = 1
    return segmentation_of(Masks.from_ids(ids, 2))


def test_a_moved_arc_moves_both_neighbours():
    segmentation = two_halves()
    found = segmentation.edges()
    (shared,) = np.flatnonzero((found.left >= 0) & (found.right >= 0))
    start, end = found[int(shared)]
    moved = Segmentation.from_edges(found.move(int(shared), [start, (6, 3), end]), like=segmentation)
    assert moved.masks.area().tolist() == [30, 18]
    assert moved.is_partition


def test_arcs_laid_across_one_another_do_not_spill_over_the_row():
    ids = np.array([[0, 1, 1, 2, 2, 2, 2, 2]] * 4, np.int32)
    segmentation = segmentation_of(Masks.from_ids(ids, 3))
    found = segmentation.edges()
    (arc,) = np.flatnonzero(
        ((found.left == 0) & (found.right == 1)) | ((found.left == 1) & (found.right == 0))
    )
    start, end = found[int(arc)]
    moved = found.move(int(arc), [start, (5, 1), (5, 3), end]).ids()
    assert (moved[:, 5:] == 2).all()
    assert moved[2].tolist() == [0, 0, 0, 2, 2, 2, 2, 2]


def test_unmoved_edges_keep_every_column():
    segmentation = two_halves().replace(stated_area=np.array([1.0, 2.0]), score=np.array([0.5, 0.25]))
    assert from_edges(segmentation.edges(), like=segmentation).equals(segmentation)


def test_moved_edges_drop_what_was_stated_and_widen_the_full_extent():
    segmentation = two_halves().flatten().replace(stated_area=np.array([1.0, 2.0]))
    found = segmentation.edges()
    (shared,) = np.flatnonzero((found.left >= 0) & (found.right >= 0))
    start, end = found[int(shared)]
    moved = from_edges(found.move(int(shared), [start, (6, 3), end]), like=segmentation)
    assert moved.stated_area is None
    assert moved.amodal is not None
    assert (moved.masks - moved.amodal).area().tolist() == [0, 0]


def test_a_loop_ends_where_it_starts_and_is_free_to_move():
    ids = np.full((6, 6), -1)
    ids[2:4, 2:4] = 0
    found = edges(partition_of(ids))
    assert [arc.tolist() for arc in found] == [[[2, 2], [4, 2], [4, 4], [2, 4], [2, 2]]]
    assert found.of(0).tolist() == [0]
    moved = found.move(0, found[0] + [1, 1])
    assert np.argwhere(moved.ids() == 0).tolist() == [[3, 3], [3, 4], [4, 3], [4, 4]]


def test_overlapping_masks_share_no_edges():
    with pytest.raises(InlayError, match="flatten"):
        segmentation_of(Masks.encode(np.ones((2, 3, 3)))).edges()


HALVES = two_halves()
ARCS = HALVES.edges()
LOOP = edges(segmentation_of(Masks.from_ids(np.pad(np.zeros((2, 2), int), 1, constant_values=-1), 1)))
WRONG = {
    "an arc leaves its node": lambda: ARCS.move(0, ARCS[0] + 1),
    "an arc has one point": lambda: ARCS.move(0, ARCS[0][:1]),
    "a loop does not close": lambda: LOOP.move(0, [[1, 1], [3, 1], [3, 3]]),
    "a point is no number": lambda: ARCS.move(0, [ARCS[0][0], [np.nan, 1], ARCS[0][-1]]),
    "a tolerance is negative": lambda: ARCS.simplify(-1),
    "a tolerance is no number": lambda: ARCS.simplify(np.nan),
    "sizes differ": lambda: from_edges(ARCS, like=segmentation_of(Masks.empty((6, 9), 2))),
    "rows are missing": lambda: from_edges(ARCS, like=HALVES[:1]),
    "rows are below nobody": lambda: from_edges(replace(ARCS, left=ARCS.left - 5), like=HALVES),
    "offsets do not fit": lambda: Edges(ARCS.points, ARCS.offsets[:-1], ARCS.left, ARCS.right, ARCS.size),
    "sides do not fit": lambda: Edges(ARCS.points, ARCS.offsets, ARCS.left[:-1], ARCS.right, ARCS.size),
    "points are not pairs": lambda: Edges(np.zeros((2, 3)), [0, 2], [0], [1], (4, 4)),
    "a size is negative": lambda: Edges(np.zeros((0, 2)), [0], [], [], (-4, 4)),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_edges_are_refused_in_one_line_when(wrong):
    with pytest.raises(InlayError) as error:
        wrong()
    assert "\n" not in str(error.value)


def test_an_image_without_segments_has_no_edges():
    for size in ((0, 0), (3, 0), (0, 3), (3, 3)):
        empty = segmentation_of(Masks.empty(size))
        assert len(empty.edges()) == 0
        assert from_edges(empty.edges(), like=empty).equals(empty)


def test_there_are_as_many_rows_as_the_random_maps_use():
    assert len(partition_of(np.zeros((2, 2), np.int32))) == ROWS
