"""Images: lists, pixels, locks, states, and whose turn it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from inlay.server import forms, wire
from inlay.server.access import Who, allow, error_bodies
from inlay.server.pictures import send_pixels
from inlay.server.store import images, work

router = APIRouter(tags=["images"], responses=error_bodies(401, 403, 404, 409, 422))
Words = Annotated[str | None, Query(max_length=200)]


@router.get("/projects/{project_id}/images", **allow("labeller"))
def index(
    project_id: int,
    who: Who,
    after: Words = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    q: Words = None,
    state: wire.State | None = None,
    tag: Words = None,
    class_id: wire.Id | None = None,
    finding: Annotated[str | None, Query(max_length=120, description="a rule, or `any`")] = None,
    person: wire.Id | None = None,
) -> forms.ImagePage:
    """Images in the order of their names; `after` is the last page's `next`."""
    wanted = images.Wanted(q, state, tag, class_id, finding, person)
    return images.page(who, wanted, after=after, limit=limit)


@router.get("/projects/{project_id}/broken-rules", **allow("labeller"))
def broken_rules(project_id: int, who: Who) -> list[forms.BrokenRule]:
    """Rules to list images by: those that found something, as far as somebody has looked."""
    return images.broken_rules(who)


@router.post("/projects/{project_id}/next", **allow("labeller"))
def next_image(project_id: int, who: Who) -> forms.NextImage:
    """Lock the image to label next: one's own, returned, or begun ones first, then free ones."""
    return work.next_image(who)


@router.post("/projects/{project_id}/assign", status_code=204, **allow("reviewer"))
def assign(project_id: int, body: forms.Assignment, who: Who) -> None:
    """Say who labels some images."""
    work.assign(who, body)


@router.get("/images/{image_id}", **allow("labeller"))
def read(image_id: int, who: Who) -> forms.Image:
    """One image, with its neighbours."""
    return images.read(who, image_id)


@router.get(
    "/images/{image_id}/pixels",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}, "image/png": {}, "image/webp": {}}}},
    **allow("labeller"),
)
def pixels(
    image_id: int, who: Who, request: Request, side: Annotated[int | None, Query(ge=16, le=16384)] = None
) -> Response:
    """The picture, upright; with `side`, its longest side is at most the next of 128, 256, ... 4096."""
    return send_pixels(who, image_id, side, request)


@router.post("/images/{image_id}/lock", **allow("labeller"))
def lock(image_id: int, who: Who) -> forms.Lock:
    """Say that one is working on it, for a minute; others are told, not stopped."""
    return work.lock(who, image_id)


@router.delete("/images/{image_id}/lock", status_code=204, **allow("labeller"))
def unlock(image_id: int, who: Who) -> None:
    """Say that one has left it."""
    work.unlock(who, image_id)


@router.post("/images/{image_id}/state", **allow("labeller"))
def set_state(image_id: int, body: forms.StateChange, who: Who) -> forms.ImageRow:
    """Submit, accept or return it."""
    return work.set_state(who, image_id, body)
