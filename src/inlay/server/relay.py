"""Relay: events between the servers of one PostgreSQL database, so that their labellers see each other."""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

log = logging.getLogger("inlay.server")
CHANNEL = "inlay_events"
UP = 0x1A7A  # the advisory lock that each server holds while it runs
PAUSE = 0.05  # s between two looks at what is to be told
AGAIN = 2.0  # s before a connection that was lost is made anew
BATCH = 500  # events told at once


class Relay:
    """One connection that listens and notifies, in a thread of its own.

    Parameters
    ----------
    engine
        Of the database.
    heard
        Called with the project and the line of each event of another server.
    missed
        Called when events of others may have been missed: the connection was lost and is back.
    """

    def __init__(self, engine: Engine, heard: Callable[[int, str], None], missed: Callable[[], None]) -> None:
        self._engine, self._heard, self._missed = engine, heard, missed
        self._me = uuid.uuid4().hex
        self._waiting: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()
        self._unsaid: list[str] = []
        self._closing = threading.Event()
        self._connection: Any = self._connect()
        self._thread = threading.Thread(target=self._run, name="inlay-relay", daemon=True)
        self._thread.start()

    def tell(self, project_id: int, line: str) -> None:
        """Tell the other servers, soon; from any thread."""
        self._waiting.put((project_id, line))

    def close(self) -> None:
        """Stop, when what waits has been told."""
        self._closing.set()
        self._thread.join()

    def _connect(self) -> Any:
        dialect = self._engine.dialect
        arguments, options = dialect.create_connect_args(self._engine.url)
        connection = dialect.connect(*arguments, **{**options, "autocommit": True})
        connection.execute(f"LISTEN {CHANNEL}")
        connection.execute("SELECT pg_advisory_lock_shared(%s)", (UP,))
        return connection

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._exchange()
            except self._engine.dialect.loaded_dbapi.Error as error:
                log.warning("events of other servers wait, the database is away: %s", str(error).strip())
                self._come_back()
        self._say()
        self._connection.close()

    def _exchange(self) -> None:
        while not self._closing.is_set():
            for notice in self._connection.notifies(timeout=PAUSE):
                sender, project_id, line = notice.payload.split(" ", 2)
                if sender != self._me:
                    self._heard(int(project_id), line)
            self._say()

    def _say(self) -> None:
        """Tell what waits; what could not be told goes on waiting."""
        while len(self._unsaid) < BATCH and not self._waiting.empty():
            project_id, line = self._waiting.get()
            self._unsaid.append(f"{self._me} {project_id} {line}")
        if self._unsaid and not self._connection.closed:
            notify = "SELECT pg_notify(%s, line) FROM unnest(%s::text[]) line"
            self._connection.execute(notify, (CHANNEL, self._unsaid))
            self._unsaid.clear()

    def _come_back(self) -> None:
        self._connection.close()
        while not self._closing.wait(AGAIN):
            try:
                self._connection = self._connect()
            except self._engine.dialect.loaded_dbapi.Error:
                continue
            self._missed()
            return
