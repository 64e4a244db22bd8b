"""Workers: two threads beside the requests, for what takes a while."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

log = logging.getLogger("inlay.server")


class Workers:
    """Threads that run jobs one after another; `stopping` asks those that run to end."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2, "inlay-job")
        self._waiting: list[Future[None]] = []
        self.stopping = threading.Event()

    def start(self, work: Callable[[], None]) -> None:
        """Run something when a thread is free."""
        self._waiting = [each for each in self._waiting if not each.done()]
        self._waiting.append(self._pool.submit(self._run, work))

    def wait(self) -> None:
        """Wait until everything that was started has ended."""
        wait(self._waiting)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            if not self.stopping.is_set():
                work()
        except Exception:
            log.exception("a job broke")

    def close(self) -> None:
        """Wait for those that run; the others never start."""
        self.stopping.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
