"""Native: a folder of Parquet tables and images that keeps everything, readable without Inlay.

- `samples.parquet`: one row for each image: name, image file, size, split, group, frame, tags;
- `segments.parquet`: one row for each segment, those of an image together and back to front: class, instance,
  score, crowd, tags, `mask` and `amodal`, stated box and area, and the measured ones for queries;
- `classes.parquet`: name, kind, colour, parent and source number of each class;
- `images/`: the image files, byte for byte;
- `inlay.json`: the version of this layout.

`mask` and `amodal` hold the compressed run-length string of COCO as bytes: with the image's height and width
`pycocotools.mask.decode({"size": [height, width], "counts": mask})` gives the pixels. All columns are listed
in `native_tables`. Tables may be edited by other tools: `row` says the order, the rest is found by name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.formats.parts import native_tables as tables
from inlay.formats.parts.class_lists import read_json
from inlay.formats.parts.facts import FACTS
from inlay.formats.parts.places import store_image

if TYPE_CHECKING:
    import polars as pl

KEEPS = FACTS
VERSION = 1
_NAME = "inlay native"


def sniff(path: Path) -> bool:
    """Whether it is a folder with `samples.parquet` and `segments.parquet`."""
    return (path / "samples.parquet").is_file() and (path / "segments.parquet").is_file()


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - it holds everything itself
    """The samples of a folder; the segments of one are read when it is asked for."""
    _check_version(path / "inlay.json")
    classes = _read_classes(path / "classes.parquet")
    file = path / "samples.parquet"
    table = tables.scan(file, tables.SAMPLES)
    with tables.broken_file(file):
        samples = table.collect()
    names = samples["sample"].to_list()
    if None in names:
        raise FormatError(file, f"row {names.index(None)}", "has no name in column 'sample'")
    if len(set(names)) < len(names):
        twice = next(name for row, name in enumerate(names) if name in names[:row])
        raise FormatError(file, f"row {names.index(twice)}", f"sample {twice!r} stands twice")
    folder = _Folder(path, classes, samples, {name: row for row, name in enumerate(names)})
    folder.places  # noqa: B018 - a table that fits not is told when it is opened
    splits = {name: split for name, split in zip(names, samples["split"].to_list()) if split}
    numbers = {
        name: number for name, number in zip(names, samples["image_id"].to_list()) if number is not None
    }
    return Dataset(classes, tuple(names), partial(_load, folder), splits, source_ids=numbers)


def _check_version(path: Path) -> None:
    if not path.is_file():
        return  # tables that somebody else wrote
    about = read_json(path)
    version = about.get("version") if isinstance(about, dict) else None
    if not isinstance(version, int) or about.get("format") != _NAME:
        raise FormatError(path, "", f'expected {{"format": "{_NAME}", "version": {VERSION}}}')
    if version > VERSION:
        raise FormatError(
            path, "version", f"{version} is newer than {VERSION}: install a newer Inlay to read it"
        )


def _read_classes(path: Path) -> Classes:
    table = tables.scan(path, tables.CLASSES)
    with tables.broken_file(path):
        rows = table.collect().to_dicts()
    items = []
    for place, row in enumerate(rows):
        colour = row["colour"]
        try:
            channels = None if colour is None else tuple(bytes.fromhex(colour.removeprefix("#")))
        except ValueError:
            channels = ()
        if row["name"] is None or (channels is not None and len(channels) != 3):
            raise FormatError(
                path, f"row {place}", f"name {row['name']!r}, colour {colour!r}: expected #rrggbb"
            )
        items.append(
            SegmentClass(row["name"], row["kind"] or "thing", channels, row["parent"] or "", row["source_id"])
        )
    try:
        return Classes(tuple(items))
    except InlayError as error:
        raise FormatError(path, "", str(error)) from None


@dataclass(frozen=True, eq=False)
class _Folder:
    """An open native folder; what Polars holds open stays in its process."""

    path: Path
    classes: Classes
    samples: pl.DataFrame
    row_of: Mapping[str, int]
    process: int = field(default_factory=os.getpid)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("segments", "process")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, process=os.getpid())

    @property
    def file(self) -> Path:
        return self.path / "segments.parquet"

    @cached_property
    def segments(self) -> pl.LazyFrame:
        return tables.scan(self.file, tables.SEGMENTS)

    @cached_property
    def places(self) -> dict[str, tuple[int, int] | None]:
        """(first row, rows) of each sample that has segments; `None` where its rows do not lie together."""
        import polars as pl

        with tables.broken_file(self.file):
            runs = self.segments.select(pl.col("sample").rle()).unnest("sample").collect()
        places: dict[str, tuple[int, int] | None] = {}
        first = 0
        for length, name in runs.iter_rows():
            if name not in self.row_of:
                raise FormatError(self.file, f"row {first}", f"sample {name!r} is not in samples.parquet")
            places[name] = None if name in places else (first, length)
            first += length
        return places

    def rows(self, name: str) -> pl.DataFrame:
        """The segments of one sample, back to front."""
        import polars as pl

        if self.process != os.getpid():  # the threads of Polars do not survive a fork: it would wait for ever
            what = "a native dataset cannot be read after a fork: start workers by forkserver or spawn"
            raise InlayError(f"{self.path}: {what}")
        place = self.places.get(name, (0, 0))
        with tables.broken_file(self.file):
            table = (
                self.segments.filter(pl.col("sample") == name)
                if place is None
                else self.segments.slice(*place)
            )
            return table.collect().sort("row", maintain_order=True)


def _load(folder: _Folder, name: str) -> Sample:
    row = folder.samples.row(folder.row_of[name], named=True)
    image = None if row["image"] is None else _image(folder, name, row["image"])
    label = None if row["labelled"] is False else _segmentation(folder, name, row)
    return Sample(name, image, label, row["split"] or "", row["group"] or "", row["frame"])


def _image(folder: _Folder, name: str, image: str) -> Path:
    path = PurePosixPath(image)
    if path.is_absolute() or ".." in path.parts:
        raise FormatError(
            folder.path / "samples.parquet", f"sample {name!r}", f"image {image!r} is not below the folder"
        )
    return folder.path / path


def _segmentation(folder: _Folder, name: str, row: Mapping[str, Any]) -> Segmentation:
    where = f"sample {name!r}"
    if not row["height"] or not row["width"]:
        what = f"a label of {row['height']}x{row['width']} pixels: height and width are needed"
        raise FormatError(folder.path / "samples.parquet", where, what)
    table = folder.rows(name)
    for column in ("class", "mask"):
        if table[column].null_count():
            raise FormatError(folder.file, where, f"column {column!r} is empty for a segment")
    size = (row["height"], row["width"])
    present = row["columns"] or ()
    try:
        amodal = _whole(table, "amodal", present)
        box = [_whole(table, side, ["stated_box" in present and side]) for side in tables.STATED_BOX]
        return Segmentation(
            folder.classes,
            Masks.from_strings(table["mask"].to_list(), size),
            np.array([folder.classes.row(each) for each in table["class"].to_list()], np.int32),
            table["instance_id"].fill_null(0).to_numpy(),
            crowd=table["crowd"].fill_null(value=False).to_numpy(),
            score=_numbers(table, "score", present),
            tags=tuple(frozenset(tags or ()) for tags in table["tags"].to_list()),
            amodal=None if amodal is None else Masks.from_strings(amodal.to_list(), size),
            source_id=_numbers(table, "source_id", present),
            stated_box=None
            if box[0] is None
            else np.stack([side.to_numpy() for side in box if side is not None], 1),
            stated_area=_numbers(table, "stated_area", present),
            image_tags=frozenset(row["tags"] or ()),
        )
    except FormatError:
        raise
    except InlayError as error:
        raise FormatError(folder.file, where, str(error)) from None


def _whole(table: pl.DataFrame, column: str, present: Any) -> pl.Series | None:
    """A column that is there for every segment, or for none."""
    values = table[column]
    missing = values.null_count()
    if missing == len(values):
        return values if not len(values) and column in present else None
    if missing:
        what = f"is filled for {len(values) - missing} of {len(values)} segments: fill all or none"
        raise InlayError(f"column {column!r} {what}")
    return values


def _numbers(table: pl.DataFrame, column: str, present: Any) -> Any:
    values = _whole(table, column, present)
    return None if values is None else values.to_numpy()


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write the tables and copy the images; memory stays flat however many samples there are."""
    import polars as pl

    path.mkdir(parents=True, exist_ok=True)
    rows = []
    segments = tables.SegmentWriter(path)
    for sample in dataset:
        image = store_image(sample, path / "images")
        where = None if image is None else image.relative_to(path).as_posix()
        rows.append(tables.sample_row(sample, where, dataset.source_ids.get(sample.name)))
        if sample.segmentation is not None:
            segments.add(sample.name, sample.segmentation.with_classes(dataset.classes))
    segments.close()
    with tables.on_disk(path / "samples.parquet"):
        pl.DataFrame(rows, tables.schema(tables.SAMPLES), orient="row").write_parquet(
            path / "samples.parquet"
        )
    classes = [
        (
            item.name,
            item.kind,
            item.colour and "#{:02x}{:02x}{:02x}".format(*item.colour),
            item.parent,
            item.source_id,
        )
        for item in dataset.classes
    ]
    with tables.on_disk(path / "classes.parquet"):
        pl.DataFrame(classes, tables.schema(tables.CLASSES), orient="row").write_parquet(
            path / "classes.parquet"
        )
    (path / "inlay.json").write_text(json.dumps({"format": _NAME, "version": VERSION}) + "\n", "utf-8")
