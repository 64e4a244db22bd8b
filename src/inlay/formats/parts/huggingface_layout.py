"""Where the files of Hugging Face datasets lie, and what their columns are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inlay.formats.parts.split_lists import SPLIT_WORDS
from inlay.formats.parts.split_names import plain_split

IMAGES = ("image", "img", "pixel_values", "photo")
MASKS = (
    *(
        "label",
        "mask",
        "annotation",
        "segmentation_mask",
        "semantic_mask",
        "panoptic",
        "segmentation",
        "labels",
    ),
    *("masks", "annotations", "seg_mask", "semantic", "ground_truth", "gt", "instance_mask", "labelmap"),
)
OBJECTS, SEGMENTS = ("objects", "instances"), ("segments_info", "segments")
NAMES = ("image_id", "file_name", "filename", "image_name", "name", "id")
CATEGORY = ("category", "categories", "category_id", "class_id", "class", "label", "labels")
PIXELS = ("segmentation", "segmentations", "mask", "masks", "rle")
_HEAD = 1 << 16  # bytes looked at to recognise a table


def first_of(words: Sequence[str], known: Any) -> str:
    """The first of some words that is known; empty for none."""
    return next((word for word in words if word in known), "")


def find_shards(root: Path) -> list[Path]:
    """The Parquet files of a folder, in `data/` or one or two folders down; no table of another format."""
    if root.is_file():
        return [root] if root.suffix.lower() == ".parquet" else []
    if not root.is_dir() or (root / "samples.parquet").is_file():
        return []
    found = next((files for mark in ("data/*", "*", "*/*", "*/*/*") if (files := _tables(root, mark))), [])
    return sorted(found)


def _tables(root: Path, mark: str) -> list[Path]:
    return [file for file in root.glob(f"{mark}.parquet") if not file.name.startswith(".") and file.is_file()]


def split_of_table(path: Path, root: Path) -> str:
    """The split of a shard: the word before its number, or its folder."""
    match = re.fullmatch(r"(?P<split>.+?)-\d+-of-\d+(-[0-9a-f]+)?", path.stem)
    words = [match["split"] if match else path.stem, *reversed(path.relative_to(root).parts[:-1])]
    if match:
        return plain_split(match["split"])
    return next((SPLIT_WORDS[word.lower()] for word in words if word.lower() in SPLIT_WORDS), "")


def find_metadata(root: Path) -> list[Path]:
    """The tables of an image folder: `metadata.jsonl` or `metadata.csv`, at the root or for each split."""
    if root.is_file():
        return [root] if root.name in ("metadata.jsonl", "metadata.csv") and _is_metadata(root) else []
    places = [root, *sorted(root.glob("*")), *sorted((root / "data").glob("*"))] if root.is_dir() else []
    files = [place / f"metadata.{kind}" for place in places for kind in ("jsonl", "csv") if place.is_dir()]
    return [file for file in dict.fromkeys(files) if file.is_file() and _is_metadata(file)]


def _is_metadata(path: Path) -> bool:
    """Whether a table names images and their masks or objects, as its beginning tells; never raises."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).split(b"\n", 1)[0]
    except OSError:
        return False
    mark = rb'"(\w+)"\s*:' if path.suffix == ".jsonl" else rb'"?(\w+)"?\s*(?:,|$)'
    words = re.findall(mark, head.strip())
    names = [word.decode("ascii", "replace") for word in words]
    has_image = "file_name" in names or any(f"{word}_file_name" in names for word in IMAGES)
    return has_image and bool(mask_column(names) or {*names} & {*OBJECTS, *SEGMENTS})


def mask_column(names: Sequence[str]) -> str:
    """The column that says where the mask is."""
    return first_of([f"{word}{end}" for word in MASKS for end in ("_file_name", "")], names)
