"""Comparing: several people's versions of one image, and the known truth of honeypots."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Row, select, update

from inlay.core.classes import Classes, Kind
from inlay.core.segmentation import Segmentation
from inlay.server import forms, labels, wire
from inlay.server.access import Access
from inlay.server.carrying import built, emptied, gesture_of
from inlay.server.draft import apply
from inlay.server.refusals import Refused
from inlay.server.saving import commit, tell
from inlay.server.store import classes, dashboard, documents, images, people, work
from inlay.server.tables import images as table

DONE = ("submitted", "accepted")


def copies(who: Access, image_id: int, body: forms.Copies) -> list[forms.ImageRow]:
    """Give people their own versions, or make the image a honeypot."""
    with who.studio.database.writing() as db:
        image = images.visible_row(db, who, image_id, locked=True)
        if image.role == "copy":
            raise Refused(409, "this is one labeller's version: name the image itself")
        if body.truth is not None:
            if body.truth and not image.segments:
                raise Refused(409, "the image has no segments that could be the truth: label it first")
            role = "truth" if body.truth else ""
            db.execute(update(table).where(table.c.image_id == image_id).values(role=role))
        have = {row.assignee for row in _versions(db, image_id)}
        for user_id in dict.fromkeys(body.people):
            if people.role_of(db, who.project_id, user_id) is None:
                raise Refused(404, f"there is no member {user_id} in this project")
            if user_id not in have:
                work.add_copy(db, image, user_id)
        rows = images.to_wire(db, [documents.image_row(db, image_id), *_versions(db, image_id)])
    who.studio.events.tell(who.project_id, forms.Event(kind="images"))
    return rows


def _versions(db: Connection, image_id: int) -> list[Row[Any]]:
    query = (
        select(table).where(table.c.original == image_id, table.c.role == "copy").order_by(table.c.image_id)
    )
    return list(db.execute(query).all())


def agreement(who: Access, image_id: int) -> forms.Agreements:
    """All pairs of versions that somebody has submitted, and of each with the image's own document."""
    images.need_size(who.studio, image_id)
    with who.studio.database.reading() as db:
        image = images.visible_row(db, who, image_id)
        versions = _versions(db, image_id)
        these, row_of = classes.core(db, who.project_id)
        named = people.names(db, {row.assignee for row in versions if row.assignee is not None})
        seen: list[tuple[str, Segmentation]] = []
        if image.role == "truth" or image.segments:
            seen.append(("truth" if image.role == "truth" else "document", _label(db, image, these, row_of)))
        for row in versions:
            if row.revision:
                name = named[row.assignee].name if row.assignee in named else "somebody"
                seen.append((name, _label(db, _sized(row, image), these, row_of)))
        rows = images.to_wire(db, versions)
    pairs = [_pair(one, other, these) for one, other in itertools.combinations(seen, 2)]
    return forms.Agreements(versions=rows, pairs=pairs)


def _sized(row: Row[Any], image: Row[Any]) -> Row[Any]:
    if row.width is None or image.width is None:
        raise Refused(409, "nobody has looked at this version yet")
    return row


def _label(db: Connection, image: Row[Any], these: Classes, row_of: dict[int, int]) -> Segmentation:
    draft = documents.load(db, image)
    return labels.segmentation(draft, these, row_of, proposed=False)[0].replace(score=None)


def _pair(one: tuple[str, Segmentation], other: tuple[str, Segmentation], these: Classes) -> forms.Agreement:
    """How far two people agree. What one left without a segment is his judgement too, and is not left out."""
    from inlay.metrics import iou, panoptic_quality

    stuff: dict[str, Kind] = {each.name: "thing" for each in these if each.kind == "stuff"}
    judged = these.with_kinds(stuff)  # where classes know stuff, metrics leave out what has no segment
    first, second = (each[1].replace(classes=judged) for each in (one, other))
    quality = panoptic_quality.score([panoptic_quality.count(first, second)], judged)
    overlap = iou.score([iou.count(first, second)], judged)
    return forms.Agreement(
        first=one[0],
        second=other[0],
        iou=_number(overlap["mIoU"]),
        pq=_number(quality["PQ"]),
        sq=_number(quality["SQ"]),
        rq=_number(quality["RQ"]),
    )


def _number(value: float) -> float | None:
    """A figure; None where neither side shows anything to judge."""
    return None if value != value else float(value)


def take(who: Access, image_id: int, copy_id: int) -> wire.Revision:
    """Make one version the image's document: what was there goes, by one gesture."""
    images.need_size(who.studio, image_id)
    with who.studio.database.writing() as db:
        image = images.visible_row(db, who, image_id, locked=True)
        version = images.visible_row(db, who, copy_id, elsewhere=True)
        if version.original != image_id:
            raise Refused(409, "that is no version of this image")
        if version.width is None:
            raise Refused(409, "nobody has looked at this version yet")
        draft = documents.load(db, image)
        ops = [*emptied(draft), *built(documents.load(db, version))]
        apply(draft, ops)
        gesture = gesture_of("take", ops)
        revision = commit(db, who, image, draft, [gesture])
    tell(who, image_id, revision)
    return wire.Revision(revision=revision)


def honeypot_scores(who: Access) -> dict[str, list[float]]:
    """Each person's panoptic quality against the truth, on every honeypot he has submitted."""
    with who.studio.database.reading() as db:
        truth = table.alias("truth")
        query = (
            select(table)
            .join(truth, truth.c.image_id == table.c.original)
            .where(
                table.c.project_id == who.project_id,
                table.c.role == "copy",
                table.c.state.in_(DONE),
                truth.c.role == "truth",
            )
        )
        rows = db.execute(query).all()
        these, row_of = classes.core(db, who.project_id)
        named = people.names(db, {row.assignee for row in rows if row.assignee is not None})
        scores: dict[str, list[float]] = defaultdict(list)
        for row in rows:
            original = documents.image_row(db, row.original)
            if row.width is None or original.width is None or row.assignee not in named:
                continue
            one, other = (_label(db, each, these, row_of) for each in (original, row))
            quality = _pair(("truth", one), ("", other), these).pq
            if quality is not None:
                scores[named[row.assignee].name].append(quality)
    return scores


def read_dashboard(who: Access) -> forms.Dashboard:
    """The dashboard, with how people did on honeypots."""
    scores = honeypot_scores(who)
    with who.studio.database.reading() as db:
        return dashboard.read(db, who.project_id, scores)
