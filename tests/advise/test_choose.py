"""The nine questions: what tasks of the literature should get is written on the page of `advise`."""

import re
from pathlib import Path

import pytest

from inlay import Classes, InlayError, SegmentClass, plugins, write
from inlay.advise import QUESTIONS, Answers, choose, guide
from inlay.advise.choose import SPEED
from inlay.cli import main
from inlay.scenes import make

PAGE = Path(__file__).resolve().parents[2] / "docs" / "advise.md"
FAMILIES = PAGE.parent / "benchmarks" / "models.md"
YEAR = re.compile(r"arXiv \d{4}\.\d{5}|(19|20)\d\d")


def tasks():
    """(task, source, names of the questions answered with yes, label) of each row of the table."""
    rows = PAGE.read_text("utf-8").split("### Tasks of the literature")[1].split("\n\n")[2].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_there_are_twenty_tasks_each_with_its_source():
    assert len(tasks()) >= 20
    assert all(YEAR.search(source) for _, source, *_ in tasks())
    assert len({label for *_, label in tasks()}) == 7


@pytest.mark.parametrize(("task", "yes", "expected"), [(row[0], row[2], row[3]) for row in tasks()])
def test_a_task_gets_the_label_that_its_authors_drew(task, yes, expected):
    given = dict.fromkeys(QUESTIONS, False) | dict.fromkeys(yes.split(", "), True)
    advice = choose(Answers.of(given))
    assert advice.label_type == expected, task
    assert advice.reasons
    assert advice.cannot and all(each.cannot for each in advice.alternatives)
    assert advice.unknown == ()


def test_what_nobody_answered_is_said():
    advice = choose(Answers(objects=True))
    assert "touching" in advice.unknown
    assert "taken as no" in str(advice)


def answers():
    for number in range(2 ** len(QUESTIONS)):
        given = {name: bool(number >> place & 1) for place, name in enumerate(QUESTIONS)}
        try:
            yield Answers.of(given)
        except InlayError:
            continue


def test_every_advice_names_packs_that_exist_and_two_other_ways():
    packs = set()
    metrics = set()
    for given in answers():
        advice = choose(given)
        packs |= set(advice.packs)
        metrics |= set(advice.metrics)
        others = {each.label_type for each in advice.alternatives}
        assert len(others) == 2
        assert advice.label_type not in others
        assert advice.cannot
    from inlay.rules import pack_names

    assert packs <= set(pack_names())
    assert metrics <= set(plugins.names("metrics"))


@pytest.mark.parametrize(
    "given",
    [
        {"objects": False, "tracks": True},
        {"objects": False, "only_counts": True},
        {"objects": True, "only_counts": True, "fine_edge": True},
    ],
)
def test_answers_that_contradict_each_other_are_refused(given):
    with pytest.raises(InlayError, match="contradict"):
        Answers.of(given)


def test_an_unknown_question_is_refused():
    with pytest.raises(InlayError, match="no question 'colour'"):
        Answers.of({"colour": True})


def test_the_guide_names_the_classes_and_what_the_answers_ask_for():
    given = Answers(objects=True, touching=True, fine_edge=True, tracks=True)
    text = guide(
        choose(given), Classes((SegmentClass("shoe", "thing"), SegmentClass("floor", "stuff"))), given
    )
    assert text.startswith("# Label guide: instance")
    for words in (
        "**shoe** (thing)",
        "**floor** (stuff)",
        "hair, fur and glass",
        "same number in all frames",
        "edge between two segments exists once",
        "Glass, water, mirrors",
        "*occluded*",
        "*truncated*",
        "fewer than 16 visible pixels",
    ):
        assert words in text


def test_the_guide_of_boxes_speaks_of_boxes(tmp_path):
    given = Answers(objects=True, only_counts=True)
    text = guide(choose(given), Classes.of("hen"), given, smallest=40)
    assert "Each side of the box" in text and "fewer than 40 visible pixels" in text
    assert "back to front" not in text
    write(make("cells", 1, size=(32, 32)), tmp_path / "cells", to="native")
    told = [
        "advise",
        "task",
        "--objects",
        "--like",
        str(tmp_path / "cells"),
        "--guide",
        str(tmp_path / "guide.md"),
    ]
    assert main(told) == 0
    assert "**nucleus**" in (tmp_path / "guide.md").read_text("utf-8")


def test_the_speeds_are_those_of_the_table_of_families():
    """Within a factor of four: the table is taken anew on machines that do other work as well."""
    rows = [line.split("|") for line in FAMILIES.read_text("utf-8").splitlines() if line.startswith("| ")]
    torch = [cell.strip() for cell in rows[0]].index("torch, ms")
    measured = {row[1].strip(): row[torch].split() for row in rows[1:]}
    assert {model for given in answers() for model in choose(given).models} == SPEED.keys()
    for model, speed in SPEED.items():
        if measured[model] != ["-"]:
            assert 1 / 4 <= speed * float(measured[model][0]) / 1000 <= 4, model
    assert "4 to 9.6 images of 0.2 megapixels a second" in choose(Answers(objects=True)).hardware
