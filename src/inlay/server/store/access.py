"""Who is logged in, and what role he has in the project that a path is about."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Select, and_, bindparam, delete, insert, select

from inlay.server.secret import Secret, digest, new_token
from inlay.server.tables import comments, images, jobs, links, members, sessions, users

SESSION_SECONDS = 14 * 86_400.0
LINK_SECONDS = 7 * 86_400.0


@dataclass(frozen=True)
class Session:
    """A person who is logged in; `csrf` is what his writes must carry."""

    user_id: int
    name: str
    admin: bool
    has_password: bool
    csrf: str
    digest: str


def session(db: Connection, token: str, secret: Secret) -> Session | None:
    """The session of a cookie, if it has not run out."""
    arrived = arrival(db, token, secret, {})
    return None if arrived is None else arrived[0]


def arrival(
    db: Connection, token: str, secret: Secret, places: Mapping[str, int]
) -> tuple[Session, tuple[int, str] | None] | None:
    """Whose cookie it is, and the project that a path's numbers are about with the person's role in it.

    One statement, since every request begins with it.
    """
    key = digest(token)
    about = next((name for name in _ARRIVALS if name in places), "")
    values = {"digest": key, "now": time.time(), "number": places.get(about, -1)}
    row = db.execute(_ARRIVALS.get(about, _NOWHERE), values).first()
    if row is None:
        return None
    found = Session(row.user_id, row.name, row.admin, bool(row.password), secret.sign(key), key)
    return found, None if row.role is None else (row.project_id, row.role)


def open_session(db: Connection, user_id: int) -> str:
    """The cookie of a new session; those that have run out go."""
    now, token = time.time(), new_token()
    db.execute(delete(sessions).where(sessions.c.expires <= now))
    values = {"digest": digest(token), "user_id": user_id, "expires": now + SESSION_SECONDS}
    db.execute(insert(sessions).values(**values))
    return token


def close_session(db: Connection, key: str) -> None:
    """End one session."""
    db.execute(delete(sessions).where(sessions.c.digest == key))


def new_link(db: Connection, user_id: int) -> str:
    """A token that logs a person in, once."""
    now, token = time.time(), new_token()
    db.execute(delete(links).where(links.c.expires <= now))
    db.execute(insert(links).values(digest=digest(token), user_id=user_id, expires=now + LINK_SECONDS))
    return token


def use_link(db: Connection, token: str) -> int | None:
    """Whose link this is; it is used up by asking."""
    key = digest(token)
    query = select(links.c.user_id).where(links.c.digest == key, links.c.expires > time.time())
    user_id = db.execute(query).scalar()
    gone = db.execute(delete(links).where(links.c.digest == key)).rowcount
    return user_id if gone else None


def _arrival(project: Any) -> Select[Any]:
    """The statement of an arrival; `project` says which one a number in the path is about."""
    mine = and_(members.c.user_id == users.c.user_id, members.c.project_id == project)
    return (
        select(
            users.c.user_id,
            users.c.name,
            users.c.admin,
            users.c.password,
            members.c.project_id,
            members.c.role,
        )
        .select_from(sessions.join(users).outerjoin(members, mine))
        .where(sessions.c.digest == bindparam("digest"), sessions.c.expires > bindparam("now"))
    )


_NUMBER = bindparam("number", type_=Integer)
_NOWHERE = _arrival(-1)
_ARRIVALS = {  # in the order in which a path's numbers are looked at
    "comment_id": _arrival(
        select(images.c.project_id)
        .join_from(comments, images)
        .where(comments.c.comment_id == _NUMBER)
        .scalar_subquery()
    ),
    "image_id": _arrival(select(images.c.project_id).where(images.c.image_id == _NUMBER).scalar_subquery()),
    "job_id": _arrival(select(jobs.c.project_id).where(jobs.c.job_id == _NUMBER).scalar_subquery()),
    "project_id": _arrival(_NUMBER),
}
