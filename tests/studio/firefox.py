"""Firefox, driven by the protocol that it brings itself (WebDriver BiDi): no driver has to be installed."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from inlay.core.errors import InlayError

PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}
PATIENCE = 60.0  # s for a slow machine


class Firefox:
    """One window of a Firefox without a screen."""

    def __init__(
        self, program: str, profile: Path, port: int, *, size: tuple[int, int] = (1280, 800)
    ) -> None:
        lines = [f'user_pref("{name}", {json.dumps(value)});' for name, value in PREFERENCES.items()]
        (profile / "user.js").write_text("\n".join(lines))
        options = [
            "--headless",
            "--no-remote",
            "--profile",
            str(profile),
            "--remote-debugging-port",
            str(port),
        ]
        self._log = (profile / "firefox.log").open("w")
        self.process = subprocess.Popen([program, *options], stdout=self._log, stderr=self._log)
        self._numbers = count(1)
        self._open = ExitStack()
        self._line = self._connected(f"ws://127.0.0.1:{port}/session")
        self.ask("session.new", capabilities={})
        self.context = self.ask("browsingContext.getTree")["contexts"][0]["context"]
        viewport = {"width": size[0], "height": size[1]}
        self.ask("browsingContext.setViewport", context=self.context, viewport=viewport)

    def _connected(self, address: str) -> Any:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self._open.enter_context(connect(address, max_size=None))
            except (OSError, WebSocketException):
                assert self.process.poll() is None and time.monotonic() < until, "Firefox does not answer"
                time.sleep(0.1)

    def ask(self, method: str, **parameters: Any) -> Any:
        """The answer to one command."""
        number = next(self._numbers)
        self._line.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._line.recv(PATIENCE))
            if answer.get("id") == number:
                if answer["type"] == "error":
                    raise InlayError(f"{method}: {answer['error']}: {answer['message']}")
                return answer["result"]

    def go(self, address: str) -> None:
        """Open a page."""
        self.ask("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def value(self, script: str) -> Any:
        """What an expression gives, as JSON."""
        found = self.ask(
            "script.evaluate",
            expression=f"Promise.resolve({script}).then((found) => JSON.stringify(found ?? null))",
            target={"context": self.context},
            awaitPromise=True,
        )
        if found["type"] == "exception":
            raise InlayError(found["exceptionDetails"]["text"])
        return json.loads(found["result"]["value"])

    def until(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.value(f"!!({script})"):
            assert time.monotonic() < end, f"{script} never became true"
            time.sleep(0.05)

    def press(self, *keys: str) -> None:
        """Press keys; "Control+z" holds the first while it presses the second."""
        names = {"Control": "\ue009", "Shift": "\ue008", "Enter": "\ue007", "Escape": "\ue00c"}
        for key in keys:
            held = [names.get(part, part) for part in key.split("+")]
            steps = [{"type": "keyDown", "value": one} for one in held]
            steps += [{"type": "keyUp", "value": one} for one in reversed(held)]
            self._act({"type": "key", "id": "keys", "actions": steps})

    def drag(self, *points: tuple[float, float]) -> None:
        """Move the pressed mouse along points of the page."""
        move = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 30} for x, y in points]
        steps = [move[0], {"type": "pointerDown", "button": 0}, *move[1:], {"type": "pointerUp", "button": 0}]
        self._act({"type": "pointer", "id": "mouse", "actions": steps})

    def _act(self, source: dict[str, Any]) -> None:
        self.ask("input.performActions", context=self.context, actions=[source])

    def picture(self) -> str:
        """The page as a PNG in base 64."""
        return str(self.ask("browsingContext.captureScreenshot", context=self.context)["data"])

    def close(self) -> None:
        """End it."""
        self._open.close()
        self.process.terminate()
        self.process.wait()
        self._log.close()
