"""The cache of a check: what was measured and found, by the content that it was measured on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from inlay.core.errors import InlayError
from inlay.rules.record import BrokenRecordError, decode, encode

FILE = "check.sqlite"
LIMIT = 2 << 30  # bytes; a file that has grown beyond is begun anew
PATIENCE = 60  # seconds that one process waits for another


class Store:
    """An open cache. What cannot be read or written is as if it were not there."""

    def __init__(self, connection: sqlite3.Connection | None) -> None:
        self._connection = connection
        self._new: dict[bytes, bytes] = {}
        self.is_broken = False

    def get(self, key: bytes) -> dict[str, Any] | None:
        """What was put under a key; `None` when nothing whole is there."""
        if self._connection is None:
            return None
        try:
            row = self._connection.execute("SELECT body FROM entry WHERE key = ?", (key,)).fetchone()
            return None if row is None else decode(row[0])
        except BrokenRecordError:
            return None
        except sqlite3.Error as error:
            self._give_up(error)
            return None

    def put(self, key: bytes, values: Mapping[str, Any]) -> None:
        """Keep values under a key, from the end of the block on."""
        self._new[key] = encode(values)

    def flush(self) -> None:
        """Write what was put."""
        if self._connection is None or not self._new:
            return
        try:
            with self._connection:
                self._connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?)", self._new.items())
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        self._connection = None
        # a busy, full or write-protected disk is no fault of the file
        self.is_broken = not isinstance(error, sqlite3.OperationalError)


@contextmanager
def opened(folder: Path | None) -> Iterator[Store]:
    """The cache in a folder; without one, a store that keeps nothing."""
    if folder is None:
        yield Store(None)
        return
    path = folder / FILE
    store = Store(_connect(path))
    connection = store._connection
    try:
        yield store
        store.flush()
    finally:
        if connection is not None:
            connection.close()
        if store.is_broken:
            with suppress(OSError):
                path.unlink()


def prepare(folder: Path) -> None:
    """Make the folder, and begin a cache anew that is broken or has grown too large.

    Raises
    ------
    InlayError
        When the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE
        if path.exists() and path.stat().st_size > LIMIT:
            path.unlink()
    except OSError as error:
        raise InlayError(
            f"{folder}: no cache can be kept there ({error.strerror}): name another folder, or say --no-cache"
        ) from None


def _connect(path: Path) -> sqlite3.Connection | None:
    """An open connection; a file that is no cache is replaced, `None` when even that fails."""
    for _ in range(2):
        try:
            connection = sqlite3.connect(path, timeout=PATIENCE)
            connection.execute("PRAGMA synchronous = OFF")  # after a crash the file is begun anew
            connection.execute("CREATE TABLE IF NOT EXISTS entry (key BLOB PRIMARY KEY, body BLOB)")
            return connection
        except sqlite3.OperationalError:
            return None
        except sqlite3.DatabaseError:
            connection.close()
            with suppress(OSError):
                path.unlink()
    return None
