"""The labelling page as a test handles it: points are image pixels, pictures come from browser and server."""

from __future__ import annotations

import contextlib

import numpy as np
from playwright.sync_api import TimeoutError as NotInTimeError

from inlay.client import _masks


class Desk:
    """One image open in one page."""

    def __init__(self, page, address: str) -> None:
        self.page, self.address, self.image_id = page, address, 0

    def open(self, image_id: int) -> Desk:
        """Open an image and wait until it can be drawn on."""
        self.image_id = image_id
        self.page.goto(f"{self.address}/projects/1/images/{image_id}")
        return self.ready()

    def ready(self) -> Desk:
        self.page.locator(".stage canvas.segments").wait_for(state="attached")
        self.page.wait_for_function("() => globalThis.inlay?.editor.picture")
        return self

    def reload(self) -> Desk:
        self.page.reload()
        return self.ready()

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where an image point is on the page."""
        left, top = self.page.evaluate(
            """([x, y]) => {
            const {left, top} = document.querySelector('.canvas').getBoundingClientRect();
            const [sx, sy] = inlay.editor.viewport.toScreen([x, y]);
            return [left + sx, top + sy];
        }""",
            [x, y],
        )
        return left, top

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.place(x, y))

    def drag(self, *points: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*self.place(*points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.place(*point), steps=6)
        mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def online(self) -> Desk:
        """Reach a server that is back: at once by the button, unless the page was quicker."""
        with contextlib.suppress(NotInTimeError):
            self.page.get_by_role("button", name="Try again now").click(timeout=2000)
        return self

    def saved(self) -> Desk:
        """Wait until the server has acknowledged everything."""
        self.page.wait_for_function(
            "() => inlay.saving.value.status === 'saved' && !inlay.queue.waiting.length"
        )
        return self

    def document(self):
        """What the browser shows."""
        return self.page.evaluate("() => inlay.editor.document.toJson()")

    def stored(self):
        """What the server holds."""
        answer = self.page.request.get(f"{self.address}/api/images/{self.image_id}/document")
        assert answer.ok, answer.text()
        return answer.json()

    def same(self) -> Desk:
        """Check that browser and server hold the same, to the pixel."""
        self.saved()
        assert picture(self.document()) == picture(self.stored())
        return self

    def labelled(self) -> int:
        """How many pixels have an owner."""
        return self.page.evaluate(
            "() => inlay.editor.document.idMap.reduce((sum, id) => sum + (id ? 1 : 0), 0)"
        )

    def segments(self) -> int:
        return len(self.document()["segments"])


def picture(document):
    """A document without what is no content: heads back to front, with their pixels."""
    size = (document["size"][1], document["size"][0])
    pixels = {}
    for name in ("visible", "hidden"):
        masks = _masks([segment.get(name) for segment in document["segments"]], size)
        pixels[name] = [np.packbits(one).tobytes() for one in np.asarray(masks)]
    heads = [
        {name: value for name, value in segment.items() if name not in pixels}
        for segment in document["segments"]
    ]
    return document["image_tags"], heads, pixels
