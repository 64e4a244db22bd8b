"""Writing the annotations of COCO labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType
from numpy.typing import NDArray

from inlay.core.dataset import Dataset, Sample
from inlay.core.polygons import Rule
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.coco_classes import category_ids
from inlay.formats.parts.coco_folders import ImageList
from inlay.formats.parts.coco_json import Rle
from inlay.formats.parts.coco_masks import write_masks
from inlay.formats.parts.tag_words import attributes_of


class _Annotation(Struct):
    """An annotation without `id` and `image_id`, which are known when all are."""

    category_id: int
    iscrowd: int
    bbox: list[float]
    area: float
    segmentation: list[list[int]] | Rle
    score: float | UnsetType = UNSET
    instance_id: int | UnsetType = UNSET
    attributes: Mapping[str, Any] | UnsetType = UNSET
    inlay: Mapping[str, Any] | UnsetType = UNSET


class LabelWriter:
    """Gathers the samples of one label file."""

    def __init__(self, dataset: Dataset, rule: Rule, *, only_polygons: bool) -> None:
        self._images = ImageList(dataset)
        self._category_ids = np.array(category_ids(dataset.classes), np.int64)
        self._rule, self._only_polygons = rule, only_polygons
        self._texts: list[list[bytes]] = []
        self._ids: list[NDArray[np.int64] | None] = []

    def add(self, sample: Sample, file_name: str, *, name: str, split: str) -> None:
        """Add a sample whose image is `file_name`; `name` and `split` are what these say by themselves."""
        self._images.add(sample, file_name, name=name, split=split)
        label = sample.segmentation
        self._ids.append(np.empty(0, np.int64) if label is None else label.source_id)
        self._texts.append([] if label is None else self._annotations(label, video=sample.frame is not None))

    def _annotations(self, label: Segmentation, *, video: bool) -> list[bytes]:
        if not len(label):
            return []
        geometries = write_masks(
            label.masks, runs=label.crowd, rule=self._rule, only_polygons=self._only_polygons
        )
        boxes = (
            xywh(label.boxes()).tolist() if label.stated_box is not None else xywh(label.masks.box()).tolist()
        )
        areas = label.areas().tolist() if label.stated_area is not None else label.masks.area().tolist()
        categories = self._category_ids[label.class_id].tolist()
        rows = [
            _Annotation(*values)
            for values in zip(categories, label.crowd.astype(int).tolist(), boxes, areas, geometries)
        ]
        self._add_extras(rows, label, video=video)
        return [msgspec.json.encode(row) for row in rows]

    def _add_extras(self, rows: Sequence[_Annotation], label: Segmentation, *, video: bool) -> None:
        if label.score is not None:
            for row, score in zip(rows, label.score.tolist()):
                row.score = score
        usual = (
            np.zeros(len(label), np.bool_) if video else label.instance_id == instance_numbers(label.is_thing)
        )
        for i in np.flatnonzero(~usual).tolist():
            rows[i].instance_id = int(label.instance_id[i])
        for row, tags in zip(rows, label.tags):
            row.attributes = attributes_of(tags)
        if label.amodal is not None:
            never = np.zeros(len(label), np.bool_)
            for row, geometry in zip(rows, write_masks(label.amodal, runs=never, rule=self._rule)):
                row.inlay = {"amodal": geometry}
        empty = label.masks.area() == 0
        if label.stated_box is not None and empty.any():
            for i in np.flatnonzero(empty & (label.stated_box[:, 2] > label.stated_box[:, 0])).tolist():
                rows[i].segmentation = []

    def write(self, path: Path) -> None:
        """Write the file; ids of the source are kept where they are distinct and above 0."""
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


def xywh(boxes: NDArray[Any]) -> NDArray[Any]:
    """(N, 4) x, y, width, height of corner boxes, with widths that give the same corners back."""
    found = boxes.copy()
    near, far = boxes[:, :2], boxes[:, 2:]
    extent = far - near
    found[:, 2:] = extent
    for better in (np.nextafter(extent, np.inf), np.nextafter(extent, -np.inf), np.round(extent, 6)):
        found[:, 2:] = np.where(near + better == far, better, found[:, 2:])
    return found
