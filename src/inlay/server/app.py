"""The application: routers, refusals, limits and the built front end."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from inlay.server.routes import (
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

ROUTES = (session, projects, members, classes, images, documents, findings, comments, agreement, jobs)


def routed() -> FastAPI:
    """An application with all routes and nothing behind them: enough for the OpenAPI document."""
    from inlay import __version__

    app = FastAPI(
        title="Inlay studio", version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/openapi.json"
    )
    api = APIRouter(prefix="/api")
    for module in ROUTES:
        api.include_router(module.router)
    app.include_router(api)
    return app
