"""Nothing is lost: without a network or a server, when a page dies, with two people on one image."""

from __future__ import annotations

from .desk import Desk, picture

WAITING = "() => inlay.queue.waiting.length"
COPY = """async ([image, revision]) => {
    const cache = await caches.open('inlay-data');
    const copy = await cache.match(`/api/images/${image}/document`);
    return copy && (await copy.json()).revision >= revision;
}"""


def test_what_is_drawn_without_a_network_is_saved_when_it_is_back(owner, desk):
    owner.set_offline(True)
    desk.press("0", "r")
    desk.drag((10, 10), (50, 50))
    desk.press("Escape")
    desk.drag((60, 10), (90, 50))
    desk.page.get_by_text("Offline: 2 gestures kept here").wait_for()
    assert desk.page.evaluate(WAITING) == 2
    owner.set_offline(False)
    assert desk.same().segments() == 2


def test_what_a_closed_page_could_not_save_is_saved_by_the_next_one(owner, served, desk):
    owner.set_offline(True)
    desk.press("0", "r")
    desk.drag((10, 10), (50, 50))
    desk.page.get_by_text("Offline: 1 gesture kept here").wait_for()
    drawn = picture(desk.document())
    desk.page.close()
    owner.set_offline(False)
    again = Desk(owner.new_page(), served.address).open(desk.image_id)
    again.page.get_by_text("were kept in this browser").wait_for()
    assert picture(again.same().document()) == drawn
    again.press("Control+z")
    assert again.same().labelled() == 0


def test_a_server_that_is_killed_and_started_again_has_everything(served, desk):
    desk.press("0", "r")
    desk.drag((10, 10), (50, 50))
    desk.saved()
    served.kill()
    desk.press("Escape")
    desk.drag((60, 10), (90, 50))
    desk.page.get_by_text("Offline: 1 gesture kept here").wait_for()
    served.start()
    desk.online()
    assert desk.same().segments() == 2


def test_a_reload_without_the_server_shows_everything(contexts, owner_state, served, free_images):
    page = contexts(owner_state, service_workers="allow").new_page()
    page.goto(served.address)
    page.wait_for_function("() => navigator.serviceWorker.controller")
    desk = Desk(page, served.address).open(next(free_images))
    desk.press("0", "r")
    desk.drag((10, 10), (50, 50))  # saved
    desk.saved().press("Escape")
    page.wait_for_function(COPY, arg=[desk.image_id, 1])
    desk.drag((60, 10), (90, 50))  # saved, and in no copy yet
    desk.saved()
    served.kill()
    desk.press("Escape")
    desk.drag((100, 10), (140, 50))  # in the journal alone
    page.get_by_text("Offline: 1 gesture kept here").wait_for()
    drawn = picture(desk.document())
    page.reload()
    assert picture(desk.ready().document()) == drawn
    desk.press("0", "r")
    desk.drag((10, 60), (50, 100))
    assert desk.segments() == 4
    served.start()
    desk.online()
    assert desk.same().segments() == 4
    assert picture(desk.reload().document()) == picture(desk.stored())


def test_two_people_on_one_image_see_each_other_draw(served, desk, labeller):
    other = Desk(labeller("Ada", "reviewer").new_page(), served.address).open(desk.image_id)
    desk.press("0", "r")
    desk.drag((10, 10), (50, 50))
    other.page.wait_for_function("() => inlay.editor.document.segments.length === 1")
    other.press("3", "r")
    other.drag((60, 60), (100, 100))
    desk.page.wait_for_function("() => inlay.editor.document.segments.length === 2")
    assert picture(desk.same().document()) == picture(other.same().document())
    desk.press("Control+z")  # takes back one's own, not the other's
    other.page.wait_for_function("() => inlay.editor.document.segments.length === 1")
    assert picture(desk.same().document()) == picture(other.same().document())


def test_what_two_people_drew_apart_is_merged_and_what_collides_is_shown(owner, served, desk, labeller):
    other = Desk(labeller("Grace").new_page(), served.address).open(desk.image_id)
    owner.set_offline(True)
    desk.press("0", "r", "t")  # flat: pixels change hands
    desk.drag((10, 10), (50, 50))
    desk.press("Escape")
    desk.drag((100, 60), (140, 100))
    desk.page.get_by_text("Offline: 2 gestures").wait_for()
    other.press("0", "r")
    other.drag((30, 30), (70, 70))
    other.same()
    owner.set_offline(False)
    view = desk.page.get_by_role("alertdialog", name="Both of you changed the same")
    view.wait_for()
    assert view.locator(".conflict p").bounding_box()["width"] > 250  # words in lines, not in a column of one
    assert desk.same().segments() == 3
    instances = [one["instance_id"] for one in desk.document()["segments"]]
    assert len(set(instances)) == 3  # both began with the same next one
    assert desk.labelled() == 1600 + 1600 + 1600 - 400
    theirs = desk.page.evaluate("() => inlay.editor.document.at(40, 40).key")
    view.get_by_role("button", name="Take mine", exact=True).click()
    assert desk.page.evaluate("() => inlay.editor.document.at(40, 40).key") != theirs
    assert desk.same().labelled() == 4400
    assert view.count() == 0
    desk.press("t")


def test_an_earlier_state_is_looked_at_and_brought_back(desk):
    desk.press("0", "r")
    desk.drag((10, 10), (50, 50))
    first = picture(desk.same().document())
    desk.press("Escape")
    desk.drag((60, 10), (90, 50))
    desk.same()
    page = desk.page
    page.get_by_role("tab", name="History").click()
    page.locator("[role=tabpanel] .list .item").nth(1).click()
    page.get_by_text("as it was").first.wait_for()
    page.get_by_role("button", name="Go back to here").click()
    page.wait_for_function("() => inlay.editor.document.segments.length === 1")
    assert picture(desk.same().document()) == first


def test_time_is_counted_while_somebody_works_and_goes_with_the_gesture(desk):
    desk.page.wait_for_timeout(1200)
    desk.press("0", "r")
    desk.drag((10, 10), (50, 50))
    desk.saved()
    history = desk.page.request.get(f"{desk.address}/api/images/{desk.image_id}/gestures").json()
    assert 1.0 < history[-1]["gesture"]["seconds"] < 30
