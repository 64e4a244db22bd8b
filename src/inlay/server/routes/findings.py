"""Findings: what the rules say of an image, and what click engines offer for it."""

from __future__ import annotations

from fastapi import APIRouter

from inlay.server import judging, prompting, proposing, wire
from inlay.server.access import Who, allow, error_bodies

router = APIRouter(tags=["assistance"], responses=error_bodies(401, 403, 404, 409, 422, 429, 503))


@router.get("/images/{image_id}/findings", **allow("labeller"))
def findings(image_id: int, who: Who) -> wire.Findings:
    """What the project's rules find in the document as it is now."""
    return judging.findings(who, image_id)


@router.post("/images/{image_id}/fix", **allow("labeller"))
def fix(image_id: int, body: wire.Fix, who: Who) -> wire.GestureAnswer:
    """The gesture that mends a finding, for the client to show and apply."""
    return judging.fix(who, image_id, body.fingerprint)


@router.get("/packs", **allow("person"))
def packs(who: Who) -> list[str]:
    """The rule packs there are."""
    return judging.packs()


@router.get("/engines", **allow("person"))
def engines(who: Who) -> wire.Engines:
    """The click engines at hand."""
    return prompting.engines()


@router.post("/images/{image_id}/prompt", **allow("labeller"))
def prompt(image_id: int, body: wire.Prompt, who: Who) -> wire.Candidates:
    """Masks that a click engine offers; 503 in words where there is no engine."""
    return prompting.prompt(who, image_id, body)


@router.post("/images/{image_id}/everything", **allow("labeller"))
def everything(image_id: int, body: wire.Everything, who: Who) -> wire.Candidates:
    """Masks of what lies in a box and has no segment yet: a grid of clicks, the best of what they give."""
    return proposing.everything(who, image_id, body)


@router.post("/images/{image_id}/follow", **allow("labeller"))
def follow(image_id: int, body: wire.Propagate, who: Who) -> wire.GestureAnswer:
    """The gesture that finds segments again in the next frame, by their motion and the click engine."""
    return proposing.follow(who, image_id, body)
