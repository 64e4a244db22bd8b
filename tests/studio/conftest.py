"""A studio as a user starts it, in a real Chromium."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip(
    "playwright", reason="the studio's end-to-end tests need playwright: pip install playwright"
)
pytest.importorskip("fastapi")

from inlay import scenes, write

from .desk import Desk

LABELLED, PROPOSED, EMPTY = 3, 2, 36  # images of the sample project, in the order of their names
DRAWN = LABELLED + PROPOSED + 2  # the other empty ones are copies of the last two
SIZE = (120, 160)
RUN = "import sys; from inlay.cli import main; sys.exit(main())"
PATIENCE = 20_000  # milliseconds for a slow machine


def chromium() -> str:
    """The browser of this machine."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium here: apt install chromium")
    return found


@dataclass
class Served:
    """A studio in a process of its own."""

    folder: Path
    options: tuple[str, ...] = ()
    port: int = 0
    process: subprocess.Popen[str] | None = None
    owner_link: str = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it as a user does, and read the link that it prints."""
        command = [sys.executable, "-c", RUN, "label", str(self.folder / "images"), *self.options]
        log = self.folder / "studio.log"
        log.write_text("")
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [*command, "--port", str(self.port), "--no-browser"], stdout=out, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + 60
        while not (found := re.search(r"(http://\S+)\n", log.read_text())):
            assert self.process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        self.owner_link = found.group(1)
        self.port = int(self.owner_link.split(":")[2].split("/")[0])

    def kill(self) -> None:
        """End it as a power cut does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def draw_project(folder: Path) -> None:
    """Images, labels of the first few, predictions of the next few."""
    street = scenes.make("street", DRAWN, size=SIZE)
    write(street, folder / "all", to="native")
    shutil.copytree(folder / "all" / "images", folder / "images")
    files = sorted((folder / "images").iterdir())
    for number in range(DRAWN, LABELLED + PROPOSED + EMPTY):
        copied = files[DRAWN - 1 - number % 2]
        shutil.copy(copied, copied.with_stem(f"street-{number:06d}"))
    write(street[:LABELLED], folder / "labels", to="native")

    def predicted(sample):
        truth = sample.label()
        return sample.replace(segmentation=replace(truth, score=np.full(len(truth), 0.75, np.float32)))

    write(street[LABELLED : LABELLED + PROPOSED].map(predicted), folder / "predictions", to="native")


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    if not (files("inlay.server") / "static" / "index.html").is_file():
        pytest.skip("the front end is not built here: python tools/web.py build")
    chromium()
    folder = tmp_path_factory.mktemp("studio")
    draw_project(folder)
    given = ("--import", str(folder / "labels"), "--predictions", str(folder / "predictions"))
    studio = Served(folder, given)
    studio.start()
    yield studio
    studio.kill()


@pytest.fixture(scope="session")
def browser(playwright):
    arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    if os.name == "posix":
        arguments.append("--disable-dev-shm-usage")
    found = playwright.chromium.launch(executable_path=chromium(), args=arguments)
    yield found
    found.close()


@pytest.fixture(scope="session")
def owner_state(served, browser):
    """The cookies of the owner, who came by the printed link."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(served.owner_link)
    page.get_by_role("button", name="Label the next image").wait_for(timeout=PATIENCE)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def contexts(browser):
    """Makes browsers that end with the test; what their pages throw fails it."""
    opened = []
    thrown: list[str] = []

    def make(state=None, **options):
        quiet = {"viewport": {"width": 1280, "height": 800}, "service_workers": "block"}
        context = browser.new_context(storage_state=state, **{**quiet, **options})
        context.set_default_timeout(PATIENCE)
        context.on("weberror", lambda error: thrown.append(str(error.error)))
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()
    assert thrown == []


@pytest.fixture(scope="session")
def free_images():
    """Numbers of images that no other test draws on."""
    return iter(range(LABELLED + PROPOSED + 1, LABELLED + PROPOSED + EMPTY + 1))


@pytest.fixture
def owner(contexts, owner_state):
    return contexts(owner_state)


@pytest.fixture
def desk(owner, served, free_images):
    """An image without labels, open before its owner."""
    return Desk(owner.new_page(), served.address).open(next(free_images))


@pytest.fixture
def labeller(contexts, owner_state, served):
    """Makes browsers of other people, invited by the owner."""

    def invite(name: str, role: str = "labeller"):
        context = contexts(owner_state)
        token = context.request.get(f"{served.address}/api/session").json()["token"]
        answer = context.request.post(
            f"{served.address}/api/projects/1/members",
            data={"name": name, "role": role},
            headers={"X-Inlay-Token": token},
        )
        assert answer.ok, answer.text()
        other = contexts()
        page = other.new_page()
        page.goto(f"{served.address}{answer.json()['link']}")
        page.get_by_role("button", name="Label the next image").wait_for()
        page.close()
        return other

    return invite
