"""Whether click to segment saves time: measured per segment, switched off where it measurably does not."""

from __future__ import annotations

import math

import pytest
from sqlalchemy import delete, select, text

from inlay.server.database import Database
from inlay.server.effort import about
from inlay.server.store.assistance import ENOUGH, Spent, difference, student
from inlay.server.tables import efforts
from inlay.server.wire import Gesture

from .talking import add_classes, facts, gesture, image_ids, key_of, send, square


def spent(*seconds: float) -> Spent:
    return Spent(len(seconds), sum(seconds), sum(each**2 for each in seconds), len(seconds))


def test_a_difference_needs_enough_segments_of_both_kinds():
    many, few = spent(*[3.0] * ENOUGH), spent(*[1.0] * (ENOUGH - 1))
    assert difference(many, few) is None and difference(few, many) is None
    assert difference(many, many) == (0, 0, 0)
    assert difference(many, spent(*[1.0] * ENOUGH)) == (2, 2, 2)


def test_the_interval_is_that_of_welch():
    assisted, by_hand = spent(*[9.0, 11.0] * 10), spent(*[4.0, 8.0] * 15)
    low, mean, high = difference(assisted, by_hand)
    assert mean == pytest.approx(4)
    one, other = (20 / 19) / 20, (120 / 29) / 30  # squared standard errors
    freedom = (one + other) ** 2 / (one**2 / 19 + other**2 / 29)
    assert high - mean == pytest.approx(student(freedom) * math.sqrt(one + other))
    assert mean - low == pytest.approx(high - mean)


def test_the_quantile_of_student_is_right_to_a_thousandth():
    table = {19: 2.0930, 30: 2.0423, 60: 2.0003, 120: 1.9799}
    assert {each: student(each) for each in table} == pytest.approx(table, abs=1e-3)


def of(kind, *ops):
    return about(Gesture.model_validate({**gesture(list(ops)), "kind": kind}))


def pixels(before, after):
    return {"op": "pixels", "before": before, "after": after, "mask": square(0, 0)}


def test_a_gesture_is_about_what_it_makes_paints_or_erases():
    a, b = key_of(1), key_of(2)
    create = {"op": "create", "segment": facts(1, 0), "above": None}
    assert of("brush", create, pixels(b, a)) == [a]
    assert of("brush", pixels(b, a), pixels(None, a)) == [a]
    assert of("erase", pixels(a, b)) == [a]  # what comes to light was not worked on
    assert of("undo", pixels(a, None)) == [a]
    assert of("tags", {"op": "set", "key": a, "field": "tags", "before": [], "after": ["x"]}) == [a]
    assert of("everything", create, {**create, "segment": facts(2, 0)}) == [a, b]
    assert of("import", create) == []
    assert of("look") == []


@pytest.fixture
def drawn(studio):
    """Segments of two classes: prompts are slow for cars and fast for buses."""
    owner = studio.log_in()
    car, bus = add_classes(owner, studio.project_id, "car", "bus")
    image = image_ids(owner, studio.project_id)[0]
    owner.document(image)
    made, number = [], 0
    for class_id, slow, fast in ((car, "prompt", "polygon"), (bus, "polygon", "prompt")):
        for kind, seconds in ((slow, 9.0), (fast, 2.0)):
            for turn in range(ENOUGH):
                number += 1
                create = {"op": "create", "segment": facts(number, class_id), "above": None}
                made.append(gesture([create], kind=kind, seconds=seconds + turn % 2))
    correction = {"op": "set", "key": key_of(1), "field": "tags", "before": [], "after": ["x"]}
    made.append(gesture([correction], kind="tags", seconds=2.0 * ENOUGH))
    predicted = facts(number + 1, car, source="model:net", state="proposed")
    made.append(gesture([{"op": "create", "segment": predicted, "above": None}], kind="brush", seconds=500))
    send(owner, image, 0, *made)
    return studio, owner, image, car, bus


def found(owner, studio):
    rows = owner.request("GET", f"/api/projects/{studio.project_id}/assistance")["classes"]
    return {row["class_id"]: row for row in rows}


def test_assistance_goes_off_where_it_costs_time_and_the_owner_has_the_last_word(drawn):
    studio, owner, _, car, bus = drawn
    rows = found(owner, studio)
    assert rows[car]["assisted"] == {"segments": ENOUGH, "seconds": 11.5, "edits": 1.05}
    assert rows[car]["by_hand"] == {"segments": ENOUGH, "seconds": 2.5, "edits": 1.0}
    assert rows[car]["difference"][1] == 9.0 and rows[car]["costs"] and rows[car]["off"]
    assert rows[bus]["difference"][2] < 0 and not rows[bus]["off"]
    base = f"/api/projects/{studio.project_id}"
    owner.request("PATCH", base, {"assist_on": [car], "assist_off": [bus]})
    rows = found(owner, studio)
    assert (rows[car]["choice"], rows[car]["off"], rows[car]["costs"]) == ("on", False, True)
    assert (rows[bus]["choice"], rows[bus]["off"], rows[bus]["costs"]) == ("off", True, False)
    labeller = studio.log_in("Ann", "labeller")
    assert found(labeller, studio) == rows


def test_too_few_segments_switch_nothing_off(drawn):
    studio, owner, image, car, _ = drawn
    last = {"op": "delete", "segment": facts(ENOUGH, car), "above": key_of(ENOUGH + 1)}
    send(owner, image, owner.document(image)["revision"], gesture([last], kind="delete"))
    row = found(owner, studio)[car]
    assert (row["assisted"]["segments"], row["difference"], row["off"]) == (ENOUGH - 1, None, False)


def test_what_was_drawn_before_is_booked_when_the_table_comes(drawn):
    studio, *_ = drawn
    with studio.studio.database.writing() as db:
        before = sorted(db.execute(select(efforts)).all())
        db.execute(delete(efforts))
        db.execute(text("DROP TABLE efforts"))
        db.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    again = Database(studio.studio.settings.url)
    with again.writing() as db:
        assert sorted(db.execute(select(efforts)).all()) == before
    again.close()
