"""Folders of images: on this machine, or in any store that fsspec knows. Nothing outside them is read."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from inlay.core.errors import InlayError, MissingExtraError, reason
from inlay.core.images import SUFFIXES
from inlay.core.staging import staged
from inlay.server.refusals import Refused


class Folder(Protocol):
    """Where the images of a project lie."""

    def see(self) -> None:
        """Raise InlayError when it is not there."""

    def listed(self) -> Iterator[list[str]]:
        """Paths of images below the folder, some at a time; hidden ones left out."""

    def local(self, path: str) -> Path:
        """A file of this machine with the image's bytes."""


class LocalFolder:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def see(self) -> None:
        """Raise InlayError when it is not there."""
        if not self._root.is_dir():
            raise InlayError(f"{self._root}: there is no such folder of images")

    def listed(self) -> Iterator[list[str]]:
        """Paths of images, a folder at a time, in their order."""
        waiting = [""]
        while waiting:
            below = waiting.pop()
            files, folders = self._entries(below)
            waiting += sorted(folders, key=natural, reverse=True)
            if files:
                yield sorted(files, key=natural)

    def _entries(self, below: str) -> tuple[list[str], list[str]]:
        files, folders = [], []
        try:
            with os.scandir(self._root / below) as entries:
                for entry in entries:
                    path = f"{below}/{entry.name}" if below else entry.name
                    if entry.name.startswith(".") or not _is_text(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(path)
                    elif entry.name.lower().endswith(SUFFIXES) and self._is_ours(entry):
                        files.append(path)
        except OSError as error:
            if not below:
                raise InlayError(f"{self._root}: {error.strerror}") from None
        return files, folders

    def _is_ours(self, entry: os.DirEntry[str]) -> bool:
        return not entry.is_symlink() or Path(entry.path).resolve().is_relative_to(self._root)

    def local(self, path: str) -> Path:
        """The image's own file.

        Raises
        ------
        Refused
            With 404 when it has gone, or lies outside the folder.
        """
        file = (self._root / path).resolve()
        if not file.is_relative_to(self._root) or not file.is_file():
            raise Refused(404, f"the image file {path} is no longer in its folder")
        return file


class RemoteFolder:
    """A folder of a store that fsspec knows: s3://bucket/images, gs://..., memory://..."""

    def __init__(self, url: str, cache: Path) -> None:
        try:
            from fsspec.core import url_to_fs
        except ModuleNotFoundError:
            raise MissingExtraError("fsspec", "studio-store") from None
        try:
            self._url = url
            self._store, self._root = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise InlayError(f"{url}: {error}") from None
        self._cache = cache / blake2b(url.encode(), digest_size=8).hexdigest()

    def see(self) -> None:
        """Ask the store once whether the folder is there.

        Raises
        ------
        InlayError
            When it is not, or may not be read.
        """
        self._store.invalidate_cache()  # stores remember what they listed
        try:
            found = self._store.isdir(self._root)
        except Exception as error:  # each store has errors of its own
            raise InlayError(f"{self._url}: {reason(error)}") from None
        if not found:
            raise InlayError(f"{self._url}: there is no such folder in the store, or nothing is in it")

    def listed(self) -> Iterator[list[str]]:
        """Paths of images, a folder at a time."""
        root = self._root.rstrip("/")
        self._store.invalidate_cache()
        try:
            for below, folders, entries in self._store.walk(root, detail=True, on_error="raise"):
                for hidden in [name for name in folders if name.startswith(".")]:
                    del folders[hidden]
                inside = below.removeprefix(root).strip("/")
                names = [name for name in entries if _is_image(name) and not name.startswith(".")]
                if names:
                    yield sorted((f"{inside}/{name}" if inside else name for name in names), key=natural)
        except Exception as error:
            raise InlayError(f"{self._url}: {reason(error)}") from None

    def local(self, path: str) -> Path:
        """A copy of the image's bytes, fetched once.

        Raises
        ------
        Refused
            With 404 when it has gone; 502 when the store does not give it.
        """
        name = blake2b(path.encode(), digest_size=16).hexdigest() + Path(path).suffix.lower()
        copy = self._cache / name[:2] / name
        if not copy.is_file():
            with staged(copy) as hidden:
                self._fetch(path, hidden)
        return copy

    def _fetch(self, path: str, to: Path) -> None:
        try:
            self._store.get_file(f"{self._root.rstrip('/')}/{path}", str(to))
        except FileNotFoundError:
            raise Refused(404, f"the image file {path} is no longer in its store") from None
        except Exception as error:
            words = f"the image file {path} cannot be fetched from its store ({type(error).__name__})"
            raise Refused(502, words) from error


def open_folder(place: str, cache: Path) -> Folder:
    """The folder of a path or URL."""
    return RemoteFolder(place, cache) if is_remote(place) else LocalFolder(Path(place))


def is_remote(place: str) -> bool:
    """Whether a place is a URL of a store, not a path."""
    return "://" in place


def is_below(place: str, roots: tuple[str, ...]) -> bool:
    """Whether a folder is one of the roots or lies in one."""
    if is_remote(place):
        whole = place.rstrip("/") + "/"
        return ".." not in place and any(
            is_remote(root) and whole.startswith(root.rstrip("/") + "/") for root in roots
        )
    path = Path(place).resolve()
    return any(path.is_relative_to(Path(root).resolve()) for root in roots if not is_remote(root))


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def _is_text(name: str) -> bool:
    return name.isascii() or (
        name.isprintable() and not any("\ud800" <= letter <= "\udfff" for letter in name)
    )


_DIGITS = re.compile(r"\d+")


def natural(name: str) -> str:
    """A key by which frame 9 comes before frame 10."""
    return _DIGITS.sub(lambda digits: digits[0].zfill(12), name.lower())


def new_names(paths: list[str], taken: set[str]) -> list[str]:
    """Sample names of images of one folder: without suffix where that is unique."""
    stems = [path.rsplit(".", 1)[0] for path in paths]
    if len({*stems}) == len(stems) and not taken:  # the usual case, also where there are very many
        return stems
    twice = {stem for stem, times in Counter(stems).items() if times > 1}
    return [path if stem in twice or stem in taken else stem for stem, path in zip(stems, paths)]
