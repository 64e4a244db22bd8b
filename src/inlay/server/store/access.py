"""Who is logged in, and what role he has in the project that a path is about."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

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
    key = digest(token)
    query = (
        select(users.c.user_id, users.c.name, users.c.admin, users.c.password)
        .join_from(sessions, users)
        .where(sessions.c.digest == key, sessions.c.expires > time.time())
    )
    row = db.execute(query).first()
    if row is None:
        return None
    return Session(row.user_id, row.name, row.admin, bool(row.password), secret.sign(key), key)


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


def membership(db: Connection, user_id: int, places: Mapping[str, int]) -> tuple[int, str] | None:
    """The project that a path's numbers are about, and the person's role in it."""
    project_id = places.get("project_id")
    if "comment_id" in places:
        project_id = _project_of_image(db, _image_of_comment(db, places["comment_id"]))
    elif "image_id" in places:
        project_id = _project_of_image(db, places["image_id"])
    elif "job_id" in places:
        query = select(jobs.c.project_id).where(jobs.c.job_id == places["job_id"])
        project_id = db.execute(query).scalar()
    role = db.execute(
        select(members.c.role).where(members.c.project_id == project_id, members.c.user_id == user_id)
    ).scalar()
    return None if role is None or project_id is None else (project_id, role)


def _image_of_comment(db: Connection, comment_id: int) -> int:
    found = db.execute(select(comments.c.image_id).where(comments.c.comment_id == comment_id)).scalar()
    return -1 if found is None else found


def _project_of_image(db: Connection, image_id: int) -> int | None:
    return db.execute(select(images.c.project_id).where(images.c.image_id == image_id)).scalar()
