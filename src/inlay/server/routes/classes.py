"""Classes: the editor's table, and merges and splits that can be taken back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Response

from inlay.server import forms
from inlay.server.access import Who, allow, error_bodies
from inlay.server.class_changes import start_merge, start_split, start_undo
from inlay.server.etags import etag, revision_of
from inlay.server.store import classes

router = APIRouter(
    prefix="/projects/{project_id}/classes",
    tags=["classes"],
    responses=error_bodies(401, 403, 404, 409, 412, 428),
)
IfMatch = Annotated[str | None, Header(alias="If-Match")]


@router.get("", **allow("labeller"))
def read(project_id: int, who: Who, response: Response) -> forms.ClassTable:
    """The classes in their order, with how many segments each has."""
    with who.studio.database.reading() as db:
        table = classes.read(db, project_id)
    response.headers["ETag"] = etag(table.revision)
    return table


@router.put("", **allow("owner"))
def write(
    project_id: int, body: forms.ClassRows, who: Who, response: Response, if_match: IfMatch = None
) -> forms.ClassTable:
    """Replace the table: rename, recolour, reorder, add; delete what no segment has."""
    with who.studio.database.writing() as db:
        table = classes.write(db, project_id, body.classes, revision_of(if_match))
    who.studio.events.tell(project_id, forms.Event(kind="classes", by=who.session.name))
    response.headers["ETag"] = etag(table.revision)
    return table


@router.post("/merge", status_code=202, **allow("owner"))
def merge(project_id: int, body: forms.Merge, who: Who) -> forms.Job:
    """Give the segments of some classes to another one: a gesture in each image, taken back by undo."""
    return start_merge(who, body)


@router.post("/split", status_code=202, **allow("owner"))
def split(project_id: int, body: forms.Split, who: Who) -> forms.Job:
    """Give some segments of a class to new ones: a gesture in each image, taken back by undo."""
    return start_split(who, body)


@router.get("/changes", **allow("owner"))
def changes(project_id: int, who: Who) -> list[forms.ClassChange]:
    """Merges and splits so far, the latest first."""
    with who.studio.database.reading() as db:
        return classes.changes(db, project_id)


@router.post("/changes/{change_id}/undo", status_code=202, **allow("owner"))
def undo(project_id: int, change_id: int, who: Who) -> forms.Job:
    """Take a merge or split back, where segments still have the class it gave them."""
    return start_undo(who, change_id)
