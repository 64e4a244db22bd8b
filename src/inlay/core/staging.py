"""Staging: output that appears when it is complete, or not at all."""

from __future__ import annotations

import errno
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from inlay.core.errors import InlayError


@contextmanager
def staged(path: Path, *, over_folder: bool = False) -> Iterator[Path]:
    """A place of the same name in a hidden folder beside `path`; it moves to `path` when the block ends well.

    A file takes the place of a folder only with `over_folder`.

    Raises
    ------
    InlayError
        When the disk is full or the place cannot be written; nothing is left behind then.
    """
    made = _missing_parents(path)
    hidden = path.parent / f".{path.name[:64]}.{secrets.token_hex(4)}.part"
    try:
        hidden.mkdir(parents=True)
        yield hidden / path.name
        if path.is_dir() and not over_folder and (hidden / path.name).is_file():
            raise InlayError(f"{path}: is a folder; name a file")
        _take_place(hidden, path)
    except BaseException as error:
        _remove(hidden)
        for parent in made:
            with suppress(OSError):  # somebody else has put something there
                parent.rmdir()
        if isinstance(error, OSError):
            raise InlayError(_reason(path, error)) from None
        raise
    _remove(hidden)


def _missing_parents(path: Path) -> list[Path]:
    return [parent for parent in path.parents if not parent.exists()]


def _take_place(hidden: Path, path: Path) -> None:
    new = hidden / path.name
    if not path.exists() or (path.is_file() and new.is_file()):
        new.replace(path)
        return
    old = hidden / f"{path.name}.replaced"
    path.rename(old)
    try:
        new.rename(path)
    except OSError:
        old.rename(path)
        raise


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _reason(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{path}: the disk is full; nothing was written: free some space and run it again"
    place = f" ({error.filename})" if error.filename and Path(str(error.filename)) != path else ""
    return f"{path}: {error.strerror or error}{place}; nothing was written"
