"""Writing the annotations of COCO labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.dataset import Dataset, Sample
from inlay.core.masks import Masks
from inlay.core.polygons import Rule
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.coco_classes import category_ids
from inlay.formats.parts.coco_columns import Texts
from inlay.formats.parts.coco_folders import ImageList
from inlay.formats.parts.coco_masks import write_masks
from inlay.formats.parts.tag_words import attributes_of

BLOCK = 4096  # segments written at once: work on each image by itself would cost more than what is written
ID, IMAGE, SOURCE_ID, CATEGORY, CROWD, INSTANCE_ID = range(6)  # columns of whole numbers
BOX, AREA, SCORE = slice(0, 4), 4, 5  # and of real ones
HAS_SOURCE, WHOLE_BOX, WHOLE_AREA, HAS_SCORE, HAS_INSTANCE = (1 << bit for bit in range(5))


class LabelWriter:
    """Gathers the samples of one label file."""

    def __init__(self, dataset: Dataset, rule: Rule, *, only_polygons: bool) -> None:
        self._images = ImageList(dataset)
        self._category_ids = np.array(category_ids(dataset.classes), np.int64)
        self._rule, self._only_polygons = rule, only_polygons
        self._count = 0  # of images
        self._waiting: list[_Placed] = []
        self._rows = 0  # of those that wait
        self._blocks: list[_Block] = []

    def add(self, sample: Sample, file_name: str, *, name: str, split: str) -> None:
        """Add a sample whose image is `file_name`; `name` and `split` are what these say by themselves."""
        self._images.add(sample, file_name, name=name, split=split)
        label = sample.segmentation
        if label is not None and len(label):
            self._waiting.append(_Placed(self._count, label, sample.frame is not None))
            self._rows += len(label)
            if self._rows >= BLOCK:
                self._write_waiting()
        self._count += 1

    def _write_waiting(self) -> None:
        if self._waiting:
            rows = _Rows(self._waiting, self._rule, only_polygons=self._only_polygons)
            self._blocks.append(rows.block(self._category_ids))
        self._waiting = []
        self._rows = 0

    def write(self, path: Path) -> None:
        """Write the file; ids of the source are kept where they are distinct and above 0."""
        self._write_waiting()
        self._images.write(path, self._annotations(), kinds=False)

    def _annotations(self) -> Iterator[memoryview]:
        image_ids = np.array(self._images.ids(), np.int64)
        source = np.concatenate(
            [np.empty(0, np.int64), *(block.whole[:, SOURCE_ID] for block in self._blocks)]
        )
        kept = source.size and int(source.min()) > 0 and np.unique(source).size == source.size
        ids = source if kept else np.arange(1, source.size + 1)
        start = 0
        for block in self._blocks:
            whole, end = block.whole.copy(), start + len(block.whole)
            whole[:, ID], whole[:, IMAGE] = ids[start:end], image_ids[block.whole[:, IMAGE]]
            says = block.says & np.uint8(~HAS_SOURCE & 0xFF) if kept else block.says
            geometry, more = block.geometry.spans, block.more.spans + block.geometry.data.size
            text = np.concatenate([block.geometry.data, block.more.data])
            yield kernels.write_annotations(says, whole, block.real, text, geometry, more).data
            start = end


@dataclass(frozen=True, eq=False)
class _Placed:
    """The segments of an image, its place in the file, and whether it is of a video."""

    place: int
    label: Segmentation
    video: bool


@dataclass(frozen=True, eq=False)
class _Block:
    """Annotations as `kernels.write_annotations` takes them, but for their ids, with places for image ids."""

    says: NDArray[np.uint8]  # (N,)
    whole: NDArray[np.int64]  # (N, 6)
    real: NDArray[np.float64]  # (N, 6)
    geometry: Texts
    more: Texts  # what follows the last number


class _Rows:
    """The rows of segmentations one after another."""

    def __init__(self, images: Sequence[_Placed], rule: Rule, *, only_polygons: bool) -> None:
        self._images = images
        self._labels = [image.label for image in images]
        self._lengths = np.array([len(label) for label in self._labels])
        self._ends = np.cumsum(self._lengths)
        self._rule, self._only_polygons = rule, only_polygons

    def block(self, category_ids: NDArray[np.int64]) -> _Block:
        """What is written of them."""
        labels, count = self._labels, int(self._ends[-1])
        says, whole, real = np.zeros(count, np.uint8), np.zeros((count, 6), np.int64), np.empty((count, 6))
        whole[:, IMAGE] = np.repeat([image.place for image in self._images], self._lengths)
        whole[:, CATEGORY] = category_ids[np.concatenate([label.class_id for label in labels])]
        whole[:, CROWD] = np.concatenate([label.crowd for label in labels])
        whole[:, INSTANCE_ID] = np.concatenate([label.instance_id for label in labels])
        says[self._renumbered()] |= HAS_INSTANCE
        geometry, boxes, areas = self._drawn(whole[:, CROWD] != 0)
        real[:, BOX], real[:, AREA] = boxes, areas
        says |= np.uint8(WHOLE_BOX | WHOLE_AREA)
        for column, name, has, lacks in (
            (real[:, SCORE], "score", HAS_SCORE, 0),
            (whole[:, SOURCE_ID], "source_id", HAS_SOURCE, 0),
            (real[:, AREA], "stated_area", 0, WHOLE_AREA),
            (real[:, BOX], "stated_box", 0, WHOLE_BOX),
        ):
            rows = self._said(name, column)
            says[rows] = says[rows] & ~np.uint8(lacks) | np.uint8(has)
        boxed = (areas == 0) & (says & WHOLE_BOX == 0) & (real[:, 2] > real[:, 0])
        if boxed.any():  # a box alone: no pixels are known
            nothing = Texts.of([Raw(b"[]")])
            geometry = geometry.replace(np.flatnonzero(boxed), nothing[np.zeros(int(boxed.sum()), np.int64)])
        real[:, BOX] = xywh(real[:, BOX])
        return _Block(says, whole, real, geometry, self._more())

    def _said(self, name: str, column: NDArray[Any]) -> NDArray[np.bool_]:
        """The rows of labels that have a column of that name, which is put into `column`."""
        found = [values for label in self._labels if (values := getattr(label, name)) is not None]
        rows = np.repeat([getattr(label, name) is not None for label in self._labels], self._lengths)
        if found:
            column[rows] = np.concatenate(found)
        return rows

    def _renumbered(self) -> NDArray[np.bool_]:
        """(N,) things whose numbers are not what a reader would give them, and all of videos."""
        usual = [
            np.zeros(len(image.label), np.bool_)
            if image.video
            else image.label.instance_id == instance_numbers(image.label.is_thing)
            for image in self._images
        ]
        return ~np.concatenate(usual)

    def _by_size(self) -> Iterator[tuple[list[Segmentation], NDArray[np.int64]]]:
        """Labels of one image size, and their rows."""
        sizes: dict[tuple[int, int], list[int]] = {}
        for k, label in enumerate(self._labels):
            sizes.setdefault(label.size, []).append(k)
        for of_size in sizes.values():
            rows = [np.arange(self._ends[k] - self._lengths[k], self._ends[k]) for k in of_size]
            yield [self._labels[k] for k in of_size], np.concatenate(rows)

    def _drawn(self, crowd: NDArray[np.bool_]) -> tuple[Texts, NDArray[np.float64], NDArray[np.int64]]:
        """Geometry, boxes and areas of the masks."""
        boxes, areas = np.empty((len(crowd), 4)), np.empty(len(crowd), np.int64)
        parts, order = [], []
        for labels, rows in self._by_size():
            masks = Masks.concat(label.masks for label in labels)
            boxes[rows], areas[rows] = masks.box(), masks.area()
            parts.append(
                write_masks(masks, runs=crowd[rows], rule=self._rule, only_polygons=self._only_polygons)
            )
            order.append(rows)
        return Texts.concat(parts)[np.argsort(np.concatenate(order))], boxes, areas

    def _more(self) -> Texts:
        """Attributes and full extents."""
        found = [b""] * int(self._ends[-1])
        for label, end in zip(self._labels, self._ends.tolist()):
            if any(label.tags):
                for row, tags in enumerate(label.tags, end - len(label)):
                    if tags:
                        found[row] = b',"attributes":' + msgspec.json.encode(attributes_of(tags))
            if label.amodal is not None:
                never = np.zeros(len(label), np.bool_)
                texts = write_masks(label.amodal, runs=never, rule=self._rule)
                for row, text in enumerate(texts, end - len(label)):
                    found[row] += b',"inlay":{"amodal":' + bytes(text) + b"}"
        return Texts.of([Raw(each) for each in found]) if any(found) else Texts.empty(len(found))


def xywh(boxes: NDArray[Any]) -> NDArray[Any]:
    """(N, 4) x, y, width, height of corner boxes, with widths that give the same corners back."""
    found = boxes.copy()
    near, far = boxes[:, :2], boxes[:, 2:]
    extent = far - near
    found[:, 2:] = extent
    for better in (np.nextafter(extent, np.inf), np.nextafter(extent, -np.inf), np.round(extent, 6)):
        found[:, 2:] = np.where(near + better == far, better, found[:, 2:])
    return found
