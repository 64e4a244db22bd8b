"""SA-1B: a JSON of run lengths beside each image; no classes, overlaps and nested masks, scores.

`predicted_iou` is the score; `stability_score`, `crop_box` and `point_coords` are tags, by their values. All
is of the class "object", unless we wrote it: then each segment says its class, its number and its tags below
`inlay`, which other tools pass over. Rows are in the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Raw, Struct

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import list_images
from inlay.core.segmentation import Segmentation, instance_numbers
from inlay.formats.parts.coco_layout import safe_parts
from inlay.formats.parts.coco_masks import Place, read_masks
from inlay.formats.parts.drawing import Drawing, Row
from inlay.formats.parts.extras import FILE, KEPT, ExtraWriter, is_written_as, read_extras, said
from inlay.formats.parts.places import place, refuse_nothing, store_image
from inlay.formats.parts.typed_json import decode, looks_like, read_bytes

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "overlap", "order"),
    *("score", "crowd", "tags", "hidden", "source_id"),
}
_CLASS = "object"
_FACTS = ("stability_score", "crop_box", "point_coords")  # of how a mask was made: tags


class _Own(Struct, frozen=True):
    class_name: str = _CLASS
    tags: list[str] = []
    instance: int | None = None
    crowd: bool = False


class _Annotation(Struct):
    segmentation: Raw
    id: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    predicted_iou: float | None = None
    stability_score: Any = None
    crop_box: Any = None
    point_coords: Any = None
    inlay: _Own = _Own()

    def words(self) -> frozenset[str]:
        """What is said of the mask."""
        facts = {name: getattr(self, name) for name in _FACTS}
        said_ = (f"{name}={_text(value)}" for name, value in facts.items() if value is not None)
        return frozenset([*said_, *self.inlay.tags])


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()


class _Image(Struct):
    width: int
    height: int
    file_name: str = ""
    image_id: Any = None


class _File(Struct):
    image: _Image
    annotations: list[_Annotation] = []


def sniff(path: Path) -> bool:
    """Whether it is a JSON of one image and masks with `predicted_iou`, or a folder with one."""
    if path.is_file():
        return looks_like(path, "image", "annotations", "segmentation", "stability_score")
    files = islice(path.rglob("*.json"), 8) if path.is_dir() else ()
    return any(sniff(file) for file in files if file.name != FILE) or is_written_as(path, "sa1b")


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - all is of one class
    """The images of a folder or of one file; images without a JSON are unlabelled."""
    if not sniff(path):
        raise FormatError(path, "", "no JSON of one image and its masks, as SA-1B has them")
    root = path.parent if path.is_file() else path
    files = [path] if path.is_file() else sorted(path.rglob("*.json"))
    labels = {_key(file, root): file for file in files if file.name != FILE}
    images = {_key(file, root): file for file in list_images(root)}
    keys = sorted(labels if path.is_file() else {*labels, *images})
    extras = read_extras(root)
    own = extras.classes_with(Classes(()))
    classes = own if len(own) else Classes.of(_CLASS)
    return extras.dataset(keys, classes, _Folder(labels, images, classes), root)


def _key(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix().removesuffix(file.suffix)


@dataclass(frozen=True, eq=False)
class _Folder:
    """Label files and images by key; calling it with one reads that sample."""

    labels: Mapping[str, Path]
    images: Mapping[str, Path]
    classes: Classes

    def __call__(self, key: str) -> Sample:
        if key not in self.labels:
            return Sample(key, self.images[key], None)
        path = self.labels[key]
        data = decode(read_bytes(path, limit=1 << 30), path, _File)
        return Sample(key, self._image(key, path, data.image.file_name), self._segmentation(path, data))

    def _image(self, key: str, path: Path, name: str) -> Path | None:
        beside = path.parent.joinpath(*safe_parts(name)) if safe_parts(name) else path
        return self.images.get(key, beside if beside != path and beside.is_file() else None)

    def _segmentation(self, path: Path, data: _File) -> Segmentation:
        drawing = Drawing(self.classes, (data.image.height, data.image.width), path, "pycocotools")
        for i, item in enumerate(data.annotations):
            own = item.inlay
            row = Row(own.class_name, item.words(), own.instance, own.crowd, item.predicted_iou)
            drawing.row(row, f"annotations[{i}]")
        where = Place(path, lambda i: f"annotations[{i}].segmentation")
        texts = [item.segmentation for item in data.annotations]
        masks = read_masks(texts, drawing.size, "pixel_edge", where)
        for i in range(len(masks)):
            drawing.mask(i, masks[i])
        label = drawing.segmentation()
        ids = [item.id for item in data.annotations]
        return label if None in ids else label.replace(source_id=np.array(ids, np.int64))


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - run lengths
    """Write each image and its JSON beside it."""
    extras = ExtraWriter(dataset, "sa1b", listed=False)
    path.mkdir(parents=True, exist_ok=True)
    for number, sample in enumerate(dataset, 1):
        refuse_nothing(sample)
        image = store_image(sample, path)
        label = sample.segmentation
        if label is not None:
            name = image.name if image else f"{Path(sample.name).name}.jpg"
            about = {"image_id": number, "width": label.size[1], "height": label.size[0], "file_name": name}
            data = {"image": about, "annotations": list(_annotations(label))}
            place(path, sample.name, ".json").write_bytes(msgspec.json.encode(data))
        extras.add(sample, said(sample, sample.name))
    extras.write(path)


def _annotations(label: Segmentation) -> Iterator[dict[str, Any]]:
    boxes, areas = label.masks.box().tolist(), label.masks.area().tolist()
    usual = np.array_equal(label.instance_id, instance_numbers(label.is_thing))
    for i, runs in enumerate(label.masks.to_strings()):
        x0, y0, x1, y1 = boxes[i]
        item: dict[str, Any] = {"segmentation": {"size": list(label.size), "counts": runs.decode("ascii")}}
        item |= {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": areas[i]}
        item |= {"id": i + 1 if label.source_id is None else int(label.source_id[i])}
        item |= {} if label.score is None else {"predicted_iou": float(label.score[i])}
        facts = dict(filter(None, map(_fact, label.tags[i])))
        own: dict[str, Any] = {"class_name": label.class_names[i], "crowd": bool(label.crowd[i])}
        own |= {"tags": sorted(word for word in label.tags[i] if not _fact(word))}
        own |= {} if usual else {"instance": int(label.instance_id[i])}
        yield {**item, **facts, "inlay": own}


def _fact(word: str) -> tuple[str, Any] | None:
    """The fact that a tag holds, where it is the one its value would be read as."""
    name, _, text = word.partition("=")
    try:
        value = msgspec.json.decode(text) if name in _FACTS else None
    except msgspec.DecodeError:
        value = None
    return (name, value) if value is not None and _text(value) == text else None
