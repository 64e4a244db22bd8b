"""KINS: COCO's file with two masks for each segment, what one sees of it and its full extent.

`i_segm` (`inmodal_seg` in the first release) is what one sees, `a_segm` (`segmentation`) the full extent; box
and area are those of what one sees. All else is COCO's, and read and written as `coco` does. Where nobody
drew full extents, both masks are the same and say so below `inlay`. The relative order (`oco_id`) is
published without its meaning: rows stay in the order of the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.formats.parts import facts
from inlay.formats.parts.coco_folders import write_file, write_folder
from inlay.formats.parts.coco_images import dataset_of
from inlay.formats.parts.coco_labels import open_labels
from inlay.formats.parts.coco_layout import LabelFile, is_kins, split_word
from inlay.formats.parts.coco_writer import LabelWriter
from inlay.formats.parts.readers import rule
from inlay.formats.parts.split_names import plain_split
from inlay.formats.parts.typed_json import decode, read_bytes

KEEPS = facts.FACTS
READERS = ("pycocotools", "detectron2")
_SEEN, _WHOLE = ("i_segm", "inmodal_seg"), ("a_segm", "segmentation")
_BOXES, _AREAS = ("i_bbox", "inmodal_bbox", "bbox"), ("i_area", "area")
_OTHERS = frozenset({*_SEEN, *_WHOLE, *_BOXES, *_AREAS, "a_bbox", "a_area", "ico_id", "oco_id", "inlay"})
_File = dict[str, Raw]


def sniff(path: Path) -> bool:
    """Whether it is a JSON with `i_segm` or `inmodal_seg`, or a folder with one."""
    return bool(_files(path))


def _files(path: Path) -> list[LabelFile]:
    files = [path] if path.is_file() else sorted([*path.glob("*.json"), *path.glob("annotations/*.json")])
    found = (file for file in files if is_kins(file))
    words = ((file, split_word(file).removesuffix("_2020")) for file in found)  # update_train_2020.json
    return [LabelFile(file, plain_split(word), word) for file, word in words]


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The dataset of a file, or of the label files of a folder, one split each."""
    files = _files(path)
    if not files:
        raise FormatError(path, "", "no JSON with i_segm or inmodal_seg: KINS has one of them")
    opened = [open_labels(file, rule(reader or READERS[0]), _as_coco(file.path)) for file in files]
    left_out: Counter[str] = Counter()
    for labels in opened:
        left_out.update(labels.left_out)
    return dataset_of(opened, left_out)


def _as_coco(path: Path) -> bytes:
    """A file as COCO would write it, full extents below `inlay`."""
    data = decode(read_bytes(path), path, _File)
    annotations = decode(data.get("annotations", Raw(b"[]")), path, list[_File], "annotations: ")
    found = [_coco(item, path, i) for i, item in enumerate(annotations)]
    data["annotations"] = Raw(msgspec.json.encode(found))
    data.pop("inlay_kins", None)
    return msgspec.json.encode(data)


def _coco(item: _File, path: Path, place: int) -> _File:
    found = {key: value for key, value in item.items() if key not in _OTHERS}
    own = decode(item.get("inlay", Raw(b"{}")), path, _File, f"annotations[{place}].inlay: ")
    for key, names in (("segmentation", (*_SEEN, *_WHOLE)), ("bbox", _BOXES), ("area", _AREAS)):
        name = _first(item, names)
        if name is not None:
            found[key] = item[name]
    whole = _first(item, _WHOLE)
    if whole and own.pop("modal", Raw(b"false")) != Raw(b"true"):
        own["amodal"] = item[whole]
    return found | ({"inlay": Raw(msgspec.json.encode(own))} if own else {})


def _first(item: _File, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in item and bytes(item[name]) != b"null"), None)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:
    """Write one JSON file where the path ends in .json, else a folder with the images too."""

    def writer(_: Path) -> _Writer:
        return _Writer(dataset, reader or READERS[0])

    if path.suffix.lower() == ".json":
        write_file(dataset, path, writer(path))
    else:
        write_folder(dataset, path, writer, word="update", whole="update")


class _Writer:
    """Writes a file of COCO, and then its annotations with both masks."""

    def __init__(self, dataset: Dataset, reader: str) -> None:
        self._coco = LabelWriter(dataset, rule(reader), only_polygons=False)

    def add(self, sample: Sample, file_name: str, *, name: str, split: str) -> None:
        """Add a sample."""
        self._coco.add(sample, file_name, name=name, split=split)

    def write(self, path: Path) -> None:
        """Write the file."""
        self._coco.write(path)
        data = msgspec.json.decode(path.read_bytes(), type=_File)
        annotations = msgspec.json.decode(data["annotations"], type=list[_File])
        data["annotations"] = Raw(msgspec.json.encode([dict(_both(item)) for item in annotations]))
        data["inlay_kins"] = Raw(b'{"i_segm":0}')  # an empty file is one of KINS too
        path.write_bytes(msgspec.json.encode(data) + b"\n")


def _both(item: _File) -> Iterator[tuple[str, Any]]:
    """The keys of an annotation with what one sees and the full extent."""
    own = msgspec.json.decode(item.get("inlay", Raw(b"{}")), type=_File)
    whole = own.pop("amodal", None)
    yield from ((key, value) for key, value in item.items() if key not in _OTHERS)
    seen = item.get("segmentation", Raw(b"[]"))
    yield "i_segm", seen
    yield from ((f"i_{key}", item[key]) for key in ("bbox", "area") if key in item)
    for key in ("a_segm", "segmentation"):
        yield key, seen if whole is None else whole
    own |= {"modal": Raw(b"true")} if whole is None else {}
    if own:
        yield "inlay", own
