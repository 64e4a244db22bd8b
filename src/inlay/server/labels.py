"""Labels: documents as the core's segmentations, a whole project as a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from inlay.core.boxed import Boxed, whole
from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.server.draft import Draft
from inlay.server.folders import open_folder
from inlay.server.store import classes, documents, projects
from inlay.server.studio import Studio
from inlay.server.tables import images


def segmentation(
    draft: Draft, these: Classes, row_of: dict[int, int], *, proposed: bool = True
) -> tuple[Segmentation, list[str]]:
    """A document as a segmentation, and the key of each of its rows; amodal where anything is hidden."""
    keys = [key for key in draft.order if proposed or draft.rows[key].facts.state == "final"]
    rows = [draft.rows[key] for key in keys]
    masks = _masks([row.visible for row in rows], draft.size)
    amodal = None
    if any(row.hidden is not None for row in rows):
        amodal = masks | _masks([row.hidden for row in rows], draft.size)
    scores = [row.facts.score for row in rows]
    known = [score for score in scores if score is not None]
    label = Segmentation(
        these,
        masks,
        np.array([row_of[row.facts.class_id] for row in rows], np.int32),
        np.array([row.facts.instance_id for row in rows], np.int32),
        score=np.array(known, np.float64) if rows and len(known) == len(rows) else None,
        crowd=np.array([row.facts.crowd for row in rows], np.bool_),
        tags=tuple(frozenset(row.facts.tags) for row in rows),
        amodal=amodal,
        image_tags=frozenset(draft.image_tags),
    )
    return label, keys


def _masks(boxed: Sequence[Boxed | None], size: tuple[int, int]) -> Masks:
    """Masks of a list with gaps: `None` is an empty mask."""
    empty = Masks.empty(size, 1)
    some = whole([each for each in boxed if each is not None], size)
    places = iter(range(len(some)))
    parts = [empty if each is None else some[next(places)] for each in boxed]
    return some if len(some) == len(boxed) else Masks.concat([Masks.empty(size), *parts])


def dataset(
    studio: Studio,
    project_id: int,
    *,
    states: Sequence[str] = (),
    proposed: bool = False,
    labelled: bool = False,
) -> Dataset:
    """The labels of a project as they are now, read when they are asked for.

    An image without any gesture counts as unlabelled; with `labelled`, it is left out.
    """
    with studio.database.reading() as db:
        project = projects.row_of(db, project_id)
        these, row_of = classes.core(db, project_id)
        query = select(images).where(images.c.project_id == project_id, images.c.role != "copy")
        if states:
            query = query.where(images.c.state.in_(states))
        if labelled:
            query = query.where(images.c.revision > 0)
        rows = {row.name: row for row in db.execute(query.order_by(images.c.sort_key, images.c.image_id))}

    def load(name: str) -> Sample:
        with studio.database.reading() as db:
            image = documents.image_row(db, rows[name].image_id)
            return sample(db, studio, project, image, these, row_of, proposed=proposed)

    splits = {name: row.split for name, row in rows.items() if row.split}
    return Dataset(these, tuple(rows), load, splits)


def sample(
    db: Connection,
    studio: Studio,
    project: Row[Any],
    image: Row[Any],
    these: Classes,
    row_of: dict[int, int],
    *,
    proposed: bool,
) -> Sample:
    """One image with its label."""
    label = None
    if image.revision and image.width is not None:
        label, _ = segmentation(documents.load(db, image), these, row_of, proposed=proposed)
    file: Path = open_folder(project.folder, studio.settings.folder / "cache" / "files").local(image.path)
    return Sample(image.name, file, label, image.split, image.group_name, image.frame)
