"""Tables of Hugging Face datasets: which column is what, and the rows of Parquet shards."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from inlay.core.errors import FormatError, InlayError
from inlay.formats.parts.huggingface_layout import (
    CATEGORY,
    IMAGES,
    MASKS,
    NAMES,
    OBJECTS,
    PIXELS,
    SEGMENTS,
    first_of,
)
from inlay.formats.parts.native_tables import broken_file

if TYPE_CHECKING:
    pass

BLOCK = 16  # rows decoded at a time; images lie in them


@dataclass(frozen=True)
class Columns:
    """Which column is what; what is not there is empty.

    Parameters
    ----------
    image, mask
        Pictures.
    objects, segments
        Lists of structs, or structs of lists.
    name
        What a row is called.
    others
        Further pictures, which are not read.
    category, pixels
        Fields of the objects, or of the segments where there are no objects.
    spelled
        Whether categories are words.
    """

    image: str = ""
    mask: str = ""
    objects: str = ""
    segments: str = ""
    name: str = ""
    others: tuple[str, ...] = ()
    category: str = ""
    pixels: str = ""
    spelled: bool = False

    @property
    def has_labels(self) -> bool:
        """Whether there is anything to make segments of."""
        return bool(self.mask or self.objects)


@dataclass(frozen=True)
class Picture:
    """An image: a file, or bytes inside a table."""

    path: Path
    data: bytes | None = None


@dataclass(frozen=True)
class Record:
    """One row: its table and place, its pictures, and what it says of its segments."""

    path: Path
    where: str
    image: Picture | None
    mask: Picture | None
    objects: list[dict[str, Any]] | None
    segments: list[dict[str, Any]] | None
    size: tuple[int, int] | None


def columns_of(schema: Mapping[str, Any]) -> Columns:
    """The columns of a Parquet table by their Polars types."""
    import polars as pl

    pictures = [name for name, kind in schema.items() if _fields(kind).keys() >= {"bytes", "path"}]
    image = first_of(IMAGES, pictures) or next((name for name in pictures if name not in MASKS), "")
    masks = [name for name in pictures if name != image]
    mask = first_of(MASKS, masks) or (masks[0] if len(masks) == 1 else "")
    lists = {name: _inner(kind) for name, kind in schema.items() if name in (*OBJECTS, *SEGMENTS)}
    lists = {name: fields for name, fields in lists.items() if fields}
    objects, segments = first_of(OBJECTS, lists), first_of(SEGMENTS, lists)
    fields = lists.get(objects or segments, {})
    category = first_of(CATEGORY, fields)
    flat = [name for name, kind in schema.items() if kind == pl.String or kind.is_integer()]
    return Columns(
        image,
        mask,
        objects,
        segments,
        first_of(NAMES, flat),
        tuple(name for name in masks if name != mask),
        category,
        first_of(PIXELS, fields) if objects else "",
        bool(category) and fields[category] == pl.String,
    )


def _fields(kind: Any) -> dict[str, Any]:
    """The fields of a struct, by name; none for another type."""
    import polars as pl

    return {each.name: each.dtype for each in kind.fields} if isinstance(kind, pl.Struct) else {}


def _inner(kind: Any) -> dict[str, Any]:
    """The fields of a list of structs, or of a struct of lists."""
    import polars as pl

    if isinstance(kind, pl.List):
        return _fields(kind.inner)
    fields = _fields(kind)
    return {name: each.inner for name, each in fields.items() if isinstance(each, pl.List)}


def schema_of(path: Path) -> Mapping[str, Any]:
    """The columns of a Parquet file and their types.

    Raises
    ------
    FormatError
        When it is none.
    """
    import polars as pl

    with broken_file(path):
        return pl.read_parquet_schema(path)


@dataclass(frozen=True, eq=False)
class Shards:
    """Rows of Parquet files, some decoded at a time.

    Parameters
    ----------
    root
        The folder.
    files
        The shards.
    starts
        The number of the first row of each.
    columns
        What is what in all of them.
    wanted
        The columns to read.
    """

    root: Path
    files: tuple[Path, ...]
    starts: tuple[int, ...]
    columns: Columns
    wanted: tuple[str, ...]
    process: int = field(default_factory=os.getpid)
    kept: dict[str, Any] = field(default_factory=dict)  # the rows decoded last

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "kept": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, process=os.getpid())

    def record(self, number: int) -> Record:
        """A row by its number among all."""
        shard = bisect_right(self.starts, number) - 1
        row = number - self.starts[shard]
        path, where = self.files[shard], f"row {row}"
        cells = self._block(shard, row // BLOCK)[row % BLOCK]
        known = self.columns
        return Record(
            path,
            where,
            self._picture(cells.get(known.image), path, where),
            self._picture(cells.get(known.mask), path, where),
            as_records(cells.get(known.objects), path, f"{where} {known.objects}"),
            as_records(cells.get(known.segments), path, f"{where} {known.segments}"),
            _size(cells),
        )

    def _block(self, shard: int, block: int) -> list[dict[str, Any]]:
        import polars as pl

        if self.process != os.getpid():  # the threads of Polars do not survive a fork: it would wait for ever
            what = "Parquet cannot be read after a fork: start workers by forkserver or spawn"
            raise InlayError(f"{self.root}: {what}")
        known = self.kept.get("rows")
        if known is not None and known[0] == (shard, block):
            return list(known[1])
        path = self.files[shard]
        with broken_file(path):
            table = pl.scan_parquet(path, glob=False).select(self.wanted).slice(block * BLOCK, BLOCK)
            rows = table.collect().to_dicts()
        self.kept["rows"] = ((shard, block), rows)
        return rows

    def _picture(self, cell: Any, path: Path, where: str) -> Picture | None:
        if not isinstance(cell, dict):
            return None
        if cell["bytes"] is not None:
            return Picture(path, cell["bytes"])
        return None if not cell["path"] else Picture(below(self.root, cell["path"], path, where))


def open_shards(root: Path, files: Sequence[Path]) -> Shards:
    """Shards that have the same columns.

    Raises
    ------
    FormatError
        When one is broken, or they are several datasets.
    """
    import polars as pl

    starts, columns, total = [], Columns(), 0
    for number, path in enumerate(files):
        schema = schema_of(path)
        found = columns_of(schema)
        if number and found != columns:
            what = (
                f"has other columns than {files[0].name}: read the folders of the configurations one by one"
            )
            raise FormatError(path, "", what)
        columns = found
        with broken_file(path):
            starts.append(total)
            total += pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()
    listed = (columns.image, columns.mask, columns.objects, columns.segments)
    sizes = [name for name in ("height", "width") if files and name in schema_of(files[0])]
    wanted = tuple(name for name in (*listed, *sizes) if name)
    return Shards(root, tuple(files), (*starts, total), columns, wanted)


def column_values(shards: Shards, column: str, field_: str = "") -> list[list[Any]]:
    """For each shard the values of a flat column, or the different ones of a field of a list."""
    import polars as pl

    found = []
    for path in shards.files:
        with broken_file(path):
            table = pl.scan_parquet(path, glob=False)
            chosen = pl.col(column)
            if field_:
                inside = isinstance(table.collect_schema()[column], pl.Struct)
                nested = (
                    chosen.struct.field(field_).explode() if inside else chosen.explode().struct.field(field_)
                )
                chosen = nested.unique(maintain_order=True)
            found.append(table.select(chosen.alias("values")).collect()["values"].to_list())
    return found


def as_records(cell: Any, path: Path, where: str) -> list[dict[str, Any]] | None:
    """A list of structs, or a struct of lists, as a list of dicts; `None` where there is none.

    Raises
    ------
    FormatError
        When the lists differ in length.
    """
    if cell is None:
        return None
    if isinstance(cell, list) and all(isinstance(each, dict) for each in cell):
        return cell
    if not isinstance(cell, dict):
        raise FormatError(path, where, "neither a list of objects nor an object of lists")
    lists = {name: values for name, values in cell.items() if isinstance(values, list)}
    lengths = {len(values) for values in lists.values()}
    if len(lengths) > 1:
        what = ", ".join(f"{name}: {len(values)}" for name, values in lists.items())
        raise FormatError(path, where, f"lists of different lengths ({what})")
    if not lists:
        return None
    return [dict(zip(lists, values)) for values in zip(*lists.values())]


def _size(cells: Mapping[str, Any]) -> tuple[int, int] | None:
    height, width = cells.get("height"), cells.get("width")
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None


def below(folder: Path, name: str, path: Path, where: str) -> Path:
    """The file that a table names.

    Raises
    ------
    FormatError
        When it would not lie below the folder.
    """
    place = PurePosixPath(name.replace("\\", "/"))
    if place.is_absolute() or ".." in place.parts or "\0" in name or re.match("[A-Za-z]:", name):
        raise FormatError(path, where, f"file {name[:200]!r} is not below the folder")
    return folder / place
