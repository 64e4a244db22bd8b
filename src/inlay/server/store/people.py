"""People: users, their passwords, and their roles in projects."""

from __future__ import annotations

import time

from sqlalchemy import Connection, delete, func, insert, select, update

from inlay.server import forms, wire
from inlay.server.refusals import Refused
from inlay.server.secret import hash_password, is_password
from inlay.server.store import access
from inlay.server.tables import images, links, members, sessions, users


def session_wire(session: access.Session) -> forms.Session:
    """A session as it is sent."""
    user = forms.User(user_id=session.user_id, name=session.name)
    return forms.Session(
        user=user, admin=session.admin, has_password=session.has_password, token=session.csrf
    )


def new_user(db: Connection, name: str, *, admin: bool = False) -> int:
    """Number of a new person, who can log in by a link alone."""
    result = db.execute(
        insert(users).values(name=name, password="", admin=admin, created=time.time())
    ).inserted_primary_key
    return int(result[0]) if result else 0


def find_user(db: Connection, name: str) -> int | None:
    """Number of a person."""
    return db.execute(select(users.c.user_id).where(users.c.name == name)).scalar()


def log_in(db: Connection, name: str, password: str) -> int | None:
    """Number of the person who has this name and password; as slow for a name that nobody has."""
    row = db.execute(select(users.c.user_id, users.c.password).where(users.c.name == name)).first()
    right = is_password(password, row.password if row else "")
    return row.user_id if row and right else None


def set_password(db: Connection, session: access.Session, body: forms.Password) -> None:
    """Set a password; the person's other sessions and links end."""
    stored = db.execute(select(users.c.password).where(users.c.user_id == session.user_id)).scalar_one()
    if stored and not is_password(body.old or "", stored):
        raise Refused(403, "the old password is not right")
    db.execute(
        update(users).where(users.c.user_id == session.user_id).values(password=hash_password(body.password))
    )
    db.execute(
        delete(sessions).where(sessions.c.user_id == session.user_id, sessions.c.digest != session.digest)
    )
    db.execute(delete(links).where(links.c.user_id == session.user_id))


def members_of(db: Connection, project_id: int, *, only: int | None = None) -> list[forms.Member]:
    """The members of a project; with `only`, that one and those who are no labellers."""
    query = (
        select(members.c.user_id, users.c.name, members.c.role)
        .join_from(members, users)
        .where(members.c.project_id == project_id)
        .order_by(users.c.name)
    )
    if only is not None:
        query = query.where((members.c.user_id == only) | (members.c.role != "labeller"))
    return [forms.Member(user_id=row.user_id, name=row.name, role=row.role) for row in db.execute(query)]


def invite(db: Connection, project_id: int, body: forms.NewMember) -> forms.Invited:
    """Take a person in; a link for who has no password yet."""
    row = db.execute(select(users).where(users.c.name == body.name)).first()
    user_id = new_user(db, body.name) if row is None else row.user_id
    if role_of(db, project_id, user_id) is not None:
        raise Refused(409, f"{body.name} is a member already: change the role instead")
    join(db, project_id, user_id, body.role)
    member = forms.Member(user_id=user_id, name=body.name, role=body.role)
    link = None if row is not None and row.password else f"/enter#{access.new_link(db, user_id)}"
    return forms.Invited(member=member, link=link)


def join(db: Connection, project_id: int, user_id: int, role: wire.Role) -> None:
    """Make a person a member."""
    db.execute(insert(members).values(project_id=project_id, user_id=user_id, role=role))


def role_of(db: Connection, project_id: int, user_id: int) -> str | None:
    """The role of a person in a project; None for who is no member."""
    return db.execute(
        select(members.c.role).where(members.c.project_id == project_id, members.c.user_id == user_id)
    ).scalar()


def change_role(db: Connection, project_id: int, user_id: int, role: wire.Role) -> forms.Member:
    """Change a member's role."""
    _see_an_owner_stays(db, project_id, user_id, stays_one=role == "owner")
    mine = (members.c.project_id == project_id) & (members.c.user_id == user_id)
    db.execute(update(members).where(mine).values(role=role))
    name = db.execute(select(users.c.name).where(users.c.user_id == user_id)).scalar_one()
    return forms.Member(user_id=user_id, name=name, role=role)


def remove(db: Connection, project_id: int, user_id: int) -> None:
    """Take a member out; images assigned to him are free again."""
    _see_an_owner_stays(db, project_id, user_id, stays_one=False)
    db.execute(delete(members).where(members.c.project_id == project_id, members.c.user_id == user_id))
    db.execute(
        update(images)
        .where(images.c.project_id == project_id, images.c.assignee == user_id, images.c.role == "")
        .values(assignee=None)
    )


def _see_an_owner_stays(db: Connection, project_id: int, user_id: int, *, stays_one: bool) -> None:
    role = role_of(db, project_id, user_id)
    if role is None:
        raise Refused(404, "there is no such member")
    query = select(func.count()).where(members.c.project_id == project_id, members.c.role == "owner")
    if role == "owner" and not stays_one and db.execute(query).scalar_one() == 1:
        raise Refused(409, "a project keeps at least one owner: make somebody else owner first")


def names(db: Connection, user_ids: set[int]) -> dict[int, forms.User]:
    """People by number."""
    if not user_ids:
        return {}
    query = select(users.c.user_id, users.c.name).where(users.c.user_id.in_(user_ids))
    return {row.user_id: forms.User(user_id=row.user_id, name=row.name) for row in db.execute(query)}
