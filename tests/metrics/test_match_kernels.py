"""Each kernel equals its plain twin: the rule written out, one number at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay.core import kernels
from inlay.metrics.parts.ranking import IOUS, RECALLS

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.booleans())
@settings(max_examples=many(300), deadline=None)
def test_pairs_count_each_pair_of_values(seed: int, many: bool) -> None:
    rng = np.random.default_rng(seed)
    n, m = (700, 600) if many else (4, 5)  # a table of 700 x 600 is sorted, not tabulated
    a = rng.integers(-1, 6, (9, 7)).repeat(3, axis=1).astype(np.int32)
    b = rng.integers(-1, 6, (9, 21)).astype(np.int32)
    found = dict(
        zip(zip(*(column.tolist() for column in kernels.pairs(a, b, n, m)[:2])), kernels.pairs(a, b, n, m)[2])
    )
    expected: dict[tuple[int, int], int] = {}
    for x, y in zip(a.ravel().tolist(), b.ravel().tolist()):
        if 0 <= x < n and 0 <= y < m:
            expected[x, y] = expected.get((x, y), 0) + 1
    assert found == expected
    assert list(found) == sorted(found)


def test_pairs_of_maps_of_two_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        kernels.pairs(np.zeros((2, 3), np.int32), np.zeros((3, 2), np.int32), 1, 1)


@given(seeds)
@settings(max_examples=many(300), deadline=None)
def test_box_iou_is_shared_area_over_union(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (rng.uniform(0, 10, (n, 4)).round(1) for n in (3, 4))
    crowd = rng.random(4) < 0.3
    found = kernels.box_iou(a, b, crowd.view(np.uint8))
    for i, (x, y, w, h) in enumerate(a):
        for j, (u, v, p, q) in enumerate(b):
            wide, high = min(x + w, u + p) - max(x, u), min(y + h, v + q) - max(y, v)
            shared = wide * high if wide > 0 and high > 0 else 0.0
            union = w * h if crowd[j] else w * h + p * q - shared
            assert found[i, j] == (shared / union if shared else 0.0)


def plain_match(iou, mine, theirs, crowd, ignored, outside, thresholds):
    """COCO's matching, as pycocotools' documentation tells it."""
    hit, miss = (np.zeros(outside.shape, np.uint16) for _ in range(2))
    for a, ignore in enumerate(ignored):
        order = sorted(range(len(theirs)), key=lambda g: bool(ignore[g]))
        for t, limit in enumerate(thresholds):
            taken: set[int] = set()
            for d in range(len(mine)):
                best, best_iou = None, min(limit, 1 - 1e-10)
                for g in order:
                    if theirs[g] != mine[d] or (g in taken and not crowd[g]):
                        continue
                    if best is not None and not ignore[best] and ignore[g]:
                        break
                    if iou[d, g] >= best_iou:
                        best, best_iou = g, iou[d, g]
                if best is None:
                    miss[a, d] |= np.uint16(0 if outside[a, d] else 1 << t)
                else:
                    taken.add(best)
                    hit[a, d] |= np.uint16(0 if ignore[best] else 1 << t)
    return hit, miss


@given(seeds)
@settings(max_examples=many(300), deadline=None)
def test_match_gives_each_prediction_its_best_free_truth(seed: int) -> None:
    rng = np.random.default_rng(seed)
    predictions, truths, areas = int(rng.integers(0, 9)), int(rng.integers(0, 7)), 3
    iou = rng.choice([0.0, 0.3, 0.5, 0.55, 0.75, 0.95, 1.0], (predictions, truths))
    mine, theirs = (rng.integers(0, 2, n).astype(np.int32) for n in (predictions, truths))
    crowd = rng.random(truths) < 0.3
    ignored = crowd | (rng.random((areas, truths)) < 0.3)
    outside = rng.random((areas, predictions)) < 0.3
    found = kernels.match(
        iou, mine, theirs, crowd.view(np.uint8), ignored.view(np.uint8), outside.view(np.uint8), IOUS
    )
    for ours, plain in zip(found, plain_match(iou, mine, theirs, crowd, ignored, outside, IOUS)):
        assert np.array_equal(ours, plain)


def plain_precision(hit, miss, rank, limit, positives):
    """Precision at each recall threshold and final recall, with numpy's cumulative sums."""
    chosen = rank < limit
    right, wrong = np.cumsum(hit[chosen]).astype(float), np.cumsum(miss[chosen]).astype(float)
    if not len(right):
        return np.zeros(len(RECALLS)), 0.0
    recall = right / positives
    precision = np.maximum.accumulate((right / (wrong + right + np.spacing(1)))[::-1])[::-1]
    places = np.searchsorted(recall, RECALLS, side="left")
    return np.append(precision, 0.0)[places], recall[-1]


@given(seeds)
@settings(max_examples=many(300), deadline=None)
def test_precision_over_recall_equals_the_cumulative_sums(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups, thresholds, total = 3, 4, int(rng.integers(0, 40))
    offsets = np.concatenate([[0], np.sort(rng.integers(0, total + 1, groups - 1)), [total]])
    hit = rng.integers(0, 16, (2, total)).astype(np.uint16)
    miss = rng.integers(0, 16, (2, total)).astype(np.uint16) & ~hit
    rank = rng.integers(0, 12, total).astype(np.int32)
    area_of, limits = np.array([0, 1, 0], np.int32), np.array([100, 100, 5], np.int32)
    positives = rng.integers(0, 30, (groups, 3))
    positives[positives > 0] += total  # more truths than hits, as always
    table, recall = kernels.precision_recall(
        offsets, hit, miss, rank, area_of, limits, positives, RECALLS, thresholds
    )
    mean, same = kernels.mean_precision(
        offsets,
        hit,
        miss,
        rank,
        area_of,
        limits,
        positives[None],
        RECALLS,
        thresholds,
        np.zeros(total, np.int32),
        np.ones((1, 1), np.int32),
    )
    assert np.array_equal(same[0], recall)
    np.testing.assert_allclose(mean[0], table.mean(axis=1), rtol=0, atol=1e-14)
    for k in range(groups):
        rows = slice(offsets[k], offsets[k + 1])
        for c, (area, limit) in enumerate(zip(area_of, limits)):
            for t in range(thresholds):
                bits = (hit[area, rows] >> t & 1, miss[area, rows] >> t & 1)
                if positives[k, c] == 0:
                    assert (table[t, :, k, c] == -1).all()
                    continue
                expected, last = plain_precision(*bits, rank[rows], limit, positives[k, c])
                assert np.array_equal(table[t, :, k, c], expected)
                assert recall[t, k, c] == last


@given(seeds, st.integers(1, 4), st.sampled_from([1, 3]))
@settings(max_examples=many(300), deadline=None)
def test_places_in_groups_are_those_of_a_stable_sort(seed: int, groups: int, threads: int) -> None:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, 40).astype(np.int32)
    value = rng.choice([0.0, 0.25, 0.5, 1.0, np.inf, -np.inf], 40)
    order, offsets = kernels.rank_in_groups(group, value, groups, threads)
    assert offsets.tolist() == [0, *np.cumsum(np.bincount(group, minlength=groups))]
    assert order.tolist() == sorted(range(40), key=lambda i: (group[i], -value[i]))


def plain_explain(iou, mine, theirs, crowd, order, enough, touching):
    """What became of each prediction, told in the words of the kinds."""
    right, confused, duplicate, inexact, background, on_crowd = range(6)
    kind, partner, taken = np.full(len(mine), -1), np.full(len(mine), -1), set()
    for d in order.tolist():
        apart = [g for g in range(len(theirs)) if not crowd[g]]
        near = [g for g in apart if iou[d, g] >= enough]
        free = [(theirs[g] != mine[d], -iou[d, g], g) for g in near if g not in taken]
        if free:
            of_another, _, best = min(free)
            kind[d], partner[d] = confused if of_another else right, best
            taken.add(best)
        elif any(iou[d, g] >= enough for g in range(len(theirs)) if crowd[g]):
            kind[d] = on_crowd
        elif near:
            kind[d] = duplicate
        else:
            kind[d] = inexact if any(iou[d, g] >= touching for g in apart) else background
    return kind, partner


@given(seeds)
@settings(max_examples=many(300), deadline=None)
def test_each_prediction_is_explained_by_the_truth_it_took(seed: int) -> None:
    rng = np.random.default_rng(seed)
    predictions, truths = int(rng.integers(0, 9)), int(rng.integers(0, 7))
    iou = rng.choice([0.0, 0.05, 0.1, 0.3, 0.5, 0.75, 1.0], (predictions, truths))
    mine, theirs = (rng.integers(0, 2, n).astype(np.int32) for n in (predictions, truths))
    crowd, order = rng.random(truths) < 0.3, rng.permutation(predictions)
    found = kernels.explain(iou, mine, theirs, crowd.view(np.uint8), order, 0.5, 0.1)
    for ours, plain in zip(found, plain_explain(iou, mine, theirs, crowd, order, 0.5, 0.1)):
        assert np.array_equal(ours, plain)
