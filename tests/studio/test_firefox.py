"""The labelling page in Firefox: each tool draws, and what it drew is on the server to the pixel."""

from __future__ import annotations

import base64
import os
import shutil
import socket
from pathlib import Path

import pytest

from .conftest import Served
from .desk import picture

pytest.importorskip("websockets")

from inlay.client import Client

from .firefox import Firefox

SAVED = "inlay.saving.value.status === 'saved' && !inlay.queue.waiting.length"


@pytest.fixture(scope="module")
def fresh(served, tmp_path_factory):
    """A studio of its own over three pictures."""
    folder = tmp_path_factory.mktemp("firefox-studio")
    (folder / "images").mkdir()
    for file in sorted((served.folder / "all" / "images").iterdir())[:3]:
        shutil.copy(file, folder / "images")
    studio = Served(folder)
    studio.start()
    yield studio
    studio.kill()


@pytest.fixture(scope="module")
def firefox(fresh, tmp_path_factory):
    program = shutil.which("firefox") or shutil.which("firefox-esr")
    if program is None:
        pytest.skip("no Firefox here: apt install firefox-esr")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    found = Firefox(program, tmp_path_factory.mktemp("firefox"), port)
    yield found
    shots = os.environ.get("INLAY_SHOTS")
    if shots:
        (Path(shots) / "firefox.png").write_bytes(base64.b64decode(found.picture()))
    found.close()


def at(firefox, *points):
    """Where image points are on the page."""
    return firefox.value(
        f"""(() => {{
        const {{left, top}} = document.querySelector('.canvas').getBoundingClientRect();
        const put = ([x, y]) => [left + x, top + y];
        return {[list(point) for point in points]}.map((one) => put(inlay.editor.viewport.toScreen(one)));
    }})()"""
    )


def drag(firefox, *points):
    firefox.drag(*at(firefox, *points))


def click(firefox, *points):
    for place in at(firefox, *points):
        firefox.drag(place, place)


def owned(firefox):
    return firefox.value("inlay.editor.document.idMap.reduce((sum, id) => sum + (id ? 1 : 0), 0)")


def segments(firefox):
    return firefox.value("inlay.editor.document.segments.length")


def reload(firefox):
    firefox.ask("browsingContext.reload", context=firefox.context, wait="complete")
    firefox.until("globalThis.inlay?.editor.picture")


def test_each_tool_draws_in_firefox_and_nothing_is_lost(fresh, firefox):
    firefox.go(fresh.owner_link)
    firefox.until("document.body.innerText.includes('Label the next image')")
    firefox.go(f"{fresh.address}/projects/1/images/1")
    firefox.until("globalThis.inlay?.editor.picture")
    firefox.until("document.querySelector('input[placeholder^=\"Name of a class\"]')")
    firefox.value("document.querySelector('input[placeholder^=\"Name of a class\"]').focus()")
    firefox.press(*"cell", "Enter")
    firefox.until("inlay.editor.classes.rows.length === 1")
    firefox.press("Escape", "1")
    firefox.value("document.querySelector('.canvas').focus()")
    grown = 0

    def draws(tool, act):
        nonlocal grown
        firefox.value("inlay.editor.select([])")
        firefox.press(tool)
        act()
        firefox.until(f"{SAVED} && inlay.editor.document.idMap.some((id) => id)")
        assert owned(firefox) != grown, tool
        grown = owned(firefox)

    draws("r", lambda: drag(firefox, (10, 10), (40, 30)))
    draws("b", lambda: drag(firefox, (60, 20), (80, 30), (90, 20)))
    draws("l", lambda: drag(firefox, (10, 60), (30, 60), (30, 80), (10, 80), (10, 60)))
    draws("p", lambda: (click(firefox, (60, 60), (80, 60), (80, 80)), firefox.press("Enter")))
    draws("e", lambda: drag(firefox, (10, 10), (40, 30)))
    draws("u", lambda: click(firefox, (120, 40)))
    draws("g", lambda: click(firefox, (150, 110)))
    count, before = segments(firefox), grown
    firefox.press("Control+z")
    firefox.until(f"{SAVED}")
    assert owned(firefox) < before
    reload(firefox)
    firefox.press("Control+y")  # redone after the reload
    firefox.until(f"inlay.editor.document.segments.length === {count} && {SAVED}")
    assert owned(firefox) == before
    seen = firefox.value("inlay.editor.document.toJson()")
    with Client(_link(fresh)) as client:
        assert picture(client.document(1)) == picture(seen)


def _link(studio):
    """Another link of the owner: the printed one works once."""
    studio.kill()
    studio.start()
    return studio.owner_link


def test_firefox_goes_on_when_the_server_was_killed(fresh, firefox):
    before = firefox.value("inlay.editor.document.revision ?? 0")
    fresh.kill()
    firefox.press("r")
    firefox.value("inlay.editor.select([])")
    drag(firefox, (100, 90), (130, 115))
    firefox.until("inlay.queue.waiting.length")
    fresh.start()
    firefox.until(SAVED)
    seen = firefox.value("inlay.editor.document.toJson()")
    with Client(_link(fresh)) as client:
        assert picture(client.document(1)) == picture(seen)
    assert before is not None
