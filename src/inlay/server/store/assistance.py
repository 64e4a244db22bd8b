"""Assistance: what click to segment costs or saves per segment, and where it switches itself off.

A segment counts as assisted when a prompt has drawn or mended it, as drawn by hand when a drawing tool has
made it and no prompt touched it; what was imported, predicted, copied or cut from another one is neither. All
active seconds and gestures that went into the segment count, corrections too.

The rule: assistance is off for a class when there are `ENOUGH` segments of both kinds and the 95 % interval
of the difference of their mean seconds (Welch) lies above zero: it measurably costs time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from sqlalchemy import Connection, Select, Subquery, case, func, select

from inlay.server import forms
from inlay.server.store.projects import row_of, settings_of
from inlay.server.tables import classes, efforts, gestures, images, segments

ENOUGH = 20
ASSISTED = ("prompt", "everything")
BY_HAND = ("brush", "polygon", "box", "lasso", "scissors", "fill", "superpixel")
SURE = 0.975


@dataclass(frozen=True)
class Spent:
    """What some segments took, added up: seconds, their squares, and gestures."""

    segments: int = 0
    seconds: float = 0.0
    squares: float = 0.0
    edits: int = 0

    @property
    def mean(self) -> float:
        """Seconds of a segment."""
        return self.seconds / self.segments if self.segments else 0.0

    @property
    def doubt(self) -> float:
        """Squared standard error of the mean."""
        scatter = max(0.0, self.squares - self.segments * self.mean**2)
        return scatter / (self.segments - 1) / self.segments


def difference(assisted: Spent, by_hand: Spent) -> tuple[float, float, float] | None:
    """Mean seconds with assistance less those by hand: (low, mean, high); None where there are too few."""
    if min(assisted.segments, by_hand.segments) < ENOUGH:
        return None
    mean, doubt = assisted.mean - by_hand.mean, assisted.doubt + by_hand.doubt
    if doubt == 0:
        return mean, mean, mean
    parts = sum(each.doubt**2 / (each.segments - 1) for each in (assisted, by_hand))
    reach = student(doubt**2 / parts) * math.sqrt(doubt)
    return mean - reach, mean, mean + reach


def student(freedom: float) -> float:
    """The 97.5 % quantile of Student's t, by Cornish and Fisher's expansion; for 19 degrees and more."""
    z = NormalDist().inv_cdf(SURE)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + first / freedom + second / freedom**2


def read(db: Connection, project_id: int) -> forms.Assistance:
    """What assistance does for each class, and whether it is off."""
    settings = settings_of(row_of(db, project_id))
    spent = {
        (row.class_id, bool(row.assisted)): Spent(
            row.segments, float(row.seconds), float(row.squares), int(row.edits)
        )
        for row in db.execute(_added_up(project_id))
    }
    query = select(classes.c.class_id, classes.c.name).where(classes.c.project_id == project_id)
    rows = []
    for row in db.execute(query.order_by(classes.c.place)):
        choice = "automatic"
        if row.class_id in settings["assist_off"]:
            choice = "off"
        elif row.class_id in settings["assist_on"]:
            choice = "on"
        pair = [spent.get((row.class_id, kind), Spent()) for kind in (True, False)]
        rows.append(_judged(row.class_id, row.name, pair[0], pair[1], choice))
    return forms.Assistance(enough=ENOUGH, classes=rows)


def _judged(class_id: int, name: str, assisted: Spent, by_hand: Spent, choice: str) -> forms.ClassAssistance:
    found = difference(assisted, by_hand)
    costs = found is not None and found[0] > 0
    return forms.ClassAssistance.model_validate(
        {
            "class_id": class_id,
            "name": name,
            "assisted": _pace(assisted),
            "by_hand": _pace(by_hand),
            "difference": found,
            "costs": costs,
            "choice": choice,
            "off": choice == "off" or (choice == "automatic" and costs),
        }
    )


def _pace(spent: Spent) -> forms.Pace:
    edits = spent.edits / spent.segments if spent.segments else 0.0
    return forms.Pace(segments=spent.segments, seconds=spent.mean, edits=edits)


def _each(project_id: int) -> Subquery:
    """One row for each final segment that somebody drew: its class, seconds, edits, first revision."""
    here = (segments.c.image_id == efforts.c.image_id) & (segments.c.key == efforts.c.key)
    then = (gestures.c.image_id == efforts.c.image_id) & (gestures.c.revision == efforts.c.revision)
    return (
        select(
            efforts.c.image_id,
            segments.c.class_id,
            func.sum(efforts.c.seconds).label("seconds"),
            func.count().label("edits"),
            func.min(efforts.c.revision).label("first"),
            func.max(case((gestures.c.kind.in_(ASSISTED), 1), else_=0)).label("assisted"),
        )
        .join_from(efforts, images)
        .join(segments, here)
        .join(gestures, then)
        .where(
            images.c.project_id == project_id,
            segments.c.state == "final",
            segments.c.source != "import",
            segments.c.source.not_like("model:%"),
        )
        .group_by(efforts.c.image_id, efforts.c.key, segments.c.class_id)
        .subquery()
    )


def _added_up(project_id: int) -> Select[tuple[int, int, int, float, float, int]]:
    each = _each(project_id)
    begun = (gestures.c.image_id == each.c.image_id) & (gestures.c.revision == each.c.first)
    return (
        select(
            each.c.class_id,
            each.c.assisted,
            func.count().label("segments"),
            func.sum(each.c.seconds).label("seconds"),
            func.sum(each.c.seconds * each.c.seconds).label("squares"),
            func.sum(each.c.edits).label("edits"),
        )
        .join_from(each, gestures, begun)
        .where((each.c.assisted == 1) | gestures.c.kind.in_(BY_HAND))
        .group_by(each.c.class_id, each.c.assisted)
    )
