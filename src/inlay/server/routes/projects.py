"""Projects: a folder of images, its classes, its people."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from inlay.server import comparing, forms
from inlay.server.access import Who, allow, error_bodies
from inlay.server.opening import change_project, new_project, rescan
from inlay.server.store import assistance, projects

router = APIRouter(prefix="/projects", tags=["projects"], responses=error_bodies(401, 403, 404, 422))


@router.get("", **allow("person"))
def index(who: Who) -> list[forms.Project]:
    """The projects one is a member of."""
    with who.studio.database.reading() as db:
        return projects.of_user(db, who.user_id, who.studio.scans)


@router.post("", status_code=201, **allow("admin"))
def create(body: forms.NewProject, who: Who) -> forms.Project:
    """Make a project of the images in a folder."""
    return new_project(who, body)


@router.get("/{project_id}", **allow("labeller"))
def read(project_id: int, who: Who) -> forms.Project:
    """One project."""
    with who.studio.database.reading() as db:
        return projects.read(db, project_id, who.user_id, who.studio.scans)


@router.patch("/{project_id}", **allow("owner"))
def change(project_id: int, body: forms.ProjectChange, who: Who) -> forms.Project:
    """Change settings; rules are tried before they are kept."""
    return change_project(who, body)


@router.post("/{project_id}/scan", status_code=202, **allow("owner"))
def scan(project_id: int, who: Who) -> forms.Project:
    """Look for new images in the project's folder."""
    return rescan(who)


@router.get("/{project_id}/dashboard", **allow("reviewer"))
def read_dashboard(project_id: int, who: Who) -> forms.Dashboard:
    """Progress, time, cost and quality."""
    return comparing.read_dashboard(who)


@router.get("/{project_id}/assistance", **allow("labeller"))
def read_assistance(project_id: int, who: Who) -> forms.Assistance:
    """What click to segment costs or saves, class by class, and where it is off."""
    with who.studio.database.reading() as db:
        return assistance.read(db, project_id)


@router.get("/{project_id}/events", response_class=StreamingResponse, **allow("labeller"))
def listen(project_id: int, who: Who) -> StreamingResponse:
    """Server-sent events (`forms.Event` as JSON) until the client leaves; a comment line every 15 s."""
    return StreamingResponse(
        who.studio.events.listen(project_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )
