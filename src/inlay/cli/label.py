"""`inlay label`: the studio over a folder of images."""

from __future__ import annotations

import sys
import webbrowser
from dataclasses import replace
from pathlib import Path
from typing import Literal

from inlay.core.errors import InlayError, MissingExtraError


def label(
    images: str,
    /,
    *,
    project: Path | None = None,
    name: str | None = None,
    port: int = 8008,
    host: str = "127.0.0.1",
    import_: Path | None = None,
    predictions: Path | None = None,
    rules: Path | None = None,
    pack: str | None = None,
    browser: bool = True,
) -> int:
    """Label images in the browser: draw, click, review; every gesture is saved as it is made.

    Example: `inlay label photos --import labels.json --predictions runs/first/predictions.json`

    The link that is printed logs its first visitor in as the owner. `INLAY_DATABASE` names a PostgreSQL
    database for a team (`pip install 'inlay[studio-team]'`); `INLAY_HOSTS` the names of a proxy before it.

    Parameters
    ----------
    images
        Folder of images, or a URL of a store that fsspec knows (s3://bucket/images).
    project
        Folder for the studio's own files; default: `.inlay` in the folder of the images.
    name
        Name of a new project; default: that of the folder.
    port
        Where to listen; the next free one when it is taken.
    host
        0.0.0.0 to let other machines in.
    import_
        Labels to start from, in any format; read once.
    predictions
        A model's predictions, which become proposals to accept, edit or reject; read once.
    rules
        A TOML file of rules, judged while one draws.
    pack
        Rule packs to judge, with commas between.
    browser
        Open the link.
    """
    try:
        from inlay.server import running, settings
        from inlay.server.studio import open_studio
    except ModuleNotFoundError as error:
        raise MissingExtraError(str(error.name), "studio") from None
    from inlay.cli.console import progress_bar, words

    place = _place(images, project)
    configured = settings.from_environment(place)
    wanted = replace(configured, roots=(images,), host=host, port=port)
    wanted, listener = running.free_port(wanted)
    studio = open_studio(wanted)
    try:
        project_id, owner = running.prepare(studio, images, name)
        running.set_rules(studio, project_id, owner, rules=rules, packs=words(pack) if pack else None)
        given: list[tuple[Literal["labels", "predictions"], Path | None]] = [
            ("labels", import_),
            ("predictions", predictions),
        ]
        for kind, path in given:
            if path is not None:
                with progress_bar(f"reading {kind}") as progress:
                    print(running.read_once(studio, project_id, owner, path, kind, progress))
        address = running.link(studio, owner)
    except BaseException:
        studio.close()
        listener.close()
        raise
    told = [
        f"studio: {address}",
        f"        (works once; Ctrl-C stops the studio, everything is saved in {place})",
    ]
    if running.is_open(wanted):
        print("        other machines can reach it: put a proxy with https before it", file=sys.stderr)
    running.serve(studio, listener, lambda: _tell(told, address if browser else None))
    return 0


def _tell(lines: list[str], address: str | None) -> None:
    """Say where the studio is, now that it answers, and open it where somebody sits at a terminal."""
    print(*lines, sep="\n", flush=True)
    if address is not None and sys.stdout.isatty():
        webbrowser.open(address)


def _place(images: str, project: Path | None) -> Path:
    """The studio's own folder."""
    remote = "://" in images
    if not remote and not Path(images).is_dir():
        raise InlayError(f"{images}: there is no such folder of images")
    if project is not None:
        return project
    return Path(".inlay") if remote else Path(images) / ".inlay"
