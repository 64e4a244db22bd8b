"""CSV files that the commands read, and numbers in words."""

from __future__ import annotations

from pathlib import Path


def columns(path: Path, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """These columns of a CSV file, row by row."""
    import csv
    import io

    from inlay.core.errors import FormatError

    reader = csv.DictReader(io.StringIO(text_of(path)))
    missing = [name for name in names if name not in (reader.fieldnames or ())]
    if missing:
        what = f"there is no column {missing[0]!r}; wanted are {', '.join(names)}"
        raise FormatError(path, "header", what)
    return [tuple(row[name] or "" for name in names) for row in reader]


def text_of(path: Path) -> str:
    """The text of a file that somebody wrote."""
    from inlay.core.errors import FormatError

    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(path, f"byte {error.start}", "is not UTF-8 text; save it as a CSV file") from None


def as_number(text: str, where: str) -> float:
    """A number that somebody wrote `where`."""
    from inlay.core.errors import InlayError

    try:
        return float(text)
    except ValueError:
        raise InlayError(f"{where}: {text!r} is not a number") from None
