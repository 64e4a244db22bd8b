"""What columns are measured on: segments, pairs and the whole of one image; the census of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.contacts import Contacts, contacts_of
from inlay.core.dataset import Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import image_size
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.outline import perimeter

if TYPE_CHECKING:
    from inlay.rules.gathered import Gathered

Floats = NDArray[np.float64]  # NaN is unknown
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Words = NDArray[np.object_]  # of str
Fact = TypeVar("Fact")


class UnknownError(Exception):
    """What a column needs is not there, a label, a prediction, the pixels: its values are unknown."""


@dataclass(frozen=True)
class Subject:
    """What a row of a late table is about: an image, some of its segments, and what messages call the row."""

    image: int | None = None  # place in `Gathered.name`
    segments: tuple[int, ...] = ()  # places in `Gathered.row`, all in that image
    names: Mapping[str, str] = field(default_factory=dict)


def ratio(top: NDArray[Any], bottom: NDArray[Any]) -> Floats:
    """Top over bottom, unknown where the bottom is 0."""
    shares: Floats = np.full(len(top), np.nan)
    np.divide(top, bottom, out=shares, where=bottom > 0)
    return shares


@dataclass(frozen=True, eq=False)
class SegmentTable:
    """One row for each segment of an image, back to front, with the facts that several columns share."""

    segmentation: Segmentation
    sample: Sample | None = None
    predicted: Segmentation | None = None  # of the same image, when predictions were given

    def __len__(self) -> int:
        return len(self.segmentation)

    @cached_property
    def _facts(self) -> dict[tuple[Any, ...], Any]:
        return {}

    def once(self, measure: Callable[..., Fact], *given: float) -> Fact:
        """`measure(self, *given)`, which must look at the masks alone; several columns share it."""
        key = (measure, *given)
        if key not in self._facts:
            self._facts[key] = measure(self, *given)
        found: Fact = self._facts[key]
        return found

    def unseeing(self) -> SegmentTable:
        """The same table, with all that is known of its masks, and without its image."""
        name = "" if self.sample is None else self.sample.name
        blind = replace(self, sample=Sample(name, None, self.segmentation))
        for fact in self.__dict__.keys() - blind.__dict__.keys() - {"pixels"}:
            blind.__dict__[fact] = self.__dict__[fact]
        return blind

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 of the image.

        Raises
        ------
        UnknownError
            Without an image that can be read; the engine then takes the column as unknown.
        """
        try:
            if self.sample is not None and self.sample.image is not None:
                return self.sample.pixels()
        except (InlayError, OSError):
            pass
        raise UnknownError

    @property
    def prediction(self) -> Segmentation:
        """What a model says of the image.

        Raises
        ------
        UnknownError
            When no predictions were given, or none of this image.
        """
        if self.predicted is None:
            raise UnknownError
        return self.predicted

    @property
    def masks(self) -> Masks:
        """The mask of each segment as the label states it, overlaps included."""
        return self.segmentation.masks

    @cached_property
    def area(self) -> Integers:
        """(N,) pixels."""
        return self.masks.area()

    @cached_property
    def box(self) -> Integers:
        """(N, 4) measured box x0, y0, x1, y1, half-open; zeros for an empty mask."""
        return self.masks.box().astype(np.int64)

    @cached_property
    def perimeter(self) -> Integers:
        """(N,) pixel edges around each mask, holes and image sides included."""
        return self.contacts.perimeter if self.is_partition else perimeter(self.masks)

    @cached_property
    def union(self) -> Masks:
        """One mask: the pixels that lie in any segment."""
        return self.masks.union()

    @cached_property
    def nobody(self) -> Masks:
        """The connected parts, by edges, of the pixels that lie in no segment."""
        return (~self.union).parts(4)[0]

    @cached_property
    def is_partition(self) -> bool:
        """Whether no pixel lies in two masks."""
        return int(self.area.sum()) == int(self.union.area()[0])

    @cached_property
    def overlaps(self) -> tuple[Integers, Integers, Integers]:
        """Rows a < b of the masks that share pixels, and how many."""
        none = np.empty(0, np.int64)
        if self.is_partition:
            return none, none, none
        shared = np.triu(self.masks.intersection(self.masks), 1)
        a, b = np.nonzero(shared)
        return a, b, shared[a, b]

    @cached_property
    def visible(self) -> Masks:
        """The part of each mask that nothing in front of it covers."""
        behind, before, _ = self.overlaps
        if not len(behind):
            return self.masks
        rows, place = np.unique(behind, return_inverse=True)
        over = self.masks[before].merge(place, len(rows))
        seen = Masks.concat([self.masks, self.masks[rows] - over])
        place = np.arange(len(self))
        place[rows] = len(self) + np.arange(len(rows))
        return seen[place]

    @cached_property
    def contacts(self) -> Contacts:
        """What the visible parts of the segments touch, and for how long."""
        return contacts_of(self.visible)

    @cached_property
    def twice(self) -> Masks:
        """One mask: the pixels that lie in more than one mask."""
        a, b, _ = self.overlaps
        return (self.masks[a] & self.masks[b]).union() if len(a) else Masks.empty(self.masks.size, 1)

    @cached_property
    def labelled(self) -> Masks:
        """One mask: the pixels that lie in a segment whose class is not void."""
        return self.union if self.is_labelled.all() else self.masks[self.is_labelled].union()

    @cached_property
    def is_labelled(self) -> Booleans:
        """(N,) whether the class of each segment says something: is not void."""
        label = self.segmentation
        return ~label.classes.is_void[label.class_id]

    @cached_property
    def parts(self) -> tuple[Masks, NDArray[np.int32]]:
        """The connected parts of all masks (corners connect), and the row of each."""
        return self.masks.parts()

    @cached_property
    def visible_parts(self) -> tuple[Masks, NDArray[np.int32]]:
        """The connected parts of the visible masks (corners connect), and the row of each."""
        return self.parts if self.visible is self.masks else self.visible.parts()

    @cached_property
    def is_thing(self) -> Booleans:
        """(N,) whether the class of each segment is one of things."""
        label = self.segmentation
        return label.classes.is_thing[label.class_id]

    @cached_property
    def holes(self) -> tuple[Masks, NDArray[np.int32]]:
        """The holes of all masks, and the row of each."""
        return self.masks.holes()


@dataclass(frozen=True, eq=False)
class PairTable:
    """One row for each ordered pair of segments that touch or overlap: (a, b) and (b, a)."""

    segments: SegmentTable
    a: Integers  # (P,) row of the first segment
    b: Integers  # (P,)
    touch: Integers  # (P,) pixel edges that the visible parts share
    shared: Integers  # (P,) pixels that lie in both masks
    over: Integers  # (P,) pixel edges where a visible pixel of the first lies straight over one of the second

    @classmethod
    def of(cls, segments: SegmentTable) -> PairTable:
        """The pairs of an image."""
        count = max(len(segments), 1)
        graph = segments.contacts
        touch_keys = graph.a.astype(np.int64) * count + graph.b
        *rows, overlap = segments.overlaps
        overlap_keys = rows[0] * count + rows[1]
        keys = np.union1d(touch_keys, overlap_keys)
        touch, shared, over_b, over_a = np.zeros((4, len(keys)), np.int64)
        touching = np.searchsorted(keys, touch_keys)
        touch[touching] = graph.length
        if graph.over is not None:
            over_b[touching], over_a[touching] = graph.over.T
        shared[np.searchsorted(keys, overlap_keys)] = overlap
        a, b = keys // count, keys % count
        both = np.tile(touch, 2), np.tile(shared, 2), np.append(over_b, over_a)
        return cls(segments, np.append(a, b), np.append(b, a), *both)

    def __len__(self) -> int:
        return len(self.a)


@dataclass(frozen=True, eq=False)
class ImageTable:
    """One row: the image and its label as a whole; `measured` is the table of its segments, if at hand."""

    sample: Sample
    predicted: Segmentation | None = None
    measured: SegmentTable | None = None

    @cached_property
    def segments(self) -> SegmentTable:
        """The segments.

        Raises
        ------
        UnknownError
            When nobody has labelled the image; the engine then takes the column as unknown.
        """
        if self.measured is not None:
            return self.measured
        if self.sample.segmentation is None:
            raise UnknownError
        return SegmentTable(self.sample.segmentation, self.sample, self.predicted)

    @cached_property
    def image_size(self) -> tuple[int, int] | None:
        """(height, width) of the image file, turned by EXIF; `None` without a file that can be read."""
        image = self.sample.image
        if isinstance(image, np.ndarray):
            return int(image.shape[0]), int(image.shape[1])
        try:
            return None if image is None else image_size(image)
        except (FormatError, OSError, SyntaxError):  # Pillow reads a PNG's pixels to find its EXIF
            return None


@dataclass(frozen=True, eq=False)
class DatasetTable:
    """One row for each class, counted over the whole dataset; `gathered` is there when columns are asked."""

    classes: Classes
    segment_count: Integers  # (K,)
    image_count: Integers  # (K,)
    pixel_count: Integers  # (K,)
    images: int = 0  # images with a label
    gathered: Gathered | None = None

    @classmethod
    def empty(cls, classes: Classes) -> DatasetTable:
        """Nothing counted yet."""
        return cls(classes, *np.zeros((3, len(classes)), np.int64))

    def __len__(self) -> int:
        return len(self.classes)

    def subject(self, row: int) -> Subject:
        """The class."""
        return Subject(names={"class": self.classes.names[row]})

    def __add__(self, other: DatasetTable) -> DatasetTable:
        return DatasetTable(
            self.classes,
            self.segment_count + other.segment_count,
            self.image_count + other.image_count,
            self.pixel_count + other.pixel_count,
            self.images + other.images,
        )

    def count(self, segmentation: Segmentation) -> DatasetTable:
        """The census with one more label; segments of classes of another dataset are matched by name."""
        same = segmentation.classes is self.classes or segmentation.classes == self.classes
        rows = (
            segmentation.class_id
            if same
            else segmentation.classes.rows_in(self.classes)[segmentation.class_id]
        )
        seen = np.bincount(rows, minlength=len(self))
        pixels = np.zeros(len(self), np.int64)
        np.add.at(pixels, rows, segmentation.masks.area())
        one = DatasetTable(self.classes, seen, (seen > 0).astype(np.int64), pixels, 1)
        return self + one
