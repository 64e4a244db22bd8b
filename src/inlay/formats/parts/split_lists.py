"""Split lists: which samples are for training, validation and testing, as folders and text files say."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from inlay.core.errors import FormatError
from inlay.core.images import SUFFIXES
from inlay.formats.parts.class_lists import read_text

SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def split_of(name: str) -> str:
    """The split that a sample's path tells: a part called train, val, test or the like; else empty."""
    return next((SPLIT_WORDS[part] for part in name.lower().split("/")[:-1] if part in SPLIT_WORDS), "")


def listed_splits(root: Path, files: Mapping[str, Sequence[Path]]) -> dict[str, str]:
    """Split of each sample that a list such as `train.txt` names, by name, last part, path or folder.

    Parameters
    ----------
    files
        The image and the label of each sample, by its name.

    Raises
    ------
    FormatError
        Naming the line that is no sample, or a sample of another split.
    """
    lists = {path: SPLIT_WORDS[path.stem.lower()] for path in _lists(root)}
    if not lists:
        return {}
    places = _places(root, files)
    splits: dict[str, str] = {}
    for path, split in lists.items():
        for number, line in enumerate(read_text(path).splitlines(), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            words = (line.strip(), line.split()[0])
            names = next((places[_entry(word)] for word in words if _entry(word) in places), None)
            if names is None:
                raise FormatError(
                    path, f"line {number}", f"there is no image {words[1]!r}: add it or delete the line"
                )
            _assign(path, number, splits, names, split)
    return splits


def _assign(path: Path, number: int, splits: dict[str, str], names: list[str], split: str) -> None:
    for name in names:
        if splits.setdefault(name, split) != split:
            raise FormatError(path, f"line {number}", f"sample {name!r} is in split {splits[name]!r} as well")


def _lists(root: Path) -> list[Path]:
    found = [root / f"{word}.txt" for word in SPLIT_WORDS]
    for folder in ("splits", "lists", "ImageSets"):
        if (root / folder).is_dir():
            found += [
                path for path in sorted((root / folder).rglob("*.txt")) if path.stem.lower() in SPLIT_WORDS
            ]
    return [path for path in found if path.is_file()]


def _entry(word: str) -> str:
    """An entry of a list without its leading slash and its image suffix."""
    stem, dot, suffix = word.lstrip("/").rpartition(".")
    return stem if stem and dot + suffix.lower() in SUFFIXES else word.lstrip("/")


def _places(root: Path, files: Mapping[str, Sequence[Path]]) -> dict[str, list[str]]:
    """What a list may call samples: their names, files, folders, or last parts that are unique."""
    places: dict[str, list[str]] = {}
    folders: dict[str, list[str]] = {}
    below = len(os.fspath(root)) + 1
    for name, paths in files.items():
        entries = [os.fspath(path)[below:].replace(os.sep, "/") for path in paths]
        for word in {name, *map(_entry, entries)}:
            places.setdefault(word, []).append(name)
        parent = name.rpartition("/")[0]
        while parent:
            folders.setdefault(parent, []).append(name)
            parent = parent.rpartition("/")[0]
    lasts = Counter(name.rpartition("/")[2] for name in files)
    single = {last: [name] for name in files if lasts[last := name.rpartition("/")[2]] == 1}
    return {**folders, **single, **places}
