"""Drawing: the segments of one image, gathered shape by shape as label files list them, back to front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import MAX_PIXELS
from inlay.core.masks import Masks
from inlay.core.placing import paste
from inlay.core.polygons import from_rings, trace
from inlay.core.segmentation import NO_TAGS, Segmentation, Tags, instance_numbers
from inlay.formats.parts.pieces import Pixels
from inlay.formats.parts.readers import fill_for, rule

FAR = 1e7  # pixels; corners beyond are no corners of any image
MOST_INSTANCE = 2**31 - 1
Ring = NDArray[np.float64]  # (K, 2) x, y
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Row:
    """What a file says of a segment beside its shape; `instance` `None` takes a free number."""

    class_name: str
    tags: Tags = NO_TAGS
    instance: int | None = None
    crowd: bool = False
    score: float | None = None
    box: Box | None = None
    source_id: int | None = None


class Drawing:
    """Gathers the rows and shapes of one image.

    Parameters
    ----------
    classes
        Of the dataset.
    size
        (height, width) of the image, pixels.
    path
        The label file, for messages.
    reader
        Tool whose way of filling polygons is meant.

    Raises
    ------
    FormatError
        When no image can have that size.
    """

    def __init__(self, classes: Classes, size: tuple[int, int], path: Path, reader: str) -> None:
        if min(size) < 1 or size[0] * size[1] > MAX_PIXELS:
            what = f"height {size[0]}, width {size[1]}: an image has 1 to {MAX_PIXELS} pixels"
            raise FormatError(path, "size", what)
        self.classes, self.size, self.path, self.reader = classes, size, path, reader
        self._rows: list[Row] = []
        self._class_id: list[int] = []
        self._rings: list[tuple[int, list[Ring]]] = []
        self._masks: list[tuple[int, Masks]] = []
        self._known = {name: row for row, name in enumerate(classes.names)}

    def row(self, row: Row, where: str) -> int:
        """Add a segment in front of the others; its number.

        Raises
        ------
        FormatError
            When its class is not among the classes, or its number is no number of an instance.
        """
        if row.class_name not in self._known:
            what = f"class {row.class_name!r} is not in the class list ({', '.join(self.classes.names[:12])})"
            raise FormatError(self.path, where, what)
        if row.instance is not None and not 0 <= row.instance <= MOST_INSTANCE:
            raise FormatError(self.path, where, f"number {row.instance} is not of 0 .. {MOST_INSTANCE}")
        self._rows.append(row)
        self._class_id.append(self._known[row.class_name])
        return len(self._rows) - 1

    def polygon(self, row: int, rings: Sequence[Ring]) -> None:
        """Add a part to a segment: its outer ring and then its holes."""
        self._rings.append((row, list(rings)))

    def piece(self, row: int, pixels: Pixels, x: int, y: int) -> None:
        """Add a bitmap to a segment, its first pixel at column `x` and row `y`; what is outside is cut."""
        try:
            self.mask(row, paste(Masks.encode(pixels), self.size, x=x, y=y))
        except InlayError as error:
            raise FormatError(self.path, f"segment {row + 1}", str(error)) from None

    def mask(self, row: int, masks: Masks) -> None:
        """Add one mask of the whole image to a segment."""
        self._masks.append((row, masks[0]))

    def masks(self) -> Masks:
        """The masks of the rows: unions of their parts."""
        owners = [row for row, _ in self._rings] + [row for row, _ in self._masks]
        parts = [
            fill_for(self.reader, from_rings([[part] for _, part in self._rings]), self.size),
            *(masks for _, masks in self._masks),
        ]
        return Masks.concat(parts).merge(owners, len(self._rows))

    def segmentation(self, *, image_tags: Tags = NO_TAGS) -> Segmentation:
        """The segments; numbers of those that have none are free ones, their place if it is free.

        Raises
        ------
        FormatError
            When some have a score and others have none.
        """
        masks = self.masks()
        class_id = np.array(self._class_id, np.int32)
        scores = [row.score for row in self._rows]
        if None in scores and any(score is not None for score in scores):
            where = f"segment {scores.index(None) + 1}"
            raise FormatError(self.path, where, "has no score, while others of its image have one")
        sources = [row.source_id for row in self._rows]
        boxes = masks.box().astype(np.float64)
        stated = any(row.box is not None for row in self._rows)
        for i, row in enumerate(self._rows):
            boxes[i] = boxes[i] if row.box is None else row.box
        try:
            return Segmentation(
                self.classes,
                masks,
                class_id,
                self._instances(class_id),
                score=np.array(scores, np.float64) if scores and None not in scores else None,
                crowd=np.array([row.crowd for row in self._rows], np.bool_),
                tags=tuple(row.tags for row in self._rows),
                source_id=np.array(sources, np.int64) if sources and None not in sources else None,
                stated_box=boxes if stated else None,
                image_tags=image_tags,
            )
        except (InlayError, OverflowError) as error:
            raise FormatError(self.path, "", str(error)) from None

    def _instances(self, class_id: NDArray[np.int32]) -> NDArray[np.int32]:
        numbers = instance_numbers(self.classes.is_thing[class_id] if len(class_id) else [])
        given = {row.instance for row in self._rows if row.instance}
        for i, row in enumerate(self._rows):
            if row.instance is not None:
                numbers[i] = row.instance
            elif int(numbers[i]) in given:
                numbers[i] = max(given) + 1 if max(given) < MOST_INSTANCE else numbers[i]
                given.add(int(numbers[i]))
        return numbers


def ring_of(value: Any, path: Path, where: str) -> Ring:
    """A (K, 2) ring of [[x, y], ...] or [x, y, ...].

    Raises
    ------
    FormatError
        When it is neither, or a coordinate is no place in an image.
    """
    try:
        ring = np.array(value, np.float64)
        ring = ring.reshape(-1, 2) if ring.ndim < 2 or ring.shape[1] == 2 else np.empty(0)
    except (TypeError, ValueError, OverflowError):
        ring = np.empty(0)
    if ring.ndim != 2 or not (np.abs(ring) <= FAR).all():
        raise FormatError(path, where, f"expected [[x, y], ...] in pixels, up to {FAR:.0f} of them away")
    return ring


def turned(corners: Ring, about: NDArray[np.float64], angle: float) -> Ring:
    """Corners turned about a point by degrees, clockwise on the screen."""
    turn = np.deg2rad(angle)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray((corners - about) @ matrix + about)


def outlines(masks: Masks, reader: str) -> list[Ring | None]:
    """The one ring that holds each mask exactly as `reader` fills it; `None` for holes, parts, no pixel."""
    polygons = trace(masks, rule=rule(reader))
    return [parts[0][0] if len(parts) == 1 and len(parts[0]) == 1 else None for parts in polygons]


def group_numbers(label: Segmentation) -> list[int | None]:
    """Numbers by which files tell that shapes are one segment: given where they say more than the order.

    Tools join shapes of one class and one number: where two segments share both, no number is given.
    """
    pairs = [pair for pair in zip(label.class_id.tolist(), label.instance_id.tolist()) if pair[1] > 0]
    usual = np.array_equal(label.instance_id, instance_numbers(label.is_thing))
    if usual or len(set(pairs)) < len(pairs):
        return [None] * len(label)
    return [number if number > 0 else None for number in label.instance_id.tolist()]


def is_bare_box(label: Segmentation) -> NDArray[np.bool_]:
    """(N,) whether a segment has a stated box and no pixel."""
    if label.stated_box is None:
        return np.zeros(len(label), np.bool_)
    box = label.stated_box
    return np.asarray((label.masks.area() == 0) & (box[:, 2:] > box[:, :2]).all(axis=1))
