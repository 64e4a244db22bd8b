"""Saving: gestures become part of a document, once, in order, and for good."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from inlay.core.boxed import Boxed
from inlay.server import carrying, forms, wire
from inlay.server.access import Access
from inlay.server.draft import BrokenError, Draft, apply, inverse
from inlay.server.refusals import Refused
from inlay.server.store import documents, images, work


def read(who: Access, image_id: int, revision: int | None = None) -> tuple[int, bytes]:
    """The revision of the document now, or the one asked for, and the document as it is sent."""
    images.need_size(who.studio, image_id)
    with who.studio.database.reading() as db:
        image = images.visible_row(db, who, image_id)
        draft = documents.load(db, image)
        if revision is not None:
            _go_back(db, image, draft, revision)
    shown = int(image.revision) if revision is None else revision
    return shown, to_json(image_id, shown, draft)


def to_json(image_id: int, revision: int, draft: Draft) -> bytes:
    """A draft as it is sent: what `wire.Document` says, without making models of its thousands of parts."""
    rows = (draft.rows[key] for key in draft.order)
    segments = [
        {**row.facts.__dict__, "visible": _mask(row.visible), "hidden": _mask(row.hidden)} for row in rows
    ]
    document = {
        "image_id": image_id,
        "revision": revision,
        "size": draft.size[::-1],
        "image_tags": draft.image_tags,
        "segments": segments,
    }
    return msgspec.json.encode(document)


def _mask(boxed: Boxed | None) -> dict[str, Any] | None:
    return None if boxed is None else {"box": boxed[0], "runs": boxed[1].decode()}


def _go_back(db: Connection, image: Row[Any], draft: Draft, revision: int) -> list[wire.Op]:
    """Take back what came after a revision; the ops that did it."""
    if revision > image.revision:
        raise Refused(404, f"the image is at revision {image.revision}; there is no {revision} yet")
    ops: list[wire.Op] = []
    for entry in reversed(documents.journal(db, image.image_id, revision)):
        back = inverse(entry.gesture.ops)
        apply(draft, back, trusted=True)
        ops += back
    return ops


def save(who: Access, image_id: int, gestures: list[wire.Gesture], based_on: int) -> int:
    """Apply gestures to a revision; the revision after the last of them.

    Raises
    ------
    Refused
        412 with what has happened since, 409 with the op that does not fit; nothing is kept then.
    """
    images.need_size(who.studio, image_id)
    _see_that_ids_differ(gestures)
    try:  # who knows the last revision hardly ever sends what is in it: the journal is asked only on failure
        return _save(who, image_id, gestures, based_on, seen=False)
    except IntegrityError:
        return _save(who, image_id, gestures, based_on, seen=True)
    except Refused as error:
        if error.status == 412:
            raise
        return _save(who, image_id, gestures, based_on, seen=True)


def _save(who: Access, image_id: int, gestures: list[wire.Gesture], based_on: int, *, seen: bool) -> int:
    """Save; where the revision is the one they are based on, look into the journal only if `seen`."""
    with who.studio.database.writing() as db:
        image = images.visible_row(db, who, image_id, locked=True)
        looks = seen or image.revision != based_on
        known = documents.known(db, image_id, [gesture.id for gesture in gestures]) if looks else {}
        new = [gesture for gesture in gestures if gesture.id not in known]
        last = max([based_on, *known.values()])
        if not new:
            return last
        work.see_writable(image, who)
        if image.revision != last:
            raise _stale(db, image, based_on)
        draft = _draft(db, who, image)
        for gesture in new:
            _apply(draft, gesture)
        revision = commit(db, who, image, draft, new)
    who.studio.recent.keep(image_id, (revision, image.classes_revision), draft)
    tell(who, image_id, revision)
    return revision


def _draft(db: Connection, who: Access, image: Row[Any]) -> Draft:
    """The document as it is, from memory where it has not changed since."""
    draft = who.studio.recent.take(image.image_id, (image.revision, image.classes_revision))
    return documents.load(db, image) if draft is None else draft


def _see_that_ids_differ(gestures: list[wire.Gesture]) -> None:
    if len({gesture.id for gesture in gestures}) < len(gestures):
        raise Refused(422, "a gesture stands twice in the request")


def _apply(draft: Draft, gesture: wire.Gesture) -> None:
    try:
        apply(draft, gesture.ops)
    except BrokenError as error:
        raise Refused(409, error.words, gesture=gesture.id, op=error.op) from None


def _stale(db: Connection, image: Row[Any], based_on: int) -> Refused:
    since = documents.journal(db, image.image_id, based_on, limit=wire.MAX_GESTURES)
    words = f"somebody saved first: the image is at revision {image.revision}, not {based_on}"
    if based_on > image.revision:
        words = f"the image is at revision {image.revision}; there is no {based_on} yet: load it anew"
    body = [entry.model_dump(mode="json") for entry in since]
    return Refused(412, words, revision=image.revision, gestures=body)


def commit(db: Connection, who: Access, image: Row[Any], draft: Draft, gestures: list[wire.Gesture]) -> int:
    """Write a draft and the gestures that made it; the new revision."""
    revision = int(image.revision) + len(gestures)
    changes: dict[str, Any] = {
        "revision": revision,
        "seconds": image.seconds + sum(gesture.seconds for gesture in gestures),
        "findings": None,
    }
    drawn = any(gesture.ops for gesture in gestures)  # time that went into looking changes no state
    if drawn and image.state in ("todo", "returned", "submitted") and not who.unattended:
        changes["state"] = "labelling"
        if image.assignee is None:
            changes["assignee"] = who.user_id
    documents.keep(db, image, draft, **changes)
    numbered = list(enumerate(gestures, image.revision + 1))
    documents.add_to_journal(
        db, image.image_id, draft, numbered, (who.user_id, who.session.name), time.time()
    )
    return revision


def tell(who: Access, image_id: int, revision: int) -> None:
    """Tell those who listen that an image has changed."""
    event = forms.Event(kind="revision", image=image_id, revision=revision, by=who.session.name)
    who.studio.events.tell(who.project_id, event)


def history(who: Access, image_id: int, after: int, limit: int) -> list[wire.Entry]:
    """What was done after a revision."""
    with who.studio.database.reading() as db:
        images.visible_row(db, who, image_id)
        return documents.journal(db, image_id, after, limit)


def restore(who: Access, image_id: int, body: wire.Restore, based_on: int) -> int:
    """Make the document what it was, by one gesture."""
    images.need_size(who.studio, image_id)
    with who.studio.database.writing() as db:
        image = images.visible_row(db, who, image_id, locked=True)
        work.see_writable(image, who)
        if image.revision != based_on:
            raise _stale(db, image, based_on)
        draft = documents.load(db, image)
        ops = _go_back(db, image, draft, body.revision)
        gesture = carrying.gesture_of("restore", ops)
        revision = commit(db, who, image, draft, [gesture])
    tell(who, image_id, revision)
    return revision


def propagate(who: Access, image_id: int, body: wire.Propagate) -> wire.GestureAnswer:
    """The gesture that carries segments to another image."""
    images.need_size(who.studio, image_id)
    with who.studio.database.reading() as db:
        source = images.visible_row(db, who, image_id)
        target = images.visible_row(db, who, body.to, elsewhere=True)
    images.need_size(who.studio, body.to)
    with who.studio.database.reading() as db:
        target = documents.image_row(db, body.to)
        if (source.height, source.width) != (target.height, target.width):
            raise Refused(409, f"{target.name} is of another size: segments cannot be carried there")
        gesture = carrying.carry(documents.load(db, source), documents.load(db, target), body.keys)
    return wire.GestureAnswer(gesture=gesture)
