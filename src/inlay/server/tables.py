"""Tables: everything the studio remembers. Changes of them are revisions in `migrations/versions`."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _of(table: str, column: str, *, key: bool = False, empty: bool = False) -> Column[int]:
    """A column that names a row of another table."""
    target = ForeignKey(f"{table}.{column}", ondelete="CASCADE")
    return Column(column, Integer, target, primary_key=key, nullable=empty, autoincrement=False)


users = Table(
    "users",
    metadata,
    Column("user_id", Integer, primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("password", Text, nullable=False),  # scrypt; empty: by link alone
    Column("admin", Boolean, nullable=False),
    Column("created", Float, nullable=False),
)
links = Table(
    "links",
    metadata,
    Column("digest", String(64), primary_key=True),
    _of("users", "user_id"),
    Column("expires", Float, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    _of("users", "user_id"),
    Column("expires", Float, nullable=False),
)
projects = Table(
    "projects",
    metadata,
    Column("project_id", Integer, primary_key=True),
    Column("name", String(120), nullable=False),
    Column("folder", Text, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("classes_revision", Integer, nullable=False),
    Column("created", Float, nullable=False),
)
members = Table(
    "members",
    metadata,
    _of("projects", "project_id", key=True),
    _of("users", "user_id", key=True),
    Column("role", String(16), nullable=False),
)
classes = Table(
    "classes",
    metadata,
    Column("class_id", Integer, primary_key=True),
    _of("projects", "project_id"),
    Column("place", Integer, nullable=False),
    Column("name", String(120), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("colour", String(7), nullable=False),
    Column("parent", String(120), nullable=False),
    Column("hotkey", String(1), nullable=False),
    Column("new", String(8), nullable=False),
    Column("source_id", BigInteger),
    Index(None, "project_id", "place"),
)
class_changes = Table(
    "class_changes",
    metadata,
    Column("change_id", Integer, primary_key=True),
    _of("projects", "project_id"),
    Column("kind", String(8), nullable=False),
    Column("author", String(120), nullable=False),
    Column("at", Float, nullable=False),
    Column("words", Text, nullable=False),
    Column("undone", Boolean, nullable=False),
)
images = Table(
    "images",
    metadata,
    Column("image_id", Integer, primary_key=True),
    _of("projects", "project_id"),
    Column("name", Text, nullable=False),  # the sample's name: its path without suffix
    Column("path", Text, nullable=False),  # below the project's folder
    Column(
        "sort_key", Text().with_variant(Text(collation="C"), "postgresql"), nullable=False
    ),  # natural order
    Column("width", Integer),
    Column("height", Integer),
    Column("state", String(16), nullable=False, server_default="todo"),
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("assignee", Integer, ForeignKey("users.user_id", ondelete="SET NULL")),
    Column("locked_by", Integer, ForeignKey("users.user_id", ondelete="SET NULL")),
    Column("locked_until", Float, nullable=False, server_default="0"),
    Column("segments", Integer, nullable=False, server_default="0"),
    Column("proposed", Integer, nullable=False, server_default="0"),
    Column("covered", BigInteger, nullable=False, server_default="0"),  # pixels
    Column("findings", Integer),  # of the revision as it is now; None: nobody looked
    Column("comments", Integer, nullable=False, server_default="0"),
    Column("seconds", Float, nullable=False, server_default="0"),
    Column("image_tags", JSON, nullable=False, server_default="[]"),
    Column("group_name", Text, nullable=False, server_default=""),
    Column("frame", Integer),
    Column("split", String(32), nullable=False, server_default=""),
    Column("role", String(8), nullable=False, server_default=""),  # "", "truth", "copy"
    Column("original", Integer),
    Index(None, "project_id", "sort_key", "image_id"),
    Index(None, "project_id", "role", "state"),
    Index(None, "original"),
)
segments = Table(
    "segments",
    metadata,
    _of("images", "image_id", key=True),
    Column("key", String(36), primary_key=True),
    Column("place", BigInteger, nullable=False),
    Column("class_id", Integer, nullable=False, index=True),
    Column("instance_id", Integer, nullable=False),
    Column("crowd", Boolean, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("score", Float),
    Column("source", String(96), nullable=False),
    Column("state", String(8), nullable=False),
    Column("area", BigInteger, nullable=False),
    Column("visible_box", JSON),
    Column("visible", LargeBinary),
    Column("hidden_box", JSON),
    Column("hidden", LargeBinary),
)
gestures = Table(  # append-only
    "gestures",
    metadata,
    _of("images", "image_id", key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("gesture_id", String(36), nullable=False),
    Column("user_id", Integer, nullable=False, index=True),
    Column("author", String(120), nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("class_id", Integer),  # of the segment it was about
    Column("body", LargeBinary, nullable=False),  # the gesture as JSON, deflated
    UniqueConstraint("image_id", "gesture_id"),
)
efforts = Table(  # append-only: the share of a gesture's seconds that went into each segment it was about
    "efforts",
    metadata,
    _of("images", "image_id", key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("key", String(36), primary_key=True),
    Column("seconds", Float, nullable=False),
)
state_changes = Table(
    "state_changes",
    metadata,
    Column("change_id", Integer, primary_key=True),
    _of("images", "image_id"),
    Column("user_id", Integer, nullable=False),
    Column("labeller", Integer),  # whose work it was
    Column("state", String(16), nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "image_id"),
)
findings = Table(
    "findings",
    metadata,
    _of("images", "image_id", key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("rule", String(120), nullable=False),
    Column("body", JSON, nullable=False),
)
comments = Table(
    "comments",
    metadata,
    Column("comment_id", Integer, primary_key=True),
    _of("images", "image_id"),
    Column("author", String(120), nullable=False),
    Column("at", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("box", JSON),
    Column("region", JSON),
    Column("resolved", Boolean, nullable=False),
    Index(None, "image_id"),
)
jobs = Table(
    "jobs",
    metadata,
    Column("job_id", Integer, primary_key=True),
    _of("projects", "project_id"),
    Column("user_id", Integer, nullable=False),
    Column("author", String(120), nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("words", Text, nullable=False),
    Column("error", Text),
    Column("file", Text),
    Column("result", JSON, nullable=False),
)
