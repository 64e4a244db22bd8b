"""Columns of pictures that look alike: the same scene in two splits, or twice in one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inlay.rules.gathered import AllImages
from inlay.rules.tables import Words

READS = ("image.look",)
CHUNK = 512  # images compared with all others at once


def twin(table: AllImages, distance: float) -> Words:
    """Name of the image that looks most alike, at most so many of 64 bits of `look` apart; '' if none."""
    return _nearest(table, distance, np.zeros(len(table), np.int64))


def leaks_to(table: AllImages, distance: float) -> Words:
    """Name of an image of another split that looks alike, at most so many of 64 bits apart; '' if none."""
    _, split = np.unique(table.gathered.split.astype(str), return_inverse=True)
    return _nearest(table, distance, split, across=True)


def _nearest(table: AllImages, distance: float, part: NDArray[np.int64], *, across: bool = False) -> Words:
    looks = table["look"]
    found = np.full(len(looks), "", np.object_)
    there = np.flatnonzero([isinstance(look, str) and look != "" for look in looks])
    if not len(there):
        return found
    words = np.array([int(looks[place], 16) for place in there], ">u8")
    signs = 2 * np.unpackbits(words.view(np.uint8).reshape(-1, 8), axis=1).astype(np.float32) - 1
    for start in range(0, len(there), CHUNK):
        block = np.arange(start, min(start + CHUNK, len(there)))
        apart = (64 - signs[block] @ signs.T) / 2
        barred = (
            part[there[block], None] == part[there][None]
            if across
            else block[:, None] == np.arange(len(there))
        )
        apart[barred] = 65
        best = apart.argmin(axis=1)
        near = apart[np.arange(len(block)), best] <= distance
        found[there[block[near]]] = table.gathered.name[there[best[near]]]
    return found
