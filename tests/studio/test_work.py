"""The work around drawing: proposals, review, classes, members, dashboard; all of it accessible."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .desk import Desk

AXE = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("", "/dashboard", "/classes", "/members", "/advice", "/data", "/settings", "/images/1", "/images/4")
RULES = "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"


def violations(page, rules):
    """What axe finds on a page, with the first places."""
    page.evaluate(AXE.read_text("utf-8"))
    result = page.evaluate("(rules) => axe.run(document, {runOnly: rules})", list(rules))
    return {one["id"]: [node["html"][:160] for node in one["nodes"][:3]] for one in result["violations"]}


@pytest.mark.parametrize(
    ("theme", "places", "rules"),
    [("dark", PAGES, RULES), ("light", ("", "/dashboard", "/images/4"), ["color-contrast"])],
)
def test_axe_finds_nothing_on_any_page(contexts, owner_state, served, theme, places, rules):
    if not AXE.is_file():
        pytest.skip("axe-core is not installed here: python tools/web.py check")
    page = contexts(owner_state, color_scheme=theme, reduced_motion="reduce").new_page()
    found = {}
    for place in places:
        page.goto(f"{served.address}/projects/1{place}")
        if "/images/" in place:
            Desk(page, served.address).ready()
            page.locator(".layer, .list .item").first.wait_for()
        else:
            page.get_by_role("heading", level=1).wait_for()
        page.wait_for_timeout(300)
        found |= {(place, name): nodes for name, nodes in violations(page, rules).items()}
    assert found == {}


def test_axe_finds_nothing_on_the_page_to_log_in_and_in_windows(contexts, owner_state, served):
    if not AXE.is_file():
        pytest.skip("axe-core is not installed here: python tools/web.py check")
    stranger = contexts().new_page()
    stranger.goto(served.address)
    stranger.get_by_role("button", name="Log in").wait_for()
    page = contexts(owner_state, reduced_motion="reduce").new_page()
    desk = Desk(page, served.address).open(1)
    desk.press("?")
    page.get_by_role("heading", name="Keys").wait_for()
    assert violations(stranger, RULES) == {}
    assert violations(page, RULES) == {}


def test_proposals_are_accepted_and_rejected_one_by_one(owner, served):
    desk = Desk(owner.new_page(), served.address).open(4)
    proposed = [segment for segment in desk.stored()["segments"] if segment["state"] == "proposed"]
    assert proposed and all(segment["source"].startswith("model:") for segment in proposed)
    desk.press("i", "y", "x")  # the first one, yes; the next one, no
    left = [segment for segment in desk.same().stored()["segments"] if segment["state"] == "proposed"]
    assert len(left) == len(proposed) - 2
    assert desk.segments() == len(proposed) - 1
    desk.page.get_by_role("button", name=f"Accept these {len(left)}").click()
    assert {segment["state"] for segment in desk.same().stored()["segments"]} == {"final"}


def test_an_image_is_submitted_returned_with_a_comment_and_accepted(owner, served, desk, labeller):
    theirs = Desk(labeller("Tim").new_page(), served.address).open(desk.image_id)
    theirs.press("0", "r")
    theirs.drag((10, 10), (50, 50))
    theirs.same().page.get_by_role("button", name="Submit", exact=True).click()
    theirs.page.get_by_text("Submitted.").wait_for()
    page = desk.reload().page
    page.get_by_role("button", name="Return", exact=True).click()
    page.get_by_label("What is to be done?").fill("The left edge is off")
    page.get_by_role("dialog").get_by_role("button", name="Return").click()
    page.locator(".chip.returned").first.wait_for()
    theirs.open(desk.image_id).page.get_by_role("tab", name="Review").click()
    theirs.page.get_by_text("The left edge is off").wait_for()
    theirs.page.get_by_role("button", name="Submit", exact=True).click()
    theirs.page.get_by_text("Submitted.").wait_for()
    page.get_by_role("button", name="Accept", exact=True).click()
    page.locator(".chip.accepted").first.wait_for()


def test_classes_are_renamed_without_touching_a_segment_and_added(owner, served):
    page = owner.new_page()
    page.goto(f"{served.address}/projects/1/classes")
    before = page.request.get(f"{served.address}/api/images/1/document").json()["segments"]
    page.get_by_label("Name: fence").fill("railing")
    page.get_by_role("button", name="Add a class").click()
    page.locator("tbody tr").last.get_by_label("Name").fill("bench")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Classes saved.").wait_for()
    names = [
        row["name"] for row in page.request.get(f"{served.address}/api/projects/1/classes").json()["classes"]
    ]
    assert "railing" in names and "bench" in names and "fence" not in names
    assert page.request.get(f"{served.address}/api/images/1/document").json()["segments"] == before
    page.get_by_label("Name: railing").fill("bench")
    page.get_by_text("There are two classes named bench.").wait_for()
    assert page.get_by_role("button", name="Save").is_disabled()


def test_images_are_found_by_name_and_state(owner, served):
    page = owner.new_page()
    page.goto(f"{served.address}/projects/1")
    page.get_by_label("Search by name").fill("000002")
    page.get_by_text("1 image", exact=True).wait_for()
    page.get_by_role("link", name="street-000002").click()
    page.wait_for_url("**/projects/1/images/3")


def test_a_labeller_sees_neither_settings_of_the_project_nor_the_data_of_others(served, labeller):
    page = labeller("Nina").new_page()
    page.goto(f"{served.address}/projects/1")
    page.get_by_role("link", name="Members").wait_for()
    for name in ("Dashboard", "Import and export"):
        assert page.get_by_role("link", name=name).count() == 0


def test_the_dashboard_counts_what_was_done(owner, served, desk):
    desk.page.wait_for_timeout(600)
    desk.press("0", "r")
    desk.drag((10, 10), (50, 50))
    desk.saved()
    page = owner.new_page()
    page.goto(f"{served.address}/projects/1/dashboard")
    chart = page.get_by_role("img", name="Active time by tool")
    chart.wait_for()
    assert "Box" in chart.text_content()
    for name, shown in (("Active time by person", "me"), ("Active time by class", "")):
        assert shown in page.get_by_role("img", name=name).text_content()
    token = owner.request.get(f"{served.address}/api/session").json()["token"]
    project = f"{served.address}/api/projects/1"
    try:
        owner.request.patch(project, data={"rate": 3600}, headers={"X-Inlay-Token": token})
        page.reload()
        cost = page.get_by_role("img", name="Cost by person")
        cost.wait_for()
        assert re.search(r"me\d+\.\d\d", cost.text_content())
    finally:
        owner.request.patch(project, data={"rate": 0}, headers={"X-Inlay-Token": token})


def test_every_command_of_the_palette_has_a_name_and_runs(desk):
    desk.press("Control+k")
    desk.page.get_by_role("combobox").fill("opacity")  # a word of the name, not of the title
    assert desk.page.get_by_role("option").count() == 2
    desk.page.get_by_role("combobox").fill("tool eras")
    desk.press("Enter")
    desk.page.wait_for_function("() => inlay.editor.toolName === 'erase'")


def test_a_finding_appears_while_one_draws_and_one_key_fixes_it(owner, served, desk):
    page = owner.new_page()
    page.goto(f"{served.address}/projects/1/settings")
    page.get_by_label("geometry", exact=True).check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Settings saved.").wait_for()
    desk.press("0", "r")
    desk.drag((20, 20), (100, 90))
    desk.page.keyboard.down("Shift")
    desk.drag((140, 100), (142, 102))  # a stray part of the same segment
    desk.page.keyboard.up("Shift")
    assert desk.saved().labelled() == 80 * 70 + 4
    desk.page.get_by_role("tab", name="Findings").click()
    finding = desk.page.locator(".finding", has_text="fragment")
    page.goto(f"{served.address}/projects/1")
    page.get_by_label("Finding").focus()
    page.locator("datalist option[value=fragment]").wait_for(state="attached")  # offered, to be picked
    finding.get_by_role("button", name="stray").first.click()
    desk.press("f")
    desk.page.get_by_text("Fixed.").wait_for()
    assert desk.same().labelled() == 80 * 70
    finding.wait_for(state="detached")
    desk.press("Control+z")
    assert desk.same().labelled() == 80 * 70 + 4
