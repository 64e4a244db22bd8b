"""Events: what happens in a project, told to every browser that listens."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator

from inlay.server.forms import Event

HEARTBEAT = 15.0  # s; proxies cut silent connections
WAITING = 1000  # events a slow listener may lag behind before it is cut off, to ask for everything anew


class Events:
    """The listeners of each project."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[int, set[_Listener]] = defaultdict(set)
        self.closed = False

    def tell(self, project_id: int, event: Event) -> None:
        """Tell all listeners of a project; from any thread."""
        line = f"data: {event.model_dump_json(exclude_none=True)}\n\n"
        with self._lock:
            for listener in self._listeners.get(project_id, ()):
                listener.put(line)

    async def listen(self, project_id: int) -> AsyncIterator[str]:
        """Lines of a server-sent event stream, until the listener leaves or the studio closes."""
        listener = _Listener(asyncio.get_running_loop())
        with self._lock:
            self._listeners[project_id].add(listener)
        try:
            yield "retry: 2000\n: listening\n\n"
            while not self.closed:
                try:
                    line = await asyncio.wait_for(listener.queue.get(), HEARTBEAT)
                except TimeoutError:
                    line = ": still here\n\n"
                if not line:
                    return
                yield line
        finally:
            with self._lock:
                self._listeners[project_id].discard(listener)

    def close(self) -> None:
        """End all streams."""
        with self._lock:
            self.closed = True
            for listener in (each for several in self._listeners.values() for each in several):
                listener.put("")


class _Listener:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.queue: asyncio.Queue[str] = asyncio.Queue()

    def put(self, line: str) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, line)

    def _put(self, line: str) -> None:
        self.queue.put_nowait("" if self.queue.qsize() > WAITING else line)
