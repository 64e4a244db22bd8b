"""Columns of form, outline, placing and meaning against what a plain look at the pixels says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.spatial import ConvexHull

from inlay.core.classes import Classes
from inlay.core.dataset import Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.columns import occlusion, outlines, partition, placing, shape
from inlay.rules.columns.parts.concepts import concept_of
from inlay.rules.columns.parts.runs import hull_area, moments
from inlay.rules.tables import ImageTable, PairTable, SegmentTable

stacks = arrays(np.bool_, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7))


def label(stack, **columns):
    count = len(stack)
    return Segmentation(
        Classes.of("cell"), Masks.encode(stack), np.zeros(count, np.int32), np.arange(1, count + 1), **columns
    )


def corners(mask):
    y, x = np.nonzero(mask)
    return np.unique(
        np.concatenate([np.column_stack([x + i, y + j]) for i in (0, 1) for j in (0, 1)]), axis=0
    )


@settings(max_examples=60, deadline=None)
@given(stacks)
def test_a_hull_is_that_of_the_corners_of_the_pixels(stack):
    wanted = [ConvexHull(corners(mask)).volume if mask.any() else 0.0 for mask in stack]
    assert np.allclose(hull_area(Masks.encode(stack)), wanted)


@settings(max_examples=60, deadline=None)
@given(stacks)
def test_moments_are_those_of_the_pixel_centres(stack):
    found = moments(Masks.encode(stack))
    for row, mask in enumerate(stack):
        y, x = np.nonzero(mask)
        if not len(x):
            assert np.isnan(found.x[row])
            continue
        assert np.allclose([found.x[row], found.y[row]], [x.mean() + 0.5, y.mean() + 0.5])
        assert np.allclose([found.xx[row], found.yy[row]], [x.var() + 1 / 12, y.var() + 1 / 12])
        assert np.isclose(found.xy[row], ((x - x.mean()) * (y - y.mean())).mean())


@settings(max_examples=60, deadline=None)
@given(arrays(np.int32, array_shapes(min_dims=2, max_dims=2, max_side=7), elements=st.integers(-1, 3)))
def test_who_lies_on_whom_is_counted_edge_by_edge(ids):
    table = PairTable.of(SegmentTable(label(ids == np.arange(4)[:, None, None])))
    found = dict(zip(zip(table.a.tolist(), table.b.tolist()), placing.on_top_px(table).tolist()))
    for (a, b), edges in found.items():
        assert edges == int(((ids[:-1] == a) & (ids[1:] == b)).sum())
    share = placing.on_top_frac(table)
    known = share[~np.isnan(share)]
    assert ((known >= 0) & (known <= 1)).all()


@settings(max_examples=40, deadline=None)
@given(stacks)
def test_solidity_and_elongation_keep_their_ranges(stack):
    table = SegmentTable(label(stack))
    solid, long = shape.solidity(table), shape.elongation(table)
    there = table.area > 0
    assert ((solid[there] > 0) & (solid[there] <= 1 + 1e-9)).all()
    assert (long[there] >= 1 - 1e-9).all()
    assert np.isnan(solid[~there]).all()


def block(height=30, width=40):
    mask = np.zeros((height, width), np.bool_)
    mask[8:22, 8:24] = True
    return mask


@pytest.mark.parametrize("thick", [1, 2])
@pytest.mark.parametrize("length", [6, 12])
def test_a_tongue_is_as_long_as_it_stands_out_and_a_body_has_none(thick, length):
    mask = block()
    assert outlines.spur_px(SegmentTable(label(mask[None])), 2).tolist() == [0]
    mask[14 : 14 + thick, 24 : 24 + length] = True
    (found,) = outlines.spur_px(SegmentTable(label(mask[None])), 2)
    assert length - 2 <= found <= length


def test_what_shows_between_two_others_is_no_tongue():
    mask = block()
    mask[14, 24:36] = True
    above, below = np.zeros((2, *mask.shape), np.bool_)
    above[5:14, 24:38], below[15:25, 24:38] = True, True
    found = outlines.spur_px(SegmentTable(label(np.array([mask, above, below]))), 2)
    assert found[0] == 0


def test_a_bite_is_nobodys_bay_and_not_a_neighbours():
    mask = block()
    mask[14:18, 8:12] = False
    assert outlines.notch_px(SegmentTable(label(mask[None])), 8)[0] >= 12
    other = block() & ~mask
    assert outlines.notch_px(SegmentTable(label(np.array([mask, other]))), 8)[0] == 0


def test_two_discs_that_touch_have_a_neck():
    y, x = np.ogrid[:30, :40]
    two = ((y - 14) ** 2 + (x - 12) ** 2 <= 64) | ((y - 14) ** 2 + (x - 26) ** 2 <= 64)
    one = (y - 14) ** 2 + (x - 12) ** 2 <= 64
    assert outlines.necks(SegmentTable(label(np.array([two, one]))), 10).tolist() == [1, 0]


def test_a_seam_is_long_and_narrow_and_between_two():
    for width, wanted in ((1, 20), (2, 40), (4, 80), (6, 0)):
        ids = np.zeros((20, 30), np.int32)
        ids[:, 12 : 12 + width], ids[:, 12 + width :] = -1, 1
        stack = ids == np.arange(2)[:, None, None]
        assert partition.seam_px(ImageTable(Sample("x", None, label(stack))), 4) == wanted


def test_two_that_hide_one_another_are_a_circle_and_contradict_the_order():
    seen = np.zeros((2, 6, 12), np.bool_)
    seen[0, :, 2:6], seen[1, :, 6:10] = True, True
    extent = seen.copy()
    extent[0, :3, 6:8] = extent[1, 3:, 4:6] = True
    image = ImageTable(Sample("x", None, label(seen, amodal=Masks.encode(extent))))
    assert occlusion.occlusion_cycles(image) == 2
    assert occlusion.order_contradictions(image) == 1
    assert occlusion.order_contradictions_region(image, 0).area().tolist() == [6]
    assert occlusion.amodal_unexplained_px(image.segments).tolist() == [0, 0]
    assert np.allclose(occlusion.occluded_frac(image.segments), 6 / 30)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Car", "vehicle"),
        ("parked cars", "vehicle"),
        ("traffic light", "pole"),
        ("Bicyclist", "rider"),
        ("Sky", "sky"),
        ("wine glass", "glass"),
        ("gizmo", ""),
    ],
)
def test_a_class_name_means_what_people_mean(name, meaning):
    assert concept_of(name) == meaning
