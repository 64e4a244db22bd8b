"""Logging in: a link that works once, or name and password; the cookie is out of reach of scripts."""

from __future__ import annotations

from fastapi import Request, Response
from sqlalchemy import Connection

from inlay.server import forms
from inlay.server.access import Access
from inlay.server.refusals import Refused
from inlay.server.store import access, people
from inlay.server.studio import Studio

USED_LINK = "the link has been used or has run out: ask for a new one (`inlay label` prints one)"
WRONG_PASSWORD = "name or password is wrong"


def log_in(body: forms.Login, request: Request, response: Response) -> forms.Session:
    """Open a session and set its cookie.

    Raises
    ------
    Refused
        401 when the link is used up or the password wrong; 429 after too many attempts; 403 for the page of
        another site.
    """
    studio: Studio = request.app.state.studio
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused(403, "another site's page cannot log anybody in")
    address = request.client.host if request.client else "?"
    studio.logins.take(f"address {address}")
    studio.logins.take(f"name {body.name or ''}" if body.token is None else f"link {address}")
    with studio.database.writing() as db:
        user_id = _user(db, body)
        if user_id is None:
            raise Refused(401, WRONG_PASSWORD if body.token is None else USED_LINK)
        token = access.open_session(db, user_id)
        session = access.session(db, token, studio.secret)
    assert session is not None
    response.set_cookie(
        studio.cookie,
        token,
        max_age=int(access.SESSION_SECONDS),
        httponly=True,
        samesite="strict",
        secure=studio.settings.secure,
    )
    return people.session_wire(session)


def _user(db: Connection, body: forms.Login) -> int | None:
    if body.token is not None:
        return access.use_link(db, body.token)
    return people.log_in(db, body.name or "", body.password or "")


def end(who: Access, response: Response) -> None:
    """Close the session of a request."""
    with who.studio.database.writing() as db:
        access.close_session(db, who.session.digest)
    response.delete_cookie(who.studio.cookie)
