"""Names of splits, and names of samples and files below them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import InlayError


def plain_split(word: str) -> str:
    """A split without the year, and "val" for its other spellings."""
    plain = re.sub(r"(?<=[a-z])(19|20)\d\d$", "", word)
    return {"valid": "val", "validation": "val", "training": "train", "testing": "test"}.get(plain, plain)


def splits_of(dataset: Dataset) -> list[str]:
    """The splits of a dataset, "" for samples in none; at least one.

    Raises
    ------
    InlayError
        When a split cannot be a folder.
    """
    splits = sorted({dataset.splits.get(name, "") for name in dataset.names} or {""})
    for split in splits:
        if split and (split.startswith(".") or re.search(r'[/\\:*?"<>|\x00-\x1f]', split)):
            raise InlayError(f"split {split!r} cannot be a folder: name it with letters and digits")
    return splits


class Placer:
    """Gives each sample a file name below the folder of its split, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def __call__(self, sample: Sample, split: str) -> str:
        """The sample's name without the split it may begin with; readers put it back where names collide."""
        short = sample.name.removeprefix(f"{plain_split(split)}/") or sample.name
        name, number = short, 1
        while f"{split}/{name}" in self._taken:
            number += 1
            name = f"{short}-{number}"
        self._taken.add(f"{split}/{name}")
        return name


def names_apart(stems: Sequence[str], splits: Sequence[str]) -> list[str]:
    """Sample names: the stems, or all below their splits where two of different splits are the same."""
    if len(set(stems)) == len(stems):
        return list(stems)
    return [f"{split}/{stem}" if split else stem for stem, split in zip(stems, splits)]
