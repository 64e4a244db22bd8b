"""Libraries that read what is not worth a reader of ours: found or named, and their errors told as ours."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from inlay.core.errors import FormatError, MissingExtraError, reason


def imported(name: str, purpose: str) -> Any:
    """A library of the extra "volumes".

    Raises
    ------
    MissingExtraError
        Where it is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise MissingExtraError(f"{name}, to read and write {purpose},", "volumes") from None


@contextmanager
def library_errors(path: Path, where: str, what: str) -> Iterator[None]:
    """Whatever a library stumbles over is a `FormatError` with its place: the file is no `what`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (FormatError, MissingExtraError):
        raise
    except Exception as error:  # each library has kinds of its own
        raise FormatError(path, where, f"no {what} that can be read ({reason(error)})") from None
