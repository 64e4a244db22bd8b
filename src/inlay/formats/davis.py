"""DAVIS: `JPEGImages/480p/VIDEO/00000.jpg` and palette PNGs of object numbers in `Annotations/480p/VIDEO/`.

A number is one object through its video. 255 is void where the map has a palette or other numbers; in a grey
map of 0 and 255 alone, as of 2016, it is the one object. DAVIS has no classes: all are "object", unless we
wrote them, beside the maps. `ImageSets` tells the splits of videos.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import SUFFIXES
from inlay.core.segmentation import Segmentation
from inlay.formats.parts.class_lists import read_text
from inlay.formats.parts.davis_layout import SIZES, video_maps
from inlay.formats.parts.extras import KEPT, Extras, ExtraWriter, is_written_as, read_extras
from inlay.formats.parts.label_maps import read_label_map, write_label_map
from inlay.formats.parts.object_numbers import ObjectNumbers, from_numbers
from inlay.formats.parts.places import place, refuse_nothing, store_image
from inlay.formats.parts.split_names import plain_split
from inlay.formats.parts.videos import videos_of
from inlay.formats.parts.voc_classes import palette_colour

KEEPS = KEPT | {"masks", "class_id", "instances", "instance_id", "track", "holes", "parts"}
VOID, MOST = 255, 254
_PALETTE = np.array([palette_colour(number) for number in range(256)], np.uint8)
_ALONE = "video"  # folder of samples without a group
_CLASSES = Classes((SegmentClass("object"), SegmentClass("void", "void")))


def sniff(path: Path) -> bool:
    """Whether it is a folder with `Annotations` of videos beside `JPEGImages`."""
    return path.is_dir() and (video_maps(path) is not None or is_written_as(path, "davis"))


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - the files name no classes
    """The frames of all videos; frames without a map are unlabelled."""
    labels = video_maps(path) if path.is_dir() else None
    if labels is None and is_written_as(path, "davis"):
        labels = path / "Annotations" / "480p"
    if labels is None:
        raise FormatError(path, "", "no Annotations/480p/VIDEO/*.png beside JPEGImages")
    sizes = [path / "JPEGImages" / size for size in dict.fromkeys((labels.name, *SIZES))]
    images = next((folder for folder in sizes if folder.is_dir()), path / "JPEGImages")
    maps = {_key(file, labels): file for file in labels.rglob("*.png")}
    pictures = {_key(file, images): file for file in images.rglob("*") if file.suffix.lower() in SUFFIXES}
    keys = sorted({*maps, *pictures})
    extras = read_extras(path)
    own = extras.classes_with(Classes(()))
    classes = own if len(own) else _CLASSES
    splits = _splits(path)
    load = _Videos(maps, pictures, _frames(keys), splits, classes, extras)
    return extras.dataset(keys, classes, load, path, splits={key: load.split(key) for key in keys})


def _key(file: Path, folder: Path) -> str:
    return file.relative_to(folder).with_suffix("").as_posix()


def _frames(keys: list[str]) -> dict[str, int]:
    """Frame of each key: the number it is called by, else its place in the video."""
    found: dict[str, int] = {}
    places: dict[str, int] = {}
    for key in keys:
        video, _, stem = key.rpartition("/")
        found[key] = int(stem) if stem.isdigit() and len(stem) < 10 else places.get(video, 0)
        places[video] = places.get(video, 0) + 1
    return found


def _splits(path: Path) -> dict[str, str]:
    """Split of each video that a list names."""
    found: dict[str, str] = {}
    for file in sorted(path.glob("ImageSets/*/*.txt")):
        for line in read_text(file).splitlines():
            words = line.split()
            if words:
                video = words[0].strip("/").split("/")[-2] if words[0].count("/") > 1 else line.strip()
                found.setdefault(video, plain_split(file.stem))
    return found


@dataclass(frozen=True, eq=False)
class _Videos:
    """Maps and images by key; calling it with one reads that frame."""

    maps: Mapping[str, Path]
    images: Mapping[str, Path]
    frames: Mapping[str, int]
    splits: Mapping[str, str]
    classes: Classes
    extras: Extras

    def split(self, key: str) -> str:
        """Split of a frame: that of its video."""
        return self.splits.get(key.rpartition("/")[0], "")

    def __call__(self, key: str) -> Sample:
        video = key.rpartition("/")[0]
        label = None if key not in self.maps else self._segmentation(self.maps[key], video)
        return Sample(key, self.images.get(key), label, self.split(key), video, self.frames[key])

    def _segmentation(self, path: Path, video: str) -> Segmentation:
        label = read_label_map(path).as_numbers()
        if label.is_coloured:
            raise FormatError(path, "", "colours: DAVIS keeps object numbers in palette PNGs")
        values = label.values.astype(np.int32)
        objects = self.extras.objects.get(video)
        if objects is not None:
            unknown = ~np.isin(values, [0, *objects])
            if unknown.any():
                raise label.fail(unknown, f"{{value}} is no object of video {video!r} in the extras")
            return from_numbers(values, objects.get, self.classes)
        one = label.palette is None and set(np.unique(values).tolist()) <= {0, VOID}
        if not len(self.classes):
            return Segmentation.empty(self.classes, (values.shape[0], values.shape[1]))
        kinds = {number: (self.classes.names[0], number) for number in range(1, VOID)}
        kinds[VOID] = ("object", 1) if one else (self.classes.names[-1], 0)
        return from_numbers(values, kinds.get, self.classes)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write images, palette maps and `ImageSets/2017` of each group, which is a video.

    Raises
    ------
    InlayError
        When a video has more than 254 objects.
    """
    extras = ExtraWriter(dataset, "davis", listed=False)
    lists: dict[str, list[str]] = {}
    (path / "JPEGImages" / "480p").mkdir(parents=True)
    for video in videos_of(dataset):
        folder = video.group or _ALONE
        numbers = ObjectNumbers(folder, MOST)
        split = next((dataset.splits.get(name, "") for name in video.frames.values()), "")
        if split:
            lists.setdefault(split, []).append(folder)
        for frame, name in video.frames.items():
            sample = dataset.load(name)
            refuse_nothing(sample)
            key = f"{folder}/{frame:05d}"
            store_image(sample, path / "JPEGImages" / "480p", key)
            label = sample.segmentation
            if label is not None:
                file = place(path / "Annotations" / "480p", key, ".png")
                write_label_map(file, label.masks.paint(numbers(label)), _PALETTE)
                label = label.replace(image_tags=frozenset())
            extras.add(sample, Sample(key, None, label, plain_split(split), folder, frame))
        extras.add_objects(folder, {number: pair for (_, number), pair in numbers.meanings().items()})
    for split, videos in lists.items():
        place(path / "ImageSets" / "2017", split, ".txt").write_text("\n".join(videos) + "\n", "utf-8")
    (path / "Annotations" / "480p").mkdir(parents=True, exist_ok=True)
    extras.write(path)
