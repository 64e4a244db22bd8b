"""Columns over the annotations of a COCO file, sorted by image: reading one image is then slicing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Raw
from numpy.typing import NDArray

from inlay.core.errors import FormatError
from inlay.core.segmentation import Tags
from inlay.formats.coco_json import CocoAnnotation, annotation_tags, number, numbers


@dataclass(frozen=True, eq=False)
class Columns:
    """Annotations of one file, those of image `i` from `starts[i]` to `starts[i + 1]`.

    Parameters
    ----------
    starts
        (I + 1,) int64.
    place
        (M,) int64 place of each in the file.
    category
        (M,) int64 place of its category in the file.
    crowd
        (M,) bool.
    source_id
        (M,) int64 ids; `None` where the file has none.
    box
        (M, 4) float64 (x0, y0, x1, y1), NaN where not stated; `None` where none is.
    area, score
        (M,) float64, likewise.
    texts
        M texts of their geometry.
    tags, instances, amodal
        Of the few annotations that have them.
    listed
        JSON path of the list they stand in.
    """

    starts: NDArray[np.int64]
    place: NDArray[np.int64]
    category: NDArray[np.int64]
    crowd: NDArray[np.bool_]
    source_id: NDArray[np.int64] | None
    box: NDArray[np.float64] | None
    area: NDArray[np.float64] | None
    score: NDArray[np.float64] | None
    texts: Sequence[Raw]
    tags: Mapping[int, Tags]
    instances: Mapping[int, int]
    amodal: Mapping[int, Raw]
    listed: str = "annotations"

    def where(self, row: int, key: str) -> str:
        """JSON path of a key of an annotation."""
        return f"{self.listed}[{self.place[row]}].{key}"


def is_drawn(annotation: CocoAnnotation) -> bool:
    """Whether an annotation says where its segment is; others speak of the whole image."""
    return annotation.bbox is not None or bytes(annotation.segmentation) != b"null"


def columns_of(
    annotations: Sequence[CocoAnnotation],
    images: Mapping[int, int],
    categories: Mapping[int, int],
    path: Path,
    *,
    count: int,
    listed: str = "annotations",
) -> Columns:
    """The columns of annotations of `count` images, given the places of image and category ids.

    Raises
    ------
    FormatError
        When an id is unknown, double or no number, or a box has not four numbers.
    """
    drawn = np.array([row for row, item in enumerate(annotations) if is_drawn(item)], np.int64)
    some = annotations if len(drawn) == len(annotations) else [annotations[row] for row in drawn.tolist()]
    at = _At(path, listed, drawn)
    image = _places([item.image_id for item in some], images, at, "image")
    category = _places([item.category_id for item in some], categories, at, "category")
    order = np.argsort(image, kind="stable")
    ordered = [some[row] for row in order.tolist()]
    at = _At(path, listed, drawn[order])
    amodal = [(row, item.inlay.amodal) for row, item in enumerate(ordered) if item.inlay is not None]
    return Columns(
        starts=np.searchsorted(image[order], np.arange(count + 1)),
        place=at.place,
        category=category[order],
        crowd=np.array([bool(item.iscrowd) for item in ordered], np.bool_),
        source_id=_source_ids(ordered, at),
        box=_boxes([item.bbox for item in ordered], at),
        area=_numbers_or_nan([item.area for item in ordered]),
        score=_numbers_or_nan([item.score for item in ordered]),
        texts=[item.segmentation for item in ordered],
        tags={row: tags for row, item in enumerate(ordered) if (tags := annotation_tags(item))},
        instances={row: name for row, item in enumerate(ordered) if (name := _instance(item)) is not None},
        amodal={row: text for row, text in amodal if bytes(text) != b"null"},
        listed=listed,
    )


@dataclass(frozen=True)
class _At:
    """Where annotations stand: file, list, places in it."""

    path: Path
    listed: str
    place: NDArray[np.int64]

    def error(self, row: int, key: str, what: str) -> FormatError:
        return FormatError(self.path, f"{self.listed}[{self.place[row]}].{key}", what)


def _places(ids: list[Any], known: Mapping[int, int], at: _At, noun: str) -> NDArray[np.int64]:
    """Places of ids, or the error for the first that is unknown."""
    found = [known.get(value, -1) for value in ids]
    if -1 in found:  # an id that is unknown, or written as text
        for row, value in enumerate(ids):
            if found[row] < 0:
                if value is None:
                    raise at.error(row, f"{noun}_id", "missing")
                whole = number(value, at.path, f"{at.listed}[{at.place[row]}].{noun}_id")
                found[row] = known.get(whole, -1)
            if found[row] < 0:
                some = ", ".join(map(str, sorted(known)[:5])) + (", ..." if len(known) > 5 else "")
                raise at.error(row, f"{noun}_id", f"{value!r} is no {noun} here; ids are {some or 'none'}")
    return np.array(found, np.int64)


def _source_ids(ordered: Sequence[CocoAnnotation], at: _At) -> NDArray[np.int64] | None:
    if not ordered or any(item.id is None for item in ordered):
        return None
    where = f"{at.listed}[{{}}].id"
    ids = np.array(numbers([item.id for item in ordered], at.path, where, at.place), np.int64)
    sort = np.argsort(ids, kind="stable")
    double = np.flatnonzero(np.diff(ids[sort]) == 0)
    if double.size:
        pair = sort[double[0] : double[0] + 2].tolist()
        first, second = sorted(pair, key=lambda row: int(at.place[row]))
        raise at.error(second, "id", f"id {ids[first]} stands at {at.listed}[{at.place[first]}] too")
    for row, item in enumerate(ordered):
        if item.source_id is not None:
            ids[row] = number(item.source_id, at.path, f"{at.listed}[{at.place[row]}].source_id")
    return ids


def _boxes(boxes: list[list[float] | None], at: _At) -> NDArray[np.float64] | None:
    """(M, 4) corners of x, y, width, height; NaN where there is no box."""
    if not any(boxes):
        return None
    for row, box in enumerate(boxes):
        if not box:
            boxes[row] = [np.nan] * 4
        elif len(box) != 4:
            raise at.error(row, "bbox", f"{len(box)} numbers; a box is x, y, width, height")
    corners = np.array(boxes, np.float64)
    corners[:, 2:] += corners[:, :2]
    return corners


def _numbers_or_nan(values: list[float | None]) -> NDArray[np.float64] | None:
    found = np.array(values, np.float64)  # None becomes NaN
    return None if np.isnan(found).all() else found


def _instance(annotation: CocoAnnotation) -> int | None:
    """The number of a thing, stable over the frames of a video, wherever a tool keeps it."""
    if annotation.instance_id is not None:
        return annotation.instance_id
    if annotation.track_id is not None:
        return annotation.track_id
    track = annotation.attributes.get("track_id") if annotation.attributes else None
    return track if type(track) is int else None
