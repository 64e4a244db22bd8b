"""Where a finding stands in the files that were checked: its label's file, its annotation's line."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from inlay.rules.finding import Finding

LARGEST = 512 << 20  # bytes of a file that is searched for lines
SECTION = re.compile(rb'"(\w+)"\s*:\s*\[\s*\{')
ID = re.compile(rb'"id"\s*:\s*(\d+)')
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif"}


class Places:
    """Finds files and lines; knows nothing without a source."""

    def __init__(self, source: Path | None) -> None:
        self._source = source

    def of(self, finding: Finding) -> tuple[str, int]:
        """(path below the working folder, line from 1); an empty path when there is no source."""
        if self._source is None:
            return "", 1
        if self._source.is_file():
            return _uri(self._source), next(
                (self._lines[each] for each in finding.segments if each in self._lines), 1
            )
        return _uri(self._files.get((finding.image or "").rsplit("/", 1)[-1], self._source)), 1

    @cached_property
    def _files(self) -> dict[str, Path]:
        """Files of a folder by their stems; where an image and a label share one, the label."""
        found: dict[str, Path] = {}
        for path in sorted(self._source.rglob("*")) if self._source else ():
            if path.is_file() and (path.stem not in found or found[path.stem].suffix.lower() in PICTURES):
                found[path.stem] = path
        return found

    @cached_property
    def _lines(self) -> dict[int, int]:
        """Line of each annotation of a COCO file by its id; empty for other files, and large ones."""
        if self._source is None or self._source.stat().st_size > LARGEST:
            return {}
        content = self._source.read_bytes()
        sections = [(match.start(), match[1]) for match in SECTION.finditer(content)]
        ends = [match.start() for match in re.finditer(rb"\n", content)]
        lines: dict[int, int] = {}
        for place, (start, name) in enumerate(sections):
            if name != b"annotations":
                continue
            stop = next((at for at, other in sections[place + 1 :] if other in TOP), len(content))
            for match in ID.finditer(content, start, stop):
                lines.setdefault(int(match[1]), bisect_right(ends, match.start()) + 1)
        return lines


TOP = (b"images", b"categories", b"licenses", b"videos")  # what else stands beside annotations


def _uri(path: Path) -> str:
    """The path below the working folder, as SARIF wants it."""
    resolved = path.resolve()
    try:
        resolved = resolved.relative_to(Path.cwd())
    except ValueError:
        return resolved.as_uri()
    return quote(resolved.as_posix())
