"""Click to segment is measured and switches itself off; a box is proposed as a whole; advice is asked for."""

from __future__ import annotations

import uuid

import pytest

from .desk import Desk
from .test_work import AXE, RULES, violations

ENOUGH = 20


def draw_timed(context, served, image_id, class_id):
    """Segments of a class, drawn with prompts slowly and by polygon fast."""
    token = context.request.get(f"{served.address}/api/session").json()["token"]
    revision = context.request.get(f"{served.address}/api/images/{image_id}/document").json()["revision"]
    made = []
    for turn in range(ENOUGH):
        for kind, seconds in (("prompt", 12.0), ("polygon", 4.0)):
            segment = {"key": f"{kind}-{turn:08d}", "class_id": class_id}
            create = {"op": "create", "segment": segment, "above": None}
            made.append(
                {"id": str(uuid.uuid4()), "kind": kind, "seconds": seconds + turn % 3, "ops": [create]}
            )
    answer = context.request.post(
        f"{served.address}/api/images/{image_id}/gestures",
        data={"gestures": made},
        headers={"X-Inlay-Token": token, "If-Match": f'"{revision}"'},
    )
    assert answer.ok, answer.text()


def test_click_to_segment_goes_off_where_it_costs_time_says_so_and_is_switched_on_again(owner, served, desk):
    page = desk.page
    cyclist = page.evaluate("() => inlay.editor.classes.rows.find(({name}) => name === 'cyclist').class_id")
    draw_timed(owner, served, desk.image_id, cyclist)
    page.goto(f"{served.address}/projects/1/dashboard")
    row = page.get_by_role("row", name="cyclist")
    row.get_by_text("+8.0 s").wait_for()
    assert "costs time: off" in row.inner_text()
    chart = page.get_by_role("img", name="Click to segment, by class").text_content()
    assert "cyclist" in chart and "13 s" in chart and "5.0 s" in chart
    desk.open(desk.image_id)
    page.evaluate("(id) => inlay.editor.change({classId: id})", cyclist)
    desk.press("c")
    page.get_by_text("Off for cyclist: there it takes 8.0 s longer than by hand.").wait_for()
    desk.click(80, 100)
    page.get_by_text("switched off for this class").wait_for()
    page.get_by_role("button", name="Use it all the same").click()
    page.get_by_text("Off for cyclist").wait_for(state="detached")
    desk.press("Escape")
    desk.click(80, 100)
    page.wait_for_function("() => inlay.editor.preview?.region?.box ?? null")
    desk.press("Escape")


def test_all_in_a_box_is_proposed_judged_and_undone(desk):
    page = desk.page
    page.evaluate("() => inlay.editor.change({grid: 5})")
    desk.press("0", "Shift+E")
    desk.drag((2, 2), (158, 118))
    page.get_by_role("tab", name="Proposals", selected=True).wait_for()
    proposed = desk.same().stored()["segments"]
    assert proposed and {one["state"] for one in proposed} == {"proposed"}
    assert all(one["source"] == "click:classical" and one["score"] >= 0.5 for one in proposed)
    desk.press("i", "y", "Shift+X")
    (kept,) = desk.same().stored()["segments"]
    assert kept["state"] == "final" and kept["key"] in {one["key"] for one in proposed}
    desk.press("Control+z", "Control+z", "Control+z")
    assert desk.same().stored()["segments"] == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_advice_answers_nine_questions_with_reasons_costs_and_a_guide(contexts, owner_state, served, theme):
    page = contexts(owner_state, color_scheme=theme, reduced_motion="reduce").new_page()
    page.goto(f"{served.address}/projects/1/advice")
    for question, answer in (("Must single objects", "yes"), ("Are counts", "no"), ("Do objects", "yes")):
        group = page.get_by_role("group", name=question)
        group.get_by_role("button", name=answer, exact=True).click()
    page.get_by_label("Objects in").fill("3, 12, 7")
    page.get_by_role("button", name="Advise", exact=True).click()
    answer = page.locator("#answer")
    answer.get_by_role("heading", name="Label type: instance").wait_for()
    assert "somebody must say whose a pixel is" in answer.inner_text()
    row = page.get_by_role("row", name="instance")
    assert "advised" in row.inner_text() and "prior, not your data" in row.inner_text()
    guide = page.get_by_role("document", name="Label guide")
    assert "pedestrian" in guide.inner_text()
    if AXE.is_file():
        assert violations(page, RULES) == {}


TABLE = "type,seconds,images,score\n" + "".join(
    f"{kind},{seconds},{images},{score}\n"
    for kind, seconds, scores in (
        ("coarse", 40, (0.41, 0.46, 0.49, 0.50)),
        ("sharp", 360, (0.47, 0.54, 0.59, 0.62)),
    )
    for images, score in zip((20, 40, 80, 160), scores)
)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_table_of_scores_says_what_the_next_hours_buy(contexts, owner_state, served, theme):
    page = contexts(owner_state, color_scheme=theme, reduced_motion="reduce").new_page()
    page.goto(f"{served.address}/projects/1/advice")
    table = page.get_by_label("Scores, as CSV")
    table.fill(TABLE.replace("80,0.59", "80,good"))
    page.get_by_label("Images that have them").fill("160")
    page.get_by_role("button", name="What to buy").click()
    page.get_by_role("alert").get_by_text("table: line 8: score: 'good' is not a number").wait_for()
    file = {"name": "scores.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
    page.get_by_label("Or take them from a file").set_input_files(file)
    have = page.get_by_label("Labels at hand")
    assert have.locator("option").all_inner_texts() == ["coarse", "sharp"] and have.input_value() == "coarse"
    page.get_by_role("button", name="What to buy").click()
    best = page.get_by_role("heading", name="Buy:")
    best.wait_for()
    assert page.get_by_role("alert").count() == 0
    rows = page.get_by_role("region", name="What the next hours buy").get_by_role("row")
    first = rows.nth(1).get_by_role("rowheader").inner_text()
    assert best.inner_text() == f"Buy: {first}" and rows.count() == 4
    if AXE.is_file():
        assert violations(page, RULES) == {}


def test_segments_are_followed_into_the_next_frame(owner, served, desk, free_images):
    """Frames of the sample differ, so that only the way is seen: what was found is on the next image."""
    desk.press("0", "r")
    desk.drag((40, 40), (80, 80))
    following = next(free_images)
    assert following == desk.same().image_id + 1
    desk.press("Shift+F")
    desk.page.get_by_text("1 segment found again in the next frame.").wait_for()
    desk.page.wait_for_url(f"**/images/{following}")
    there = Desk(desk.page, served.address).ready()
    there.image_id = following
    (segment,) = there.stored()["segments"]
    assert segment["source"] == "click:motion" and segment["visible"]
