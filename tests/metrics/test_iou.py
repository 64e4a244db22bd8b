from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import Classes, Masks, Segmentation, SegmentClass
from inlay.metrics import iou

CLASSES = Classes(
    (
        SegmentClass("road", "stuff"),
        SegmentClass("car"),
        SegmentClass("ego vehicle", "void"),
        SegmentClass("sky", "stuff"),
        SegmentClass("train"),
    )
)
VOID, NOBODY = 2, -1


def segmentation(ids: np.ndarray) -> Segmentation:
    return Segmentation.from_semantic(ids, CLASSES)


def cityscapes_figures(truths: list[np.ndarray], predictions: list[np.ndarray]) -> dict[str, float]:
    """The definition, pixel by pixel: void and unlabelled truth leaves, all else is judged."""
    judged = [row for row in range(len(CLASSES)) if row != VOID]
    pairs = [
        (int(t), int(p))
        for truth, prediction in zip(truths, predictions)
        for t, p in zip(truth.ravel(), prediction.ravel())
        if t in judged
    ]
    figures: dict[str, float] = {}
    seen, accuracies, dices, weighted = [], [], [], 0.0
    for row in judged:
        tp = sum(t == p == row for t, p in pairs)
        fn = sum(t == row != p for t, p in pairs)
        fp = sum(p == row != t for t, p in pairs)
        if tp + fp + fn:
            seen.append(tp / (tp + fp + fn))
            dices.append(2 * tp / (2 * tp + fp + fn))
            weighted += (tp + fn) * seen[-1]
        if tp + fn:
            accuracies.append(tp / (tp + fn))
        figures[f"IoU/{CLASSES.names[row]}"] = tp / (tp + fp + fn) if tp + fp + fn else math.nan
    mean = lambda values: sum(values) / len(values) if values else math.nan  # noqa: E731
    figures |= {"mIoU": mean(seen), "class_accuracy": mean(accuracies), "Dice": mean(dices)}
    figures["pixel_accuracy"] = sum(t == p for t, p in pairs) / len(pairs) if pairs else math.nan
    figures["fwIoU"] = weighted / len(pairs) if pairs else math.nan
    return figures


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=many(300), deadline=None)
def test_figures_equal_the_definition_of_cityscapes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(NOBODY, len(CLASSES), 4)
    truths, predictions = (list(rng.choice(values, (3, 6, 7))) for _ in range(2))
    counts = [iou.count(segmentation(t), segmentation(p)) for t, p in zip(truths, predictions)]
    found = iou.score(counts, CLASSES)
    for name, value in cityscapes_figures(truths, predictions).items():
        assert found[name] == pytest.approx(value, abs=1e-12, nan_ok=True)


def test_a_class_of_neither_side_leaves_the_mean() -> None:
    ids = np.zeros((4, 4), int)
    figures = iou.score([iou.count(segmentation(ids), segmentation(ids))], CLASSES)
    assert figures["mIoU"] == 1.0
    assert math.isnan(figures["IoU/sky"])
    assert "IoU/ego vehicle" not in figures


@pytest.mark.parametrize("predicted", [VOID, NOBODY])
def test_no_prediction_on_a_labelled_pixel_is_a_false_negative(predicted: int) -> None:
    truth, prediction = np.zeros((2, 4), int), np.zeros((2, 4), int)
    prediction[0] = predicted
    counts = iou.count(segmentation(truth), segmentation(prediction))
    assert iou.score([counts], CLASSES)["IoU/road"] == 0.5
    assert iou.details([counts], CLASSES).confusion["pixels"][0].tolist() == [4, 0, 0, 0, 0, 4]


@pytest.mark.parametrize("drawn", [VOID, NOBODY])
def test_unlabelled_and_void_truth_is_not_judged_and_said_to_be_left_out(drawn: int) -> None:
    truth, prediction = np.zeros((2, 4), int), np.ones((2, 4), int)
    truth[0], prediction[1] = drawn, 0
    counts = iou.count(segmentation(truth), segmentation(prediction))
    assert iou.score([counts], CLASSES)["mIoU"] == 1.0
    assert iou.details([counts], CLASSES).remarks[0].startswith("50.0% of the pixels")


def test_without_stuff_what_nobody_drew_is_background() -> None:
    things = Classes((SegmentClass("cell"), SegmentClass("dirt", "void")))
    truth = Segmentation.from_semantic(np.array([[0, 0, -1, -1, 1]]), things)
    prediction = Segmentation.from_semantic(np.array([[0, 0, 0, -1, 0]]), things)
    counts = iou.count(truth, prediction)
    figures = iou.score([counts], things)
    assert figures["IoU/cell"] == 2 / 3
    assert figures["pixel_accuracy"] == 3 / 4
    assert iou.details([counts], things).confusion["pixels"].tolist() == [[2, 0, 0], [0, 0, 0], [1, 0, 1]]


def test_where_segments_overlap_the_front_one_is_judged() -> None:
    whole, half = np.ones((4, 4), bool), np.zeros((4, 4), bool)
    half[:2] = True
    stack = Segmentation(CLASSES, Masks.encode(np.stack([whole, half])), [0, 1], [0, 1])
    ids = np.zeros((4, 4), int)
    ids[:2] = 1
    assert iou.score([iou.count(segmentation(ids), stack)], CLASSES)["mIoU"] == 1.0


def test_nothing_judged_has_no_value() -> None:
    assert all(math.isnan(value) for value in iou.score([], CLASSES).values())
