"""MOTS, KITTI-MOTS: 16-bit maps of class * 1000 + number in `instances/VIDEO/`, or `instances_txt/VIDEO.txt`.

A number is one object through its video; 10000 is to be ignored: the void class "ignore". Classes are those
of `labels.txt`, the first being 1, else KITTI's car and pedestrian. Lines of the text files are frame,
number, class, height, width and COCO's compressed run lengths. Segments may not overlap. Images lie in
`image_02`, `images` or `img1`; frames of a video without a map or a line are unlabelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import MAX_PIXELS, SUFFIXES
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.formats.parts.class_lists import read_text
from inlay.formats.parts.extras import KEPT, Extras, ExtraWriter, is_written_as, read_extras
from inlay.formats.parts.label_maps import read_label_map, write_label_map
from inlay.formats.parts.object_numbers import ObjectNumbers, from_numbers
from inlay.formats.parts.places import place, refuse_nothing, store_image
from inlay.formats.parts.videos import videos_of

KEEPS = KEPT | {"masks", "class_id", "instances", "instance_id", "track", "holes", "parts"}
PER_CLASS, IGNORE, MOST = 1000, 10_000, 65
_IMAGES = ("image_02", "images", "img1", "training/image_02")
_ALONE = "video"  # folder of samples without a group
_KITTI = ("car", "pedestrian")
_IGNORE = SegmentClass("ignore", "void", source_id=10)


def sniff(path: Path) -> bool:
    """Whether it is a folder with `instances/` beside images or a class list, or with `instances_txt/`."""
    if not path.is_dir():
        return False
    maps = (path / "instances").is_dir() and any((path / folder).is_dir() for folder in _IMAGES[:2])
    texts = next(path.glob("instances_txt/*.txt"), None) is not None
    own = next(path.glob("config*.json"), None) is None
    return own and (maps or texts or is_written_as(path, "mots"))


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - the files name their classes
    """The frames of all videos of a folder."""
    if not sniff(path):
        raise FormatError(path, "", "no folder instances/ beside images, and no instances_txt/*.txt")
    maps = {_key(file, path / "instances"): file for file in (path / "instances").rglob("*.png")}
    folders = [path / folder for folder in _IMAGES if (path / folder).is_dir()]
    images = {
        _key(file, folder): file
        for folder in folders[:1]
        for file in folder.rglob("*")
        if file.suffix.lower() in SUFFIXES
    }
    lines = {} if maps else _lines(path)
    extras = read_extras(path)
    lists = (path / "labels.txt", path / "instances" / "labels.txt")
    listed = next((file for file in lists if file.is_file()), None)
    names = tuple(filter(None, map(str.strip, read_text(listed).splitlines()))) if listed else _KITTI
    own = extras.classes_with(Classes(()))
    try:
        numbered = Classes(tuple(SegmentClass(name, source_id=i) for i, name in enumerate(names, 1)))
    except InlayError as error:
        raise FormatError(listed or path, "", str(error)) from None
    known = numbered.merge([_IGNORE]) if len(names) < 10 else numbered
    load = _Videos(maps, images, lines, own if len(own) else known, names, extras)
    keys = sorted({*maps, *images, *lines})
    return extras.dataset(keys, load.classes, load, path)


def _key(file: Path, folder: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


@dataclass(frozen=True)
class _Frame:
    """The lines of one frame: their numbers and run lengths, and the size they state."""

    path: Path
    size: tuple[int, int]
    numbers: list[int] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)


def _lines(path: Path) -> dict[str, _Frame]:
    found: dict[str, _Frame] = {}
    for file in sorted((path / "instances_txt").glob("*.txt")):
        for place_, line in enumerate(read_text(file).splitlines(), 1):
            words = line.split()
            if not words:
                continue
            if len(words) != 6 or not all(word.isdigit() and len(word) < 10 for word in words[:5]):
                what = "not frame, number, class, height, width and run lengths"
                raise FormatError(file, f"line {place_}", what)
            frame, number, class_id, height, width = map(int, words[:5])
            if number != IGNORE and number // PER_CLASS != class_id:
                raise FormatError(file, f"line {place_}", f"number {number} is not of class {class_id}")
            if not 0 < height * width <= MAX_PIXELS:
                raise FormatError(file, f"line {place_}", f"{width}x{height} pixels: no image has that size")
            item = found.setdefault(f"{file.stem}/{frame:06d}", _Frame(file, (height, width)))
            if item.size != (height, width):
                raise FormatError(file, f"line {place_}", f"size {width}x{height}, and another one before")
            item.numbers.append(number)
            item.runs.append(words[5])
    return found


@dataclass(frozen=True, eq=False)
class _Videos:
    """Maps, lines and images by key; calling it with one reads that frame."""

    maps: Mapping[str, Path]
    images: Mapping[str, Path]
    lines: Mapping[str, _Frame]
    classes: Classes
    names: tuple[str, ...]
    extras: Extras

    def __call__(self, key: str) -> Sample:
        video, _, stem = key.rpartition("/")
        label = None
        if key in self.maps:
            numbers = read_label_map(self.maps[key]).as_numbers()
            if numbers.is_coloured:
                raise FormatError(self.maps[key], "", "colours: MOTS keeps numbers in 16-bit grey PNGs")
            label = self._segmentation(numbers.values.astype(np.int32), self.maps[key], video)
        elif key in self.lines:
            frame = self.lines[key]
            try:
                masks = Masks.from_strings(frame.runs, frame.size)
            except InlayError as error:
                raise FormatError(frame.path, f"frame {stem}", str(error)) from None
            if int(masks.area().sum()) != int(masks.union().area()[0]):
                raise FormatError(frame.path, f"frame {stem}", "segments overlap: MOTS allows none to")
            label = self._segmentation(masks.paint(frame.numbers), frame.path, video)
        number = int(stem) if stem.isdigit() and len(stem) < 10 else None
        return Sample(key, self.images.get(key), label, group=video, frame=number)

    def _segmentation(self, values: NDArray[np.int32], path: Path, video: str) -> Segmentation:
        objects = self.extras.objects.get(video)

        def meaning(number: int) -> tuple[str, int] | None:
            if number == 0 or (objects is not None and number in objects):
                return None if objects is None or number == 0 else objects[number]
            if number == IGNORE and _IGNORE.name in self.classes.names:
                return _IGNORE.name, 0
            class_id = number // PER_CLASS
            if not 1 <= class_id <= len(self.names):
                what = f"value {number} is of class {class_id}; there are {len(self.names)} classes"
                raise FormatError(path, "", f"{what}: list them in labels.txt")
            return self.names[class_id - 1], number % PER_CLASS

        return from_numbers(values, meaning, self.classes)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write `instances/`, `instances_txt/`, `image_02/` and `labels.txt`, a folder for each group.

    Raises
    ------
    InlayError
        When there are more than 65 classes, or a video has more than 999 objects of one.
    """
    if len(dataset.classes) > MOST:
        raise InlayError(f"{len(dataset.classes)} classes; 16 bits of MOTS hold {MOST}: write coco or native")
    extras = ExtraWriter(dataset, "mots", listed=False)
    for folder in ("instances", "instances_txt", "image_02"):
        (path / folder).mkdir(parents=True, exist_ok=True)
    for video in videos_of(dataset):
        folder = video.group or _ALONE
        numbers = ObjectNumbers(folder, PER_CLASS - 1)
        lines: list[str] = []
        for frame, name in video.frames.items():
            sample = dataset.load(name)
            refuse_nothing(sample)
            key = f"{folder}/{frame:06d}"
            store_image(sample, path / "image_02", key)
            label = sample.segmentation
            if label is not None:
                values = numbers(label, by_class=True) + (label.class_id.astype(np.int64) + 1) * PER_CLASS
                painted = label.masks.paint(values)
                write_label_map(place(path / "instances", key, ".png"), painted, bits=16)
                lines += _text(frame, painted)
                label = label.replace(image_tags=frozenset())
            extras.add(sample, Sample(key, None, label, group=folder, frame=frame))
        place(path / "instances_txt", folder, ".txt").write_text("".join(lines), "utf-8")
        rows = {name: row for row, name in enumerate(dataset.classes.names, 1)}
        meant = {rows[name] * PER_CLASS + number: pair for (name, number), pair in numbers.meanings().items()}
        extras.add_objects(folder, meant)
    (path / "labels.txt").write_text("".join(f"{name}\n" for name in dataset.classes.names), "utf-8")
    extras.write(path)


def _text(frame: int, painted: NDArray[np.int32]) -> list[str]:
    """The lines of a frame: what of each segment is seen."""
    present = np.unique(painted)
    present = present[present > 0]
    ids = np.where(painted > 0, np.searchsorted(present, painted), -1)
    strings = Masks.from_ids(ids, len(present)).to_strings()
    height, width = painted.shape
    return [
        f"{frame} {number} {number // PER_CLASS} {height} {width} {runs.decode('ascii')}\n"
        for number, runs in zip(present.tolist(), strings)
    ]
