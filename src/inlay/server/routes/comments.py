"""Comments: words about an image or a region of it."""

from __future__ import annotations

from fastapi import APIRouter

from inlay.server import wire
from inlay.server.access import Who, allow, error_bodies
from inlay.server.store import comments

router = APIRouter(tags=["comments"], responses=error_bodies(401, 403, 404, 422))


@router.get("/images/{image_id}/comments", **allow("labeller"))
def index(image_id: int, who: Who) -> list[wire.Comment]:
    """All comments on an image, the first ones first."""
    return comments.of_image(who, image_id)


@router.post("/images/{image_id}/comments", status_code=201, **allow("labeller"))
def create(image_id: int, body: wire.NewComment, who: Who) -> wire.Comment:
    """Write a comment."""
    return comments.add(who, image_id, body)


@router.patch("/comments/{comment_id}", **allow("labeller"))
def change(comment_id: int, body: wire.CommentChange, who: Who) -> wire.Comment:
    """Mark a comment as dealt with, or not."""
    return comments.resolve(who, comment_id, resolved=body.resolved)
