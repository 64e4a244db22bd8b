"""One COCO file of labels, opened: its images, its classes and the columns of its annotations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes, Kind, SegmentClass
from inlay.core.dataset import Sample
from inlay.core.errors import FormatError
from inlay.core.images import MAX_PIXELS, image_size
from inlay.core.masks import Masks
from inlay.core.polygons import Rule
from inlay.core.segmentation import NO_TAGS, Segmentation, Tags, instance_numbers
from inlay.formats.coco_columns import Columns, columns_of, is_drawn
from inlay.formats.coco_json import CocoCategory, CocoData, CocoImage, Id, numbers, read_labels
from inlay.formats.coco_layout import ImageFinder, LabelFile, image_folders, unique_names
from inlay.formats.coco_masks import Place, read_masks


@dataclass(frozen=True, eq=False)
class CocoLabels:
    """An opened file; calling it with a sample name reads that sample.

    Parameters
    ----------
    file
        Where it lies, and its split.
    rule
        How its polygons are filled.
    classes
        Of the whole dataset.
    class_row
        Row of each category in `classes`.
    names, images, image_ids, groups, splits
        Sample name, entry, number, video and split of each image.
    columns
        Of the annotations; `None` when the file has none at all, and nobody has labelled its images.
    image_tags
        Of the few images that have them.
    left_out
        What the file says that is not kept, with counts.
    """

    file: LabelFile
    rule: Rule
    classes: Classes
    class_row: NDArray[np.int32]
    names: tuple[str, ...]
    images: Sequence[CocoImage]
    image_ids: Sequence[int]
    groups: Sequence[str]
    splits: Sequence[str]
    columns: Columns | None
    image_tags: Mapping[int, Tags]
    left_out: Mapping[str, int]

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def _find(self) -> ImageFinder:
        return ImageFinder(image_folders(self.file))

    def __call__(self, name: str) -> Sample:
        """The sample of that name, its masks made now."""
        i = self._index[name]
        image = self.images[i]
        unlabelled = self.columns is None or (image.inlay is not None and image.inlay.unlabelled)
        label = None if unlabelled else self._segmentation(i, self.size(name))
        return Sample(
            name, self._find(image.file_name), label, self.splits[i], self.groups[i], image.frame_id
        )

    def size(self, name: str) -> tuple[int, int]:
        """(height, width) of an image: as the file says, else from the image itself."""
        i = self._index[name]
        image = self.images[i]
        if image.height and image.width:
            return checked_size(image.height, image.width, self.file.path, f"images[{i}]")
        path = self._find(image.file_name)
        if path is None:
            what = f"no height and width, and {image.file_name!r} is not beside the labels"
            raise FormatError(self.file.path, f"images[{i}]", what)
        return image_size(path)

    def _segmentation(self, i: int, size: tuple[int, int]) -> Segmentation:
        columns = self.columns
        assert columns is not None
        start, end = int(columns.starts[i]), int(columns.starts[i + 1])
        here = slice(start, end)

        def where(row: int) -> str:
            return columns.where(start + row, "segmentation")

        masks = read_masks(columns.texts[here], size, self.rule, Place(self.file.path, where))
        class_id = self.class_row[columns.category[here]]
        instance_id = instance_numbers(self.classes.is_thing[class_id])
        for row in range(start, end) if columns.instances else ():
            instance_id[row - start] = columns.instances.get(row, instance_id[row - start])
        tags = tuple(columns.tags.get(row, NO_TAGS) for row in range(start, end)) if columns.tags else None
        return Segmentation(
            self.classes,
            masks,
            class_id,
            instance_id,
            score=self._scores(here),
            crowd=columns.crowd[here],
            tags=tags,  # type: ignore[arg-type]
            amodal=self._amodal(masks, start),
            source_id=None if columns.source_id is None else columns.source_id[here],
            stated_box=None if columns.box is None else stated(columns.box[here], masks.box()),
            stated_area=None if columns.area is None else stated(columns.area[here], masks.area()),
            image_tags=self.image_tags.get(i, NO_TAGS),
        )

    def _amodal(self, masks: Masks, start: int) -> Masks | None:
        """Full extents, the masks themselves where none is drawn; `None` where none is at all."""
        assert self.columns is not None
        amodal = self.columns.amodal
        rows = [row for row in range(start, start + len(masks)) if row in amodal] if amodal else []
        if not rows:
            return None
        at = [self.columns.where(row, "inlay.amodal") for row in rows]
        texts = [amodal[row] for row in rows]
        drawn = read_masks(texts, masks.size, self.rule, Place(self.file.path, at.__getitem__))
        take = np.arange(len(masks))
        take[np.array(rows) - start] = len(masks) + np.arange(len(rows))
        return Masks.concat([masks, drawn])[take]

    def _scores(self, here: slice) -> NDArray[np.float32] | None:
        """Scores of an image's rows, all or none; without rows it is as predicted as its file."""
        assert self.columns is not None
        if self.columns.score is None:
            return None
        score = self.columns.score[here]
        missing = np.isnan(score)
        if score.size and missing.all():
            return None
        if missing.any():
            where = self.columns.where(here.start + int(np.argmax(missing)), "score")
            raise FormatError(self.file.path, where, "missing, while others of its image have one")
        return score.astype(np.float32)


def stated(values: NDArray[np.float64], measured: NDArray[np.integer]) -> NDArray[np.float64] | None:
    """What a file states, measured where it says nothing; `None` where it says just what the masks do."""
    whole = np.where(np.isnan(values), measured, values)
    return None if np.array_equal(whole, measured) else whole


def checked_size(height: int, width: int, path: Path, where: str) -> tuple[int, int]:
    """(height, width), if an image can have that size."""
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        what = f"height {height}, width {width}: an image has 1 to {MAX_PIXELS} pixels"
        raise FormatError(path, where, what)
    return height, width


def open_labels(file: LabelFile, prefix: str, rule: Rule) -> CocoLabels:
    """A file opened, under classes of its own; `prefix` goes before its sample names.

    Raises
    ------
    FormatError
        When ids are unknown, double or no numbers, or the file holds no COCO labels.
    """
    data, left_out = read_labels(file.path)
    path = file.path
    images = distinct_ids([entry.id for entry in data.images], path, "images")
    categories = distinct_ids([entry.id for entry in data.categories], path, "categories")
    columns = None
    if data.annotations is not None:
        columns = columns_of(data.annotations, images, categories, path)
    used = set() if columns is None else set(np.unique(columns.category).tolist())
    classes, class_row = classes_of(data.categories, list(categories), used, path)
    videos: dict[Id | None, str] = {
        None: "",
        **{video.id: video.name or str(video.id) for video in data.videos},
    }
    names = unique_names(
        [entry.file_name for entry in data.images],
        [entry.inlay.name if entry.inlay else None for entry in data.images],
        prefix,
        path,
    )
    return CocoLabels(
        file,
        rule,
        classes,
        class_row,
        tuple(names),
        data.images,
        list(images),
        [videos.get(entry.video_id, str(entry.video_id)) for entry in data.images],
        [file.split if entry.inlay is None else entry.inlay.split_in(file.split) for entry in data.images],
        columns,
        _image_tags(data, images, categories),
        left_out | _left_out(data),
    )


def distinct_ids(ids: Sequence[Id], path: Path, where: str) -> dict[int, int]:
    """Place of each id.

    Raises
    ------
    FormatError
        When an id stands twice.
    """
    found: dict[int, int] = {}
    for place, value in enumerate(numbers(ids, path, f"{where}[{{}}].id")):
        if value in found:
            raise FormatError(
                path, f"{where}[{place}].id", f"id {value} stands at {where}[{found[value]}] too"
            )
        found[value] = place
    return found


def classes_of(
    categories: Sequence[CocoCategory], ids: Sequence[int], used: Iterable[int], path: Path
) -> tuple[Classes, NDArray[np.int32]]:
    """The classes of a file, and the row of each category.

    Some tools list a category twice under one name and use one of them: the unused one is no class.
    """
    used = set(used)
    places: dict[str, list[int]] = {}
    for place, category in enumerate(categories):
        places.setdefault(category.name, []).append(place)
    rows: list[SegmentClass] = []
    row_of = np.full(len(categories), -1, np.int32)
    for name, twins in places.items():
        chosen = [place for place in twins if place in used] or twins[:1]
        if len(chosen) > 1:
            which = " and ".join(str(ids[place]) for place in chosen)
            what = f"name {name!r} stands twice, with ids {which}: merge or rename them"
            raise FormatError(path, f"categories[{chosen[1]}].name", what)
        row_of[chosen[0]] = len(rows)
        rows.append(_class(categories[chosen[0]], ids[chosen[0]], path, f"categories[{chosen[0]}]"))
    return Classes(tuple(rows)), row_of


def _class(category: CocoCategory, number: int, path: Path, where: str) -> SegmentClass:
    kind: Kind = "stuff" if category.isthing is not None and not category.isthing else "thing"
    if category.inlay is not None and category.inlay.kind == "void":
        kind = "void"
    colour = category.color
    if colour is not None and (len(colour) != 3 or not all(0 <= part <= 255 for part in colour)):
        raise FormatError(path, f"{where}.color", f"{colour} is not red, green, blue of 0 to 255")
    parent = "" if category.supercategory in (None, "none") else category.supercategory
    rgb = None if colour is None else (colour[0], colour[1], colour[2])
    return SegmentClass(category.name, kind, rgb, parent or "", number)


def _image_tags(data: CocoData, images: Mapping[int, int], categories: Mapping[int, int]) -> dict[int, Tags]:
    """Tags of images: those Inlay wrote, and the classes of annotations that draw nothing."""
    found = {
        i: frozenset(image.inlay.tags)
        for i, image in enumerate(data.images)
        if image.inlay and image.inlay.tags
    }
    for item in data.annotations or ():
        if not is_drawn(item) and item.image_id in images and item.category_id in categories:
            i = images[item.image_id]  # type: ignore[index]
            found[i] = found.get(i, NO_TAGS) | {data.categories[categories[item.category_id]].name}  # type: ignore[index]
    return found


def _left_out(data: CocoData) -> dict[str, int]:
    annotations = data.annotations or ()
    counts = {
        "keypoints": sum(bool(item.num_keypoints) for item in annotations),
        "captions": sum(item.caption is not None for item in annotations),
        "licences": sum(image.license is not None for image in data.images),
    }
    return {word: count for word, count in counts.items() if count}
