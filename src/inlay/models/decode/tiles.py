"""Tiles of one image into one segmentation: nothing is lost at a border, and no object counted twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core import placing
from inlay.core.classes import Classes
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.models.decode.semantic import scores_of

EDGE = 4  # pixels from the border of a tile at which a thing counts as cut: masks may end a little short
SAME = 0.5  # least share of pixels in common of two views of one thing


@dataclass(frozen=True)
class Tile:
    """A part of an image, pixels."""

    top: int
    left: int
    height: int
    width: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """(x0, y0, x1, y1), half-open."""
        return self.left, self.top, self.left + self.width, self.top + self.height

    def of(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Its pixels."""
        return image[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True)
class Tiling:
    """Tiles of one size that cover an image and overlap by some pixels or a little more.

    Parameters
    ----------
    size
        (height, width) of the image.
    tile
        Largest side of a tile.
    overlap
        Pixels that neighbours share. A thing no larger than this is seen whole by some tile.
    """

    size: tuple[int, int]
    tile: int
    overlap: int

    def __post_init__(self) -> None:
        if self.tile < 8 or not 0 <= self.overlap <= self.tile // 2:
            raise InlayError(
                f"tiles of {self.tile} pixels with an overlap of {self.overlap}: a tile has at least 8, "
                "and the overlap is at most half of it"
            )

    @property
    def rows(self) -> list[int]:
        """Where tiles begin, downwards."""
        return _starts(self.size[0], self.tile, self.overlap)

    @property
    def columns(self) -> list[int]:
        """Where tiles begin, to the right."""
        return _starts(self.size[1], self.tile, self.overlap)

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def __iter__(self) -> Iterator[Tile]:
        """Row by row, left to right."""
        height, width = (min(self.tile, side) for side in self.size)
        return (Tile(top, left, height, width) for top in self.rows for left in self.columns)


def _starts(length: int, tile: int, overlap: int) -> list[int]:
    if length <= tile:
        return [0]
    count = -(-(length - overlap) // (tile - overlap))
    return [int(start) for start in np.linspace(0, length - tile, count).round()]


def merge_tiles(
    parts: Sequence[tuple[Tile, Segmentation]], size: tuple[int, int], classes: Classes
) -> Segmentation:
    """The segmentation of an image from those of its tiles.

    A thing that no border cuts is taken from one tile. Pieces of a cut one are joined where they agree on the
    pixels that both tiles see. Two pieces without a pixel in a common tile, as of a thing hidden in its
    middle, stay two. A pixel of stuff is what the tile says in whose middle it lies most.

    Parameters
    ----------
    parts
        Tiles of a `Tiling` with what was found in each, in the tile's own pixels.
    size
        (height, width) of the image.
    """
    stuff = _stuff(parts, size, classes)
    things = _things(parts, size, classes)
    order = np.argsort(scores_of(things), kind="stable")
    whole = Segmentation.concat([stuff, things[order]])
    if all(found.is_partition for _, found in parts) and not whole.is_partition:
        whole = whole.flatten().replace(amodal=None)
        whole = whole[whole.masks.area() > 0]
    return whole.replace(instance_id=instance_numbers(whole.is_thing))


def segmentation_of(
    classes: Classes, masks: Masks, class_id: NDArray[np.integer[Any]], score: NDArray[np.floating[Any]]
) -> Segmentation:
    """A prediction of these columns, things numbered in order."""
    rows = class_id.astype(np.int32)
    thing = classes.is_thing[rows] if len(rows) else np.empty(0, np.bool_)
    return Segmentation(classes, masks, rows, instance_numbers(thing), score.clip(0, 1))


def _stuff(
    parts: Sequence[tuple[Tile, Segmentation]], size: tuple[int, int], classes: Classes
) -> Segmentation:
    """One segment for each class of stuff; the borders run through the middle of the overlaps."""
    rows, columns = (sorted({getattr(tile, side) for tile, _ in parts}) for side in ("top", "left"))
    masks, class_id, sure = [Masks.empty(size)], [np.empty(0, np.int32)], [np.empty(0)]
    for tile, found in parts:
        stuff = found.stuff()
        if not len(stuff):
            continue
        y0, y1 = _middle(rows, tile.top, tile.height, size[0])
        x0, x1 = _middle(columns, tile.left, tile.width, size[1])
        seen = placing.cut(stuff.masks, (x0 - tile.left, y0 - tile.top, x1 - tile.left, y1 - tile.top))
        masks.append(placing.paste(seen, size, x=x0, y=y0))
        class_id.append(stuff.class_id)
        sure.append(scores_of(stuff))
    pieces, ids = Masks.concat(masks), np.concatenate(class_id)
    weight = np.bincount(ids, pieces.area(), len(classes))
    score = np.bincount(ids, np.concatenate(sure) * pieces.area(), len(classes)) / np.maximum(weight, 1)
    seen_classes = np.flatnonzero(weight)
    joined = pieces.merge(ids, len(classes))[seen_classes]
    return segmentation_of(classes, joined, seen_classes, score[seen_classes])


def _middle(starts: list[int], start: int, length: int, whole: int) -> tuple[int, int]:
    """The stretch of a tile for which no neighbour lies nearer: halves of the overlaps."""
    place = starts.index(start)
    first = (start + starts[place - 1] + length) // 2 if place else 0
    last = (starts[place + 1] + start + length) // 2 if place + 1 < len(starts) else whole
    return first, last


def _things(
    parts: Sequence[tuple[Tile, Segmentation]], size: tuple[int, int], classes: Classes
) -> Segmentation:
    found = [_placed(tile, each.things(), size) for tile, each in parts]
    all_things = Segmentation.concat([Segmentation.empty(classes, size).replace(score=np.empty(0)), *found])
    cut = np.concatenate([_is_cut(tile, each, size) for (tile, _), each in zip(parts, found)])
    pairs = _pairs([tile for tile, _ in parts], found)
    one, two, shared, area_one, area_two = pairs.T
    union = area_one + area_two - shared
    same_class = all_things.class_id[one] == all_things.class_id[two]
    either_cut = cut[one] | cut[two]
    least = np.where(same_class & either_cut, np.minimum(area_one, area_two), union)
    agree = shared >= SAME * least
    kept = _without_twins(scores_of(all_things), one[agree & ~either_cut], two[agree & ~either_cut])
    kept &= ~_explained(all_things, cut, kept, pairs)
    joined = agree & either_cut & kept[one] & kept[two]
    return _joined(all_things, kept, one[joined], two[joined])


def _placed(tile: Tile, things: Segmentation, size: tuple[int, int]) -> Segmentation:
    masks = placing.paste(things.masks, size, x=tile.left, y=tile.top)
    return segmentation_of(things.classes, masks, things.class_id, scores_of(things))


def _is_cut(tile: Tile, things: Segmentation, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(N,) whether a thing reaches a border of its tile that is no border of the image."""
    x0, y0, x1, y1 = things.masks.box().T
    left, top, right, bottom = tile.box
    cut = (x0 < left + EDGE) & (left > 0) | (y0 < top + EDGE) & (top > 0)
    cut |= (x1 > right - EDGE) & (right < size[1]) | (y1 > bottom - EDGE) & (bottom < size[0])
    return np.asarray(cut)


def _pairs(tiles: Sequence[Tile], found: Sequence[Segmentation]) -> NDArray[np.int64]:
    """(P, 5) things of two tiles with pixels in common: rows, those pixels, and the pixels of each there.

    All counted in the part of the image that both tiles see.
    """
    first = np.cumsum([0, *(len(each) for each in found)])
    rows = [np.empty((0, 5), np.int64)]
    for a, b in _neighbours(tiles):
        x0, y0 = max(tiles[a].left, tiles[b].left), max(tiles[a].top, tiles[b].top)
        x1, y1 = min(tiles[a].box[2], tiles[b].box[2]), min(tiles[a].box[3], tiles[b].box[3])
        inside = [_reaching(found[k].masks, (x0, y0, x1, y1)) for k in (a, b)]
        ours, theirs = (placing.cut(found[k].masks[at], (x0, y0, x1, y1)) for k, at in zip((a, b), inside))
        shared = ours.intersection(theirs)
        i, j = np.nonzero(shared)
        pair = (first[a] + inside[0][i], first[b] + inside[1][j])
        rows.append(np.stack([*pair, shared[i, j], ours.area()[i], theirs.area()[j]], 1))
    return np.concatenate(rows)


def _neighbours(tiles: Sequence[Tile]) -> Iterator[tuple[int, int]]:
    boxes = np.array([tile.box for tile in tiles])
    for a in range(len(tiles)):
        low = np.maximum(boxes[a, :2], boxes[a + 1 :, :2])
        high = np.minimum(boxes[a, 2:], boxes[a + 1 :, 2:])
        for b in np.flatnonzero((high > low).all(1)):
            yield a, a + 1 + int(b)


def _reaching(masks: Masks, box: tuple[int, int, int, int]) -> NDArray[np.int64]:
    """Rows whose box meets a box."""
    x0, y0, x1, y1 = masks.box().T
    return np.flatnonzero((x0 < box[2]) & (x1 > box[0]) & (y0 < box[3]) & (y1 > box[1]))


def _without_twins(
    score: NDArray[np.float64], one: NDArray[np.int64], two: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(N,) whether a thing is left after the surer one of each pair has taken the other's place."""
    kept = np.ones(len(score), np.bool_)
    surest = np.maximum(score[one], score[two])
    for place in np.argsort(-surest, kind="stable"):
        a, b = int(one[place]), int(two[place])
        if kept[a] and kept[b]:
            kept[b if score[a] >= score[b] else a] = False
    return kept


def _explained(
    things: Segmentation, cut: NDArray[np.bool_], kept: NDArray[np.bool_], pairs: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(N,) whether a cut piece lies mostly in things that another tile sees whole."""
    covered = np.zeros(len(things))
    for piece, whole in ((pairs[:, 0], pairs[:, 1]), (pairs[:, 1], pairs[:, 0])):
        seen = cut[piece] & ~cut[whole] & kept[whole]
        covered += np.bincount(piece[seen], pairs[seen, 2], len(things))
    return cut & (covered >= SAME * things.masks.area())


def _joined(
    things: Segmentation, kept: NDArray[np.bool_], one: NDArray[np.int64], two: NDArray[np.int64]
) -> Segmentation:
    """The kept things, linked ones as one thing: of the class of most of it, of the mean score."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(things)
    links = coo_array((np.ones(len(one)), (one, two)), (count, count))
    _, group = connected_components(links, directed=False)
    groups, group = np.unique(group[kept], return_inverse=True)
    left = things[kept]
    weight = left.masks.area() * scores_of(left)
    heaviest = np.zeros(len(groups), np.int64)
    order = np.argsort(weight, kind="stable")
    heaviest[group[order]] = order
    area = np.bincount(group, left.masks.area(), len(groups))
    score = np.bincount(group, weight, len(groups)) / np.maximum(area, 1)
    masks = left.masks.merge(group, len(groups))
    return segmentation_of(things.classes, masks, left.class_id[heaviest], score)
