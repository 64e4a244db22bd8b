"""Running: a studio over a folder of images, from its first link to its last connection."""

from __future__ import annotations

import gc
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn

from inlay.core.errors import InlayError
from inlay.server import forms
from inlay.server.access import Access
from inlay.server.app import create_app
from inlay.server.folders import is_remote
from inlay.server.jobs import Work
from inlay.server.opening import change_project, make_project, start_scan
from inlay.server.settings import LOOPBACK, Settings
from inlay.server.store import access, jobs, people, projects
from inlay.server.studio import Studio
from inlay.server.transfer import Kind, import_labels

OWNER = "me"
PLAIN_NAMES = ("images", "img", "imgs", "jpegimages")  # no name of a project
Progress = Callable[[int, int, str], None]


def prepare(studio: Studio, images: str, name: str | None = None) -> tuple[int, int]:
    """The project of a folder and its owner, made at the first start; the folder is listed at each."""
    place = images if is_remote(images) else str(Path(images).resolve())
    with studio.database.writing() as db:
        jobs.fail_cut_off(db)
        owner = people.find_user(db, OWNER) or people.new_user(db, OWNER, admin=True)
        project_id = projects.of_folder(db, place)
    if project_id is None:
        title = name or title_of(place)
        return make_project(studio, title[:120], place, owner), owner
    start_scan(studio, project_id)
    return project_id, owner


def set_rules(
    studio: Studio, project_id: int, owner: int, *, rules: Path | None, packs: list[str] | None
) -> None:
    """Give a project other rules, where some were named."""
    change: dict[str, Any] = {}
    if rules is not None:
        if not rules.is_file():
            raise InlayError(f"{rules}: there is no such file of rules")
        change["rules"] = rules.read_text("utf-8")
    if packs is not None:
        change["packs"] = packs
    if change:
        change_project(_access(studio, project_id, owner), forms.ProjectChange(**change))


def title_of(place: str) -> str:
    """The name of a folder or bucket; of a folder called "images", that of the one that holds it."""
    parts = [part for part in place.rstrip("/").split("/") if part and not part.endswith(":")]
    if len(parts) > 1 and parts[-1].lower() in PLAIN_NAMES:
        return parts[-2]
    return parts[-1] if parts else place


def read_once(studio: Studio, project_id: int, owner: int, path: Path, kind: Kind, progress: Progress) -> str:
    """Read labels or predictions in, unless this very file was read before; what came of it, in words."""
    who = _access(studio, project_id, owner)
    facts = path.stat() if path.exists() else None
    mark = f"{path.resolve()}:{facts.st_mtime_ns if facts else 0}:{kind}"
    with studio.database.reading() as db:
        if any(job.result.get("mark") == mark for job in jobs.of_project(db, project_id)):
            return f"{path}: read before; nothing new"
    studio.workers.wait()  # the images must be listed, or the labels find none
    with studio.database.writing() as db:
        job_id = jobs.add(db, who, "import")
    work = Work(replace(who, unattended=True), job_id, progress=progress)
    try:
        result = import_labels(
            work, path, "predictions" if kind == "predictions" else "labels", model=path.stem
        )
    except BaseException as error:
        work.keep(state="failed", error=" ".join(str(error).split()))
        raise
    total = result.pop("total")
    words = result.pop("words")
    work.keep(state="done", done=total, total=total, words=words, result={**result, "mark": mark})
    lost = f"; {result['failed']} images failed: {result['failed_examples'][0]}" if result["failed"] else ""
    return f"{path}: {words}{lost}"


def _access(studio: Studio, project_id: int, owner: int) -> Access:
    session = access.Session(owner, OWNER, admin=True, has_password=False, csrf="", digest="")
    return Access(studio, session, project_id, "owner")


def link(studio: Studio, owner: int) -> str:
    """An address that logs its first visitor in."""
    with studio.database.writing() as db:
        token = access.new_link(db, owner)
    host = studio.settings.host
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    shown = f"[{shown}]" if ":" in shown else shown
    return f"http://{shown}:{studio.settings.port}/enter#{token}"


def free_port(settings: Settings) -> tuple[Settings, socket.socket]:
    """A socket that listens on the wanted port, or the next free one of ten; and the settings that say so.

    Raises
    ------
    InlayError
        When none of them is free, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    for port in range(settings.port, settings.port + 10):
        # asyncio answers without delay only where the protocol is named
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, port))
            listener.listen(128)  # who follows the link at once waits, and is not turned away
        except OSError as error:
            listener.close()
            if port == settings.port + 9 or settings.port == 0:
                raise InlayError(
                    f"{settings.host}:{port}: {error.strerror or error}; say another --port"
                ) from None
            continue
        return replace(settings, port=listener.getsockname()[1]), listener
    raise InlayError(f"no port is free from {settings.port} on: say another --port")


def server_of(studio: Studio) -> uvicorn.Server:
    """The HTTP server of an open studio."""
    config = uvicorn.Config(
        create_app(studio),
        http="h11",  # httptools knows no limit of headers
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=64 << 10,
    )
    return uvicorn.Server(config)


def serve(studio: Studio, listener: socket.socket, listening: Callable[[], None]) -> None:
    """Answer until somebody stops it (Ctrl-C, SIGTERM); then let go of everything.

    `listening` is called once, when the first request can be answered.
    """
    _ready_for_many()
    try:
        server = server_of(studio)
        threading.Thread(target=_when_started, args=(server, listening), daemon=True).start()
        server.run([listener])
    finally:
        studio.close()


def _ready_for_many() -> None:
    """Set this process up for many short requests: no thread waits long for another, no search is long.

    Documents in memory are a million objects and no cycles among them: looking through all of them for
    garbage stops every request for up to a second.
    """
    sys.setswitchinterval(0.001)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 1000)


def _when_started(server: uvicorn.Server, listening: Callable[[], None]) -> None:
    while not server.started:
        if server.should_exit:
            return
        time.sleep(0.02)
    listening()


def is_open(settings: Settings) -> bool:
    """Whether other machines can reach the studio."""
    return settings.host not in LOOPBACK
