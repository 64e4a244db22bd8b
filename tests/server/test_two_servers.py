"""Two server processes on one PostgreSQL: their labellers see each other, and nothing is spoilt."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from http.client import HTTPConnection

import pytest

from inlay.client import Client, StudioError
from inlay.server import relay
from inlay.server.store import documents

from .conftest import run_studio, wait_for_port
from .talking import add_classes, drawing, facts, gesture, image_ids, key_of, refused, send, square


@pytest.fixture
def first(images, tmp_path, postgres):
    with run_studio(images, tmp_path / "first", postgres) as found:
        yield found


@pytest.fixture
def second(first, images, tmp_path, postgres):
    """A client of another process on the same database."""
    run = "import sys; from inlay.cli import main; sys.exit(main())"
    options = ["--project", str(tmp_path / "second"), "--no-browser", "--port", "18830"]
    process = subprocess.Popen(
        [sys.executable, "-c", run, "label", str(images), *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "INLAY_DATABASE": postgres},
    )
    link = re.search(r"http\S+", process.stdout.readline())[0]
    wait_for_port(int(re.search(r":(\d+)/", link)[1]))
    with Client(link) as client:
        yield client
    process.terminate()
    process.wait()
    process.stdout.close()


class Listener:
    """Who listens to a project's events."""

    def __init__(self, client, project_id):
        address = client.__dict__["_address"].removeprefix("http://")
        self.connection = HTTPConnection(address, timeout=30)
        cookie = {"Cookie": client.__dict__["_cookie"]}
        self.connection.request("GET", f"/api/projects/{project_id}/events", headers=cookie)
        self.answer = self.connection.getresponse()
        assert self.answer.readline() == b"retry: 2000\n"

    def next(self):
        """The next event; None when the line ends."""
        while line := self.answer.readline():
            if line.startswith(b"data: "):
                return json.loads(line[6:])
        return None

    def close(self):
        self.answer.close()
        self.connection.close()


def test_what_is_done_at_one_server_is_heard_at_the_other(first, second):
    owner = first.log_in()
    (car,) = add_classes(owner, first.project_id, "car")
    image = image_ids(owner, first.project_id)[0]
    owner.document(image)
    here, there = Listener(owner, first.project_id), Listener(second, first.project_id)
    send(owner, image, 0, gesture(drawing(1, car, square(0, 0))))
    owner.request("POST", f"/api/images/{image}/lock")
    for each in (here, there):
        event = each.next()
        assert (event["kind"], event["image"], event["revision"]) == ("revision", image, 1)
        assert each.next()["kind"] == "lock"
    send(second, image, 1, gesture(drawing(2, car, square(20, 0))))
    for each in (here, there):  # each hears it once
        assert each.next()["revision"] == 2
    second.request("POST", f"/api/images/{image}/comments", {"text": "here too"})
    for each in (here, there):
        assert each.next()["kind"] == "comment"
        each.close()


def test_saves_at_two_servers_take_turns_and_none_is_lost(first, second):
    owner = first.log_in()
    (car,) = add_classes(owner, first.project_id, "car")
    image = image_ids(owner, first.project_id)[0]
    owner.document(image)
    for number in range(6):
        client, other = (owner, second) if number % 2 else (second, owner)
        made = gesture([{"op": "create", "segment": facts(number, car), "above": None}])
        send(client, image, number, made)
        body = refused(412, send, other, image, number, gesture(drawing(50 + number, car, square(0, 0))))
        assert [entry["gesture"]["id"] for entry in body["gestures"]] == [made["id"]]
        assert send(other, image, number, made) == {"revision": number + 1}  # the same again, elsewhere
    for client in (owner, second):
        document = client.document(image)
        assert [row["key"] for row in document["segments"]] == [key_of(n) for n in reversed(range(6))]


def test_a_class_that_one_server_takes_away_is_gone_at_the_other(first, second):
    owner = first.log_in()
    car, bus = add_classes(owner, first.project_id, "car", "bus")
    image = image_ids(owner, first.project_id)[0]
    owner.document(image)
    send(owner, image, 0, gesture(drawing(1, car, square(0, 0))))  # the first server has it in memory now
    path = f"/api/projects/{first.project_id}/classes"
    table = second.request("GET", path)
    rows = [{**row, "segments": None} for row in table["classes"] if row["class_id"] != bus]
    second.request("PUT", path, {"classes": rows}, headers={"If-Match": f'"{table["revision"]}"'})
    body = refused(409, send, owner, image, 1, gesture(drawing(2, bus, square(20, 0))))
    assert body["error"] == f"the project has no class {bus}"


def test_a_server_that_starts_leaves_the_jobs_of_another_alone(first, request):
    from inlay.server.tables import jobs

    owner = first.log_in()
    job = owner.request("POST", f"/api/projects/{first.project_id}/export", {"format": "coco"})["job_id"]
    first.studio.workers.wait()
    database = first.studio.database
    with database.writing() as db:
        db.execute(jobs.update().values(state="running"))
    second = request.getfixturevalue("second")
    assert second.request("GET", f"/api/jobs/{job}")["state"] == "running"


def test_listeners_come_back_when_the_line_between_servers_was_cut(first, monkeypatch):
    monkeypatch.setattr(relay, "AGAIN", 0.05)
    owner = first.log_in()
    listener = Listener(owner, first.project_id)
    with first.studio.database.engine.connect() as db:
        db.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            f" WHERE locktype = 'advisory' AND objid = {relay.UP}"
        )
    assert listener.next() is None  # the browser asks anew, for what it may have missed
    listener.close()
    listener = Listener(owner, first.project_id)
    add_classes(owner, first.project_id, "car")
    assert listener.next()["kind"] == "classes"
    listener.close()


def test_a_document_read_while_another_saves_is_of_one_revision(first, monkeypatch):
    owner, ann = first.log_in(), first.log_in("Ann", "labeller")
    (car,) = add_classes(owner, first.project_id, "car")
    image = image_ids(owner, first.project_id)[0]
    owner.document(image)
    send(owner, image, 0, gesture(drawing(1, car, square(0, 0))))
    load = documents.load

    def late(db, row):
        """Between the image's row and its segments somebody saves."""
        monkeypatch.setattr(documents, "load", load)
        send(ann, image, 1, gesture(drawing(2, car, square(20, 0))))
        return load(db, row)

    monkeypatch.setattr(documents, "load", late)
    document = owner.document(image)
    assert (document["revision"], len(document["segments"])) == (1, 1)
    document = owner.document(image)
    assert (document["revision"], len(document["segments"])) == (2, 2)


def test_connections_that_were_cut_while_they_rested_are_made_anew(first, monkeypatch):
    from inlay.server import database

    monkeypatch.setattr(database, "RESTED", 0.0)
    owner = first.log_in()
    (car,) = add_classes(owner, first.project_id, "car")
    image = image_ids(owner, first.project_id)[0]
    owner.document(image)
    with first.studio.database.engine.connect() as db:
        db.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    try:
        revision = send(owner, image, 0, gesture(drawing(1, car, square(0, 0))))["revision"]
    except StudioError as error:
        pytest.fail(f"the studio refused: {error}")
    assert owner.document(image)["revision"] == revision == 1
