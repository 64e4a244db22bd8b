"""Comments in the database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select, update

from inlay.server import forms, wire
from inlay.server.store import images
from inlay.server.store.instants import instant
from inlay.server.tables import comments
from inlay.server.tables import images as image_table

if TYPE_CHECKING:
    from inlay.server.access import Access


def of_image(who: Access, image_id: int) -> list[wire.Comment]:
    """All comments on an image."""
    with who.studio.database.reading() as db:
        images.visible_row(db, who, image_id)
        query = select(comments).where(comments.c.image_id == image_id).order_by(comments.c.comment_id)
        return [_wire(row) for row in db.execute(query)]


def _wire(row: Row[Any]) -> wire.Comment:
    return wire.Comment(
        comment_id=row.comment_id,
        image_id=row.image_id,
        author=row.author,
        at=instant(row.at),
        text=row.text,
        box=row.box,
        region=row.region,
        resolved=row.resolved,
    )


def add(who: Access, image_id: int, body: wire.NewComment) -> wire.Comment:
    """Add a comment."""
    with who.studio.database.writing() as db:
        images.visible_row(db, who, image_id)
        comment_id = insert_comment(db, image_id, who.session.name, body)
        comment = _read(db, comment_id)
    who.studio.events.tell(who.project_id, forms.Event(kind="comment", image=image_id, by=who.session.name))
    return comment


def insert_comment(db: Connection, image_id: int, author: str, body: wire.NewComment) -> int:
    """Number of a new comment."""
    values = {
        **body.model_dump(),
        "image_id": image_id,
        "author": author,
        "at": time.time(),
        "resolved": False,
    }
    key = db.execute(insert(comments).values(**values)).inserted_primary_key
    _count(db, image_id)
    return int(key[0]) if key else 0


def _read(db: Connection, comment_id: int) -> wire.Comment:
    return _wire(db.execute(select(comments).where(comments.c.comment_id == comment_id)).one())


def _count(db: Connection, image_id: int) -> None:
    query = select(func.count()).where(comments.c.image_id == image_id, comments.c.resolved.is_(False))
    db.execute(
        update(image_table).where(image_table.c.image_id == image_id).values(comments=query.scalar_subquery())
    )


def resolve(who: Access, comment_id: int, *, resolved: bool) -> wire.Comment:
    """Mark a comment."""
    with who.studio.database.writing() as db:
        comment = _read(db, comment_id)
        images.visible_row(db, who, comment.image_id)
        db.execute(update(comments).where(comments.c.comment_id == comment_id).values(resolved=resolved))
        _count(db, comment.image_id)
        comment = _read(db, comment_id)
    who.studio.events.tell(
        who.project_id, forms.Event(kind="comment", image=comment.image_id, by=who.session.name)
    )
    return comment
