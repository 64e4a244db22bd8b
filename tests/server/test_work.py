"""Whose turn it is: next images, locks, review, consensus, honeypots, the dashboard and events."""

from __future__ import annotations

import json
import threading
from http.client import HTTPConnection

import pytest

from inlay.server.running import title_of

from .talking import add_classes, drawing, gesture, image_ids, refused, send, square


@pytest.fixture
def team(studio):
    """An owner, two labellers and a reviewer over three images."""
    owner = studio.log_in()
    (car,) = add_classes(owner, studio.project_id, "car")
    people = {name: studio.log_in(name, "labeller") for name in ("Ann", "Bob")}
    people["Rita"] = studio.log_in("Rita", "reviewer")
    return studio, owner, people, car


def next_of(client, studio):
    image = client.request("POST", f"/api/projects/{studio.project_id}/next")["image"]
    return image and image["image_id"]


def set_state(client, image, state, comment=""):
    return client.request("POST", f"/api/images/{image}/state", {"state": state, "comment": comment})


def test_two_who_ask_for_work_never_get_the_same_image(team):
    studio, _, people, _ = team
    given = []

    def ask(client):
        given.append(next_of(client, studio))

    threads = [threading.Thread(target=ask, args=(client,)) for client in people.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(given)) == 3
    assert next_of(studio.log_in("Zoe", "labeller"), studio) is None
    people["Ann"].request("DELETE", f"/api/images/{given[0]}/lock")


def test_an_image_goes_from_todo_over_review_to_accepted(team):
    studio, _, people, car = team
    ann, rita = people["Ann"], people["Rita"]
    image = next_of(ann, studio)
    ann.document(image)
    send(ann, image, 0, gesture(drawing(1, car, square(0, 0))))
    row = ann.request("GET", f"/api/images/{image}")
    assert (row["state"], row["assignee"]["name"], row["segments"]) == ("labelling", "Ann", 1)
    assert row["coverage"] == pytest.approx(100 / 2400)
    assert next_of(ann, studio) == image  # what one has begun comes first
    refused(403, set_state, ann, image, "accepted")
    assert set_state(ann, image, "submitted")["state"] == "submitted"
    assert next_of(ann, studio) != image
    set_state(rita, image, "returned", "the wheel is missing")
    (comment,) = ann.request("GET", f"/api/images/{image}/comments")
    assert (comment["author"], comment["text"]) == ("Rita", "the wheel is missing")
    assert next_of(ann, studio) == image
    send(ann, image, 1, gesture(drawing(2, car, square(20, 0))))
    ann.request("PATCH", f"/api/comments/{comment['comment_id']}", {"resolved": True})
    set_state(ann, image, "submitted")
    assert set_state(rita, image, "accepted")["comments"] == 0
    body = refused(423, send, ann, image, 2, gesture(drawing(3, car, square(40, 0))))
    assert "accepted" in body["error"]
    refused(409, set_state, ann, image, "submitted")


def test_two_people_on_one_image_both_draw_whoever_came_first(team):
    studio, owner, people, car = team
    image = image_ids(owner, studio.project_id)[2]
    people["Ann"].document(image)
    send(people["Ann"], image, 0, gesture(drawing(1, car, square(0, 0))))
    send(people["Bob"], image, 1, gesture(drawing(2, car, square(20, 0))))
    row = set_state(people["Bob"], image, "submitted")
    assert (row["assignee"]["name"], row["segments"]) == ("Ann", 2)


def test_where_the_project_assigns_strictly_an_image_is_not_changed_by_another(team):
    studio, owner, people, car = team
    image = image_ids(owner, studio.project_id)[2]
    assert owner.request("PATCH", f"/api/projects/{studio.project_id}", {"strict": True})["strict"]
    path = f"/api/projects/{studio.project_id}/assign"
    owner.request("POST", path, {"images": [image], "user_id": people["Ann"].user["user_id"]})
    people["Bob"].document(image)
    refused(403, send, people["Bob"], image, 0, gesture(drawing(1, car, square(0, 0))))
    refused(403, set_state, people["Bob"], image, "submitted")
    assert next_of(people["Ann"], studio) == image
    send(people["Rita"], image, 0, gesture(drawing(1, car, square(0, 0))))  # reviewers may
    listed = owner.request(
        "GET", f"/api/projects/{studio.project_id}/images?person={people['Ann'].user['user_id']}"
    )
    assert [row["image_id"] for row in listed["images"]] == [image]


def test_a_lock_says_who_is_there_and_ends(team, monkeypatch):
    studio, owner, people, _ = team
    image = image_ids(owner, studio.project_id)[0]
    path = f"/api/images/{image}/lock"
    assert people["Ann"].request("POST", path)["mine"]
    theirs = people["Bob"].request("POST", path)
    assert (theirs["mine"], theirs["locked_by"]["name"]) == (False, "Ann")
    people["Bob"].request("DELETE", path)  # not his to end
    assert people["Ann"].request("GET", f"/api/images/{image}")["locked_by"]["name"] == "Ann"
    people["Ann"].request("DELETE", path)
    assert people["Bob"].request("POST", path)["mine"]


def test_several_label_one_image_without_seeing_each_other(team):
    studio, owner, people, car = team
    base = f"/api/projects/{studio.project_id}"
    owner.request("PATCH", base, {"consensus": 2})
    ann, bob = people["Ann"], people["Bob"]
    mine, his = next_of(ann, studio), next_of(bob, studio)
    assert mine != his
    rows = [ann.request("GET", f"/api/images/{mine}"), bob.request("GET", f"/api/images/{his}")]
    assert rows[0]["name"] == rows[1]["name"]
    refused(404, bob.document, mine)
    assert [row["image_id"] for row in ann.images({"project_id": studio.project_id})] == [mine]
    send(ann, mine, 0, gesture(drawing(1, car, square(0, 0))))
    send(bob, his, 0, gesture(drawing(1, car, square(0, 0)) + drawing(2, car, square(30, 0))))
    for client, image in ((ann, mine), (bob, his)):
        set_state(client, image, "submitted")
    original = next(row["image_id"] for row in owner.images({"project_id": studio.project_id}))
    refused(403, ann.request, "GET", f"/api/images/{original}/agreement")
    found = people["Rita"].request("GET", f"/api/images/{original}/agreement")
    (pair,) = found["pairs"]
    assert {pair["first"], pair["second"]} == {"Ann", "Bob"}
    assert (pair["sq"], pair["rq"]) == (1.0, pytest.approx(2 / 3))
    people["Rita"].request("POST", f"/api/images/{original}/take/{his}")
    taken, theirs = owner.document(original), bob.document(his)
    assert taken["segments"] == theirs["segments"]
    people["Rita"].request("POST", f"/api/images/{original}/take/{mine}")
    assert owner.document(original)["segments"] == ann.document(mine)["segments"]


def test_honeypots_are_scored_and_look_like_any_other_image(team):
    studio, owner, people, car = team
    base = f"/api/projects/{studio.project_id}"
    truth = image_ids(owner, studio.project_id)[0]
    refused(409, owner.request, "POST", f"/api/images/{truth}/copies", {"truth": True})
    owner.document(truth)
    send(owner, truth, 0, gesture(drawing(1, car, square(0, 0))))
    set_state(owner, truth, "submitted")
    owner.request("POST", f"/api/images/{truth}/copies", {"truth": True})
    owner.request("PATCH", base, {"honeypots": 0.5})
    ann = people["Ann"]
    refused(404, ann.document, truth)
    given = None
    for _ in range(40):  # by chance, one in two
        given = next_of(ann, studio)
        row = ann.request("GET", f"/api/images/{given}")
        if row["name"] == "frame0":
            break
        set_state(ann, given, "submitted")
        owner.request("POST", f"/api/images/{given}/state", {"state": "todo"})
        owner.request("POST", f"{base}/assign", {"images": [given], "user_id": None})
    assert row["name"] == "frame0"
    send(ann, given, 0, gesture(drawing(1, car, square(0, 0)) + drawing(2, car, square(30, 0))))
    set_state(ann, given, "submitted")
    (quality,) = [row for row in owner.request("GET", f"{base}/dashboard")["quality"] if row["honeypots"]]
    assert (quality["name"], quality["honeypots"], quality["pq"]) == ("Ann", 1, pytest.approx(2 / 3))
    assert owner.request("GET", base)["images"] == 3  # versions are no images of their own


def test_the_dashboard_adds_up_active_time(team):
    studio, owner, people, car = team
    base = f"/api/projects/{studio.project_id}"
    owner.request("PATCH", base, {"rate": 36.0})
    image = image_ids(owner, studio.project_id)[0]
    ann = people["Ann"]
    ann.document(image)
    send(ann, image, 0, gesture(drawing(1, car, square(0, 0)), seconds=60.0, kind="polygon"))
    send(ann, image, 1, gesture(drawing(2, car, square(20, 0)), seconds=40.0))
    set_state(ann, image, "submitted")
    found = owner.request("GET", f"{base}/dashboard")
    assert (found["seconds"], found["cost"], found["segments"]) == (100.0, pytest.approx(1.0), 2)
    assert [(row["name"], row["seconds"]) for row in found["tools"]] == [("polygon", 60.0), ("brush", 40.0)]
    assert [(row["name"], row["seconds"], row["segments"]) for row in found["classes"]] == [("car", 100.0, 2)]
    assert [(row["name"], row["gestures"], row["segments"]) for row in found["people"]] == [("Ann", 2, 2)]
    assert found["people"][0]["cost"] == pytest.approx(1.0)
    assert [(row["gestures"], row["submitted"]) for row in found["days"]] == [(2, 1)]
    assert found["states"]["submitted"] == 1
    assert [(row["name"], row["submitted"]) for row in found["quality"]] == [("Ann", 1)]


def test_those_who_listen_hear_what_happens(small_studio):
    owner = small_studio.log_in()
    (car,) = add_classes(owner, small_studio.project_id, "car")
    image = image_ids(owner, small_studio.project_id)[0]
    owner.document(image)
    connection = HTTPConnection("127.0.0.1", small_studio.studio.settings.port, timeout=20)
    path = f"/api/projects/{small_studio.project_id}/events"
    connection.request("GET", path, headers={"Cookie": owner.__dict__["_cookie"]})
    answer = connection.getresponse()
    assert answer.getheader("content-type").startswith("text/event-stream")
    assert answer.readline() == b"retry: 2000\n"
    send(owner, image, 0, gesture(drawing(1, car, square(0, 0))))
    set_state(owner, image, "submitted")
    owner.request("POST", f"/api/images/{image}/comments", {"text": "look here", "box": [0, 0, 5, 5]})
    heard = []
    while len(heard) < 3:
        line = answer.readline()
        if line.startswith(b"data: "):
            heard.append(json.loads(line[6:]))
    assert [(event["kind"], event["image"], event["by"]) for event in heard] == [
        ("revision", image, "me"),
        ("state", image, "me"),
        ("comment", image, "me"),
    ]
    answer.close()
    connection.close()


def test_images_are_found_by_what_is_on_them(team):
    studio, owner, _, car = team
    (bus,) = add_classes(owner, studio.project_id, "bus")
    first, second, _ = image_ids(owner, studio.project_id)
    for image in (first, second):
        owner.document(image)
    tags = {"op": "set", "key": None, "field": "image_tags", "before": [], "after": ["nightfall é"]}
    send(owner, first, 0, gesture([*drawing(1, car, square(0, 0)), tags]))
    send(owner, second, 0, gesture(drawing(1, bus, square(0, 0))))

    def found(**wanted):
        return [row["image_id"] for row in owner.images({"project_id": studio.project_id}, **wanted)]

    assert found(class_id=car) == [first]
    assert found(class_id=bus) == [second]
    assert found(tag="nightfall é") == [first]
    assert found(tag="night") == []
    assert found(q="FRAME1") == [second]
    assert found(state="labelling") == [first, second]
    assert found(finding="any") == []


def test_pages_follow_one_another_in_natural_order(tmp_path):
    from .conftest import draw_images, run_studio

    images = draw_images(tmp_path / "photos", 12)
    with run_studio(images, tmp_path / "kept") as studio:
        client = studio.log_in()
        path = f"/api/projects/{studio.project_id}/images?limit=5"
        names, after = [], ""
        while after is not None:
            page = client.request("GET", path + (f"&after={after}" if after else ""))
            names += [row["name"] for row in page["images"]]
            after = page["next"]
            assert page["total"] == 12
        assert names == [f"frame{number}" for number in range(12)]
        middle = client.request("GET", f"/api/images/{image_ids(client, studio.project_id)[9]}")
        assert (middle["previous"], middle["next"]) == tuple(image_ids(client, studio.project_id)[8:11:2])
        draw_images(images / "later", 1)
        client.request("POST", f"/api/projects/{studio.project_id}/scan")
        studio.studio.workers.wait()
        assert [row["name"] for row in client.images({"project_id": studio.project_id})][-1] == "later/frame0"


def test_a_project_is_named_by_its_folder_or_by_the_one_above_where_that_says_nothing():
    assert title_of("/photos/street") == "street"
    assert title_of("/photos/street/images") == "street"
    assert title_of("s3://cells/images/") == "cells"
    assert title_of("s3://images") == "images"
