"""Events: what happens in a project, told to every browser that listens."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from inlay.server.forms import Event

if TYPE_CHECKING:
    from inlay.server.relay import Relay

HEARTBEAT = 15.0  # s; proxies cut silent connections
MOMENT = 0.05  # s; what happens within it is sent together: many labellers make many events
WAITING = 1000  # events a slow listener may lag behind before it is cut off, to ask for everything anew


class Events:
    """The listeners of each project; `relay`, where there is one, carries what is told to other servers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[int, set[_Listener]] = defaultdict(set)
        self.closed = False
        self.relay: Relay | None = None

    def tell(self, project_id: int, event: Event) -> None:
        """Tell all listeners of a project; from any thread."""
        line = event.model_dump_json(exclude_none=True)
        self.hear(project_id, line)
        if self.relay is not None:
            self.relay.tell(project_id, line)

    def hear(self, project_id: int, line: str) -> None:
        """Tell the listeners at this server; from any thread."""
        with self._lock:
            for listener in self._listeners.get(project_id, ()):
                listener.put(f"data: {line}\n\n")

    def cut(self) -> None:
        """End all streams: browsers come back and ask for everything anew."""
        with self._lock:
            for listener in (each for several in self._listeners.values() for each in several):
                listener.put("")

    async def listen(self, project_id: int) -> AsyncIterator[str]:
        """Lines of a server-sent event stream, until the listener leaves or the studio closes."""
        listener = _Listener(asyncio.get_running_loop())
        with self._lock:
            self._listeners[project_id].add(listener)
        try:
            yield "retry: 2000\n: listening\n\n"
            while not self.closed:
                lines = await listener.next()
                yield "".join(lines)
                if not all(lines):
                    return
        finally:
            with self._lock:
                self._listeners[project_id].discard(listener)

    def close(self) -> None:
        """End all streams, for good."""
        self.closed = True
        self.cut()


class _Listener:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.queue: asyncio.Queue[str] = asyncio.Queue()

    async def next(self) -> list[str]:
        """What has come, after a moment in which more may; a comment where nothing has for long."""
        try:
            lines = [await asyncio.wait_for(self.queue.get(), HEARTBEAT)]
        except TimeoutError:
            return [": still here\n\n"]
        if lines[0]:
            await asyncio.sleep(MOMENT)
        while not self.queue.empty():
            lines.append(self.queue.get_nowait())
        return lines

    def put(self, line: str) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, line)

    def _put(self, line: str) -> None:
        self.queue.put_nowait("" if self.queue.qsize() > WAITING else line)
