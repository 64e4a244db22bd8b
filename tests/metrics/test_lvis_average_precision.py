"""LVIS AP against the rules of lvis-api written out plainly, and against lvis-api where it is installed."""

from __future__ import annotations

import copy
import functools
import logging
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from tests.often import many

from inlay import Classes, Dataset, SegmentClass
from inlay.core.federated import FREQUENCIES, federated_tags
from inlay.metrics import lvis_average_precision as metric
from inlay.metrics.parts import ranking

from .coco_json import Case, datasets, random_case


def federated(seed: int, *, boxes: bool, scale: int) -> Case:
    """A random case whose images say which classes were looked for, and no crowds."""
    rng = np.random.default_rng(seed)
    case = random_case(rng, boxes=boxes, scale=scale)
    categories = case.truth["categories"]
    for category, letter in zip(categories, "rcf"):
        category["frequency"] = letter
    for entry in case.truth["annotations"]:
        entry["iscrowd"] = 0
    for image in case.truth["images"]:
        here = {e["category_id"] for e in case.truth["annotations"] if e["image_id"] == image["id"]}
        absent = [c["id"] for c in categories if c["id"] not in here]
        image["neg_category_ids"] = [i for i in absent if rng.random() < 0.5]
        image["not_exhaustive_category_ids"] = [i for i in sorted(here) if rng.random() < 0.4]
    return case


def as_datasets(case: Case) -> tuple[Dataset, Dataset]:
    truth, prediction = datasets(case)
    categories = case.truth["categories"]
    name_of = {c["id"]: c["name"] for c in categories}
    classes = Classes(
        tuple(
            SegmentClass(c["name"], source_id=c["id"], parent=FREQUENCIES[c["frequency"]]) for c in categories
        )
    )
    tags = {
        image["file_name"].removesuffix(".jpg"): federated_tags(
            [name_of[i] for i in image["neg_category_ids"]],
            [name_of[i] for i in image["not_exhaustive_category_ids"]],
        )
        for image in case.truth["images"]
    }
    labelled = truth.map(
        lambda s: s.replace(segmentation=s.label().replace(classes=classes, image_tags=tags[s.name])), classes
    )
    return labelled, prediction.map(
        lambda s: s.replace(segmentation=s.label().replace(classes=classes)), classes
    )


def plain_cells(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Precision (T, R, K, A) and recall (T, K, A), one prediction after another."""
    categories = sorted(c["id"] for c in case.truth["categories"])
    images = sorted(case.truth["images"], key=lambda image: image["id"])
    sizes = [(0, 1e10), (0, 32**2), (32**2, 96**2), (96**2, 1e10)]
    precision = -np.ones((10, 101, len(categories), 4))
    recall = -np.ones((10, len(categories), 4))
    for k, category in enumerate(categories):
        for a, (low, high) in enumerate(sizes):
            for t, threshold in enumerate(np.linspace(0.5, 0.95, 10)):
                events: list[tuple[float, bool]] = []
                truths = 0
                for image in images:
                    rows, number = judge(case, image, category, low, high, threshold)
                    events += rows
                    truths += number
                if truths == 0:
                    continue
                events.sort(key=lambda event: -event[0])
                hits = np.cumsum([hit for _, hit in events])
                share = hits / truths
                exact = hits / (np.arange(1, len(events) + 1) + np.spacing(1))
                best = np.maximum.accumulate(exact[::-1])[::-1]
                places = np.searchsorted(share, np.linspace(0, 1, 101), side="left")
                precision[t, :, k, a] = [best[i] if i < len(best) else 0.0 for i in places]
                recall[t, k, a] = share[-1] if len(share) else 0.0
    return precision, recall


@functools.cache
def overlap(one: str, other: str, height: int) -> float:
    size = [height, height // 40 * 50]
    first, second = ({"size": size, "counts": counts} for counts in (one, other))
    return float(coco_mask.iou([first], [second], [0])[0, 0])


def judge(
    case: Case, image: dict[str, Any], category: int, low: float, high: float, threshold: float
) -> tuple[list[tuple[float, bool]], int]:
    """(score, right) of the predictions that count, and how many truths there are to find."""
    all_truths = [e for e in case.truth["annotations"] if e["image_id"] == image["id"]]
    truths = [e for e in all_truths if e["category_id"] == category]
    results = [e for e in case.results if e["image_id"] == image["id"]]
    surest = sorted(results, key=lambda e: e["score"], reverse=True)[:300]
    if not truths and category not in image["neg_category_ids"]:
        return [], 0
    mine = sorted((e for e in surest if e["category_id"] == category), key=lambda e: -e["score"])
    ignored = [not low <= e["area"] <= high for e in truths]
    order = sorted(range(len(truths)), key=lambda g: ignored[g])
    taken: set[int] = set()
    events = []
    for each in mine:
        best, needed = -1, min(threshold, 1 - 1e-10)
        for g in order:
            if g in taken:
                continue
            if best >= 0 and not ignored[best] and ignored[g]:
                break
            iou = overlap(
                each["segmentation"]["counts"], truths[g]["segmentation"]["counts"], image["height"]
            )
            if iou >= needed:
                best, needed = g, iou
        area = float(coco_mask.area(each["segmentation"]))
        if best >= 0:
            taken.add(best)
            if not ignored[best]:
                events.append((each["score"], True))
        elif low <= area <= high and category not in image["not_exhaustive_category_ids"]:
            events.append((each["score"], False))
    return events, len(truths) - sum(ignored)


def counts_of(case: Case, count: Any) -> tuple[list[Any], Classes]:
    truth, prediction = as_datasets(case)
    return [count(a.label(), b.label()) for a, b in truth.zip(prediction)], truth.classes


@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 5]))
def test_every_cell_follows_the_rules_of_federated_labels(seed: int, scale: int) -> None:
    case = federated(seed, boxes=False, scale=scale)
    counts, classes = counts_of(case, metric.count)
    precision, recall = plain_cells(case)
    table = ranking.rank(counts, classes=len(classes))
    ours = ranking.cells(table, "mask", metric.TABLES.limits)
    by_id = np.argsort(classes.source_ids)
    assert np.array_equal(ours[0][..., 0][:, :, by_id], precision)
    assert np.array_equal(ours[1][..., 0][:, by_id], recall)


@pytest.mark.filterwarnings("ignore:The 'warn' method is deprecated:DeprecationWarning")
@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.sampled_from([1, 5]))
def test_the_figures_are_those_of_lvis_api(seed: int, boxes: bool, scale: int) -> None:
    lvis = pytest.importorskip("lvis", exc_type=ImportError)
    case = federated(seed, boxes=boxes, scale=scale)
    if not case.results:
        return
    for image in case.truth["images"]:
        image["coco_url"] = ""
    logging.disable(logging.WARNING)
    counts, classes = counts_of(case, metric.LIKE["lvis-api"])
    figures = metric.score(counts, classes)
    for kind, name in (("mask", "segm"), ("box", "bbox")):
        truth = lvis.LVIS.__new__(lvis.LVIS)
        truth.logger = logging.getLogger("lvis")
        truth.dataset = copy.deepcopy(case.truth)
        truth._create_index()
        found = lvis.LVISResults(truth, copy.deepcopy(case.results))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(np, "float", float, raising=False)  # lvis-api 0.5 wants a numpy of 2020
            evaluation = lvis.LVISEval(truth, found, name)
            evaluation.run()
        for ours, theirs in (
            *((f"AP{s}", f"AP{s}") for s in ("", "50", "75")),
            *((f"AP_{s}", f"AP{s[0]}") for s in ("small", "medium", "large", "rare", "common", "frequent")),
            ("AR_300", "AR@300"),
            *((f"AR_{s}", f"AR{s[0]}@300") for s in ("small", "medium", "large")),
        ):
            assert figures[f"LVIS_{kind}_{ours}"] == evaluation.results[theirs], (kind, ours)


def test_a_class_that_nobody_looked_for_is_not_judged() -> None:
    case = federated(3, boxes=False, scale=1)
    for image in case.truth["images"]:
        image["neg_category_ids"] = []
    stray = [e for e in case.results if e["category_id"] == 1]
    kept = Case({**case.truth, "annotations": []}, stray)
    counts, _ = counts_of(kept, metric.count)
    assert stray
    assert sum(len(each.score) for each in counts) == 0
