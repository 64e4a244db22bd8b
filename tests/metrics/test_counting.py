from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import Classes, Dataset, Masks, Sample, Segmentation, score
from inlay.metrics import counting

CLASSES = Classes.of("cat", "dog")


def things(cats: int, dogs: int, **more: object) -> Segmentation:
    number = cats + dogs
    ids = np.arange(16).reshape(4, 4) % max(number, 1)
    return Segmentation(
        CLASSES,
        Masks.from_ids(ids if number else ids - 99, number),
        [0] * cats + [1] * dogs,
        range(1, number + 1),
        **more,
    )


@settings(max_examples=many(300), deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 4)] * 4), min_size=1, max_size=5))
def test_errors_of_each_class_and_of_all_are_those_of_the_definitions(numbers: list[tuple[int, ...]]) -> None:
    counts = [counting.count(things(a, b), things(c, d)) for a, b, c, d in numbers]
    figures = counting.score(counts, CLASSES)
    table = np.array(numbers).reshape(-1, 2, 2)
    for name, error in (
        ("/cat", table[:, 1, 0] - table[:, 0, 0]),
        ("/dog", table[:, 1, 1] - table[:, 0, 1]),
        ("", (table[:, 1] - table[:, 0]).sum(axis=1)),
    ):
        assert figures["count_MAE" + name] == pytest.approx(np.abs(error).mean())
        assert figures["count_RMSE" + name] == pytest.approx(np.sqrt((error**2).mean()))
        assert figures["count_bias" + name] == pytest.approx(error.mean())
    most = np.maximum(table[:, 0], table[:, 1]).sum()
    agreed = np.minimum(table[:, 0], table[:, 1]).sum()
    assert math.isnan(figures["count_accuracy"]) if most == 0 else figures["count_accuracy"] == agreed / most


def test_a_crowd_is_not_counted() -> None:
    figures = counting.score(
        [counting.count(things(2, 1, crowd=[True, False, False]), things(9, 1))], CLASSES
    )
    assert math.isnan(figures["count_MAE/cat"])
    assert figures["count_MAE"] == figures["count_MAE/dog"] == 0.0


def test_unsure_predictions_are_not_counted() -> None:
    counts = counting.count(things(1, 0), things(3, 0, score=[0.9, 0.5, 0.2]))
    assert counts.prediction.tolist() == [2, 0]


def test_a_bias_of_minus_one_is_a_figure_and_has_a_unit() -> None:
    truth = Dataset.of([Sample(str(i), None, things(3, 0)) for i in range(6)])
    result = score(truth, truth.map(lambda s: s.replace(segmentation=s.label()[:2])), ["counting"])
    assert result["count_bias"] == -1.0
    assert result.intervals["count_bias"] == (-1.0, -1.0)
    assert "count_bias" in result.units
    assert any(line.split()[:2] == ["count_bias", "-1"] for line in str(result).splitlines())
