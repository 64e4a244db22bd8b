"""Rows of YOLO label files: a class, then a box or a ring in shares of the image, then perhaps a score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.errors import FormatError
from inlay.core.masks import Masks
from inlay.core.polygons import Polygons, fill, trace
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.keyholes import single_rings
from inlay.formats.parts.readers import Rounding, rounded

QUARTER = (
    0.25  # of a pixel: a corner written this far into its pixel is found by readers that round and that cut
)
SLACK = 0.01  # how far over the sides of the image a corner may lie


@dataclass(frozen=True)
class Row:
    """One row: class, the numbers of its ring or box, its score."""

    class_id: int
    values: tuple[float, ...]
    score: float | None

    @property
    def is_box(self) -> bool:
        """Whether it is centre, width and height of a box."""
        return len(self.values) == 4


def read_rows(path: Path, classes: Classes) -> list[Row]:
    """The rows of a label file.

    Raises
    ------
    FormatError
        When a row is none, its class is not in the list, or a corner lies outside the image.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise FormatError(path, "", "no text: is this a label file?") from None
    except OSError as error:
        raise FormatError(path, "", error.strerror or str(error)) from None
    return [_row(line.split(), path, number, classes) for number, line in enumerate(lines, 1) if line.strip()]


def _row(words: list[str], path: Path, line: int, classes: Classes) -> Row:
    where = f"line {line}"
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        bad = next(word for word in words if not _is_number(word))
        raise FormatError(path, where, f"{bad[:40]!r} is no number") from None
    if not all(map(math.isfinite, numbers)):
        raise FormatError(path, where, "nan and inf are no places in an image")
    class_id, values = numbers[0], numbers[1:]
    if class_id != int(class_id) or not 0 <= class_id < len(classes):
        what = f"class {words[0]} is not among the {len(classes)} of data.yaml (0 to {len(classes) - 1})"
        raise FormatError(path, where, what)
    if len(values) < 4:
        what = f"{len(values)} numbers after the class; a box has 4, a ring 6 or more"
        raise FormatError(path, where, what)
    score = values.pop() if len(values) % 2 else None
    far = max(values, key=lambda value: abs(value - 0.5))
    if not -SLACK <= far <= 1 + SLACK:
        raise FormatError(
            path, where, f"{far:g} is outside 0 to 1: coordinates are shares of the image, not pixels"
        )
    return Row(int(class_id), tuple(values), score)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def segmentation_of(
    rows: list[Row], size: tuple[int, int], classes: Classes, path: Path, rounding: Rounding
) -> Segmentation:
    """Rows as segments, rings filled through pixel centres; boxes have no pixels and a stated box."""
    height, width = size
    class_id = np.array([row.class_id for row in rows], np.int32)
    scores = [row.score for row in rows]
    if any(score is None for score in scores) and any(score is not None for score in scores):
        raise FormatError(path, f"row {scores.index(None) + 1}", "no score, while other rows have one")
    lengths = [0 if row.is_box else len(row.values) // 2 for row in rows]
    flat = [value for row in rows if not row.is_box for value in row.values]
    corners = np.array(flat, np.float64).reshape(-1, 2) * (width, height)
    corners = rounded(corners, rounding)
    rings = np.array(lengths) > 0
    ring_offsets = np.cumsum([0, *(length for length in lengths if length)])
    mask_offsets = np.concatenate([[0], np.cumsum(rings)]) if rows else np.zeros(1, np.int64)
    masks = fill(
        Polygons(corners, ring_offsets, mask_offsets, np.zeros(int(rings.sum()), np.bool_)),
        size,
        rule="pixel_centre",
    )
    return Segmentation(
        classes,
        masks,
        class_id,
        instance_numbers(classes.is_thing[class_id]),
        score=np.array(scores, np.float64) if rows and scores[0] is not None else None,
        stated_box=_boxes(rows, masks, size) if not rings.all() else None,
    )


def _boxes(rows: list[Row], masks: Masks, size: tuple[int, int]) -> NDArray[np.float64]:
    boxes = masks.box().astype(np.float64)
    for i, row in enumerate(rows):
        if row.is_box:
            x, y, width, height = row.values
            box = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
            boxes[i] = np.round(box * (size[1], size[0], size[1], size[0]), 4)
    return boxes


def text_of(label: Segmentation) -> str:
    """The rows of a segmentation as text; holes are joined to their ring, parts to one another.

    Crowds, segments of void classes and those without a pixel or a box are left out;
    boxes end where the image does.
    """
    height, width = label.size
    scale = np.array([width, height], np.float64)
    boxes = label.boxes().clip(0, [width, height, width, height])
    skip = label.crowd | label.classes.is_void[label.class_id] if len(label) else label.crowd
    rings = single_rings(trace(label.masks, rule="pixel_centre"))
    lines = []
    for i, ring in enumerate(rings):
        x0, y0, x1, y1 = boxes[i].tolist()
        if skip[i] or (not len(ring) and (x1 <= x0 or y1 <= y0)):
            continue
        if len(ring):
            values = ((ring + QUARTER) / scale).reshape(-1)
        else:
            values = np.array(
                [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height]
            )
        words = [str(int(label.class_id[i])), *(f"{value:.8g}" for value in values.tolist())]
        if label.score is not None:
            words.append(repr(float(label.score[i])))
        lines.append(" ".join(words) + "\n")
    return "".join(lines)
