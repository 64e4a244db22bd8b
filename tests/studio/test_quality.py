"""Several people on one image, images whose truth is known, and classes that turn out to be two."""

from __future__ import annotations

import zipfile

from .desk import Desk


def test_versions_of_two_people_are_compared_and_one_is_taken(served, desk, labeller):
    people = {name: labeller(name) for name in ("Olga", "Piet")}
    page = desk.page
    page.reload()
    desk.ready()
    page.get_by_role("tab", name="Review").click()
    page.get_by_text("Agreement", exact=True).click()
    for name in people:
        page.get_by_label(name, exact=True).check()
    page.get_by_role("button", name="Hand out").click()
    page.get_by_role("button", name="Take this version").first.wait_for()
    for (_, context), right in zip(people.items(), (50, 90), strict=True):
        theirs = context.new_page()
        theirs.goto(f"{served.address}/projects/1")
        theirs.get_by_role("button", name="Label the next image").click()
        copy = Desk(theirs, served.address).ready()
        copy.image_id = theirs.evaluate("() => inlay.id")
        assert copy.image_id != desk.image_id and copy.segments() == 0
        copy.press("0", "r")
        copy.drag((10, 10), (right, 50))
        copy.same()
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("cell", name="50.0 %").first.wait_for()  # 40 of 80 columns are the same
    page.get_by_role("button", name="Take this version").first.click()
    page.get_by_text("Taken; it can be undone").wait_for()
    page.wait_for_function("() => inlay.editor.document.segments.length === 1")
    assert desk.same().labelled() in (1600, 3200)


def test_an_image_becomes_a_honeypot_which_nobody_but_reviewers_sees(owner, served, desk, labeller):
    desk.press("0", "r")
    desk.drag((10, 10), (50, 50))
    page = desk.same().page
    name = page.locator("h1").inner_text()
    page.get_by_role("tab", name="Review").click()
    page.get_by_text("Agreement", exact=True).click()
    page.get_by_role("button", name="Use as honeypot").click()
    page.get_by_text("is now a honeypot").wait_for()
    page.goto(f"{served.address}/projects/1")
    page.get_by_label("Search by name").fill(name)
    page.get_by_text("truth of a honeypot").wait_for()
    other = labeller("Quinn").new_page()
    other.goto(f"{served.address}/projects/1")
    other.get_by_label("Search by name").fill(name)
    other.get_by_text("No image fits").wait_for()


def test_a_class_is_split_by_a_tag_and_the_split_is_taken_back(owner, served, desk):
    desk.press("0", "r")
    desk.drag((10, 10), (50, 50))
    tag = desk.page.get_by_label("Add a tag")
    tag.fill("yellow")
    tag.press("Enter")
    car = desk.same().stored()["segments"][0]["class_id"]
    page = owner.new_page()
    page.goto(f"{served.address}/projects/1/classes")
    page.get_by_role("button", name=f"Split off a class: {named(desk, car)}", exact=True).click()
    page.get_by_label("Tag of the segments to take").fill("yellow")
    page.get_by_label("Name of the new class").fill("taxi")
    page.get_by_role("dialog").get_by_role("button", name="Split off a class").click()
    page.get_by_label("Name: taxi").wait_for()
    page.get_by_role("button", name="Take back").first.wait_for()
    assert desk.reload().stored()["segments"][0]["class_id"] != car
    page.get_by_role("button", name="Take back").first.click()
    page.get_by_text("taken back").first.wait_for()
    assert desk.reload().stored()["segments"][0]["class_id"] == car


def test_a_class_is_split_by_size_after_a_look_at_how_many(owner, served, desk):
    cyclist = desk.page.evaluate("() => inlay.editor.classes.rows.find(({name}) => name === 'cyclist')")
    desk.page.evaluate("(id) => inlay.editor.change({classId: id})", cyclist["class_id"])
    desk.press("r")
    desk.drag((10, 10), (13, 13))
    desk.press("Escape")
    desk.drag((60, 10), (100, 50))
    small, large = desk.same().stored()["segments"]
    page = owner.new_page()
    page.goto(f"{served.address}/projects/1/classes")
    page.get_by_role("button", name="Split off a class: cyclist", exact=True).click()
    page.get_by_role("button", name="smaller than").click()
    page.get_by_label("Pixels that are seen").fill("10")
    page.get_by_role("button", name="How many?").click()
    page.get_by_role("status").get_by_text("segment").first.wait_for()
    page.get_by_label("Name of the new class").fill("far cyclist")
    page.get_by_role("dialog").get_by_role("button", name="Split off a class").click()
    page.get_by_label("Name: far cyclist").wait_for()
    page.get_by_role("button", name="Take back").first.wait_for()
    now = {one["key"]: one["class_id"] for one in desk.reload().stored()["segments"]}
    assert now[large["key"]] == cyclist["class_id"] != now[small["key"]]
    page.get_by_role("button", name="Take back").first.click()
    page.get_by_text("taken back").first.wait_for()


def named(desk, class_id):
    return desk.page.evaluate("(id) => inlay.editor.classes.name(id)", class_id)


def test_an_export_from_the_page_that_would_lose_something_says_what(owner, served, desk, tmp_path):
    desk.press("0", "r")
    desk.drag((10, 10), (60, 60))
    desk.press("Escape")
    desk.drag((20, 20), (40, 40))  # a covered part, which YOLO cannot hold
    desk.same()
    page = owner.new_page()
    page.goto(f"{served.address}/projects/1/data")
    page.locator("section", has_text="Export").get_by_label("Format", exact=True).select_option("yolo")
    page.get_by_role("button", name="Export", exact=True).click()
    page.locator("tbody tr").first.locator(".error-box").wait_for()
    page.get_by_label("Leave out what the format cannot hold").check()
    page.get_by_role("button", name="Export", exact=True).click()
    link = page.locator("tbody tr").first.get_by_role("link", name="Fetch")  # newest first
    link.wait_for()
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "labels.zip")
    assert any(name.endswith(".txt") for name in zipfile.ZipFile(tmp_path / "labels.zip").namelist())
