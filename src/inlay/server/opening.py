"""Opening: projects are made of folders, whose images are listed while one works already."""

from __future__ import annotations

from inlay.core.errors import InlayError
from inlay.server import forms
from inlay.server.access import Access
from inlay.server.folders import is_below, new_names, open_folder
from inlay.server.refusals import Refused, told
from inlay.server.store import people, projects
from inlay.server.studio import Studio

AT_ONCE = 10_000  # images added in one transaction
FIRST = 500  # so that the first page is there while the others come


def new_project(who: Access, body: forms.NewProject) -> forms.Project:
    """Make a project, and list its images beside the answer."""
    folder, studio = body.folder, who.studio
    if not is_below(folder, studio.settings.roots):
        roots = ", ".join(studio.settings.roots) or "none was named"
        raise Refused(403, f"projects are made of the studio's image folders alone ({roots})")
    project_id = make_project(studio, body.name, folder, who.user_id)
    with studio.database.reading() as db:
        return projects.read(db, project_id, who.user_id, studio.scans)


def make_project(studio: Studio, name: str, folder: str, owner: int) -> int:
    """A new project of a folder; its images come by and by."""
    open_folder(folder, studio.settings.folder / "cache" / "files").see()
    with studio.database.writing() as db:
        project_id = projects.create(db, name, folder)
        people.join(db, project_id, owner, "owner")
    start_scan(studio, project_id)
    return project_id


def start_scan(studio: Studio, project_id: int) -> None:
    """List the images of a project's folder, unless that is going on."""
    if project_id not in studio.scans:
        studio.scans.add(project_id)
        studio.workers.start(lambda: _scan(studio, project_id))


def _scan(studio: Studio, project_id: int) -> None:
    try:
        with studio.database.turn(project_id):
            scan(studio, project_id)
    finally:
        studio.scans.discard(project_id)
        studio.events.tell(project_id, forms.Event(kind="images"))


def scan(studio: Studio, project_id: int) -> int:
    """Add the images of a project's folder that are new; how many there were."""
    with studio.database.reading() as db:
        place = projects.row_of(db, project_id).folder
        known = projects.image_names(db, project_id)
    folder = open_folder(place, studio.settings.folder / "cache" / "files")
    taken, added = set(known.values()), 0
    waiting: list[tuple[str, str]] = []
    for paths in folder.listed():
        new = [path for path in paths if path not in known] if known else paths
        waiting += zip(new_names(new, taken), new)
        while len(waiting) >= (at_once := AT_ONCE if added else FIRST):
            _add(studio, project_id, waiting[:at_once])
            added += at_once
            del waiting[:at_once]
        if studio.workers.stopping.is_set():
            break
    _add(studio, project_id, waiting)
    return added + len(waiting)


def _add(studio: Studio, project_id: int, named: list[tuple[str, str]]) -> None:
    with studio.database.writing() as db:
        projects.add_images(db, project_id, named)


def rescan(who: Access) -> forms.Project:
    """Look for new images."""
    start_scan(who.studio, who.project_id)
    with who.studio.database.reading() as db:
        return projects.read(db, who.project_id, who.user_id, who.studio.scans)


def change_project(who: Access, body: forms.ProjectChange) -> forms.Project:
    """Change settings; rules that do not read are refused."""
    changes = {name: value for name, value in body.model_dump().items() if value is not None}
    with who.studio.database.writing() as db:
        if "packs" in changes or "rules" in changes:
            settings = {**projects.settings_of(projects.row_of(db, who.project_id)), **changes}
            try:
                who.studio.judges.rules(settings["packs"], settings["rules"])
            except InlayError as error:
                raise Refused(422, told(error)) from None
            projects.forget_findings(db, who.project_id)
        projects.change(db, who.project_id, changes)
        return projects.read(db, who.project_id, who.user_id, who.studio.scans)
