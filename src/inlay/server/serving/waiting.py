"""The queue before a model: images of one size that wait go through it together."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError
from inlay.core.segmentation import Segmentation
from inlay.server.refusals import Refused

Image = NDArray[np.uint8]
Answer = Future[Segmentation]


class Waiting:
    """Images that wait for the one thread that asks the model.

    Parameters
    ----------
    segment
        From images of one size to their segmentations.
    batch
        Most images asked about together.
    most
        Most images that wait.
    seen
        Called after each batch with its images and the seconds it took.
    """

    def __init__(
        self,
        segment: Callable[[list[Image]], list[Segmentation]],
        *,
        batch: int,
        most: int,
        seen: Callable[[int, float], None],
    ) -> None:
        self._segment, self._batch, self._most, self._seen = segment, batch, most, seen
        self._waiting: deque[tuple[Image, Answer]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, daemon=True, name="inlay-model")
        self._thread.start()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def alive(self) -> bool:
        """Whether somebody asks the model."""
        return self._thread.is_alive() and not self._closed

    def ask(self, image: Image, seconds: float) -> Segmentation:
        """The segmentation of an image.

        Raises
        ------
        Refused
            With 503 when too many wait, 504 when it takes too long, 422 when the model cannot.
        """
        answer: Answer = Future()
        with self._changed:
            if self._closed:
                raise Refused(503, "the server is stopping")
            if len(self._waiting) >= self._most:
                raise Refused(503, f"{self._most} images wait already: try again in a few seconds")
            self._waiting.append((image, answer))
            self._changed.notify()
        try:
            return answer.result(max(0.0, seconds))
        except TimeoutError:
            answer.cancel()
            raise Refused(504, "the model did not answer in time: send a smaller image, or later") from None
        except InlayError as error:
            raise Refused(422, str(error)) from None

    def close(self) -> None:
        """Send away who waits, and end the thread after what it does now."""
        with self._changed:
            self._closed = True
            waiting, self._waiting = self._waiting, deque()
            self._changed.notify()
        for _, answer in waiting:
            if answer.set_running_or_notify_cancel():
                answer.set_exception(InlayError("the server is stopping"))
        self._thread.join(10)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                some = self._next()
            if some:
                self._answer(some)

    def _next(self) -> list[tuple[Image, Answer]]:
        """The first that waits and others of its size, in order; who has gone away is passed over."""
        some: list[tuple[Image, Answer]] = []
        left: deque[tuple[Image, Answer]] = deque()
        for image, answer in self._waiting:
            fits = len(some) < self._batch and (not some or image.shape == some[0][0].shape)
            if not fits:
                left.append((image, answer))
            elif answer.set_running_or_notify_cancel():
                some.append((image, answer))
        self._waiting = left
        return some

    def _answer(self, some: list[tuple[Image, Answer]]) -> None:
        started = time.perf_counter()
        try:
            found = self._segment([image for image, _ in some])
        except BaseException as error:  # goes to those who wait; the thread must live on
            for _, answer in some:
                answer.set_exception(error)
            return
        self._seen(len(some), time.perf_counter() - started)
        for (_, answer), segmentation in zip(some, found):
            answer.set_result(segmentation)
