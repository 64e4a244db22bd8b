"""The nine questions; what each scenario of the literature should get was written down before the code "
"ran."""

import pytest

from inlay import Classes, InlayError, SegmentClass, plugins
from inlay.advise import QUESTIONS, Answers, choose, guide

SCENARIOS = {
    "farmland area from satellite images": ({"area": True}, "semantic"),
    "virtual background in a video call": ({"fine_edge": True}, "semantic"),
    "drivable area for a vehicle": ({"every_pixel": True}, "semantic"),
    "share of defective surface in fabric": ({"area": True, "tight_budget": True}, "semantic"),
    "land cover map": ({"every_pixel": True, "area": True}, "semantic"),
    "road cracks, length and width": ({"area": True, "fine_edge": True}, "semantic"),
    "flooded area after a storm": ({"area": True, "tight_budget": True}, "semantic"),
    "bin picking of mixed parts": ({"objects": True, "touching": True, "hidden": True}, "amodal"),
    "planning around half-hidden road users": ({"objects": True, "hidden": True, "tracks": True}, "amodal"),
    "counting cells in a dish": ({"objects": True, "only_counts": True, "touching": True}, "boxes"),
    "counting vehicles on a budget": ({"objects": True, "only_counts": True, "tight_budget": True}, "boxes"),
    "counting chickens on a farm": ({"objects": True, "only_counts": True, "touching": True}, "boxes"),
    "size of each cell and its nucleus": ({"objects": True, "touching": True, "area": True}, "instance"),
    "cut-outs of products for a shop": ({"objects": True, "fine_edge": True}, "instance"),
    "tracking people in a crowd by mask": ({"objects": True, "touching": True, "tracks": True}, "instance"),
    "weight of each fruit from its outline": ({"objects": True, "touching": True, "area": True}, "instance"),
    "blurring faces and number plates": ({"objects": True, "tight_budget": True}, "boxes + some masks"),
    "shelf audit: products and free shelf": (
        {"objects": True, "only_counts": True, "area": True},
        "boxes + semantic",
    ),
    "scene understanding for a robot": ({"objects": True, "touching": True, "every_pixel": True}, "panoptic"),
    "street scenes, objects and free space": (
        {"objects": True, "every_pixel": True, "tracks": True, "touching": True},
        "panoptic",
    ),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_gets_the_cheapest_sufficient_label(scenario):
    answers, expected = SCENARIOS[scenario]
    filled = dict.fromkeys(QUESTIONS, False) | answers
    advice = choose(Answers.of(filled))
    assert advice.label_type == expected
    assert advice.reasons
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
    ):
        assert words in text
