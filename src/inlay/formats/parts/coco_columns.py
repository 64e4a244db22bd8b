"""Columns over the annotations of a COCO file, sorted by image: reading one image is then slicing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw
from numpy.typing import NDArray

from inlay.core.errors import FormatError
from inlay.core.segmentation import Tags
from inlay.formats.parts.coco_json import CocoAnnotation, annotation_tags, number, numbers
from inlay.formats.parts.tag_words import tags_of

TABLE = 1 << 20  # ids this close together are looked up in a table
ABSENT = np.iinfo(np.int64).min  # what `kernels.scan_annotations` gives for numbers that are not there
INSTANCES = 1 << 31  # their numbers are below
NO_BOX = (np.nan,) * 4


@dataclass(frozen=True, eq=False)
class Texts(Sequence[Raw]):
    """Texts of one file as places in it.

    Parameters
    ----------
    data
        uint8 bytes of the file.
    spans
        (M, 2) int64 first byte of each, and the byte behind its last.
    """

    data: NDArray[np.uint8]
    spans: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[Raw]) -> Texts:
        """The same of texts that stand anywhere."""
        ends = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(text) for text in texts], out=ends[1:])
        return cls(np.frombuffer(b"".join(texts), np.uint8), np.stack([ends[:-1], ends[1:]], axis=1))

    @classmethod
    def empty(cls, count: int) -> Texts:
        """Texts without a sign."""
        return cls(np.empty(0, np.uint8), np.zeros((count, 2), np.int64))

    @classmethod
    def concat(cls, parts: Sequence[Texts]) -> Texts:
        """All texts of several."""
        starts = np.cumsum([0, *(part.data.size for part in parts)])[:-1].tolist()
        spans = [np.empty((0, 2), np.int64), *(part.spans + start for part, start in zip(parts, starts))]
        return cls(
            np.concatenate([np.empty(0, np.uint8), *(part.data for part in parts)]), np.concatenate(spans)
        )

    def replace(self, rows: NDArray[np.int64], texts: Texts) -> Texts:
        """The same with other texts at some rows."""
        both = Texts.concat([self, texts])
        spans = both.spans[: len(self)].copy()
        spans[rows] = both.spans[len(self) :]
        return Texts(both.data, spans)

    def __len__(self) -> int:
        return len(self.spans)

    def __getitem__(self, index: Any) -> Any:
        """The text of one, or the texts of several."""
        if isinstance(index, int):
            start, end = self.spans[index].tolist()
            return Raw(self.data[start:end].tobytes())
        return Texts(self.data, self.spans[index])

    def __iter__(self) -> Iterator[Raw]:
        return (self[i] for i in range(len(self)))


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
    texts
        M texts of their geometry.
    source_id
        (M,) int64 ids; `None` where the file has none.
    box
        (M, 4) float64 (x0, y0, x1, y1), NaN where not stated; `None` where none is.
    area, score
        (M,) float64, likewise.
    tags, instances, amodal
        Of the few annotations that have them.
    listed
        JSON path of the list they stand in.
    """

    starts: NDArray[np.int64]
    place: NDArray[np.int64]
    category: NDArray[np.int64]
    crowd: NDArray[np.bool_]
    texts: Sequence[Raw]
    source_id: NDArray[np.int64] | None = None
    box: NDArray[np.float64] | None = None
    area: NDArray[np.float64] | None = None
    score: NDArray[np.float64] | None = None
    tags: Mapping[int, Tags] = field(default_factory=dict)
    instances: Mapping[int, int] = field(default_factory=dict)
    amodal: Mapping[int, Raw] = field(default_factory=dict)
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
) -> Columns:
    """The columns of annotations of `count` images, given the places of image and category ids.

    Raises
    ------
    FormatError
        When an id is unknown, double or no number, or a box has not four numbers.
    """
    drawn = np.array([row for row, item in enumerate(annotations) if is_drawn(item)], np.int64)
    some = annotations if len(drawn) == len(annotations) else [annotations[row] for row in drawn.tolist()]
    at = At(path, "annotations", drawn)
    image = places_of([item.image_id for item in some], images, at, "image")
    category = places_of([item.category_id for item in some], categories, at, "category")
    order = np.argsort(image, kind="stable")
    ordered = [some[row] for row in order.tolist()]
    at = At(path, "annotations", drawn[order])
    amodal = [(row, item.inlay.amodal) for row, item in enumerate(ordered) if item.inlay is not None]
    return Columns(
        starts=np.searchsorted(image[order], np.arange(count + 1)),
        place=drawn[order],
        category=category[order],
        crowd=np.array([bool(item.iscrowd) for item in ordered], np.bool_),
        source_id=_source_ids(ordered, at),
        box=boxes_of([item.bbox for item in ordered], at),
        area=_numbers_or_nan([item.area for item in ordered]),
        score=_numbers_or_nan([item.score for item in ordered]),
        texts=[item.segmentation for item in ordered],
        tags={row: tags for row, item in enumerate(ordered) if (tags := annotation_tags(item))},
        instances=_instances(ordered, at),
        amodal={row: text for row, text in amodal if bytes(text) != b"null"},
    )


def scanned_columns(
    text: NDArray[np.uint8],
    rows: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]],
    images: Mapping[int, int],
    categories: Mapping[int, int],
    *,
    count: int,
) -> Columns | None:
    """The columns of annotations as `kernels.scan_annotations` finds them; `None` where they are odd."""
    whole, span, value, box = rows
    image, category = looked_up(whole[:, 0], images), looked_up(whole[:, 1], categories)
    if image is None or category is None or (np.diff(np.sort(whole[:, 2])) == 0).any():
        return None
    order = np.argsort(image, kind="stable")
    whole, span, value, box = whole[order], span[order], value[order], box[order]
    box[:, 2:] += box[:, :2]
    numbered, source = whole[:, 4], whole[:, 5]
    said = _scanned_attributes(Texts(text, span[:, 2:4]))
    if said is None or (np.abs(numbered[numbered != ABSENT]) >= INSTANCES).any():
        return None
    tags, instances = said
    full = Texts(text, span[:, 4:])
    return Columns(
        starts=np.searchsorted(image[order], np.arange(count + 1)),
        place=order,
        category=category[order],
        crowd=whole[:, 3] != 0,
        source_id=np.where(source == ABSENT, whole[:, 2], source),
        box=None if np.isnan(box[:, 0]).all() else box,
        area=_any_number(value[:, 0]),
        score=_any_number(value[:, 1]),
        texts=Texts(text, span[:, :2]),
        tags=tags,
        instances=instances
        | {row: int(numbered[row]) for row in np.flatnonzero(numbered != ABSENT).tolist()},
        amodal={row: full[row] for row in np.flatnonzero(full.spans[:, 1]).tolist()},
    )


def _scanned_attributes(texts: Texts) -> tuple[dict[int, Tags], dict[int, int]] | None:
    """Tags and track numbers by row, of attributes where there are any; `None` where they are broken."""
    view = texts.data.data
    rows = np.flatnonzero(texts.spans[:, 1])
    found = [bytes(view[start:end]) for start, end in texts.spans[rows].tolist()]
    different = list(dict.fromkeys(found))  # many say the same
    try:
        attributes = msgspec.json.decode(b"[" + b",".join(different) + b"]", type=list[dict[str, Any]])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    words = dict(zip(different, map(tags_of, attributes)))
    tracks = {text: each["track_id"] for text, each in zip(different, attributes) if "track_id" in each}
    tracks = {text: track for text, track in tracks.items() if type(track) is int}
    if any(not -INSTANCES <= track < INSTANCES for track in tracks.values()):
        return None
    tags = {row: words[text] for row, text in zip(rows.tolist(), found) if words[text]}
    return tags, {row: tracks[text] for row, text in zip(rows.tolist(), found) if text in tracks}


def looked_up(ids: NDArray[np.int64], known: Mapping[int, int]) -> NDArray[np.int64] | None:
    """Places of ids; `None` where one is unknown, or there is none."""
    if not len(ids) or not known:
        return None
    numbers = np.fromiter(known, np.int64, len(known))
    places = np.fromiter(known.values(), np.int64, len(known))
    low, high = int(numbers.min()), int(numbers.max())
    if high - low < TABLE and low <= ids.min() and ids.max() <= high:
        table = np.full(high - low + 1, -1, np.int64)
        table[numbers - low] = places
        found: NDArray[np.int64] = table[ids - low]
        return None if (found < 0).any() else found
    order = np.argsort(numbers)
    at = np.minimum(np.searchsorted(numbers[order], ids), len(numbers) - 1)
    return places[order][at] if np.array_equal(numbers[order][at], ids) else None


@dataclass(frozen=True)
class At:
    """Where annotations stand: file, list, places in it (`None`: the first first)."""

    path: Path
    listed: str
    place: NDArray[np.int64] | None = None

    def where(self, row: int, key: str) -> str:
        """JSON path of a key."""
        return f"{self.listed}[{row if self.place is None else self.place[row]}].{key}"

    def error(self, row: int, key: str, what: str) -> FormatError:
        """The error at a key."""
        return FormatError(self.path, self.where(row, key), what)


def places_of(ids: list[Any], known: Mapping[int, int], at: At, noun: str) -> NDArray[np.int64]:
    """Places of ids, or the error for the first that is unknown."""
    found = [known.get(value, -1) for value in ids]
    if -1 in found:  # an id that is unknown, or written as text
        for row, value in enumerate(ids):
            if found[row] < 0:
                if value is None:
                    raise at.error(row, f"{noun}_id", "missing")
                whole = number(value, at.path, at.where(row, f"{noun}_id"))
                found[row] = known.get(whole, -1)
            if found[row] < 0:
                some = ", ".join(map(str, sorted(known)[:5])) + (", ..." if len(known) > 5 else "")
                raise at.error(row, f"{noun}_id", f"{value!r} is no {noun} here; ids are {some or 'none'}")
    return np.array(found, np.int64)


def _source_ids(ordered: Sequence[CocoAnnotation], at: At) -> NDArray[np.int64] | None:
    if not ordered or any(item.id is None for item in ordered):
        return None
    assert at.place is not None
    where = f"{at.listed}[{{}}].id"
    ids = np.array(numbers([item.id for item in ordered], at.path, where, at.place), np.int64)
    sort = np.argsort(ids, kind="stable")
    double = np.flatnonzero(np.diff(ids[sort]) == 0)
    if double.size:
        pair = sort[double[0] : double[0] + 2]
        first, second = pair[np.argsort(at.place[pair])].tolist()
        raise at.error(second, "id", f"id {ids[first]} stands at {at.listed}[{at.place[first]}] too")
    for row, item in enumerate(ordered):
        if item.source_id is not None:
            ids[row] = number(item.source_id, at.path, at.where(row, "source_id"))
    return ids


def boxes_of(boxes: Sequence[Sequence[float | None] | None], at: At) -> NDArray[np.float64] | None:
    """(M, 4) corners of x, y, width, height; NaN where there is no box, or no number."""
    if not any(boxes):
        return None
    for row, box in enumerate(boxes):
        if box and len(box) != 4:
            raise at.error(row, "bbox", f"{len(box)} numbers; a box is x, y, width, height")
    corners = np.array([box or NO_BOX for box in boxes], np.float64)
    corners[:, 2:] += corners[:, :2]
    return corners


def _numbers_or_nan(values: list[float | None]) -> NDArray[np.float64] | None:
    return _any_number(np.array(values, np.float64))  # None becomes NaN


def _any_number(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    return None if np.isnan(values).all() else values


def _instances(ordered: Sequence[CocoAnnotation], at: At) -> dict[int, int]:
    """Numbers of things, stable over the frames of a video, wherever a tool keeps them."""
    found: dict[int, int] = {}
    for row, item in enumerate(ordered):
        track = item.attributes.get("track_id") if item.attributes else None
        if item.instance_id is not None:
            found[row] = instance_number(item.instance_id, at, row)
        elif item.track_id is not None:
            found[row] = instance_number(item.track_id, at, row)
        elif type(track) is int:
            found[row] = instance_number(track, at, row)
    return found


def instance_number(value: int, at: At, row: int) -> int:
    """The number of a thing, if it fits into 32 bits."""
    if not -INSTANCES <= value < INSTANCES:
        raise at.error(row, "instance_id", f"{value} is over 32 bits")
    return value
