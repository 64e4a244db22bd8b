"""The application: routers, refusals, limits and the built front end."""

from __future__ import annotations

import errno
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from inlay.core.errors import InlayError
from inlay.server import forms, wire
from inlay.server.access import error_bodies
from inlay.server.guards import Guards
from inlay.server.refusals import Refused, told
from inlay.server.routes import (
    advice,
    agreement,
    classes,
    comments,
    documents,
    findings,
    images,
    jobs,
    members,
    projects,
    session,
)
from inlay.server.studio import Studio

log = logging.getLogger("inlay.server")
ROUTES = (documents, session, projects, members, classes, images, findings, comments, agreement, advice, jobs)
NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Inlay studio</title>
<h1>The studio's pages are not built</h1>
<p>The server runs, but its front end is missing from this checkout. Build it and start again:</p>
<pre>python tools/web.py build</pre>
<p>An installed package has it already.</p></html>"""


def create_app(studio: Studio) -> FastAPI:
    """The application of an open studio; closing the studio is up to who opened it."""
    app = routed()
    app.state.studio = studio
    app.add_middleware(Guards, settings=studio.settings)
    for kind, answer in ANSWERS.items():
        app.add_exception_handler(kind, answer)
    _add_pages(app, Path(str(files("inlay.server") / "static")))
    return app


class Application(FastAPI):
    """The application; its document describes refusals and events, though no route returns them."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        found = super().openapi()
        models: tuple[type[wire.Body], ...] = (wire.Error, forms.Event)
        for model in models:
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            found["components"]["schemas"].setdefault(model.__name__, schema)
        return found


def routed() -> FastAPI:
    """An application with all routes and nothing behind them: enough for the OpenAPI document."""
    from inlay import __version__

    app = Application(
        title="Inlay studio",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=_lifespan,
    )
    api = APIRouter(prefix="/api", responses=error_bodies(400, 413, 422, 500, 507))
    for module in ROUTES:
        api.include_router(module.router)
    app.include_router(api)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.studio.events.close()


def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return JSONResponse({"error": error.words, "where": error.where, **error.body}, error.status)


def _invalid(_: Request, error: Exception) -> Response:
    """The first thing that does not fit, with its place; never the value, which may be long."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"error": f"{where}: {first['msg']}", "where": where}, 422)


def _user_error(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": told(error), "where": None}, 422)


def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail, "where": None}, error.status_code, error.headers)


def _database(_: Request, error: Exception) -> Response:
    """A commit that did not come through: nothing of it is kept, and the client may try again."""
    words = str(error)
    full = "disk is full" in words or "No space left" in words or "DiskFull" in type(error).__name__
    if full:
        return _full()
    log.error("the database refused: %s", words)
    return JSONResponse(
        {"error": "the database is busy or away; nothing was saved: try again", "where": None}, 503
    )


def _full() -> Response:
    return JSONResponse(
        {
            "error": "the studio's disk is full; nothing was saved: free some space and try again",
            "where": None,
        },
        507,
    )


def _system(_: Request, error: Exception) -> Response:
    assert isinstance(error, OSError)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full()
    log.exception("a request broke", exc_info=error)
    return JSONResponse(
        {"error": "the server could not read or write a file; its log says which", "where": None}, 500
    )


def _broken(_: Request, error: Exception) -> Response:
    log.exception("a request broke", exc_info=error)
    return JSONResponse({"error": "the server broke on this; its log says where", "where": None}, 500)


ANSWERS: dict[Any, Any] = {
    Refused: _refused,
    RequestValidationError: _invalid,
    InlayError: _user_error,
    HTTPException: _http,
    DBAPIError: _database,
    OSError: _system,
    Exception: _broken,
}


def _add_pages(app: FastAPI, folder: Path) -> None:
    """Serve the built front end; addresses without a dot are its own and get its first page."""

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str) -> Response:
        if path.startswith("api/"):
            raise Refused(404, "there is no such route; /api/openapi.json lists them")
        file = (folder / path).resolve()
        if path and file.is_relative_to(folder.resolve()) and file.is_file():
            cache = "public, max-age=31536000, immutable" if "assets/" in path else "no-cache"
            return FileResponse(file, headers={"Cache-Control": cache})
        if "." in path.rsplit("/", 1)[-1]:
            raise Refused(404, "there is no such file")
        index = folder / "index.html"
        if not index.is_file():
            return HTMLResponse(NOT_BUILT, 503)
        return FileResponse(index, headers={"Cache-Control": "no-cache"})
