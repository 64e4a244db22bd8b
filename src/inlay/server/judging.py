"""Judging: the project's rules over one document, live, and the gestures that mend what they find."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from inlay.core.boxed import tight
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.core.staging import staged
from inlay.server import labels, wire
from inlay.server.access import Access
from inlay.server.draft import BrokenError, Draft, apply
from inlay.server.mending import mend
from inlay.server.refusals import Refused, told
from inlay.server.store import classes, documents, images, projects
from inlay.server.tables import findings as table
from inlay.server.tables import images as image_table

MOST = 500  # findings of one image that are sent


class Judges:
    """Rules that have been read; kept until others are wanted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[tuple[str, ...], str], list[Any]] = OrderedDict()

    def rules(self, packs: list[str], text: str) -> list[Any]:
        """The rules of packs and of a TOML text.

        Raises
        ------
        InlayError
            When there is no such pack, or the text is no file of rules.
        """
        from inlay.rules import read_rules

        key = (tuple(packs), text)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = list(read_rules(packs, self._file(text) if text.strip() else None))
                while len(self._kept) > 16:
                    self._kept.popitem(last=False)
            return self._kept[key]

    def _file(self, text: str) -> Path:
        name = blake2b(text.encode(), digest_size=8).hexdigest()
        path = self._folder / name / "rules.toml"
        if not path.is_file():
            with staged(path) as hidden:
                hidden.write_text(text, "utf-8")
        return path


def packs() -> list[str]:
    """Names of the rule packs."""
    from inlay.rules import pack_names

    return list(pack_names())


@dataclass(frozen=True)
class _Judged:
    """A document, and what the rules find in it."""

    revision: int
    draft: Draft
    label: Segmentation
    keys: list[str]
    rules: list[Any]
    found: tuple[Any, ...]


def findings(who: Access, image_id: int) -> wire.Findings:
    """What the project's rules find now."""
    images.need_size(who.studio, image_id)
    with who.studio.database.reading() as db:
        image = images.visible_row(db, who, image_id)
        if image.findings is not None:
            return wire.Findings(revision=image.revision, findings=_stored(db, image_id))
    judged = _judge(who, image_id)
    several = [_wire(each, judged.keys) for each in judged.found[:MOST] if each.image is not None]
    _keep(who, image_id, judged.revision, several)
    return wire.Findings(revision=judged.revision, findings=several)


def _judge(who: Access, image_id: int) -> _Judged:
    from inlay.rules import Compiled, check_sample
    from inlay.rules.engine import require_classes

    with who.studio.database.reading() as db:
        image = images.visible_row(db, who, image_id)
        project = projects.row_of(db, who.project_id)
        draft = documents.load(db, image)
        these, row_of = classes.core(db, who.project_id)
        label, keys = labels.segmentation(draft, these, row_of)
        sample = labels.sample(db, who.studio, project, image, these, row_of, proposed=True)
    settings = projects.settings_of(project)
    try:
        rules = who.studio.judges.rules(settings["packs"], settings["rules"])
        require_classes(rules, these)
        found = check_sample(sample.replace(segmentation=label), Compiled.of(rules, these))
    except InlayError as error:
        raise Refused(422, told(error)) from None
    return _Judged(image.revision, draft, label, keys, rules, found)


def _wire(found: Any, keys: list[str]) -> wire.Finding:
    return wire.Finding(
        rule=found.rule,
        severity=found.severity,
        message=found.message,
        keys=[keys[row] for row in found.rows],
        box=found.box,
        region=_region(found.region),
        measured=found.measured,
        limit=found.limit,
        fix=found.fix is not None,
        fingerprint=found.fingerprint,
    )


def _region(region: Any) -> wire.Mask | None:
    if region is None:
        return None
    boxed = tight(Masks.from_strings([region["counts"]], tuple(region["size"])))[0]
    return None if boxed is None else wire.Mask(box=boxed[0], runs=boxed[1].decode())


def _stored(db: Connection, image_id: int) -> list[wire.Finding]:
    query = select(table.c.body).where(table.c.image_id == image_id).order_by(table.c.number)
    return [wire.Finding.model_validate(body) for body in db.execute(query).scalars()]


def _keep(who: Access, image_id: int, revision: int, several: list[wire.Finding]) -> None:
    """Write the findings down, unless the document has changed meanwhile."""
    with who.studio.database.writing() as db:
        if documents.image_row(db, image_id, locked=True).revision != revision:
            return
        db.execute(delete(table).where(table.c.image_id == image_id))
        rows = [
            {"image_id": image_id, "number": number, "rule": each.rule, "body": each.model_dump(mode="json")}
            for number, each in enumerate(several)
        ]
        if rows:
            db.execute(insert(table), rows)
        mine = image_table.c.image_id == image_id
        db.execute(update(image_table).where(mine).values(findings=len(rows)))


def fix(who: Access, image_id: int, fingerprint: str) -> wire.GestureAnswer:
    """The gesture that mends a finding, which fits the document as it is now.

    Raises
    ------
    Refused
        404 when the document has no such finding any more; 409 when nothing mends it, or not within the limit
        of its rule.
    """
    from inlay.rules.repair import repair_label

    images.need_size(who.studio, image_id)
    judged = _judge(who, image_id)
    found = [each for each in judged.found if each.fingerprint == fingerprint]
    if not found:
        raise Refused(404, "there is no such finding in the document as it is now")
    if found[0].fix is None:
        raise Refused(409, f"nothing mends {found[0].rule} by itself")
    limits = {rule.id: rule.max_change for rule in judged.rules}
    repaired = repair_label(judged.label, found[:1], limits, unsafe=True)
    refusals = [patch.refused for patch in repaired.patches if patch.refused]
    if refusals:
        raise Refused(409, refusals[0])
    gesture = mend(judged.draft, judged.keys, repaired.before, repaired.after, repaired.rows)
    if not gesture.ops:
        raise Refused(409, "the fix changes nothing here: mend it by hand")
    try:
        apply(judged.draft, gesture.ops)
    except BrokenError as error:
        raise Refused(409, f"the fix would break the document: {error.words}") from None
    return wire.GestureAnswer(gesture=gesture)
