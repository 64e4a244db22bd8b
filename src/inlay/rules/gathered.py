"""Gathered: facts of every image and segment of a dataset, kept when their pixels are gone, for late columns.

A column is late when it needs more than one image: its first parameter is `AllImages`, `AllSegments`,
`DatasetTable` or a table of `inlay.rules.tracks`. The engine measures what late columns read while the
images pass by, and asks them at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.dataset import Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules.tables import Booleans, Integers, Subject, Words

NO_FRAME = -1


@dataclass(frozen=True, eq=False)
class Gathered:
    """One place for each image (I) and each segment (S) of a dataset, in its order.

    Parameters
    ----------
    name, split, group
        (I,) words of each image.
    frame
        (I,) place in the video of its group, -1 where there is none.
    labelled
        (I,) whether anybody has labelled it.
    image
        (S,) place of the segment's image.
    row, id
        (S,) row in its label, and id in the source file, else row + 1.
    class_id, instance_id
        (S,) row of `classes`; number of the instance, 0 for stuff.
    box
        (S, 4) measured box.
    digest
        (S,) uint64: equal for equal masks.
    columns
        The measured columns that late columns asked for, by key: "area_px" has S values, "image.coverage" I.
    """

    classes: Classes
    name: Words
    split: Words
    group: Words
    frame: Integers
    labelled: Booleans
    image: Integers
    row: Integers
    id: Integers
    class_id: Integers
    instance_id: Integers
    box: Integers
    digest: NDArray[np.uint64]
    columns: Mapping[str, NDArray[Any]]

    def __getitem__(self, key: str) -> NDArray[Any]:
        """A measured column: float64 with NaN for unknown, int64 or bool where all is known, or words."""
        return self.columns[key]

    def class_name(self, segment: int) -> str:
        """Name of a segment's class."""
        return str(self.classes.names[self.class_id[segment]])

    def segment_name(self, segment: int) -> str:
        """A segment as messages call it."""
        return f"{self.class_name(segment)} {self.id[segment]}"

    @classmethod
    def of(cls, sample: Sample, classes: Classes, columns: Mapping[str, Any]) -> Gathered:
        """The facts of one sample; `columns` are its values by key, arrays or scalars."""
        label = sample.segmentation
        empty = Segmentation.empty(classes, (0, 0)) if label is None else label
        count = len(empty)
        class_id = empty.class_id.astype(np.int64)
        if empty.classes != classes:
            class_id = empty.classes.rows_in(classes)[empty.class_id].astype(np.int64)
        rows = np.arange(count, dtype=np.int64)
        return cls(
            classes,
            _words(sample.name),
            _words(sample.split),
            _words(sample.group),
            np.array([NO_FRAME if sample.frame is None else sample.frame], np.int64),
            np.array([label is not None]),
            np.zeros(count, np.int64),
            rows,
            rows + 1 if empty.source_id is None else empty.source_id,
            class_id,
            empty.instance_id.astype(np.int64),
            empty.masks.box().astype(np.int64),
            digests(empty.masks),
            {key: _column(value, 1 if key.startswith("image.") else count) for key, value in columns.items()},
        )

    def to_record(self) -> dict[str, Any]:
        """The same under words, as a cache keeps it."""
        own = {item.name: getattr(self, item.name) for item in fields(self)[1:-1]}
        return own | {f"column {key}": value for key, value in self.columns.items()}

    @classmethod
    def of_record(cls, record: Mapping[str, Any], classes: Classes) -> Gathered:
        """The facts that a cache kept."""
        own = {item.name: record[item.name] for item in fields(cls)[1:-1]}
        columns = {key[7:]: value for key, value in record.items() if key.startswith("column ")}
        return cls(classes, **own, columns=columns)

    @classmethod
    def concat(cls, parts: Sequence[Gathered]) -> Gathered:
        """The facts of several parts of a dataset, in order; there is one at least."""
        first = parts[0]
        if len(parts) == 1:
            return first
        joined: dict[str, Any] = {
            item.name: np.concatenate([getattr(part, item.name) for part in parts])
            for item in fields(cls)
            if item.name not in ("classes", "image", "columns")
        }
        starts = np.cumsum([0, *(len(part.name) for part in parts[:-1])])
        joined["image"] = np.concatenate([part.image + start for part, start in zip(parts, starts)])
        columns = {key: np.concatenate([part.columns[key] for part in parts]) for key in first.columns}
        return cls(first.classes, **joined, columns=columns)

    @classmethod
    def nothing(cls, classes: Classes, keys: Iterable[str] = ()) -> Gathered:
        """No image at all."""
        sample = cls.of(Sample("", None, None), classes, dict.fromkeys(keys, np.nan))
        none = {item.name: getattr(sample, item.name)[:0] for item in fields(cls)[1:-1]}
        return cls(classes, **none, columns={key: value[:0] for key, value in sample.columns.items()})


def digests(masks: Masks) -> NDArray[np.uint64]:
    """(N,) a number for each mask, equal for equal masks of one size."""
    found = np.empty(len(masks), np.uint64)
    runs = memoryview(masks.counts).cast("B")  # type: ignore[arg-type]
    ends = (4 * masks.offsets).tolist()
    for row, (start, stop) in enumerate(pairwise(ends)):
        digest = hashlib.blake2b(runs[start:stop], digest_size=8)
        found[row] = int.from_bytes(digest.digest(), "little")
    return found


def _words(word: str) -> Words:
    words = np.empty(1, np.object_)
    words[0] = word
    return words


def _column(value: Any, count: int) -> NDArray[Any]:
    array = np.asarray(value, np.object_) if isinstance(value, str) else np.asarray(value)
    return np.broadcast_to(array, (count,)) if array.ndim == 0 else array


@dataclass(frozen=True, eq=False)
class AllImages:
    """One row for each image, with all the others in view: a late column of scope "image"."""

    gathered: Gathered

    @classmethod
    def of(cls, gathered: Gathered) -> AllImages:
        """The images of a dataset."""
        return cls(gathered)

    def __len__(self) -> int:
        return len(self.gathered.name)

    def __getitem__(self, key: str) -> NDArray[Any]:
        """(I,) a measured column of the images; `key` without "image."."""
        return self.gathered[f"image.{key}"]

    def subject(self, row: int) -> Subject:
        """The image."""
        return Subject(row)


@dataclass(frozen=True, eq=False)
class AllSegments:
    """One row for each segment, with all the others in view: a late column of scope "segment"."""

    gathered: Gathered

    @classmethod
    def of(cls, gathered: Gathered) -> AllSegments:
        """The segments of a dataset."""
        return cls(gathered)

    def __len__(self) -> int:
        return len(self.gathered.row)

    def __getitem__(self, key: str) -> NDArray[Any]:
        """(S,) a measured column of the segments."""
        return self.gathered[key]

    @cached_property
    def image(self) -> Integers:
        """(S,) row of each segment's image in `AllImages`."""
        return self.gathered.image

    def subject(self, row: int) -> Subject:
        """The segment."""
        place = int(self.gathered.image[row])
        return Subject(place, (row,), {"segment": self.gathered.segment_name(row)})
