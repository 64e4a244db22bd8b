"""Who may do what: every route of the OpenAPI document, for every kind of person."""

from __future__ import annotations

import json
import uuid

import pytest

from inlay.client import Client, StudioError
from inlay.server.openapi import document
from inlay.server.store import access, people

from .conftest import draw_images, run_studio
from .talking import add_classes, drawing, gesture, image_ids, refused, send, square

ROUTES = [
    (method.upper(), path, operation["x-role"])
    for path, operations in json.loads(document())["paths"].items()
    for method, operation in operations.items()
]
ROLES = ["labeller", "reviewer", "owner"]
DENIED = ("nobody is logged in", "this needs the role", "only the person who started", "not yours to see")
ENDLESS = "/api/projects/{project_id}/events"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A studio with a project, one of every object in it, and one person of each kind."""
    folder = tmp_path_factory.mktemp("town")
    images = draw_images(folder / "photos")
    with run_studio(images, folder / "kept", heavy=10_000) as studio:
        owner = studio.log_in()
        people_of = {"owner": owner, "stranger": studio.log_in("stranger")}
        for role in ("labeller", "reviewer"):
            people_of[role] = studio.log_in(role, role)
        (car,) = add_classes(owner, studio.project_id, "car")
        image = image_ids(owner, studio.project_id)[0]
        send(owner, image, 0, gesture(drawing(1, car, square(0, 0))))
        comment = owner.request("POST", f"/api/images/{image}/comments", {"text": "look"})
        spare = studio.log_in("spare", "labeller").user["user_id"]
        versions = owner.request("POST", f"/api/images/{image}/copies", {"people": [spare]})
        job = owner.request("POST", f"/api/projects/{studio.project_id}/export", {"format": "native"})
        owner.wait(job)
        studio.places = {
            "project_id": studio.project_id,
            "image_id": image,
            "comment_id": comment["comment_id"],
            "job_id": job["job_id"],
            "user_id": spare,
            "change_id": 1,
            "copy_id": versions[1]["image_id"],
        }
        studio.people = people_of
        yield studio


def answer(client, method, path, places, body=None):
    """Status and words of an answer; a body of nothing, which no route takes."""
    try:
        client.request(method, path.format(**places), body, raw=True)
    except StudioError as error:
        return error.status, str(error)
    return 200, ""


def is_denied(status, words):
    return status in (401, 403, 404) and any(each in words for each in DENIED)


def may(kind: str, role: str) -> bool:
    if role == "person":
        return True
    if role == "admin":
        return kind == "owner"  # who started the studio
    return kind in ROLES and ROLES.index(kind) >= ROLES.index(role)


@pytest.mark.parametrize(("method", "path", "role"), ROUTES, ids=lambda value: str(value))
def test_a_route_lets_in_whom_it_says_and_nobody_else(town, method, path, role):
    assert role in ("anybody", "person", "admin", *ROLES)
    if role == "anybody":
        return
    kinds = ["stranger", "labeller", "reviewer", "owner"]
    for kind in kinds:
        if may(kind, role) and (path == ENDLESS or (method, path) == ("DELETE", "/api/session")):
            continue  # an endless stream; the end of the session that the others need
        status, words = answer(town.people[kind], method, path, town.places)
        assert is_denied(status, words) != may(kind, role), (kind, status, words)
        assert status < 500 or status == 503, (kind, words)


@pytest.mark.parametrize(("method", "path", "role"), ROUTES, ids=lambda value: str(value))
def test_without_a_session_nothing_answers(town, method, path, role):
    if role == "anybody":
        return
    nobody = town.people["owner"].__class__.__new__(Client)
    nobody.__dict__.update(town.people["owner"].__dict__, _cookie="")
    status, words = answer(nobody, method, path, town.places)
    assert (status, words.split(":")[0]) == (401, "nobody is logged in")
    nobody.__dict__["_cookie"] = town.people["owner"].__dict__["_cookie"].split("=")[0] + "=guess"
    assert answer(nobody, method, path, town.places)[0] == 401


@pytest.mark.parametrize(
    ("method", "path"), [(m, p) for m, p, role in ROUTES if m != "GET" and role != "anybody"]
)
def test_a_write_without_the_token_of_the_session_is_refused(town, method, path):
    forged = Client.__new__(Client)
    forged.__dict__.update(town.people["owner"].__dict__, _token="")
    assert answer(forged, method, path, town.places)[0] == 403
    forged.__dict__["_token"] = town.people["labeller"].__dict__["_token"]  # somebody else's
    assert answer(forged, method, path, town.places)[0] == 403


@pytest.fixture
def two_projects(tmp_path):
    """Two projects of two owners in one studio."""
    images = draw_images(tmp_path / "photos")
    draw_images(images / "more")
    with run_studio(images, tmp_path / "kept") as studio:
        admin = studio.log_in()
        other = admin.request("POST", "/api/projects", {"name": "more", "folder": str(images / "more")})
        studio.studio.workers.wait()
        eve = studio.log_in("eve")
        with studio.studio.database.writing() as db:
            people.join(db, other["project_id"], eve.user["user_id"], "owner")
        yield studio, admin, eve, other["project_id"]


def test_objects_of_another_project_cannot_be_named_in_a_body_or_a_second_place(two_projects):
    studio, admin, eve, hers = two_projects
    (car,) = add_classes(admin, studio.project_id, "car")
    (bus,) = add_classes(eve, hers, "bus")
    mine, image = image_ids(admin, studio.project_id)[0], image_ids(eve, hers)[0]
    send(admin, mine, 0, gesture(drawing(1, car, square(0, 0))))
    send(eve, image, 0, gesture(drawing(2, bus, square(0, 0))))
    before = admin.document(mine)
    base = f"/api/projects/{hers}"
    refused(404, eve.request, "GET", f"/api/images/{mine}/document")
    refused(404, eve.request, "POST", f"/api/images/{image}/propagate", {"to": mine})
    refused(404, eve.request, "POST", f"{base}/assign", {"images": [mine], "user_id": None})
    refused(404, eve.request, "POST", f"{base}/assign", {"images": [image], "user_id": studio.owner + 999})
    refused(404, eve.request, "POST", f"{base}/classes/merge", {"from": [car], "into": bus})
    refused(404, eve.request, "POST", f"/api/images/{image}/copies", {"people": [9999]})
    refused(404, eve.request, "POST", f"/api/images/{image}/take/{mine}")
    part = {"row": {"name": "x", "kind": "thing", "colour": "#000000"}}
    part["segments"] = [{"image_id": mine, "key": before["segments"][0]["key"]}]
    eve.wait(eve.request("POST", f"{base}/classes/split", {"class_id": bus, "into": [part]}))
    rows = [{"class_id": car, "name": "stolen", "kind": "thing", "colour": "#000000"}]
    table = eve.request("GET", f"{base}/classes")
    match = {"If-Match": f'"{table["revision"]}"'}
    refused(409, eve.request, "PUT", f"{base}/classes", {"classes": rows}, headers=match)
    assert admin.document(mine) == before


def test_projects_are_made_of_the_studios_folders_alone(small_studio, tmp_path):
    admin = small_studio.log_in()
    for folder in (
        "/etc",
        str(tmp_path),
        f"{tmp_path}/photos/../..",
        "file:///etc",
        "http://127.0.0.1/",
        "..",
    ):
        refused(403, admin.request, "POST", "/api/projects", {"name": "x", "folder": folder})


def test_a_link_works_once(small_studio):
    with small_studio.studio.database.writing() as db:
        token = access.new_link(db, small_studio.owner)
    Client(f"{small_studio.address}/enter#{token}").close()
    with pytest.raises(StudioError, match="has been used"):
        Client(f"{small_studio.address}/enter#{token}")
    with pytest.raises(StudioError, match="has been used"):
        Client(f"{small_studio.address}/enter#{uuid.uuid4()}")


def test_there_is_no_way_to_register(small_studio):
    assert not [path for _, path, role in ROUTES if role == "anybody" and path != "/api/session"]
    with pytest.raises(StudioError, match="name or password is wrong"):
        Client(small_studio.address, name="new", password="longenough1")


def test_an_invited_person_sets_a_password_and_its_change_ends_other_sessions(small_studio):
    owner = small_studio.log_in()
    members = f"/api/projects/{small_studio.project_id}/members"
    invited = owner.request("POST", members, {"name": "Ann", "role": "reviewer"})
    ann = Client(small_studio.address + invited["link"])
    refused(422, ann.request, "PUT", "/api/session/password", {"password": "short"})
    ann.request("PUT", "/api/session/password", {"password": "long enough, Ann"})
    again = Client(small_studio.address, name="Ann", password="long enough, Ann")
    assert again.request("GET", "/api/session")["has_password"]
    refused(403, again.request, "PUT", "/api/session/password", {"password": "another long one"})
    new = {"password": "another long one", "old": "long enough, Ann"}
    again.request("PUT", "/api/session/password", new)
    refused(401, ann.request, "GET", "/api/session")
    again.request("DELETE", "/api/session")
    refused(401, again.request, "GET", "/api/session")
    for client in (ann, again):
        client.close()


def test_guessing_passwords_is_slowed_down(images, tmp_path):
    with run_studio(images, tmp_path / "kept", logins=5) as studio:
        statuses = []
        for number in range(12):
            with pytest.raises(StudioError) as caught:
                Client(studio.address, name="me", password=f"guess {number}")
            statuses.append(caught.value.status)
    assert statuses == [401] * 5 + [429] * 7


def test_labellers_see_themselves_and_their_reviewers(small_studio):
    owner = small_studio.log_in()
    ann, _ = small_studio.log_in("Ann", "labeller"), small_studio.log_in("Bob", "labeller")
    path = f"/api/projects/{small_studio.project_id}/members"
    assert [member["name"] for member in owner.request("GET", path)] == ["Ann", "Bob", "me"]
    assert [member["name"] for member in ann.request("GET", path)] == ["Ann", "me"]
    refused(409, owner.request, "DELETE", f"{path}/{small_studio.owner}")
    refused(409, owner.request, "PATCH", f"{path}/{small_studio.owner}", {"role": "labeller"})
    assert owner.request("PATCH", f"{path}/{ann.user['user_id']}", {"role": "owner"})["role"] == "owner"
    owner.request("PATCH", f"{path}/{small_studio.owner}", {"role": "labeller"})
    refused(403, owner.request, "GET", f"/api/projects/{small_studio.project_id}/dashboard")
