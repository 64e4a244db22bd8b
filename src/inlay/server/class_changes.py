"""Changes of classes over all images: merges and splits, each a gesture in every image they touch."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from sqlalchemy import select

from inlay.server import forms, jobs, wire
from inlay.server.access import Access
from inlay.server.draft import Draft
from inlay.server.refusals import Refused
from inlay.server.saving import commit, tell
from inlay.server.store import classes, documents
from inlay.server.tables import gestures, images, segments

Change = Callable[[Draft], Sequence[wire.Set]]


def start_merge(who: Access, body: forms.Merge) -> forms.Job:
    """Give the segments of some classes to another."""
    table = _table(who)
    gone = [_named(table, class_id) for class_id in dict.fromkeys(body.from_)]
    into = _named(table, body.into)
    if into in gone:
        raise Refused(409, f"{into.name} cannot be merged into itself")
    words = f"{', '.join(row.name for row in gone)} became {into.name}"
    ids = {row.class_id for row in gone}

    def ops(draft: Draft) -> list[wire.Set]:
        return _given(draft, {key: body.into for key in draft.order if draft.rows[key].facts.class_id in ids})

    return _start(who, "merge", words, lambda: _images_with(who, ids), ops)


def start_split(who: Access, body: forms.Split) -> forms.Job:
    """Give some segments of a class to new classes."""
    table = _table(who)
    old = _named(table, body.class_id)
    names = {row.name for row in table.classes}
    new_names = [part.row.name for part in body.into]
    clash = next(
        (name for place, name in enumerate(new_names) if name in names or name in new_names[:place]), None
    )
    if clash is not None:
        raise Refused(409, f"there is a class {clash!r} already")
    with who.studio.database.writing() as db:
        new = [classes.create(db, who.project_id, part.row) for part in body.into]
    who.studio.events.tell(who.project_id, forms.Event(kind="classes", by=who.session.name))
    target = {place.key: class_id for part, class_id in zip(body.into, new) for place in part.segments}
    wanted = sorted({place.image_id for part in body.into for place in part.segments})

    def ops(draft: Draft) -> list[wire.Set]:
        return _given(
            draft,
            {
                key: target[key]
                for key in draft.order
                if key in target and draft.rows[key].facts.class_id == old.class_id
            },
        )

    return _start(who, "split", f"{old.name} became {', '.join(new_names)}", lambda: wanted, ops)


def start_undo(who: Access, change_id: int) -> forms.Job:
    """Take a merge or split back where segments still have the class it gave them."""
    with who.studio.database.writing() as db:
        classes.mark_undone(db, who.project_id, change_id)
    return jobs.start(who, "undo", lambda work: _undo(work, change_id))


def _table(who: Access) -> forms.ClassTable:
    with who.studio.database.reading() as db:
        return classes.read(db, who.project_id)


def _named(table: forms.ClassTable, class_id: int) -> forms.ClassRow:
    row = next((row for row in table.classes if row.class_id == class_id), None)
    if row is None:
        raise Refused(404, f"the project has no class {class_id}")
    return row


def _given(draft: Draft, target: dict[str, int]) -> list[wire.Set]:
    return [
        wire.Set(op="set", key=key, field="class_id", before=draft.rows[key].facts.class_id, after=class_id)
        for key, class_id in target.items()
    ]


def _images_with(who: Access, ids: set[int | None]) -> list[int]:
    with who.studio.database.reading() as db:
        query = select(segments.c.image_id).where(segments.c.class_id.in_(ids)).distinct()
        return sorted(db.execute(query).scalars())


def _start(
    who: Access, kind: wire.JobKind, words: str, where: Callable[[], list[int]], ops: Change
) -> forms.Job:
    with who.studio.database.writing() as db:
        change_id = classes.add_change(db, who.project_id, kind, who.session.name, words)
    return jobs.start(who, kind, lambda work: _over(work, where(), change_id, "class", ops, words))


def _over(
    work: jobs.Work, several: list[int], change_id: int, kind: str, ops: Change, words: str
) -> dict[str, object]:
    """Change the documents one by one; each has its gesture once, however often the job is run."""
    changed = 0
    for done, image_id in enumerate(several, 1):
        changed += _in_image(work.who, image_id, _gesture_id(change_id, kind, image_id), ops)
        work.step(done, len(several), words)
    work.who.studio.events.tell(work.who.project_id, forms.Event(kind="classes", by=work.who.session.name))
    return {"change_id": change_id, "images": len(several), "segments": changed}


def _gesture_id(change_id: int, kind: str, image_id: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"inlay:{kind}:{change_id}:{image_id}"))


def _in_image(who: Access, image_id: int, gesture_id: str, ops: Change) -> int:
    with who.studio.database.writing() as db:
        image = documents.image_row(db, image_id, locked=True)
        if image.project_id != who.project_id or documents.known(db, image_id, [gesture_id]):
            return 0
        draft = documents.load(db, image)
        wanted = list(ops(draft))
        if not wanted:
            return 0
        gesture = wire.Gesture(id=gesture_id, kind="class", ops=list(wanted))
        for op in wanted:
            row = draft.rows[str(op.key)]
            row.facts = row.facts.model_copy(update={"class_id": op.after})
            draft.touched.add(str(op.key))
        revision = commit(db, who, image, draft, [gesture])
    tell(who, image_id, revision)
    return len(wanted)


def _undo(work: jobs.Work, change_id: int) -> dict[str, object]:
    who = work.who
    with who.studio.database.reading() as db:
        of_project = select(images.c.image_id).where(images.c.project_id == who.project_id)
        several = sorted(db.execute(of_project).scalars())
        ids = {_gesture_id(change_id, "class", image_id): image_id for image_id in several}
        query = (
            select(gestures.c.image_id, gestures.c.gesture_id)
            .join_from(gestures, images)
            .where(images.c.project_id == who.project_id, gestures.c.kind == "class")
        )
        touched = sorted({row.image_id for row in db.execute(query) if row.gesture_id in ids})
    changed = 0
    for done, image_id in enumerate(touched, 1):
        changed += _in_image(
            who, image_id, _gesture_id(change_id, "undo", image_id), _back(who, image_id, change_id)
        )
        work.step(done, len(touched), "taken back")
    who.studio.events.tell(who.project_id, forms.Event(kind="classes", by=who.session.name))
    return {"change_id": change_id, "images": len(touched), "segments": changed}


def _back(who: Access, image_id: int, change_id: int) -> Change:
    wanted = _gesture_id(change_id, "class", image_id)
    with who.studio.database.reading() as db:
        revision = documents.known(db, image_id, [wanted])[wanted]
        made = documents.journal(db, image_id, revision - 1, 1)[0].gesture

    def ops(draft: Draft) -> list[wire.Set]:
        return [
            op.model_copy(update={"before": op.after, "after": op.before})
            for op in made.ops
            if op.op == "set"
            and op.key in draft.rows
            and draft.rows[op.key].facts.class_id == op.after
            and op.before in draft.class_ids
        ]

    return ops
