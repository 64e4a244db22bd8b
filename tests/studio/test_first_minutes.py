"""The first minutes of a new user, and what he then presses all day."""

from __future__ import annotations

import shutil

import pytest

from .conftest import Served
from .desk import Desk


@pytest.fixture(scope="module")
def fresh(served, tmp_path_factory):
    """A studio over a folder of pictures of which nobody has labelled anything."""
    folder = tmp_path_factory.mktemp("fresh")
    (folder / "images").mkdir()
    for picture in sorted((served.folder / "all" / "images").iterdir())[:3]:
        shutil.copy(picture, folder / "images")
    studio = Served(folder)
    studio.start()
    yield studio
    studio.kill()


def test_a_folder_without_labels_is_labelled_without_leaving_the_image(contexts, fresh):
    page = contexts().new_page()
    page.goto(fresh.owner_link)
    page.get_by_role("button", name="Label the next image").click()  # one project: its images come first
    page.wait_for_url("**/images/1")
    desk = Desk(page, fresh.address).ready()
    desk.image_id = 1
    desk.press("r")
    desk.drag((10, 10), (50, 50))
    page.get_by_text("Choose a class first").wait_for()
    assert desk.segments() == 0
    name = page.get_by_placeholder("Name of a class, then Enter")
    name.fill("cell")
    name.press("Enter")
    page.locator(".classes .item", has_text="cell").wait_for()
    page.get_by_label("New class").fill("ground")
    page.get_by_label("stuff").check()
    page.get_by_label("New class").press("Enter")
    page.locator(".classes .item", has_text="ground").wait_for()
    desk.press("Escape", "r")  # out of the field: keys are commands again
    assert page.get_by_label("New class").input_value() == ""
    desk.drag((60, 10), (100, 50))  # of the class added last
    desk.press("1")
    desk.drag((10, 10), (50, 50))
    kinds = [(one["class_id"], one["instance_id"] > 0) for one in desk.same().stored()["segments"]]
    assert [thing for _, thing in kinds] == [False, True] and kinds[0][0] != kinds[1][0]


def test_gaps_are_filled_one_after_the_other_until_nothing_is_unlabelled(desk):
    desk.press("0", "r")
    desk.drag((60, 0), (80, 120))  # from top to bottom: two gaps are left
    desk.press("3", ".", ",")
    assert 0 < desk.page.evaluate("() => inlay.editor.document.unlabelled") < 120 * 140
    desk.press(",")
    assert desk.same().page.evaluate("() => inlay.editor.document.unlabelled") == 0
    kinds = [one["class_id"] for one in desk.stored()["segments"]]
    assert len(set(kinds)) == 2


def test_proposals_are_judged_all_at_once(owner, served):
    desk = Desk(owner.new_page(), served.address).open(5)
    proposed = [one["key"] for one in desk.stored()["segments"] if one["state"] == "proposed"]
    assert proposed
    desk.press("Shift+X")
    assert desk.segments() == 0
    desk.press("Control+z", "Shift+Y")
    assert [one["state"] for one in desk.same().stored()["segments"]] == ["final"] * len(proposed)
    desk.press("Control+a")
    assert desk.page.evaluate("() => inlay.editor.selection.length") == len(proposed)
    desk.press("Delete")
    assert desk.same().stored()["segments"] == []
