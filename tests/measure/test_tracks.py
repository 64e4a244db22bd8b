"""Tracks through videos, between cameras, and repaired by hand."""

import numpy as np
import pytest

from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation
from inlay.measure import Tracking, crossings, gallery, link, linked, renumber, stays, track
from inlay.measure.zones import Line, Zone, by_direction, read_zones
from inlay.scenes import make

CLASSES = Classes.of("ball", "box")
SIZE = (60, 80)
COLOURS = ((220, 40, 40), (40, 60, 220), (40, 200, 80))


def frame(number, things, *, group="a", scores=None, image=True):
    """`things`: (place x, place y, class, colour)."""
    stack = np.zeros((len(things), *SIZE), bool)
    pixels = np.full((*SIZE, 3), 90, np.uint8)
    for row, (x, y, _, colour) in enumerate(things):
        stack[row, max(y, 0) : y + 8, max(x, 0) : x + 8] = True
        pixels[stack[row]] = COLOURS[colour]
    rows = np.array([name for _, _, name, _ in things], np.int32)
    label = Segmentation(CLASSES, Masks.encode(stack), rows, np.zeros(len(things), np.int32), score=scores)
    return Sample(f"{group}/{number:03}", pixels if image else None, label, group=group, frame=number)


def numbers(dataset):
    return [sample.label().instance_id.tolist() for sample in dataset]


def test_things_keep_their_number_while_they_move_and_while_hidden():
    frames = []
    for t in range(12):
        things = [(4 + 5 * t, 10, 0, 0), (64 - 5 * t, 12, 0, 1)]
        frames.append(frame(t, things[:1] if t in (5, 6) else things))
    found = numbers(track(Dataset.of(frames, CLASSES)))
    assert found == [[1] if t in (5, 6) else [1, 2] for t in range(12)]


def test_unsure_predictions_carry_tracks_on_and_begin_none():
    sure, unsure = np.array([0.9]), np.array([0.2])
    frames = [frame(t, [(10 + t, 10, 0, 0)], scores=unsure if t == 2 else sure) for t in range(4)]
    assert numbers(track(Dataset.of(frames, CLASSES))) == [[1]] * 4
    alone = [frame(t, [(10 + t, 10, 0, 0)], scores=unsure) for t in range(3)]
    assert numbers(track(Dataset.of(alone, CLASSES))) == [[]] * 3


def test_a_frame_without_things_is_a_frame():
    frames = [frame(0, [(10, 10, 0, 0)]), frame(1, []), frame(2, [(12, 10, 0, 0)])]
    assert numbers(track(Dataset.of(frames, CLASSES))) == [[1], [], [1]]


def test_classes_are_never_mixed_and_memory_ends():
    frames = [frame(0, [(10, 10, 0, 0)]), frame(1, [(10, 10, 1, 0)]), frame(9, [(10, 10, 0, 0)])]
    assert numbers(track(Dataset.of(frames, CLASSES), Tracking(memory=9))) == [[1], [2], [1]]
    assert numbers(track(Dataset.of(frames, CLASSES), Tracking(memory=3))) == [[1], [2], [3]]


def test_perfect_masks_of_a_street_are_followed_through_gaps():
    video = make("street", 24, size=(120, 160), frames=24, seed=3)
    random = np.random.default_rng(0)
    hidden, truth = [], []
    for sample in video:
        label = sample.label()
        label = label[~label.is_thing | (random.random(len(label)) > 0.2)]
        truth.append(label.instance_id)
        hidden.append(sample.replace(segmentation=label.replace(instance_id=np.zeros(len(label), np.int32))))
    pairs = {}
    for sample, real in zip(track(Dataset.of(hidden, video.classes)), truth):
        for row in np.flatnonzero(sample.label().is_thing):
            key = int(real[row]), int(sample.label().instance_id[row])
            pairs[key] = pairs.get(key, 0) + 1
    of_truth, of_track = ({}, {})
    for (one, other), times in pairs.items():
        of_truth[one] = of_truth.get(one, 0) + times
        of_track[other] = of_track.get(other, 0) + times
    association = sum(n * n / (of_truth[a] + of_track[b] - n) for (a, b), n in pairs.items()) / sum(
        pairs.values()
    )
    assert association**0.5 > 0.8  # HOTA, as detection is perfect


def test_frames_must_be_frames():
    with pytest.raises(InlayError, match="no frame"):
        track(Dataset.of([frame(0, []).replace(frame=None)], CLASSES))
    with pytest.raises(InlayError, match="both frame 0"):
        track(Dataset.of([frame(0, []), frame(0, []).replace(name="again")], CLASSES))


def test_tracks_are_joined_cut_and_swapped_back():
    frames = [frame(t, [(10, 10, 0, 0), (40, 10, 0, 1)]) for t in range(4)]
    video = track(Dataset.of(frames, CLASSES))
    assert numbers(renumber(video, "a", {2: 9}, since=2)) == [[1, 2], [1, 2], [1, 9], [1, 9]]
    assert numbers(renumber(video, "a", {1: 2, 2: 1}, since=3))[-1] == [2, 1]
    with pytest.raises(InlayError, match="twice"):
        renumber(video, "a", {1: 2})
    with pytest.raises(InlayError, match="none of the tracks"):
        renumber(video, "a", {7: 8})


def test_cameras_agree_on_things_that_look_alike():
    one = [frame(t, [(10 + t, 10, 0, 0), (40, 10, 0, 1)], group="left") for t in range(3)]
    other = [frame(t, [(30, 40, 0, 1), (60 - t, 40, 0, 2), (5, 40, 0, 0)], group="right") for t in range(3)]
    videos = track(Dataset.of([*one, *other], CLASSES))
    assert numbers(videos)[3] == [1, 2, 3]
    shared = linked(videos, link(gallery(videos)))
    assert numbers(shared)[0] == [1, 2]
    assert numbers(shared)[3] == [2, 3, 1]


def test_zones_and_lines_judge_masks():
    frames = [frame(t, [(2 + 8 * t, 20, 0, 0)]) for t in range(8)]
    video = track(Dataset.of(frames, CLASSES))
    zone = Zone("gate", (np.array([[24.0, 0], [48, 0], [48, 60], [24, 60]]),))
    (stay,) = stays(video, [zone])
    assert (stay.first, stay.last, stay.frames) == (3, 5, 3)
    over = Line("over", (40.0, 60.0), (40.0, 0.0))  # walked upwards, left of it is the left of the image
    past = Line("past", (40.0, 0.0), (40.0, 10.0))
    found = crossings(video, [over, past])
    assert by_direction(found) == {("over", "ball"): (1, 0)}
    back = Dataset.of([sample.replace(frame=9 - (sample.frame or 0)) for sample in video], CLASSES)
    assert by_direction(crossings(back, [over])) == {("over", "ball"): (0, 1)}


def test_files_of_zones_are_read_or_refused(tmp_path):
    path = tmp_path / "zones.json"
    line = '{"name": "l", "points": [[0, 0], [1, 1]]}'
    path.write_text(f'{{"zones": [{{"name": "a", "points": [[0, 0], [4, 0], [4, 4]]}}], "lines": [{line}]}}')
    zones, lines = read_zones(path)
    assert (zones[0].name, lines[0].end) == ("a", (1.0, 1.0))
    for broken in (
        "[",
        "[]",
        "{}",
        '{"zones": [{"points": []}]}',
        '{"lines": [{"name": "l", "points": [[0, 0]]}]}',
        '{"zones": [{"name": "a", "points": [[0, "x"], [1, 1], [2, 2]]}]}',
    ):
        path.write_text(broken)
        with pytest.raises(InlayError):
            read_zones(path)
