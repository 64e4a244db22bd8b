"""The database: SQLite in the project's folder, or PostgreSQL; what is committed is on the disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.resources import files
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.exc import ArgumentError, DatabaseError, DisconnectionError, NoSuchModuleError

from inlay.core.errors import InlayError, MissingExtraError

IMMEDIATE = "inlay_immediate"
TURNS = 0x1A7B  # the second number of the advisory locks of turns
RESTED = 5.0  # s after which a connection is tried before it is used


class Database:
    """Connections to one database; opening it brings its tables up to date."""

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self._snapshot = self._glance = self.engine
        if not self.is_sqlite:  # each statement of its usual transactions sees another state
            self._snapshot = self.engine.execution_options(isolation_level="REPEATABLE READ")
            self._glance = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        # SQLite has one writer at a time; those who wait here go in turn, those who wait there poll
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()
        try:
            self._upgrade()
        except DatabaseError as error:
            raise InlayError(
                f"{_safe(self.engine)}: the database cannot be opened ({_first_line(error)})"
            ) from None

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of ours."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the database."""
        with self._snapshot.connect() as connection:
            yield connection

    @contextmanager
    def glancing(self) -> Iterator[Connection]:
        """A connection for one statement that reads: PostgreSQL needs no transaction around it."""
        with self._glance.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is on the disk when the block has ended, or nothing of it."""
        with self._turn, self.engine.connect() as connection:
            connection.execution_options(**{IMMEDIATE: True})
            with connection.begin():
                yield connection

    @contextmanager
    def turn(self, what: int) -> Iterator[None]:
        """A block that one server at a time is in, for each number; SQLite has one server."""
        if self.is_sqlite:
            yield
            return
        with self._glance.connect() as connection:
            connection.execute(select(func.pg_advisory_lock(what, TURNS)))
            try:
                yield
            finally:
                connection.execute(select(func.pg_advisory_unlock(what, TURNS)))

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def _upgrade(self) -> None:
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(files("inlay.server") / "migrations"))
        with self.writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _engine(url: str) -> Engine:
    options: dict[str, Any] = {"pool_size": 20, "max_overflow": 40}
    try:
        if url.startswith("sqlite"):
            arguments = {"timeout": 30, "isolation_level": None, "check_same_thread": False}
            engine = create_engine(url, connect_args=arguments, **options)
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return engine
        engine = create_engine(url, **options)
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", _see_alive)
        return engine
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "studio-team") from None
    except (ArgumentError, NoSuchModuleError):
        raise InlayError(
            "INLAY_DATABASE is no database address: postgresql://user:password@host/name, or sqlite:///file"
        ) from None


def _note_use(_: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _see_alive(connection: Any, record: Any, _: Any) -> None:
    """A connection that has rested may have been cut off: the pool makes another then."""
    if time.monotonic() - record.info.get("used", time.monotonic()) < RESTED:
        return
    try:
        connection.execute("")
        connection.rollback()
    except Exception as error:
        raise DisconnectionError("the connection was cut off") from error


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its place at once: SQLite cannot turn a reader into one while another writes."""
    immediate = connection.get_execution_options().get(IMMEDIATE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _safe(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def _first_line(error: DatabaseError) -> str:
    return str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else "no reason given"
