"""Work: whose turn it is, who holds an image, and what state it is in."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, and_, case, func, insert, or_, select, update

from inlay.server import forms, wire
from inlay.server.refusals import Refused
from inlay.server.store import comments, images, people
from inlay.server.store.instants import instant
from inlay.server.store.projects import row_of, settings_of
from inlay.server.tables import images as table
from inlay.server.tables import state_changes

if TYPE_CHECKING:
    from inlay.server.access import Access

LOCK_SECONDS = 90.0
UNFINISHED = ("todo", "labelling", "returned")
MOVES: dict[str, dict[str, tuple[str, ...]]] = {  # role: to: from
    "labeller": {"labelling": ("todo", "returned", "submitted"), "submitted": UNFINISHED},
    "reviewer": {
        "todo": ("labelling", "submitted", "returned", "accepted"),
        "labelling": ("todo", "returned", "submitted", "accepted"),
        "submitted": (*UNFINISHED, "accepted"),
        "accepted": ("submitted", "returned", *UNFINISHED),
        "returned": ("submitted", "accepted", "labelling"),
    },
}


def see_writable(image: Row[Any], who: Access) -> None:
    """Refuse a person's gestures on an image that is done, or, where the project is strict, another's."""
    if who.reviews:
        return
    if image.state == "accepted":  # 423 and not 409: the client keeps the gestures until it is returned
        raise Refused(423, "the image is accepted: a reviewer can return it")
    _see_allowed(image, who)


def _see_allowed(image: Row[Any], who: Access) -> None:
    """Two people on one image get a merge; only a project that says so keeps them apart."""
    if image.assignee in (None, who.user_id) or not settings_of(image)["strict"]:
        return
    raise Refused(403, "the image is assigned to somebody else, and this project assigns strictly")


def next_image(who: Access) -> forms.NextImage:
    """Lock the next image for a person."""
    with who.studio.database.writing() as db:
        settings = settings_of(row_of(db, who.project_id))
        row = _own(db, who)
        if row is None and random.random() < settings["honeypots"]:
            row = _honeypot(db, who)
        if row is None:
            row = _shared(db, who, settings["consensus"]) if settings["consensus"] > 1 else _free(db, who)
        if row is None:
            return forms.NextImage(image=None)
        _take(db, row.image_id, who.user_id)
        image = images.to_wire(db, [images.visible_row(db, who, row.image_id)])[0]
    who.studio.events.tell(who.project_id, forms.Event(kind="lock", image=row.image_id, by=who.session.name))
    return forms.NextImage(image=image)


def _first(db: Connection, who: Access, *conditions: Any, order: Any = ()) -> Row[Any] | None:
    query = (
        select(table)
        .where(table.c.project_id == who.project_id, *conditions)
        .order_by(*order, table.c.sort_key, table.c.image_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return db.execute(query).first()


def _own(db: Connection, who: Access) -> Row[Any] | None:
    """What the person was given or has begun: returned first, then begun, then assigned."""
    rank = case((table.c.state == "returned", 0), (table.c.state == "labelling", 1), else_=2)
    mine = and_(table.c.assignee == who.user_id, table.c.state.in_(UNFINISHED), table.c.role != "truth")
    return _first(db, who, mine, order=(rank,))


def _free(db: Connection, who: Access) -> Row[Any] | None:
    open_now = or_(table.c.locked_until < time.time(), table.c.locked_by == who.user_id)
    return _first(
        db,
        who,
        table.c.role == "",
        table.c.assignee.is_(None),
        table.c.state.in_(("todo", "labelling")),
        open_now,
    )


def _copies_of(image: Any, *conditions: Any) -> Any:
    other = table.alias("other")
    named = [condition(other) for condition in conditions]
    return select(func.count()).select_from(other).where(other.c.original == image, *named).scalar_subquery()


def _shared(db: Connection, who: Access, wanted_people: int) -> Row[Any] | None:
    """The person's own version of an image that not enough people have."""
    wanted = and_(
        table.c.role == "",
        table.c.state.in_(UNFINISHED),
        _copies_of(table.c.image_id) < wanted_people,
        _copies_of(table.c.image_id, lambda other: other.c.assignee == who.user_id) == 0,
    )
    row = _first(db, who, wanted)
    return None if row is None else add_copy(db, row, who.user_id)


def _honeypot(db: Connection, who: Access) -> Row[Any] | None:
    unseen = _copies_of(table.c.image_id, lambda other: other.c.assignee == who.user_id) == 0
    row = _first(db, who, table.c.role == "truth", unseen)
    return None if row is None else add_copy(db, row, who.user_id)


def add_copy(db: Connection, image: Row[Any], user_id: int) -> Row[Any]:
    """A person's own empty version of an image."""
    same = ("project_id", "name", "path", "sort_key", "width", "height", "group_name", "frame", "split")
    values = {name: getattr(image, name) for name in same}
    key = db.execute(
        insert(table).values(**values, role="copy", original=image.image_id, assignee=user_id)
    ).inserted_primary_key
    assert key is not None
    return db.execute(select(table).where(table.c.image_id == key[0])).one()


def _take(db: Connection, image_id: int, user_id: int) -> float:
    until = time.time() + LOCK_SECONDS
    db.execute(
        update(table).where(table.c.image_id == image_id).values(locked_by=user_id, locked_until=until)
    )
    return until


def lock(who: Access, image_id: int) -> forms.Lock:
    """Hold an image, unless somebody else does: then say who."""
    with who.studio.database.writing() as db:
        row = images.visible_row(db, who, image_id, locked=True)
        now = time.time()
        new = row.locked_until <= now
        mine = new or row.locked_by == who.user_id
        until = _take(db, image_id, who.user_id) if mine else row.locked_until
        holder = people.names(db, {who.user_id if mine else row.locked_by})
    if new:
        who.studio.events.tell(who.project_id, forms.Event(kind="lock", image=image_id, by=who.session.name))
    return forms.Lock(locked_by=next(iter(holder.values())), mine=mine, until=instant(until))


def unlock(who: Access, image_id: int) -> None:
    """Let an image go."""
    with who.studio.database.writing() as db:
        images.visible_row(db, who, image_id)
        mine = (table.c.image_id == image_id) & (table.c.locked_by == who.user_id)
        db.execute(update(table).where(mine).values(locked_by=None, locked_until=0.0))
    who.studio.events.tell(who.project_id, forms.Event(kind="lock", image=image_id))


def set_state(who: Access, image_id: int, body: forms.StateChange) -> forms.ImageRow:
    """Move an image to another state, with a comment where it goes back."""
    with who.studio.database.writing() as db:
        row = images.visible_row(db, who, image_id, locked=True)
        moves = MOVES["reviewer" if who.reviews else "labeller"]
        if body.state not in moves:
            raise Refused(403, f"to make an image {body.state} needs the role reviewer; yours is {who.role}")
        if not who.reviews:
            _see_allowed(row, who)
        if row.state != body.state and row.state not in moves[body.state]:
            raise Refused(409, f"the image is {row.state}; it cannot become {body.state} from there")
        if row.state != body.state:
            _change_state(db, row, who, body.state)
        if body.comment:
            comments.insert_comment(db, image_id, who.session.name, wire.NewComment(text=body.comment))
        image = images.to_wire(db, [images.visible_row(db, who, image_id)])[0]
    who.studio.events.tell(
        who.project_id, forms.Event(kind="state", image=image_id, state=body.state, by=who.session.name)
    )
    return image


def _change_state(db: Connection, row: Row[Any], who: Access, state: wire.State) -> None:
    labeller = row.assignee if row.assignee is not None else (who.user_id if state == "submitted" else None)
    values: dict[str, Any] = {"state": state, "assignee": labeller}
    if state in ("submitted", "accepted"):
        values |= {"locked_by": None, "locked_until": 0.0}
    db.execute(update(table).where(table.c.image_id == row.image_id).values(**values))
    change = {"image_id": row.image_id, "user_id": who.user_id, "labeller": labeller, "state": state}
    db.execute(insert(state_changes).values(**change, at=time.time()))


def assign(who: Access, body: forms.Assignment) -> None:
    """Say who labels some images."""
    with who.studio.database.writing() as db:
        if body.user_id is not None and people.role_of(db, who.project_id, body.user_id) is None:
            raise Refused(404, f"there is no member {body.user_id} in this project")
        for start in range(0, len(body.images), 500):
            some = body.images[start : start + 500]
            mine = (table.c.project_id == who.project_id) & table.c.image_id.in_(some) & (table.c.role == "")
            done = db.execute(update(table).where(mine).values(assignee=body.user_id)).rowcount
            if done != len(set(some)):
                raise Refused(404, "some of these are no images of this project, or people's own versions")
    who.studio.events.tell(who.project_id, forms.Event(kind="images"))
