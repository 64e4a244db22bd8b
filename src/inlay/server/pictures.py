"""Pictures: images as browsers get them, upright and no larger than asked for."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import FileResponse

from inlay.server.access import Access
from inlay.server.etags import matches
from inlay.server.folders import open_folder
from inlay.server.store import images, projects

SIDES = (128, 256, 512, 1024, 2048, 4096)
KINDS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


def send_pixels(who: Access, image_id: int, side: int | None, request: Request) -> Response:
    """The picture as a file of a type that we decided, which no browser shows as a page."""
    with who.studio.database.reading() as db:
        image = images.visible_row(db, who, image_id)
        folder = projects.row_of(db, who.project_id).folder
    cache = who.studio.settings.folder / "cache"
    source = open_folder(folder, cache / "files").local(image.path)
    wanted = None if side is None else next((each for each in SIDES if each >= side), None)
    facts = source.stat()
    version = f"{facts.st_mtime_ns:x}-{facts.st_size:x}-{wanted or 'full'}"
    headers = {"ETag": f'"{version}"', "Cache-Control": "private, max-age=0, must-revalidate"}
    if matches(request.headers.get("if-none-match"), version):
        return Response(status_code=304, headers=headers)
    original = image.original or image_id
    file, kind = _picture(
        who, source, cache / "pictures" / str(original % 1000), f"{original}-{version}", wanted
    )
    headers["Content-Disposition"] = f'attachment; filename="image{KINDS[kind]}"'
    return FileResponse(file, media_type=kind, headers=headers)


def _picture(who: Access, source: Path, folder: Path, name: str, side: int | None) -> tuple[Path, str]:
    """The picture from the cache; drawn where it is not there."""
    file, facts = folder / name, folder / f"{name}.json"
    if not facts.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".") as hidden:
            drawn = Path(hidden) / "picture"
            answer = who.studio.decoders.picture(source, drawn, side)
            drawn.replace(file)
            words = Path(hidden) / "facts"
            words.write_text(json.dumps(answer), "utf-8")
            words.replace(facts)
    return file, json.loads(facts.read_text("utf-8"))["type"]
