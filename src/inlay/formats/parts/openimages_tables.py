"""The tables of Open Images: which file is what, their rows by image, and the names of classes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from inlay.core.classes import Classes, SegmentClass
from inlay.core.errors import FormatError, InlayError
from inlay.formats.parts.native_tables import broken_file
from inlay.formats.parts.split_names import plain_split
from inlay.formats.parts.typed_json import decode, read_bytes

if TYPE_CHECKING:
    import polars as pl

MASKS = ("MaskPath", "ImageID", "LabelName", "BoxID", "BoxXMin", "BoxXMax", "BoxYMin", "BoxYMax")
MASKS_MORE = ("PredictedIoU", "Clicks")
BOXES = ("ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax")
FLAGS = {
    "IsOccluded": "occluded",
    "IsTruncated": "truncated",
    "IsDepiction": "depiction",
    "IsInside": "inside",
}
BOXES_MORE = ("Source", "Confidence", "IsGroupOf", *FLAGS, "BoxID", "Instance", "Tags")
_BEFORE = r"^(?:oidv\d+-)?(?P<split>.*?)-?"
_NAMES = {
    "masks": _BEFORE + r"annotations-object-segmentation\.csv$",
    "boxes": _BEFORE + r"annotations-bbox\.csv$",
    "tags": _BEFORE + r"annotations-human-imagelabels(?:-boxable)?\.csv$",
    "labelled": _BEFORE + r"images-boxable-with-rotation\.csv$"
    r"|^(?P<other>validation|test)-images-with-rotation\.csv$",
    "classes": r"class(es)?-descriptions?.*\.csv$",
    "parents": r"hierarchy.*\.json$",
}


def find_tables(root: Path) -> dict[str, list[tuple[Path, str]]]:
    """The files of each kind in a folder and in `annotations/`, each with its split; never raises."""
    found: dict[str, list[tuple[Path, str]]] = {kind: [] for kind in _NAMES}
    for folder in (root, root / "annotations"):
        for file in sorted(folder.glob("*")) if folder.is_dir() else ():
            for kind, pattern in _NAMES.items():
                match = re.search(pattern, file.name)
                if match and file.is_file():
                    words = match.groupdict()
                    found[kind].append((file, plain_split(words.get("split") or words.get("other") or "")))
    return found


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of several files, those of an image together.

    Parameters
    ----------
    frame
        All columns are texts; "_file" and "_line" say where a row stands.
    files
        The files, by "_file".
    places
        (first row, rows) by image.
    """

    frame: pl.DataFrame
    files: tuple[Path, ...]
    places: Mapping[str, tuple[int, int]]

    def rows(self, image: str) -> list[dict[str, Any]]:
        """The rows of an image, in the order of their file."""
        return self.frame.slice(*self.places[image]).to_dicts() if image in self.places else []

    def fail(self, row: Mapping[str, Any], column: str, what: str) -> FormatError:
        """The error for a cell."""
        return FormatError(self.files[row["_file"]], f"line {row['_line']} column {column}", what)

    def real(self, row: Mapping[str, Any], column: str) -> float:
        """The number in a cell, that is a share of an image or nearly so."""
        try:
            value = float(row[column])
        except (TypeError, ValueError):
            value = float("nan")
        if not abs(value) <= 1e4:
            raise self.fail(row, column, f"{str(row[column])[:80]!r} is no number")
        return value


def gather(files: Sequence[Path], needed: Sequence[str], more: Sequence[str] = ()) -> Table:
    """The rows of tables that have the columns `needed` and perhaps `more`.

    Raises
    ------
    FormatError
        When one is no table, lacks a column, or has a row without an image.
    """
    import polars as pl

    frames = [_read(file, number, needed, more) for number, file in enumerate(files)]
    columns = dict.fromkeys((*needed, *more), pl.String)
    whole = (
        pl.concat(frames)
        if frames
        else pl.DataFrame(schema=columns | {"_file": pl.Int32, "_line": pl.UInt32})
    )
    whole = whole.sort("ImageID", maintain_order=True)
    if whole["ImageID"].null_count():
        row = whole.row(0, named=True)  # nulls come first
        raise FormatError(files[row["_file"]], f"line {row['_line']} column ImageID", "is empty")
    runs = whole.select(pl.col("ImageID").rle()).unnest("ImageID")
    places: dict[str, tuple[int, int]] = {}
    first = 0
    for length, image in runs.iter_rows():
        places[image] = (first, length)
        first += length
    return Table(whole, tuple(files), places)


def _read(path: Path, number: int, needed: Sequence[str], more: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    with broken_file(path, "CSV"):
        table = pl.read_csv(path, infer_schema=False, glob=False)
    lacking = [name for name in needed if name not in table.columns]
    if lacking:
        raise FormatError(path, "line 1", f"no column {lacking[0]!r} among {', '.join(table.columns)[:200]}")
    absent = [pl.lit(None, pl.String).alias(name) for name in more if name not in table.columns]
    line = pl.int_range(2, pl.len() + 2, dtype=pl.UInt32).alias("_line")
    return table.with_columns(*absent).select(*needed, *more, pl.lit(number, pl.Int32).alias("_file"), line)


class _Node(Struct):
    LabelName: str
    Subcategory: list[_Node] = []


def read_classes(
    tables: Mapping[str, list[tuple[Path, str]]], used: Sequence[str]
) -> tuple[Classes, dict[str, str]]:
    """The classes listed, those of boxes before all others, then those that only rows name; names by label.

    Names that several labels have are followed by the label.
    """
    files = sorted((file for file, _ in tables["classes"]), key=lambda file: "boxable" not in file.name)
    listed = _descriptions(files[0]) if files else {}
    labels = listed | {label: label for label in used if label not in listed}
    names: dict[str, str] = {}
    taken: set[str] = set()
    for label, name in labels.items():
        names[label] = f"{name} ({label})" if name in taken else name
        taken.add(names[label])
    parents = {
        names[low]: names[high] for low, high in _parents(tables).items() if low in names and high in names
    }
    try:
        rows = tuple(SegmentClass(name, parent=parents.get(name, "")) for name in names.values())
        return Classes(rows), names
    except InlayError as error:
        raise FormatError(files[0] if files else Path(), "", str(error)) from None


def _descriptions(path: Path) -> dict[str, str]:
    import polars as pl

    with broken_file(path, "CSV"):
        table = pl.read_csv(path, infer_schema=False, has_header=False, glob=False)
    if table.width != 2:
        raise FormatError(path, "line 1", f"{table.width} columns; a list of classes has a label and a name")
    found: dict[str, str] = {}
    for line, (label, name) in enumerate(table.iter_rows(), 1):
        if (label, name) == ("LabelName", "DisplayName"):
            continue
        if not label or not name or label in found:
            raise FormatError(path, f"line {line}", f"{label!r}, {name!r}: each label has one name")
        found[label] = name
    return found


def _parents(tables: Mapping[str, list[tuple[Path, str]]]) -> dict[str, str]:
    """The label above each label, but for the root of the tree."""
    found: dict[str, str] = {}
    for file, _ in tables["parents"][:1]:
        stack = decode(read_bytes(file, limit=1 << 26), file, _Node).Subcategory
        while stack:
            node = stack.pop()
            for child in node.Subcategory:
                found.setdefault(child.LabelName, node.LabelName)
                stack.append(child)
    return found
