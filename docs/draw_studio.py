"""Draw the pictures of the page on the studio, in a real Chromium: python docs/draw_studio.py."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from inlay import scenes, write
from inlay.core.dataset import Dataset, Sample

PICTURES = Path(__file__).parent / "pictures"
RUN = "import sys; from inlay.cli import main; sys.exit(main())"
LABELLED = 6  # of the twelve images; the last two are proposals, two between have no label
READY = "() => globalThis.inlay?.editor.picture"
PLACE = """([x, y]) => {
    const {left, top} = document.querySelector('.canvas').getBoundingClientRect();
    const [sx, sy] = inlay.editor.viewport.toScreen([x, y]);
    return [left + sx, top + sy];
}"""


def guessed(sample: Sample) -> Sample:
    """The truth as a model would have it: with scores, and some of it missing."""
    chance = np.random.default_rng(3)
    truth = sample.label()
    kept = np.flatnonzero(chance.random(len(truth)) > 0.1)
    scores = chance.uniform(0.4, 1, len(kept)).astype(np.float32)
    return sample.replace(segmentation=replace(truth[kept], score=scores))


def project(folder: Path) -> None:
    """Twelve street scenes."""
    street: Dataset = scenes.make("street", 12, size=(480, 640), seed=5)
    write(street, folder / "all", to="native")
    shutil.copytree(folder / "all" / "images", folder / "street")
    write(street[:LABELLED], folder / "labels", to="native")
    write(street[10:].map(guessed), folder / "model", to="native")


def drag(page: Page, *points: tuple[float, float]) -> None:
    """Draw with the mouse through image points."""
    places = [page.evaluate(PLACE, list(point)) for point in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def shoot(page: Page, name: str) -> None:
    """Keep what is seen."""
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(PICTURES / f"studio-{name}.jpg", quality=82)


def open_image(page: Page, address: str, number: int) -> None:
    """Open an image and wait until it is drawn."""
    page.goto(f"{address}/projects/1/images/{number}")
    page.wait_for_function(READY)
    page.wait_for_timeout(600)


def walk(page: Page, address: str) -> None:
    """A new user's first minutes."""
    open_image(page, address, 1)
    shoot(page, "desk")
    open_image(page, address, 8)
    page.keyboard.press("0")
    page.keyboard.press("b")
    for row in range(300, 390, 14):
        drag(page, (250, row), (330, row))
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    page.keyboard.press("p")
    for corner in ((60, 470), (250, 300), (330, 300), (600, 470)):
        page.mouse.click(*page.evaluate(PLACE, list(corner)))
    page.keyboard.press("Enter")
    shoot(page, "drawing")
    open_image(page, address, 11)
    page.keyboard.press("i")
    shoot(page, "proposals")
    page.keyboard.press("y")
    page.keyboard.press("x")
    page.goto(f"{address}/projects/1/dashboard")
    page.wait_for_timeout(800)
    shoot(page, "dashboard")


def main() -> None:
    """Start a studio, walk through it, keep the pictures."""
    PICTURES.mkdir(exist_ok=True)
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        project(folder)
        options = ["--import", str(folder / "labels"), "--predictions", str(folder / "model")]
        packs = [
            "--pack",
            "schema,partition,geometry,logic",
            "--name",
            "Street",
            "--no-browser",
            "--port",
            "8790",
        ]
        command = [sys.executable, "-c", RUN, "label", str(folder / "street"), *options, *packs]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            link = next(found.group() for line in server.stdout if (found := re.search(r"http\S+", line)))
            address = re.match(r"http://[^/]+", link)
            assert address is not None
            wait_for(address.group())
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
                page = chromium.new_page(viewport={"width": 1280, "height": 760}, color_scheme="dark")
                page.goto(link)
                page.get_by_role("button", name="Label the next image").wait_for()
                walk(page, address.group())
                chromium.close()
            server.terminate()


def wait_for(address: str) -> None:
    """Wait until a server answers."""
    for _ in range(200):
        try:
            urllib.request.urlopen(address).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    main()
