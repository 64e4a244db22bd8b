"""Access: who asks, for what, and whether he may. Each route says whom it lets in, or the tests fail."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request

from inlay.server.refusals import Refused
from inlay.server.store import access as store
from inlay.server.studio import Studio

ROLES = ("labeller", "reviewer", "owner")  # each may do what those before it may
TOKEN_HEADER = "x-inlay-token"
READING = ("GET", "HEAD")
OBJECTS = ("project_id", "image_id", "comment_id", "job_id")


@dataclass(frozen=True)
class Access:
    """A request that was let in: the person, and the role in the project that the path is about."""

    studio: Studio
    session: store.Session
    project_id: int = 0
    role: str = ""
    unattended: bool = False  # a job that goes on without the person

    @property
    def user_id(self) -> int:
        """Who asks."""
        return self.session.user_id

    @property
    def reviews(self) -> bool:
        """Whether the person may see and judge the work of others."""
        return self.role in ("reviewer", "owner")


def allow(role: str) -> dict[str, Any]:
    """What a route's decorator needs to let in members from `role` up; "person" and "admin" are no roles.

    The role stands in the OpenAPI document as well, from which the tests make their matrix.
    """

    def guard(request: Request) -> None:
        request.state.access = _let_in(request, role)

    return {"dependencies": [Depends(guard)], "openapi_extra": {"x-role": role}}


def _let_in(request: Request, role: str) -> Access:
    studio: Studio = request.app.state.studio
    places = _places(request)
    session, found = _arrival(request, studio, places)
    token = request.headers.get(TOKEN_HEADER, "")
    if request.method not in READING and not studio.secret.same(token, session.csrf):
        words = f"a write needs the header {TOKEN_HEADER} of this session (GET /api/session gives it)"
        raise Refused(403, words)
    if role == "person":
        return Access(studio, session)
    if role == "admin":
        if not session.admin:
            raise Refused(403, "only the person who started the studio may do this")
        return Access(studio, session)
    if found is None:
        raise Refused(404, "there is no such thing, or it is not yours to see")
    project_id, mine = found
    if ROLES.index(mine) < ROLES.index(role):
        raise Refused(403, f"this needs the role {role}; yours is {mine}")
    return Access(studio, session, project_id, mine)


def _places(request: Request) -> dict[str, int]:
    """The numbers of objects in the path."""
    found = {name: str(value) for name, value in request.path_params.items() if name.endswith("_id")}
    for name, value in found.items():
        if not value.isascii() or not value.isdecimal() or int(value) >= 2**31:
            raise Refused(404, f"{name} in the path is no number of anything")
    return {name: int(value) for name, value in found.items() if name in OBJECTS}


def _arrival(
    request: Request, studio: Studio, places: dict[str, int]
) -> tuple[store.Session, tuple[int, str] | None]:
    """The session of a request's cookie, and its project and role."""
    cookie = request.cookies.get(studio.cookie, "")
    if cookie:
        with studio.database.glancing() as db:
            arrived = store.arrival(db, cookie, studio.secret, places)
        if arrived is not None:
            return arrived
    raise Refused(401, "nobody is logged in: open the link that `inlay label` printed, or log in")


async def _access(request: Request) -> Access:  # not a function alone: FastAPI gives those a thread
    access: Access = request.state.access
    return access


Who = Annotated[Access, Depends(_access)]


def error_bodies(*codes: int) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of refusals: by reference, since a model for each route takes time."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {code: {"description": HTTPStatus(code).phrase, "content": content} for code in codes}
