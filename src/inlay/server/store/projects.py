"""Projects in the database."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from inlay.server import forms, wire
from inlay.server.folders import natural
from inlay.server.refusals import Refused
from inlay.server.tables import images, members, projects

SETTINGS: dict[str, Any] = {
    "consensus": 1,
    "strict": False,
    "honeypots": 0.0,
    "rate": 0.0,
    "packs": ["schema", "partition"],
    "rules": "",
    "assist_off": [],
    "assist_on": [],
}


def create(db: Connection, name: str, folder: str) -> int:
    """Number of a new project."""
    values = {
        "name": name,
        "folder": folder,
        "settings": SETTINGS,
        "classes_revision": 0,
        "created": time.time(),
    }
    result = db.execute(insert(projects).values(**values)).inserted_primary_key
    return int(result[0]) if result else 0


def row_of(db: Connection, project_id: int) -> Row[Any]:
    """The project's row."""
    return db.execute(select(projects).where(projects.c.project_id == project_id)).one()


def settings_of(project: Row[Any]) -> dict[str, Any]:
    """The project's settings, with what older ones lack."""
    return {**SETTINGS, **project.settings}


def of_folder(db: Connection, folder: str) -> int | None:
    """The project that was made of a folder."""
    return db.execute(select(projects.c.project_id).where(projects.c.folder == folder)).scalar()


def of_user(db: Connection, user_id: int, scans: Iterable[int]) -> list[forms.Project]:
    """The projects of a person."""
    query = (
        select(projects, members.c.role)
        .join_from(projects, members)
        .where(members.c.user_id == user_id)
        .order_by(projects.c.project_id)
    )
    return [_wire(db, row, scans) for row in db.execute(query).all()]


def read(db: Connection, project_id: int, user_id: int, scans: Iterable[int]) -> forms.Project:
    """One project, as a member sees it."""
    query = (
        select(projects, members.c.role)
        .join_from(projects, members)
        .where(projects.c.project_id == project_id, members.c.user_id == user_id)
    )
    row = db.execute(query).first()
    if row is None:
        raise Refused(404, "there is no such project, or it is not yours to see")
    return _wire(db, row, scans)


def _wire(db: Connection, row: Row[Any], scans: Iterable[int]) -> forms.Project:
    states = count_states(db, row.project_id)
    return forms.Project(
        project_id=row.project_id,
        name=row.name,
        role=row.role,
        images=sum(states.values()),
        scanning=row.project_id in scans,
        states=states,
        **settings_of(row),
    )


def count_states(db: Connection, project_id: int) -> dict[wire.State, int]:
    """How many images are in each state; people's own versions are not counted."""
    query = (
        select(images.c.state, func.count())
        .where(images.c.project_id == project_id, images.c.role != "copy")
        .group_by(images.c.state)
    )
    found: dict[str, int] = dict(db.execute(query).all())
    order: Sequence[wire.State] = ("todo", "labelling", "submitted", "returned", "accepted")
    return {state: found.get(state, 0) for state in order}


def change(db: Connection, project_id: int, changes: dict[str, Any]) -> None:
    """Change a project's name or settings."""
    row = row_of(db, project_id)
    name = changes.pop("name", row.name)
    settings = {**settings_of(row), **changes}
    mine = projects.c.project_id == project_id
    db.execute(update(projects).where(mine).values(name=name, settings=settings))


def image_names(db: Connection, project_id: int) -> dict[str, str]:
    """Path to name of the images of a project."""
    query = select(images.c.path, images.c.name).where(
        images.c.project_id == project_id, images.c.role != "copy"
    )
    return {row.path: row.name for row in db.execute(query)}


def add_images(db: Connection, project_id: int, named: Sequence[tuple[str, str]]) -> None:
    """Add images by (name, path)."""
    rows = [
        {"project_id": project_id, "name": name, "path": path, "sort_key": natural(name)}
        for name, path in named
    ]
    if rows:
        db.execute(insert(images), rows)


def forget_findings(db: Connection, project_id: int) -> None:
    """Forget what rules found: they have changed."""
    db.execute(update(images).where(images.c.project_id == project_id).values(findings=None))
