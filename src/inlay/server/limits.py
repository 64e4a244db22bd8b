"""Limits: how often somebody may try something."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque

from inlay.server.refusals import Refused

FORGET = 10_000  # keys kept; an attacker with many addresses must not fill the memory


class Limit:
    """So many times in so many seconds for each key."""

    def __init__(self, times: int, seconds: float, what: str) -> None:
        self.times, self.seconds, self.what = times, seconds, what
        self._lock = threading.Lock()
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    def take(self, key: str) -> None:
        """Count one time.

        Raises
        ------
        Refused
            With 429 when it was too often.
        """
        now = time.monotonic()
        with self._lock:
            if len(self._seen) > FORGET:
                self._seen = defaultdict(
                    deque, {each: seen for each, seen in self._seen.items() if seen[-1] > now - self.seconds}
                )
            seen = self._seen[key]
            while seen and seen[0] <= now - self.seconds:
                seen.popleft()
            if len(seen) >= self.times:
                wait = round(seen[0] + self.seconds - now) + 1
                raise Refused(429, f"too many {self.what}: wait {wait} s")
            seen.append(now)
