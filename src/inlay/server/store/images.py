"""Images in the database: lists in natural order, page by page."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)

from inlay.core.errors import FormatError
from inlay.core.images import image_size
from inlay.server import forms
from inlay.server.folders import open_folder
from inlay.server.refusals import Refused
from inlay.server.store import people
from inlay.server.store.projects import row_of, settings_of
from inlay.server.tables import findings, gestures, images, projects, segments

if TYPE_CHECKING:
    from inlay.server.access import Access
    from inlay.server.studio import Studio


@dataclass(frozen=True)
class Wanted:
    """Which images to list; None: whichever."""

    q: str | None = None
    state: str | None = None
    tag: str | None = None
    class_id: int | None = None
    finding: str | None = None
    person: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        of_image = segments.c.image_id == images.c.image_id
        found: list[ColumnElement[bool]] = []
        if self.q:
            found.append(images.c.name.icontains(self.q, autoescape=True))
        if self.state:
            found.append(images.c.state == self.state)
        if self.tag:
            quoted = json.dumps(self.tag)
            on_segment = exists().where(
                of_image, cast(segments.c.tags, Text).contains(quoted, autoescape=True)
            )
            found.append(or_(cast(images.c.image_tags, Text).contains(quoted, autoescape=True), on_segment))
        if self.class_id is not None:
            found.append(exists().where(of_image, segments.c.class_id == self.class_id))
        if self.finding:
            found.append(images.c.findings > 0)  # unknown since the last gesture: those kept are out of date
            if self.finding != "any":
                of_rule = findings.c.image_id == images.c.image_id, findings.c.rule == self.finding
                found.append(exists().where(*of_rule))
        if self.person is not None:
            drew = exists().where(gestures.c.image_id == images.c.image_id, gestures.c.user_id == self.person)
            found.append(or_(images.c.assignee == self.person, drew))
        return found


def visible(who: Access, project: Row[Any]) -> list[ColumnElement[bool]]:
    """What a person sees of a project's images.

    Reviewers see all but people's own versions, which they find with their image. Labellers see neither the
    truth of honeypots nor another's version; where several label each image, their own versions alone.
    """
    if who.reviews:
        return [images.c.role != "copy"]
    mine = and_(images.c.role == "copy", images.c.assignee == who.user_id)
    if settings_of(project)["consensus"] > 1:
        return [mine]
    return [or_(images.c.role == "", mine)]


def page(who: Access, wanted: Wanted, *, after: str | None, limit: int) -> forms.ImagePage:
    """Images in the order of their names, after a cursor."""
    with who.studio.database.reading() as db:
        conditions = [
            images.c.project_id == who.project_id,
            *visible(who, row_of(db, who.project_id)),
            *wanted.conditions(),
        ]
        query = (
            select(images).where(*conditions).order_by(images.c.sort_key, images.c.image_id).limit(limit + 1)
        )
        if after:
            query = query.where(tuple_(images.c.sort_key, images.c.image_id) > tuple_(*_read_cursor(after)))
        rows = db.execute(query).all()
        total = db.execute(select(func.count()).select_from(images).where(*conditions)).scalar_one()
        return forms.ImagePage(
            images=to_wire(db, rows[:limit]),
            next=_cursor(rows[limit - 1]) if len(rows) > limit else None,
            total=total,
            scanning=who.project_id in who.studio.scans,
        )


def broken_rules(who: Access) -> list[forms.BrokenRule]:
    """The rules that found something in the images one sees, those of most images first."""
    many = func.count(images.c.image_id.distinct())
    with who.studio.database.reading() as db:
        query = (
            select(findings.c.rule, many.label("images"))
            .join_from(findings, images)
            .where(
                images.c.project_id == who.project_id,
                images.c.findings > 0,
                *visible(who, row_of(db, who.project_id)),
            )
            .group_by(findings.c.rule)
            .order_by(many.desc(), findings.c.rule)
        )
        return [forms.BrokenRule(rule=row.rule, images=row.images) for row in db.execute(query)]


def _cursor(row: Row[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.sort_key, row.image_id]).encode()).decode()


def _read_cursor(after: str) -> tuple[str, int]:
    try:
        key, image_id = json.loads(base64.urlsafe_b64decode(after))
        return str(key), int(image_id)
    except (ValueError, TypeError, binascii.Error):
        raise Refused(422, "`after` is no cursor: take `next` of the page before") from None


def to_wire(db: Connection, rows: Sequence[Row[Any]]) -> list[forms.ImageRow]:
    """Rows as they are sent."""
    now = time.time()
    ids = {each for row in rows for each in (row.assignee, row.locked_by) if each is not None}
    users = people.names(db, ids)
    return [forms.ImageRow(**_values(row, users, now)) for row in rows]


def _values(row: Row[Any], users: dict[int, forms.User], now: float) -> dict[str, Any]:
    pixels = (row.width or 0) * (row.height or 0)
    return {
        "image_id": row.image_id,
        "name": row.name,
        "size": (row.width, row.height) if pixels else None,
        "state": row.state,
        "revision": row.revision,
        "assignee": users.get(row.assignee),
        "locked_by": users.get(row.locked_by) if row.locked_until > now else None,
        "segments": row.segments,
        "proposed": row.proposed,
        "findings": row.findings,
        "coverage": row.covered / pixels if pixels else 0.0,
        "comments": row.comments,
        "seconds": row.seconds,
        "group": row.group_name,
        "frame": row.frame,
        "role": row.role,
    }


_PLAIN = (
    select(images, projects.c.settings, projects.c.classes_revision)
    .join_from(images, projects)
    .where(images.c.image_id == bindparam("image"), images.c.project_id == bindparam("project"))
)
_LOCKED = _PLAIN.with_for_update(of=images)


def visible_row(
    db: Connection, who: Access, image_id: int, *, locked: bool = False, elsewhere: bool = False
) -> Row[Any]:
    """The row of an image that a person may see, with its project's settings and revision of classes.

    `locked` holds other writers off until the transaction ends; `elsewhere`: its number was not in the path.

    Raises
    ------
    Refused
        With 404 where there is none that he may see.
    """
    query = _LOCKED if locked else _PLAIN
    row = db.execute(query, {"image": image_id, "project": who.project_id}).first()
    if row is None or not (who.reviews or _labeller_sees(who, row)):
        words = (
            "there is no such image in this project"
            if elsewhere
            else "there is no such image, or it is not yours to see"
        )
        raise Refused(404, words)
    return row


def _labeller_sees(who: Access, row: Row[Any]) -> bool:
    if row.role == "copy":
        return bool(row.assignee == who.user_id)
    return bool(row.role == "" and settings_of(row)["consensus"] == 1)


def read(who: Access, image_id: int) -> forms.Image:
    """One image and its neighbours."""
    need_size(who.studio, image_id)
    with who.studio.database.reading() as db:
        row = visible_row(db, who, image_id)
        seen = [images.c.project_id == who.project_id, *visible(who, row_of(db, who.project_id))]
        place, mine = tuple_(images.c.sort_key, images.c.image_id), tuple_(row.sort_key, row.image_id)
        up, down = (
            (images.c.sort_key, images.c.image_id),
            (images.c.sort_key.desc(), images.c.image_id.desc()),
        )
        following = select(images.c.image_id).where(*seen, place > mine).order_by(*up).limit(1)
        preceding = select(images.c.image_id).where(*seen, place < mine).order_by(*down).limit(1)
        same = following.where(images.c.group_name == row.group_name) if row.group_name else following
        return forms.Image(
            **to_wire(db, [row])[0].model_dump(),
            project_id=who.project_id,
            previous=db.execute(preceding).scalar(),
            next=db.execute(following).scalar(),
            next_frame=db.execute(same).scalar(),
        )


def need_size(studio: Studio, image_id: int) -> None:
    """See that the size of an image is known: its file is looked at the first time.

    Raises
    ------
    Refused
        With 422 when the file is no image.
    """
    if image_id in studio.sized:
        return
    with studio.database.reading() as db:
        query = select(images.c.width, images.c.path, projects.c.folder).join_from(images, projects)
        row = db.execute(query.where(images.c.image_id == image_id)).first()
    if row is not None and row.width is not None:
        studio.sized.add(image_id)
    if row is None or row.width is not None:
        return
    file = open_folder(row.folder, studio.settings.folder / "cache" / "files").local(row.path)
    try:
        height, width = image_size(file)
    except FormatError as error:
        raise Refused(422, f"{row.path}: {error.what}") from None
    if height * width > studio.settings.max_pixels:
        most = studio.settings.max_pixels
        words = f"{width}x{height} pixels are over the studio's limit of {most}: tile it first"
        raise Refused(422, f"{row.path}: {words}")
    with studio.database.writing() as db:
        db.execute(update(images).where(images.c.image_id == image_id).values(width=width, height=height))
