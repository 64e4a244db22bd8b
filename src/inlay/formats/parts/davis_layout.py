"""Where the maps of videos lie: `Annotations/480p/VIDEO/*.png` beside `JPEGImages`."""

from __future__ import annotations

from pathlib import Path

SIZES = ("480p", "Full-Resolution", "1080p", "")


def video_maps(path: Path) -> Path | None:
    """The folder whose folders are videos of maps; `None` where there is none."""
    if not (path / "JPEGImages").is_dir():
        return None
    for base in ("Annotations", "Annotations_unsupervised"):
        for size in SIZES:
            folder = path / base / size
            if next(folder.glob("*/*.png"), None) and not next(folder.glob("*.xml"), None):
                videos = {each.name for each in folder.iterdir() if each.is_dir()}
                if not videos & set(SIZES):
                    return folder
    return None
