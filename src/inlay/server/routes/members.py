"""Members: who works on a project, and as what."""

from __future__ import annotations

from fastapi import APIRouter

from inlay.server import forms
from inlay.server.access import Who, allow, error_bodies
from inlay.server.store import people

router = APIRouter(
    prefix="/projects/{project_id}/members", tags=["members"], responses=error_bodies(401, 403, 404, 409, 422)
)


@router.get("", **allow("labeller"))
def index(project_id: int, who: Who) -> list[forms.Member]:
    """The members; labellers see themselves and those who review them."""
    with who.studio.database.reading() as db:
        return people.members_of(db, project_id, only=None if who.reviews else who.user_id)


@router.post("", status_code=201, **allow("owner"))
def invite(project_id: int, body: forms.NewMember, who: Who) -> forms.Invited:
    """Take in a person; the answer has a link that works once, for who cannot log in yet."""
    with who.studio.database.writing() as db:
        return people.invite(db, project_id, body)


@router.patch("/{user_id}", **allow("owner"))
def change(project_id: int, user_id: int, body: forms.MemberChange, who: Who) -> forms.Member:
    """Change a member's role; the last owner stays one."""
    with who.studio.database.writing() as db:
        return people.change_role(db, project_id, user_id, body.role)


@router.delete("/{user_id}", status_code=204, **allow("owner"))
def remove(project_id: int, user_id: int, who: Who) -> None:
    """Take a member out; what he did stays, under his name."""
    with who.studio.database.writing() as db:
        people.remove(db, project_id, user_id)
