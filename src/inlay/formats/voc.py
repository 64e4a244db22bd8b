"""Pascal VOC: `JPEGImages/`, `SegmentationClass/`, `SegmentationObject/`, `Annotations/`, `ImageSets/`.

Maps are palette PNGs (or RGB in the palette's colours). A pixel's number in `SegmentationClass` is its class,
0 being the stuff class "background" and 255 nobody: the ring around objects. Its number in
`SegmentationObject` is the object, whose class is the one that most of its pixels have. Things without an
object number are crowds. XML files give tags (truncated, occluded, difficult, pose, action, attributes) and
boxes to the objects: to the object of the same place in the list where class and box agree, else to the one
whose box agrees best. XML objects that have no pixels stay as boxes; parts of objects (head, hand) are left
out and counted.

Reads the images that `ImageSets/Segmentation` lists or `SegmentationClass` holds; all, where neither is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import SUFFIXES, image_size
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.class_lists import ClassList, read_text
from inlay.formats.parts.label_maps import LabelMap, read_label_map, write_label_map
from inlay.formats.parts.label_values import class_rows
from inlay.formats.parts.places import place, store_image
from inlay.formats.parts.voc_classes import (
    VOID,
    number_classes,
    palette_colour,
    palette_numbers,
    read_classes,
    write_classes,
)
from inlay.formats.parts.voc_objects import with_objects
from inlay.formats.parts.voc_xml import Listed, Page, read_page, write_page

KEEPS = frozenset(
    {
        "masks",
        "class_id",
        "instances",
        "holes",
        "parts",
        "crowd",
        "tags",
        "box",
        "stated_box",
        "split",
        "empty",
    }
    | {"unlabelled", "stuff", "void", "colours", "parents", "class_number"}
)
_MOST = 254  # objects of one image; 255 is void
_UNSPLIT = "default"  # the list of samples without a split, as Datumaro calls it
_PALETTE = np.array([palette_colour(number) for number in range(256)], np.uint8)


def sniff(path: Path) -> bool:
    """Whether it is a folder with `SegmentationClass`, or with XML files in `Annotations`."""
    return path.is_dir() and _root(path) is not None


def _root(path: Path) -> Path | None:
    """The folder itself, or the one `VOC...` folder in it."""
    if (path / "SegmentationClass").is_dir() or next((path / "Annotations").glob("*.xml"), None):
        return path
    years = [
        year for place in (path, path / "VOCdevkit") for year in sorted(place.glob("VOC*")) if year.is_dir()
    ]
    able = [year for year in years if (year / "SegmentationClass").is_dir()]
    return able[0] if len(able) == 1 else None


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - the folder has its classes
    """The samples of a folder, in order of their names."""
    root = _root(path) if path.is_dir() else None
    if root is None:
        raise FormatError(path, "", "no folder SegmentationClass or Annotations (of one VOC year) in it")
    numbered = read_classes(root)
    files = {kind: _files(root / kind, suffixes) for kind, suffixes in _FOLDERS.items()}
    maps, pages = files["SegmentationClass"], files["Annotations"]
    splits = _splits(root, frozenset().union(*files.values()))
    names = sorted({*splits, *maps} if splits else {*maps, *pages, *files["JPEGImages"]})
    folder = _Folder(root, numbered, files, splits)
    known = {name: split for name, split in splits.items() if split}
    return Dataset(
        numbered.classes, tuple(names), partial(_load, folder), known, _Parts(tuple(pages.values()))
    )


_FOLDERS: Mapping[str, tuple[str, ...]] = {
    "JPEGImages": SUFFIXES,
    "SegmentationClass": (".png",),
    "SegmentationObject": (".png",),
    "Annotations": (".xml",),
}


@dataclass(frozen=True, eq=False)
class _Folder:
    """The classes, files and splits of a VOC folder, by sample name."""

    root: Path
    numbered: ClassList
    files: Mapping[str, Mapping[str, Path]]
    splits: Mapping[str, str]


class _Parts(Mapping[str, int]):
    """What is left out: the parts of objects, counted in all XML files when somebody asks."""

    def __init__(self, pages: tuple[Path, ...]) -> None:
        self._pages = pages

    @cached_property
    def _counts(self) -> dict[str, int]:
        count = sum(item.parts for path in self._pages for item in read_page(path).objects)
        return {"object parts": count} if count else {}

    def __getitem__(self, word: str) -> int:
        return self._counts[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)


def _files(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.suffix.lower() in suffixes and path.is_file():
            name = path.relative_to(folder).as_posix().removesuffix(path.suffix)
            if name in found:
                raise FormatError(
                    folder, name, f"two files of one name: {found[name].name} and {path.name}; keep one"
                )
            found[name] = path
    return found


def _splits(root: Path, known: frozenset[str]) -> dict[str, str]:
    """Split of each listed name; one that is in `trainval` and in `train` is in `train`."""
    lists = sorted((root / "ImageSets" / "Segmentation").glob("*.txt"))
    if not lists:
        main = root / "ImageSets" / "Main"
        lists = [
            main / f"{word}.txt"
            for word in ("train", "val", "trainval", "test")
            if (main / f"{word}.txt").is_file()
        ]
    splits: dict[str, str] = {}
    for path in sorted(lists, key=lambda path: path.stem == "trainval"):
        for number, line in enumerate(read_text(path).splitlines(), 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            name = next((word for word in (text, text.strip('"'), text.split()[0]) if word in known), None)
            if name is None:
                raise FormatError(
                    path, f"line {number}", f"there is no image {text!r}: add it, or delete the line"
                )
            splits.setdefault(name, "" if path.stem == _UNSPLIT else path.stem)
    return splits


def _load(folder: _Folder, name: str) -> Sample:
    image, classes, objects, page = (folder.files[kind].get(name) for kind in _FOLDERS)
    label = None
    if classes is not None or page is not None:
        listed = Page(None, ()) if page is None else read_page(page)
        size = None if classes is not None else listed.size or (image and image_size(image))
        if classes is None and size is None:
            raise FormatError(
                page or folder.root, "size", f"{name!r} has neither a map, nor an image, nor a <size>"
            )
        label = _segmentation(folder.numbered, classes, objects, size or (1, 1))
        if page is not None and listed.objects:
            label = with_objects(label, page, listed.objects)
        label = label.replace(source_id=None)  # the object numbers have done their work
    return Sample(name, image, label, folder.splits.get(name, ""))


def _segmentation(
    numbered: ClassList, classes: Path | None, objects: Path | None, size: tuple[int, int]
) -> Segmentation:
    """Segments of the class map where it has no objects, then the objects by their numbers (`source_id`)."""
    if classes is None:
        return Segmentation.empty(numbered.classes, size)
    rows = _class_rows(read_label_map(classes), numbered)
    numbers = np.zeros_like(rows) if objects is None else _object_numbers(objects, rows.shape)
    width = len(numbered.classes) + 1
    codes = (
        numbers * width + rows + 1
    )  # each pixel's object and class as one number, looked up in a small table
    counts = np.bincount(codes.ravel(), minlength=width)
    counts = np.pad(counts, (0, -len(counts) % width)).reshape(-1, width)
    kinds = np.flatnonzero(counts[0, 1:])
    present = np.flatnonzero(counts[1:].any(axis=1)) + 1
    alone = present[~counts[present, 1:].any(axis=1)]
    if alone.size:
        raise FormatError(
            objects or classes, f"object {alone[0]}", "has no pixel with a class in SegmentationClass"
        )
    ids = np.full(counts.shape, -1, np.int32)
    ids[0, 1 + kinds] = np.arange(kinds.size)
    ids[present] = kinds.size + np.arange(present.size)[:, None]
    most = counts[present, 1:].argmax(axis=1) if present.size else kinds[:0]
    class_id = np.concatenate([kinds, most]).astype(np.int32)
    thing = numbered.classes.is_thing[class_id]
    return Segmentation(
        numbered.classes,
        Masks.from_ids(ids.ravel()[codes], kinds.size + present.size),
        class_id,
        instance_numbers(thing),
        crowd=thing & (np.arange(class_id.size) < kinds.size),
        source_id=np.concatenate([np.zeros(kinds.size, np.int64), present]),
    )


def _class_rows(label: LabelMap, numbered: ClassList) -> NDArray[np.int32]:
    if not label.is_coloured:
        return class_rows(label, numbered)
    void = (label.values == _PALETTE[VOID]).all(axis=2)
    if void.all():
        return np.full(void.shape, -1, np.int32)
    known = label.values[~void][0]  # any colour of a class, for the ring alone
    rows = class_rows(LabelMap(label.path, np.where(void[..., None], known, label.values), 8), numbered)
    return np.where(void, -1, rows).astype(np.int32)


def _object_numbers(path: Path, size: tuple[int, ...]) -> NDArray[np.int32]:
    """(H, W) object numbers; 0 where there is none."""
    label = read_label_map(path)
    if label.values.shape[:2] != size:
        here, there = label.values.shape[:2], size
        raise FormatError(
            path, "size", f"{here[1]}x{here[0]}; its class map has {there[1]}x{there[0]} pixels"
        )
    numbers = class_rows(label, palette_numbers(path)) if label.is_coloured else label.values
    return np.where(numbers == VOID, 0, numbers).astype(np.int32)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write all folders of a VOC year and its `labelmap.txt`.

    Raises
    ------
    InlayError
        When there are more classes than 254 or an image has more than 254 objects: numbers are never wrapped.
    """
    numbered = number_classes(dataset.classes)
    colours = _PALETTE.copy()
    for value, item in zip(numbered.values, numbered.classes):
        colours[value] = item.colour or colours[value]
    (path / "SegmentationClass").mkdir(parents=True)
    lists: dict[str, list[str]] = {}
    for sample in dataset:
        image = store_image(sample, path / "JPEGImages")
        lists.setdefault(sample.split or _UNSPLIT, []).append(sample.name)
        if sample.segmentation is not None:
            label = sample.segmentation.with_classes(numbered.classes)
            _write_label(sample.name, label, path, numbered, colours)
            objects = [
                _listed(label, row, number) for row, number in _object_rows(sample.name, label).items()
            ]
            page = place(path / "Annotations", sample.name, ".xml")
            write_page(page, image.name if image else sample.name, label.size, objects)
    for split, names in lists.items():
        place(path / "ImageSets" / "Segmentation", split, ".txt").write_text("\n".join(names) + "\n", "utf-8")
    write_classes(path / "labelmap.txt", numbered, [(r, g, b) for r, g, b in colours.tolist()])


def _object_rows(name: str, label: Segmentation) -> dict[int, int]:
    """Numbers of the rows that are objects: things, and whatever a class map cannot say; 0 for mere boxes."""
    several = np.bincount(label.class_id, minlength=len(label.classes))[label.class_id] > 1
    worded = np.array([bool(tags) for tags in label.tags], np.bool_)
    seen = label.masks.area() > 0
    boxed = (label.boxes() != label.masks.box()).any(axis=1)
    objects = np.flatnonzero((label.is_thing | several | worded | boxed | label.crowd) & seen)
    if objects.size > _MOST:
        what = f"{objects.size} objects; a map of 8 bits holds {_MOST}"
        raise InlayError(f"sample {name!r} has {what}: write coco, label_png or native")
    boxes = np.flatnonzero(~seen & (label.stated_box is not None))
    return {
        **{row: number for number, row in enumerate(objects.tolist(), 1)},
        **dict.fromkeys(boxes.tolist(), 0),
    }


def _listed(label: Segmentation, row: int, number: int) -> Listed:
    x0, y0, x1, y1 = label.boxes()[row].tolist()
    tags, crowd = label.tags[row], bool(label.crowd[row])
    return Listed(label.class_names[row], (x0, y0, x1, y1), tags, crowd, number=number)


def _write_label(
    name: str, label: Segmentation, path: Path, numbered: ClassList, colours: NDArray[np.uint8]
) -> None:
    void = min(numbered.unlabelled)
    classes = np.array(numbered.values, np.int64)[label.class_id] if len(label) else np.empty(0, np.int64)
    objects = np.zeros(len(label), np.int64)
    for row, number in _object_rows(name, label).items():
        objects[row] = number
    write_label_map(
        place(path / "SegmentationClass", name, ".png"), label.masks.paint(classes, fill=void), colours
    )
    write_label_map(
        place(path / "SegmentationObject", name, ".png"), label.masks.paint(objects, fill=void), _PALETTE
    )
