from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import Classes, InlayError, Masks, Segmentation, SegmentClass
from inlay.metrics import panoptic_quality
from inlay.metrics.parts.agreement import agreement, compare_people
from inlay.metrics.parts.consensus import majority, staple

CLASSES = Classes((SegmentClass("road", "stuff"), SegmentClass("car"), SegmentClass("bus")))


def scene(rng: np.random.Generator, like: np.ndarray | None = None) -> tuple[np.ndarray, Segmentation]:
    ids = rng.integers(-1, 4, (5, 6)).repeat(4, axis=0).repeat(5, axis=1)
    if like is not None:
        ids = np.where(np.random.default_rng(rng.integers(1 << 30)).random(ids.shape) < 0.8, like, ids)
    return ids, Segmentation(CLASSES, Masks.from_ids(ids, 4), [0, 1, 1, 2], [0, 1, 2, 3])


@settings(max_examples=many(100), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_agreement_is_the_same_with_the_two_exchanged(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids, one = scene(rng)
    _, other = scene(rng, ids)
    there, back = (agreement([compare_people(*pair)], 3) for pair in ((one, other), (other, one)))
    assert there.pq == pytest.approx(back.pq, nan_ok=True)
    assert there.boundary_iou == pytest.approx(back.boundary_iou, nan_ok=True)
    assert np.array_equal(there.confusion, back.confusion)
    assert np.array_equal(there.confusion, there.confusion.T)


@settings(max_examples=many(100), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_where_all_is_drawn_pq_is_panoptic_quality(seed: int) -> None:
    """With one person as the truth; no void, no crowds, and classes as the segments that match have them."""
    rng = np.random.default_rng(seed)
    ids, one = scene(rng)
    one = Segmentation(CLASSES, Masks.from_ids(np.maximum(ids, 0), 4), [0, 1, 1, 2], [0, 1, 2, 3])
    mine = np.maximum(scene(rng, ids)[0], 0)
    other = Segmentation(CLASSES, Masks.from_ids(mine, 4), [0, 1, 1, 2], [0, 1, 2, 3])
    shown = [each[each.masks.area() > 0] for each in (one, other)]
    found = agreement([compare_people(*shown)], 3)
    figures = panoptic_quality.score([panoptic_quality.count(*shown)], CLASSES)
    assert (found.pq, found.sq, found.rq) == pytest.approx(tuple(figures[n] for n in ("PQ", "SQ", "RQ")))


def test_one_segment_of_two_names_is_confused_and_lowers_rq_alone() -> None:
    ids = np.zeros((4, 4), int)
    car = Segmentation(CLASSES, Masks.from_ids(ids, 1), [1], [1])
    found = agreement([compare_people(car, car.replace(class_id=[2]))], 3)
    assert found.iou == found.boundary_iou == 1.0
    assert found.rq == 0.0
    assert found.confusion[1, 2] == found.confusion[2, 1] == 1


def test_nothing_drawn_is_no_agreement_and_no_disagreement() -> None:
    empty = Segmentation.empty(CLASSES, (4, 4))
    assert math.isnan(agreement([compare_people(empty, empty)], 3).pq)


def column(*values: int) -> Segmentation:
    return Segmentation.from_semantic(np.array([values]), CLASSES)


def test_the_majority_has_the_pixels_that_more_than_half_give() -> None:
    people = [column(1, 1, 1, 1, -1, -1), column(1, 1, 1, -1, -1, -1), column(-1, 1, 1, 1, 1, -1)]
    assert majority(people).semantic(void=9).tolist() == [[1, 1, 1, 1, 9, 9]]


def test_a_segment_that_one_of_three_drew_is_gone() -> None:
    people = [column(1, 1, 1, 2, 2), column(1, 1, 1, -1, -1), column(1, 1, 1, -1, -1)]
    assert majority(people).semantic(void=9).tolist() == [[1, 1, 1, 9, 9]]
    assert len(majority([Segmentation.empty(CLASSES, (2, 2))] * 3)) == 0


def test_touching_instances_of_a_class_stay_apart() -> None:
    ids = np.repeat([0, 1], 5)[None]
    two = Segmentation(CLASSES, Masks.from_ids(ids, 2), [1, 1], [1, 2])
    assert majority([two, two, two[1:]]).masks.area().tolist() == [5, 5]


def plain_staple(maps: np.ndarray, rounds: int) -> np.ndarray:
    """Two labels, pixel by pixel: sensitivity p and specificity q of each person (the paper's section II)."""
    p, q = np.full(len(maps), 0.9), np.full(len(maps), 0.9)
    prior = maps.mean()
    for _ in range(rounds):
        yes = prior * np.prod(np.where(maps == 1, p[:, None], 1 - p[:, None]), axis=0)
        no = (1 - prior) * np.prod(np.where(maps == 0, q[:, None], 1 - q[:, None]), axis=0)
        weight = yes / (yes + no)
        p = (maps * weight).sum(axis=1) / weight.sum()
        q = ((1 - maps) * (1 - weight)).sum(axis=1) / (1 - weight).sum()
    return weight


def test_staple_is_the_papers_expectation_maximisation() -> None:
    rng = np.random.default_rng(2)
    truth = rng.random(4000) < 0.4
    noise = np.array([0.05, 0.1, 0.35])[:, None]
    maps = (truth ^ (rng.random((3, 4000)) < noise)).astype(int)
    two = Classes.of("cell", kind="stuff")
    people = [Segmentation.from_semantic(np.where(each, 0, -1)[None], two) for each in maps]
    found = staple(people)
    open_pixels = (maps != maps[0]).any(axis=0)
    weight = plain_staple(maps[:, open_pixels], 100)
    sure = np.abs(weight - 0.5) > 1e-3
    mine = found.segmentation.semantic(void=9)[0] == 0
    assert np.array_equal(mine[open_pixels][sure], weight[sure] > 0.5)
    assert found.certainty[0][open_pixels] == pytest.approx(np.maximum(weight, 1 - weight), abs=1e-3)


def test_staple_believes_the_two_who_agree_more_than_a_majority_of_the_careless() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 3, (60, 60))
    good = [
        np.where(rng.random(truth.shape) < 0.03, rng.integers(0, 3, truth.shape), truth) for _ in range(2)
    ]
    bad = [np.where(rng.random(truth.shape) < 0.8, rng.integers(0, 3, truth.shape), truth) for _ in range(3)]
    found = staple([Segmentation.from_semantic(ids, CLASSES) for ids in (*good, *bad)])
    right = (found.segmentation.semantic() == truth).mean()
    assert right > max((ids == truth).mean() for ids in good) - 0.002
    reliable = [np.diag(found.reliability[r])[:3].mean() for r in range(5)]
    assert min(reliable[:2]) > max(reliable[2:])


@pytest.mark.parametrize("join", [majority, staple])
def test_people_who_all_say_the_same_get_it_back(join) -> None:
    _, one = scene(np.random.default_rng(1))
    found = join([one, one, one])
    found = found if isinstance(found, Segmentation) else found.segmentation
    assert np.array_equal(found.semantic(), one.semantic())
    with pytest.raises(InlayError, match="of nobody"):
        join([])
