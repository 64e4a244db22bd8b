"""Agreement: several people on one image, each alone, and images whose truth is known."""

from __future__ import annotations

from fastapi import APIRouter

from inlay.server import comparing, forms, wire
from inlay.server.access import Who, allow, error_bodies

router = APIRouter(
    prefix="/images/{image_id}", tags=["agreement"], responses=error_bodies(401, 403, 404, 409, 422)
)


@router.post("/copies", status_code=201, **allow("reviewer"))
def copies(image_id: int, body: forms.Copies, who: Who) -> list[forms.ImageRow]:
    """Give people each their own empty version of an image; or make it a honeypot, its document the truth."""
    return comparing.copies(who, image_id, body)


@router.get("/agreement", **allow("reviewer"))
def agreement(image_id: int, who: Who) -> forms.Agreements:
    """How far the versions of an image agree, pair by pair."""
    return comparing.agreement(who, image_id)


@router.post("/take/{copy_id}", **allow("reviewer"))
def take(image_id: int, copy_id: int, who: Who) -> wire.Revision:
    """Make one version the image's document, by a gesture that can be undone."""
    return comparing.take(who, image_id, copy_id)
