"""STQ and VPQ against deeplab2's and the paper's sums, written out pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import Classes, Masks, Segmentation, SegmentClass
from inlay.metrics import panoptic_quality
from inlay.metrics import video_panoptic as metric

CLASSES = Classes(
    (SegmentClass("road", "stuff"), SegmentClass("car"), SegmentClass("rig", "void"), SegmentClass("bus"))
)
CLASS_OF, ID_OF = np.array([0, 1, 1, 3, 2]), np.array([0, 4, 7, 9, 0])


def frame(
    rng: np.random.Generator, like: np.ndarray | None, *, truth: bool
) -> tuple[np.ndarray, Segmentation]:
    rows = rng.integers(0, 5, (4, 6)).repeat(2, axis=0)
    if like is not None:
        rows = np.where(rng.random((8, 6)) < 0.7, like, rows)
    crowd = np.array([False, False, rng.random() < 0.3, False, False])
    made = Segmentation(CLASSES, Masks.from_ids(rows, 5), CLASS_OF, ID_OF, crowd=crowd if truth else None)
    return rows, made


def video(rng: np.random.Generator, frames: int) -> list[tuple[Segmentation, Segmentation]]:
    pairs = []
    rows = None
    for _ in range(frames):
        rows, truth = frame(rng, rows, truth=True)
        pairs.append((truth, frame(rng, rows, truth=False)[1]))
    return pairs


def plain_stq(videos: list[list[tuple[Segmentation, Segmentation]]]) -> tuple[float, float]:
    """Association and mIoU, as deeplab2 adds them up."""
    outer, tubes = 0.0, 0
    table = np.zeros((4, 5))
    for pairs in videos:
        true_size, size, shared = {}, {}, {}
        for truth, prediction in pairs:
            t, p = truth.panoptic() - 1, prediction.panoptic() - 1
            for y, x in np.ndindex(t.shape):
                a, b = int(t[y, x]), int(p[y, x])
                crowd = a >= 0 and bool(truth.crowd[a])
                if a >= 0 and CLASS_OF[a] != 2:
                    table[CLASS_OF[a], 4 if b < 0 or CLASS_OF[b] == 2 else CLASS_OF[b]] += 1
                is_true = a >= 0 and bool(CLASSES.is_thing[CLASS_OF[a]]) and not crowd
                is_mine = b >= 0 and bool(CLASSES.is_thing[CLASS_OF[b]]) and not crowd
                true_size[a] = true_size.get(a, 0) + is_true
                size[b] = size.get(b, 0) + is_mine
                shared[a, b] = shared.get((a, b), 0) + (is_true and is_mine)
        for a, number in true_size.items():
            if number:
                tubes += 1
                inner = sum(s * s / (number + size[b] - s) for (g, b), s in shared.items() if g == a and s)
                outer += inner / number
    right = np.array([table[k, k] for k in range(4)])
    union = table.sum(axis=1) + table[:, :4].sum(axis=0) - right
    return outer / tubes if tubes else np.nan, float(np.mean(right[union > 0] / union[union > 0]))


@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_stq_is_deeplab2s(seed: int) -> None:
    rng = np.random.default_rng(seed)
    videos = [video(rng, int(rng.integers(1, 4))) for _ in range(2)]
    counts = [metric.join([metric.count(*pair) for pair in pairs]) for pairs in videos]
    figures = metric.score(counts, CLASSES)
    association, segmentation = plain_stq(videos)
    assert figures["STQ_association"] == pytest.approx(association, abs=1e-12, nan_ok=True)
    assert figures["STQ_segmentation"] == pytest.approx(segmentation, abs=1e-12)
    assert figures["STQ"] == pytest.approx(np.sqrt(association * segmentation), abs=1e-12, nan_ok=True)


@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_vpq_is_the_pq_of_frames_laid_side_by_side(seed: int) -> None:
    """A tube is one segment of the picture that the frames of its window make together."""
    rng = np.random.default_rng(seed)
    videos = [video(rng, int(rng.integers(1, 6))) for _ in range(2)]
    for pairs in videos:  # a crowd in one frame is a crowd in all: panoptic quality knows one picture
        crowd = pairs[0][0].crowd
        pairs[:] = [(truth.replace(crowd=crowd), prediction) for truth, prediction in pairs]
    counts = [metric.join([metric.count(*pair) for pair in pairs]) for pairs in videos]
    of_window = []
    for window in metric.WINDOWS:
        strips = []
        for pairs in videos:
            for start in range(len(pairs) - window + 1):
                sides = zip(*pairs[start : start + window])
                rows = [np.hstack([each.panoptic() - 1 for each in side]) for side in sides]
                made = [Segmentation(CLASSES, Masks.from_ids(ids, 5), CLASS_OF, ID_OF) for ids in rows]
                strips.append(panoptic_quality.count(made[0].replace(crowd=pairs[0][0].crowd), made[1]))
        if strips:
            of_window.append(panoptic_quality.score(strips, CLASSES))
    figures = metric.score(counts, CLASSES)
    for ours, theirs in (
        ("VPQ", "PQ"),
        ("VPQ_things", "PQ_things"),
        ("VPQ_stuff", "PQ_stuff"),
        ("VPQ/car", "PQ/car"),
    ):
        known = [each[theirs] for each in of_window if not np.isnan(each[theirs])]
        expected = np.mean(known) if known else np.nan
        assert figures[ours] == pytest.approx(expected, abs=1e-12, nan_ok=True), ours


def test_a_thing_that_changes_its_identity_loses_association_alone() -> None:
    ids = np.zeros((1, 4), int)
    one = Segmentation(CLASSES, Masks.from_ids(ids, 1), [1], [1])
    truth, prediction = [one, one], [one, one.replace(instance_id=[2])]
    figures = metric.score([metric.join([metric.count(*p) for p in zip(truth, prediction)])], CLASSES)
    assert figures["STQ_segmentation"] == 1.0
    assert figures["STQ_association"] == 0.5
    assert figures["VPQ"] == pytest.approx((1.0 + 0.0) / 2)  # windows of one frame, of two: IoU is one half
