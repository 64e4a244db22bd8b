"""Click to segment in the browser, with the engine that needs no weights."""

from __future__ import annotations

import pytest

pytest.importorskip("inlay.click")

MASK = "() => inlay.editor.preview?.region?.box ?? null"


def test_a_mask_is_previewed_asked_for_corrected_and_kept(desk):
    page = desk.page
    desk.press("0", "c")
    page.mouse.move(*desk.place(80, 100))
    page.wait_for_function(MASK)  # nobody has clicked
    assert desk.segments() == 0
    desk.press("Enter")
    (first,) = desk.same().stored()["segments"]
    assert first["source"] == "click:classical" and first["visible"]
    desk.click(30, 15)  # another one: the first is done
    page.wait_for_function(MASK)
    desk.press("Enter")
    assert desk.same().segments() == 2
    before = desk.labelled()
    page.keyboard.down("Shift")
    desk.click(30, 15)  # takes away from the one that was just made
    page.keyboard.up("Shift")
    page.wait_for_function(MASK)
    desk.press("Enter")
    assert desk.same().segments() == 2 and desk.labelled() < before


def test_a_wrong_click_is_taken_back_and_escape_drops_everything(desk):
    page = desk.page
    desk.press("0", "c")
    desk.click(80, 100)
    page.wait_for_function(MASK)
    page.keyboard.down("Shift")
    desk.click(10, 10)
    page.keyboard.up("Shift")
    dots = "() => (inlay.editor.preview?.dots ?? []).map(({kind}) => kind).join()"
    assert page.evaluate(dots) == "positive,negative"
    desk.press("Backspace")
    assert page.evaluate(dots) == "positive"
    desk.press("Escape")
    assert page.evaluate(dots) == ""
    assert desk.segments() == 0


def test_a_class_without_assistance_is_drawn_by_hand(owner, served, desk):
    token = owner.request.get(f"{served.address}/api/session").json()["token"]
    chosen = desk.page.evaluate("() => inlay.editor.classes.rows.at(-1).class_id")
    for off, words in (([chosen], "switched off for this class"), ([], None)):
        owner.request.patch(
            f"{served.address}/api/projects/1", data={"assist_off": off}, headers={"X-Inlay-Token": token}
        )
        if words:
            desk.reload()
            desk.page.evaluate("(id) => inlay.editor.change({classId: id})", chosen)
            desk.press("c")
            desk.click(80, 100)
            desk.page.get_by_text(words).wait_for()
