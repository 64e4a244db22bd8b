"""Tracks repaired by hand: what may be done, what is refused, and what a journal keeps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation
from inlay.cli import main
from inlay.formats import read, write
from inlay.measure import Repair, keep_repair, proposals, read_repairs, repaired, tracks_of
from inlay.metrics import score
from inlay.scenes import make

CLASSES = Classes.of("ball")


def frame(number, places, numbers, group="a"):
    """Balls at (x, y) with these track numbers."""
    stack = np.zeros((len(places), 40, 120), bool)
    for row, (x, y) in enumerate(places):
        stack[row, y : y + 6, x : x + 6] = True
    rows = np.zeros(len(places), np.int32)
    label = Segmentation(CLASSES, Masks.encode(stack), rows, np.array(numbers, np.int32))
    return Sample(f"{group}/{number:02}", np.zeros((40, 120, 3), np.uint8), label, group=group, frame=number)


def rolling(broken_at, count=10):
    """One ball whose number changes, another that rests."""
    return Dataset.of(
        [frame(t, [(4 + 5 * t, 5), (60, 30)], [1 if t < broken_at else 3, 2]) for t in range(count)], CLASSES
    )


def numbers(dataset):
    return [sample.label().instance_id.tolist() for sample in dataset]


def test_each_repair_does_what_it_says():
    video = rolling(5)
    assert numbers(repaired(video, [Repair("join", "a", 1, 3)])) == [[1, 2]] * 10
    cut = numbers(repaired(video, [Repair("cut", "a", 2, since=4)]))
    assert cut == [*numbers(video)[:4], [1, 4], *([[3, 4]] * 5)]
    assert numbers(repaired(video, [Repair("swap", "a", 3, 2, since=7)]))[6:8] == [[3, 2], [2, 3]]
    assert numbers(repaired(video, [Repair("rename", "a", 2, 9)])) == [[a, 9] for a, _ in numbers(video)]
    dropped = repaired(video, [Repair("drop", "a", 2)])
    assert numbers(dropped) == [[a] for a, _ in numbers(video)]
    assert len(video[0].label()) == 2


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9))
def test_a_cut_joined_again_and_a_swap_done_twice_change_nothing(broken_at, since):
    video = rolling(broken_at)
    there_and_back = [Repair("cut", "a", 2, 8, since=since), Repair("join", "a", 2, 8)]
    assert numbers(repaired(video, there_and_back)) == numbers(video)
    swap = Repair("swap", "a", 1, 2)
    assert numbers(repaired(video, [swap, swap])) == numbers(video)


@pytest.mark.parametrize(
    ("repair", "words"),
    [
        (Repair("join", "a", 1, 2), "number 1 would stand twice in frame 0"),
        (Repair("join", "a", 1, 7), r"no track 7; there are 1, 2, 3"),
        (Repair("rename", "a", 1, 3), "a track 3 already"),
        (Repair("cut", "a", 1, since=9), "not seen from there on"),
        (Repair("drop", "b", 1), "no such video"),
    ],
)
def test_repairs_that_cannot_be_are_refused(repair, words):
    with pytest.raises(InlayError, match=words):
        repaired(rolling(5), [repair])


@pytest.mark.parametrize(
    "wrong", [("join", "a", 1), ("cut", "a", 1), ("mend", "a", 1), ("join", "a", 2, 2), ("drop", "a", 0)]
)
def test_repairs_that_say_too_little_are_none(wrong):
    with pytest.raises(InlayError):
        Repair(*wrong)


def test_a_journal_keeps_repairs_and_takes_them_back_in_turn(tmp_path):
    journal = tmp_path / "fixes.jsonl"
    first, second = Repair("join", "a", 1, 3), Repair("cut", "a", 2, 8, since=4)
    keep_repair(journal, first)
    keep_repair(journal, second)
    keep_repair(journal, None)
    assert read_repairs(journal) == [first]
    keep_repair(journal, second)
    assert read_repairs(journal) == [first, second]
    assert len(journal.read_text().splitlines()) == 4
    for _ in range(2):
        keep_repair(journal, None)
    with pytest.raises(InlayError, match="no repair left"):
        keep_repair(journal, None)
    for line in ("[]", "{", '{"action": "join"}', '{"action": "undo"}'):
        journal.write_text(line + "\n")
        with pytest.raises(InlayError, match="line 1"):
            read_repairs(journal)


def test_broken_tracks_are_offered_as_joins_and_joining_them_mends_the_score():
    made = make("street", 10, size=(60, 80), frames=10, seed=5)
    street = Dataset.of(list(made), made.classes)
    changed = street.map(
        lambda sample: sample.replace(
            segmentation=sample.label().replace(
                instance_id=np.where(
                    sample.label().is_thing,
                    sample.label().instance_id + 100 * (sample.frame >= 5),
                    sample.label().instance_id,
                ),
                score=np.ones(len(sample.label())),
            )
        )
    )
    broken = Dataset.of(list(changed), street.classes)
    joins = [
        repair for _, repair in proposals(tracks_of(broken)) if repair.other == repair.track + 100
    ]  # as a person would confirm
    whole = {each.track for each in tracks_of(street) if each.frames[0] < 5 <= each.frames[-1]}
    assert len(joins) > 0.8 * len(whole)
    before, after = (
        score(street, each, metrics=["tracking"], intervals=False)["HOTA"]
        for each in (broken, repaired(broken, joins))
    )
    assert before + 0.12 < after


def test_the_commands_list_repair_undo_and_write(tmp_path, capsys, monkeypatch):
    write(rolling(5), tmp_path / "tracked", to="native")
    data, journal = str(tmp_path / "tracked"), str(tmp_path / "fixes.jsonl")
    assert main(["measure", "tracks", data]) == 0
    assert "--join 1 3 --video 'a'" in capsys.readouterr().out
    assert main(["measure", "repair", data, journal, "--join", "1", "2"]) != 0
    assert "twice" in capsys.readouterr().err
    assert main(["measure", "repair", data, journal, "--cut", "2", "--since", "3"]) == 0
    assert main(["measure", "repair", data, journal, "--undo"]) == 0
    answers = iter(["y"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    assert main(["measure", "repair", data, journal, str(tmp_path / "whole"), "--ask"]) == 0
    assert "1: join 1 and 3 in 'a'" in capsys.readouterr().out
    assert numbers(read(tmp_path / "whole")) == [[1, 2]] * 10
    assert main(["measure", "repair", data, journal, "--drop", "1", "--undo"]) != 0
