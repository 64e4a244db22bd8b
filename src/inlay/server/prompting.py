"""Prompting: what a click engine makes of points, boxes and lines; the engines live in `inlay.click`."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from inlay import plugins
from inlay.core.boxed import Boxed, tight, whole
from inlay.core.errors import InlayError, MissingExtraError
from inlay.core.images import read_image
from inlay.core.masks import Masks
from inlay.server import wire
from inlay.server.access import Access
from inlay.server.folders import open_folder
from inlay.server.refusals import Refused
from inlay.server.store import images, projects

MISSING = "no click engine is installed with this studio: draw by hand, or install a version that has one"


def _click() -> ModuleType | None:
    try:
        return importlib.import_module("inlay.click")
    except ModuleNotFoundError:
        return None


def engines() -> wire.Engines:
    """The engines at hand."""
    click = _click()
    names = [] if click is None else click.ready()
    texts = [name for name in names if _may_read(name)]
    default = names[0] if names else None
    return wire.Engines(engines=names, texts=texts, default=default, words="" if names else MISSING)


def _may_read(name: str) -> bool:
    """Whether an engine's views of images find what a text names; its weights say whether they really do."""
    module = plugins.load("click", name)
    return any(isinstance(each, type) and hasattr(each, "find") for each in vars(module).values())


@dataclass(frozen=True)
class Sight:
    """An image that an engine is ready to answer for."""

    engine: str
    state: Any
    size: tuple[int, int]


def see(who: Access, image_id: int, engine: str | None) -> Sight:
    """An engine's view of an image.

    Raises
    ------
    Refused
        With 503 where there is no engine, 422 where it cannot use the image.
    """
    who.studio.prompts.take(f"user {who.user_id}")
    click = _click()
    if click is None:
        raise Refused(503, MISSING)
    images.need_size(who.studio, image_id)
    with who.studio.database.reading() as db:
        image = images.visible_row(db, who, image_id)
        folder = projects.row_of(db, who.project_id).folder
    file = open_folder(folder, who.studio.settings.folder / "cache" / "files").local(image.path)
    with refusing():
        name = engine or engines().default
        if name is None:
            raise Refused(503, MISSING)
        state = who.studio.engines.state(click, name, image_id, lambda: read_image(file))
    return Sight(name, state, (image.height, image.width))


@contextmanager
def refusing() -> Iterator[None]:
    """What an engine cannot do, as a refusal: 503 where something is not installed, else 422."""
    try:
        yield
    except MissingExtraError as error:
        raise Refused(503, str(error)) from None
    except InlayError as error:
        raise Refused(422, str(error)) from None


def prompt(who: Access, image_id: int, body: wire.Prompt) -> wire.Candidates:
    """The masks that an engine offers for a prompt."""
    sight = see(who, image_id, body.engine)
    if body.text:
        return wire.Candidates(candidates=candidates(_named(sight, body.text)), engine=sight.engine)
    with refusing():
        before = None
        if body.mask is not None:
            before = whole([(body.mask.box, body.mask.runs.encode())], sight.size)
        found = sight.state.mask(
            points=list(body.points), box=body.box, scribble=list(body.scribble), mask=before
        )
    return wire.Candidates(candidates=candidates(found), engine=sight.engine)


def _named(sight: Sight, text: str) -> Any:
    if not hasattr(sight.state, "find"):
        raise Refused(422, f"{sight.engine} reads no text: click, or choose an engine that does")
    with refusing():
        return sight.state.find(text)


def candidates(found: Any) -> list[wire.Candidate]:
    """What an engine found as it is sent, the best first."""
    several = sorted(found, key=lambda each: -float(each.score))
    return [
        wire.Candidate(mask=wire.Mask(box=boxed[0], runs=boxed[1].decode()), score=float(each.score))
        for each in several
        for boxed in _boxed(each)
        if boxed is not None
    ]


def _boxed(candidate: Any) -> list[Boxed | None]:
    """The mask in its own box, found in the candidate's window alone: the image may be large."""
    left, top = candidate.window[:2]
    found: list[Boxed | None] = []
    for each in tight(Masks.encode(np.asarray(candidate.inside)[None])):
        if each is not None:
            (x0, y0, x1, y1), runs = each
            found.append(((x0 + left, y0 + top, x1 + left, y1 + top), runs))
    return found
