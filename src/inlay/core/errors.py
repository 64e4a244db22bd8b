"""What can go wrong, said so that a user knows the place and the way out."""

from __future__ import annotations

from pathlib import Path

LONGEST = 500  # characters of a place or a value in a message


class InlayError(Exception):
    """An error whose one line is meant for the user: the command line prints it and exits with 2."""


class FormatError(InlayError):
    """A file is not what its format says.

    Parameters
    ----------
    path
        The file.
    where
        The place in it: a line, a JSON path, a pixel; empty for the whole file.
    what
        The value found, the limit, and the way out.
    """

    def __init__(self, path: Path | str, where: str, what: str) -> None:
        where, what = _line(where), _line(what)
        super().__init__(f"{path}: {where}: {what}" if where else f"{path}: {what}")
        self.path, self.where, self.what = Path(path), where, what


def _line(text: str) -> str:
    """A text on one line, without the middle of what is too long to be read: values of files are quoted."""
    plain = " ".join(text.splitlines())
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST // 2]} ... {plain[-LONGEST // 2 :]}"


class LossError(InlayError):
    """A target format cannot hold what the dataset uses; `what` says which, without file and way out."""

    def __init__(self, words: str, what: str = "") -> None:
        super().__init__(words)
        self.what = what or words


class MissingExtraError(InlayError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed: pip install 'inlay[{extra}]'")


def reason(error: Exception) -> str:
    """What an error of a library says, in one line; its name where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__
