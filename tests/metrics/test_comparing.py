from __future__ import annotations

import numpy as np
import pytest

from inlay import Classes, Dataset, Sample, Segmentation
from inlay.metrics import compare, score

CLASSES = Classes.of("road", "car", kind="stuff")


def data(count: int, wrong: float, *, seed: int) -> Dataset:
    """Maps of which images are wrong by shares that differ widely from image to image."""
    samples = []
    for i in range(count):
        rng = np.random.default_rng(i)
        ids = rng.integers(0, 2, (20, 20))
        share = wrong * rng.random()
        slip = np.random.default_rng([seed, i]).random(ids.shape) < share
        samples.append(
            Sample(str(i), None, Segmentation.from_semantic(np.where(slip, 1 - ids, ids), CLASSES))
        )
    return Dataset.of(samples, CLASSES)


TRUTH = data(30, 0.0, seed=0)


def test_a_small_advantage_on_every_image_is_certain_though_the_intervals_overlap() -> None:
    first, second = data(30, 0.6, seed=1), data(30, 0.54, seed=2)
    found = compare(TRUTH, first, second, ["iou"])
    a, b = (score(TRUTH, each, ["iou"]) for each in (first, second))
    assert found.difference["mIoU"] == pytest.approx(b["mIoU"] - a["mIoU"])
    assert a.intervals["mIoU"][1] > b.intervals["mIoU"][0]
    assert found.is_certain("mIoU")
    assert found.intervals["mIoU"][0] > 0
    assert "certain" in str(found)


def test_a_prediction_does_not_differ_from_itself() -> None:
    one = data(12, 0.4, seed=1)
    found = compare(TRUTH.only(one.names), one, one)
    assert found.difference["mIoU"] == 0.0
    assert found.intervals["mIoU"] == (0.0, 0.0)
    assert not found.is_certain("mIoU")
    assert {"IoU/car", "mIoU"} <= found.difference.keys()


def test_the_interval_turns_its_sign_with_the_order() -> None:
    first, second = data(10, 0.5, seed=1), data(10, 0.3, seed=2)
    truth = TRUTH.only(first.names)
    there, back = compare(truth, first, second, ["iou"]), compare(truth, second, first, ["iou"])
    low, high = there.intervals["mIoU"]
    assert back.intervals["mIoU"] == pytest.approx((-high, -low))
