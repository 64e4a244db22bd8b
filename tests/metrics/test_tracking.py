"""Tracking figures against TrackEval where it is installed, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import Classes, Dataset, Masks, Sample, Segmentation, SegmentClass, score
from inlay.metrics import suitable, tracking
from inlay.metrics.parts.tracks import of_class

CLASSES = Classes((SegmentClass("car"), SegmentClass("person"), SegmentClass("rig", "void")))
SIZE = (12, 40)


def frame(things: list[tuple[int, int, int]], **more: Any) -> Segmentation:
    """Squares of (track, class, x)."""
    stack = np.zeros((len(things), *SIZE), bool)
    for mask, (_, class_id, x) in zip(stack, things):
        mask[5 * class_id : 5 * class_id + 4, max(0, x) : x + 6] = True
    return Segmentation(
        CLASSES, Masks.encode(stack), [c for _, c, _ in things], [track for track, _, _ in things], **more
    )


def joined(truths: list[Segmentation], predictions: list[Segmentation]) -> Any:
    return tracking.join([tracking.count(*pair) for pair in zip(truths, predictions)])


def figures_of(truths: list[Segmentation], predictions: list[Segmentation]) -> dict[str, float]:
    return tracking.score([joined(truths, predictions)], CLASSES)


def test_a_track_that_swaps_its_identity_halfway_keeps_its_detections_and_loses_association() -> None:
    truths = [frame([(1, 0, t)]) for t in range(10)]
    predictions = [frame([(1 if t < 5 else 2, 0, t)]) for t in range(10)]
    figures = figures_of(truths, predictions)
    assert figures["DetA"] == figures["LocA"] == 1.0
    assert figures["AssA"] == 0.5  # 5 common frames of 10 + 5 - 5
    assert figures["HOTA"] == pytest.approx(np.sqrt(0.5))
    assert figures["IDF1"] == 0.5
    assert figures["id_switches"] == 1
    assert figures["MOTSA"] == figures["sMOTSA"] == 0.9
    assert figures["MOTSP"] == 1.0


def test_motsa_falls_below_zero_where_errors_outnumber_truths() -> None:
    figures = figures_of([frame([(1, 0, 0)])], [frame([(1, 0, 12), (2, 0, 20), (3, 0, 30)])])
    assert figures["MOTSA"] == -3.0
    assert figures["HOTA"] == 0.0


def test_a_prediction_on_a_crowd_or_on_void_leaves() -> None:
    truth = frame([(1, 0, 0), (0, 0, 20), (0, 2, 30)], crowd=[False, True, False])
    on_crowd = frame([(1, 0, 0), (2, 0, 20)])
    assert figures_of([truth], [on_crowd])["DetA"] == 1.0
    assert figures_of([truth], [frame([(1, 0, 0), (2, 1, 20)])])["DetPr/person"] == 0.0
    stray = frame([(1, 0, 0), (2, 0, 10)])
    assert figures_of([truth], [stray])["DetA"] == 0.5


def test_frames_come_in_order_whatever_the_order_of_the_dataset() -> None:
    samples = [
        Sample(f"{v}/{t}", None, frame([(1, 0, t), (2, 1, 3 * t)]), group=v, frame=t)
        for t in (3, 0, 2, 1)
        for v in ("a", "b")
    ]
    truth = Dataset.of(samples, CLASSES)

    def swapped(sample: Sample) -> Sample:
        ids = sample.label().instance_id
        return sample.replace(
            segmentation=sample.label().replace(
                instance_id=ids + 5 * (sample.frame is not None and sample.frame > 1)
            )
        )

    result = score(truth, truth.map(swapped), ["tracking"])
    assert result["id_switches"] == 4
    assert set(result.per_sequence) == {"a", "b"}
    assert result.per_sequence["a"]["id_switches"] == 2
    assert result.per_sample["DetA"].tolist() == [1.0] * 8
    assert any("2 sequences are too few" in remark for remark in result.remarks)
    assert "tracking" in suitable(truth, truth.map(swapped))


def random_video(rng: np.random.Generator, frames: int) -> tuple[list[Segmentation], list[Segmentation]]:
    truths, predictions = [], []
    tracks = [(k + 1, int(rng.integers(0, 2)), int(rng.integers(0, 30))) for k in range(rng.integers(0, 5))]
    swap = rng.permutation(len(tracks) + 1)
    for t in range(frames):
        shown = [(track, c, x + t) for track, c, x in tracks if rng.random() < 0.8]
        truths.append(frame(shown))
        found = [
            (
                int(swap[track]) + 7 if t > frames // 2 and rng.random() < 0.5 else track,
                c,
                x + int(rng.integers(-3, 4)),
            )
            for track, c, x in shown
            if rng.random() < 0.8
        ]
        if rng.random() < 0.3:
            found.append((30 + t % 2, 0, int(rng.integers(0, 30))))
        unique = {(c, track): (track, c, x) for track, c, x in found}
        predictions.append(frame(list(unique.values())))
    return truths, predictions


def as_trackeval(tracks: Any, class_id: int) -> dict[str, Any]:
    """What TrackEval's metrics take; similarities of each frame from our own IoUs."""
    own = of_class(tracks, class_id)
    frames = own.frames
    return {
        "num_timesteps": len(frames),
        "num_gt_ids": len(own.true_length),
        "num_tracker_ids": len(own.length),
        "num_gt_dets": int(own.true_length.sum()),
        "num_tracker_dets": int(own.length.sum()),
        "gt_ids": [each.truth for each in frames],
        "tracker_ids": [each.prediction for each in frames],
        "similarity_scores": [each.iou for each in frames],
    }


NAMES = {
    "HOTA": ("HOTA", "HOTA"),
    **{name: ("HOTA", name) for name in ("DetA", "AssA", "LocA", "DetRe", "DetPr", "AssRe", "AssPr")},
    **{name: ("Identity", name) for name in ("IDF1", "IDP", "IDR")},
    "MOTSA": ("CLEAR", "MOTA"),
    "sMOTSA": ("CLEAR", "sMOTA"),
    "MOTSP": ("CLEAR", "MOTP"),
    "mostly_tracked": ("CLEAR", "MTR"),
    "mostly_lost": ("CLEAR", "MLR"),
    "id_switches": ("CLEAR", "IDSW"),
    "fragments": ("CLEAR", "Frag"),
}


@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_figure_is_trackevals(seed: int) -> None:
    metrics = pytest.importorskip("trackeval.metrics", exc_type=ImportError)
    rng = np.random.default_rng(seed)
    videos = [joined(*random_video(rng, int(rng.integers(1, 9)))) for _ in range(2)]
    figures = tracking.score(videos, CLASSES)
    quiet = {"PRINT_CONFIG": False}
    tools = {"HOTA": metrics.HOTA(), "CLEAR": metrics.CLEAR(quiet), "Identity": metrics.Identity(quiet)}
    occurring = []
    for k, name in enumerate(CLASSES.names[:2]):
        if not any((each.truth[1] == k).any() or (each.prediction[1] == k).any() for each in videos):
            continue
        expected = {
            kind: tool.combine_sequences(
                {str(i): tool.eval_sequence(as_trackeval(each, k)) for i, each in enumerate(videos)}
            )
            for kind, tool in tools.items()
        }
        occurring.append(expected)
        for ours, (kind, theirs) in NAMES.items():
            value = float(np.mean(expected[kind][theirs]))
            got = figures[f"{ours}/{name}"]
            if ours.startswith("mostly") and np.isnan(got):
                continue  # no true track: TrackEval divides by one
            assert got == pytest.approx(value, abs=1e-12), (ours, name)
    if occurring:
        for ours in ("HOTA", "AssA", "IDF1", "sMOTSA"):
            kind, theirs = NAMES[ours]
            mean = np.mean([np.mean(each[kind][theirs]) for each in occurring])
            assert figures[ours] == pytest.approx(mean, abs=1e-12)


@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_removed_follows_the_mots_challenge(seed: int) -> None:
    """Plainly: match at IoU 0.5, then drop what lies for more than half on the crowds and void."""
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    truth = frame(
        [(1, 0, 0), (2, 0, 8), (0, 0, 16), (0, 2, 20), (0, 1, 30)], crowd=[False, False, True, False, True]
    )
    places = [(k + 1, int(rng.integers(0, 2)), int(rng.integers(0, 34))) for k in range(rng.integers(0, 6))]
    mine = frame(places)
    kept = tracking.count(truth, mine).prediction[2]
    expected = []
    for class_id in (0, 1):
        own = np.flatnonzero(mine.class_id == class_id)
        label = truth[(truth.class_id == class_id) & ~truth.crowd]
        iou = mine.masks[own].iou(label.masks)
        rows, columns = linear_sum_assignment(-np.where(iou < 0.5, 0, iou))
        matched = {int(r) for r, c in zip(rows, columns) if iou[r, c] >= 0.5}
        ignored = np.asarray(truth.masks)[
            (truth.class_id == 2) | (truth.crowd & (truth.class_id == class_id))
        ]
        for place, row in enumerate(own):
            mask = np.asarray(mine.masks[int(row)])[0]
            inside = (mask & ignored.any(axis=0)).sum() / mask.sum()
            if place in matched or inside <= 0.5:
                expected.append(int(mine.instance_id[row]))
    assert sorted(kept.tolist()) == sorted(expected)


def test_a_detector_that_numbers_its_things_anew_in_each_frame_is_not_judged_as_a_tracker() -> None:
    samples = [
        Sample(f"v/{t}", None, frame([(5, 0, t), (9, 1, 3 * t)]), group="v", frame=t) for t in range(4)
    ]
    truth = Dataset.of(samples, CLASSES)
    anew = truth.map(lambda s: s.replace(segmentation=s.label().replace(instance_id=[1, 2])))
    assert "tracking" in suitable(truth, truth)
    assert "tracking" not in suitable(truth, anew)
    assert "tracking" not in suitable(truth.map(lambda s: s.replace(frame=None, group="")), truth)
