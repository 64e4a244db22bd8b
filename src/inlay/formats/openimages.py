"""Open Images: tables of boxes and of masks for each split, and a PNG of one bit for each mask.

A mask may be smaller or larger than its image: it is scaled to it, nearest. Boxes and masks are joined by
image, label and corners; a box that has no mask has no pixels, and a group is a crowd. Occluded, truncated,
depiction and inside, `predicted_iou` and the clicks of the annotator are tags; flags of -1 are unknown and
say nothing. Verified labels of the image are its tags, "present: CLASS" and "absent: CLASS". Images that no
row and no list of labelled images names are unlabelled. A class is called by its display name, and the class
above it in the hierarchy is its parent.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import image_size, list_images
from inlay.core.masks import Masks
from inlay.core.placing import resize
from inlay.core.segmentation import Segmentation, Tags, instance_numbers
from inlay.formats.parts import openimages_tables as tables
from inlay.formats.parts.coco_layout import ImageFinder
from inlay.formats.parts.drawing import Box, Drawing, Row, is_bare_box, ring_of
from inlay.formats.parts.extras import KEPT, ExtraWriter, is_written_as, read_extras
from inlay.formats.parts.label_maps import label_size, read_label_map
from inlay.formats.parts.openimages_tables import FLAGS, Table
from inlay.formats.parts.pieces import png_of
from inlay.formats.parts.places import FlatNames, refuse_nothing, store_image
from inlay.formats.parts.split_lists import split_of
from inlay.formats.parts.split_names import plain_split, splits_of

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "order"),
    *("score", "crowd", "tags", "box"),
}
_PREDICTED = "prediction"  # source of boxes whose confidence is a score
_FACTS = {"PredictedIoU": "predicted_iou", "Clicks": "clicks"}
_NEAR = 1e-4  # shares of an image: corners of one box in two tables
_Row = Mapping[str, Any]


def sniff(path: Path) -> bool:
    """Whether it is a table of masks or boxes, or a folder with one."""
    if path.is_file():
        return path.name.endswith(("annotations-object-segmentation.csv", "annotations-bbox.csv"))
    found = tables.find_tables(path)
    return bool(found["masks"] or found["boxes"]) or is_written_as(path, "openimages")


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - the tables name their classes
    """The images of a folder, and those that its tables name."""
    if not sniff(path):
        raise FormatError(path, "", "no table *annotations-object-segmentation.csv or *annotations-bbox.csv")
    root = path.parent if path.is_file() else path
    root = root.parent if path.is_file() and root.name == "annotations" else root
    found = tables.find_tables(root)
    masks = tables.gather([file for file, _ in found["masks"]], tables.MASKS, tables.MASKS_MORE)
    boxes = tables.gather([file for file, _ in found["boxes"]], tables.BOXES, tables.BOXES_MORE)
    words = tables.gather([file for file, _ in found["tags"]], ("ImageID", "LabelName", "Confidence"))
    listed = tables.gather([file for file, _ in found["labelled"]], ("ImageID",))
    used = sorted({*masks.frame["LabelName"], *boxes.frame["LabelName"]} - {None})
    classes, names = tables.read_classes(found, used)
    extras = read_extras(root)
    images = _images(root)
    labelled = frozenset({*masks.places, *boxes.places, *listed.places})
    splits = {key: split_of(file.relative_to(root).as_posix()) for key, file in images.items()}
    for kind, table in (("labelled", listed), ("boxes", boxes), ("masks", masks)):
        for image, (first, _) in table.places.items():
            splits[image] = found[kind][table.frame["_file"][first]][1] or splits.get(image, "")
    folders = [folder for folder in sorted(root.glob("*mask*")) if folder.is_dir()]
    inside = [folder for each in folders for folder in sorted(each.iterdir()) if folder.is_dir()]
    classes = extras.classes_with(classes)
    find = ImageFinder([*inside, *folders, root])
    load = _Images(root, images, labelled, splits, masks, boxes, words, classes, names, find)
    left_out = Counter(
        {"labels of images": sum(n for key, (_, n) in words.places.items() if key not in labelled)}
    )
    keys = sorted({*images, *labelled})
    return extras.dataset(keys, classes, load, root, splits=splits, left_out=+left_out)


def _images(root: Path) -> dict[str, Path]:
    """The images below a folder by their ids, masks left out."""
    found: dict[str, Path] = {}
    for file in list_images(root):
        if any("mask" in part.lower() for part in file.relative_to(root).parts[:-1]):
            continue
        if file.stem in found:
            raise FormatError(
                root, f"image {file.stem!r}", f"both {found[file.stem].name} and {file.name}: keep one"
            )
        found[file.stem] = file
    return found


@dataclass(frozen=True, eq=False)
class _Images:
    """Images by their ids; calling it with one reads that sample."""

    root: Path
    images: Mapping[str, Path]
    labelled: frozenset[str]
    splits: Mapping[str, str]
    masks: Table
    boxes: Table
    words: Table
    classes: Classes
    names: Mapping[str, str]
    find: ImageFinder

    def __call__(self, key: str) -> Sample:
        label = self._segmentation(key) if key in self.labelled else None
        return Sample(key, self.images.get(key), label, self.splits.get(key, ""))

    def _segmentation(self, key: str) -> Segmentation:
        masks, boxes = self.masks.rows(key), self.boxes.rows(key)
        files = [self._file(row) for row in masks]
        if key in self.images:
            size = image_size(self.images[key])
        elif files:
            size = label_size(files[0])
        else:
            what = "is not in images/, and no mask tells its size"
            raise FormatError(self.root, f"image {key!r}", what)
        drawing = Drawing(self.classes, size, files[0] if files else self.images[key], "pycocotools")
        scored = any(_is_score(row) for row in boxes)
        free = dict(enumerate(masks))
        for row in boxes:
            place = self._partner(row, free)
            about = free.pop(place) if place is not None else None
            self._add(drawing, row, about, files[place] if place is not None else None, scored=scored)
        for place, about in free.items():
            self._add(drawing, None, about, files[place], scored=scored)
        tags = frozenset(self._word(row) for row in self.words.rows(key))
        return drawing.segmentation(image_tags=tags)

    def _file(self, row: _Row) -> Path:
        file = self.find(row["MaskPath"] or "")
        if file is None:
            raise self.masks.fail(row, "MaskPath", f"{str(row['MaskPath'])[:200]!r} is not in masks/")
        return file

    def _word(self, row: _Row) -> str:
        name = self.names.get(row["LabelName"], str(row["LabelName"]))
        return f"{'present' if self.words.real(row, 'Confidence') > 0 else 'absent'}: {name}"

    def _partner(self, box: _Row, free: Mapping[int, _Row]) -> int | None:
        """The mask of a box: of its id, else of its label and nearest to its corners."""
        corners = _corners(self.boxes, box, "")
        nearest, best = _NEAR, None
        for place, mask in free.items():
            if mask["LabelName"] != box["LabelName"]:
                continue
            if box["BoxID"] is not None:
                if box["BoxID"] == mask["BoxID"]:
                    return place
                continue
            away = float(np.abs(np.subtract(_corners(self.masks, mask, "Box"), corners)).max())
            nearest, best = (away, place) if away < nearest else (nearest, best)
        return best

    def _add(
        self, drawing: Drawing, box: _Row | None, mask: _Row | None, file: Path | None, *, scored: bool
    ) -> None:
        """Add a segment of a row of boxes, of one of masks, or of both."""
        table, row = (self.masks, mask) if box is None else (self.boxes, box)
        if row is None:
            return
        where = f"line {row['_line']}"
        path = table.files[row["_file"]]
        height, width = drawing.size
        x0, x1, y0, y1 = _corners(table, row, "Box" if box is None else "")
        ring = ring_of([[x0 * width, y0 * height], [x1 * width, y1 * height]], path, where)
        (left, top), (right, bottom) = ring.tolist()
        stated: Box | None = (left, top, right, bottom)
        pixels = None if file is None else _pixels(file, drawing.size)
        if pixels is not None and np.allclose(pixels.box()[0], ring.ravel(), rtol=0, atol=1e-3):
            stated = None
        if row["LabelName"] not in self.names:
            raise table.fail(row, "LabelName", "is empty")
        tags = _tags(mask or {}, box or {}, table, row)
        score = table.real(row, "Confidence") if scored and box is not None else None
        instance = _instance(table, row) if box is not None else None
        crowd = box is not None and box["IsGroupOf"] == "1"
        number = drawing.row(Row(self.names[row["LabelName"]], tags, instance, crowd, score, stated), where)
        if pixels is not None:
            drawing.mask(number, pixels)


def _corners(table: Table, row: _Row, prefix: str) -> tuple[float, float, float, float]:
    """x0, x1, y0, y1 as shares of the image."""
    x0, x1, y0, y1 = (table.real(row, f"{prefix}{side}") for side in ("XMin", "XMax", "YMin", "YMax"))
    return x0, x1, y0, y1


def _is_score(row: _Row) -> bool:
    """Whether the confidence of a box is a model's: boxes that people drew or checked have 1."""
    return row["Source"] == _PREDICTED or row["Confidence"] not in (None, "1", "0", "1.0", "0.0")


def _instance(table: Table, row: _Row) -> int | None:
    text = row["Instance"]
    if text is None:
        return None
    if not re.fullmatch("[0-9]{1,10}", text):
        raise table.fail(row, "Instance", f"{text[:80]!r} is no number")
    return int(text)


def _tags(mask: _Row, box: _Row, table: Table, row: _Row) -> Tags:
    words = {word for column, word in FLAGS.items() if box.get(column) == "1"}
    words |= {f"{word}={mask[column]}" for column, word in _FACTS.items() if mask.get(column)}
    if box.get("Tags"):
        try:
            more = json.loads(box["Tags"])
        except (ValueError, RecursionError):
            more = None
        if not isinstance(more, list) or not all(isinstance(word, str) for word in more):
            raise table.fail(row, "Tags", f'{box["Tags"][:80]!r} is no list of words such as ["far"]')
        words |= set(more)
    return frozenset(words)


def _pixels(file: Path, size: tuple[int, int]) -> Masks:
    """The mask in a file, scaled to the size of its image."""
    values = read_label_map(file).values
    pixels = np.asarray((values.reshape(*values.shape[:2], -1) > 0).any(axis=2))
    masks = Masks.encode(pixels[None])
    return masks if masks.size == size else resize(masks, size)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write `annotations/` with the tables of each split, `masks/SPLIT/` and `images/SPLIT/`.

    Columns that only we write stand behind those of Open Images: `BoxID`, `Instance` and `Tags` of boxes.
    """
    extras = ExtraWriter(dataset, "openimages")
    splits_of(dataset)
    folder = path / "annotations"
    folder.mkdir(parents=True)
    with (folder / "class-descriptions-boxable.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows((f"/c/{row}", name) for row, name in enumerate(dataset.classes.names))
    names = FlatNames()
    with _Writers(folder) as writers:
        for sample in dataset:
            refuse_nothing(sample)
            word = "validation" if sample.split == "val" else sample.split
            image = names(sample.name)
            place = Path(word) if word else Path()
            store_image(sample, path / "images" / place, image)
            label = sample.segmentation
            if label is not None:
                if sample.image is None and not label.masks.area().any():
                    what = "has neither image nor pixels: Open Images has no place for its size"
                    raise InlayError(f"sample {sample.name!r} {what}; write another format, such as coco")
                _write_label(label, image, word, writers, path / "masks" / place)
            known = None if label is None else label.replace(image_tags=frozenset())
            split = plain_split(word) if label is not None else split_of(f"{word}/")
            extras.add(sample, Sample(image, None, known, split))
    extras.write(path)


class _Writers:
    """The tables of all splits, opened when a row comes."""

    _COLUMNS: Mapping[str, tuple[str, ...]] = {
        "annotations-bbox": (
            *("ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax", "IsOccluded"),
            *("IsTruncated", "IsGroupOf", "IsDepiction", "IsInside", "BoxID", "Instance", "Tags"),
        ),
        "annotations-object-segmentation": (*tables.MASKS, *tables.MASKS_MORE),
        "images-boxable-with-rotation": ("ImageID", "Subset", "Rotation"),
    }

    def __init__(self, folder: Path) -> None:
        self._folder, self._stack = folder, ExitStack()
        self._writers: dict[tuple[str, str], Any] = {}

    def __enter__(self) -> _Writers:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def row(self, split: str, kind: str, values: Mapping[str, Any]) -> None:
        """Add a row to the table of a kind."""
        if (split, kind) not in self._writers:
            path = self._folder / f"{split}{'-' if split else ''}{kind}.csv"
            file = self._stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            self._writers[split, kind] = csv.DictWriter(file, self._COLUMNS[kind])
            self._writers[split, kind].writeheader()
        self._writers[split, kind].writerow(values)


def _write_label(label: Segmentation, image: str, split: str, writers: _Writers, folder: Path) -> None:
    writers.row(split, "images-boxable-with-rotation", {"ImageID": image, "Subset": split, "Rotation": 0})
    for box, mask, pixels in _rows(label, image):
        writers.row(split, "annotations-bbox", box)
        if pixels is not None:
            writers.row(split, "annotations-object-segmentation", {**mask, "BoxID": box["BoxID"]})
            folder.mkdir(parents=True, exist_ok=True)
            (folder / str(mask["MaskPath"])).write_bytes(png_of(pixels.decode()[0]))


def _rows(label: Segmentation, image: str) -> Iterator[tuple[dict[str, Any], dict[str, Any], Masks | None]]:
    """For each segment its row of the boxes, its row of the masks, and its mask where it has pixels."""
    bare, boxes = is_bare_box(label), label.boxes()
    height, width = label.size
    usual = np.array_equal(label.instance_id, instance_numbers(label.is_thing))
    for i in np.flatnonzero((label.masks.area() > 0) | bare).tolist():
        x0, y0, x1, y1 = (boxes[i] / (width, height, width, height)).tolist()
        number, words = f"{i:08x}", set(label.tags[i])
        name = f"/c/{int(label.class_id[i])}"
        facts = {} if bare[i] else dict(_facts(words))
        words -= {f"{_FACTS[column]}={value}" for column, value in facts.items()}
        flags = {column: int(word in words) for column, word in FLAGS.items()}
        words -= set(FLAGS.values())
        source = "xclick" if label.score is None else _PREDICTED
        box: dict[str, Any] = {"ImageID": image, "Source": source, "LabelName": name}
        box |= {"Confidence": 1 if label.score is None else repr(float(label.score[i]))}
        box |= {"XMin": x0, "XMax": x1, "YMin": y0, "YMax": y1, **flags, "IsGroupOf": int(label.crowd[i])}
        box |= {"BoxID": number, "Instance": "" if usual else int(label.instance_id[i])}
        box |= {"Tags": json.dumps(sorted(words), ensure_ascii=False) if words else ""}
        mask: dict[str, Any] = {
            "MaskPath": f"{image}_{name.replace('/', '')}_{number}.png",
            "ImageID": image,
            "LabelName": name,
        }
        mask |= {"BoxXMin": x0, "BoxXMax": x1, "BoxYMin": y0, "BoxYMax": y1, **facts}
        yield box, mask, None if bare[i] else label.masks[i]


def _facts(words: set[str]) -> Iterator[tuple[str, str]]:
    """The tags that have a column of their own, as that reads them."""
    for column, word in _FACTS.items():
        values = [tag.partition("=")[2] for tag in words if tag.startswith(f"{word}=")]
        if len(values) == 1 and re.fullmatch(r"[0-9][0-9. ;e+-]*", values[0]):
            yield column, values[0]
