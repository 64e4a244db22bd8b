"""Figures of a server in the text form that Prometheus reads."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter

BOUNDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)  # seconds


class Meter:
    """Counts requests by status, images, segments, and how long batches take."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._statuses: Counter[int] = Counter()
        self._counts: Counter[str] = Counter()
        self._within = [0] * (len(BOUNDS) + 1)
        self._seconds = 0.0

    def request(self, status: int) -> None:
        """An answer went out."""
        with self._lock:
            self._statuses[status] += 1

    def batch(self, images: int, seconds: float) -> None:
        """The model has looked at some images."""
        with self._lock:
            self._counts["images"] += images
            self._counts["batches"] += 1
            self._within[bisect_left(BOUNDS, seconds)] += 1
            self._seconds += seconds

    def segments(self, count: int) -> None:
        """Segments were found."""
        with self._lock:
            self._counts["segments"] += count

    def text(self, waiting: int) -> str:
        """All figures, and how many images wait."""
        with self._lock:
            lines = ["# TYPE inlay_requests_total counter"]
            lines += [
                f'inlay_requests_total{{status="{status}"}} {count}'
                for status, count in sorted(self._statuses.items())
            ]
            for name in ("images", "segments"):
                lines += [
                    f"# TYPE inlay_{name}_total counter",
                    f"inlay_{name}_total {self._counts[name]}",
                ]
            lines += ["# TYPE inlay_waiting_images gauge", f"inlay_waiting_images {waiting}"]
            lines.append("# TYPE inlay_batch_seconds histogram")
            total = 0
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), self._within):
                total += count
                lines.append(f'inlay_batch_seconds_bucket{{le="{bound}"}} {total}')
            lines += [f"inlay_batch_seconds_sum {self._seconds:.6f}", f"inlay_batch_seconds_count {total}"]
        return "\n".join(lines) + "\n"
