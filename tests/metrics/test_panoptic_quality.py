from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import Classes, Masks, Segmentation, SegmentClass
from inlay.metrics import panoptic_quality

CLASSES = Classes(
    (
        SegmentClass("road", "stuff"),
        SegmentClass("car"),
        SegmentClass("sky", "stuff"),
        SegmentClass("person"),
        SegmentClass("rig", "void"),
    )
)
SIZE = (12, 14)


def random_view(rng: np.random.Generator, *, crowds: bool, like: Segmentation | None = None) -> Segmentation:
    """A partition with void: things in any number, stuff once; or `like` with some rows moved and renamed."""
    if like is not None and rng.random() < 0.8:
        ids = np.roll(like.panoptic(), rng.integers(-1, 2, 2), axis=(0, 1))
        ids[rng.random(SIZE) < 0.1] = 0
        class_id = np.where(rng.random(len(like)) < 0.15, rng.choice([1, 3], len(like)), like.class_id)
    else:
        ids = rng.integers(0, 6, (3, 2)).repeat(4, axis=0).repeat(7, axis=1)
        class_id = rng.choice([0, 1, 1, 2, 3, 3], 5)
    stuff_seen: set[int] = set()
    for row, each in enumerate(class_id):
        if each in (0, 2):
            class_id[row] = 1 if each in stuff_seen else each
            stuff_seen.add(int(each))
    masks = Masks.from_ids(ids - 1, len(class_id))
    shown = masks.area() > 0
    thing = CLASSES.is_thing[class_id[shown]]
    return Segmentation(
        CLASSES,
        masks[shown],
        class_id[shown],
        np.where(thing, np.arange(shown.sum()) + 1, 0),
        crowd=thing & (rng.random(shown.sum()) < 0.3) if crowds else None,
        source_id=rng.permutation(100)[: shown.sum()] + 1,
    )


def panopticapi(
    pairs: list[tuple[Segmentation, Segmentation]], *, last_crowd_only: bool
) -> dict[int, dict[str, float]]:
    """panopticapi's rule written out from its description, over id maps and segment lists."""
    stat: dict[int, dict[str, float]] = {
        row: {"iou": 0.0, "tp": 0, "fp": 0, "fn": 0} for row in range(len(CLASSES))
    }
    for truth, prediction in pairs:
        true, mine = listed(truth), listed(prediction)
        together: dict[tuple[int, int], int] = {}
        for key in zip(id_map(truth).ravel().tolist(), id_map(prediction).ravel().tolist()):
            together[key] = together.get(key, 0) + 1
        matched_true, matched_mine = set(), set()
        for (t, p), shared in sorted(together.items()):
            if t == 0 or p == 0 or true[t]["crowd"] or true[t]["class"] != mine[p]["class"]:
                continue
            iou = shared / (true[t]["area"] + mine[p]["area"] - shared - together.get((0, p), 0))
            if iou > 0.5:
                stat[true[t]["class"]]["tp"] += 1
                stat[true[t]["class"]]["iou"] += iou
                matched_true.add(t)
                matched_mine.add(p)
        crowds: dict[int, list[int]] = {}
        for t, segment in true.items():
            if segment["crowd"]:
                crowds.setdefault(segment["class"], []).append(t)
            elif t not in matched_true:
                stat[segment["class"]]["fn"] += 1
        for p, segment in mine.items():
            if p in matched_mine:
                continue
            excusing = crowds.get(segment["class"], [])
            shared = together.get((0, p), 0)
            shared += sum(together.get((t, p), 0) for t in (excusing[-1:] if last_crowd_only else excusing))
            if shared / segment["area"] <= 0.5:
                stat[segment["class"]]["fp"] += 1
    return stat


def listed(segmentation: Segmentation) -> dict[int, dict[str, Any]]:
    return {
        int(segmentation.source_id[i]): {
            "class": int(segmentation.class_id[i]),
            "area": int(segmentation.masks.area()[i]),
            "crowd": bool(segmentation.crowd[i]),
        }
        for i in range(len(segmentation))
    }


def id_map(segmentation: Segmentation) -> np.ndarray:
    return np.append(0, segmentation.source_id)[segmentation.panoptic()]


def averages(stat: dict[int, dict[str, float]], rows: list[int]) -> tuple[float, float, float]:
    pq = sq = rq = 0.0
    seen = 0
    for row in rows:
        iou, tp, fp, fn = (stat[row][name] for name in ("iou", "tp", "fp", "fn"))
        if tp + fp + fn == 0:
            continue
        seen += 1
        pq += iou / (tp + 0.5 * fp + 0.5 * fn)
        sq += iou / tp if tp else 0.0
        rq += tp / (tp + 0.5 * fp + 0.5 * fn)
    return (pq / seen, sq / seen, rq / seen) if seen else (math.nan,) * 3


def assert_equal_to(stat: dict[int, dict[str, float]], figures: dict[str, float]) -> None:
    """To the last bit."""
    for suffix, rows in (("", [0, 1, 2, 3]), ("_things", [1, 3]), ("_stuff", [0, 2])):
        found = [figures[name + suffix] for name in ("PQ", "SQ", "RQ")]
        assert np.array_equal(found, averages(stat, rows), equal_nan=True)
    for row in range(4):
        found = [figures[f"{name}/{CLASSES.names[row]}"] for name in ("PQ", "SQ", "RQ")]
        assert np.array_equal(found, averages(stat, [row]), equal_nan=True)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=many(300), deadline=None)
def test_figures_equal_panopticapi_to_the_last_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(4):
        truth = random_view(rng, crowds=True)
        pairs.append((truth, random_view(rng, crowds=False, like=truth)))
    figures = panoptic_quality.score([panoptic_quality.count(*pair) for pair in pairs], CLASSES)
    assert_equal_to(panopticapi(pairs, last_crowd_only=False), figures)
    alike = panoptic_quality.LIKE["panopticapi"]
    figures = panoptic_quality.score([alike(*pair) for pair in pairs], CLASSES)
    assert_equal_to(panopticapi(pairs, last_crowd_only=True), figures)


def test_all_crowds_of_a_class_excuse_where_panopticapi_remembers_the_last() -> None:
    ids = np.zeros((4, 12), int)
    ids[:, :6], ids[:, 6:] = 0, 1
    two_crowds = Segmentation(
        CLASSES, Masks.from_ids(ids, 2), [1, 1], [1, 2], crowd=[True, True], source_id=[5, 9]
    )
    over_the_first = np.where(np.arange(12) < 7, 0, -1)[None].repeat(4, axis=0)
    prediction = Segmentation(CLASSES, Masks.from_ids(over_the_first, 1), [1], [1], source_id=[3])
    counts = panoptic_quality.count(two_crowds, prediction)
    assert len(counts.false) == 0
    assert panopticapi([(two_crowds, prediction)], last_crowd_only=False)[1]["fp"] == 0
    assert panopticapi([(two_crowds, prediction)], last_crowd_only=True)[1]["fp"] == 1  # the fault
    assert len(panoptic_quality.LIKE["panopticapi"](two_crowds, prediction).false) == 1


def stripes(lengths: list[int], class_id: list[int], **more: Any) -> Segmentation:
    """Segments side by side in one row of pixels; class -1 is void."""
    ids = np.repeat(np.arange(len(lengths)), lengths)[None]
    masks = Masks.from_ids(ids, len(lengths))
    rows = np.flatnonzero(np.array(class_id) >= 0)
    kept = np.array(class_id)[rows]
    return Segmentation(CLASSES, masks[rows], kept, np.where(CLASSES.is_thing[kept], rows + 1, 0), **more)


def test_void_leaves_the_union() -> None:
    truth = stripes([6, 4], [1, -1])
    prediction = stripes([10], [1])
    assert panoptic_quality.count(truth, prediction).iou.tolist() == [1.0]


def test_without_stuff_what_nobody_drew_is_background() -> None:
    cells = Classes((SegmentClass("cell"), SegmentClass("dirt", "void")))

    def row(ids: list[int], class_id: list[int]) -> Segmentation:
        count = len(class_id)
        return Segmentation(cells, Masks.from_ids(np.array([ids]), count), class_id, range(1, count + 1))

    truth = row([0, 0, 0, -1, -1, -1, 1, 1], [0, 1])
    counts = panoptic_quality.count(truth, row([0, 0, 0, 0, 1, 1, 2, 2], [0, 0, 0]))
    assert counts.iou.tolist() == [3 / 4]
    assert len(counts.false) == 1  # the second; the third lies on void


def test_an_iou_of_one_half_is_no_match() -> None:
    counts = panoptic_quality.count(stripes([10], [1]), stripes([5, 5], [1, -1]))
    assert (len(counts.matched), len(counts.missed), len(counts.false)) == (0, 1, 1)


def test_parts_of_one_stuff_class_are_one_segment() -> None:
    truth = stripes([4, 2, 4], [0, 2, 0])
    prediction = stripes([4, 2, 4], [0, 2, 0])
    counts = panoptic_quality.count(truth, prediction)
    assert sorted(counts.matched.tolist()) == [0, 2]
    whole = Segmentation.from_semantic(np.array([[0] * 4 + [2] * 2 + [0] * 4]), CLASSES)
    assert panoptic_quality.count(truth, whole).iou.tolist() == [1.0, 1.0]


def test_segments_of_a_void_class_are_no_segments() -> None:
    counts = panoptic_quality.count(stripes([5, 5], [1, 4]), stripes([5, 5], [1, 1]))
    assert counts.iou.tolist() == [1.0]
    assert len(counts.false) == 0


def test_the_area_a_file_states_is_taken_while_the_segment_is_whole() -> None:
    prediction = stripes([8, 2], [1, -1])
    whole = stripes([10], [1], stated_area=[12.0])
    assert panoptic_quality.count(whole, prediction).iou.tolist() == [8 / 12]
    masks = Masks.encode(np.array([[[1] * 10], [[0] * 8 + [1] * 2]]))
    hidden = Segmentation(CLASSES, masks, [1, 3], [1, 2], stated_area=[12.0, 2.0])
    assert panoptic_quality.count(hidden, prediction).iou.tolist() == [1.0]


def test_hidden_segments_are_not_judged() -> None:
    masks = Masks.encode(np.array([[[0, 1, 0]], [[1, 1, 1]]]))
    stack = Segmentation(CLASSES, masks, [1, 3], [1, 2])
    counts = panoptic_quality.count(stack, stripes([3], [3]))
    assert (counts.matched.tolist(), len(counts.missed)) == ([3], 0)


@pytest.mark.parametrize("side", ["truth", "prediction"])
def test_an_empty_side_matches_nothing(side: str) -> None:
    full, empty = stripes([5, 5], [1, 0]), Segmentation.empty(CLASSES, (1, 10))
    counts = panoptic_quality.count(empty, full) if side == "truth" else panoptic_quality.count(full, empty)
    assert len(counts.matched) == 0
    # on an image without any label, everything predicted lies on void and is excused
    assert (len(counts.missed), len(counts.false)) == ((0, 0) if side == "truth" else (2, 0))
