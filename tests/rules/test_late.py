"""Rules that need more than one image: tracks, steps, sequences, and images and segments among all others."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest

from inlay import plugins
from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules import batch, check, engine
from inlay.rules.gathered import Gathered
from inlay.rules.pictures import read_examples
from inlay.rules.tracks import SequenceTable

COLUMNS = '''
import numpy as np
from inlay.rules.gathered import AllImages, AllSegments
from inlay.rules.tables import Booleans, Floats, Integers, Words
from inlay.rules.tracks import SequenceTable, StepTable, TrackTable

READS = ("area_px", "x0", "image.coverage")


def test_moved(table: StepTable) -> Integers:
    """Columns that the box moved by."""
    box = table.gathered.box
    return np.abs(box[table.after, 0] - box[table.before, 0])


def test_grown(table: StepTable) -> Floats:
    """Later area over the earlier."""
    area = table.gathered["area_px"]
    return area[table.after] / area[table.before]


def test_frames(table: TrackTable) -> Integers:
    """Appearances of the track."""
    return np.diff(table.start)


def test_images(table: SequenceTable) -> Integers:
    """Frames of the sequence."""
    return np.diff(table.start)


def test_above(table: AllSegments, column: str) -> Floats:
    """A column less its median."""
    return table[column] - np.median(table[column])


def test_emptier(table: AllImages) -> Booleans:
    """Whether the image is covered less than all others."""
    return table["coverage"] == table["coverage"].min()
'''


@pytest.fixture(autouse=True)
def _columns(tmp_path, monkeypatch):
    monkeypatch.setattr(plugins, "_loose", {})
    path = tmp_path / "late_columns.py"
    path.write_text(COLUMNS)
    plugins.add_file("rules.columns", path)


CLASSES = Classes.of("car", "sky").with_kinds({"sky": "stuff"})


def frame(number, boxes, *, group="drive", size=(10, 30)):
    """A frame with a box (x0, width) for each instance id."""
    stack = np.zeros((len(boxes), *size), np.bool_)
    for row, (x0, width) in enumerate(boxes.values()):
        stack[row, 3 * row : 3 * row + 3, x0 : x0 + width] = True
    ids = list(boxes)
    label = Segmentation(CLASSES, Masks.encode(stack), [0 if each else 1 for each in ids], ids)
    return Sample(f"{group}/{number}", None, label, group=group, frame=number)


def found_by(tmp_path, samples, rule):
    path = tmp_path / "rules.toml"
    path.write_text("[[rule]]\nid = 'r'\nseverity = 'error'\n" + textwrap.dedent(rule))
    return check(Dataset.of(samples), packs=(), rules=path)


VIDEO = [
    frame(2, {7: (12, 4), 8: (0, 2), 0: (0, 9)}),
    frame(0, {7: (2, 4), 8: (0, 2)}),
    frame(1, {8: (0, 2), 7: (3, 4)}),
    frame(5, {7: (2, 4)}, group="other"),
]


def test_tables_order_what_files_do_not():
    parts = [Gathered.of(sample, CLASSES, {}) for sample in VIDEO]
    gathered = Gathered.concat(parts)
    sequences = SequenceTable.of(gathered)
    assert [sequences.name(row) for row in range(2)] == ["drive", "other"]
    assert sequences.frame.tolist() == [0, 1, 2, 5]
    assert sequences.images.tolist() == [1, 2, 0, 3]
    tracks = sequences.tracks
    assert list(zip(tracks.sequence.tolist(), tracks.instance_id.tolist())) == [(0, 7), (0, 8), (1, 7)]
    assert tracks.frame.tolist() == [0, 1, 2, 0, 1, 2, 5]
    steps = tracks.steps
    assert steps.track.tolist() == [0, 0, 1, 1]
    assert steps.frames.tolist() == [1, 1, 1, 1]
    assert gathered.box[steps.after, 0].tolist() == [3, 12, 0, 0]


def gathered(samples):
    return Gathered.concat(
        [Gathered.of(sample, CLASSES, {"x": np.arange(len(sample.label()))}) for sample in samples]
    )


def test_gathering_in_parts_is_gathering_the_whole():
    whole = gathered(VIDEO)
    parted = Gathered.concat([Gathered.nothing(CLASSES, ["x"]), gathered(VIDEO[:1]), gathered(VIDEO[1:])])
    for name in ("name", "frame", "image", "row", "id", "class_id", "box", "digest"):
        assert np.array_equal(getattr(whole, name), getattr(parted, name)), name
    assert whole["x"].tolist() == parted["x"].tolist()


def test_a_step_is_reported_in_the_later_frame(tmp_path):
    rule = """
    scope = "step"
    where = "track.test_frames > 2"
    forbid = "test_moved > :most"
    params = { most = 5 }
    message = "{track} of {sequence} jumps {test_moved} px since {before}"
    """
    (finding,) = found_by(tmp_path, VIDEO, rule)
    assert (finding.image, finding.rows, finding.measured, finding.limit) == ("drive/2", (0,), 9, 5)
    assert finding.message == "car 7 of drive jumps 9 px since drive/1"
    assert finding.box == (12, 0, 16, 3)
    region = Masks.from_strings([finding.region["counts"]], (10, 30))
    assert region.equals(VIDEO[0].label().masks[0])


def test_what_late_columns_read_is_measured_though_no_rule_names_it(tmp_path):
    grown = [frame(0, {3: (0, 4)}), frame(1, {3: (0, 12)})]
    (finding,) = found_by(tmp_path, grown, 'scope = "step"\nforbid = "test_grown > 2"\nmessage = "{track}"')
    assert finding.measured == 3


def test_tracks_and_sequences_are_judged_and_counted_within(tmp_path):
    short = 'scope = "track"\nforbid = "test_frames < 2"\nmessage = "{track} of {sequence}"'
    assert [each.message for each in found_by(tmp_path, VIDEO, short)] == ["car 7 of other"]
    lone = 'scope = "sequence"\nforbid = "test_images < 2"\nmessage = "{sequence}"'
    assert [each.image for each in found_by(tmp_path, VIDEO, lone)] == ["other/5"]
    words = 'message = "{track} of {sequence} moves {count} times"'
    still = f'scope = "track"\nrequire_any = "test_moved > 0"\n{words}'
    assert [each.message for each in found_by(tmp_path, VIDEO, still)] == [
        "car 8 of drive moves 0 times",
        "car 7 of other moves 0 times",
    ]


def test_a_segment_is_seen_among_all_others(tmp_path):
    rule = """
    scope = "segment"
    where = "x0 = 0 AND image.coverage > 0"
    forbid = "test_above('area_px') > 12"
    message = "{segment} {area_px}"
    """
    (finding,) = found_by(tmp_path, VIDEO, rule)
    assert (finding.image, finding.measured, finding.message) == ("drive/2", 15, "sky 3 27")


def test_an_image_is_seen_among_all_others(tmp_path):
    found = found_by(tmp_path, VIDEO, 'scope = "image"\nforbid = "test_emptier"\nmessage = "{coverage:.2f}"')
    assert [(each.image, each.message) for each in found] == [("other/5", "0.04")]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ('scope = "segment"\nforbid = "test_above(\'aera_px\') > 1"', "did you mean 'area_px'"),
        ('scope = "segment"\nforbid = "test_above(\'test_above\') > 1"', "needs an argument"),
        ('scope = "pair"\nforbid = "a.test_above(\'area_px\') > 1"', "needs the whole dataset"),
        ('scope = "image"\nforbid_any = "test_above(\'area_px\') > 1"', "needs the whole dataset"),
        ('scope = "track"\nforbid = "image.coverage > 1"', "has no 'image'"),
        ('scope = "step"\nforbid = "track.test_frams > 1"', "did you mean 'test_frames'"),
    ],
)
def test_late_columns_in_a_wrong_place_are_named(tmp_path, rule, words):
    with pytest.raises(FormatError, match=words):
        found_by(tmp_path, VIDEO, rule + '\nmessage = "m"')


def test_late_findings_do_not_depend_on_batches_or_processes(tmp_path, monkeypatch):
    rule = 'scope = "step"\nforbid = "test_moved > 0"\nmessage = "{track}"'
    whole = found_by(tmp_path, VIDEO, rule)
    monkeypatch.setattr(engine, "BATCH", 1)
    assert found_by(tmp_path, VIDEO, rule).found == whole.found
    assert len(whole) == 2


def test_without_late_rules_nothing_is_gathered():
    dataset = Dataset.of(VIDEO)
    assert batch.Batches(dataset, batch.Compiled.of((), CLASSES))(dataset.names).gathered is None


def counted(tmp_path, picture, rule, **legend):
    legend = {"w": "wheel", "v": "wheel", "c": "car", **legend}
    example = read_examples({"pass": [picture], "legend": legend})[0]
    return found_by(tmp_path, [example.sample("one")], rule)


@pytest.mark.parametrize(
    ("rule", "rows", "unknown"),
    [
        ("scope = 'segment'\nwhere = \"class = 'wheel'\"\nrequire_any = \"b.class = 'car'\"", [(2,)], 0),
        ("scope = 'segment'\nforbid_any = \"b.class = 'wheel'\"", [(1, 0)], 0),
        ("scope = 'segment'\nrequire_any = \"b.score > 0.5\"", [(2,)], 2),
        ("scope = 'segment'\nforbid_any = \"b.score > 0.5\"", [], 2),
        ("scope = 'segment'\ncount = \"touch_px > 0\"\nleast = 1\nmost = 1", [(2,)], 0),
        ("scope = 'image'\ncount = \"class = 'wheel'\"\nmost = 1", [(0, 2)], 0),
        ("scope = 'image'\ncount = \"class = 'wheel'\"\nleast = 3", [()], 0),
        ("scope = 'image'\nrequire_any = \"class = 'car' AND area_px > 5\"", [()], 0),
        ("scope = 'image'\nforbid_any = \"class = 'car'\"", [(1,)], 0),
    ],
)
def test_rules_count_pairs_of_a_segment_and_segments_of_an_image(tmp_path, rule, rows, unknown):
    found = counted(tmp_path, "wcc.v", rule + '\nmessage = "{count} of {limit}"')
    assert [each.rows for each in found] == rows
    assert found.verdicts[1].unknown == unknown


def test_a_count_is_what_the_finding_says(tmp_path):
    words = 'message = "{count} wheels, {limit} at most"'
    rule = f"scope = 'image'\ncount = \"class = 'wheel'\"\nmost = 1\n{words}"
    (finding,) = counted(tmp_path, "wcc.v", rule)
    assert (finding.measured, finding.limit, finding.message) == (2, 1, "2 wheels, 1 at most")
    assert finding.box == (0, 0, 5, 1)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ('scope = "pair"\nforbid_any = "iou > 1"', "not within scope 'pair'"),
        ('scope = "image"\ncount = "crowd"', "count needs least or most"),
        ('scope = "image"\ncount = "crowd"\nmost = -1', "0 or more"),
        ('scope = "image"\nforbid_any = "crowd"\nmost = 1', "goes with count"),
        ('scope = "image"\nforbid_any = "coverage > 1"', "no segment column 'coverage'"),
        ('scope = "image"\nforbid_any = "area_px"', "is no condition"),
        ('scope = "image"\nforbid_any = "crowd"\nforbid = "coverage > 0"', "needs either forbid"),
        ('scope = "image"\nforbid_any = "crowd"\nmeasure = "coverage"', "measure has no place"),
    ],
)
def test_what_cannot_be_counted_is_refused(tmp_path, rule, words):
    with pytest.raises(FormatError, match=words):
        counted(tmp_path, "w", rule + '\nmessage = "m"')


def film(speed: int) -> Dataset:
    """Three things that cross the picture, and a larger one, which a frame repeats to the pixel."""
    frames = []
    for number, (place, extra) in enumerate(zip((0, 1, 1, 2, 3), (0, 1, 1, 0, 1))):
        masks = np.zeros((4, 60, 90), np.bool_)
        for row in range(3):
            masks[row, 20 * row : 20 * row + 10, 6 * number : 6 * number + 10] = True
        masks[3, 10:30, 50 + speed * place : 75 + speed * place] = True
        masks[3, 30, 50 : 50 + extra] = True
        ids = np.arange(1, 5)
        label = Segmentation(Classes.of("car"), Masks.encode(masks), np.zeros(4, np.int32), ids)
        frames.append(Sample(f"{number}", None, label, group="film", frame=number))
    return Dataset.of(frames)


def test_a_repeated_mask_is_frozen_where_its_thing_moves_and_not_where_it_keeps_its_place():
    standing, moving = (check(film(speed), packs=("sequence",)) for speed in (0, 3))
    assert not [each for each in standing if each.rule == "frozen-mask"]
    assert [(each.image, each.rows) for each in moving if each.rule == "frozen-mask"] == [("2", (3,))]


def seen(number, boxes, size=(60, 80)):
    """A frame with a square of 10 pixels at (x, y) for each instance id."""
    stack = np.zeros((len(boxes), *size), np.bool_)
    for row, (x, y) in enumerate(boxes.values()):
        stack[row, y : y + 10, x : x + 10] = True
    label = Segmentation(CLASSES, Masks.encode(stack), [0] * len(boxes), list(boxes))
    return Sample(f"drive/{number}", None, label, group="drive", frame=number)


def test_a_track_that_vanishes_and_one_that_appears_in_full_sight_are_told(tmp_path):
    samples = [
        seen(0, {1: (20, 20), 2: (50, 20)}),
        seen(10, {1: (20, 20)}),  # 2 is gone for a labelled frame; frames between are not labelled
        seen(20, {1: (20, 20), 2: (50, 20), 3: (20, 40), 4: (0, 40)}),  # 4 comes in at the side
        seen(30, {1: (20, 20), 3: (20, 40), 4: (2, 40)}),
        seen(40, {1: (20, 20), 2: (50, 20), 3: (20, 40)}),
    ]
    rule = "scope = 'track'\nforbid = '{}'\nmessage = '{{track}}'"
    vanishing = found_by(tmp_path, samples, rule.format("vanishings > 0"))
    assert [(each.measured, each.message) for each in vanishing] == [(2, "car 2")]
    appearing = found_by(tmp_path, samples, rule.format("appears_mid_frame"))
    assert [each.message for each in appearing] == ["car 3"]
