"""Image folders of Hugging Face: `metadata.jsonl` or `metadata.csv` beside images, with masks or objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inlay.core.errors import FormatError
from inlay.formats.parts.huggingface_layout import (
    CATEGORY,
    IMAGES,
    OBJECTS,
    PIXELS,
    SEGMENTS,
    first_of,
    mask_column,
)
from inlay.formats.parts.huggingface_tables import Columns, Picture, Record, as_records, below
from inlay.formats.parts.native_tables import broken_file
from inlay.formats.parts.typed_json import decode, read_bytes

_PICTURES = (".png", ".tif", ".tiff", ".bmp", ".gif")


@dataclass(frozen=True, eq=False)
class Listed:
    """Rows of the tables of an image folder: (table, place, cells) each."""

    rows: tuple[tuple[Path, str, Mapping[str, Any]], ...]
    columns: Columns

    def record(self, number: int) -> Record:
        """A row by its number among all."""
        path, where, cells = self.rows[number]
        known = self.columns
        mask = self._file(path, where, cells, known.mask)
        if mask is not None and mask.path.suffix.lower() not in _PICTURES:
            mask = None  # a word, as the label of the whole image
        objects = as_records(cells.get(known.objects), path, f"{where} {known.objects}")
        segments = as_records(cells.get(known.segments), path, f"{where} {known.segments}")
        return Record(path, where, self._file(path, where, cells, known.image), mask, objects, segments, None)

    def name(self, number: int) -> str:
        """The path of the image of a row."""
        path, where, cells = self.rows[number]
        name = cells.get(self.columns.image)
        if not isinstance(name, str) or not name:
            raise FormatError(path, where, f"{self.columns.image} {name!r} names no image")
        return name

    @staticmethod
    def _file(path: Path, where: str, cells: Mapping[str, Any], column: str) -> Picture | None:
        name = cells.get(column)
        if not isinstance(name, str) or not name:
            return None
        return Picture(below(path.parent, name, path, where))


def open_metadata(files: Sequence[Path]) -> Listed:
    """The rows of the tables of an image folder.

    Raises
    ------
    FormatError
        With the line of what is wrong.
    """
    rows = tuple((file, where, cells) for file in files for where, cells in _cells(file))
    names = list(dict.fromkeys(name for _, _, cells in rows for name in cells))
    image = first_of(("file_name", *(f"{word}_file_name" for word in IMAGES)), names)
    objects, segments = first_of(OBJECTS, names), first_of(SEGMENTS, names)
    fields = {
        name: value for _, _, cells in rows for name, value in _sample_fields(cells.get(objects or segments))
    }
    category = first_of(CATEGORY, fields)
    pixels = first_of(PIXELS, fields) if objects else ""
    mask = mask_column(names)
    known = Columns(
        image, mask, objects, segments, "", (), category, pixels, isinstance(fields.get(category), str)
    )
    return Listed(rows, known)


def _sample_fields(cell: Any) -> Iterator[tuple[str, Any]]:
    """Names of the fields of a list of objects, or of an object of lists, each with one value."""
    if isinstance(cell, dict):
        yield from ((name, values[0]) for name, values in cell.items() if isinstance(values, list) and values)
    elif isinstance(cell, list) and cell and isinstance(cell[0], dict):
        yield from cell[0].items()


def _cells(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if path.suffix == ".jsonl":
        for number, line in enumerate(read_bytes(path).splitlines(), 1):
            if line.strip():
                yield f"line {number}", decode(line, path, dict[str, Any], f"line {number} ")
        return
    import polars as pl

    with broken_file(path, "CSV"):
        table = pl.read_csv(path, infer_schema=False, glob=False)
    for number, cells in enumerate(table.iter_rows(named=True), 2):
        yield f"line {number}", cells
