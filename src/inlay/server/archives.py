"""Archives: a ZIP file that somebody sent is unpacked only when every member stays inside the folder."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from inlay.core.errors import FormatError

RATIO = 500  # unpacked to packed bytes of one member; run-length PNGs and JSON stay far below
CHUNK = 1 << 20


def unpack(archive: Path, folder: Path, *, most_bytes: int, most_entries: int) -> None:
    """Unpack an archive.

    Raises
    ------
    FormatError
        When it is broken, a member would land outside, is a link or device, or there is too much of it.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            if len(members) > most_entries:
                raise FormatError(archive.name, "", f"{len(members)} entries; the limit is {most_entries}")
            left = most_bytes
            for member in members:
                _see_member(archive.name, member)
                left -= _unpack_member(opened, member, folder, left, archive.name)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise FormatError(archive.name, "", f"the archive cannot be unpacked ({error})") from None


def _see_member(archive: str, member: zipfile.ZipInfo) -> None:
    name = member.filename
    path = PurePosixPath(name)
    kind = stat.S_IFMT(member.external_attr >> 16)
    if "\\" in name or "\x00" in name or path.is_absolute() or ".." in path.parts or ":" in name:
        raise FormatError(archive, f"entry {name[:80]!r}", "its path leaves the archive's folder")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise FormatError(archive, f"entry {name[:80]!r}", "it is a link or a device; only files are taken")
    if member.file_size > RATIO * max(member.compress_size, 1) + CHUNK:
        raise FormatError(archive, f"entry {name[:80]!r}", f"it unpacks to more than {RATIO} times its size")


def _unpack_member(
    opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, left: int, archive: str
) -> int:
    """Write one member; its bytes, which are counted as they come: the header may lie."""
    target = folder.joinpath(*PurePosixPath(member.filename).parts)
    if member.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return 0
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with opened.open(member) as source, target.open("xb") as file:
        while chunk := source.read(CHUNK):
            written += len(chunk)
            if written > left:
                raise FormatError(archive, "", "it unpacks to more than the studio takes")
            file.write(chunk)
    return written
