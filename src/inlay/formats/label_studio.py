"""Label Studio: a JSON list of tasks; brushes, polygons, ellipses and rectangles in percent of the image.

Brushes are run lengths over RGBA values (`brush_runs`). Coordinates are those of the image as it is stored,
whatever `image_rotation` says of the view. Upright rectangles have no pixels, turned ones are filled, about
their first corner. Of several annotations of a task the one marked as ground truth is read, else the first
that was not cancelled; where there is none, the first prediction, with its scores. The others are counted as
left out. Choices on a region and its text are tags; choices on the image are tags of the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element, SubElement

import msgspec
import numpy as np

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import image_size
from inlay.core.segmentation import Segmentation, Tags
from inlay.formats.parts.brush_runs import pack, unpack
from inlay.formats.parts.coco_layout import ImageFinder, unique_names
from inlay.formats.parts.drawing import Box, Drawing, Ring, Row, is_bare_box, outlines, ring_of, turned
from inlay.formats.parts.extras import FILE, KEPT, ExtraWriter, is_written_as, read_extras, said
from inlay.formats.parts.label_studio_tasks import (
    KINDS,
    Annotation,
    Result,
    Task,
    classes_of,
    labels_by_id,
    left_out,
    names_of,
)
from inlay.formats.parts.pieces import ellipse
from inlay.formats.parts.places import refuse_nothing, size_of, store_image
from inlay.formats.parts.safe_xml import legal, write_xml
from inlay.formats.parts.typed_json import decode, looks_like, read_bytes

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "order"),
    *("score", "crowd", "tags", "box"),
}
READERS = ("pycocotools", "opencv")
_FILE = "tasks.json"
_LOCAL = "/data/local-files/?d="  # how Label Studio serves images from a folder


def sniff(path: Path) -> bool:
    """Whether it is a JSON list of tasks, or a folder with one."""
    return bool(_files(path))


def _files(path: Path) -> list[Path]:
    files = [path] if path.is_file() else sorted(path.glob("*.json")) if path.is_dir() else []
    return [file for file in files if file.name != FILE and _fits(file)]


def _fits(file: Path) -> bool:
    if not looks_like(file, "data") or not (
        looks_like(file, "annotations") or looks_like(file, "predictions")
    ):
        return file.name == _FILE and is_written_as(file.parent, "label_studio")  # without a task
    with file.open("rb") as opened:
        return opened.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"[")


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The tasks of a file, or of all files of a folder.

    Parameters
    ----------
    reader
        Tool whose way of filling polygons is meant; default up to pixel edges.
    """
    root = path.parent if path.is_file() else path
    files = _files(path)
    if not files:
        raise FormatError(path, "", "no JSON list of tasks with data and annotations")
    tasks = [
        (file, i, task) for file in files for i, task in enumerate(decode(read_bytes(file), file, list[Task]))
    ]
    names = [_file_name(task.image()) for _, _, task in tasks]
    keys = unique_names(names, [None] * len(names), files[0])
    extras = read_extras(root)
    classes = extras.classes_with(classes_of(root / "label_config.xml", [task for _, _, task in tasks]))
    folders = [folder for folder in (root / "images", root) if folder.is_dir()]
    by_key = {key: (file, i, task, name) for key, (file, i, task), name in zip(keys, tasks, names)}
    load = _Tasks(by_key, ImageFinder(folders), classes, reader or READERS[0])
    return extras.dataset(keys, classes, load, root, left_out=left_out([task for _, _, task in tasks]))


def _file_name(image: str) -> str:
    """The file of an image below its folder."""
    _, local, below = image.partition("?d=")
    return unquote(below if local else image).removeprefix("images/")


@dataclass(frozen=True, eq=False)
class _Tasks:
    """Tasks by key; calling it with one makes its segments."""

    tasks: Mapping[str, tuple[Path, int, Task, str]]
    find: ImageFinder
    classes: Classes
    reader: str

    def __call__(self, key: str) -> Sample:
        file, place, task, name = self.tasks[key]
        image = self.find(name)
        chosen, _ = task.chosen()
        if chosen is None:
            return Sample(key, image, None)
        size = _size(task, chosen, file, f"[{place}]")
        if size is None:
            if image is None:
                what = f"neither original_width and original_height nor the image {name!r}"
                raise FormatError(file, f"[{place}]", what)
            size = image_size(image)
        drawing = Drawing(self.classes, size, file, self.reader)
        return Sample(key, image, _segmentation(drawing, chosen, f"[{place}].result"))


def _size(task: Task, chosen: Annotation, file: Path, where: str) -> tuple[int, int] | None:
    """(height, width) as the regions say it, or what we wrote for images without one."""
    sizes = {(each.original_height, each.original_width) for each in chosen.result if each.kind in KINDS}
    own = task.data.get("inlay_size")
    if not sizes and isinstance(own, list) and [*map(type, own)] == [int, int]:
        sizes = {(own[0], own[1])}
    if len(sizes) > 1:
        raise FormatError(file, where, f"regions of images of several sizes: {sorted(map(str, sizes))}")
    height, width = next(iter(sizes), (None, None))
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None


def _segmentation(drawing: Drawing, chosen: Annotation, where: str) -> Segmentation:
    by_id = labels_by_id(chosen.result)
    regions = {each.id for each in chosen.result if each.kind in KINDS and each.id}
    words: dict[str | None, set[str]] = {}
    image_words: set[str] = set()
    for each in chosen.result:
        if each.type in ("choices", "textarea"):
            target = words.setdefault(each.id, set()) if each.id in regions else image_words
            target |= _listed(each.value.get("choices") or each.value.get("text"))
    drawn = [each for each in chosen.result if names_of(each, by_id)]
    scored = all(each.score is not None or chosen.score is not None for each in drawn)
    for i, each in enumerate(chosen.result):
        names = names_of(each, by_id)
        if names:
            place = f"{where}[{i}]"
            score = each.score if each.score is not None else chosen.score
            words_here = frozenset(words.get(each.id, ()))
            about = _row(drawing, each, names, words_here, place)
            about = replace(about, score=score if scored else None)
            _draw(drawing, drawing.row(about, place), each, place)
    return drawing.segmentation(image_tags=frozenset(image_words))


def _listed(value: Any) -> set[str]:
    """The words of a list, or the one word."""
    return {str(word) for word in (value if isinstance(value, list) else [value] if value else [])}


def _row(drawing: Drawing, each: Result, names: list[str], words: Tags, where: str) -> Row:
    meta = each.meta or {}
    tags = words | frozenset(names[1:]) | _listed(meta.get("text"))
    number = meta.get("instance_id")
    upright = each.kind == "rectangle" and not each.value.get("rotation")
    box: Box | None = None
    if upright:
        (x0, y0), (x1, y1) = _percents(drawing, each, where)[[0, 2]].tolist()
        box = (x0, y0, x1, y1)
    instance = number if isinstance(number, int) and not isinstance(number, bool) else None
    return Row(names[0], tags, instance, meta.get("iscrowd") is True, box=box)


def _percents(drawing: Drawing, each: Result, where: str) -> Ring:
    """Points of a value in pixels: those of a polygon, or the corners of a rectangle."""
    value = each.value
    if each.kind == "polygon":
        points = value.get("points")
    else:
        x, y, width, height = (_number(drawing, value, key, where) for key in ("x", "y", "width", "height"))
        points = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
    ring = ring_of(points, drawing.path, f"{where}.value")
    return np.round(ring * (drawing.size[1] / 100, drawing.size[0] / 100), 6)


def _number(drawing: Drawing, value: dict[str, Any], key: str, where: str) -> float:
    found = value.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float) or not abs(found) < 1e6:
        raise FormatError(drawing.path, f"{where}.value.{key}", f"{found!r} is no number of percent")
    return float(found)


def _draw(drawing: Drawing, row: int, each: Result, where: str) -> None:
    height, width = drawing.size
    if each.kind == "brush":
        if each.value.get("format", "rle") != "rle":
            raise FormatError(drawing.path, f"{where}.value.format", "brushes are read as rle alone")
        data = each.value.get("rle")
        pixels = unpack(data if isinstance(data, list) else [], drawing.size, drawing.path, f"{where}.value")
        drawing.piece(row, pixels, 0, 0)
    elif each.kind == "polygon":
        drawing.polygon(row, [_percents(drawing, each, where)])
    elif each.kind == "ellipse":
        keys = ("x", "y", "radiusX", "radiusY")
        x, y, along, across = (_number(drawing, each.value, key, where) / 100 for key in keys)
        centre, radii = (x * width, y * height), (abs(along * width), abs(across * height))
        angle = _number(drawing, {"rotation": 0, **each.value}, "rotation", where)
        drawing.piece(row, *ellipse(centre, radii, angle, drawing.size, at=0.5))
    elif each.value.get("rotation"):
        corners = _percents(drawing, each, where)
        angle = _number(drawing, each.value, "rotation", where)
        drawing.polygon(row, [turned(corners, corners[0], angle)])


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:
    """Write `tasks.json` to import, `label_config.xml` for the project, and `images/`.

    Polygons where they hold a segment exactly, brushes elsewhere; segments with scores become predictions.
    Serve the folder as local files (`LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT`), or upload the images.
    """
    extras = ExtraWriter(dataset, "label_studio")
    tasks: list[bytes] = []
    for sample in dataset:
        refuse_nothing(sample)
        image = store_image(sample, path / "images")
        name = image.relative_to(path / "images").as_posix() if image else f"{sample.name}.png"
        label = sample.segmentation
        task: dict[str, Any] = {"id": len(tasks) + 1, "data": {"image": f"{_LOCAL}images/{quote(name)}"}}
        if label is not None:
            task["data"]["inlay_size"] = list(size_of(sample))
            word = "predictions" if label.score is not None else "annotations"
            task[word] = [{"result": list(_results(label, reader or READERS[0]))}]
        tasks.append(msgspec.json.encode({"annotations": [], **task}))
        key = name.removesuffix(Path(name).suffix)
        extras.add(sample, said(sample, key, tags=True))
    path.mkdir(parents=True, exist_ok=True)
    (path / _FILE).write_bytes(b"[" + b",\n".join(tasks) + b"]\n")
    _write_config(path / "label_config.xml", dataset.classes)
    extras.write(path)


def _results(label: Segmentation, reader: str) -> Iterator[dict[str, Any]]:
    height, width = label.size
    rings, boxes = outlines(label.masks, reader), label.boxes()
    bare, scale = is_bare_box(label), np.array([100 / width, 100 / height])
    about = {"to_name": "image", "original_width": width, "original_height": height, "image_rotation": 0}
    for i in np.flatnonzero((label.masks.area() > 0) | bare).tolist():
        ring, value = rings[i], dict[str, Any]()
        if bare[i]:
            (x, y), (x1, y1) = (boxes[i].reshape(2, 2) * scale).tolist()
            kind, value = "rectangle", {"x": x, "y": y, "width": x1 - x, "height": y1 - y, "rotation": 0}
        elif ring is not None:
            kind, value = "polygon", {"points": (ring * scale).tolist(), "closed": True}
        else:
            kind, value = "brush", {"format": "rle", "rle": pack(label.masks[i].decode()[0])}
        meta: dict[str, Any] = {"text": sorted(label.tags[i])} if label.tags[i] else {}
        meta |= {"iscrowd": True} if label.crowd[i] else {}
        meta |= {"instance_id": int(label.instance_id[i])}
        value[f"{kind}labels"] = [label.class_names[i]]
        found = {
            "id": f"segment{i}",
            "from_name": kind,
            "type": f"{kind}labels",
            "value": value,
            **about,
            "meta": meta,
        }
        yield found if label.score is None else {**found, "score": float(label.score[i])}
    for k, word in enumerate(sorted(label.image_tags)):
        yield {
            "id": f"tag{k}",
            "from_name": "tags",
            "to_name": "image",
            "type": "choices",
            "value": {"choices": [word]},
        }


def _write_config(path: Path, classes: Classes) -> None:
    view = Element("View")
    SubElement(view, "Image", {"name": "image", "value": "$image", "zoom": "true"})
    for kind in KINDS:
        control = SubElement(view, f"{kind.title()}Labels", {"name": kind, "toName": "image"})
        for item in classes:
            label = SubElement(control, "Label", {"value": legal(item.name)})
            if item.colour is not None:
                label.set("background", "#{:02x}{:02x}{:02x}".format(*item.colour))
    write_xml(view, path)
