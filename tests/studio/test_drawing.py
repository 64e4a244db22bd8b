"""Every tool draws; what is drawn is saved, outlives a reload and can be undone."""

from __future__ import annotations

import zipfile

import pytest

from inlay import read

from .desk import picture


def test_each_tool_labels_and_a_reload_and_undo_keep_every_pixel(desk):
    before = desk.labelled()
    assert before == 0

    def grows(at_least: int = 1) -> None:
        nonlocal before
        now = desk.labelled()
        assert now >= before + at_least
        before = now

    desk.press("0", "b")  # a car, by brush
    desk.drag((10, 20), (40, 20))
    grows(200)
    desk.press("Escape", "r")
    desk.drag((50, 5), (70, 25))
    grows(300)
    desk.press("Escape", "l")
    desk.drag((80, 5), (110, 5), (110, 30), (80, 30))
    grows(300)
    desk.press("Escape", "p")
    for point in ((120, 5), (150, 5), (150, 30)):
        desk.click(*point)
    desk.press("Enter")
    grows(200)
    desk.press("Escape", "s")
    for point in ((10, 45), (40, 45), (40, 70), (10, 70)):
        desk.click(*point)
    desk.press("Enter")
    grows(200)
    desk.press("Escape", "u")
    desk.drag((60, 50), (80, 50))
    grows(20)
    desk.press("Escape", "g", "3")  # the rest is road
    desk.click(100, 100)
    grows(1000)
    drawn = picture(desk.same().document())
    kinds = desk.page.evaluate("() => inlay.editor.history.undoable.kind")
    assert kinds == "fill"
    assert picture(desk.reload().document()) == drawn
    for _ in range(7):
        desk.press("Control+z")
    assert desk.labelled() == 0
    desk.same()
    for _ in range(7):
        desk.press("Control+Shift+z")
    assert picture(desk.same().document()) == drawn


def test_segments_are_erased_split_merged_moved_and_deleted(desk):
    desk.press("0", "r")
    desk.drag((20, 20), (60, 60))
    desk.press("Escape")
    desk.drag((60, 20), (100, 60))
    assert (desk.segments(), desk.labelled()) == (2, 3200)
    desk.press("Escape", "d")  # the shared border moves for both
    desk.drag((60, 40), (70, 40))
    assert (desk.segments(), desk.labelled()) == (2, 3200)
    areas = desk.page.evaluate(
        "() => inlay.editor.document.segments.map((s) => inlay.editor.document.area(s.key))"
    )
    assert areas[0] > 1600 > areas[1]
    desk.press("Escape", "k")
    desk.drag((40, 10), (40, 70))
    assert (desk.segments(), desk.labelled()) == (3, 3200)
    desk.press("Escape", "m")
    desk.drag((30, 40), (50, 40), (90, 40))
    assert (desk.segments(), desk.labelled()) == (1, 3200)
    desk.press("Escape", "e")
    desk.drag((20, 40), (100, 40))
    assert desk.labelled() < 3200
    desk.press("v")
    desk.click(25, 22)
    desk.press("Delete")
    assert (desk.segments(), desk.labelled()) == (0, 0)
    desk.same()


def test_a_segment_in_front_keeps_the_pixels_behind_it_until_it_goes(desk):
    desk.press("0", "r")
    desk.drag((20, 20), (60, 60))
    desk.press("Escape")
    desk.drag((40, 40), (80, 80))
    back, front = desk.same().stored()["segments"]
    assert back["hidden"] and not front.get("hidden")
    desk.press("Delete")  # the front one is selected: what ran on underneath comes to light
    (left,) = desk.same().stored()["segments"]
    assert left["key"] == back["key"] and not left.get("hidden")
    assert desk.labelled() == 1600


def test_class_tags_and_order_are_changed_by_keyboard_and_panel(desk):
    desk.press("0", "r")
    desk.drag((20, 20), (60, 60))
    desk.press("Escape")
    desk.drag((40, 40), (80, 80))
    desk.press("Control+[")  # behind the other one
    desk.press("7")  # it is a tree after all
    desk.page.get_by_role("button", name="+ difficult").click()
    desk.page.get_by_label("Crowd").check()
    back, front = desk.same().stored()["segments"]
    assert back["tags"] == ["difficult", "occluded"] and back["crowd"] and back["hidden"]
    assert back["class_id"] != front["class_id"]
    desk.page.locator(".layer .item").nth(1).click()
    assert desk.page.evaluate("() => inlay.editor.selection[0]") == back["key"]


def test_an_export_holds_the_pixels_that_were_drawn(owner, served, desk, tmp_path):
    desk.press("0", "r")
    desk.drag((30, 30), (90, 77))
    desk.press("Escape", "3", "g")
    desk.click(5, 5)
    desk.same()
    page = desk.page
    page.goto(f"{served.address}/projects/1/data")
    section = page.locator("section", has=page.get_by_role("heading", name="Export", exact=True))
    section.get_by_label("Format", exact=True).select_option("native")
    section.get_by_role("button", name="Export").click()
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Fetch").first.click()
    archive = tmp_path / "export.zip"
    fetched.value.save_as(archive)
    zipfile.ZipFile(archive).extractall(tmp_path / "out")
    folder = next(path.parent for path in (tmp_path / "out").rglob("*.parquet"))
    name = page.request.get(f"{served.address}/api/images/{desk.image_id}").json()["name"]
    found = read(folder)[name].label()
    assert sorted(found.masks.area().tolist()) == sorted([60 * 47, 120 * 160 - 60 * 47])
    assert found.is_partition


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_theme_follows_the_system(contexts, owner_state, served, theme):
    page = contexts(owner_state, color_scheme=theme).new_page()
    page.goto(served.address)
    page.get_by_role("button", name="Label the next image").wait_for()
    assert page.evaluate("() => document.documentElement.dataset.theme") == theme
