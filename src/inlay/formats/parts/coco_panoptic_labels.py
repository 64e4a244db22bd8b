"""One COCO panoptic file, opened: its JSON, and its PNG files as they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Raw, Struct
from numpy.typing import NDArray

from inlay.core.batch import Painted
from inlay.core.batch import rows_of as rows_of_samples
from inlay.core.classes import Classes
from inlay.core.dataset import Sample
from inlay.core.errors import FormatError
from inlay.core.masks import Masks
from inlay.core.segmentation import NO_TAGS, Segmentation, instance_numbers
from inlay.formats.parts.coco_classes import classes_of, rows_under
from inlay.formats.parts.coco_columns import At, instance_number
from inlay.formats.parts.coco_images import CocoImages, distinct_ids
from inlay.formats.parts.coco_json import NULL, CocoCategory, CocoImage, CocoVideo, Id, number, numbers
from inlay.formats.parts.coco_labels import stated
from inlay.formats.parts.coco_layout import LabelFile, safe_parts
from inlay.formats.parts.coco_masks import Place, read_masks
from inlay.formats.parts.label_maps import read_label_map
from inlay.formats.parts.tag_words import tags_of
from inlay.formats.parts.typed_json import decode, read_bytes

LIMIT = 2**24  # segment ids are three bytes


class PanopticSegment(Struct):
    """An entry of `segments_info`."""

    id: Id
    category_id: Id
    area: float | None = None
    bbox: list[float] | None = None
    iscrowd: int | bool = 0
    score: float | None = None
    instance_id: int | None = None
    attributes: dict[str, Any] | None = None
    source_id: int | None = None  # where `id` could not be that of the source
    segmentation: Raw = NULL  # of void segments, which the PNG shows as 0


class PanopticExtra(Struct):
    """What Inlay adds to an annotation: segments of void classes."""

    void: list[PanopticSegment] = []


class PanopticAnnotation(Struct):
    """An entry of `annotations`: one image."""

    image_id: Id
    file_name: str
    segments_info: list[PanopticSegment]
    inlay: PanopticExtra | None = None


class _Panoptic(Struct):
    images: list[CocoImage]
    annotations: list[PanopticAnnotation]
    categories: list[CocoCategory]
    videos: list[CocoVideo] = []


@dataclass(frozen=True, eq=False)
class CocoPanoptic:
    """An opened file; calling it with a sample name reads that sample.

    Parameters
    ----------
    images
        Its images.
    classes
        Of the whole dataset.
    class_row
        Row of each category in `classes`.
    categories
        Place of each category id.
    annotations
        Places of the annotations, by the place of their image.
    entries
        The annotations.
    """

    images: CocoImages
    classes: Classes
    class_row: NDArray[np.int32]
    categories: Mapping[int, int]
    annotations: Mapping[int, int]
    entries: Sequence[PanopticAnnotation]

    def under(self, classes: Classes, images: CocoImages) -> CocoPanoptic:
        """The same under other classes, matched by name, and other names of its images."""
        rows = rows_under(self.class_row, self.classes, classes)
        return replace(self, classes=classes, class_row=rows, images=images)

    @property
    def path(self) -> Path:
        """The file."""
        return self.images.file.path

    def __call__(self, name: str) -> Sample:
        """The sample of that name."""
        i = self.images.place(name)
        at = self.annotations.get(i)
        if at is None:
            return self.images.sample(i, None)
        return self.images.sample(i, self._segmentation(i, at))

    def painted(self, names: Sequence[str]) -> Painted | None:
        """The samples as their PNGs hold them; `None` where one has to be read to be judged, or refused."""
        places = self.images.places_of(names)
        at = [self.annotations.get(place, -1) for place in places.tolist()]
        columns = self._segments
        if min(at) < 0 or not columns.plain[at].all():
            return None
        rows, starts = rows_of_samples(columns.starts, np.array(at, np.int64))
        return Painted(
            [self._png_bytes(self.entries[place].file_name, place) for place in at],
            self.images.sizes(places),
            np.repeat(np.arange(len(at)), np.diff(starts)),
            columns.colour[rows],
            self.class_row[columns.category[rows]],
            columns.crowd[rows],
            columns.source_id[rows],
            columns.area[rows],
            [self.images.groups[i] for i in places.tolist()],
            [self.images.entries[i].frame_id for i in places.tolist()],
        )

    @cached_property
    def _segments(self) -> _Segments:
        return _Segments.of(self.entries, self.categories)

    def _png_bytes(self, file_name: str, at: int) -> bytes:
        if "/" not in file_name and "\\" not in file_name:
            with suppress(OSError), open(f"{self._folder}/{file_name}", "rb", buffering=0) as file:  # noqa: PTH123 (5x faster)
                return file.read()
        return self._png(file_name, at).read_bytes()

    @cached_property
    def _folder(self) -> str:
        return str(self.path.with_suffix(""))

    def _segmentation(self, i: int, at: int) -> Segmentation:
        entry = self.entries[at]
        png = self._png(entry.file_name, at)
        ids = _read_ids(png, self.images.size(i))
        segments = entry.segments_info
        names = np.array(self._ids(segments, f"annotations[{at}].segments_info"), np.int64)
        rows = rows_of(ids, names)
        if ((rows < 0) & (ids != 0)).any():
            y, x = np.argwhere((rows < 0) & (ids != 0))[0].tolist()
            what = f"segment {ids[y, x]} is not in segments_info of {self.images.names[i]!r}"
            raise FormatError(png, f"pixel ({x}, {y})", what)
        masks = Masks.from_ids(rows, len(segments))
        void = entry.inlay.void if entry.inlay is not None else []
        if void:
            where = f"annotations[{at}].inlay.void"
            names = np.concatenate([names, np.array(self._ids(void, where), np.int64)])
            place = Place(self.path, lambda row: f"{where}[{row}].segmentation")
            hidden = read_masks([item.segmentation for item in void], masks.size, "pixel_edge", place)
            masks = Masks.concat([masks, hidden])
        extra = self.images.entries[i].inlay
        tags = frozenset(extra.tags) if extra is not None else NO_TAGS
        return self._columns(masks, [*segments, *void], names, at).replace(image_tags=tags)

    def _columns(
        self, masks: Masks, segments: list[PanopticSegment], names: NDArray[Any], at: int
    ) -> Segmentation:
        where = f"annotations[{at}].segments_info"
        category = [self._category(item.category_id, f"{where}[{k}]") for k, item in enumerate(segments)]
        class_id = self.class_row[np.array(category, np.int64)]
        usual = instance_numbers(self.classes.is_thing[class_id])
        at_segment = At(self.path, where)
        given = [
            None if item.instance_id is None else instance_number(item.instance_id, at_segment, k)
            for k, item in enumerate(segments)
        ]
        scores = [item.score for item in segments]
        if any(score is None for score in scores) and any(score is not None for score in scores):
            raise FormatError(
                self.path, f"{where}[{scores.index(None)}].score", "missing, while others have one"
            )
        return Segmentation(
            self.classes,
            masks,
            class_id,
            np.where([value is None for value in given], usual, [value or 0 for value in given]),
            score=np.array(scores, np.float64) if segments and scores[0] is not None else None,
            crowd=np.array([bool(item.iscrowd) for item in segments], np.bool_),
            tags=tuple(tags_of(item.attributes) for item in segments),
            source_id=self._source_ids(segments, names, where),
            stated_box=self._boxes(segments, masks, where),
            stated_area=stated(np.array([item.area for item in segments], np.float64), masks.area()),
        )

    def _source_ids(self, segments: list[PanopticSegment], names: NDArray[Any], where: str) -> NDArray[Any]:
        found = names.copy()
        for k, item in enumerate(segments):
            if item.source_id is not None:
                found[k] = number(item.source_id, self.path, f"{where}[{k}].source_id")
        return found

    def _boxes(self, segments: list[PanopticSegment], masks: Masks, where: str) -> NDArray[np.float64] | None:
        for k, item in enumerate(segments):
            if item.bbox and len(item.bbox) != 4:
                raise FormatError(
                    self.path, f"{where}[{k}].bbox", f"{len(item.bbox)} numbers; a box has four"
                )
        boxes = np.array([item.bbox or [np.nan] * 4 for item in segments], np.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        return stated(boxes, masks.box())

    def _ids(self, segments: Sequence[PanopticSegment], where: str) -> list[int]:
        found = distinct_ids([item.id for item in segments], self.path, where)
        for value, k in found.items():
            if not 0 < value < LIMIT:
                what = f"id {value} does not fit into a colour (1 to {LIMIT - 1}; 0 is nobody)"
                raise FormatError(self.path, f"{where}[{k}].id", what)
        return list(found)

    def _category(self, value: Id, where: str) -> int:
        place = self.categories.get(number(value, self.path, f"{where}.category_id"))
        if place is None:
            known = ", ".join(map(str, list(self.categories)[:5]))
            what = f"{value!r} is no category here; ids are {known or 'none'}"
            raise FormatError(self.path, f"{where}.category_id", what)
        return place

    def _png(self, file_name: str, at: int) -> Path:
        parts = safe_parts(file_name)
        for folder in (self.path.with_suffix(""), self.path.parent):
            if parts and folder.joinpath(*parts).is_file():
                return folder.joinpath(*parts)
        what = f"there is no {file_name!r} in {self.path.stem}/ or beside the JSON file"
        raise FormatError(self.path, f"annotations[{at}].file_name", what)


@dataclass(frozen=True, eq=False)
class _Segments:
    """The segments of all annotations in flat columns, those of annotation `i` from `starts[i]` on."""

    starts: NDArray[np.int64]
    colour: NDArray[np.int64]
    category: NDArray[np.int64]  # place
    crowd: NDArray[np.bool_]
    source_id: NDArray[np.int64]
    area: NDArray[np.float64]
    plain: NDArray[np.bool_]  # of each annotation: nothing has to be checked, and refused perhaps

    @classmethod
    def of(cls, entries: Sequence[PanopticAnnotation], categories: Mapping[int, int]) -> _Segments:
        """The columns of annotations; 0 and -1 stand for what is not plain."""
        segments = [item for entry in entries for item in entry.segments_info]
        number = np.array([len(entry.segments_info) for entry in entries], np.int64)
        owner = np.repeat(np.arange(len(entries)), number)
        colour = np.array([_plain_id(item) for item in segments], np.int64)
        category = np.array([categories.get(item.category_id, -1) for item in segments], np.int64)  # type: ignore[arg-type]
        key = np.sort(owner * LIMIT + colour)
        odd = np.bincount(owner[(colour == 0) | (category < 0)], minlength=len(entries)) > 0
        odd[key[1:][np.diff(key) == 0] // LIMIT] = True
        scored_rows = np.array([item.score is not None for item in segments], np.bool_)
        scored = np.bincount(owner[scored_rows], minlength=len(entries))
        odd |= (scored > 0) & (scored < number)
        odd |= np.array([entry.inlay is not None for entry in entries], np.bool_)
        given = [item.source_id for item in segments]
        return cls(
            np.concatenate([[0], np.cumsum(number)]),
            colour,
            category,
            np.array([bool(item.iscrowd) for item in segments], np.bool_),
            np.array([c if own is None else own for c, own in zip(colour.tolist(), given)], np.int64),
            np.array([item.area for item in segments], np.float64),
            ~odd,
        )


def _plain_id(segment: PanopticSegment) -> int:
    """The id of a segment about which nothing else has to be checked; else 0."""
    plain = segment.instance_id is None and len(segment.bbox or ()) in (0, 4)
    plain = plain and (segment.source_id is None or abs(segment.source_id) < 2**63)
    return segment.id if plain and type(segment.id) is int and 0 < segment.id < LIMIT else 0


def open_panoptic(file: LabelFile) -> CocoPanoptic:
    """A file opened, under classes of its own.

    Raises
    ------
    FormatError
        When ids are unknown, double or no numbers, or the file holds no panoptic labels.
    """
    data = decode(read_bytes(file.path), file.path, _Panoptic)
    images = CocoImages.of(data.images, data.videos, file)
    categories = distinct_ids([entry.id for entry in data.categories], file.path, "categories")
    annotations: dict[int, int] = {}
    ids = numbers([entry.image_id for entry in data.annotations], file.path, "annotations[{}].image_id")
    for at, value in enumerate(ids):
        where = f"annotations[{at}].image_id"
        if value not in images.places:
            raise FormatError(file.path, where, f"{value} is no image of the file")
        if images.places[value] in annotations:
            what = f"image {value} has annotations[{annotations[images.places[value]]}] already"
            raise FormatError(file.path, where, what)
        annotations[images.places[value]] = at
    used = {item.category_id for entry in data.annotations for item in entry.segments_info}
    places = {categories[value] for value in used if value in categories}  # type: ignore[index]
    classes, class_row = classes_of(data.categories, list(categories), places, file.path)
    return CocoPanoptic(images, classes, class_row, categories, annotations, data.annotations)


def _read_ids(path: Path, size: tuple[int, int]) -> NDArray[np.int32]:
    """(H, W) segment ids of a PNG."""
    found = read_label_map(path)
    if not found.is_coloured:
        raise FormatError(path, "header", "grey or palette pixels; panoptic PNG files are 8-bit RGB")
    colours = found.values
    if colours.shape[:2] != size:
        what = f"{colours.shape[1]}x{colours.shape[0]} pixels; the JSON file says {size[1]}x{size[0]}"
        raise FormatError(path, "size", what)
    ids = colours[..., 0].astype(np.int32)
    ids |= colours[..., 1].astype(np.int32) << 8
    ids |= colours[..., 2].astype(np.int32) << 16
    return ids


def rows_of(ids: NDArray[np.int32], names: NDArray[np.int64]) -> NDArray[np.int32]:
    """(H, W) place of each id in `names`; -1 where it is none of them. Looks up runs, not pixels."""
    flat = ids.reshape(-1)
    starts = (
        np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1]) if flat.size else np.empty(0, int)
    )
    values = flat[starts]
    rows = np.full(values.shape, -1, np.int32)
    if names.size:
        order = np.argsort(names)
        at = np.searchsorted(names[order], values).clip(max=names.size - 1)
        rows = np.where(names[order][at] == values, order[at], -1).astype(np.int32)
    lengths = np.diff(np.concatenate([starts, [flat.size]]))
    return np.repeat(rows, lengths).reshape(ids.shape)
