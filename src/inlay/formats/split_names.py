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
        if split and not re.fullmatch(r"[\w-][\w.-]*", split):
            raise InlayError(f"split {split!r} makes no folder name: use letters, digits, '_', '.', '-'")
    return splits


class Placer:
    """Gives each image a file name below its split, and the sample name that a reader takes from it."""

    def __init__(self, splits: Sequence[str]) -> None:
        self._several = len(splits) > 1
        self._taken: set[str] = set()

    def __call__(self, sample: Sample, split: str) -> tuple[str, str]:
        """File name below the folder of the split, without suffix, and the sample name it gives."""
        prefix = f"{plain_split(split)}/" if self._several and split else ""
        short = sample.name.removeprefix(prefix) or sample.name
        name, number = short, 1
        while f"{split}/{name}" in self._taken:
            number += 1
            name = f"{short}-{number}"
        self._taken.add(f"{split}/{name}")
        return name, prefix + name
