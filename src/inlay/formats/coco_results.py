"""COCO results: a JSON list of predictions, read beside the labels they were made for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Raw, Struct, UnsetType
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.batch import Batch, rows_of
from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import image_size
from inlay.core.polygons import Rule
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.coco_classes import category_ids
from inlay.formats.parts.coco_columns import At, Columns, boxes_of, looked_up, places_of
from inlay.formats.parts.coco_images import Files
from inlay.formats.parts.coco_json import NULL, Id, Rle
from inlay.formats.parts.coco_layout import HEAD
from inlay.formats.parts.coco_masks import Place, read_masks
from inlay.formats.parts.coco_writer import xywh
from inlay.formats.parts.readers import rule
from inlay.formats.parts.typed_json import decode, read_buffer

READERS = ("pycocotools", "detectron2", "opencv", "supervision")
KEEPS = frozenset(
    {
        "masks",
        "class_id",
        "instances",
        "holes",
        "parts",
        "overlap",
        "order",
        "score",
        "hidden",
        "box",
        "stated_box",
    }
    | {"empty", "split", "stuff", "void", "colours", "parents", "class_number"}  # as the labels say
)


class CocoResult(Struct, gc=False):
    """An entry of a list of results; `file_name` is the sample where images have no numbers."""

    image_id: Id = 0
    category_id: Id | None = None
    score: float | None = None
    segmentation: Raw = NULL
    bbox: list[float] | None = None
    file_name: str | None = None


def sniff(path: Path) -> bool:
    """Whether a file, or the `results.json` of a folder, is a JSON list of entries with `image_id`."""
    path = path / "results.json" if path.is_dir() else path
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            head = file.read(HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return False
    return re.match(rb"\[\s*(\{|\])", head) is not None and (b'"image_id"' in head or len(head) < 8)


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:
    """Predictions for the images of `like`, which gives names, sizes and classes.

    An image without results is predicted as empty. Results without `segmentation` become rows without pixels
    and with a stated box. A box beside a mask stays stated, for it changes how COCO's tools sort by size.

    Raises
    ------
    FormatError
        When `like` is missing, or a result speaks of an image or category that it does not have.
    """
    path = path / "results.json" if path.is_dir() else path
    if like is None:
        what = "a list of results names no images and no classes: give the labels too (like=..., --like)"
        raise FormatError(path, "", what)
    data = read_buffer(path)
    usual = _usual_columns(data, images := _Images(like), category_ids(like.classes))
    if usual is not None:
        images.refuse_ambiguous(usual, path)
        load = CocoResults(path, rule(reader or READERS[0]), like, images.places, usual)
        return Dataset(like.classes, like.names, load, like.splits, {}, like.source_ids)
    entries = decode(data.data, path, list[CocoResult])
    scores = [entry.score for entry in entries]
    if None in scores:
        raise FormatError(path, f"[{scores.index(None)}].score", "missing: each result has a score")
    for row, entry in enumerate(entries):
        if entry.file_name is not None:
            entry.image_id = images.number_of(entry.file_name, path, f"[{row}].file_name")
    if entries and not images.known:
        what = "the labels number no images: read them from COCO"
        raise FormatError(path, "[0].image_id", f"{entries[0].image_id!r} is unknown, for {what}")
    bare = sum(entry.bbox is None and entry.segmentation is NULL for entry in entries)
    if bare:  # results for key points
        entries = [entry for entry in entries if entry.bbox is not None or entry.segmentation is not NULL]
    categories = {number: place for place, number in enumerate(category_ids(like.classes))}
    columns = result_columns(entries, images.known, categories, At(path, ""), count=len(images.places))
    images.refuse_ambiguous(columns, path)
    load = CocoResults(path, rule(reader or READERS[0]), like, images.places, columns)
    left_out = {"results without mask and box": bare} if bare else {}
    return Dataset(like.classes, like.names, load, like.splits, left_out, like.source_ids)


def _usual_columns(data: NDArray[np.uint8], images: _Images, category_ids: Sequence[int]) -> Columns | None:
    """The columns of results of the usual form, straight from the text; `None` for the general reader."""
    found = kernels.scan_results(data, 0)
    if found is None:
        return None
    whole, span, score, box = found
    image = looked_up(whole[:, 0], images.known)
    category = looked_up(whole[:, 1], {number: place for place, number in enumerate(category_ids)})
    if image is None or category is None:
        return None
    order: Any = np.argsort(image, kind="stable") if (np.diff(image) < 0).any() else slice(None)
    return Columns(
        starts=np.searchsorted(image[order], np.arange(len(images.places) + 1)),
        place=np.arange(len(image))[order],
        category=category[order],
        crowd=np.zeros(len(image), np.bool_),
        score=score[order, 0],
        texts=Runs(data, whole[order, 2:], span[order], box[order]),
        listed="",
    )


def result_columns(
    entries: Sequence[CocoResult],
    images: Mapping[int, int],
    categories: Mapping[int, int],
    at: At,
    *,
    count: int,
) -> Columns:
    """The columns of results, given the places of image and category ids."""
    image = places_of([entry.image_id for entry in entries], images, at, "image")
    category = places_of([entry.category_id for entry in entries], categories, at, "category")
    order = np.argsort(image, kind="stable")
    boxes = boxes_of([entry.bbox for entry in entries], at)
    texts = [entry.segmentation for entry in entries]
    return Columns(
        starts=np.searchsorted(image[order], np.arange(count + 1)),
        place=order,
        category=category[order],
        crowd=np.zeros(len(entries), np.bool_),
        box=None if boxes is None else boxes[order],
        score=np.array([entry.score for entry in entries], np.float64)[order],
        texts=[texts[row] for row in order.tolist()],
        listed="",
    )


class _Images:
    """How results name the images of a dataset: by numbers of its source, or by digits of its names."""

    def __init__(self, like: Dataset) -> None:
        wanted = set(like.names)
        names = [*like.names, *(name for name in like.source_ids if name not in wanted)]
        self.places = {name: place for place, name in enumerate(names)}
        numbers = dict(like.source_ids)
        if not all(name in numbers for name in like.names):
            digits = [re.search(r"(\d+)\D*$", name.rsplit("/", 1)[-1]) for name in like.names]
            numbers = {name: int(found[1]) for name, found in zip(like.names, digits) if found}
            if len(set(numbers.values())) < len(like.names):
                numbers = {}
        self.known: dict[int, int] = {}
        self._double: dict[int, list[str]] = {}
        for name in names if numbers else ():
            place = self.known.setdefault(numbers[name], self.places[name])
            if place != self.places[name] and name in wanted and names[place] in wanted:
                self._double[place] = [names[place], name]

    def number_of(self, name: str, path: Path, where: str) -> int:
        """A number for an image that is given by its name."""
        if name not in self.places:
            raise FormatError(path, where, f"{name!r} is no sample of the labels")
        number = -1 - self.places[name]  # below all ids
        self.known[number] = self.places[name]
        return number

    def refuse_ambiguous(self, columns: Columns, path: Path) -> None:
        """Raise where a result could be of either of two images of different splits."""
        for place, names in self._double.items():
            if columns.starts[place + 1] > columns.starts[place]:
                where = columns.where(int(columns.starts[place]), "image_id")
                raise FormatError(
                    path, where, f"it could be {' or '.join(names)}: give the labels of one split"
                )


@dataclass(frozen=True, eq=False)
class Runs(Sequence[Raw]):
    """Geometry of results, all compressed run lengths, as places in the text of their file.

    Parameters
    ----------
    data
        uint8 bytes of the file.
    size
        (M, 2) int64 height, width; -1 where a result is a box alone.
    text
        (M, 2) int64 bytes where the run lengths stand.
    box
        (M, 4) float64 x, y, width, height as written; NaN where there is none.
    """

    data: NDArray[np.uint8]
    size: NDArray[np.int64]
    text: NDArray[np.int64]
    box: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.size)

    @cached_property
    def are_boxed(self) -> bool:
        """Whether boxes are stated at all."""
        return not np.isnan(self.box[:, 0]).all()

    def corners(self, rows: slice) -> NDArray[np.float64] | None:
        """(N, 4) x0, y0, x1, y1, NaN where a result has no box; `None` where none of all has."""
        box = self.box[rows]
        return np.concatenate([box[:, :2], box[:, :2] + box[:, 2:]], axis=1) if self.are_boxed else None

    def __getitem__(self, index: Any) -> Any:
        """The text of one, or the texts of a slice."""
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        (height, width), (start, end) = self.size[index].tolist(), self.text[index].tolist()
        if height < 0:
            return NULL
        return b'{"size":[%d,%d],"counts":"%s"}' % (height, width, self.data[start:end].tobytes())


@dataclass(frozen=True, eq=False)
class CocoResults:
    """An opened list; calling it with a sample name reads that sample.

    Parameters
    ----------
    path
        The file.
    rule
        How its polygons are filled.
    like
        The labels.
    places
        Place of each sample name in `columns`.
    columns
        Of the results.
    """

    path: Path
    rule: Rule
    like: Dataset
    places: Mapping[str, int]
    columns: Columns

    def __call__(self, name: str) -> Sample:
        """The prediction for the image of that name."""
        columns, i = self.columns, self.places[name]
        start, end = int(columns.starts[i]), int(columns.starts[i + 1])
        place = Place(self.path, lambda row: columns.where(start + row, "segmentation"))
        image, size = self._image(name)
        masks = read_masks(columns.texts[start:end], size, self.rule, place)
        class_id = columns.category[start:end].astype(np.int32)
        assert columns.score is not None
        box = self._boxes(slice(start, end))
        label = Segmentation(
            self.like.classes,
            masks,
            class_id,
            instance_numbers(self.like.classes.is_thing[class_id]),
            score=columns.score[start:end],
            stated_box=None if box is None else np.where(np.isnan(box), masks.box(), box),
        )
        return Sample(name, image, label, self.like.splits.get(name, ""))

    def _boxes(self, rows: slice) -> NDArray[np.float64] | None:
        texts, box = self.columns.texts, self.columns.box
        if isinstance(texts, Runs):
            return texts.corners(rows)
        return None if box is None else box[rows]

    def batch(self, names: Sequence[str], classes: Classes, *, masks: bool) -> Batch | None:
        """The samples of these names at once, masks as text; `None` where their form is unusual."""
        columns, load = self.columns, _files(self.like)
        if not isinstance(columns.texts, Runs) or load is None:
            return None
        rows, starts = rows_of(columns.starts, np.array([self.places[name] for name in names], np.int64))
        sizes = load.sizes(names)
        texts = columns.texts
        drawn = texts.size[:, 0] >= 0
        if (
            masks
            and drawn.any()
            and not np.array_equal(texts.size[rows], np.repeat(sizes, np.diff(starts), axis=0))
        ):
            return None
        return Batch(
            classes,
            starts,
            sizes,
            columns.category[rows].astype(np.int32),
            columns.crowd[rows],
            score=None if columns.score is None else columns.score[rows],
            box=None if np.isnan(texts.box[:, 0]).any() else texts.box[rows],
            text=texts.data if masks and drawn.any() else None,
            spans=texts.text[rows],
        )

    def _image(self, name: str) -> tuple[Path | NDArray[np.uint8] | None, tuple[int, int]]:
        """The image and its size; labels of COCO are asked without reading their masks."""
        load = _files(self.like)
        if load is not None:
            return load.image(name), load.size(name)
        sample = self.like.load(name)
        if sample.segmentation is not None:
            return sample.image, sample.segmentation.size
        if isinstance(sample.image, Path):
            return sample.image, image_size(sample.image)
        return sample.image, sample.pixels().shape[:2]


def _files(dataset: Dataset) -> Files | None:
    """The opened COCO files of a dataset, below what guards their errors; `None` for other sources."""
    load: Any = dataset.load
    found = load if isinstance(load, Files) else getattr(load, "load", None)
    return found if isinstance(found, Files) else None


class _Result(Struct):
    """A result as we write it."""

    image_id: int
    category_id: int
    score: float
    segmentation: Rle | UnsetType = UNSET
    bbox: list[float] | UnsetType = UNSET
    file_name: str | UnsetType = UNSET


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001
    """Write one list for all samples, masks as compressed run lengths, the front segment last.

    A path that does not end in .json becomes a folder with `results.json`.

    Images are numbered as in the source of the dataset; where it has no numbers, `file_name` holds the sample
    name. Labels count as predictions with score 1. Boxes are written where they are stated: a box beside a
    mask changes how COCO's tools sort by size.
    """
    categories = np.array(category_ids(dataset.classes), np.int64)
    numbered = all(name in dataset.source_ids for name in dataset.names)
    if path.suffix.lower() != ".json":
        path.mkdir()
        path /= "results.json"
    with path.open("wb") as file:
        separator = b"["
        for place, sample in enumerate(dataset):
            if sample.segmentation is None or not len(sample.segmentation):
                continue
            number = dataset.source_ids[sample.name] if numbered else place + 1
            file_name = UNSET if numbered else sample.name
            rows = _results(sample.segmentation, categories, number, file_name)
            file.write(separator + b",\n".join(msgspec.json.encode(row) for row in rows))
            separator = b",\n"
        file.write(b"[]\n" if separator == b"[" else b"]\n")


def _results(
    label: Segmentation, categories: NDArray[np.int64], number: int, file_name: str | UnsetType
) -> list[_Result]:
    score = np.ones(len(label)) if label.score is None else label.score
    ids = categories[label.class_id].tolist()
    texts = label.masks.to_strings()
    rows = [
        _Result(number, category, value, Rle(label.size, text.decode("ascii")), file_name=file_name)
        for category, value, text in zip(ids, score.tolist(), texts)
    ]
    if label.stated_box is not None:
        boxed = (label.masks.area() == 0) & (label.stated_box[:, 2:] > label.stated_box[:, :2]).all(axis=1)
        for row, box, bare in zip(rows, xywh(label.stated_box).tolist(), boxed.tolist()):
            row.bbox = box
            row.segmentation = UNSET if bare else row.segmentation
    return rows
