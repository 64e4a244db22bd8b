"""Staging: output that appears when it is complete, or not at all."""

from __future__ import annotations

import errno
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Sample
from inlay.core.errors import InlayError


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """A place of the same name in a hidden folder beside `path`; it moves to `path` when the block ends well.

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


def place(folder: Path, name: str, suffix: str) -> Path:
    """`folder/name + suffix` with its parents made, for a sample name that may hold folders.

    Raises
    ------
    InlayError
        When the name would leave the folder.
    """
    parts = PurePosixPath(name).parts
    if (
        not parts
        or name.startswith("/")
        or ".." in parts
        or "\\" in name
        or "\0" in name
        or re.match("[A-Za-z]:", name)
    ):
        raise InlayError(f"sample name {name!r} is no path below a folder: rename the sample")
    path = folder.joinpath(*parts)
    path = path.with_name(path.name + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def store_image(sample: Sample, folder: Path, name: str | None = None) -> Path | None:
    """Write the image of a sample into `folder`, and return its path: files byte for byte, arrays as PNG.

    `None` when the sample has no image.
    """
    if sample.image is None:
        return None
    if isinstance(sample.image, Path):
        path = place(folder, name or sample.name, sample.image.suffix)
        shutil.copyfile(sample.image, path)
        return path
    path = place(folder, name or sample.name, ".png")
    save_png(sample.image, path)
    return path


def save_png(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write (H, W) or (H, W, 3) uint8 as PNG."""
    from PIL import Image

    Image.fromarray(np.ascontiguousarray(pixels)).save(path, compress_level=4)
