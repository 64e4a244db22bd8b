"""Every metric, whoever wrote it, is held to the contract of `plugins.Metric`."""

from __future__ import annotations

import dataclasses
import math
import pickle

import numpy as np
import pytest

from inlay import Classes, Dataset, Masks, Sample, Segmentation, SegmentClass, plugins
from inlay import score as score_datasets

CLASSES = Classes(
    (SegmentClass("road", "stuff"), SegmentClass("car"), SegmentClass("rig", "void"), SegmentClass("bus"))
)
METRICS = plugins.names("metrics")


def sample(rng: np.random.Generator, *, prediction: bool) -> Segmentation:
    """A partition of stuff, things, void and unlabelled pixels."""
    ids = rng.integers(-1, 4, (4, 4)).repeat(6, axis=0).repeat(6, axis=1)
    class_id = np.array([0, 1, 1, 3])
    return Segmentation(
        CLASSES,
        Masks.from_ids(ids, 4),
        class_id,
        np.where(CLASSES.is_thing[class_id], np.arange(1, 5), 0),
        score=rng.random(4) if prediction else None,
        crowd=None if prediction else [False, False, rng.random() < 0.3, False],
    )


@pytest.fixture(params=METRICS)
def metric(request: pytest.FixtureRequest):
    return plugins.load("metrics", request.param)


@pytest.fixture
def counts(metric):
    rng = np.random.default_rng(3)
    return [metric.count(sample(rng, prediction=False), sample(rng, prediction=True)) for _ in range(7)]


def same(one: dict[str, float], other: dict[str, float]) -> bool:
    return one.keys() == other.keys() and np.allclose(
        list(one.values()), list(other.values()), rtol=0, atol=1e-12, equal_nan=True
    )


def test_the_first_metrics_are_found() -> None:
    assert {"iou", "average_precision", "panoptic_quality"} <= set(METRICS)


def test_score_gives_named_floats_in_their_range(metric, counts) -> None:
    figures = metric.score(counts, CLASSES)
    assert figures
    for name, value in figures.items():
        assert isinstance(value, float), name
        figure, slash, class_name = name.partition("/")
        free = figure in getattr(metric, "UNITS", {})
        assert free or math.isnan(value) or value == -1 or 0 <= value <= 1 + 1e-12, name
        assert not slash or class_name in CLASSES.names, name


def test_score_takes_any_iterable(metric, counts) -> None:
    assert same(metric.score(iter(counts), CLASSES), metric.score(counts, CLASSES))


def test_score_of_nothing_has_no_values(metric) -> None:
    values = metric.score([], CLASSES).values()
    assert all(math.isnan(value) or value == -1 for value in values)


def test_counting_is_pure(metric) -> None:
    rng = np.random.default_rng(5)
    truth, prediction = sample(rng, prediction=False), sample(rng, prediction=True)
    kept = pickle.dumps((truth, prediction))
    first, second = (metric.score([metric.count(truth, prediction)], CLASSES) for _ in range(2))
    assert same(first, second)
    before = pickle.loads(kept)
    assert before[0].equals(truth)
    assert before[1].equals(prediction)


def test_counts_are_frozen_and_survive_pickling(metric, counts) -> None:
    assert dataclasses.is_dataclass(counts[0])
    assert type(counts[0]).__dataclass_params__.frozen
    sent = pickle.loads(pickle.dumps(counts))
    assert same(metric.score(sent, CLASSES), metric.score(counts, CLASSES))


def test_the_order_of_samples_does_not_matter(metric, counts) -> None:
    assert same(metric.score(counts[::-1], CLASSES), metric.score(counts, CLASSES))


def test_the_truth_itself_scores_full_marks(metric) -> None:
    rng = np.random.default_rng(4)
    truths = [sample(rng, prediction=False) for _ in range(4)]
    counts = [metric.count(truth, truth.replace(crowd=None)) for truth in truths]
    figures = metric.score(counts, CLASSES)
    main = next(iter(figures))
    assert figures[main] == pytest.approx(1.0)


def test_an_empty_prediction_scores_nothing(metric) -> None:
    truth = sample(np.random.default_rng(4), prediction=False)
    figures = metric.score([metric.count(truth, Segmentation.empty(CLASSES, truth.size))], CLASSES)
    assert figures[next(iter(figures))] == 0.0


def test_resampling_each_sample_once_is_the_score(metric, counts) -> None:
    if not hasattr(metric, "resampled"):
        pytest.skip("intervals come from scoring each draw")
    drawn = metric.resampled(counts, CLASSES, np.ones((2, len(counts)), np.int32))
    figures = metric.score(counts, CLASSES)
    for name, values in drawn.items():
        no_value = figures[name] == -1 and name.partition("/")[0] not in getattr(metric, "UNITS", {})
        known = math.nan if no_value else figures[name]
        assert values == pytest.approx([known] * 2, abs=1e-12, nan_ok=True), name


def test_details_speak_of_each_sample(metric, counts) -> None:
    if not hasattr(metric, "details"):
        pytest.skip("figures of each sample come from scoring it alone")
    details = metric.details(counts, CLASSES)
    assert next(iter(details.per_sample))
    assert all(values.shape == (len(counts),) for values in details.per_sample.values())
    assert all(share >= 0 for share in details.loss.values())
    assert sum(details.loss.values()) <= 1 + 1e-12
    for table in details.confusion.values():
        assert table.shape in ((len(CLASSES), len(CLASSES) + 1), (len(CLASSES) + 1, len(CLASSES) + 1))
    assert all(number >= 0 for number in details.errors.values())


def test_the_figures_of_a_unit_are_figures_of_the_metric(metric, counts) -> None:
    assert getattr(metric, "UNITS", {}).keys() <= metric.score(counts, CLASSES).keys()


def test_what_counts_like_another_tool_counts_for_the_same_score(metric) -> None:
    rng = np.random.default_rng(8)
    pairs = [(sample(rng, prediction=False), sample(rng, prediction=True)) for _ in range(3)]
    ours = metric.score([metric.count(*pair) for pair in pairs], CLASSES)
    for tool, count in getattr(metric, "LIKE", {}).items():
        assert metric.score([count(*pair) for pair in pairs], CLASSES).keys() == ours.keys(), tool


@pytest.mark.parametrize("name", METRICS)
def test_a_dataset_is_scored_by_its_name(name: str) -> None:
    rng = np.random.default_rng(6)
    truth = Dataset.of([Sample(str(i), None, sample(rng, prediction=False)) for i in range(6)], CLASSES)
    prediction = Dataset.of([Sample(str(i), None, sample(rng, prediction=True)) for i in range(6)], CLASSES)
    result = score_datasets(truth, prediction, [name])
    assert result.metrics == (name,)
    assert result.intervals
    assert result.to_json()
