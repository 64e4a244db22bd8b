"""Active time by segment, booked from the journal that is there."""

from __future__ import annotations

import zlib
from typing import Any

import sqlalchemy as sa
from alembic import op

from inlay.server import effort, wire

revision = "0002"
down_revision = "0001"

AT_ONCE = 1000


def upgrade() -> None:
    """Make the table, and book what was drawn so far."""
    made = op.create_table(
        "efforts",
        sa.Column("image_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["image_id"], ["images.image_id"], name=op.f("fk_efforts_image_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("image_id", "revision", "key", name=op.f("pk_efforts")),
    )
    db = op.get_bind()
    last = (0, 0)
    while rows := _journal(db, last):
        last = (rows[-1].image_id, rows[-1].revision)
        booked = [values for row in rows for values in _booked(row)]
        if booked:
            db.execute(sa.insert(made), booked)


def _journal(db: sa.Connection, after: tuple[int, int]) -> list[sa.Row[Any]]:
    table = sa.table("gestures", *map(sa.column, ("image_id", "revision", "body")))
    place = (table.c.image_id, table.c.revision)
    query = sa.select(*place, table.c.body).where(sa.tuple_(*place) > sa.tuple_(*after))
    return [*db.execute(query.order_by(*place).limit(AT_ONCE))]


def _booked(row: sa.Row[Any]) -> list[dict[str, object]]:
    gesture = wire.Gesture.model_validate_json(zlib.decompress(row.body))
    keys = effort.about(gesture)
    place = {"image_id": row.image_id, "revision": row.revision}
    return [{**place, "key": key, "seconds": gesture.seconds / len(keys)} for key in keys]
