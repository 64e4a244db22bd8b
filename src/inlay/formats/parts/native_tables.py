"""The Parquet tables of the native format: their columns, their writer, and reading that names faults."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inlay.core.dataset import Sample
from inlay.core.errors import FormatError
from inlay.core.segmentation import Segmentation

if TYPE_CHECKING:
    import polars as pl

GROUP = 1024  # rows of a row group: what is decoded to read one sample
_PART_ROWS, _PART_BYTES = 32_768, 32_000_000  # segments kept in memory while writing

# columns in order; those marked * must be there, others may be missing from tables that somebody else wrote
CLASSES = {"name*": "String", "kind": "String", "colour": "String", "parent": "String", "source_id": "Int64"}
SAMPLES = {
    "sample*": "String",  # name, unique
    "image": "String",  # path below the folder
    "split": "String",
    "group": "String",
    "frame": "Int64",
    "height*": "Int32",  # of the label, pixels
    "width*": "Int32",
    "labelled": "Boolean",  # false: nobody has labelled it; true without segments: nothing is there
    "tags": "List(String)",
    "image_id": "Int64",  # number in the source
    "columns": "List(String)",  # which optional columns the label has, where it has no segment to show them
}
SEGMENTS = {
    "sample*": "String",
    "row": "Int32",  # place in the stack, 0 at the back
    "class*": "String",
    "instance_id": "Int32",
    "crowd": "Boolean",
    "score": "Float64",
    "tags": "List(String)",
    "mask*": "Binary",  # compressed run lengths of COCO, of what one sees
    "amodal": "Binary",  # the same of the full extent
    "source_id": "Int64",
    "stated_x0": "Float64",  # box and area as the source states them
    "stated_y0": "Float64",
    "stated_x1": "Float64",
    "stated_y1": "Float64",
    "stated_area": "Float64",
    "area": "Int64",  # measured on the mask, for queries; not read back
    "x0": "Int32",
    "y0": "Int32",
    "x1": "Int32",
    "y1": "Int32",
}
OPTIONAL = ("score", "amodal", "source_id", "stated_box", "stated_area")
STATED_BOX = ("stated_x0", "stated_y0", "stated_x1", "stated_y1")


def schema(columns: Mapping[str, str]) -> dict[str, Any]:
    """Polars types of the columns of a table."""
    import polars as pl

    types: dict[str, Any] = {"List(String)": pl.List(pl.String)}
    return {name.rstrip("*"): types.get(word) or getattr(pl, word) for name, word in columns.items()}


@contextmanager
def broken_file(path: Path, kind: str = "Parquet") -> Iterator[None]:
    """Turns what Polars raises on a file that is no such table into a `FormatError`."""
    import polars as pl

    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise FormatError(path, "", f"not a {kind} table that can be read ({reason})") from None


@contextmanager
def on_disk(path: Path) -> Iterator[None]:
    """Turns what Polars raises when the disk is full, or the like, into the `OSError` that it was."""
    import polars as pl

    try:
        yield
    except pl.exceptions.PolarsError as error:
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from None


def scan(path: Path, columns: Mapping[str, str]) -> pl.LazyFrame:
    """A table read when it is asked for, with exactly these columns in their types; missing ones are null.

    Raises
    ------
    FormatError
        When the file is no Parquet or lacks a column that must be there.
    """
    import polars as pl

    if not path.is_file():
        raise FormatError(path, "", "there is no such table")
    types = schema(columns)
    with broken_file(path):
        table = pl.scan_parquet(path, glob=False)
        found = table.collect_schema()
    lacking = [name.rstrip("*") for name in columns if name.endswith("*") and name.rstrip("*") not in found]
    if lacking:
        raise FormatError(path, f"column {lacking[0]!r}", f"missing; there are {', '.join(found) or 'none'}")
    each = [
        (pl.col(name) if name in found else pl.lit(None)).cast(kind).alias(name)
        for name, kind in types.items()
    ]
    return table.select(each)


class SegmentWriter:
    """`segments.parquet`, written in parts so that memory stays flat, and joined at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[Path] = []
        self._clear()

    def _clear(self) -> None:
        self._columns: dict[str, list[Any]] = {name.rstrip("*"): [] for name in SEGMENTS}
        self._bytes = 0

    def add(self, name: str, label: Segmentation) -> None:
        """Add the segments of a sample."""
        columns = segment_columns(name, label)
        for column, values in columns.items():
            self._columns[column].extend(values)
        self._bytes += sum(map(len, columns["mask"]))
        if len(self._columns["sample"]) >= _PART_ROWS or self._bytes >= _PART_BYTES:
            self._flush()

    def _flush(self) -> None:
        import polars as pl

        path = self._folder / f"segments.{len(self._parts)}.part.parquet"
        with on_disk(path):
            pl.DataFrame(self._columns, schema(SEGMENTS)).write_parquet(path, row_group_size=GROUP)
        self._parts.append(path)
        self._clear()

    def close(self) -> None:
        """Write what is left and join the parts."""
        import polars as pl

        if self._columns["sample"] or not self._parts:
            self._flush()
        whole = self._folder / "segments.parquet"
        if len(self._parts) == 1:
            self._parts[0].rename(whole)
            return
        with on_disk(whole):
            pl.scan_parquet(self._parts).sink_parquet(whole, row_group_size=GROUP)
        for part in self._parts:
            part.unlink()


def segment_columns(name: str, label: Segmentation) -> dict[str, list[Any]]:
    """The rows of `segments.parquet` for the segments of a sample, by column."""
    count = len(label)
    nothing: list[Any] = [None] * count

    def listed(values: Any, change: Callable[[Any], list[Any]] = lambda values: values.tolist()) -> list[Any]:
        return nothing if values is None else change(values)

    box = label.masks.box().T.tolist()
    stated = [nothing] * 4 if label.stated_box is None else label.stated_box.T.tolist()
    return {
        "sample": [name] * count,
        "row": list(range(count)),
        "class": list(label.class_names),
        "instance_id": label.instance_id.tolist(),
        "crowd": label.crowd.tolist(),
        "score": listed(label.score),
        "tags": [sorted(tags) for tags in label.tags],
        "mask": label.masks.to_strings(),
        "amodal": listed(label.amodal, lambda masks: masks.to_strings()),
        "source_id": listed(label.source_id),
        **dict(zip(STATED_BOX, stated)),
        "stated_area": listed(label.stated_area),
        "area": label.masks.area().tolist(),
        **dict(zip(("x0", "y0", "x1", "y1"), box)),
    }


def sample_row(sample: Sample, image: str | None, image_id: int | None) -> dict[str, Any]:
    """The row of `samples.parquet` for a sample whose image lies at `image` below the folder."""
    label = sample.segmentation
    height, width = (None, None) if label is None else label.size
    return {
        "sample": sample.name,
        "image": image,
        "split": sample.split,
        "group": sample.group,
        "frame": sample.frame,
        "height": height,
        "width": width,
        "labelled": label is not None,
        "tags": [] if label is None else sorted(label.image_tags),
        "image_id": image_id,
        "columns": [] if label is None else [name for name in OPTIONAL if getattr(label, name) is not None],
    }
