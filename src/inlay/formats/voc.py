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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import SUFFIXES, image_size
from inlay.core.masks import Masks
from inlay.core.segmentation import NO_TAGS, Segmentation, instance_numbers
from inlay.formats.class_lists import ClassList, read_text
from inlay.formats.label_maps import LabelMap, read_label_map, write_label_map
from inlay.formats.label_values import class_rows
from inlay.formats.staging import place, store_image
from inlay.formats.voc_classes import (
    VOID,
    number_classes,
    palette_colour,
    palette_numbers,
    read_classes,
    write_classes,
)
from inlay.formats.voc_xml import Listed, Page, read_page, write_page

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
_NEAR = 0.5  # IoU from which a box of the XML may be that of an object
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
            label = _with_page(label, page, listed.objects)
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


def _with_page(label: Segmentation, path: Path, objects: Sequence[Listed]) -> Segmentation:
    """The segments with the tags and boxes of the XML; objects without pixels follow, as boxes."""
    known = frozenset(label.classes.names)
    for number, item in enumerate(objects, 1):
        if item.name not in known:
            what = f"class {item.name!r} is not in the class list of the folder"
            raise FormatError(path, f"object {number}", what)
    row_of = _link(label, objects)
    listed = {row: item for row, item in zip(row_of, objects) if row >= 0}
    boxes = label.masks.box().astype(np.float64)
    stated = boxes.copy()
    for row, item in listed.items():
        stated[row] = boxes[row] if item.box is None else item.box
    label = label.replace(
        tags=tuple(listed[row].tags if row in listed else NO_TAGS for row in range(len(label))),
        crowd=[listed[row].crowd if row in listed else bool(label.crowd[row]) for row in range(len(label))],
        stated_box=None if np.array_equal(stated, boxes) else stated,
    )
    bare = [item for row, item in zip(row_of, objects) if row < 0]
    return _with_boxes(label, bare, stated) if bare else label


def _with_boxes(label: Segmentation, bare: Sequence[Listed], stated: NDArray[np.float64]) -> Segmentation:
    class_id = [label.classes.row(item.name) for item in bare]
    boxes = np.array([item.box or (0, 0, 0, 0) for item in bare], np.float64).reshape(-1, 4)
    class_ids = np.concatenate([label.class_id, class_id]).astype(np.int32)
    return Segmentation(
        label.classes,
        Masks.concat([label.masks, Masks.empty(label.size, len(bare))]),
        class_ids,
        instance_numbers(label.classes.is_thing[class_ids]),
        crowd=np.concatenate([label.crowd, [item.crowd for item in bare]]),
        tags=(*label.tags, *(item.tags for item in bare)),
        stated_box=np.concatenate([stated, boxes]),
    )


def _link(label: Segmentation, objects: Sequence[Listed]) -> list[int]:
    """The row of each XML object, or -1: first by its place in the list, then by its box."""
    wanted = np.array([item.box or (np.nan,) * 4 for item in objects], np.float64)
    classes = np.array([label.classes.row(item.name) for item in objects])
    numbered = np.zeros(0) if label.source_id is None else label.source_id
    able = (classes[:, None] == label.class_id) & (numbered > 0)
    near = np.where(able, _box_iou(wanted, label.masks.box()), -1.0)
    near[np.isnan(near)] = 1.0  # no box: its place must do
    row_of = [-1] * len(objects)
    for index, item in enumerate(objects):
        rows = np.flatnonzero(
            (numbered > 0) & (numbered == (index + 1 if item.number is None else item.number))
        )
        if rows.size and (item.number is not None or near[index, rows[0]] >= _NEAR):
            row_of[index] = int(rows[0])
            near[:, rows[0]] = -1.0
    for index, row in enumerate(row_of):
        unsaid = objects[index].number is None and objects[index].box is not None
        if row < 0 and unsaid and len(label) and near[index].max() >= _NEAR:
            row_of[index] = int(near[index].argmax())
            near[:, row_of[index]] = -1.0
    return row_of


def _box_iou(one: NDArray[np.float64], other: NDArray[np.int32]) -> NDArray[np.float64]:
    """(N, M) IoU of boxes."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    area = np.prod(one[:, 2:] - one[:, :2], axis=1)[:, None] + np.prod(other[:, 2:] - other[:, :2], axis=1)
    return np.asarray(shared / np.maximum(area - shared, 1e-9))


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
