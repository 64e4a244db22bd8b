"""Columns of gaps, relations and outlines against what distances and pixels say by themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules import check
from inlay.rules.columns import annotators, erased, outline_form, relations, slips
from inlay.rules.gathered import Gathered
from inlay.rules.tables import DatasetTable, PairTable, SegmentTable, UnknownError

stacks = arrays(np.bool_, array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=8))


def table(*masks, names=("cell",), class_id=None, image=None, **columns):
    count = len(masks)
    ids = np.zeros(count, np.int32) if class_id is None else np.array(class_id, np.int32)
    label = Segmentation(
        Classes.of(*names), Masks.encode(np.array(masks)), ids, np.arange(1, count + 1), **columns
    )
    return SegmentTable(label, Sample("x", image, label))


def block(y0, x0, y1, x1, size=(40, 60)):
    mask = np.zeros(size, np.bool_)
    mask[y0:y1, x0:x1] = True
    return mask


@settings(max_examples=50, deadline=None)
@given(stacks)
def test_a_gap_is_what_lies_between_the_nearest_pixels(stack):
    found = relations.gap_px(table(*stack))
    for row, mask in enumerate(stack):
        others = [
            cdist(np.argwhere(mask), np.argwhere(each)).min()
            for i, each in enumerate(stack)
            if i != row and each.any() and mask.any()
        ]
        if not others:
            assert np.isnan(found[row])
        else:
            assert found[row] == pytest.approx(max(min(others) - 1, 0))


def test_a_gap_is_to_a_segment_of_the_same_class_and_not_to_one_far_away():
    masks = (block(0, 0, 5, 5), block(0, 8, 5, 12), block(0, 15, 5, 20))
    assert relations.gap_px(table(*masks, names=("a", "b"), class_id=(0, 1, 0))).tolist()[::2] == [10, 10]
    assert np.isnan(relations.gap_px(table(*masks, names=("a", "b"), class_id=(0, 1, 0)))[1])
    far = table(block(0, 0, 5, 5, (10, 99)), block(0, 90, 5, 99, (10, 99)))
    assert np.isnan(relations.gap_px(far)).all()


def test_what_is_seen_of_a_pair_may_lie_apart():
    behind, other, front = block(0, 0, 5, 20), block(0, 18, 5, 40), block(0, 16, 5, 22)
    pairs = PairTable.of(table(behind, other, front))
    gaps = dict(zip(zip(pairs.a.tolist(), pairs.b.tolist()), relations.gap_px_(pairs)))
    assert gaps[0, 2] == gaps[2, 1] == 0 and gaps[0, 1] == gaps[1, 0] == 6


def test_outlines_of_copies_agree_and_those_of_what_merely_overlaps_do_not():
    copy = PairTable.of(table(block(5, 5, 30, 30), block(5, 5, 30, 30)))
    inside = PairTable.of(table(block(2, 2, 38, 50), block(12, 12, 28, 40)))
    assert relations.boundary_iou(copy).tolist() == [1, 1]
    assert relations.boundary_iou(inside).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("other", "name", "matrix"),
    [
        (block(5, 5, 25, 25), "equals", "TFFFTFFFT"),
        (block(10, 10, 18, 18), "contains", "TTTFFTFFT"),
        (block(0, 0, 38, 50), "within", "TFFTFFTTT"),
        (block(5, 15, 25, 40), "overlaps", "TTTTTTTTT"),
    ],
)
def test_a_relation_has_its_name_and_its_nine_intersections(other, name, matrix):
    pairs = PairTable.of(table(block(5, 5, 25, 25), other))
    assert relations.relation(pairs, 1.0)[0] == name
    assert relations.relate(pairs, 1.0)[0] == matrix
    turned = np.array(list(matrix)).reshape(3, 3).T.ravel()
    assert relations.relate(pairs, 1.0)[1] == "".join(turned)


def test_neighbours_touch_and_a_pixel_over_the_line_is_tolerated():
    pairs = PairTable.of(table(block(5, 5, 25, 25), block(5, 25, 25, 40)))
    assert relations.relation(pairs, 1.0).tolist() == ["touches", "touches"]
    over = PairTable.of(table(block(5, 5, 25, 26), block(5, 25, 25, 40)))
    assert relations.relation(over, 1.0).tolist() == ["touches", "touches"]
    assert len(relations.relate(PairTable.of(table(block(0, 0, 3, 3))), 1.0)) == 0


def test_a_square_has_four_corners_and_a_disc_has_more():
    rows, columns = np.ogrid[:40, :60]
    disc = (rows - 20) ** 2 + (columns - 30) ** 2 <= 15**2
    square, round_ = outline_form.vertex_density(table(block(5, 5, 30, 30), disc))
    assert square == pytest.approx(100 * 4 / 100)
    assert round_ > 1.5 * square


def test_an_outline_meets_itself_where_pixels_share_a_corner_alone():
    corner = block(5, 5, 10, 10) | block(10, 10, 20, 20)
    ring = block(5, 5, 30, 30) & ~block(10, 10, 20, 20) & ~block(20, 20, 25, 25)
    met = outline_form.self_intersects(
        table(corner, ring, block(5, 5, 10, 10) | block(10, 8, 20, 20), np.zeros((40, 60), np.bool_))
    )
    assert met.tolist() == [1, 1, 0, 0]


@given(arrays(np.bool_, (7, 9)))
@settings(max_examples=60)
def test_an_outline_meets_itself_as_often_as_four_pixels_make_a_chequerboard(mask):
    square = [mask[:-1, :-1], mask[:-1, 1:], mask[1:, :-1], mask[1:, 1:]]
    board = (square[0] == square[3]) & (square[1] == square[2]) & (square[0] != square[1])
    wide = np.zeros((40, 60), np.bool_)
    wide[4:11, 5:14] = mask
    assert outline_form.self_intersects(table(wide)).tolist() == [board.sum()]


def test_the_thinnest_place_of_a_dumbbell_is_its_neck():
    dumbbell = block(5, 5, 25, 20) | block(13, 20, 18, 40) | block(5, 40, 25, 55)
    bar, neck, line, none = outline_form.min_thickness(
        table(block(5, 5, 15, 50), dumbbell, block(3, 3, 4, 30), np.zeros((40, 60), np.bool_))
    )
    assert (line, none) == (1, 0)
    assert 4 <= neck <= 6 < 9 <= bar <= 11


def test_a_half_disc_was_erased_and_the_bend_of_two_lines_was_not():
    rows, columns = np.ogrid[:40, :60]
    whole = block(10, 5, 35, 55)
    disc = (rows - 10) ** 2 + (columns - 30) ** 2 <= 6**2
    bitten, bent = erased.erased(table(whole & ~disc, whole & ~block(10, 30, 16, 36)), 20.0)
    assert bitten > 0.9 > 0.7 > bent
    shown = erased.erased_region(table(whole & ~disc), 0, 20.0).decode()[0]
    assert (shown & disc & whole).sum() >= 0.75 * (disc & whole).sum()
    assert not (shown & whole & ~disc).any()


def test_a_bite_in_the_colour_of_the_mask_is_likelier_than_a_bay_of_the_background():
    rows, columns = np.ogrid[:40, :60]
    whole = block(10, 5, 35, 55)
    disc = (rows - 10) ** 2 + (columns - 30) ** 2 <= 6**2
    image = np.full((40, 60, 3), 40, np.uint8)
    image[whole] = 200
    blind = erased.erased(table(whole & ~disc), 20.0)[0]
    assert erased.erased(table(whole & ~disc, image=image), 20.0)[0] > blind + 0.25
    image[disc] = 40
    assert erased.erased(table(whole & ~disc, image=image), 20.0)[0] < blind - 0.25


def test_a_bite_is_found_where_the_mask_lies_on_another_one():
    rows, columns = np.ogrid[:40, :60]
    whole = block(10, 5, 35, 55)
    disc = (rows - 10) ** 2 + (columns - 30) ** 2 <= 6**2
    assert erased.erased(table(block(0, 0, 40, 60), whole & ~disc), 20.0)[1] > 0.9


def test_a_tongue_that_looks_like_both_its_sides_is_a_slip_and_a_leg_is_none():
    body, leg = block(5, 20, 15, 40), block(15, 30, 35, 31)
    image = np.full((40, 60, 3), 40, np.uint8)
    image[body] = 200
    assert slips.slip_px(table(body | leg, image=image), 2.0)[0] == pytest.approx(19, abs=2)
    assert slips.slip_px_region(table(body | leg, image=image), 0, 2.0).area()[0] == pytest.approx(19, abs=2)
    image[leg] = 200
    assert slips.slip_px(table(body | leg, image=image), 2.0)[0] == 0
    with pytest.raises(UnknownError):
        slips.slip_px(table(body | leg), 2.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_a_hand_is_told_by_the_rank_sum(seed):
    random = np.random.default_rng(seed)
    values = np.concatenate([random.integers(0, 9, 40), random.integers(4, 13, 30)]).astype(np.float64)
    people = np.array(["ann"] * 40 + ["bob"] * 30, np.object_)
    classes = Classes.of("cell")
    one = Gathered.of(
        Sample("x", None, table(*[block(0, 0, 3, 3)] * 70).segmentation),
        classes,
        {"area_px": values, "annotator": people},
    )
    found = annotators.hand_z(
        DatasetTable.empty(classes).__class__(classes, *np.zeros((3, 1), np.int64), 1, one), "area_px"
    )
    sure = mannwhitneyu(values[:40], values[40:], use_continuity=False, method="asymptotic")
    from scipy.stats import norm

    assert found[0] == pytest.approx(norm.isf(sure.pvalue / 2), rel=1e-6)


def test_a_person_who_draws_too_wide_is_named():
    random = np.random.default_rng(4)
    samples = []
    for number in range(30):
        masks = []
        for y in (2, 22):
            for x in (2, 22, 42):
                side = int(random.integers(8, 11)) + 4 * (number % 3 == 1)
                masks.append(block(y, x, y + side, x + side))
        tags = tuple(frozenset({f"annotator={('ann', 'bob', 'eve')[number % 3]}"}) for _ in masks)
        samples.append(Sample(str(number), None, table(*masks, tags=tags).segmentation))
    found = [each for each in check(Dataset.of(samples), packs=["dataset"]) if each.rule == "annotator-size"]
    assert len(found) == 1 and found[0].message.startswith("bob ")


@settings(max_examples=40, deadline=None)
@given(arrays(np.bool_, (9, 12)), st.integers(0, 2**32 - 1))
def test_the_colour_beside_a_place_is_the_mean_of_a_window_to_the_bit(of, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 12, 3)).astype(np.float64)
    at = np.argwhere(np.ones((9, 12)))
    for (y, x), mean in zip(at, slips._means_near(pixels, of, at)):
        window = (slice(max(y - slips.FLANK, 0), y + slips.FLANK + 1), slice(max(x - slips.FLANK, 0), x + 4))
        near = pixels[window][of[window]]
        assert np.array_equal(mean, near.mean(axis=0)) if len(near) else np.isnan(mean).all()
