"""Segmentation: the segments of one image, back to front. Labels, predictions, stored rows are all this."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inlay.core.classes import Classes
from inlay.core.errors import InlayError
from inlay.core.masks import Index, Masks

if TYPE_CHECKING:
    from inlay.core.edges import Edges

Tags = frozenset[str]
NO_TAGS: Tags = frozenset()


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Segments of one image, back to front. A label when `score` is None, else a prediction.

    Row `i` may hide only rows before it: the order of the rows is the occlusion order. Overlapping masks are
    legal; `is_partition` says whether there are any.

    Raises
    ------
    InlayError
        When columns differ in length, masks in image size, or a class id is no row of `classes`.
    """

    classes: Classes
    masks: Masks  # N, the pixels one sees (modal)
    class_id: NDArray[np.int32]  # (N,) row of classes
    instance_id: NDArray[np.int32]  # (N,) 0 for stuff; unique per thing, stable across frames
    score: NDArray[np.float64] | None = None  # (N,) in [0, 1]
    crowd: NDArray[np.bool_] = None  # type: ignore[assignment]  # (N,) a group nobody separated; default False
    tags: tuple[Tags, ...] = None  # type: ignore[assignment]  # N sets of words; default empty
    amodal: Masks | None = None  # N, the full extent behind what hides it; None: nobody drew it
    source_id: NDArray[np.int64] | None = None  # (N,) id in the source file
    stated_box: NDArray[np.float64] | None = None  # (N, 4) box as the file states it, x0 y0 x1 y1
    stated_area: NDArray[np.float64] | None = None  # (N,) area as the file states it, pixels
    image_tags: Tags = NO_TAGS

    def __post_init__(self) -> None:
        count = len(self.masks)
        if self.crowd is None:
            self._set("crowd", np.zeros(count, np.bool_))
        self._set("tags", (NO_TAGS,) * count if self.tags is None else tuple(self.tags))
        for name, dtype in ARRAYS.items():
            if getattr(self, name) is not None:
                self._set(name, column_of(name, getattr(self, name), dtype))
        for name in ROW_COLUMNS:
            column = getattr(self, name)
            if column is not None and len(column) != count:
                raise InlayError(f"{name} has {len(column)} rows; there are {count} masks")
        if self.stated_box is not None and self.stated_box.shape != (count, 4):
            raise InlayError(f"stated_box has shape {self.stated_box.shape}, not ({count}, 4)")
        if self.amodal is not None and self.amodal.size != self.masks.size:
            raise InlayError(f"amodal masks are of {self.amodal.size} pixels, masks of {self.masks.size}")
        outside = (self.class_id < 0) | (self.class_id >= len(self.classes))
        if outside.any():
            bad = int(self.class_id[outside][0])
            raise InlayError(f"class id {bad} is outside the {len(self.classes)} classes")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @classmethod
    def empty(cls, classes: Classes, size: tuple[int, int]) -> Segmentation:
        """No segment in an image of (height, width) pixels."""
        none = np.empty(0, np.int32)
        return cls(classes, Masks.empty(size), none, none)

    @classmethod
    def from_semantic(cls, ids: NDArray[np.integer[Any]], classes: Classes) -> Segmentation:
        """One segment for each class row present in an (H, W) map; other values belong to nobody.

        Things get instance ids 1, 2, ... since nobody separated them: one for each class.
        """
        masks = Masks.from_ids(ids, len(classes))
        class_id = np.flatnonzero(masks.area()).astype(np.int32)
        thing = classes.is_thing[class_id]
        return cls(classes, masks[class_id], class_id, instance_numbers(thing))

    @classmethod
    def from_panoptic(
        cls, ids: NDArray[np.integer[Any]], segments: Sequence[tuple[int, int]], classes: Classes
    ) -> Segmentation:
        """Segments of an (H, W) id map, given as (id, class row) back to front; things are numbered so.

        Raises
        ------
        InlayError
            When an id stands twice in `segments`, or a class row is none of `classes`.
        """
        names = np.array([name for name, _ in segments], np.int64)
        class_id = column_of("class_id", [row for _, row in segments], np.int32)
        order = np.argsort(names, kind="stable")
        if np.any(np.diff(names[order]) == 0):
            raise InlayError("a segment id stands twice in one image")
        if names.size:
            at = np.searchsorted(names[order], ids).clip(max=names.size - 1)
            rows = np.where(names[order][at] == ids, order[at], -1)
        else:
            rows = np.full(ids.shape, -1)
        masks = Masks.from_ids(rows, len(segments))
        unnumbered = cls(classes, masks, class_id, np.zeros(len(segments), np.int32), source_id=names)
        return unnumbered.replace(instance_id=instance_numbers(unnumbered.is_thing))

    @classmethod
    def concat(cls, parts: Sequence[Segmentation]) -> Segmentation:
        """All rows of several segmentations of one image, the first ones at the back.

        A column that only some parts have is dropped unless it can be filled: amodal by the modal mask.

        Raises
        ------
        InlayError
            When there is no part, or parts differ in image size or classes.
        """
        if not parts:
            raise InlayError("nothing to concatenate: an empty segmentation is `Segmentation.empty`")
        first = parts[0]
        if any(part.classes is not first.classes and part.classes != first.classes for part in parts):
            raise InlayError(
                "segmentations to concatenate must share their classes: use `with_classes` first"
            )
        columns: dict[str, Any] = {"masks": Masks.concat(part.masks for part in parts)}
        if any(part.amodal is not None for part in parts):
            columns["amodal"] = Masks.concat(part.amodal or part.masks for part in parts)
        columns["tags"] = tuple(tags for part in parts for tags in part.tags)
        for name in ROW_COLUMNS:
            if name not in columns and all(getattr(part, name) is not None for part in parts):
                columns[name] = np.concatenate([getattr(part, name) for part in parts])
        tags = frozenset().union(*(part.image_tags for part in parts))
        return cls(first.classes, image_tags=tags, **{"amodal": None, **columns})

    def __len__(self) -> int:
        return len(self.masks)

    def __getitem__(self, index: Index) -> Segmentation:
        """The rows at an int, a slice, a boolean or an integer array, in that order."""
        rows = np.atleast_1d(np.arange(len(self))[index])
        columns: dict[str, Any] = {}
        for name in ROW_COLUMNS:
            column = getattr(self, name)
            if column is not None:
                columns[name] = tuple(column[i] for i in rows) if name == "tags" else column[rows]
        return dataclasses.replace(self, **columns)

    def __iter__(self) -> Iterator[Segmentation]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        kind = "prediction" if self.is_prediction else "label"
        height, width = self.size
        return f"Segmentation({kind}, {len(self)} segments, {height}x{width} px, {len(self.classes)} classes)"

    def _repr_html_(self) -> str:
        from inlay.core.notebook import segmentation_html

        return segmentation_html(self)

    def replace(self, **columns: Any) -> Segmentation:
        """A copy with some columns exchanged."""
        return dataclasses.replace(self, **columns)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the image, pixels."""
        return self.masks.size

    @property
    def is_prediction(self) -> bool:
        """Whether the segments carry scores."""
        return self.score is not None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The class name of each row."""
        return tuple(self.classes.names[i] for i in self.class_id)

    @cached_property
    def is_thing(self) -> NDArray[np.bool_]:
        """(N,) whether each row is of a thing class."""
        return self.classes.is_thing[self.class_id] if len(self) else np.empty(0, np.bool_)

    @cached_property
    def is_partition(self) -> bool:
        """Whether no pixel lies in two masks."""
        return int(self.masks.area().sum()) == int(self.masks.union().area()[0])

    def boxes(self) -> NDArray[np.float64]:
        """(N, 4) float64 (x0, y0, x1, y1): as the file states them, else measured on the masks."""
        return self.masks.box().astype(np.float64) if self.stated_box is None else self.stated_box

    def areas(self) -> NDArray[np.float64]:
        """(N,) float64 pixels: as the file states them, else counted."""
        return self.masks.area().astype(np.float64) if self.stated_area is None else self.stated_area

    def things(self) -> Segmentation:
        """The rows of thing classes."""
        return self[self.is_thing]

    def stuff(self) -> Segmentation:
        """The rows of classes that are not things."""
        return self[~self.is_thing]

    def semantic(self, void: int = 255) -> NDArray[np.int32]:
        """(H, W) class rows; `void` where no segment is seen or the class is void."""
        values = self.class_id
        if self.classes.is_void.any():
            values = np.where(self.classes.is_void[values], void, values)
        return self.masks.paint(values, fill=void)

    def panoptic(self) -> NDArray[np.int32]:
        """(H, W) row + 1 of the front segment; 0 where there is none."""
        return self.masks.paint(np.arange(1, len(self) + 1))

    def flatten(self) -> Segmentation:
        """Each mask becomes what one sees of its full extent: amodal (or modal) less everything above it.

        The result is a partition; the full extents stay in `amodal`, and neighbours share their edge. Stated
        boxes and areas described the old masks and are dropped.
        """
        whole = self.masks if self.amodal is None else self.amodal
        seen = Masks.from_ids(whole.paint(np.arange(len(self)), fill=-1), len(self))
        return self.replace(masks=seen, amodal=whole, stated_box=None, stated_area=None)

    def edges(self) -> Edges:
        """The arcs that the segments of a partition share (see `inlay.core.edges`).

        Raises
        ------
        InlayError
            When masks overlap: flatten first.
        """
        from inlay.core.edges import edges

        return edges(self)

    @staticmethod
    def from_edges(edges: Edges, *, like: Segmentation) -> Segmentation:
        """The rows of `like` with the masks that the arcs bound; always a partition.

        Raises
        ------
        InlayError
            When the arcs are of another image size, or name rows that `like` has not.
        """
        from inlay.core.edges import from_edges

        return from_edges(edges, like=like)

    def with_classes(self, classes: Classes) -> Segmentation:
        """The same rows under other classes, matched by name.

        Raises
        ------
        InlayError
            When a class in use is missing from `classes`.
        """
        if classes == self.classes:
            return self.replace(classes=classes)
        row_of = np.zeros(len(self.classes), np.int32)
        for row in np.unique(self.class_id):
            row_of[row] = classes.row(self.classes.names[row])
        return self.replace(classes=classes, class_id=row_of[self.class_id])

    def equals(self, other: Segmentation) -> bool:
        """Whether every column is the same (NaN-free columns; classes compared by value)."""
        if len(self) != len(other) or self.classes != other.classes or self.image_tags != other.image_tags:
            return False
        return all(_same(getattr(self, name), getattr(other, name)) for name in ROW_COLUMNS)


ARRAYS: dict[str, type[np.generic]] = {
    "class_id": np.int32,
    "instance_id": np.int32,
    "crowd": np.bool_,
    "score": np.float64,
    "source_id": np.int64,
    "stated_box": np.float64,
    "stated_area": np.float64,
}
ROW_COLUMNS = tuple(
    item.name for item in dataclasses.fields(Segmentation) if item.name not in ("classes", "image_tags")
)


def column_of(name: str, values: Any, dtype: type[np.generic]) -> NDArray[Any]:
    """A contiguous column of a dtype; whole numbers that would not survive it are refused."""
    array = np.asarray(values)
    if array.ndim != 1 and name != "stated_box":
        raise InlayError(f"{name} has shape {array.shape}; a column has one value for each row")
    if array.dtype == dtype:
        return np.ascontiguousarray(array)
    with np.errstate(invalid="ignore"):
        column = np.ascontiguousarray(array, dtype)
    if issubclass(dtype, np.integer) and not np.array_equal(column, array):
        bad = array[column != array][0]
        raise InlayError(f"{name} holds {bad}, no whole number of {8 * column.itemsize} bits")
    return column


def _same(mine: Any, theirs: Any) -> bool:
    if mine is None or theirs is None:
        return mine is theirs
    if isinstance(mine, Masks):
        return mine.equals(theirs)
    return mine == theirs if isinstance(mine, tuple) else np.array_equal(mine, theirs)


def instance_numbers(is_thing: ArrayLike) -> NDArray[np.int32]:
    """(N,) 1, 2, ... for things in row order, 0 for the rest."""
    thing = np.asarray(is_thing, np.bool_)
    return np.where(thing, np.cumsum(thing), 0).astype(np.int32)
