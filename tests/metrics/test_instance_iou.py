"""iIoU against cityscapesScripts' sums written out pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import Classes, Masks, Segmentation, SegmentClass
from inlay.metrics import instance_iou as metric

CLASSES = Classes(
    (
        SegmentClass("road", "stuff"),
        SegmentClass("car"),
        SegmentClass("person"),
        SegmentClass("rig", "void"),
        SegmentClass("trailer"),
    )
)


def scene(rng: np.random.Generator, *, truth: bool) -> Segmentation:
    class_id = np.array([0, 1, 1, 1, 2, 2, 3, 4])
    ids = rng.integers(-1, 8, (6, 8)).repeat(2, axis=0).repeat(3, axis=1)
    crowd = (rng.random(8) < 0.2) & CLASSES.is_thing[class_id]
    masks = Masks.from_ids(ids, 8)
    return Segmentation(CLASSES, masks, class_id, range(8), crowd=crowd if truth else None)


def plain(pairs: list[tuple[Segmentation, Segmentation]], fixed: dict[str, float] | None) -> dict[str, float]:
    """Per class: weighted true positives over those, plain false positives and weighted false negatives."""
    found = {}
    for k, item in enumerate(CLASSES.rows):
        if item.kind != "thing":
            continue
        false, sizes, hits = 0, [], []
        for truth, prediction in pairs:
            true, mine = truth.semantic(void=-1), prediction.semantic(void=-1)
            false += int(((true >= 0) & (true != k) & (mine == k)).sum())
            rows = truth.panoptic() - 1
            for row in np.flatnonzero((truth.class_id == k) & ~truth.crowd):
                size = int((rows == row).sum())
                if size:
                    sizes.append(size)
                    hits.append(int(((rows == row) & (mine == k)).sum()))
        mean = fixed[item.name] if fixed else float(np.mean(sizes)) if sizes else 0.0
        right = sum(mean / size * hit for size, hit in zip(sizes, hits))
        lost = sum(mean / size * (size - hit) for size, hit in zip(sizes, hits))
        if right + lost:
            found[f"iIoU/{item.name}"] = right / (right + lost + false)
    return found


@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_each_class_is_as_cityscapesscripts_sums_it(seed: int, fixed: bool) -> None:
    rng = np.random.default_rng(seed)
    pairs = [(scene(rng, truth=True), scene(rng, truth=False)) for _ in range(3)]
    count = metric.LIKE["cityscapesscripts"] if fixed else metric.count
    figures = metric.score([count(*pair) for pair in pairs], CLASSES)
    expected = plain(pairs, metric.CITYSCAPES if fixed else None)
    assert figures["iIoU"] == pytest.approx(np.mean(list(expected.values())), abs=1e-12)
    for name, value in expected.items():
        assert figures[name] == pytest.approx(value, abs=1e-12), name


def test_a_small_instance_has_the_same_say_as_a_large_one() -> None:
    ids = np.zeros((1, 110), int)
    ids[0, :10], ids[0, 10:] = 0, 1
    truth = Segmentation(CLASSES, Masks.from_ids(ids, 2), [1, 1], [1, 2])
    only_large = truth[1:]
    assert metric.score([metric.count(truth, only_large)], CLASSES)["iIoU"] == pytest.approx(0.5)


def test_a_crowd_is_no_instance() -> None:
    ids = np.repeat([0, 1], 5)[None]
    truth = Segmentation(CLASSES, Masks.from_ids(ids, 2), [1, 1], [1, 2], crowd=[False, True])
    assert metric.score([metric.count(truth, truth[:1])], CLASSES)["iIoU"] == 1.0
