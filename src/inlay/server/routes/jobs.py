"""Jobs: reading labels and predictions in, writing them out."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from inlay.server import forms, transfer
from inlay.server.access import Who, allow, error_bodies
from inlay.server.store import jobs

router = APIRouter(tags=["jobs"], responses=error_bodies(401, 403, 404, 409, 413, 422, 429))
UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/formats", **allow("person"))
def formats(who: Who) -> list[forms.FormatRow]:
    """The formats that labels can be read from and written to."""
    return transfer.formats()


def _upload(role: str) -> dict[str, object]:
    rules = allow(role)
    return {**rules, "openapi_extra": {**rules["openapi_extra"], **UPLOAD}}


@router.post("/projects/{project_id}/import", status_code=202, **_upload("owner"))  # type: ignore[arg-type]
async def import_labels(
    project_id: int,
    who: Who,
    request: Request,
    name: Annotated[str, Query(max_length=200, description="name of the file: labels.json, labels.zip")],
    kind: Annotated[Literal["labels", "predictions"], Query(alias="as")] = "labels",
    format: Annotated[str | None, Query(max_length=80)] = None,  # noqa: A002
    model: Annotated[str, Query(max_length=80, pattern=r"^[\w .:-]*$")] = "",
) -> forms.Job:
    """Read an uploaded file (the body), or a zipped folder, in any format; predictions become proposals."""
    return await transfer.start_import(who, request, name, kind, format, model)


@router.post("/projects/{project_id}/export", status_code=202, **allow("owner"))
def export(project_id: int, body: forms.Export, who: Who) -> forms.Job:
    """Write the labels in a format; the file is then at /api/jobs/{job_id}/file."""
    return transfer.start_export(who, body)


@router.get("/projects/{project_id}/jobs", **allow("owner"))
def index(project_id: int, who: Who) -> list[forms.Job]:
    """The latest jobs first."""
    with who.studio.database.reading() as db:
        return jobs.of_project(db, project_id)


@router.get("/jobs/{job_id}", **allow("owner"))
def read(job_id: int, who: Who) -> forms.Job:
    """One job."""
    with who.studio.database.reading() as db:
        return jobs.read(db, job_id)


@router.get("/jobs/{job_id}/file", response_class=Response, **allow("owner"))
def fetch(job_id: int, who: Who) -> Response:
    """What an export has written, as a ZIP file."""
    return transfer.send_file(who, job_id)
