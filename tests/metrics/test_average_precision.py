from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

import inlay
from inlay import Classes, Masks, Segmentation, score
from inlay.metrics import average_precision
from inlay.metrics.parts import ranking
from inlay.metrics.parts.detections import sides
from inlay.metrics.parts.mistakes import best_threshold

from .coco_json import Case, datasets, pycocotools, random_case, rle

NAMES = (*average_precision.TABLES.precisions, *average_precision.TABLES.recalls)


def counts_of(case: Case) -> tuple[list[ranking.Counts], Classes]:
    truth, prediction = datasets(case)
    return [average_precision.count(a.label(), b.label()) for a, b in truth.zip(prediction)], truth.classes


def without_boxes(case: Case) -> Case:
    return Case(
        case.truth, [{key: value for key, value in one.items() if key != "bbox"} for one in case.results]
    )


def assert_equal_to_pycocotools(case: Case, kind: str) -> None:
    """Every cell and each of the 12 numbers, to the last bit."""
    counts, classes = counts_of(case)
    reference = pycocotools(
        without_boxes(case) if kind == "mask" else case, {"mask": "segm", "box": "bbox"}[kind]
    )
    precision, recall = ranking.cells(ranking.rank(counts, classes=len(classes)), kind)
    by_id = np.argsort(classes.source_ids)
    assert np.array_equal(precision[:, :, by_id], reference.eval["precision"])
    assert np.array_equal(recall[:, by_id], reference.eval["recall"])
    figures = average_precision.score(counts, classes)
    assert [figures[f"{kind}_{name}"] for name in NAMES] == reference.stats.tolist()
    for k, row in enumerate(by_id):
        for name, (area, limit, at) in average_precision.TABLES.precisions.items():
            cells = reference.eval["precision"][at, :, k, area, limit]
            expected = np.mean(cells[cells > -1]) if (cells > -1).any() else -1.0
            assert figures[f"{kind}_{name}/{classes.names[row]}"] == expected


@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([1, 1, 5]))
def test_masks_and_boxes_equal_pycocotools_in_every_cell(seed: int, boxes: bool, scale: int) -> None:
    case = random_case(np.random.default_rng(seed), boxes=boxes, scale=scale)
    if case.results:
        assert_equal_to_pycocotools(case, "mask")
        assert_equal_to_pycocotools(case, "box")


def square(size: int, x: int = 0, y: int = 0, image: int = 60) -> dict[str, Any]:
    mask = np.zeros((image, image), bool)
    mask[y : y + size, x : x + size] = True
    return rle(mask)


def one_image(truths: list[dict[str, Any]], results: list[dict[str, Any]], image: int = 60) -> Case:
    annotation = {"image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [0, 0, 1, 1]}
    numbered = [{"id": i, "area": 100.0, **annotation, **each} for i, each in enumerate(truths, start=1)]
    truth = {
        "images": [{"id": 1, "height": image, "width": image, "file_name": "1.jpg"}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": numbered,
    }
    return Case(truth, [{"image_id": 1, "category_id": 1, "score": 0.5, **each} for each in results])


def test_only_the_hundred_surest_of_a_class_are_judged() -> None:
    rng = np.random.default_rng(5)
    truths = [{"segmentation": square(4, 4 * i, 4 * j)} for i in range(12) for j in range(12)]
    results = [{**truths[i], "score": float(rng.choice([0.1, 0.2, 0.3]))} for i in rng.permutation(140)]
    assert_equal_to_pycocotools(one_image(truths, results), "mask")
    counts, _ = counts_of(one_image(truths, results))
    assert len(counts[0].score) == 100


@pytest.mark.parametrize("side", [32, 96])
def test_an_area_on_the_edge_of_two_ranges_belongs_to_both(side: int) -> None:
    case = one_image(
        [{"segmentation": square(side, image=100), "area": float(side**2)}],
        [{"segmentation": square(side, image=100)}, {"segmentation": square(side, 2, image=100)}],
        100,
    )
    assert_equal_to_pycocotools(case, "mask")


def test_a_stated_side_is_found_again_where_corners_lost_its_last_bit() -> None:
    stated, start = np.round(np.linspace(0.1, 600, 5000), 2), np.round(np.linspace(0.3, 77, 5000), 2)
    assert np.any((start + stated) - start != stated)
    corners = np.stack([start, start, start + stated, start + stated], axis=1)
    masks = Masks.empty((4, 4), len(stated))
    none = np.zeros(len(stated), np.int32)
    segmentation = Segmentation(Classes.of("cell"), masks, none, none, stated_box=corners)
    assert np.array_equal(sides(segmentation)[:, 2], stated)


def test_iou_on_a_threshold_matches_as_in_pycocotools() -> None:
    boxes = [[0.1, 0.1, 30.0, 10.0], [0.1, 0.1, 20.0, 10.0], [0.1, 0.1, 40.0, 10.0], [0.1, 0.1, 19.5, 10.0]]
    truth = [{"segmentation": square(20), "bbox": box} for box in boxes[:1]]
    results = [
        {"segmentation": square(20), "bbox": box, "score": 0.9 - i / 10} for i, box in enumerate(boxes)
    ]
    assert_equal_to_pycocotools(one_image(truth, results), "box")


def test_an_annotation_with_id_0_is_found_here_and_lost_in_pycocotools() -> None:
    case = one_image([{"id": 0, "segmentation": square(20)}], [{"segmentation": square(20)}])
    counts, classes = counts_of(case)
    assert average_precision.score(counts, classes)["mask_AP"] == pytest.approx(1.0)
    assert pycocotools(case, "segm").stats[0] == 0.0


def test_a_mask_goes_by_its_own_area_where_pycocotools_takes_that_of_its_box() -> None:
    thin = np.zeros((100, 100), bool)
    thin[:40, 0] = thin[0, :40] = True  # 79 pixels, small; its box 1600, medium
    truth = [{"segmentation": rle(thin), "area": 79.0, "bbox": [0.0, 0.0, 40.0, 40.0]}]
    far = np.roll(thin, 50, axis=1)
    results = [
        {"segmentation": rle(far), "bbox": [50.0, 0.0, 40.0, 40.0], "score": 0.9},
        {"segmentation": rle(thin), "bbox": [0.0, 0.0, 40.0, 40.0], "score": 0.8},
    ]
    case = one_image(truth, results, 100)
    counts, classes = counts_of(case)
    ours = average_precision.score(counts, classes)["mask_AP_small"]
    assert ours == pycocotools(without_boxes(case), "segm").stats[3] == pytest.approx(0.5)
    assert pycocotools(case, "segm").stats[3] == pytest.approx(1.0)  # the false one left the range
    assert any("state boxes" in remark for remark in average_precision.details(counts, classes).remarks)


def test_predictions_that_are_boxes_alone_get_no_mask_figures() -> None:
    nothing = rle(np.zeros((60, 60), bool))
    case = one_image(
        [{"segmentation": square(20), "bbox": [0.0, 0.0, 20.0, 20.0]}],
        [{"segmentation": nothing, "bbox": [0.0, 0.0, 20.0, 20.0]}],
    )
    counts, classes = counts_of(case)
    figures = average_precision.score(counts, classes)
    assert figures["box_AP"] == pytest.approx(1.0)
    assert not any(name.startswith("mask") for name in figures)
    assert average_precision.details(counts, classes).errors["right"] == 1


def test_nothing_to_find_is_minus_one() -> None:
    figures = average_precision.score([], Classes.of("cell"))
    assert set(figures.values()) == {-1.0}


@settings(max_examples=many(25), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_resampled_figure_is_that_of_the_samples_written_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts, classes = counts_of(random_case(rng, boxes=True, ties=False))
    weights = rng.integers(0, 3, (4, len(counts))).astype(np.int32)
    drawn = average_precision.resampled(counts, classes, weights)
    for b, weight in enumerate(weights):
        written = average_precision.score(
            [c for c, times in zip(counts, weight) for _ in range(times)], classes
        )
        for name, values in drawn.items():
            if np.isnan(values[b]):
                assert written[name] == -1
            else:
                assert values[b] == pytest.approx(written[name], abs=1e-12)


def test_a_sample_by_itself_has_the_ap_of_all_its_predictions_together() -> None:
    truths = [{"segmentation": square(20)}, {"segmentation": square(20, 30)}]
    results = [
        {**truths[0], "score": 0.9},
        {"segmentation": square(20, 30, 30), "score": 0.8},
        {**truths[1], "score": 0.7},
    ]
    counts, classes = counts_of(one_image(truths, results))
    alone = average_precision.details(counts, classes).per_sample["mask_AP"]
    assert alone[0] == pytest.approx(average_precision.score(counts, classes)["mask_AP"])


def test_samples_without_truth_are_0_when_something_is_predicted_and_unknown_when_not() -> None:
    classes = Classes.of("cell")
    empty = Segmentation.empty(classes, (60, 60))
    one = Segmentation(classes, Masks.from_strings([square(5)["counts"]], (60, 60)), [0], [1], score=[0.5])
    counts = [average_precision.count(empty, one), average_precision.count(empty, empty)]
    values = average_precision.details(counts, classes).per_sample["mask_AP"]
    assert values[0] == 0.0
    assert np.isnan(values[1])


def test_kinds_of_error_are_told_apart() -> None:
    classes = Classes.of("cat", "dog")

    def rows(boxes: list[tuple[int, int, int]], class_id: list[int], **more: Any) -> Segmentation:
        masks = Masks.from_strings([square(size, x, y)["counts"] for size, x, y in boxes], (60, 60))
        return Segmentation(classes, masks, class_id, range(1, len(boxes) + 1), **more)

    truth = rows(
        [(10, 0, 0), (10, 20, 0), (10, 40, 0), (10, 0, 40), (12, 40, 40)],
        [0, 0, 1, 0, 0],
        crowd=[False] * 4 + [True],
    )
    prediction = rows(
        [(10, 0, 0), (10, 0, 1), (10, 20, 0), (10, 40, 6), (8, 20, 20), (10, 41, 41), (10, 0, 40)],
        [0, 0, 1, 1, 0, 0, 0],
        score=[0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.1],
    )
    mistakes = average_precision.count(truth, prediction).mistakes
    assert mistakes.at(0.4).tally() == {
        "right": 1,
        "missed": 1,
        "confused": 1,
        "duplicate": 1,
        "merged": 0,
        "split": 0,
        "localisation": 1,
        "background": 1,
    }
    assert mistakes.at(0.0).tally()["missed"] == 0
    assert mistakes.at(0.4).confusion(2).tolist() == [[1, 1, 1], [0, 0, 1], [2, 1, 0]]


def test_the_reported_threshold_has_the_best_f1_of_all() -> None:
    rng = np.random.default_rng(8)
    counts, classes = counts_of(random_case(rng, boxes=False))
    mistakes = [each.matches["mask"] for each in counts]
    score_of = np.concatenate([each.score for each in counts])
    hit = np.concatenate([each.hit[0] & 1 for each in mistakes]).astype(bool)
    miss = np.concatenate([each.miss[0] & 1 for each in mistakes]).astype(bool)
    truths = sum(int((~each.ignored[0]).sum()) for each in counts)
    f1 = {
        float(s): 2 * hit[score_of >= s].sum() / ((hit | miss)[score_of >= s].sum() + truths)
        for s in set(score_of)
    }
    threshold, best = best_threshold(hit, hit | miss, score_of, truths)
    assert best == max(f1.values()) == f1[threshold]
    assert any(f"({best:.3f})" in remark for remark in average_precision.details(counts, classes).remarks)


def real_case(shared: Path, name: str) -> Case:
    folder = shared / "data" / "formats" / "coco_results" / "cocoapi"
    truth = json.loads((folder / "instances_val2014_100.json").read_text())
    sizes = {image["id"]: (image["height"], image["width"]) for image in truth["images"]}
    from pycocotools import mask as coco_mask

    for each in truth["annotations"]:
        stated = each["segmentation"]
        runs = coco_mask.frPyObjects(stated, *sizes[each["image_id"]])
        merged = coco_mask.merge(runs) if isinstance(stated, list) else runs
        each["segmentation"] = {"size": merged["size"], "counts": merged["counts"].decode()}
    results = json.loads((folder / name).read_text())
    for each in results:
        size = sizes[each["image_id"]]
        each.setdefault("segmentation", rle(np.zeros(size, bool)))
    return Case(truth, results)


def test_the_real_mask_results_of_cocoapi_equal_pycocotools(shared: Path) -> None:
    assert_equal_to_pycocotools(real_case(shared, "instances_val2014_fakesegm100_results.json"), "mask")


def test_the_real_box_results_of_cocoapi_equal_pycocotools(shared: Path) -> None:
    assert_equal_to_pycocotools(real_case(shared, "instances_val2014_fakebbox100_results.json"), "box")


def test_a_label_scored_against_itself_is_perfect(shared: Path) -> None:
    truth, _ = datasets(real_case(shared, "instances_val2014_fakesegm100_results.json"))
    result = score(truth, truth, ["average_precision"], intervals=False)
    assert result["mask_AP"] > 0.99


@pytest.mark.parametrize("kind", ["segm", "bbox"])
def test_files_read_and_scored_give_the_twelve_numbers_of_pycocotools(shared: Path, kind: str) -> None:
    folder = shared / "data" / "formats" / "coco_results" / "cocoapi"
    stated, found = (
        folder / "instances_val2014_100.json",
        folder / f"instances_val2014_fake{kind}100_results.json",
    )
    truth = inlay.read(stated, "coco")
    result = score(truth, inlay.read(found, like=truth), intervals=False)
    reference = pycocotools(Case(json.loads(stated.read_text()), json.loads(found.read_text())), kind)
    prefix = {"segm": "mask", "bbox": "box"}[kind]
    assert [result[f"{prefix}_{name}"] for name in NAMES] == reference.stats.tolist()


def likewise(case: Case) -> list[ranking.Counts]:
    truth, prediction = datasets(case)
    return [average_precision.LIKE["pycocotools"](a.label(), b.label()) for a, b in truth.zip(prediction)]


def numbered_from_0(case: Case) -> Case:
    entries = [{**entry, "id": entry["id"] - 1} for entry in case.truth["annotations"]]
    return Case({**case.truth, "annotations": entries}, case.results)


@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([1, 1, 5]))
def test_like_pycocotools_has_its_faults_too(seed: int, boxes: bool, scale: int) -> None:
    case = numbered_from_0(random_case(np.random.default_rng(seed), boxes=boxes, scale=scale))
    if not case.results:
        return
    counts, classes = likewise(case), counts_of(case)[1]
    table = ranking.rank(counts, classes=len(classes))
    by_id = np.argsort(classes.source_ids)
    for kind, name in (("mask", "segm"), ("box", "bbox")):
        reference = pycocotools(case, name)
        precision, recall = ranking.cells(table, kind)
        assert np.array_equal(precision[:, :, by_id], reference.eval["precision"])
        assert np.array_equal(recall[:, by_id], reference.eval["recall"])


def test_annotation_0_is_found_here_and_lost_in_pycocotools() -> None:
    case = one_image([{"id": 0, "segmentation": square(10)}], [{"segmentation": square(10)}])
    counts, classes = counts_of(case)
    assert average_precision.score(counts, classes)["mask_AP"] == pytest.approx(1.0)
    assert pycocotools(case, "segm").stats[0] == 0.0
    assert average_precision.score(likewise(case), classes)["mask_AP"] == 0.0


def test_a_mask_is_small_by_its_pixels_here_and_by_its_box_in_pycocotools() -> None:
    stray = {"segmentation": square(10, x=45, y=45), "bbox": [0, 0, 40, 40], "score": 0.9}
    truth = {"segmentation": square(10), "area": 100.0}
    case = one_image([truth], [stray, {"segmentation": square(10), "bbox": [0, 0, 10, 10]}])
    counts, classes = counts_of(case)
    assert average_precision.score(counts, classes)["mask_AP_small"] == pytest.approx(0.5)
    assert pycocotools(case, "segm").stats[3] == pytest.approx(1.0)
    assert average_precision.score(likewise(case), classes)["mask_AP_small"] == pytest.approx(1.0)
