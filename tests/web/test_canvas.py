"""The canvas in a real Chromium: mouse, pen, touch and wheel reach the tools, and what is drawn is seen."""

from __future__ import annotations

import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"
ESBUILD = WEB / "node_modules" / ".bin" / "esbuild"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
PAGE = """<!doctype html><meta charset="utf-8"><title>canvas</title><link rel="icon" href="data:,">
<style>html,body{margin:0;height:100%;background:#222}#host{position:absolute;inset:0}</style>
<div id="host"></div><script type="module" src="page.js"></script>"""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here"),
    pytest.mark.skipif(not ESBUILD.exists(), reason="no esbuild here: run npm ci in web/"),
]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    bundle = [
        "--bundle",
        "--format=esm",
        "--target=es2022",
        "--log-level=error",
        f"--outfile={folder}/page.js",
    ]
    subprocess.run([str(ESBUILD), "bench/page.ts", *bundle], cwd=WEB, check=True)
    (folder / "index.html").write_text(PAGE, "utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def context(playwright, tmp_path_factory):
    context = playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=CHROMIUM,
        args=FLAGS,
        viewport={"width": 800, "height": 600},
        has_touch=True,
    )
    yield context
    context.close()


@pytest.fixture
def page(context, address):
    """A page with ground and 11 discs on 400x300 pixels, two on the screen each; its errors fail the test."""
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.wait_for_function("window.openBench !== undefined")
    page.evaluate("makeBench(400, 300, 12).then(openBench)")
    page.evaluate("bench.sent = []; void bench.editor.onGesture((gesture) => bench.sent.push(gesture.kind))")
    yield page
    page.close()
    assert errors == []


def seen_at(page, x, y):
    """Red, green, blue, alpha of the segments' canvas under a point of the screen, after the next frame."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))")
    canvas = "document.querySelector('canvas.segments').getContext('2d')"
    return page.evaluate(f"([x, y]) => [...{canvas}.getImageData(x, y, 1, 1).data]", [x, y])


def owner_at(page, x, y):
    return page.evaluate(
        "([x, y]) => bench.editor.document.at(...bench.editor.viewport.toImage([x, y]))?.key", [x, y]
    )


@pytest.fixture
def session(page):
    """Chromium's own protocol, which knows pens and fingers."""
    return page.context.new_cdp_session(page)


def pen(session, kind, x, y, force):
    event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 0 if kind == "mouseReleased" else 1}
    session.send("Input.dispatchMouseEvent", {**event, "pointerType": "pen", "force": force, "clickCount": 1})


def touch(session, kind, *points):
    places = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})


def test_a_stroke_of_the_mouse_is_one_gesture_and_is_seen(page):
    before = seen_at(page, 300, 300)
    page.mouse.move(250, 300)
    page.mouse.down()
    page.mouse.move(350, 300, steps=10)
    assert seen_at(page, 300, 300) != before, "it is seen before the stroke ends"
    page.mouse.up()
    assert page.evaluate("bench.sent") == ["brush"]
    assert owner_at(page, 300, 300) == page.evaluate("bench.editor.selection[0]")
    page.evaluate("bench.editor.undo()")
    page.mouse.move(5, 5)
    assert seen_at(page, 300, 300) == before


def test_a_segment_drawn_in_the_place_of_a_deleted_one_is_seen_while_it_is_drawn(page):
    page.evaluate("bench.editor.do('delete', (draft) => draft.delete(bench.editor.document.frontKey)); null")
    page.evaluate("bench.editor.select([])")
    before = seen_at(page, 300, 300)
    page.mouse.move(290, 300)
    page.mouse.down()
    page.mouse.move(310, 300, steps=4)
    assert seen_at(page, 300, 300)[3] == pytest.approx(0.7 * 255, abs=1)
    assert seen_at(page, 300, 300) != before
    page.mouse.up()


def test_a_pen_presses_the_brush_wider(page, session):
    page.evaluate("bench.editor.change({ brush: 40 })")
    widths = []
    for force in (0.1, 0.9):
        page.evaluate("bench.editor.select([])")
        pen(session, "mousePressed", 300, 300, force)
        pen(session, "mouseMoved", 340, 300, force)
        pen(session, "mouseReleased", 340, 300, force)
        box = page.evaluate("bench.editor.document.box(bench.editor.selection[0])")
        widths.append(box[3] - box[1])
    assert widths[0] < 30 < 50 < widths[1]


def test_one_finger_draws_and_two_zoom_without_drawing(page, session):
    touch(session, "touchStart", (200, 200))
    touch(session, "touchMove", (260, 200))
    touch(session, "touchEnd")
    assert page.evaluate("bench.sent") == ["brush"]
    scale = page.evaluate("bench.editor.viewport.scale")
    touch(session, "touchStart", (300, 300))
    touch(session, "touchStart", (300, 300), (400, 300))
    touch(session, "touchMove", (250, 300), (450, 300))
    touch(session, "touchEnd")
    assert page.evaluate("bench.editor.viewport.scale") == pytest.approx(2 * scale, rel=0.01)
    assert page.evaluate("bench.sent") == ["brush"]


def test_the_wheel_zooms_about_the_pointer_and_the_space_bar_pans(page):
    place = page.evaluate("bench.editor.viewport.toImage([600, 200])")
    page.mouse.move(600, 200)
    page.mouse.wheel(0, -400)
    page.wait_for_function("bench.editor.viewport.scale > 2.5")
    assert page.evaluate("bench.editor.viewport.toImage([600, 200])") == pytest.approx(place)
    page.keyboard.down(" ")
    page.mouse.down()
    page.mouse.move(500, 150, steps=4)
    page.mouse.up()
    page.keyboard.up(" ")
    assert page.evaluate("bench.editor.viewport.toImage([500, 150])") == pytest.approx(place, abs=0.01)
    assert page.evaluate("bench.sent") == []


def test_the_minimap_shows_itself_where_one_has_zoomed_and_leads_elsewhere(page):
    assert not page.locator("canvas.minimap").is_visible()
    page.evaluate("bench.editor.viewport.zoomTo(16)")
    page.locator("canvas.minimap").click(position={"x": 10, "y": 10})
    x, y = page.evaluate("bench.editor.viewport.toImage([400, 300])")
    assert (x, y) == pytest.approx((25, 25), abs=2)
    assert page.evaluate("bench.sent") == []


def test_each_tool_takes_clicks_and_drags_without_an_error(page):
    names = page.evaluate("Object.keys(bench.editor.tools)")
    assert len(names) == 15
    for name in names:
        page.evaluate("(name) => { bench.editor.use(name); bench.editor.select([]) }", name)
        page.mouse.move(200, 150)
        page.mouse.down()
        page.mouse.move(260, 190, steps=3)
        page.mouse.up()
        page.mouse.dblclick(420, 320)
        page.evaluate("bench.editor.tool.cancel?.()")
        assert page.evaluate("bench.editor.document.problems()") == [], name
    assert {"brush", "erase", "box", "superpixel"} <= set(page.evaluate("bench.sent"))


def test_a_resized_window_keeps_the_canvas_sharp(page):
    page.set_viewport_size({"width": 500, "height": 400})
    page.wait_for_function("document.querySelector('canvas.segments').width === 500")
    assert page.evaluate("bench.editor.viewport.screen") == [500, 400]
    assert seen_at(page, 250, 200)[3] > 0
