"""One COCO file of labels, opened: its images, its classes and the columns of its annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.batch import Batch, rows_of, sides_of
from inlay.core.classes import Classes
from inlay.core.dataset import Sample
from inlay.core.errors import FormatError
from inlay.core.masks import Masks
from inlay.core.polygons import Rule
from inlay.core.segmentation import NO_TAGS, Segmentation, Tags, instance_numbers
from inlay.formats.parts.coco_classes import classes_of, rows_under
from inlay.formats.parts.coco_columns import Columns, Texts, columns_of, is_drawn, scanned_columns
from inlay.formats.parts.coco_images import CocoImages, distinct_ids
from inlay.formats.parts.coco_json import CocoData, read_labels
from inlay.formats.parts.coco_layout import LabelFile
from inlay.formats.parts.coco_masks import Place, read_geometries, read_masks
from inlay.formats.parts.typed_json import Text, read_buffer, without_non_numbers


@dataclass(frozen=True, eq=False)
class CocoLabels:
    """An opened file; calling it with a sample name reads that sample.

    Parameters
    ----------
    images
        Its images.
    rule
        How its polygons are filled.
    classes
        Of the whole dataset.
    class_row
        Row of each category in `classes`.
    columns
        Of the annotations; `None` when the file has none at all, and nobody has labelled its images.
    image_tags
        Of the few images that have them.
    left_out
        What the file says that is not kept, with counts.
    """

    images: CocoImages
    rule: Rule
    classes: Classes
    class_row: NDArray[np.int32]
    columns: Columns | None
    image_tags: Mapping[int, Tags]
    left_out: Mapping[str, int]

    def __call__(self, name: str) -> Sample:
        """The sample of that name, its masks made now."""
        i = self.images.place(name)
        if self.columns is None or self.images.unlabelled(i):
            return self.images.sample(i, None)
        return self.images.sample(i, self._segmentation(i, self.columns))

    def batch(self, names: Sequence[str], classes: Classes, *, masks: bool) -> Batch | None:
        """The samples of these names at once; `None` where a geometry is unusual or an image unlabelled."""
        places = self.images.places_of(names)
        columns = self.columns
        if columns is None or self.rule != "pixel_edge" or any(map(self.images.unlabelled, places.tolist())):
            return None
        rows, starts = rows_of(columns.starts, places)
        sizes = self.images.sizes(places)
        box = None if columns.box is None else columns.box[rows]
        area = None if columns.area is None else columns.area[rows]
        runs = None
        if masks or area is None or np.isnan(area).any():
            texts = columns.texts if isinstance(columns.texts, Texts) else Texts.of(columns.texts)
            runs = read_geometries(texts[rows], np.repeat(sizes, np.diff(starts), axis=0))
            if runs is None:
                return None
            drawn = kernels.area(*runs).astype(np.float64)
            area = drawn if area is None else np.where(np.isnan(area), drawn, area)
        return Batch(
            classes,
            starts,
            sizes,
            self.class_row[columns.category[rows]],
            columns.crowd[rows],
            box=None if box is None or np.isnan(box).any() else sides_of(box),
            area=area,
            runs=runs,
        )

    def under(self, classes: Classes, images: CocoImages) -> CocoLabels:
        """The same under other classes, matched by name, and other names of its images."""
        rows = rows_under(self.class_row, self.classes, classes)
        return replace(self, classes=classes, class_row=rows, images=images)

    def _segmentation(self, i: int, columns: Columns) -> Segmentation:
        start, end = int(columns.starts[i]), int(columns.starts[i + 1])
        here = slice(start, end)
        path = self.images.file.path
        if columns.box is not None and np.isnan(columns.box[here]).any():
            self._refuse_half_boxes(columns, here)
        at = Place(path, lambda row: columns.where(start + row, "segmentation"))
        masks = read_masks(columns.texts[here], self.images.size(i), self.rule, at)
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
            score=self._scores(columns, here),
            crowd=columns.crowd[here],
            tags=tags,  # type: ignore[arg-type]
            amodal=self._amodal(columns, masks, start),
            source_id=None if columns.source_id is None else columns.source_id[here],
            stated_box=None if columns.box is None else stated(columns.box[here], masks.box()),
            stated_area=None if columns.area is None else stated(columns.area[here], masks.area()),
            image_tags=self.image_tags.get(i, NO_TAGS),
        )

    def _refuse_half_boxes(self, columns: Columns, here: slice) -> None:
        assert columns.box is not None
        known = ~np.isnan(columns.box[here])
        half = np.flatnonzero(known.any(axis=1) & ~known.all(axis=1))
        if half.size:
            where = columns.where(here.start + int(half[0]), "bbox")
            raise FormatError(self.images.file.path, where, "holds null or NaN: a box is four numbers")

    def _amodal(self, columns: Columns, masks: Masks, start: int) -> Masks | None:
        """Full extents, the masks themselves where none is drawn; `None` where none is at all."""
        amodal = columns.amodal
        rows = [row for row in range(start, start + len(masks)) if row in amodal] if amodal else []
        if not rows:
            return None
        names = [columns.where(row, "inlay.amodal") for row in rows]
        place = Place(self.images.file.path, names.__getitem__)
        drawn = read_masks([amodal[row] for row in rows], masks.size, self.rule, place)
        take = np.arange(len(masks))
        take[np.array(rows) - start] = len(masks) + np.arange(len(rows))
        return Masks.concat([masks, drawn])[take]

    def _scores(self, columns: Columns, here: slice) -> NDArray[np.float64] | None:
        """Scores of an image's rows, all or none; without rows it is as predicted as its file."""
        if columns.score is None:
            return None
        score = columns.score[here]
        missing = np.isnan(score)
        if score.size and missing.all():
            return None
        if missing.any():
            where = columns.where(here.start + int(np.argmax(missing)), "score")
            raise FormatError(self.images.file.path, where, "missing, while others of its image have one")
        return score.astype(np.float64)


def stated(values: NDArray[np.float64], measured: NDArray[Any]) -> NDArray[np.float64] | None:
    """What a file states, measured where it says nothing; `None` where it says just what the masks do."""
    whole = np.where(np.isnan(values), measured, values)
    return None if (whole == measured).all() else whole


def open_labels(file: LabelFile, rule: Rule, text: Text | None = None) -> CocoLabels:
    """A file opened, under classes of its own; `text` is what it would say as a file of COCO.

    Raises
    ------
    FormatError
        When ids are unknown, double or no numbers, or the file holds no COCO labels.
    """
    text = read_buffer(file.path).data if text is None else text
    data, left_out, images, categories, columns = _usual(file, text) or _general(file, text)
    used = set() if columns is None else set(np.flatnonzero(np.bincount(columns.category)).tolist())
    classes, class_row = classes_of(data.categories, list(categories), used, file.path)
    tags = _image_tags(data, images.places, categories)
    return CocoLabels(images, rule, classes, class_row, columns, tags, left_out | _left_out(data))


class _Read(NamedTuple):
    data: CocoData
    left_out: dict[str, int]
    images: CocoImages
    categories: Mapping[int, int]
    columns: Columns | None


def _usual(file: LabelFile, text: Text) -> _Read | None:
    """A file of COCO's own keys and those that Inlay writes, read straight from the text; else `None`."""
    whole_text = np.frombuffer(text, np.uint8)
    found = kernels.scan_annotations(whole_text, 0)
    if found is None:
        return None
    begin, end, rows = found
    try:
        data, left_out = read_labels(file.path, b"null".join([bytes(text[:begin]), bytes(text[end:])]))
    except FormatError:  # its place in the whole file is for the other reader to say
        return None
    images = CocoImages.of(data.images, data.videos, file)
    categories = distinct_ids([entry.id for entry in data.categories], file.path, "categories")
    if data.annotations is not None:  # a second list
        return None
    columns = scanned_columns(whole_text, rows, images.places, categories, count=len(images.names))
    return None if columns is None else _Read(data, left_out, images, categories, columns)


def _general(file: LabelFile, text: Text) -> _Read:
    data, left_out = _whole(file, bytes(text))
    images = CocoImages.of(data.images, data.videos, file)
    categories = distinct_ids([entry.id for entry in data.categories], file.path, "categories")
    columns = None
    if data.annotations is not None:
        columns = columns_of(data.annotations, images.places, categories, file.path, count=len(images.names))
    return _Read(data, left_out, images, categories, columns)


def _whole(file: LabelFile, text: bytes) -> tuple[CocoData, dict[str, int]]:
    """The text of a file; a mask or box that is NaN spoils its image alone, whose reader names it."""
    try:
        return read_labels(file.path, text)
    except FormatError:
        head, key, rest = text.partition(b'"annotations"')
        plain = without_non_numbers(rest)
        if plain == rest:
            raise
        return read_labels(file.path, head + key + plain)


def _image_tags(data: CocoData, images: Mapping[int, int], categories: Mapping[int, int]) -> dict[int, Tags]:
    """Tags of images: those Inlay wrote, and the classes of annotations that draw nothing."""
    extras = [(i, image.inlay) for i, image in enumerate(data.images) if image.inlay is not None]
    found = {i: frozenset(extra.tags) for i, extra in extras if extra.tags}
    for item in data.annotations or ():
        if not is_drawn(item) and item.image_id in images and item.category_id in categories:
            i = images[item.image_id]  # type: ignore[index]
            name = data.categories[categories[item.category_id]].name  # type: ignore[index]
            found[i] = found.get(i, NO_TAGS) | {name}
    return found


def _left_out(data: CocoData) -> dict[str, int]:
    annotations = data.annotations or ()
    counts = {
        "keypoints": sum(bool(item.num_keypoints) for item in annotations),
        "captions": sum(item.caption is not None for item in annotations),
        "licences": sum(image.license is not None for image in data.images),
    }
    return {word: count for word, count in counts.items() if count}
