"""Classes in the database; their numbers stay, whatever they are renamed to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, func, insert, select, update

from inlay.core.classes import Classes, SegmentClass, distinct_colour
from inlay.server import forms
from inlay.server.refusals import Refused
from inlay.server.store.instants import instant
from inlay.server.store.projects import row_of
from inlay.server.tables import class_changes, classes, projects, segments

COLUMNS = ("name", "kind", "colour", "parent", "hotkey", "new")


def read(db: Connection, project_id: int) -> forms.ClassTable:
    """The classes of a project, with how many segments have each."""
    rows = db.execute(
        select(classes).where(classes.c.project_id == project_id).order_by(classes.c.place)
    ).all()
    counts = _counts(db, [row.class_id for row in rows])
    table = [
        forms.ClassRow(
            class_id=row.class_id,
            segments=counts.get(row.class_id, 0),
            **{name: getattr(row, name) for name in COLUMNS},
        )
        for row in rows
    ]
    return forms.ClassTable(revision=row_of(db, project_id).classes_revision, classes=table)


def _counts(db: Connection, ids: Sequence[int]) -> dict[int, int]:
    query = select(segments.c.class_id, func.count()).where(segments.c.class_id.in_(ids))
    found: dict[int, int] = dict(db.execute(query.group_by(segments.c.class_id)).all())
    return found


def write(db: Connection, project_id: int, rows: Sequence[forms.ClassRow], based_on: int) -> forms.ClassTable:
    """Replace the table of classes.

    Raises
    ------
    Refused
        412 when somebody changed it since; 409 when a class that segments have would go, or names clash.
    """
    project = db.execute(select(projects).where(projects.c.project_id == project_id).with_for_update()).one()
    if project.classes_revision != based_on:
        raise Refused(
            412, f"somebody changed the classes first: they are at revision {project.classes_revision}"
        )
    now = {row.class_id: row for row in read(db, project_id).classes}
    _see_table(rows, now.keys())
    kept = {row.class_id for row in rows if row.class_id is not None}
    gone = [row for class_id, row in now.items() if class_id not in kept]
    used = [row for row in gone if row.segments]
    if used:
        words = ", ".join(f"{row.name} ({row.segments})" for row in used)
        raise Refused(409, f"segments have these classes: {words}; merge them into another class instead")
    for row in gone:
        db.execute(delete(classes).where(classes.c.class_id == row.class_id))
    for place, row in enumerate(rows):
        values = {**{name: getattr(row, name) for name in COLUMNS}, "place": place}
        if row.class_id is None:
            db.execute(insert(classes).values(project_id=project_id, **values))
        else:
            db.execute(update(classes).where(classes.c.class_id == row.class_id).values(**values))
    _touch(db, project_id)
    return read(db, project_id)


def _touch(db: Connection, project_id: int) -> None:
    mine = projects.c.project_id == project_id
    db.execute(update(projects).where(mine).values(classes_revision=projects.c.classes_revision + 1))


def _see_table(rows: Sequence[forms.ClassRow], known: Iterable[int | None]) -> None:
    ids = [row.class_id for row in rows if row.class_id is not None]
    unknown = set(ids) - set(known)
    if unknown:
        raise Refused(409, f"the project has no class {min(unknown)}: leave class_id out for a new one")
    for what, values in (
        ("class_id", ids),
        ("name", [row.name for row in rows]),
        ("hotkey", [row.hotkey for row in rows if row.hotkey]),
    ):
        twice = next((value for place, value in enumerate(values) if value in values[:place]), None)
        if twice is not None:
            raise Refused(409, f"{what} {twice!r} stands twice")


def create(db: Connection, project_id: int, row: forms.ClassRow, source_id: int | None = None) -> int:
    """Number of a new class, after the others."""
    query = select(func.coalesce(func.max(classes.c.place), -1)).where(classes.c.project_id == project_id)
    values = {name: getattr(row, name) for name in COLUMNS}
    place = db.execute(query).scalar_one() + 1
    key = db.execute(
        insert(classes).values(project_id=project_id, place=place, source_id=source_id, **values)
    ).inserted_primary_key
    _touch(db, project_id)
    return int(key[0]) if key else 0


def take_in(db: Connection, project_id: int, these: Classes) -> list[int]:
    """The project's class number of each class of a dataset, by name; new ones are made."""
    known = {row.name: row.class_id for row in read(db, project_id).classes}
    found: list[int] = []
    for item in these:
        class_id = known.get(item.name)
        if class_id is None:
            colour = "#{:02x}{:02x}{:02x}".format(*(item.colour or distinct_colour(len(known))))
            name = item.name[:120] or "?"
            row = forms.ClassRow(
                name=name, kind=item.kind, colour=colour, parent=item.parent[:120], segments=None
            )
            class_id = create(db, project_id, row, item.source_id)
            known[item.name] = class_id
        found.append(class_id)
    return found


def core(db: Connection, project_id: int) -> tuple[Classes, dict[int, int]]:
    """The classes as the core knows them, and the row of each class number."""
    query = select(classes).where(classes.c.project_id == project_id).order_by(classes.c.place)
    rows = db.execute(query).all()
    items = tuple(
        SegmentClass(row.name, row.kind, _colour(row.colour), row.parent, row.source_id) for row in rows
    )
    return Classes(items), {row.class_id: place for place, row in enumerate(rows)}


def _colour(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def add_change(db: Connection, project_id: int, kind: str, author: str, words: str) -> int:
    """Number of a merge or split that is being made."""
    values = {"project_id": project_id, "kind": kind, "author": author, "words": words}
    key = db.execute(
        insert(class_changes).values(**values, at=time.time(), undone=False)
    ).inserted_primary_key
    return int(key[0]) if key else 0


def changes(db: Connection, project_id: int) -> list[forms.ClassChange]:
    """Merges and splits, the latest first."""
    query = (
        select(class_changes)
        .where(class_changes.c.project_id == project_id)
        .order_by(class_changes.c.change_id.desc())
    )
    return [
        forms.ClassChange(
            change_id=row.change_id,
            kind=row.kind,
            at=instant(row.at),
            author=row.author,
            words=row.words,
            undone=row.undone,
        )
        for row in db.execute(query)
    ]


def mark_undone(db: Connection, project_id: int, change_id: int) -> None:
    """Mark a change as taken back."""
    mine = (class_changes.c.project_id == project_id) & (class_changes.c.change_id == change_id)
    done = db.execute(
        update(class_changes).where(mine, class_changes.c.undone.is_(False)).values(undone=True)
    )
    if not done.rowcount:
        raise Refused(404, "there is no such change, or it has been taken back")
