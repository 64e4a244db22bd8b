"""Documents in the database: segments as rows, gestures as a journal to which lines are only ever added."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from inlay.server import wire
from inlay.server.draft import Draft
from inlay.server.draft import Row as Segment
from inlay.server.effort import about
from inlay.server.store.instants import instant
from inlay.server.tables import classes, efforts, gestures, images, segments

GAP = 1 << 20  # between the places of neighbours, so that another fits without moving them
FACTS = ("key", "class_id", "instance_id", "crowd", "tags", "score", "source", "state")


def image_row(db: Connection, image_id: int, *, locked: bool = False) -> Row[Any]:
    """The image's row; `locked` holds other writers off until the transaction ends."""
    query = select(images).where(images.c.image_id == image_id)
    return db.execute(query.with_for_update() if locked else query).one()


def class_ids(db: Connection, project_id: int) -> frozenset[int]:
    """The numbers of a project's classes."""
    return frozenset(
        db.execute(select(classes.c.class_id).where(classes.c.project_id == project_id)).scalars()
    )


def load(db: Connection, image: Row[Any]) -> Draft:
    """The image's document."""
    ids = class_ids(db, image.project_id)
    draft = Draft((image.height, image.width), ids, list(image.image_tags))
    query = select(segments).where(segments.c.image_id == image.image_id).order_by(segments.c.place)
    for row in db.execute(query):
        facts = wire.SegmentFacts.model_construct(**{name: getattr(row, name) for name in FACTS})
        draft.rows[row.key] = Segment(
            facts,
            _boxed(row.visible_box, row.visible),
            _boxed(row.hidden_box, row.hidden),
            row.area,
            row.place,
        )
        draft.order.append(row.key)
    return draft


def _boxed(box: Sequence[int] | None, runs: bytes | None) -> tuple[tuple[int, int, int, int], bytes] | None:
    return None if box is None or runs is None else ((box[0], box[1], box[2], box[3]), bytes(runs))


def keep(db: Connection, image: Row[Any], draft: Draft, **changes: Any) -> None:
    """Write what has changed of a draft."""
    changed = draft.touched | _placed(draft)
    gone = draft.removed - changed
    if gone:
        _delete(db, image.image_id, gone)
    if changed:
        put = _PUT[db.dialect.name]
        db.execute(put, [_values(image.image_id, draft.rows[key]) for key in changed])
    rows = draft.rows.values()
    values = {
        "segments": len(draft.order),
        "proposed": sum(row.facts.state == "proposed" for row in rows),
        "covered": sum(row.area for row in rows),
        "image_tags": draft.image_tags,
        **changes,
    }
    db.execute(update(images).where(images.c.image_id == image.image_id).values(**values))


def _put(insert_or_not: Any) -> Any:
    """The statement that writes rows of segments over those of the same keys, in one database's own words."""
    statement = insert_or_not(segments)
    same = [column.name for column in segments.primary_key]
    others = {column.name: column for column in statement.excluded if column.name not in same}
    return statement.on_conflict_do_update(index_elements=same, set_=others)


_PUT = {"sqlite": _put(sqlite.insert), "postgresql": _put(postgresql.insert)}


def _delete(db: Connection, image_id: int, keys: Iterable[str]) -> None:
    statement = delete(segments).where(segments.c.image_id == image_id, segments.c.key == bindparam("gone"))
    db.execute(statement, [{"gone": key} for key in keys])


def _placed(draft: Draft) -> set[str]:
    """Give places to rows without one; the keys of rows that had to move to make room."""
    if all(draft.rows[key].place is not None for key in draft.touched if key in draft.rows):
        return set()
    previous = 0
    waiting: list[str] = []
    for key in [*draft.order, None]:
        place = previous + GAP * (len(waiting) + 1) if key is None else draft.rows[key].place
        if key is not None and place is None:
            waiting.append(key)
            continue
        assert place is not None
        step = (place - previous) // (len(waiting) + 1)
        if waiting and step < 1:
            return _renumber(draft)
        for number, each in enumerate(waiting, 1):
            draft.rows[each].place = previous + number * step
        previous, waiting = place, []
    return set()


def _renumber(draft: Draft) -> set[str]:
    for number, key in enumerate(draft.order, 1):
        draft.rows[key].place = number * GAP
    return set(draft.order)


def _values(image_id: int, row: Segment) -> dict[str, Any]:
    facts = {name: getattr(row.facts, name) for name in FACTS}
    visible, hidden = row.visible or (None, None), row.hidden or (None, None)
    return {
        **facts,
        "image_id": image_id,
        "place": row.place,
        "area": row.area,
        "visible_box": visible[0],
        "visible": visible[1],
        "hidden_box": hidden[0],
        "hidden": hidden[1],
    }


def add_to_journal(
    db: Connection,
    image_id: int,
    draft: Draft,
    entries: Sequence[tuple[int, wire.Gesture]],
    user: tuple[int, str],
    at: float,
) -> None:
    """Add gestures with their revisions to the history of an image; the draft is what they have made."""
    db.execute(
        insert(gestures),
        [
            {
                "image_id": image_id,
                "revision": revision,
                "gesture_id": gesture.id,
                "user_id": user[0],
                "author": user[1],
                "at": at,
                "kind": gesture.kind,
                "seconds": gesture.seconds,
                "class_id": _class_of(draft, gesture),
                "body": zlib.compress(gesture.model_dump_json().encode(), 1),
            }
            for revision, gesture in entries
        ],
    )
    booked = [
        {"image_id": image_id, "revision": revision, "key": key, "seconds": gesture.seconds / len(keys)}
        for revision, gesture in entries
        for keys in [about(gesture)]
        for key in keys
    ]
    if booked:
        db.execute(insert(efforts), booked)


def _class_of(draft: Draft, gesture: wire.Gesture) -> int | None:
    """The class of the segment that a gesture is about: where its seconds are booked."""
    key: str | None = None
    for op in gesture.ops:
        if isinstance(op, wire.Create | wire.Delete):
            return op.segment.class_id
        key = key or ((op.after or op.before) if isinstance(op, wire.Pixels) else op.key)
    row = draft.rows.get(key or "")
    return None if row is None else row.facts.class_id


def known(db: Connection, image_id: int, ids: Sequence[str]) -> dict[str, int]:
    """The revisions of gestures that the journal has already."""
    query = select(gestures.c.gesture_id, gestures.c.revision).where(
        gestures.c.image_id == image_id, gestures.c.gesture_id.in_(ids)
    )
    return {row.gesture_id: row.revision for row in db.execute(query)}


def journal(db: Connection, image_id: int, after: int, limit: int | None = None) -> list[wire.Entry]:
    """The history of an image after a revision."""
    query = (
        select(gestures.c.revision, gestures.c.author, gestures.c.at, gestures.c.body)
        .where(gestures.c.image_id == image_id, gestures.c.revision > after)
        .order_by(gestures.c.revision)
        .limit(limit)
    )
    return [
        wire.Entry(
            revision=row.revision,
            author=row.author,
            at=instant(row.at),
            gesture=wire.Gesture.model_validate_json(zlib.decompress(row.body)),
        )
        for row in db.execute(query)
    ]


def journal_length(db: Connection, image_id: int) -> int:
    """How many gestures an image has seen."""
    query = select(func.count()).select_from(gestures).where(gestures.c.image_id == image_id)
    return int(db.execute(query).scalar_one())


def ids_by_name(db: Connection, project_id: int) -> dict[str, int]:
    """The number of each image by its name; people's own versions left out."""
    query = select(images.c.name, images.c.image_id).where(
        images.c.project_id == project_id, images.c.role != "copy"
    )
    return {row.name: row.image_id for row in db.execute(query)}


def set_facts(db: Connection, image_id: int, values: dict[str, Any]) -> None:
    """Write what a file said of an image: its split, group and frame."""
    if values:
        db.execute(update(images).where(images.c.image_id == image_id).values(**values))
