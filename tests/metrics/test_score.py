from __future__ import annotations

import functools
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation, SegmentClass, plugins
from inlay.metrics import score, suitable
from inlay.metrics.parts import counting
from inlay.metrics.parts.intervals import draws_for, interval

SCENE = Classes((SegmentClass("road", "stuff"), SegmentClass("car"), SegmentClass("sky", "stuff")))
CELLS = Classes.of("cell")


def scene(rng: np.random.Generator, classes: Classes = SCENE) -> Segmentation:
    return Segmentation.from_semantic(rng.integers(0, 3, (4, 5)).repeat(4, axis=0), classes)


def scenes(count: int, *, seed: int = 0, name: str = "s{}") -> Dataset:
    rng = np.random.default_rng(seed)
    return Dataset.of([Sample(name.format(i), None, scene(rng)) for i in range(count)], SCENE)


def cells(rng: np.random.Generator, *, scores: bool) -> Segmentation:
    ids = rng.integers(-1, 4, (3, 3)).repeat(6, axis=0).repeat(6, axis=1)
    masks = Masks.from_ids(ids, 4)
    return Segmentation(CELLS, masks, np.zeros(4), range(1, 5), score=rng.random(4) if scores else None)


def cell_images(count: int, *, scores: bool, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    return Dataset.of([Sample(f"s{i}", None, cells(rng, scores=scores)) for i in range(count)], CELLS)


def test_without_details_counts_are_merged_as_they_come_and_the_figures_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    truth, prediction = scenes(23), scenes(23, seed=1)
    names = ["iou", "panoptic_quality", "boundary_iou"]
    whole = score(truth, prediction, names)
    monkeypatch.setattr(counting, "PART", 5)
    bare = score(truth, prediction, names, details=False)
    assert dict(bare) == dict(whole)
    assert bare.per_class == whole.per_class
    assert bare.samples == whole.samples
    assert not bare.per_sample
    assert not bare.intervals
    counted = counting.count_all(truth, prediction, counting.load_metrics(names), merge=True)
    assert [len(counted.of(place)) for place in range(3)] == [4 + 3, 4 + 3, 23]  # the last has no `merged`


def test_average_precision_of_merged_counts_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, prediction = cell_images(11, scores=False), cell_images(11, scores=True, seed=3)
    names = ["average_precision", "boundary_average_precision"]
    whole = score(truth, prediction, names, intervals=False)
    monkeypatch.setattr(counting, "PART", 4)
    bare = score(truth, prediction, names, details=False)
    assert dict(bare) == dict(whole)
    assert bare.per_class == whole.per_class
    counted = counting.count_all(truth, prediction, counting.load_metrics(names), merge=True)
    assert [len(counted.of(place)) for place in range(2)] == [2 + 3, 2 + 3]


def test_a_prediction_equal_to_the_truth_is_perfect() -> None:
    truth = scenes(6)
    result = score(truth, truth, ["iou", "panoptic_quality"])
    assert result["mIoU"] == result["PQ"] == 1.0
    assert result.intervals["mIoU"] == (1.0, 1.0)
    assert result.per_class["car"]["IoU"] == 1.0
    assert result.main == "mIoU"


@pytest.mark.parametrize(
    ("truth", "prediction", "names"),
    [
        (scenes(3), scenes(3), ("iou",)),
        (
            cell_images(3, scores=False),
            cell_images(3, scores=True),
            ("average_precision", "panoptic_quality"),
        ),
        (cell_images(3, scores=False), cell_images(3, scores=False), ("panoptic_quality",)),
    ],
)
def test_the_data_choose_the_metrics(truth: Dataset, prediction: Dataset, names: tuple[str, ...]) -> None:
    assert suitable(truth, prediction) == names
    assert score(truth, prediction, intervals=False).metrics == names


def test_a_map_of_classes_is_not_judged_as_instances() -> None:
    def sample(seed: int, *, separate: bool) -> Sample:
        ids = np.random.default_rng(seed).integers(0, 4, (4, 4)).repeat(4, axis=0).repeat(4, axis=1)
        things = Segmentation(SCENE, Masks.from_ids(ids, 4), [0, 1, 1, 2], [0, 1, 2, 0], score=[0.5] * 4)
        merged = Segmentation.from_semantic(things.semantic(), SCENE)
        return Sample(str(seed), None, things if separate else merged.replace(score=[0.5] * len(merged)))

    instances, maps = (
        Dataset.of([sample(i, separate=each) for i in range(3)], SCENE) for each in (True, False)
    )
    assert suitable(instances, maps) == ("iou",)
    assert suitable(instances, instances) == ("iou", "average_precision", "panoptic_quality")


def test_overlapping_predictions_are_not_judged_as_a_partition() -> None:
    stack = Segmentation(CELLS, Masks.encode(np.ones((2, 18, 18))), [0, 0], [1, 2], score=[0.5, 0.6])
    prediction = Dataset.of([Sample("s0", None, stack)], CELLS)
    assert suitable(cell_images(1, scores=False), prediction) == ("average_precision",)


def test_a_truth_without_a_prediction_counts_as_predicted_empty_and_is_listed() -> None:
    truth = scenes(4)
    result = score(truth, truth.only(["s0", "s1", "s2"]), ["iou"], intervals=False)
    assert result.missing == ("s3",)
    assert len(result.samples) == 4
    assert 0 < result["pixel_accuracy"] < 1
    assert "samples without a prediction, which count as predicted empty: 1 (s3)" in str(result)


def test_an_image_that_the_model_left_unlabelled_counts_as_predicted_empty() -> None:
    truth = scenes(2)
    prediction = Dataset.of([truth["s0"], Sample("s1", None, None)], SCENE)
    result = score(truth, prediction, ["iou"], intervals=False)
    assert result.per_sample["pixel_accuracy"].tolist() == [1.0, 0.0]


def test_a_prediction_without_a_truth_is_listed_and_not_judged() -> None:
    result = score(scenes(3), scenes(5), ["iou"], intervals=False)
    assert result.extra == ("s3", "s4")
    assert result["mIoU"] == 1.0
    assert any("without a truth" in remark for remark in result.remarks)


def test_an_unlabelled_truth_is_listed_and_not_judged() -> None:
    truth = Dataset.of([*scenes(2), Sample("blank", None, None)], SCENE)
    result = score(truth, scenes(2), ["iou"], intervals=False)
    assert result.unlabelled == ("blank",)
    assert result.samples == ("s0", "s1")
    with pytest.raises(InlayError, match="none of the 1 samples of the truth is labelled"):
        score(truth.only(["blank"]), truth, ["iou"])


def test_classes_are_matched_by_name_whatever_their_order() -> None:
    truth = scenes(3)
    turned = Classes(SCENE.rows[::-1])
    prediction = truth.map(lambda s: s.replace(segmentation=s.label().with_classes(turned)), turned)
    assert score(truth, prediction, ["iou"], intervals=False)["mIoU"] == 1.0


def test_an_unknown_class_is_refused_with_both_lists() -> None:
    foreign = Classes((*SCENE.rows[:2], SegmentClass("heaven", "stuff")))
    rng = np.random.default_rng(0)
    prediction = Dataset.of([Sample("s0", None, scene(rng, foreign))], foreign)
    with pytest.raises(InlayError, match=r"no class 'heaven'.*'road', 'car', 'sky'"):
        score(scenes(1), prediction, ["iou"])


def test_a_void_class_of_the_prediction_alone_predicts_nothing() -> None:
    more = Classes((SegmentClass("unsure", "void"), *SCENE.rows))
    truth = scenes(1)
    unsure = Segmentation.from_semantic(
        np.where(truth[0].label().semantic() == 1, 0, truth[0].label().semantic() + 1), more
    )
    result = score(truth, Dataset.of([Sample("s0", None, unsure)], more), ["iou"], intervals=False)
    assert result.per_class["car"]["IoU"] == 0.0
    assert result.per_class["road"]["IoU"] == 1.0


def test_a_size_that_differs_is_refused_with_the_name_of_the_sample() -> None:
    small = Segmentation.empty(SCENE, (3, 3))
    with pytest.raises(InlayError, match=r"sample 's0': the truth has 16x5 pixels.*3x3"):
        score(scenes(1), Dataset.of([Sample("s0", None, small)], SCENE), ["iou"])


def test_no_names_in_common_is_refused() -> None:
    with pytest.raises(InlayError, match="no sample names in common"):
        score(scenes(2), scenes(2, name="other{}"))


def test_an_unknown_metric_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InlayError, match="panoptic_quality"):
        score(scenes(1), scenes(1), ["panoptic_qualty"])


def test_json_holds_every_float_in_full_and_null_where_there_is_no_value() -> None:
    result = score(scenes(6), scenes(6, seed=1), ["iou", "panoptic_quality"])
    table = json.loads(result.to_json())
    assert {k: table[k] for k in result.figures} == {
        k: None if math.isnan(v) else v for k, v in result.figures.items()
    }
    assert table["intervals"]["mIoU"] == list(result.intervals["mIoU"])
    assert repr(result["mIoU"]) in result.to_json()
    assert table["per_sample"]["mIoU"]["s3"] == float(result.per_sample["mIoU"][3])
    assert table["confusion"]["pixels"] == result.confusion["pixels"].tolist()


def test_the_text_shows_figures_intervals_and_classes() -> None:
    shown = str(score(scenes(8), scenes(8, seed=1), ["iou"]))
    assert "mIoU" in shown.splitlines()[3]
    assert "–" in shown.splitlines()[3]
    assert any(line.startswith("car ") for line in shown.splitlines())


def test_the_notebook_view_escapes_what_names_hold() -> None:
    evil = Classes.of("<script>alert(1)</script>", "car", "sky", kind="stuff")
    rng = np.random.default_rng(0)
    name = "<img src=x>"
    truth = Dataset.of([Sample(name, None, scene(rng, evil)), Sample("b", None, scene(rng, evil))], evil)
    markup = score(truth, truth.only(["b"]), ["iou"], intervals=False)._repr_html_()
    assert "<script" not in markup
    assert "<img" not in markup


def test_samples_are_ranked_worst_first() -> None:
    result = score(scenes(9), scenes(9, seed=1), ["iou"], intervals=False)
    ranked = result.ranked()
    assert [value for _, value in ranked] == sorted(result.per_sample["mIoU"].tolist())
    assert dict(ranked)["s4"] == result.per_sample["mIoU"][4]


def test_intervals_are_the_same_each_time_and_hold_the_figure() -> None:
    first, second = (
        score(cell_images(12, scores=False), cell_images(12, scores=True, seed=1)) for _ in range(2)
    )
    assert first.intervals == second.intervals
    assert first.draws == 200
    for name in ("mask_AP", "mask_AR_100", "PQ"):
        low, high = first.intervals[name]
        assert low <= first[name] <= high
        assert low < high


def test_a_handful_of_samples_gets_no_interval() -> None:
    assert score(scenes(4), scenes(4, seed=1), ["iou"]).intervals == {}
    assert draws_for(4) == 0
    assert draws_for(5000) == 80


def test_the_interval_narrows_with_the_number_of_images() -> None:
    few, many = (score(scenes(n), scenes(n, seed=1), ["iou"]).intervals["mIoU"] for n in (8, 128))
    assert many[1] - many[0] < 0.5 * (few[1] - few[0])


def test_a_loose_metric_needs_only_count_and_score(tmp_path: Path) -> None:
    plugin = tmp_path / "covered.py"
    plugin.write_text(
        "def count(truth, prediction):\n"
        "    return tuple(int(each.masks.area().sum()) for each in (truth, prediction))\n"
        "def score(counts, classes):\n"
        "    pairs = list(counts)\n"
        "    return {'covered': sum(p for _, p in pairs) / sum(t for t, _ in pairs)}\n"
    )
    name = plugins.add_file("metrics", plugin)
    try:
        result = score(scenes(6), scenes(6).only(["s0", "s1", "s2"]), [name])
        assert result["covered"] == 0.5
        assert result.per_sample["covered"].tolist() == [1.0] * 3 + [0.0] * 3
        low, high = result.intervals["covered"]
        assert low < 0.5 < high
    finally:
        plugins._loose.pop(("metrics", name))
        sys.modules.pop(f"inlay_plugin_metrics_{name}")


def load_cells(name: str, *, scores: bool) -> Sample:
    return Sample(name, None, cells(np.random.default_rng(int(name) + scores), scores=scores))


def test_processes_give_what_one_gives() -> None:
    names = tuple(str(i) for i in range(4))
    truth, prediction = (
        Dataset(CELLS, names, functools.partial(load_cells, scores=each)) for each in (False, True)
    )
    here = score(truth, prediction, intervals=False)
    there = score(truth, prediction, intervals=False, on="processes", workers=2)
    assert here.figures == there.figures
    with pytest.raises(InlayError, match="score on='serial'"):
        score(truth.map(lambda sample: sample), prediction, on="processes")


def test_equal_scores_rank_by_the_numbers_of_the_images_not_by_the_order_of_the_file() -> None:
    right = Segmentation(CELLS, Masks.encode(np.eye(4)), [0], [1], score=[0.5])
    wrong = right.replace(masks=Masks.encode(np.eye(4)[::-1]))
    label = right.replace(score=None)

    def ap(first: Segmentation, second: Segmentation, ids: dict[str, int]) -> float:
        truth = Dataset.of([Sample("a", None, label), Sample("b", None, label)], CELLS)
        prediction = Dataset.of([Sample("a", None, first), Sample("b", None, second)], CELLS)
        numbered = replace(truth, source_ids=ids)
        return score(numbered, prediction, ["average_precision"], intervals=False)["mask_AP50"]

    assert ap(right, wrong, {}) == ap(right, wrong, {"a": 1, "b": 2}) == ap(wrong, right, {"a": 2, "b": 1})
    assert ap(right, wrong, {"a": 2, "b": 1}) == ap(wrong, right, {}) < ap(right, wrong, {})


def test_progress_is_told_for_each_sample() -> None:
    told: list[tuple[int, int]] = []
    score(scenes(3), scenes(3), ["iou"], progress=lambda done, total, words: told.append((done, total)))
    assert told[:3] == [(1, 3), (2, 3), (3, 3)]


def test_frames_of_one_video_are_drawn_together_for_they_say_the_same() -> None:
    def dataset(seed: int) -> Dataset:
        rng = np.random.default_rng(seed)
        videos = [scene(rng) for _ in range(6)]
        return Dataset.of(
            [Sample(f"{v}/{t}", None, videos[v], group=str(v), frame=t) for v in range(6) for t in range(9)],
            SCENE,
        )

    truth, prediction = dataset(0), dataset(1)
    together = score(truth, prediction, ["iou"])
    apart = score(
        truth.map(lambda s: s.replace(group="", frame=None)),
        prediction.map(lambda s: s.replace(group="", frame=None)),
        ["iou"],
    )
    width = [high - low for low, high in (each.intervals["mIoU"] for each in (together, apart))]
    assert width[0] > 2 * width[1]
    assert any("whole groups, 6 of them" in remark for remark in together.remarks)
    assert not any("groups" in remark for remark in apart.remarks)
    few = score(truth.only(truth.names[:27]), prediction, ["iou"])
    assert any("3 groups, too few to draw" in remark for remark in few.remarks)


def test_to_be_like_a_tool_that_no_metric_knows_is_refused_with_those_they_know() -> None:
    with pytest.raises(InlayError, match="can be like 'excel': they are like no other tool"):
        score(scenes(1), scenes(1), ["iou"], like="excel")
    with pytest.raises(InlayError, match="can be like 'excel': they can be like panopticapi"):
        score(scenes(1), scenes(1), ["panoptic_quality"], like="excel")
    alike = score(scenes(1), scenes(1), ["iou", "panoptic_quality"], like="panopticapi")
    assert "counted like panopticapi, with its known faults" in alike.remarks


def test_an_interval_holds_its_figure_and_takes_back_what_the_draws_add() -> None:
    draws = np.linspace(0.4, 0.6, 201)
    low, high = interval(draws, 0.5, is_share=True)
    assert (low, high) == pytest.approx((0.405, 0.595))
    low, high = interval(draws, 0.45, is_share=True)  # the draws lie too high by 0.05
    assert (low, high) == pytest.approx((0.305, 0.495))
    assert interval(draws, 0.35, is_share=True)[1] == 0.35
    assert interval(np.linspace(0.7, 1.0, 201), 0.95, is_share=True)[1] == 1.0
    assert interval(draws - 1, -0.5, is_share=False) == pytest.approx((-0.595, -0.405))
    assert interval(draws, math.nan, is_share=True) is None
    assert interval(np.append(draws, [np.nan] * 10), 0.5, is_share=True) is None
