"""Recent drafts: documents that are being drawn on stay in memory between two gestures."""

from __future__ import annotations

import threading
from collections import OrderedDict

from inlay.server.draft import Draft

KEPT = 256
SEGMENTS = 100_000  # of all of them together
State = tuple[int, int]  # revisions of the image and of its project's classes


class Recent:
    """Drafts by image, each taken by one request at a time; the state tells whether one is still true."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, tuple[State, Draft]] = OrderedDict()
        self._segments = 0

    def take(self, image_id: int, state: State) -> Draft | None:
        """The draft of an image in a state, for nobody else meanwhile; None where it is not here."""
        with self._lock:
            found = self._kept.pop(image_id, None)
            if found is None:
                return None
            self._segments -= len(found[1].order)
        return found[1] if found[0] == state else None

    def keep(self, image_id: int, state: State, draft: Draft) -> None:
        """Put a draft back that is on the disk as it is; of its decoded masks those last touched stay."""
        for key, row in draft.rows.items():
            if key not in draft.touched:
                row.decoded.clear()
        draft.touched.clear()
        draft.removed.clear()
        with self._lock:
            old = self._kept.pop(image_id, None)
            self._segments += len(draft.order) - (len(old[1].order) if old else 0)
            self._kept[image_id] = (state, draft)
            while len(self._kept) > KEPT or (self._segments > SEGMENTS and len(self._kept) > 1):
                _, (_, gone) = self._kept.popitem(last=False)
                self._segments -= len(gone.order)
