"""Kinds of error: each in its place, and their shares sum to the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import Classes, Masks, Segmentation, SegmentClass
from inlay.metrics import average_precision, panoptic_quality
from inlay.metrics.parts.mistakes import KINDS, Mistakes

CELLS = Classes.of("cell", "dust")
STREET = Classes((SegmentClass("road", "stuff"), SegmentClass("car"), SegmentClass("bus")))
SIZE = (20, 40)


def boxes(places: list[tuple[int, int, int, int]], class_id: list[int], **more: Any) -> Segmentation:
    """Segments of x0, y0, x1, y1."""
    stack = np.zeros((len(places), *SIZE), bool)
    for mask, (x0, y0, x1, y1) in zip(stack, places):
        mask[y0:y1, x0:x1] = True
    return Segmentation(CELLS, Masks.encode(stack), class_id, range(1, len(places) + 1), **more)


def scored(places: list[tuple[int, int, int, int]], class_id: list[int]) -> Segmentation:
    return boxes(places, class_id, score=np.linspace(0.9, 0.5, len(places)))


def kinds_of(truth: Segmentation, prediction: Segmentation) -> tuple[list[str], list[str]]:
    mine, theirs = average_precision.count(truth, prediction).mistakes.at(0.0).kinds
    return [KINDS[k] if k >= 0 else "" for k in mine], [KINDS[k] if k >= 0 else "" for k in theirs]


def test_one_prediction_over_three_cells_merges_them() -> None:
    truth = boxes([(0, 0, 10, 10), (10, 0, 20, 10), (20, 0, 30, 10)], [0, 0, 0])
    assert kinds_of(truth, scored([(0, 0, 30, 10)], [0])) == (["merged"], ["merged"] * 3)


def test_a_merge_that_still_finds_the_larger_one_loses_the_smaller() -> None:
    truth = boxes([(0, 0, 16, 10), (16, 0, 20, 10)], [0, 0])
    assert kinds_of(truth, scored([(0, 0, 20, 10)], [0])) == ([""], ["", "merged"])


def test_two_predictions_in_one_cell_split_it() -> None:
    truth = boxes([(0, 0, 20, 10)], [0])
    halves = scored([(0, 0, 9, 10), (9, 0, 18, 10)], [0, 0])
    assert kinds_of(truth, halves) == (["split", "split"], ["split"])


def test_a_cell_of_another_class_is_no_part_of_a_merge_or_split() -> None:
    truth = boxes([(0, 0, 10, 10), (10, 0, 20, 10)], [0, 1])
    mine, theirs = kinds_of(truth, scored([(0, 0, 20, 10)], [0]))
    assert mine == [""]
    assert theirs == ["", "missed"]


@pytest.mark.parametrize(
    ("place", "class_id", "kind", "lost"),
    [
        ((0, 0, 10, 10), 1, "confused", "confused"),
        ((6, 0, 16, 10), 0, "localisation", "localisation"),
        ((20, 0, 30, 10), 0, "background", "missed"),
    ],
)
def test_a_single_error_has_its_kind(
    place: tuple[int, int, int, int], class_id: int, kind: str, lost: str
) -> None:
    assert kinds_of(boxes([(0, 0, 10, 10)], [0]), scored([place], [class_id])) == ([kind], [lost])


def test_a_second_prediction_of_a_found_cell_is_a_duplicate() -> None:
    twice = scored([(0, 0, 10, 10), (0, 0, 10, 9)], [0, 0])
    assert kinds_of(boxes([(0, 0, 10, 10)], [0]), twice) == (["", "duplicate"], [""])


def test_what_a_found_cell_lacks_is_the_boundary() -> None:
    truth, prediction = boxes([(0, 0, 10, 10)], [0]), scored([(0, 0, 10, 8)], [0])
    loss = average_precision.count(truth, prediction).mistakes.at(0.0).loss()
    assert loss == pytest.approx({name: 0.2 if name == "boundary" else 0.0 for name in KINDS})


def random_boxes(rng: np.random.Generator, *, prediction: bool) -> Segmentation:
    places = []
    for _ in range(rng.integers(0, 7)):
        x, y = int(rng.integers(0, 36)), int(rng.integers(0, 16))
        places.append((x, y, x + int(rng.integers(2, 14)), y + int(rng.integers(2, 10))))
    classes = rng.integers(0, 2, len(places)).tolist()
    more: dict[str, Any] = {"score": rng.choice([0.2, 0.5, 0.8], len(places))} if prediction else {}
    if not prediction:
        more["crowd"] = rng.random(len(places)) < 0.15
    return boxes(places, classes, **more)


def jittered(rng: np.random.Generator, truth: Segmentation) -> Segmentation:
    """The truth moved a little, beside predictions out of the blue."""
    moved = np.roll(truth.masks.decode(), rng.integers(-2, 3, 2), axis=(1, 2))
    near = truth.replace(masks=Masks.encode(moved), crowd=None, score=rng.choice([0.2, 0.5, 0.8], len(truth)))
    return Segmentation.concat([near, random_boxes(rng, prediction=True)])


def plain_loss(counts: list[Any], threshold: float) -> float:
    """1 - PQ, straight from the definition, of predictions that took truths greedily."""
    weight, iou = np.zeros(2), np.zeros(2)
    for each in counts:
        given: Mistakes = each.mistakes
        overlap = {(d, g): v for (d, g), v in zip(given.pair.T.tolist(), given.iou.tolist())}
        found = set()
        for d in range(len(given.score)):
            if given.score[d] < threshold or given.kind[d] == 5:  # on a crowd
                continue
            own = given.class_id[d]
            if given.kind[d] == 0:
                iou[own] += overlap[d, int(given.partner[d])]
                weight[own] += 1
                found.add(int(given.partner[d]))
            else:
                weight[own] += 0.5
        for g, own in enumerate(given.truth_class):
            if g not in found and not given.crowd[g]:
                weight[own] += 0.5
    known = weight > 0
    return float(np.mean(1 - iou[known] / weight[known])) if known.any() else 0.0


@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_kinds_of_error_of_a_detector_sum_to_its_loss(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truths = [random_boxes(rng, prediction=False) for _ in range(3)]
    counts = [average_precision.count(truth, jittered(rng, truth)) for truth in truths]
    mistakes = Mistakes.concat([each.mistakes for each in counts])
    for threshold in (0.0, 0.5, 0.9):
        loss = mistakes.at(threshold).loss()
        assert sum(loss.values()) == pytest.approx(plain_loss(counts, threshold), abs=1e-12)
        assert min(loss.values()) >= 0


def street(rng: np.random.Generator, like: Segmentation | None = None) -> Segmentation:
    ids = rng.integers(-1, 5, (5, 8)).repeat(4, axis=0).repeat(5, axis=1)
    if like is not None:
        old = like.panoptic() - 1
        ids = np.where(rng.random((5, 8)).repeat(4, axis=0).repeat(5, axis=1) < 0.6, old, ids)
    return Segmentation(STREET, Masks.from_ids(ids, 5), [0, 1, 1, 2, 2], [0, 1, 2, 3, 4])


@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_kinds_of_error_of_a_panoptic_prediction_sum_to_what_is_missing_to_pq_1(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truths = [street(rng) for _ in range(2)]
    counts = [panoptic_quality.count(truth, street(rng, truth)) for truth in truths]
    pq = panoptic_quality.score(counts, STREET)["PQ"]
    details = panoptic_quality.details(counts, STREET)
    assert sum(details.loss.values()) == pytest.approx(1 - pq, abs=1e-12)
    assert details.errors["right"] == sum(len(each.matched) for each in counts)
    false = sum(details.errors[name] for name in details.errors if name not in ("right", "missed"))
    assert false == sum(len(each.false) for each in counts)
