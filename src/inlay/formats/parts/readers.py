"""Readers: which pixels a tool sees in a polygon, and how much of the masks an export keeps for it.

Polygons have no fixed meaning. pycocotools and detectron2 fill up to pixel edges; OpenCV, and what is built
on it, draws through pixel centres. An export that names its reader is written for it and read again as it
would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.polygons import Polygons, Rule, fill, from_rings
from inlay.core.segmentation import Segmentation

RULES: dict[str, Rule] = {
    "pycocotools": "pixel_edge",
    "detectron2": "pixel_edge",
    "cvat": "pixel_edge",  # its masks of polygons are pycocotools'
    "rasterio": "pixel_edge",
    "opencv": "pixel_centre",
    "ultralytics": "pixel_centre",
    "supervision": "pixel_centre",
    "supervisely": "pixel_centre",
    "labelme": "pixel_centre",  # Pillow draws through centres, and cuts fractions off
}
Rounding = Literal["nearest", "down"]
ROUNDING: dict[str, Rounding] = {
    "opencv": "nearest",
    "supervisely": "nearest",
    "ultralytics": "down",
    "supervision": "down",
    "labelme": "down",
}
SNAP = 1e-6  # pixels: shares and percents of an image give whole corners back up to this


def rule(reader: str) -> Rule:
    """How a tool fills polygons.

    Raises
    ------
    InlayError
        When the tool is not known, naming those that are.
    """
    if reader not in RULES:
        raise InlayError(f"there is no reader {reader!r}; known are {', '.join(sorted(RULES))}")
    return RULES[reader]


def rounded(points: NDArray[np.float64], rounding: Rounding) -> NDArray[np.float64]:
    """The pixels that corners with fractions become; what is whole but for rounding errors stays."""
    return np.floor(points + 0.5) if rounding == "nearest" else np.floor(points + SNAP)


def fill_for(reader: str, polygons: Polygons, size: tuple[int, int]) -> Masks:
    """The masks that a tool sees in polygons, corners rounded as it does."""
    how = rule(reader)
    if how == "pixel_centre":
        polygons = polygons.replace_points(rounded(polygons.points, ROUNDING[reader]))
    return fill(polygons, size, rule=how)


def fill_even_odd(reader: str, rings: Sequence[NDArray[np.float64]], size: tuple[int, int]) -> Masks:
    """The one mask of the pixels that an odd number of (K, 2) rings enclose, as a tool fills each."""
    if rule(reader) == "pixel_centre" or len(rings) < 2:  # OpenCV draws the rim of every ring
        return fill_for(reader, from_rings([[list(rings)] if rings else []]), size)
    each = fill_for(reader, from_rings([[[ring]] for ring in rings]), size)
    odd = each[0]
    for i in range(1, len(each)):
        odd = (odd | each[i]) - (odd & each[i])
    return odd


@dataclass(frozen=True)
class Kept:
    """What the reader of an export sees of the masks.

    Parameters
    ----------
    reader
        The tool.
    mean, least
        Mean and least IoU of the segments with what was written.
    worst
        The segment with the least IoU, by name; empty where there is no segment.
    """

    reader: str
    mean: float
    least: float
    worst: str = ""

    def __str__(self) -> str:
        worst = f" at {self.worst}" if self.worst and self.least < 1 else ""
        return f"read again as {self.reader} does: IoU mean {self.mean:.4f}, least {self.least:.4f}{worst}"


def compare(reader: str, written: Dataset, seen: Dataset) -> Kept:
    """IoU of each segment with what its file gives back; a sample or segment that is gone counts 0."""
    values: list[float] = []
    worst, worst_name = 2.0, ""
    known = set(seen.names)
    for sample in written:
        label = sample.segmentation
        if label is None or not len(label):
            continue
        again = seen.load(sample.name).segmentation if sample.name in known else None
        iou = np.zeros(len(label)) if again is None else _row_iou(label, again)
        values += iou.tolist()
        row = int(np.argmin(iou))
        if iou[row] < worst:
            worst, worst_name = float(iou[row]), f"{sample.name} row {row} ({label.class_names[row]})"
    if not values:
        return Kept(reader, 1.0, 1.0)
    return Kept(reader, float(np.mean(values)), worst, worst_name)


def _row_iou(label: Segmentation, again: Segmentation) -> NDArray[np.float64]:
    """(N,) IoU of each row with its own row, or with the best of its class where rows were split or lost."""
    if again.size != label.size or not len(again):
        return np.zeros(len(label))
    iou = label.masks.iou(again.masks)
    both_empty = (label.masks.area() == 0)[:, None] & (again.masks.area() == 0)[None]
    iou = np.where(both_empty, 1.0, iou)
    names, other = np.array(label.class_names), np.array(again.class_names)
    if len(label) == len(again) and bool((names == other).all()):
        return np.ascontiguousarray(np.diagonal(iou))
    best: NDArray[np.float64] = np.where(names[:, None] == other[None], iou, 0.0).max(axis=1)
    return best
