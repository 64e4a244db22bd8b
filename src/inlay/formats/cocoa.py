"""COCOA: amodal regions with depth order, a JSON for each image or one for all, as it is published.

`segmentation` is the full extent, which may leave the image; `visible_mask` is what one sees of it, where
something hides a part. `order` 1 is the nearest: the rows go from the farthest to the nearest. Names are free
text and so are the classes; a name that is mostly stuff is a stuff class. Where `visible_mask` and
`invisible_mask` are both missing, all of the region is seen. Polygons are filled as pycocotools does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Raw, Struct

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import SUFFIXES, image_size
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.coco_json import NULL
from inlay.formats.parts.coco_layout import ImageFinder
from inlay.formats.parts.coco_masks import Place, read_masks, write_masks
from inlay.formats.parts.extras import FILE, KEPT, ExtraWriter, is_written_as, read_extras, said
from inlay.formats.parts.places import place, refuse_nothing, store_image
from inlay.formats.parts.typed_json import decode, looks_like, read_bytes

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "holes", "parts", "overlap", "order", "amodal", "hidden"),
}


class _Region(Struct):
    name: str = ""
    segmentation: Raw = NULL
    visible_mask: Raw = NULL
    invisible_mask: Raw = NULL
    amodal_mask: Raw = NULL  # ours: where no polygon holds the extent exactly
    order: float = 0
    isStuff: int | bool = 0  # noqa: N815 - their spelling


class _Entry(Struct):
    regions: list[_Region]
    image_id: int | None = None
    url: str = ""
    inlay_size: tuple[int, int] | None = None
    inlay_modal: bool = False  # nobody drew full extents


class _Image(Struct):
    id: int
    file_name: str
    height: int | None = None
    width: int | None = None


class _Whole(Struct):
    annotations: list[_Entry]
    images: list[_Image] = []


def sniff(path: Path) -> bool:
    """Whether it is a JSON of regions with `isStuff`, or a folder with one among its first files."""
    if path.is_file():
        return any(looks_like(path, "regions", word) for word in ("isStuff", "occlude_rate", "inlay_modal"))
    files = islice(path.rglob("*.json"), 8) if path.is_dir() else ()
    return any(sniff(file) for file in files if file.name != FILE) or is_written_as(path, "cocoa")


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - the files name their classes
    """The images of a folder of JSON files, or of one file for all."""
    if not sniff(path):
        raise FormatError(path, "", "no JSON with regions, as COCO-amodal has them")
    root = path.parent if path.is_file() else path
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*.json") if sniff(file))
    finder = ImageFinder([folder for folder in (root / "images", root) if folder.is_dir()])
    found: dict[str, _Found] = {}
    for file in files:
        for key, item in _entries(file, root, finder):
            while key in found:  # several people labelled one image
                key += "+"
            found[key] = item
    for file in sorted(root.rglob("*")) if path.is_dir() else []:
        key = file.relative_to(root).as_posix().removesuffix(file.suffix)
        if file.suffix.lower() in SUFFIXES and not any(item.image == file for item in found.values()):
            found[key] = _Found(file, None, file, None)
    kinds: dict[str, Counter[bool]] = {}
    for item in found.values():
        for region in item.entry.regions if item.entry else ():
            kinds.setdefault(region.name, Counter())[bool(region.isStuff)] += 1
    rows = [
        SegmentClass(name, "stuff" if count[True] > count[False] else "thing")
        for name, count in kinds.items()
    ]
    extras = read_extras(root)
    classes = extras.classes_with(Classes(tuple(rows)))
    return extras.dataset(list(found), classes, _Regions(found, classes), root)


@dataclass(frozen=True)
class _Found:
    """An image: the file that speaks of it, what it says, its own file and its size."""

    path: Path
    entry: _Entry | None
    image: Path | None
    size: tuple[int, int] | None


def _entries(file: Path, root: Path, find: ImageFinder) -> Iterator[tuple[str, _Found]]:
    data = read_bytes(file)
    if looks_like(file, "annotations", "regions"):
        whole = decode(data, file, _Whole)
        images = {image.id: image for image in whole.images}
        for i, entry in enumerate(whole.annotations):
            image = images.get(entry.image_id if entry.image_id is not None else -1)
            if image is None:
                raise FormatError(file, f"annotations[{i}].image_id", f"{entry.image_id} is no image here")
            size = (image.height, image.width) if image.height and image.width else None
            yield Path(image.file_name).stem, _Found(file, entry, find(image.file_name), size)
        return
    entry = decode(data, file, _Entry)
    beside = next((file.with_suffix(end) for end in SUFFIXES if file.with_suffix(end).is_file()), None)
    image_file = beside or find(entry.url.rpartition("/")[2])
    yield file.relative_to(root).with_suffix("").as_posix(), _Found(file, entry, image_file, entry.inlay_size)


@dataclass(frozen=True, eq=False)
class _Regions:
    """Entries by key; calling it with one makes its segments."""

    found: Mapping[str, _Found]
    classes: Classes

    def __call__(self, key: str) -> Sample:
        item = self.found[key]
        if item.entry is None:
            return Sample(key, item.image, None)
        size = item.size
        if size is None and item.image is not None:
            size = image_size(item.image)
        if size is None:
            what = "the regions state no size, and the image is not beside them"
            raise FormatError(item.path, "regions", what)
        return Sample(key, item.image, self._segmentation(item.path, item.entry, size))

    def _segmentation(self, path: Path, entry: _Entry, size: tuple[int, int]) -> Segmentation:
        listed = sorted(enumerate(entry.regions), key=lambda pair: -pair[1].order)
        flat = [_part(region) for _, region in listed]

        def masks(texts: list[Raw], word: str) -> Masks:
            names = [f"regions[{i}].{word}" for i, _ in listed]
            return read_masks(texts, size, "pixel_edge", Place(path, names.__getitem__))

        amodal = masks(flat, "segmentation")
        visible = masks([region.visible_mask for _, region in listed], "visible_mask")
        hidden = masks([region.invisible_mask for _, region in listed], "invisible_mask")
        both = Masks.concat([amodal - hidden, visible])
        states = [bytes(region.visible_mask) != b"null" for _, region in listed]
        modal = both[np.arange(len(listed)) + len(listed) * np.array(states, np.int64)]
        class_id = np.array([self.classes.row(region.name) for _, region in listed], np.int32)
        numbers = instance_numbers(self.classes.is_thing[class_id] if len(listed) else [])
        whole = None if entry.inlay_modal else amodal
        return Segmentation(self.classes, modal, class_id, numbers, amodal=whole)


def _part(region: _Region) -> Raw:
    """The text of the full extent as COCO writes it: theirs is one flat ring."""
    if bytes(region.amodal_mask) != b"null":
        return region.amodal_mask
    text = bytes(region.segmentation).strip()
    return (
        Raw(b"[" + text + b"]") if text[:1] == b"[" and text[1:].lstrip()[:1] != b"[" else region.segmentation
    )


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - one rule
    """Write each image and, beside it, a JSON of its regions, the nearest first."""
    extras = ExtraWriter(dataset, "cocoa", listed=False)
    path.mkdir(parents=True, exist_ok=True)
    for sample in dataset:
        refuse_nothing(sample)
        image = store_image(sample, path)
        label = sample.segmentation
        if label is not None:
            about = {"regions": list(_regions(label)), "image_id": 0, "url": image.name if image else ""}
            about |= {"size": len(label), "inlay_size": list(label.size), "inlay_modal": label.amodal is None}
            place(path, sample.name, ".json").write_bytes(msgspec.json.encode(about))
        extras.add(sample, said(sample, sample.name))
    extras.write(path)


def _regions(label: Segmentation) -> Iterator[dict[str, Any]]:
    whole = label.masks if label.amodal is None else label.amodal
    never = np.zeros(len(label), np.bool_)
    geometries = [msgspec.json.decode(text) for text in write_masks(whole, runs=never, rule="pixel_edge")]
    hidden = whole - label.masks
    runs = [write_masks(masks, runs=~never, rule="pixel_edge") for masks in (label.masks, hidden)]
    for i in range(len(label) - 1, -1, -1):
        geometry, area = geometries[i], int(whole.area()[i])
        one = isinstance(geometry, list) and len(geometry) == 1
        region: dict[str, Any] = {"name": label.class_names[i], "order": len(label) - i, "area": area}
        region |= {"segmentation": geometry[0] if one else []}
        region |= {} if one else {"amodal_mask": geometry}
        region |= {"isStuff": int(not label.is_thing[i])}
        region |= {"occlude_rate": int(hidden.area()[i]) / max(area, 1)}
        if not label.masks[i].equals(whole[i]):
            region |= {"visible_mask": runs[0][i], "invisible_mask": runs[1][i]}
        yield region
