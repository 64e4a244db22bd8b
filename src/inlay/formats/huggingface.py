"""Hugging Face datasets: `data/SPLIT-00000-of-00001.parquet`, a card `README.md` and `id2label.json`.

A row has an `image` and most often a `label` (`mask`, `annotation`), both {bytes, path}: a map of classes, or
with `segments_info` a panoptic one whose colours are ids as in COCO. `objects` lists segments by category,
COCO box and, where there are pixels, `segmentation`. Image folders with `metadata.jsonl` or `metadata.csv`
are read too. Numbers are named by `classes.json` or `id2label.json`, those of objects and segments also by
the card or the shards. We write shards with `image`, a semantic `label` and all segments in `objects`; no
library of Hugging Face is needed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inlay.core.classes import Classes, Kind, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import SUFFIXES
from inlay.formats.parts.class_lists import ClassList, kind_of
from inlay.formats.parts.extras import KEPT, ExtraWriter, is_written_as, read_extras
from inlay.formats.parts.huggingface_card import find_classes, write_card
from inlay.formats.parts.huggingface_folders import Listed, open_metadata
from inlay.formats.parts.huggingface_layout import find_metadata, find_shards, split_of_table
from inlay.formats.parts.huggingface_rows import Maker, row_of
from inlay.formats.parts.huggingface_tables import (
    BLOCK,
    Columns,
    Shards,
    column_values,
    columns_of,
    open_shards,
    schema_of,
)
from inlay.formats.parts.native_tables import on_disk
from inlay.formats.parts.places import refuse_nothing
from inlay.formats.parts.split_lists import split_of
from inlay.formats.parts.split_names import names_apart, plain_split

if TYPE_CHECKING:
    pass

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "order"),
    *("score", "crowd", "tags", "hidden", "box", "source_id", "stated_box"),
}
EMBEDS = True  # images lie inside its tables: they are read as pixels
_UNSPLIT = "train"  # what the library calls the split of files that name none
_SHARD = 400_000_000  # bytes


def sniff(path: Path) -> bool:
    """Whether it is Parquet with images and masks or objects, or an image folder whose table names them."""
    if find_metadata(path) or is_written_as(path, "huggingface"):
        return True
    shards = find_shards(path)
    try:
        return bool(shards) and columns_of(schema_of(shards[0])).has_labels
    except FormatError:
        return False


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - it names its classes
    """The rows of all shards, or of all tables of an image folder; pictures are opened when asked for."""
    if not sniff(path):
        raise FormatError(path, "", "no Parquet with images and masks, and no metadata.jsonl or .csv of some")
    root = path.parent if path.is_file() else path
    metadata = find_metadata(path)
    files = find_shards(path)
    left_out: Counter[str] = Counter()
    table: Shards | Listed
    if metadata:
        table = listed = open_metadata(metadata)
        keys, splits = _listed_keys(listed, root)
    else:
        table = shards = open_shards(root, files)
        keys, splits = _keys(shards)
        left_out.update({f"column {name}": len(keys) for name in shards.columns.others})
    columns = table.columns
    if columns.objects and columns.mask and not columns.pixels:
        left_out["boxes of objects"] = len(keys)
    classes, numbers = _classes(root, files, table, bool(keys))
    extras = read_extras(root)
    make = Maker(columns, numbers, extras.classes_with(classes))
    load = _Rows(table, {key: row for row, key in enumerate(keys)}, splits, make)
    return extras.dataset(keys, make.classes, load, root, splits=splits, left_out=+left_out)


def _keys(shards: Shards) -> tuple[list[str], dict[str, str]]:
    """What the rows are called, and their splits: by a column that names each once, else by their numbers."""
    words = [split_of_table(file, shards.root) for file in shards.files]
    ends = shards.starts[1:]
    splits = [word for word, start, end in zip(words, shards.starts, ends) for _ in range(start, end)]
    keys: list[str] = []
    if shards.columns.name:
        values = [value for each in column_values(shards, shards.columns.name) for value in each]
        stems = [_stem(str(value)) if value not in (None, "") else "" for value in values]
        keys = names_apart(stems, splits) if "" not in stems else []
    if not keys or len({*keys}) < len(keys):
        counts: Counter[str] = Counter()
        keys = []
        for word in splits:
            keys.append(f"{word or 'row'}/{counts[word]:06d}")
            counts[word] += 1
    return keys, dict(zip(keys, splits))


def _stem(name: str) -> str:
    suffix = Path(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in SUFFIXES and name != suffix else name


def _listed_keys(table: Listed, root: Path) -> tuple[list[str], dict[str, str]]:
    """The paths of the images below the folder, without suffix, and the splits of their folders."""
    keys: dict[str, str] = {}
    for number, (path, where, _) in enumerate(table.rows):
        folder = path.parent.relative_to(root).as_posix()
        name = table.name(number)
        key = _stem(f"{folder}/{name}" if folder != "." else name)
        if key in keys:
            raise FormatError(path, where, f"image {name!r} stands twice")
        keys[key] = split_of(f"{key}")
    return list(keys), keys


def _classes(
    root: Path,
    files: list[Path],
    table: Shards | Listed,
    some: bool,  # noqa: FBT001 - a fact, no switch
) -> tuple[Classes, ClassList]:
    """The classes, and what their numbers are.

    Raises
    ------
    FormatError
        When there are numbers without names, saying where to put these.
    """
    columns = table.columns
    default: Kind = "thing" if columns.objects or columns.segments else "stuff"
    used = columns.objects if columns.pixels or not columns.mask else columns.segments
    listed = find_classes(root, files, used, default)
    names: dict[str, None] = {}
    if columns.spelled:
        names = dict.fromkeys(str(name) for name in _spelled(table, columns) if name is not None)
    if listed is None and not columns.spelled and some:
        column = columns.objects or columns.segments or columns.mask
        what = f"nothing names the classes of column {column!r}"
        example = '{"0": "background", "1": "car"}'
        raise FormatError(root, "", f"{what}: write {root / 'id2label.json'} with {example}")
    listed = listed or ClassList(Classes(()), ())
    return listed.classes.merge(SegmentClass(name) for name in names), listed


def _spelled(table: Shards | Listed, columns: Columns) -> list[Any]:
    """The categories that are words."""
    field = columns.objects or columns.segments
    if isinstance(table, Shards):
        return [name for names in column_values(table, field, columns.category) for name in names]
    records = (table.record(number) for number in range(len(table.rows)))
    lists = ((each.objects if columns.objects else each.segments) or [] for each in records)
    return [item.get(columns.category) for items in lists for item in items]


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows by key; calling it with one makes its sample."""

    table: Shards | Listed
    row_of: Mapping[str, int]
    splits: Mapping[str, str]
    make: Maker

    def __call__(self, key: str) -> Sample:
        record = self.table.record(self.row_of[key])
        label = self.make.segmentation(record)
        return Sample(key, self.make.image(record, label), label, self.splits[key])


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - run lengths
    """Write `data/SPLIT-00000-of-0000N.parquet`, the card and `id2label.json`.

    Images are stored byte for byte. `label` is the class of the front segment of each pixel, 255 (65535 in 16
    bits) for nobody and for classes that are void.
    """
    listed = all(kind_of(name, "thing") == "thing" for name in dataset.classes.names)
    extras = ExtraWriter(dataset, "huggingface", listed=listed)
    path.mkdir(parents=True, exist_ok=True)
    shards = _ShardWriter(path / "data")
    first = 1
    for sample in dataset:
        refuse_nothing(sample)
        word = "validation" if sample.split == "val" else re.sub(r"\W", "_", sample.split) or _UNSPLIT
        shards.add(word, row_of(sample, first))
        label = sample.segmentation
        first += 0 if label is None else len(label)
        known = None if label is None else label.replace(image_tags=frozenset())
        extras.add(sample, Sample(_stem(sample.name), None, known, plain_split(word)))
    write_card(path, dataset.classes, shards.close())
    extras.write(path)


class _ShardWriter:
    """The shards of each split: rows are kept until they make one; names wait for how many there are."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._bytes: Counter[str] = Counter()
        self._parts: dict[str, list[Path]] = {}
        self._counts: Counter[str] = Counter()
        self._sizes: Counter[str] = Counter()

    def add(self, split: str, row: dict[str, Any]) -> None:
        """Add a row to a split."""
        self._rows.setdefault(split, []).append(row)
        self._counts[split] += 1
        self._bytes[split] += len((row["image"] or {}).get("bytes") or b"") + 1000
        if self._bytes[split] > _SHARD:
            self._flush(split)

    def _flush(self, split: str) -> None:
        import polars as pl

        self._folder.mkdir(parents=True, exist_ok=True)
        parts = self._parts.setdefault(split, [])
        part = self._folder / f".{split}-{len(parts):05d}.parquet"
        table = pl.DataFrame(self._rows.pop(split), _schema())
        self._sizes[split] += int(table.estimated_size())
        with on_disk(part):
            table.write_parquet(part, row_group_size=BLOCK)
        self._bytes[split] = 0
        parts.append(part)

    def close(self) -> dict[str, tuple[int, int]]:
        """Write what is left, give all shards their names; rows and bytes of each split."""
        for split in list(self._rows):
            self._flush(split)
        for split, parts in self._parts.items():
            for number, part in enumerate(parts):
                part.rename(self._folder / f"{split}-{number:05d}-of-{len(parts):05d}.parquet")
        return {split: (self._counts[split], self._sizes[split]) for split in sorted(self._counts)}


def _schema() -> dict[str, Any]:
    import polars as pl

    picture = pl.Struct({"bytes": pl.Binary, "path": pl.String})
    lists: dict[str, Any] = {
        "id": pl.Int64,
        "category": pl.Int64,
        "bbox": pl.List(pl.Float64),
        "area": pl.Float64,
        "iscrowd": pl.Boolean,
        "segmentation": pl.String,
        "score": pl.Float64,
        "instance_id": pl.Int64,
        "tags": pl.List(pl.String),
    }
    return {
        "image": picture,
        "label": picture,
        "image_id": pl.String,
        "height": pl.Int64,
        "width": pl.Int64,
        "objects": pl.Struct({name: pl.List(kind) for name, kind in lists.items()}),
    }
