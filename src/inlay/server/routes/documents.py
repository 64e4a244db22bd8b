"""Documents: the segments of an image, changed by gestures alone."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse

from inlay.server import saving, wire
from inlay.server.access import Who, allow, error_bodies
from inlay.server.etags import etag, revision_of

router = APIRouter(
    prefix="/images/{image_id}", tags=["documents"], responses=error_bodies(401, 403, 404, 428)
)
IfMatch = Annotated[str | None, Header(alias="If-Match")]
SAVING: dict[int | str, dict[str, Any]] = {
    412: {"model": wire.Stale},
    409: {"model": wire.Broken},
    **error_bodies(423),
}


@router.get("/document", response_model=wire.Document, **allow("labeller"))
def read(image_id: int, who: Who, revision: wire.Id | None = None) -> Response:
    """The segments now, or as they were at a revision; the ETag is the revision."""
    shown, document = saving.read(who, image_id, revision)
    return Response(document, media_type="application/json", headers={"ETag": etag(shown)})


@router.post("/gestures", responses=SAVING, response_model=wire.Revision, **allow("labeller"))
def save(image_id: int, body: wire.Gestures, who: Who, if_match: IfMatch = None) -> Response:
    """Apply gestures to the revision in If-Match and keep them for good; sending them twice does no harm."""
    revision = saving.save(who, image_id, body.gestures, revision_of(if_match))
    return JSONResponse({"revision": revision}, headers={"ETag": etag(revision)})


@router.get("/gestures", **allow("labeller"))
def history(
    image_id: int,
    who: Who,
    after: wire.Id = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[wire.Entry]:
    """What was done after a revision, in order."""
    return saving.history(who, image_id, after, limit)


@router.post("/restore", responses=SAVING, **allow("labeller"))
def restore(
    image_id: int, body: wire.Restore, who: Who, response: Response, if_match: IfMatch = None
) -> wire.Revision:
    """Make the document what it was at a revision, by one gesture that can be undone in turn."""
    revision = saving.restore(who, image_id, body, revision_of(if_match))
    response.headers["ETag"] = etag(revision)
    return wire.Revision(revision=revision)


@router.post("/propagate", **allow("labeller"))
def propagate(image_id: int, body: wire.Propagate, who: Who) -> wire.GestureAnswer:
    """The gesture that carries segments to another image of the same size, where nothing is labelled yet."""
    return saving.propagate(who, image_id, body)
