"""What was acknowledged is there: after `kill -9`, on a full disk, after a thousand faults."""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
import subprocess
import threading
import time

import pytest
from sqlalchemy import create_engine, inspect

from inlay.core.errors import InlayError
from inlay.server.database import Database
from inlay.server.store import documents
from inlay.server.tables import metadata

from .conftest import postgres_programs, run_studio
from .process import Forked, Server
from .talking import add_classes, drawing, facts, gesture, image_ids, key_of, refused, send, square

FAULTS = int(os.environ.get("INLAY_FAULTS", "3"))  # 1000 in the nightly run


def test_killing_the_server_in_the_middle_of_saves_loses_nothing_acknowledged(images, tmp_path):
    folder = tmp_path / "kept"
    chance = random.Random(3)
    acknowledged: list[str] = []
    pending = None
    for fault in range(FAULTS):
        server = Forked(images, folder)
        client = server.log_in()
        project = client.projects()[0]["project_id"]
        if not fault:
            add_classes(client, project, "car")
        car = client.request("GET", f"/api/projects/{project}/classes")["classes"][0]["class_id"]
        image = image_ids(client, project)[0]
        revision = see_all_is_there(client, image, acknowledged, pending)
        if pending is not None:  # the client sends again what was never answered
            revision = send(client, image, revision, pending)["revision"]
            acknowledged.append(pending["id"])
            pending = None
        timer = threading.Timer(chance.uniform(0.0, 0.25), server.kill)
        timer.start()
        while pending is None:
            pending = gesture([{"op": "create", "segment": facts(len(acknowledged), car), "above": None}])
            try:
                revision = send(client, image, revision, pending)["revision"]
            except InlayError:
                break
            acknowledged.append(pending["id"])
            pending = None
        timer.join()
        client.close()
    server = Forked(images, folder)
    client = server.log_in()
    see_all_is_there(client, image, acknowledged, pending)
    client.close()
    server.kill()


def see_all_is_there(client, image, acknowledged, pending) -> int:
    """Every acknowledged gesture stands in the history once, and the document is what they make."""
    history, after = [], 0
    while page := client.request("GET", f"/api/images/{image}/gestures?after={after}&limit=1000"):
        history += page
        after = page[-1]["revision"]
    ids = [entry["gesture"]["id"] for entry in history]
    assert ids[: len(acknowledged)] == acknowledged
    assert ids[len(acknowledged) :] in ([], [pending["id"]] if pending else [])
    document = client.document(image)
    assert document["revision"] == len(ids)
    assert {segment["key"] for segment in document["segments"]} == {
        entry["gesture"]["ops"][0]["segment"]["key"] for entry in history
    }
    return document["revision"]


def test_a_full_disk_is_said_and_what_was_saved_stays(small_studio):
    client = small_studio.log_in()
    (car,) = add_classes(client, small_studio.project_id, "car")
    image = image_ids(client, small_studio.project_id)[0]
    send(client, image, 0, gesture(drawing(1, car, square(0, 0))))
    before = client.document(image)
    engine = small_studio.studio.database.engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
    engine.dispose()

    def full(connection, _):
        connection.execute(f"PRAGMA max_page_count={pages}")

    from sqlalchemy import event

    event.listen(engine, "connect", full)
    words = {"op": "set", "key": None, "field": "image_tags", "before": [], "after": ["x" * 60] * 1}
    body = refused(507, send_many, client, image, words)
    assert "disk is full" in body["error"]
    event.remove(engine, "connect", full)
    engine.dispose()
    after = client.document(image)
    assert after["segments"] == before["segments"]
    revision = after["revision"]
    assert revision == len(client.request("GET", f"/api/images/{image}/gestures?limit=1000"))
    send(client, image, revision, gesture(drawing(2, car, square(20, 0))))
    assert len(client.document(image)["segments"]) == 2


def send_many(client, image, words):
    """Save until the disk is full."""
    after = words["after"]
    for number in range(1, 2000):
        tags = [f"{number:04d}{word:040d}" for word in range(50)]
        send(
            client, image, number, gesture([{**words, "before": [] if number == 1 else after, "after": tags}])
        )
        after = tags


def test_a_clock_that_jumps_changes_neither_the_order_nor_what_is_kept(small_studio, monkeypatch):
    client = small_studio.log_in()
    (car,) = add_classes(client, small_studio.project_id, "car")
    image = image_ids(client, small_studio.project_id)[0]
    client.document(image)
    now, clock = time.time(), time.time
    for number, jump in enumerate((0.0, 3600.0, -86_400.0, 0.0)):  # never past the end of the session
        monkeypatch.setattr(time, "time", lambda jump=jump: now + jump)
        made = gesture([{"op": "create", "segment": facts(number, car), "above": None}])
        assert send(client, image, number, made) == {"revision": number + 1}
        assert client.request("POST", f"/api/images/{image}/lock")["mine"]
    monkeypatch.setattr(time, "time", clock)
    history = client.request("GET", f"/api/images/{image}/gestures")
    assert [entry["revision"] for entry in history] == [1, 2, 3, 4]
    assert [row["key"] for row in client.document(image)["segments"]] == [key_of(n) for n in (3, 2, 1, 0)]


def test_a_database_that_fails_at_the_commit_keeps_nothing(small_studio, monkeypatch):
    client = small_studio.log_in()
    (car,) = add_classes(client, small_studio.project_id, "car")
    image = image_ids(client, small_studio.project_id)[0]
    send(client, image, 0, gesture(drawing(1, car, square(0, 0))))
    mine = gesture(drawing(2, car, square(20, 0)))
    keep = documents.add_to_journal

    def fail(*arguments, **options):
        keep(*arguments, **options)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(documents, "add_to_journal", fail)
    refused(507, send, client, image, 1, mine)
    monkeypatch.setattr(documents, "add_to_journal", keep)
    assert client.document(image)["revision"] == 1
    assert send(client, image, 1, mine) == {"revision": 2}
    assert [segment["key"] for segment in client.document(image)["segments"]] == [key_of(2), key_of(1)]


def test_a_copy_of_the_folder_is_a_backup(small_studio, images, tmp_path):
    client = small_studio.log_in()
    (car,) = add_classes(client, small_studio.project_id, "car")
    image = image_ids(client, small_studio.project_id)[0]
    send(client, image, 0, gesture(drawing(1, car, square(0, 0))))
    before = client.document(image)
    source = sqlite3.connect(tmp_path / "kept" / "studio.db")
    (tmp_path / "restored").mkdir()
    target = sqlite3.connect(tmp_path / "restored" / "studio.db")
    source.backup(target)
    source.close()
    target.close()
    send(client, image, 1, gesture(drawing(2, car, square(20, 0))))

    with run_studio(images, tmp_path / "restored") as restored:
        assert restored.log_in().document(image) == before


@pytest.fixture
def servers():
    """Starts servers, of which none outlives the test."""
    started = []

    def start(images, folder):
        started.append(Server(images, folder))
        return started[-1]

    yield start
    for server in started:
        server.kill()


@pytest.mark.parametrize("how", ["stopped", "running"])
def test_a_restored_backup_has_every_acknowledged_edit(images, tmp_path, servers, how):
    """The drill: edits on each image, a backup as the docs say, the studio destroyed, and back."""
    folder, backup = tmp_path / "kept", tmp_path / "backup"
    server = servers(images, folder)
    client = server.log_in()
    project = client.projects()[0]["project_id"]
    car, road = add_classes(client, project, "car", "road")
    for turn, image in enumerate(image_ids(client, project)):
        for number in range(4):
            ops = drawing(number, (car, road)[number % 2], square(12 * number, 3 * turn))
            send(client, image, number, gesture(ops))
        client.request("POST", f"/api/images/{image}/comments", {"text": f"see {turn}"})
    client.request("POST", f"/api/images/{image}/state", {"state": "submitted"})
    before = whole(client, project)
    if how == "stopped":
        server.kill()
        shutil.copytree(folder, backup)
    else:
        backup.mkdir()
        copy_while_somebody_draws(client, image_ids(client, project)[0], folder, backup, car)
        server.kill()
    client.close()
    shutil.rmtree(folder)
    shutil.copytree(backup, folder)
    server = servers(images, folder)
    client = server.log_in()
    after = whole(client, project)
    first = image_ids(client, project)[0]
    assert len(after["journals"][first]) >= len(before["journals"][first])
    for kept in before["journals"]:
        assert after["journals"][kept][: len(before["journals"][kept])] == before["journals"][kept]
    late = {first} if how == "running" else set()
    assert {i: d for i, d in after["documents"].items() if i not in late} == {
        i: d for i, d in before["documents"].items() if i not in late
    }
    kept_keys = [{row["key"] for row in each["documents"][first]["segments"]} for each in (before, after)]
    assert kept_keys[0] <= kept_keys[1]
    assert (after["classes"], after["comments"]) == (before["classes"], before["comments"])
    revision = after["documents"][first]["revision"]
    assert send(client, first, revision, gesture([])) == {"revision": revision + 1}  # and one works on
    client.close()


def test_a_dump_of_postgresql_brings_every_acknowledged_edit_back(
    postgres_cluster, postgres, images, tmp_path
):
    """The same drill for a team: `pg_dump` while the studio runs, `pg_restore` into an empty database."""
    import psycopg

    with run_studio(images, tmp_path / "kept", postgres) as studio:
        client = studio.log_in()
        (car,) = add_classes(client, studio.project_id, "car")
        for turn, image in enumerate(image_ids(client, studio.project_id)):
            for number in range(3):
                ops = drawing(number, car, square(12 * number, 3 * turn))
                send(client, image, number, gesture(ops))
            client.request("POST", f"/api/images/{image}/comments", {"text": f"see {turn}"})
        before = whole(client, studio.project_id)
        dump = tmp_path / "studio.dump"
        ask_postgres("pg_dump", "--format=custom", f"--file={dump}", postgres)
    again = f"{postgres}_again"
    with psycopg.connect(postgres_cluster, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {postgres.rsplit('/', 1)[1]}")
        connection.execute(f"CREATE DATABASE {again.rsplit('/', 1)[1]}")
    ask_postgres("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={again}", dump)
    with run_studio(images, tmp_path / "kept", again) as studio:
        client = studio.log_in()
        assert whole(client, studio.project_id) == before
        first = image_ids(client, studio.project_id)[0]
        assert send(client, first, 3, gesture([])) == {"revision": 4}  # and one works on


def ask_postgres(program, *arguments):
    """Run one of PostgreSQL's programs."""
    beside = postgres_programs()
    found = shutil.which(program, path=str(beside)) or shutil.which(program)
    if found is None:
        pytest.skip(f"there is no {program} on this machine: apt-get install postgresql-client")
    subprocess.run([found, *map(str, arguments)], check=True, capture_output=True)


def copy_while_somebody_draws(client, image, folder, backup, car):
    """What `sqlite3 studio.db ".backup copy.db"` does, gestures coming in meanwhile."""
    source, target = sqlite3.connect(folder / "studio.db"), sqlite3.connect(backup / "studio.db")
    revision = 4

    def draw(*_):
        nonlocal revision
        ops = [{"op": "create", "segment": facts(revision, car), "above": None}]
        revision = send(client, image, revision, gesture(ops))["revision"]
        assert revision < 40, "the backup starts again for ever"

    draw()
    source.backup(target, pages=64, progress=lambda _status, left, _total: left and revision < 12 and draw())
    source.close()
    target.close()


def whole(client, project):
    """Everything of a project that people made."""
    ids = image_ids(client, project)
    classes = client.request("GET", f"/api/projects/{project}/classes")["classes"]
    return {
        "classes": [{name: row[name] for name in row if name != "segments"} for row in classes],
        "documents": {image: client.document(image) for image in ids},
        "journals": {
            image: client.request("GET", f"/api/images/{image}/gestures?limit=1000") for image in ids
        },
        "comments": {image: client.request("GET", f"/api/images/{image}/comments") for image in ids},
    }


def test_the_migrations_make_the_tables_that_the_code_expects(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'made.db'}")
    wanted = create_engine("sqlite://")
    metadata.create_all(wanted)
    assert described(made.engine) == described(wanted)
    made.close()
    Database(f"sqlite:///{tmp_path / 'made.db'}").close()  # again: nothing to do
    wanted.dispose()


def test_the_migrations_make_the_same_tables_on_postgresql(postgres):
    made = Database(postgres.replace("postgresql://", "postgresql+psycopg://"))
    names = set(inspect(made.engine).get_table_names())
    assert names == {*metadata.tables, "alembic_version"}
    with made.reading() as db:
        collation = "SELECT collation_name FROM information_schema.columns WHERE column_name = 'sort_key'"
        assert db.exec_driver_sql(collation).scalar() == "C"
    made.close()


def described(engine):
    found = inspect(engine)
    tables = {name for name in found.get_table_names() if name != "alembic_version"}
    return {
        name: (
            sorted(
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in found.get_columns(name)
            ),
            sorted((index["name"], tuple(index["column_names"])) for index in found.get_indexes(name)),
            found.get_pk_constraint(name)["constrained_columns"],
            sorted(
                (key["constrained_columns"][0], key["referred_table"]) for key in found.get_foreign_keys(name)
            ),
            sorted(tuple(key["column_names"]) for key in found.get_unique_constraints(name)),
        )
        for name in tables
    }


def test_a_database_that_cannot_be_opened_is_named_without_its_password(tmp_path):
    with pytest.raises(InlayError, match="cannot be opened") as caught:
        Database("postgresql+psycopg://me:hunter2@127.0.0.1:1/none?connect_timeout=2")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(InlayError, match="INLAY_DATABASE is no database address"):
        Database("nonsense")
    (tmp_path / "studio.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(InlayError, match="cannot be opened"):
        Database(f"sqlite:///{tmp_path / 'studio.db'}")
    shutil.rmtree(tmp_path)
