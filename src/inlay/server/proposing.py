"""Proposing: what a click engine finds by itself, in a box or of the segments of the frame before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Row

from inlay.core.images import read_image
from inlay.server import carrying, prompting, wire
from inlay.server.access import Access
from inlay.server.draft import Draft
from inlay.server.folders import open_folder
from inlay.server.refusals import Refused
from inlay.server.store import documents, images, projects


def everything(who: Access, image_id: int, body: wire.Everything) -> wire.Candidates:
    """Masks of what lies in a box and has no segment yet, the best first."""
    sight = prompting.see(who, image_id, body.engine)
    with who.studio.database.reading() as db:
        row = images.visible_row(db, who, image_id)
        draft = documents.load(db, row)
        folder = projects.row_of(db, who.project_id).folder
    pixels = _frame(who, folder, row)
    owned = np.asarray(carrying.owned(draft))[0]
    with prompting.refusing():
        from inlay.click.parts.grid import everything as propose

        box = _inside(body.box, draft.size)
        found = propose(sight.state, pixels, box, taken=owned, side=body.side, least_area=body.least_area)
    return wire.Candidates(candidates=prompting.candidates(found), engine=sight.engine)


def _inside(
    box: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    (x0, y0, x1, y1), (height, width) = box, size
    return max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)


def follow(who: Access, image_id: int, body: wire.Propagate) -> wire.GestureAnswer:
    """The gesture that finds segments of an image again in its next frame, where nobody drew there."""
    images.need_size(who.studio, image_id)
    images.need_size(who.studio, body.to)
    with who.studio.database.reading() as db:
        rows = [
            images.visible_row(db, who, image_id),
            images.visible_row(db, who, body.to, elsewhere=True),
        ]
        if (rows[0].height, rows[0].width) != (rows[1].height, rows[1].width):
            raise Refused(409, f"{rows[1].name} is of another size: segments cannot be followed there")
        source, target = (documents.load(db, row) for row in rows)
        folder = projects.row_of(db, who.project_id).folder
    state = _state(who, body.to)
    before, after = (_frame(who, folder, row) for row in rows)
    wanted = set(body.keys)
    chosen = [key for key in source.order if _follows(source, key, wanted)]
    if not chosen:
        raise Refused(409, "there is nothing to follow: the image has no such segments")
    free = ~np.asarray(carrying.owned(target))[0]
    ops: list[wire.Op] = []
    above = target.order[-1] if target.order else None
    for key in reversed(chosen):  # the front one first: it has the pixels that two would take
        mask = _again(source, key, before, after, state, free)
        if mask is None:
            continue
        free &= ~mask
        new = source.rows[key].facts.model_copy(update={"key": carrying.new_key(), "source": "click:motion"})
        ops += [wire.Create(op="create", segment=new, above=above), *carrying.drawn(new.key, mask)]
    if not ops:
        raise Refused(409, "nothing was found again: the next frame has segments there already")
    return wire.GestureAnswer(gesture=carrying.gesture_of("follow", ops))


def _follows(source: Draft, key: str, wanted: set[str]) -> bool:
    row = source.rows[key]
    return row.visible is not None and row.facts.state == "final" and (not wanted or key in wanted)


def _state(who: Access, image_id: int) -> Any:
    """The engine's view of the next frame; None where no engine is there: the shifted masks do then."""
    try:
        return prompting.see(who, image_id, None).state
    except Refused as refused:
        if refused.status == 503:
            return None
        raise


def _frame(who: Access, folder: str, row: Row[Any]) -> Any:
    file: Path = open_folder(folder, who.studio.settings.folder / "cache" / "files").local(row.path)
    return read_image(file)


def _again(source: Draft, key: str, before: Any, after: Any, state: Any, free: Any) -> Any:
    from inlay.click.parts.follow import follow as find

    mask = np.asarray(source.mask(key))[0]
    with prompting.refusing():
        found = find(before, after, mask, state)
    if found is None:
        return None
    seen = found.mask & free
    return seen if seen.any() else None
