"""Advice: what the project should label, and what that costs."""

from __future__ import annotations

from fastapi import APIRouter, Response

from inlay.server import advice_forms, advising
from inlay.server.access import Who, allow, error_bodies

router = APIRouter(
    prefix="/projects/{project_id}/advice", tags=["advice"], responses=error_bodies(401, 403, 404, 422)
)


@router.get("", **allow("reviewer"))
def read(project_id: int, who: Who) -> advice_forms.AdviceForm:
    """The nine questions, and what is known of the project."""
    return advising.questions(who)


@router.post("", **allow("reviewer"))
def ask(project_id: int, body: advice_forms.AdviceQuestion, who: Who) -> advice_forms.Advice:
    """The cheapest label type that answers the questions, alternatives, costs and a guide for labellers."""
    return advising.advise(who, body)


@router.get("/timings", response_class=Response, **allow("reviewer"))
def timings(project_id: int, who: Who) -> Response:
    """The measured times of finished images, as a CSV file for `inlay advise cost --timings`."""
    headers = {"Content-Disposition": 'attachment; filename="timings.csv"'}
    return Response(advising.timings(who), media_type="text/csv", headers=headers)


@router.post("/buy", **allow("reviewer"))
def buy(project_id: int, body: advice_forms.BuyQuestion, who: Who) -> advice_forms.Buys:
    """What the next hours buy most of, from a table of scores: each way with its gain, the best first."""
    return advising.buy(body)
