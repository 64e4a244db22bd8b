"""Writing COCO panoptic labels: a JSON file and a PNG for each image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Struct, UnsetType
from numpy.typing import NDArray

from inlay.core.dataset import Dataset, Sample
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.coco_classes import category_ids
from inlay.formats.parts.coco_folders import ImageList
from inlay.formats.parts.coco_json import Rle
from inlay.formats.parts.coco_panoptic_labels import LIMIT
from inlay.formats.parts.coco_writer import xywh
from inlay.formats.parts.places import place, save_png
from inlay.formats.parts.tag_words import attributes_of


class _Segment(Struct):
    id: int
    category_id: int
    area: float
    bbox: list[float]
    iscrowd: int
    score: float | UnsetType = UNSET
    instance_id: int | UnsetType = UNSET
    source_id: int | UnsetType = UNSET
    attributes: Mapping[str, Any] | UnsetType = UNSET
    segmentation: Rle | UnsetType = UNSET


class PanopticWriter:
    """Gathers the samples of one panoptic file, and writes their PNG files as they come."""

    def __init__(self, dataset: Dataset, path: Path) -> None:
        self._images = ImageList(dataset)
        self._category_ids = np.array(category_ids(dataset.classes), np.int64)
        self._folder = path.with_suffix("")
        self._texts: list[tuple[int, bytes]] = []
        self._count = 0

    def add(self, sample: Sample, file_name: str, *, name: str, split: str) -> None:
        """Add a sample whose image is `file_name`; `name` and `split` are what these say by themselves."""
        self._images.add(sample, file_name, name=name, split=split)
        if sample.segmentation is not None:
            png = place(self._folder, str(Path(file_name).with_suffix("").as_posix()), ".png")
            text = self._annotation(sample.segmentation, png, video=sample.frame is not None)
            self._texts.append((self._count, text))
        self._count += 1

    def _annotation(self, label: Segmentation, png: Path, *, video: bool) -> bytes:
        ids = segment_ids(label)
        void = label.classes.is_void[label.class_id] if len(label) else np.empty(0, np.bool_)
        painted = label.masks.paint(np.where(void, 0, ids))
        colours = np.stack([painted & 255, painted >> 8 & 255, painted >> 16], axis=2)
        save_png(colours.astype(np.uint8), png)
        segments = self._segments(label, ids, video=video)
        seen = np.isin(ids, painted) & ~void
        strings = label.masks.to_strings()
        for row in np.flatnonzero(void).tolist():
            segments[row].segmentation = Rle(label.size, strings[row].decode("ascii"))
        entry: dict[str, Any] = {"file_name": png.relative_to(self._folder).as_posix()}
        entry["segments_info"] = [segments[row] for row in np.flatnonzero(seen).tolist()]
        if void.any():
            entry["inlay"] = {"void": [segments[row] for row in np.flatnonzero(void).tolist()]}
        return msgspec.json.encode(entry)

    def _segments(self, label: Segmentation, ids: NDArray[np.int64], *, video: bool) -> list[_Segment]:
        boxes = label.masks.box() if label.stated_box is None else label.stated_box
        areas = label.masks.area() if label.stated_area is None else label.stated_area
        columns = (ids, self._category_ids[label.class_id], areas)
        found = [
            _Segment(number, category, area, box, int(crowd), attributes=attributes_of(tags))
            for (number, category, area), box, crowd, tags in zip(
                zip(*(column.tolist() for column in columns)), xywh(boxes).tolist(), label.crowd, label.tags
            )
        ]
        usual = instance_numbers(label.is_thing)
        for row, segment in enumerate(found):
            if label.score is not None:
                segment.score = float(label.score[row])
            if video or label.instance_id[row] != usual[row]:
                segment.instance_id = int(label.instance_id[row])
            if label.source_id is not None and label.source_id[row] != segment.id:
                segment.source_id = int(label.source_id[row])
        return found

    def write(self, path: Path) -> None:
        """Write the JSON file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        ids = self._images.ids()
        texts = [b'{"image_id":%d,%b' % (ids[at], text[1:]) for at, text in self._texts]
        self._images.write(path, texts, kinds=True)


def segment_ids(label: Segmentation) -> NDArray[np.int64]:
    """(N,) ids of segments: those of the source where they make distinct colours, else 1, 2, ..."""
    ids = label.source_id
    if ids is not None and np.unique(ids[(ids > 0) & (ids < LIMIT)]).size == ids.size:
        return ids
    return np.arange(1, len(label) + 1)
