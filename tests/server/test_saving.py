"""Gestures are saved once, in order, and for good; what breaks the partition is refused."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from inlay.client import StudioError

from .talking import add_classes, drawing, facts, gesture, image_ids, key_of, refused, send, square


@pytest.fixture
def desk(studio):
    """A labeller's desk: client, image, a class."""
    client = studio.log_in()
    (car,) = add_classes(client, studio.project_id, "car")
    return client, image_ids(client, studio.project_id)[0], car


def test_a_drawn_segment_is_there_after_it_was_acknowledged(desk):
    client, image, car = desk
    assert client.document(image)["revision"] == 0
    assert send(client, image, 0, gesture(drawing(1, car, square(3, 4)))) == {"revision": 1}
    document = client.document(image)
    assert document["revision"] == 1
    (segment,) = document["segments"]
    assert segment["visible"] == square(3, 4)
    assert (segment["key"], segment["class_id"], segment["hidden"]) == (key_of(1), car, None)


def test_sending_a_gesture_again_does_no_harm(desk):
    client, image, car = desk
    first, second = gesture(drawing(1, car, square(0, 0))), gesture(drawing(2, car, square(20, 0)))
    send(client, image, 0, first)
    assert send(client, image, 0, first) == {"revision": 1}
    assert send(client, image, 0, first, second) == {"revision": 2}  # the answer to the first had been lost
    assert send(client, image, 0, first, second) == {"revision": 2}
    assert len(client.document(image)["segments"]) == 2
    assert send(client, image, 2, second) == {
        "revision": 2
    }  # a page that knows the revision, but not whose it is
    looked = gesture([])
    assert send(client, image, 2, looked) == send(client, image, 3, looked) == {"revision": 3}
    third = gesture(drawing(3, car, square(40, 0)))
    assert send(client, image, 3, looked, third) == {"revision": 4}
    assert len(client.document(image)["segments"]) == 3


def test_who_comes_second_is_told_what_has_happened(desk):
    client, image, car = desk
    send(client, image, 0, gesture(drawing(1, car, square(0, 0))))
    late = gesture(drawing(2, car, square(20, 0)))
    body = refused(412, send, client, image, 0, late)
    assert body["revision"] == 1
    assert [entry["gesture"]["ops"][0]["op"] for entry in body["gestures"]] == ["create"]
    assert send(client, image, 1, late) == {"revision": 2}


def test_a_save_without_a_revision_is_refused(desk):
    client, image, car = desk
    body = {"gestures": [gesture(drawing(1, car, square(0, 0)))]}
    refused(428, client.request, "POST", f"/api/images/{image}/gestures", body)
    refused(400, client.request, "POST", f"/api/images/{image}/gestures", body, headers={"If-Match": '"x"'})
    refused(412, send, client, image, 7, body["gestures"][0])
    assert client.document(image)["revision"] == 0


def test_what_does_not_fit_is_refused_with_its_place_and_changes_nothing(desk):
    client, image, car = desk
    send(client, image, 0, gesture(drawing(1, car, square(0, 0)) + drawing(2, car, square(20, 0), key_of(1))))
    before = client.document(image)
    mine, other = square(0, 0), square(20, 0)
    pixels, a, b = {"op": "pixels"}, key_of(1), key_of(2)
    broken = [
        [{**pixels, "before": None, "after": a, "mask": other}],  # belongs to b
        [{**pixels, "before": a, "after": b, "mask": other}],  # not a's
        [{**pixels, "before": a, "after": a, "mask": mine}],
        [{**pixels, "before": key_of(9), "after": a, "mask": mine}],
        [{**pixels, "before": None, "after": key_of(9), "mask": square(40, 0)}],
        [{**pixels, "before": a, "after": None, "mask": {"box": [0, 0, 61, 1], "runs": "0m1"}}],
        [{**pixels, "before": a, "after": None, "mask": {"box": [0, 0, 2, 2], "runs": "0000"}}],
        [{**pixels, "before": a, "after": None, "mask": {"box": [0, 0, 2, 2], "runs": "4"}}],
        [{"op": "hidden", "key": a, "add": mine}],  # seen and hidden
        [{"op": "hidden", "key": b, "add": mine}],  # hidden where the one behind it is seen
        [{"op": "hidden", "key": a, "remove": other}],
        [{"op": "create", "segment": facts(1, car), "above": None}],
        [{"op": "create", "segment": facts(3, car), "above": key_of(9)}],
        [{"op": "create", "segment": facts(3, car + 999), "above": None}],
        [{"op": "delete", "segment": facts(1, car), "above": None}],  # has pixels
        [{"op": "set", "key": a, "field": "class_id", "before": car, "after": car + 999}],
        [{"op": "set", "key": a, "field": "crowd", "before": True, "after": False}],
        [{"op": "set", "key": a, "field": "crowd", "before": False, "after": "yes"}],
        [{"op": "set", "key": a, "field": "score", "before": None, "after": 7.0}],
        [{"op": "set", "key": a, "field": "image_tags", "before": [], "after": ["x"]}],
        [{"op": "set", "key": None, "field": "crowd", "before": False, "after": True}],
        [{"op": "order", "key": a, "before": b, "after": None}],
        [{"op": "order", "key": a, "before": None, "after": a}],
    ]
    for ops in broken:
        fine = {"op": "set", "key": None, "field": "image_tags", "before": [], "after": ["dusk"]}
        wrong = gesture([fine, *ops])
        body = refused(409, send, client, image, 1, wrong)
        assert body["gesture"] == wrong["id"], ops
        assert body["op"] in (1, None), ops
        assert body["error"], ops
    assert client.document(image) == before


def test_all_gestures_of_a_request_are_kept_or_none(desk):
    client, image, car = desk
    fine, wrong = gesture(drawing(1, car, square(0, 0))), gesture(drawing(1, car, square(20, 0)))
    refused(409, send, client, image, 0, fine, wrong)
    assert client.document(image)["revision"] == 0


def test_what_runs_on_underneath_is_kept(desk):
    client, image, car = desk
    hide = {"op": "hidden", "key": key_of(1), "add": square(20, 0)}
    ops = [*drawing(1, car, square(10, 0)), *drawing(2, car, square(20, 0), key_of(1)), hide]
    send(client, image, 0, gesture(ops))
    back, front = client.document(image)["segments"]
    assert (back["hidden"], front["hidden"]) == (square(20, 0), None)
    label = client.segmentation(client.projects()[0], image)
    assert label.is_partition
    assert label.amodal.area().tolist() == [200, 100]


def test_order_facts_and_tags_change_and_come_back(desk):
    client, image, car = desk
    a, b = key_of(1), key_of(2)
    send(client, image, 0, gesture(drawing(1, car, square(0, 0)) + drawing(2, car, square(20, 0), a)))
    ops = [
        {"op": "order", "key": b, "before": a, "after": None},
        {"op": "set", "key": a, "field": "tags", "before": [], "after": ["truncated", "dark"]},
        {"op": "set", "key": a, "field": "score", "before": None, "after": 0.5},
        {"op": "set", "key": None, "field": "image_tags", "before": [], "after": ["night"]},
    ]
    send(client, image, 1, gesture(ops))
    document = client.document(image)
    assert [segment["key"] for segment in document["segments"]] == [b, a]
    assert document["segments"][1]["tags"] == ["dark", "truncated"]
    assert document["image_tags"] == ["night"]
    path = f"/api/images/{image}/restore"
    assert client.request("POST", path, {"revision": 1}, headers={"If-Match": '"2"'}) == {"revision": 3}
    again = client.document(image)
    assert {**again, "revision": 1} == client.document(image, revision=1)


def test_the_history_says_who_did_what(desk):
    client, image, car = desk
    sent = gesture(drawing(1, car, square(0, 0)), at="2026-01-01T00:00:00Z")
    send(client, image, 0, sent)
    (entry,) = client.request("GET", f"/api/images/{image}/gestures?after=0")
    assert (entry["revision"], entry["author"]) == (1, "me")
    assert entry["gesture"]["id"] == sent["id"]
    assert entry["gesture"]["at"] == sent["at"]
    assert client.document(image, revision=0)["segments"] == []
    refused(404, client.document, image, revision=2)


def test_segments_stay_in_order_however_many_are_put_between(desk):
    client, image, car = desk
    send(client, image, 0, gesture([{"op": "create", "segment": facts(0, car), "above": None}]))
    for number in range(1, 30):  # always right in front of the first: the gaps run out
        create = {"op": "create", "segment": facts(number, car), "above": key_of(0)}
        send(client, image, number, gesture([create]))
    keys = [segment["key"] for segment in client.document(image)["segments"]]
    assert keys == [key_of(0), *(key_of(number) for number in reversed(range(1, 30)))]


def test_ten_who_save_at_once_all_get_through(studio):
    owner = studio.log_in()
    (car,) = add_classes(owner, studio.project_id, "car")
    image = image_ids(owner, studio.project_id)[0]
    owner.document(image)
    clients = [studio.log_in() for _ in range(10)]
    failures = []

    def draw(number, client):
        try:
            for turn in range(3):
                own = 3 * number + turn
                draw_one(client, image, car, own)
        except Exception as error:  # told below: a thread's error is lost
            failures.append(error)

    threads = [threading.Thread(target=draw, args=each) for each in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    document = owner.document(image)
    assert document["revision"] == 30
    keys = sorted(segment["key"] for segment in document["segments"])
    assert keys == [key_of(number) for number in range(30)]
    history = owner.request("GET", f"/api/images/{image}/gestures?limit=1000")
    assert [entry["revision"] for entry in history] == list(range(1, 31))
    assert owner.segmentation(owner.projects()[0], image).is_partition


def draw_one(client, image, car, own):
    mine = gesture(drawing(own, car, square(own % 10 * 6, own // 10 * 6, 5)))
    revision = client.document(image)["revision"]
    while True:
        try:
            return send(client, image, revision, mine)
        except StudioError as error:
            if error.status != 412:
                raise
            revision = error.body["revision"]


def test_the_client_saves_on_top_of_others(small_studio):
    client, other = small_studio.log_in(), small_studio.log_in()
    (car,) = add_classes(client, small_studio.project_id, "car")
    image = image_ids(client, small_studio.project_id)[0]
    asked = []

    def change(document):
        if not asked:  # somebody else is faster
            other.save(image, lambda _: drawing(1, car, square(0, 0)))
        asked.append(document["revision"])
        return drawing(2, car, square(20, 0))

    assert client.save(image, change) == 2
    assert asked == [0, 1]
    assert np.asarray(client.segmentation(client.projects()[0], image).masks).sum() == 200
