"""Jobs in the database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select, text, update

from inlay.server import forms, wire
from inlay.server.relay import UP
from inlay.server.store.instants import instant
from inlay.server.tables import jobs

if TYPE_CHECKING:
    from inlay.server.access import Access

CUT_OFF = "the studio was stopped before the job was done: start it again"
SHOWN = 50
SERVERS = """
    SELECT count(*) FROM pg_locks JOIN pg_database ON pg_locks.database = pg_database.oid
    WHERE locktype = 'advisory' AND objid = :up AND datname = current_database() AND objsubid = 1
"""


def add(db: Connection, who: Access, kind: wire.JobKind) -> int:
    """Number of a new job."""
    values = {"project_id": who.project_id, "user_id": who.user_id, "author": who.session.name, "kind": kind}
    empty: dict[str, Any] = {"state": "waiting", "done": 0, "total": 0, "words": "", "result": {}}
    key = db.execute(insert(jobs).values(**values, **empty, at=time.time())).inserted_primary_key
    return int(key[0]) if key else 0


def read(db: Connection, job_id: int) -> forms.Job:
    """One job."""
    return _wire(db.execute(select(jobs).where(jobs.c.job_id == job_id)).one())


def of_project(db: Connection, project_id: int) -> list[forms.Job]:
    """The latest jobs."""
    query = select(jobs).where(jobs.c.project_id == project_id).order_by(jobs.c.job_id.desc()).limit(SHOWN)
    return [_wire(row) for row in db.execute(query)]


def _wire(row: Row[Any]) -> forms.Job:
    names = (
        "job_id",
        "project_id",
        "kind",
        "state",
        "done",
        "total",
        "words",
        "error",
        "file",
        "result",
        "author",
    )
    return forms.Job(at=instant(row.at), **{name: getattr(row, name) for name in names})


def change(db: Connection, job_id: int, values: dict[str, Any]) -> None:
    """Write something about a job down."""
    db.execute(update(jobs).where(jobs.c.job_id == job_id).values(**values))


def unfinished(db: Connection, user_id: int) -> int:
    """How many jobs of a person wait or run."""
    query = select(func.count()).where(jobs.c.user_id == user_id, jobs.c.state.in_(("waiting", "running")))
    return int(db.execute(query).scalar_one())


def fail_cut_off(db: Connection) -> None:
    """Jobs that the last run of the studio left behind have failed, unless another server may run them."""
    if db.dialect.name == "postgresql" and db.execute(text(SERVERS), {"up": UP}).scalar_one() > 1:
        return
    cut_off = jobs.c.state.in_(("waiting", "running"))
    db.execute(update(jobs).where(cut_off).values(state="failed", error=CUT_OFF))
