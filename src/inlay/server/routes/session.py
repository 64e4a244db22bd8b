"""Sessions: logging in by a link or a password, and out again."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from inlay.server import forms
from inlay.server.access import Who, allow, error_bodies
from inlay.server.login import end, log_in
from inlay.server.store import people

router = APIRouter(prefix="/session", tags=["session"], responses=error_bodies(401, 403, 429))


@router.post("", openapi_extra={"x-role": "anybody"})
def open_session(body: forms.Login, request: Request, response: Response) -> forms.Session:
    """Log in with the token of a link, which works once, or with name and password."""
    return log_in(body, request, response)


@router.get("", **allow("person"))
def read(who: Who) -> forms.Session:
    """Who is logged in, and the token for writes."""
    return people.session_wire(who.session)


@router.delete("", status_code=204, **allow("person"))
def close(who: Who, response: Response) -> None:
    """Log out."""
    end(who, response)


@router.put("/password", status_code=204, **allow("person"))
def set_password(body: forms.Password, who: Who) -> None:
    """Set one's password; the old one is asked for where there is one. Other sessions end."""
    with who.studio.database.writing() as db:
        people.set_password(db, who.session, body)
