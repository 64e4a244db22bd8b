"""The JSON of COCO files: typed, checked, and every error with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw, Struct
from numpy.typing import NDArray

from inlay.core.errors import FormatError
from inlay.core.segmentation import Tags
from inlay.formats.parts.tag_words import tags_of
from inlay.formats.parts.typed_json import Text, decode, json_errors, without_collector

Id = int | float | str  # some tools write "2299" or 2299.0 for 2299
NULL = Raw(b"null")
QUIET_KEYS = frozenset({"width", "height", "isbbox", "color", "metadata", "ignore_qa", "isfake", "iscrowd"})
TAG_KEYS = (
    "occluded",
    "truncated",
    "difficult",
    "ignore",
)  # written by several tools beside the standard keys


class ImageExtra(Struct, omit_defaults=True):
    """What Inlay adds to an image: name and split where the file names say others, tags, whether labelled."""

    name: str | None = None
    split: str | None = None
    tags: list[str] = []
    unlabelled: bool = False

    def split_in(self, split: str) -> str:
        """The split of an image that lies in a file of `split`."""
        return split if self.split is None else self.split


class CocoImage(Struct):
    """An entry of `images`."""

    id: Id
    file_name: str = ""
    height: int | None = None
    width: int | None = None
    license: Any = None
    video_id: Id | None = None
    frame_id: int | None = None
    inlay: ImageExtra | None = None
    coco_url: Any = None

    def __post_init__(self) -> None:
        if not self.file_name and isinstance(self.coco_url, str):  # LVIS names images by nothing else
            self.file_name = "/".join(self.coco_url.split("/")[-2:])


class _StrictImage(CocoImage, forbid_unknown_fields=True):
    """The same, refusing keys that would be lost."""

    flickr_url: Any = None
    date_captured: Any = None
    url: Any = None


class AnnotationExtra(Struct):
    """What Inlay adds to an annotation: the full extent behind what hides the segment."""

    amodal: Raw = NULL


class CocoAnnotation(Struct, gc=False):
    """An entry of `annotations`; its geometry stays text until its image is loaded."""

    image_id: Id
    category_id: Id | None = None
    id: Id | None = None
    segmentation: Raw = NULL
    bbox: list[float | None] | None = None
    area: float | None = None
    iscrowd: int | bool | None = None
    score: float | None = None
    instance_id: int | None = None
    track_id: int | None = None
    attributes: dict[str, Any] | None = None
    num_keypoints: int | None = None
    keypoints: Raw = NULL
    caption: str | None = None
    occluded: int | bool | None = None
    truncated: int | bool | None = None
    difficult: int | bool | None = None
    ignore: int | bool | None = None
    inlay: AnnotationExtra | None = None
    source_id: int | None = None  # where `id` could not be that of the source


class _Strict(CocoAnnotation, gc=False, forbid_unknown_fields=True):
    """The same, refusing keys that would be lost."""


class CategoryExtra(Struct):
    """What Inlay adds to a category: void, which COCO has no word for."""

    kind: str = "thing"


class CocoCategory(Struct):
    """An entry of `categories`."""

    id: Id
    name: str
    supercategory: str | None = None
    isthing: int | bool | None = None
    color: list[int] | None = None
    inlay: CategoryExtra | None = None


class CocoVideo(Struct):
    """An entry of `videos`."""

    id: Id
    name: str = ""


class CocoData(Struct):
    """A whole file of labels."""

    images: list[CocoImage]
    categories: list[CocoCategory]
    annotations: list[CocoAnnotation] | None = None
    videos: list[CocoVideo] = []


class _StrictData(Struct):
    images: list[_StrictImage]
    categories: list[CocoCategory]
    annotations: list[_Strict] | None = None
    videos: list[CocoVideo] = []


class Rle(Struct, gc=False):
    """A mask as run lengths: a list, or COCO's compressed string."""

    size: tuple[int, int]
    counts: str | list[int]


Geometry = list[list[float]] | Rle | None


def read_labels(path: Path, data: Text) -> tuple[CocoData, dict[str, int]]:
    """The text of a file of labels, and how often it says what is left out: key by key."""
    try:
        with json_errors(data, path), without_collector():
            labels = msgspec.json.decode(data, type=_StrictData)
    except FormatError as error:
        if "unknown field" not in error.what:
            raise
        return decode(data, path, CocoData), _unknown_keys(data, path)
    images: Any = labels.images  # a list of a subclass is no list of the class, for the type checker
    return CocoData(images, labels.categories, labels.annotations, labels.videos), {}  # type: ignore[arg-type]


class _Loose(Struct):
    images: list[dict[str, Raw]] = []
    annotations: list[dict[str, Raw]] | None = None


def _unknown_keys(data: Text, path: Path) -> dict[str, int]:
    """Counts of keys of images and annotations that nothing here reads, where they say something."""
    loose = decode(data, path, _Loose)
    silent = {b"null", b"false", b"0", b"[]", b"{}", b'""'}
    found: Counter[str] = Counter()
    for entries, kind, quiet in (
        (loose.images, _StrictImage, frozenset()),
        (loose.annotations or [], CocoAnnotation, QUIET_KEYS),
    ):
        known = quiet | set(kind.__struct_fields__)
        for entry in entries:
            found.update(f"key {key!r}" for key in entry.keys() - known if bytes(entry[key]) not in silent)
    return dict(found)


def number(value: Id, path: Path, where: str) -> int:
    """An id as a number, whether the file writes 2299, 2299.0 or "2299"."""
    try:
        whole = int(value)
        if whole == (float(value) if isinstance(value, float) else whole) and abs(whole) < 2**63:
            return whole
    except (ValueError, OverflowError):
        pass
    raise FormatError(path, where, f"{value!r} is no id: ids are whole numbers below 2^63")


def numbers(
    values: Sequence[Any], path: Path, where: str, places: Sequence[int] | NDArray[np.int64] | None = None
) -> list[int]:
    """The ids of a column; `where` holds `{}` for their `places` in the file."""
    if all(type(value) is int for value in values) and (not values or max(map(abs, values)) < 2**63):
        return list(values)
    at = range(len(values)) if places is None else places
    return [number(value, path, where.format(place)) for place, value in zip(at, values)]


def annotation_tags(annotation: CocoAnnotation) -> Tags:
    """Words on a segment: its attributes, and the keys beside the standard ones that say yes."""
    words = [key for key in TAG_KEYS if getattr(annotation, key)]
    return tags_of(annotation.attributes) | frozenset(words)
