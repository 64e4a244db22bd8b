"""Jobs: work that goes on beside the requests, with its progress in the database."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inlay.core.errors import InlayError
from inlay.server import forms, wire
from inlay.server.access import Access
from inlay.server.refusals import Refused, told
from inlay.server.store import jobs

log = logging.getLogger("inlay.server")
TELL_EVERY = 0.5  # s


class StoppedError(Exception):
    """The studio closes while a job runs."""


@dataclass
class Work:
    """A job that runs: for whom, and its number; `step` says how far it is."""

    who: Access
    job_id: int
    told: float = 0.0
    progress: Callable[[int, int, str], None] | None = None  # somebody at a terminal

    def step(self, done: int, total: int, words: str = "") -> None:
        """Say how far the job is; ends it when the studio closes."""
        if self.who.studio.workers.stopping.is_set():
            raise StoppedError
        if self.progress is not None:
            self.progress(done, total, words)
        now = time.monotonic()
        if now - self.told >= TELL_EVERY:
            self.told = now
            self.keep(done=done, total=total, words=words[:500])

    def keep(self, **values: Any) -> None:
        """Write something about the job down, and tell those who listen."""
        with self.who.studio.database.writing() as db:
            jobs.change(db, self.job_id, values)
        event = forms.Event(kind="job", job=self.job_id, by=self.who.session.name)
        self.who.studio.events.tell(self.who.project_id, event)


def start(who: Access, kind: wire.JobKind, run: Callable[[Work], dict[str, Any]]) -> forms.Job:
    """A job that has been put into the queue.

    Raises
    ------
    Refused
        With 429 when the person has enough of them waiting.
    """
    with who.studio.database.writing() as db:
        if jobs.unfinished(db, who.user_id) >= who.studio.settings.heavy:
            raise Refused(429, f"{who.studio.settings.heavy} jobs of yours are waiting: let one end first")
        job_id = jobs.add(db, who, kind)
        job = jobs.read(db, job_id)
    work = Work(dataclasses.replace(who, unattended=True), job_id)
    who.studio.workers.start(lambda: _run(work, run))
    return job


def _run(work: Work, run: Callable[[Work], dict[str, Any]]) -> None:
    work.keep(state="running")
    try:
        result = run(work)
    except StoppedError:
        work.keep(state="failed", error=jobs.CUT_OFF)
    except (InlayError, Refused) as error:
        work.keep(state="failed", error=told(error)[:4000])
    except Exception as error:
        log.exception("job %d broke", work.job_id)
        work.keep(
            state="failed", error=f"the job broke ({type(error).__name__}); the server's log says where"
        )
    else:
        total = result.pop("total", 1)
        file = result.pop("file", None)
        words = result.pop("words", "")
        work.keep(state="done", done=total, total=total, words=words, result=result, file=file)
