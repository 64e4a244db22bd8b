"""Embeddings of images on disk: what a large encoder saw in an image is computed once, by its content.

They are kept in 16 bits, and so used also when they are fresh: a click gives the same mask before and after.
"""

from __future__ import annotations

import hashlib
import logging
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.errors import InlayError
from inlay.core.staging import staged

log = logging.getLogger("inlay.click")

Arrays = Mapping[str, NDArray[np.float32]]
ROOM = 2 << 30  # bytes of all files; the longest unused go first
LARGEST = 6.0e4  # values beyond do not fit into 16 bits


class Embeddings:
    """A folder of embeddings, one file for an image and a network.

    Parameters
    ----------
    folder
        It is made when the first one is kept, and may be deleted at any time.
    room
        Most bytes of all files together.
    """

    def __init__(self, folder: Path, room: int = ROOM) -> None:
        self._folder, self._room = folder, room

    def get(self, image: NDArray[np.uint8], network: str, make: Callable[[], Arrays]) -> Arrays:
        """The embedding of an image (H, W, 3): the one kept, or the one that `make` computes."""
        path = self._folder / f"{_name(image, network)}.npz"
        kept = _read(path)
        if kept is None:
            kept = {name: _halved(values) for name, values in make().items()}
            self._keep(path, kept)
        return {name: values.astype(np.float32) for name, values in kept.items()}

    def _keep(self, path: Path, arrays: Mapping[str, NDArray[np.floating]]) -> None:
        try:
            with staged(path) as part, part.open("wb") as file:
                np.savez(file, allow_pickle=False, **dict(arrays))
            self._make_room(path)
        except (InlayError, OSError) as error:  # a cache that cannot be written is as if it were not there
            log.warning("the embedding is not kept: %s", error)

    def _make_room(self, newest: Path) -> None:
        files = [(each.stat(), each) for each in self._folder.glob("*.npz")]
        used = sum(stat.st_size for stat, _ in files)
        for stat, path in sorted(files, key=lambda each: each[0].st_mtime_ns):
            if used <= self._room:
                break
            if path != newest:
                path.unlink(missing_ok=True)
                used -= stat.st_size


def _name(image: NDArray[np.uint8], network: str) -> str:
    found = hashlib.blake2b(f"{image.shape} {network}".encode(), digest_size=20)
    found.update(np.ascontiguousarray(image).data)
    return found.hexdigest()


def _halved(values: NDArray[np.float32]) -> NDArray[np.floating]:
    return values.astype(np.float32 if np.abs(values).max(initial=0) > LARGEST else np.float16)


def _read(path: Path) -> Mapping[str, NDArray[np.floating]] | None:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
        with suppress(OSError):
            path.touch()
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        log.warning("%s is broken, and computed anew (%s)", path, type(error).__name__)
        return None
    if not found or not all(values.dtype in (np.float16, np.float32) for values in found.values()):
        log.warning("%s is no embedding, and computed anew", path)
        return None
    return found
