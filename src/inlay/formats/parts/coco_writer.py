"""Writing the annotations of COCO labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Raw, Struct, UnsetType
from numpy.typing import NDArray

from inlay.core.dataset import Dataset, Sample
from inlay.core.masks import Masks
from inlay.core.polygons import Rule
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.coco_classes import category_ids
from inlay.formats.parts.coco_folders import ImageList
from inlay.formats.parts.coco_masks import write_masks
from inlay.formats.parts.tag_words import attributes_of

NOTHING = Raw(b"[]")


class _Annotation(Struct, gc=False):
    """An annotation without `id` and `image_id`, which are known when all are."""

    category_id: int
    iscrowd: int
    bbox: list[float]
    area: float
    segmentation: Raw
    score: float | UnsetType = UNSET
    instance_id: int | UnsetType = UNSET
    attributes: Mapping[str, Any] | UnsetType = UNSET
    inlay: Mapping[str, Any] | UnsetType = UNSET


BLOCK = 4096  # segments written at once: work on each image by itself would cost more than what is written


class LabelWriter:
    """Gathers the samples of one label file."""

    def __init__(self, dataset: Dataset, rule: Rule, *, only_polygons: bool) -> None:
        self._images = ImageList(dataset)
        self._category_ids = np.array(category_ids(dataset.classes), np.int64)
        self._rule, self._only_polygons = rule, only_polygons
        self._waiting: dict[int, tuple[Segmentation, bool]] = {}  # by place, with whether it is of a video
        self._rows = 0  # of those that wait
        self._texts: list[list[bytes]] = []
        self._ids: list[NDArray[np.int64] | None] = []

    def add(self, sample: Sample, file_name: str, *, name: str, split: str) -> None:
        """Add a sample whose image is `file_name`; `name` and `split` are what these say by themselves."""
        self._images.add(sample, file_name, name=name, split=split)
        label = sample.segmentation
        self._ids.append(np.empty(0, np.int64) if label is None else label.source_id)
        self._texts.append([])
        if label is not None and len(label):
            self._waiting[len(self._texts) - 1] = label, sample.frame is not None
            self._rows += len(label)
            if self._rows >= BLOCK:
                self._write_waiting()

    def _write_waiting(self) -> None:
        """The texts of all samples that wait, images of one size together."""
        sizes: dict[tuple[int, int], list[int]] = {}
        for place, (label, _) in self._waiting.items():
            sizes.setdefault(label.size, []).append(place)
        for places in sizes.values():
            labels = [self._waiting[place][0] for place in places]
            drawn = _Drawn.of(labels, self._rule, only_polygons=self._only_polygons)
            start = 0
            for place, label in zip(places, labels):
                own = drawn[start : start + len(label)]
                self._texts[place] = self._annotations(label, own, video=self._waiting[place][1])
                start += len(label)
        self._waiting.clear()
        self._rows = 0

    def _annotations(self, label: Segmentation, drawn: _Drawn, *, video: bool) -> list[bytes]:
        categories = self._category_ids[label.class_id].tolist()
        crowds = label.crowd.astype(int).tolist()
        areas = drawn.area if label.stated_area is None else label.stated_area
        rows = [
            _Annotation(*values)
            for values in zip(categories, crowds, drawn.box, areas.tolist(), drawn.geometry)
        ]
        self._add_extras(rows, label, drawn.area == 0, video=video)
        return [msgspec.json.encode(row) for row in rows]

    def _add_extras(
        self, rows: Sequence[_Annotation], label: Segmentation, empty: NDArray[np.bool_], *, video: bool
    ) -> None:
        if label.score is not None:
            for row, score in zip(rows, label.score.tolist()):
                row.score = score
        usual = (
            np.zeros(len(label), np.bool_) if video else label.instance_id == instance_numbers(label.is_thing)
        )
        for i in np.flatnonzero(~usual).tolist():
            rows[i].instance_id = int(label.instance_id[i])
        for row, tags in zip(rows, label.tags):
            if tags:
                row.attributes = attributes_of(tags)
        if label.amodal is not None:
            never = np.zeros(len(label), np.bool_)
            for row, geometry in zip(rows, write_masks(label.amodal, runs=never, rule=self._rule)):
                row.inlay = {"amodal": geometry}
        if label.stated_box is not None and empty.any():
            for i in np.flatnonzero(empty & (label.stated_box[:, 2] > label.stated_box[:, 0])).tolist():
                rows[i].segmentation = NOTHING

    def write(self, path: Path) -> None:
        """Write the file; ids of the source are kept where they are distinct and above 0."""
        self._write_waiting()
        owners = [number for number, each in zip(self._images.ids(), self._texts) for _ in each]
        texts = [text for each in self._texts for text in each]
        given = [
            np.zeros(len(each), np.int64) if ids is None else ids for ids, each in zip(self._ids, self._texts)
        ]
        source = np.concatenate([np.empty(0, np.int64), *given])
        if texts and int(source.min()) > 0 and np.unique(source).size == source.size:
            heads = [b'{"id":%d,"image_id":%d,' % pair for pair in zip(source.tolist(), owners)]
        else:
            heads = [b'{"id":%d,"image_id":%d,' % pair for pair in enumerate(owners, 1)]
            has = [ids is not None for ids, each in zip(self._ids, self._texts) for _ in each]
            for row in np.flatnonzero(has).tolist():
                heads[row] += b'"source_id":%d,' % source[row]
        annotations = [head + text[1:] for head, text in zip(heads, texts)]
        self._images.write(path, annotations, kinds=False)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What the masks of segments say, those of many images at once."""

    geometry: list[Raw]  # (N,)
    box: list[list[float]]  # (N) x, y, width, height, as stated or of the mask
    area: NDArray[np.int64]  # (N,) of the mask

    @classmethod
    def of(cls, labels: Sequence[Segmentation], rule: Rule, *, only_polygons: bool) -> _Drawn:
        """Of labels of one image size, one after another."""
        masks = Masks.concat(label.masks for label in labels)
        crowd = np.concatenate([label.crowd for label in labels])
        texts = write_masks(masks, runs=crowd, rule=rule, only_polygons=only_polygons)
        boxes = xywh(masks.box()).tolist()
        stated = [label.stated_box is not None for label in labels for _ in range(len(label))]
        known = [label.stated_box for label in labels if label.stated_box is not None]
        sides = xywh(np.concatenate(known)).tolist() if known else []
        for row, side in zip(np.flatnonzero(stated).tolist(), sides):
            boxes[row] = side
        return cls(texts, boxes, masks.area())

    def __getitem__(self, rows: slice) -> _Drawn:
        return _Drawn(self.geometry[rows], self.box[rows], self.area[rows])


def xywh(boxes: NDArray[Any]) -> NDArray[Any]:
    """(N, 4) x, y, width, height of corner boxes, with widths that give the same corners back."""
    found = boxes.copy()
    near, far = boxes[:, :2], boxes[:, 2:]
    extent = far - near
    found[:, 2:] = extent
    for better in (np.nextafter(extent, np.inf), np.nextafter(extent, -np.inf), np.round(extent, 6)):
        found[:, 2:] = np.where(near + better == far, better, found[:, 2:])
    return found
