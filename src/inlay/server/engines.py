"""Click engines of a studio: loaded once, and each looks at an image once, in a worker of its own."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import ModuleType
from typing import Any

from inlay.core.errors import InlayError
from inlay.server.refusals import Refused

KEPT = 4  # embedded images
PATIENCE = 20.0  # seconds that a request waits for an encoder; the encoder goes on


class Engines:
    """Loaded engines, and the images they have embedded lately."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience, self._lock = patience, threading.Lock()
        self._workers: dict[str, ThreadPoolExecutor] = {}
        self._engines: dict[str, Any] = {}
        self._states: OrderedDict[tuple[str, int], Future[Any]] = OrderedDict()

    def state(self, click: ModuleType, name: str, image_id: int, pixels: Callable[[], Any]) -> Any:
        """An engine's view of an image; `pixels` reads it when it is not at hand.

        Raises
        ------
        InlayError
            When there is no engine of that name, or it cannot look at the image. It must be a plain name: a
            request opens no files and fetches nothing.
        Refused
            With 503 while the engine is still looking.
        """
        if not re.fullmatch(r"\w+", name):
            raise InlayError(f"there is no engine {name!r}; engines are: {', '.join(click.ready())}")
        seen = self._seen(click, name, image_id, pixels)
        wait([seen], self._patience)
        if not seen.done() or seen.cancelled():
            raise Refused(503, f"{name} is looking at this image for the first time: ask again in a moment")
        if seen.exception() is not None:
            with self._lock:
                self._states.pop((name, image_id), None)
        return seen.result()

    def _seen(self, click: ModuleType, name: str, image_id: int, pixels: Callable[[], Any]) -> Future[Any]:
        key = (name, image_id)
        with self._lock:
            if key not in self._states:
                if name not in self._workers:  # one thread for an engine: an encoder takes all cores
                    self._workers[name] = ThreadPoolExecutor(1, f"inlay-{name}")
                self._states[key] = self._workers[name].submit(self._embed, click, name, pixels)
            self._states.move_to_end(key)
            while len(self._states) > KEPT:
                self._states.popitem(last=False)[1].cancel()
            return self._states[key]

    def _embed(self, click: ModuleType, name: str, pixels: Callable[[], Any]) -> Any:
        if name not in self._engines:
            self._engines[name] = click.load(name)
        return self._engines[name].embed(pixels())

    def close(self) -> None:
        """End: what waits never starts."""
        for worker in self._workers.values():
            worker.shutdown(wait=False, cancel_futures=True)
