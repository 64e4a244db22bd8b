"""Measured columns against what a plain look at the pixels says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from inlay.core.classes import Classes
from inlay.core.dataset import Sample
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.columns import contact, geometry, outlines, partition, resolve, schema, tags, vocabulary
from inlay.rules.expression import Reference
from inlay.rules.tables import ImageTable, PairTable, SegmentTable

stacks = st.builds(
    lambda stack, times: stack.repeat(times, axis=1).repeat(times, axis=2),
    arrays(np.bool_, array_shapes(min_dims=3, max_dims=3, max_side=6)),
    st.integers(1, 3),
)


def label(stack):
    count = len(stack)
    return Segmentation(
        Classes.of("cell"), Masks.encode(stack), np.zeros(count, np.int32), np.arange(1, count + 1)
    )


def visible(stack):
    """Each mask less all after it."""
    return np.array([mask & ~stack[row + 1 :].any(axis=0) for row, mask in enumerate(stack)])


@settings(max_examples=60, deadline=None)
@given(stacks)
def test_parts_and_holes_are_those_of_scipy(stack):
    table = SegmentTable(label(stack))
    parts = [ndimage.label(mask, np.ones((3, 3)))[0] for mask in stack]
    assert geometry.n_parts(table).tolist() == [int(each.max()) for each in parts]
    holes = [ndimage.binary_fill_holes(mask) & ~mask for mask in stack]
    assert geometry.hole_px(table).tolist() == [int(each.sum()) for each in holes]
    sizes = [sorted(np.bincount(each.ravel())[1:].tolist()) for each in parts]
    assert geometry.parts_under(table, 4).tolist() == [sum(size < 4 for size in each[:-1]) for each in sizes]
    wanted = [each[-1] / sum(each) if each else np.nan for each in sizes]
    assert np.allclose(geometry.largest_part_frac(table), wanted, equal_nan=True)
    wanted = [each[0] if each else np.nan for each in sizes]
    assert np.array_equal(geometry.smallest_part_px(table), wanted, equal_nan=True)


@settings(max_examples=60, deadline=None)
@given(stacks)
def test_a_hole_is_empty_when_nobodys_label_lies_in_it_or_only_what_goes_on_beneath(stack):
    table, wanted = SegmentTable(label(stack)), []
    down, right = np.indices((7, 7)) - 3
    for row, mask in enumerate(stack):
        holes, count = ndimage.label(ndimage.binary_fill_holes(mask) & ~mask)
        wanted.append(0)
        for hole in (holes == each for each in range(1, count + 1)):
            ring = ndimage.binary_dilation(hole, down**2 + right**2 <= 9) & ~hole & mask
            within = [other for other in np.delete(stack, row, axis=0) if (other & hole).any()]
            beneath = all((other & ring).sum() >= 0.9 * ring.sum() for other in within)
            wanted[-1] += not within or (beneath and hole.sum() >= 3)
    assert geometry.empty_holes_under(table, 1e9).tolist() == wanted


@settings(max_examples=60, deadline=None)
@given(stacks)
def test_the_visible_part_is_what_no_later_segment_covers(stack):
    table = SegmentTable(label(stack))
    assert np.array_equal(np.asarray(table.visible), visible(stack))
    assert np.array_equal(np.asarray(table.twice)[0], stack.sum(axis=0) > 1)


@settings(max_examples=60, deadline=None)
@given(stacks)
def test_pairs_are_those_that_touch_or_overlap_each_way_round(stack):
    table = PairTable.of(SegmentTable(label(stack)))
    seen = visible(stack)
    wanted = {}
    for a, mask in enumerate(stack):
        for b, other in enumerate(stack):
            shared = int((mask & other).sum())
            touch = sum(
                int((one[1:] & two[:-1]).sum() + (two[1:] & one[:-1]).sum())
                for one, two in both_ways(seen[a], seen[b])
            )
            if a != b and (shared or touch):
                wanted[a, b] = (touch, shared)
    found = {
        (int(a), int(b)): (int(t), int(s)) for a, b, t, s in zip(table.a, table.b, table.touch, table.shared)
    }
    assert found == wanted
    assert len(found) == len(table)


def both_ways(one, two):
    return ((one, two), (one.T, two.T))


@settings(max_examples=40, deadline=None)
@given(stacks)
def test_shares_lie_between_0_and_1(stack):
    segments = SegmentTable(label(stack))
    pairs = PairTable.of(segments)
    image = ImageTable(Sample("x", None, label(stack)))
    shares = [
        *(contact.surround(pairs), contact.iou(pairs), contact.iom(pairs), contact.inside(pairs)),
        *(contact.shared_edge_frac(pairs), schema.area_frac(segments), geometry.visible_frac(segments)),
        *(np.array([partition.coverage(image)]), np.array([partition.void_frac(image)])),
    ]
    for share in shares:
        known = share[~np.isnan(share)]
        assert ((known >= 0) & (known <= 1 + 1e-12)).all()


@settings(max_examples=40, deadline=None)
@given(stacks)
def test_a_region_has_the_pixels_that_its_column_counts(stack):
    segments = SegmentTable(label(stack))
    pairs = PairTable.of(segments)
    for row in range(len(segments)):
        assert geometry.hole_px_region(segments, row).area()[0] == geometry.hole_px(segments)[row]
        small = geometry.parts_under_region(segments, row, 4)
        assert len(small.parts()[1]) == geometry.parts_under(segments, 4)[row]
    for row in range(len(pairs)):
        assert contact.overlap_px_region(pairs, row).area()[0] == contact.overlap_px(pairs)[row]


def test_a_segment_ringed_by_another_is_surrounded_by_it():
    ids = np.array([[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]])
    table = PairTable.of(SegmentTable(label(np.array([ids == 0, ids == 1]))))
    found = dict(zip(zip(table.a.tolist(), table.b.tolist()), contact.surround(table).tolist()))
    assert found == {(0, 1): 0.3, (1, 0): 1.0}


def test_void_covers_nothing_and_its_strips_are_seams():
    classes = Classes.of("road", "sky", "void").with_kinds({"road": "stuff", "sky": "stuff", "void": "void"})
    ids = np.zeros((6, 6), np.int32)
    ids[3] = 2
    ids[1, 1] = 2
    image = ImageTable(Sample("x", None, Segmentation.from_semantic(ids, classes)))
    assert partition.coverage(image) == pytest.approx(29 / 36)
    assert partition.seam_px(image, 2) == 0  # in the midst of one segment: a hole, not a seam
    ids[:3][ids[:3] == 0] = 1
    image = ImageTable(Sample("x", None, Segmentation.from_semantic(ids, classes)))
    assert partition.seam_px(image, 2) == 6


def test_a_tag_is_unknown_where_nobody_tagged_anything():
    bare = label(np.ones((2, 3, 3), np.bool_))
    assert tags.tag(SegmentTable(bare), "occluded") is None
    tagged = bare.replace(tags=(frozenset({"occluded"}), frozenset()))
    assert tags.tag(SegmentTable(tagged), "occluded").tolist() == [True, False]


def test_a_stated_box_agrees_with_the_mask_that_fills_it():
    found = label(np.ones((1, 4, 6), np.bool_)).replace(stated_box=[[0.4, 0.3, 5.6, 3.9]])
    assert schema.box_agreement(SegmentTable(found)).tolist() == [1.0]
    far = found.replace(stated_box=[[6, 4, 9, 9]])
    assert schema.box_agreement(SegmentTable(far)).tolist() == [0.0]


def test_a_word_after_an_underscore_is_an_argument():
    known = vocabulary()
    column, reference = resolve(known, "image", Reference("", "count_traffic_light"))
    assert (column.name, reference.argument) == ("count", "traffic_light")
    assert resolve(known, "pair", Reference("a", "tag_airborne"))[1].key == "a.tag('airborne')"


@pytest.mark.parametrize(
    ("scope", "reference", "words"),
    [
        ("segment", Reference("", "area_pix"), "did you mean 'area_px'"),
        ("segment", Reference("b", "area_px"), "drop 'b'"),
        ("image", Reference("image", "coverage"), "drop 'image'"),
        ("pair", Reference("", "area_px"), "no pair column"),
        ("image", Reference("", "count"), "needs an argument"),
        ("segment", Reference("", "area_px", "5"), "takes no argument"),
        ("segment", Reference("", "parts_under", "few"), "wants a number"),
    ],
)
def test_a_column_that_is_not_there_is_refused_with_a_way_out(scope, reference, words):
    with pytest.raises(InlayError, match=words):
        resolve(vocabulary(), scope, reference)


def test_an_island_or_a_tongue_upon_others_is_no_remainder_between_them():
    drawn = np.zeros((3, 24, 40), np.bool_)
    drawn[0, 2:22, 2:14] = True  # the thing, then two neighbours of each other
    drawn[1, 2:22, 16:26] = drawn[2, 2:22, 26:38] = True
    island, tongue = drawn.copy(), drawn.copy()
    island[0, 10:14, 24:28] = True
    tongue[0, 11, 14:34] = True
    assert geometry.islands_under(SegmentTable(label(island)), 31).tolist() == [1, 0, 0]
    assert outlines.spur_px(SegmentTable(label(tongue)), 2)[0] >= 18
    island[1:] &= ~island[0]  # now it lies between its neighbours
    assert geometry.islands_under(SegmentTable(label(island)), 31).tolist() == [0, 0, 0]
