"""Blend: class logits of overlapping tiles into one class map, without holding the logits of the image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.models.decode.tiles import Tile, Tiling

Floats = NDArray[np.float32]


class Blend:
    """Takes the tiles of a `Tiling` in order; keeps logits only where a tile to come has a say as well.

    Weights fall linearly to zero across an overlap, and are zero in its outer quarter: where a tile does not
    see what surrounds a pixel, another one decides.

    Parameters
    ----------
    tiling
        The tiles.
    channels
        Of the logits.
    """

    def __init__(self, tiling: Tiling, channels: int) -> None:
        self._rows, self._columns = tiling.rows, tiling.columns
        self._overlap, self._size = tiling.overlap, tiling.size
        small = np.uint8 if channels <= 255 else np.int32
        self._ids: NDArray[Any] = np.zeros(tiling.size, small)
        self._sure = np.zeros(channels, np.float64)
        self._below: Floats = np.zeros((channels + 1, 0, tiling.size[1]), np.float32)
        self._next: Floats = self._below
        self._side: Floats = np.zeros((channels + 1, 0, 0), np.float32)

    def add(self, tile: Tile, logits: NDArray[np.floating[Any]]) -> None:
        """Take the (K, h, w) logits of the next tile."""
        row, column = self._rows.index(tile.top), self._columns.index(tile.left)
        down = self._weights(tile.top, tile.height, self._size[0])
        across = self._weights(tile.left, tile.width, self._size[1])
        weight = down[:, None] * across
        here = np.empty((len(logits) + 1, tile.height, tile.width), np.float32)
        np.multiply(logits, weight, out=here[:-1])
        here[-1] = weight
        done = (_until(self._rows, row, tile.height), _until(self._columns, column, tile.width))
        if column == 0:
            self._below, strip = self._next, (len(here), tile.height - done[0], self._size[1])
            self._next = np.zeros(strip, np.float32)
            self._side = here[:, :, :0]
        given = self._side.shape[2]
        here[:, :, :given] += self._side
        here[:, : self._below.shape[1], given:] += self._below[
            :, :, tile.left + given : tile.left + tile.width
        ]
        self._side = here[:, :, done[1] :].copy()
        self._next[:, :, tile.left : tile.left + done[1]] = here[:, done[0] :, : done[1]]
        self._settle(tile, here[:, : done[0], : done[1]])

    def _settle(self, tile: Tile, blended: Floats) -> None:
        logits = blended[:-1] / blended[-1]
        ids = logits.argmax(0)
        share = 1.0 / np.exp(logits - logits.max(0)).sum(0)
        height, width = ids.shape
        self._ids[tile.top : tile.top + height, tile.left : tile.left + width] = ids
        self._sure += np.bincount(ids.ravel(), share.ravel(), len(self._sure))

    def _weights(self, start: int, length: int, whole: int) -> Floats:
        """Of the pixels of a tile along one axis."""
        weight = np.ones(length)
        margin = self._overlap // 4
        inner = (np.arange(length) + 0.5 - margin) / max(self._overlap - 2 * margin, 1)
        if start > 0:
            weight *= inner.clip(0, 1)
        if start + length < whole:
            weight *= inner.clip(0, 1)[::-1]
        return weight.astype(np.float32)

    def segmentation(self, classes: Classes) -> Segmentation:
        """One segment for each class seen; its score is the mean probability of its pixels."""
        found = Segmentation.from_semantic(self._ids, classes)
        score = self._sure[found.class_id] / np.maximum(found.masks.area(), 1)
        return found.replace(score=score.clip(0, 1))


def _until(starts: list[int], place: int, length: int) -> int:
    """How many pixels of a tile no later one covers, along one axis."""
    return starts[place + 1] - starts[place] if place + 1 < len(starts) else length
