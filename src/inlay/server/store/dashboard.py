"""The dashboard: progress, time, cost and quality, added up from the journal."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from inlay.server import forms
from inlay.server.store.projects import count_states, row_of, settings_of
from inlay.server.tables import classes, efforts, gestures, images, segments, state_changes, users

DAY = 86_400


def read(db: Connection, project_id: int, scores: dict[str, list[float]] | None = None) -> forms.Dashboard:
    """The dashboard; `scores` are people's agreements with the truth of honeypots."""
    rate = settings_of(row_of(db, project_id))["rate"]
    states = count_states(db, project_id)
    mine = images.c.project_id == project_id
    totals = db.execute(
        select(func.sum(images.c.segments), func.sum(images.c.proposed), func.sum(images.c.seconds)).where(
            mine
        )
    ).one()
    seconds = float(totals[2] or 0.0)
    return forms.Dashboard(
        images=sum(states.values()),
        states=states,
        segments=int(totals[0] or 0),
        proposed=int(totals[1] or 0),
        seconds=seconds,
        cost=seconds / 3600 * rate,
        classes=_by_class(db, project_id, rate),
        people=_by(db, project_id, gestures.c.author, rate, _worked(db, project_id, gestures.c.author)),
        tools=_by(db, project_id, gestures.c.kind, rate, {}),
        days=_days(db, project_id),
        quality=_quality(db, project_id, scores or {}),
    )


def _worked(db: Connection, project_id: int, column: Any) -> dict[Any, int]:
    """How many segments somebody worked on and that are still there, by a column."""
    image = efforts.c.image_id
    one_each = (
        select(column.label("name"), image, efforts.c.key)
        .join_from(efforts, images)
        .join(
            gestures,
            (gestures.c.image_id == efforts.c.image_id) & (gestures.c.revision == efforts.c.revision),
        )
        .join(segments, and_(segments.c.image_id == image, segments.c.key == efforts.c.key))
        .where(images.c.project_id == project_id)
        .distinct()
        .subquery()
    )
    return dict(db.execute(select(one_each.c.name, func.count()).group_by(one_each.c.name)).all())


def _by(
    db: Connection, project_id: int, column: Any, rate: float, worked: dict[Any, int]
) -> list[forms.Seconds]:
    query = (
        select(column, func.sum(gestures.c.seconds), func.count())
        .join_from(gestures, images)
        .where(images.c.project_id == project_id, gestures.c.kind != "import")
        .group_by(column)
        .order_by(func.sum(gestures.c.seconds).desc())
    )
    return [
        _seconds(str(name), float(total), count, worked.get(name, 0), rate)
        for name, total, count in db.execute(query)
    ]


def _seconds(name: str, seconds: float, count: int, worked: int, rate: float) -> forms.Seconds:
    return forms.Seconds(
        name=name, seconds=seconds, gestures=count, segments=worked, cost=seconds / 3600 * rate
    )


def _by_class(db: Connection, project_id: int, rate: float) -> list[forms.Seconds]:
    spent = {
        class_id: (float(total), count)
        for class_id, total, count in db.execute(
            select(gestures.c.class_id, func.sum(gestures.c.seconds), func.count())
            .join_from(gestures, images)
            .where(images.c.project_id == project_id, gestures.c.kind != "import")
            .group_by(gestures.c.class_id)
        )
    }
    worked = _worked(db, project_id, segments.c.class_id)
    rows = db.execute(
        select(classes.c.class_id, classes.c.name)
        .where(classes.c.project_id == project_id)
        .order_by(classes.c.place)
    )
    return [
        _seconds(row.name, *spent.get(row.class_id, (0.0, 0)), worked.get(row.class_id, 0), rate)
        for row in rows
    ]


def _days(db: Connection, project_id: int) -> list[forms.Day]:
    day = func.floor(gestures.c.at / DAY)
    worked = db.execute(
        select(day, func.sum(gestures.c.seconds), func.count())
        .join_from(gestures, images)
        .where(images.c.project_id == project_id, gestures.c.kind != "import")
        .group_by(day)
        .order_by(day)
    ).all()
    submitted: Counter[int] = Counter()
    query = (
        select(state_changes.c.at)
        .join_from(state_changes, images)
        .where(images.c.project_id == project_id, state_changes.c.state == "submitted")
    )
    for at in db.execute(query).scalars():
        submitted[int(at // DAY)] += 1
    found = {int(number): (float(seconds), count) for number, seconds, count in worked}
    return [
        forms.Day(
            day=datetime.fromtimestamp(number * DAY, UTC).date().isoformat(),
            seconds=found.get(number, (0.0, 0))[0],
            gestures=found.get(number, (0.0, 0))[1],
            submitted=submitted[number],
        )
        for number in sorted({*found, *submitted})
    ]


def _quality(db: Connection, project_id: int, scores: dict[str, list[float]]) -> list[forms.Quality]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    query = (
        select(users.c.name, state_changes.c.state, func.count())
        .join_from(state_changes, images)
        .join(users, users.c.user_id == state_changes.c.labeller)
        .where(images.c.project_id == project_id)
        .group_by(users.c.name, state_changes.c.state)
    )
    for name, state, count in db.execute(query):
        counts[name][state] = count
    return [
        forms.Quality(
            name=name,
            submitted=counts[name]["submitted"],
            accepted=counts[name]["accepted"],
            returned=counts[name]["returned"],
            honeypots=len(scores.get(name, ())),
            pq=sum(scores[name]) / len(scores[name]) if scores.get(name) else None,
        )
        for name in sorted({*counts, *scores})
    ]
