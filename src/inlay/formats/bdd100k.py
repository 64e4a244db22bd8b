"""BDD100K instances: `labels/ins_seg/bitmasks/SPLIT/NAME.png`, four channels, and `images/10k/SPLIT/`.

Red is the class, 1 the first; the bits of green are truncated, occluded, crowd and ignored; blue and alpha
are the number of the instance. What is ignored is a tag. Tracks (`labels/seg_track_20/bitmasks/SPLIT/VIDEO/`)
number objects through their video. Classes are BDD100K's eight, or those that we wrote beside the maps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.images import SUFFIXES, open_image
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.formats.parts.extras import KEPT, ExtraWriter, is_written_as, read_extras
from inlay.formats.parts.object_numbers import ObjectNumbers
from inlay.formats.parts.places import place, refuse_nothing, save_png, store_image
from inlay.formats.parts.split_names import Placer, plain_split, splits_of

KEEPS = KEPT | {
    *("masks", "class_id", "instances", "instance_id", "track", "holes", "parts", "crowd"),
}
_KINDS = {"ins_seg": "10k", "seg_track_20": "seg_track_20"}  # folder of labels: of images
_BITS = {"truncated": 8, "occluded": 4, "ignored": 1}
_CROWD, _MOST, _MOST_CLASSES = 2, 65_535, 255
_CLASSES = Classes.of("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")
_UNSPLIT = "all"  # the folder of samples without a split


def sniff(path: Path) -> bool:
    """Whether it is a folder with `labels/ins_seg/bitmasks` or `labels/seg_track_20/bitmasks`."""
    return path.is_dir() and (_kind(path) is not None or is_written_as(path, "bdd100k"))


def _kind(path: Path) -> str | None:
    return next((kind for kind in _KINDS if (path / "labels" / kind / "bitmasks").is_dir()), None)


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001 - the classes are fixed
    """The images of all splits; those without a map are unlabelled."""
    if not sniff(path):
        raise FormatError(path, "", "no labels/ins_seg/bitmasks and no labels/seg_track_20/bitmasks")
    kind = _kind(path) or "ins_seg"
    labels = dict(_files(path / "labels" / kind / "bitmasks", (".png",)))
    images = dict(_files(path / "images" / _KINDS[kind], SUFFIXES))
    extras = read_extras(path)
    own = extras.classes_with(Classes(()))
    classes = own if len(own) else _CLASSES
    keys = sorted({*labels, *images})
    load = _Folder(labels, images, classes, extras.objects, kind == "seg_track_20")
    return extras.dataset(keys, classes, load, path, splits={key: _split(key) for key in keys})


def _files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() in suffixes:
            yield file.relative_to(folder).as_posix().removesuffix(file.suffix), file


def _split(key: str) -> str:
    first = key.split("/")[0]
    return "" if "/" not in key or first == _UNSPLIT else plain_split(first)


@dataclass(frozen=True, eq=False)
class _Folder:
    """Maps and images by key; calling it with one reads that sample."""

    labels: Mapping[str, Path]
    images: Mapping[str, Path]
    classes: Classes
    objects: Mapping[str, Mapping[int, tuple[str, int]]]
    video: bool

    def __call__(self, key: str) -> Sample:
        label = self._segmentation(key, self.labels[key]) if key in self.labels else None
        image, split = self.images.get(key), _split(key)
        if not self.video:
            return Sample(key, image, label, split)
        group, _, stem = key.rpartition("/")
        frame = stem.rpartition("-")[2]
        number = int(frame) if frame.isdigit() and len(frame) < 10 else None
        return Sample(key, image, label, split, group.rpartition("/")[2], number)

    def _segmentation(self, key: str, path: Path) -> Segmentation:
        red, green, *number = np.moveaxis(_channels(path).astype(np.int64), 2, 0)
        codes = (red << 24) | (green << 16) | (number[0] << 8) | number[1]
        present, ranks = np.unique(codes, return_inverse=True)
        class_id = (present >> 24) - 1
        if (class_id >= len(self.classes)).any():
            what = f"red {int(class_id.max()) + 1} is no class: there are {len(self.classes)}"
            raise FormatError(path, "pixels", what)
        rows = np.cumsum(class_id >= 0) - 1
        ids = np.where(class_id >= 0, rows, -1)[ranks.reshape(codes.shape)]
        codes, class_id = present[class_id >= 0], class_id[class_id >= 0]
        bits, numbers = codes >> 16 & 255, (codes & 0xFFFF).tolist()
        own = self.objects.get(key, {})
        things = self.classes.is_thing[class_id] if len(class_id) else np.zeros(0, np.bool_)
        return Segmentation(
            self.classes,
            Masks.from_ids(ids, len(class_id)),
            class_id,
            np.where(things, [own.get(number, ("", number))[1] for number in numbers], 0),
            crowd=(bits & _CROWD) > 0,
            tags=tuple(
                frozenset(word for word, bit in _BITS.items() if each & bit) for each in bits.tolist()
            ),
        )


def _words(bits: int) -> frozenset[str]:
    return frozenset(word for word, bit in _BITS.items() if bits & bit)


def _channels(path: Path) -> NDArray[np.uint8]:
    with open_image(path) as image:
        if image.mode != "RGBA":
            raise FormatError(
                path, "header", f"pixels of kind {image.mode}; BDD100K's maps have four channels"
            )
        try:
            return np.asarray(image)
        except Exception as error:  # the decoders of broken files raise whatever they stumble over
            raise FormatError(path, "pixels", f"the map is broken or cut off ({error})") from None


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001 - no polygons
    """Write `labels/ins_seg/bitmasks/SPLIT/` and `images/10k/SPLIT/`.

    Raises
    ------
    InlayError
        When there are more than 255 classes, or segments than numbers.
    """
    if len(dataset.classes) > _MOST_CLASSES:
        raise InlayError(f"{len(dataset.classes)} classes; the red of bdd100k holds {_MOST_CLASSES}")
    extras = ExtraWriter(dataset, "bdd100k", listed=dataset.classes == _CLASSES)
    folders = {split: split or _UNSPLIT for split in splits_of(dataset)}
    maps = path / "labels" / "ins_seg" / "bitmasks"
    maps.mkdir(parents=True)
    placer = Placer()
    for sample in dataset:
        refuse_nothing(sample)
        split = dataset.splits.get(sample.name, "")
        key = f"{folders[split]}/{placer(sample, split)}"
        store_image(sample, path / "images" / "10k", key)
        label = sample.segmentation
        if label is not None:
            numbers = _numbers(sample.name, label)
            save_png(_painted(label, numbers), place(maps, key, ".png"))
            meant = zip(numbers.tolist(), label.class_names, label.instance_id.tolist())
            others = {number: (word, own) for number, word, own in meant if own not in (0, number)}
            extras.add_objects(key, others)
            label = label.replace(image_tags=frozenset())
        extras.add(sample, Sample(key, None, label, _split(key)))
    extras.write(path)


def _numbers(name: str, label: Segmentation) -> NDArray[np.int64]:
    """(N,) a number for each segment: things keep theirs where they can."""
    order = np.argsort(~label.is_thing, kind="stable")
    numbers = np.zeros(len(label), np.int64)
    numbers[order] = ObjectNumbers(name, _MOST)(label[order])
    return numbers


def _painted(label: Segmentation, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    bits = np.where(label.crowd, _CROWD, 0)
    for word, bit in _BITS.items():
        bits |= np.array([bit if word in tags else 0 for tags in label.tags], np.int64)
    rows = np.stack([label.class_id + 1, bits, numbers >> 8, numbers & 255], axis=1).astype(np.uint8)
    rows = np.concatenate([np.zeros((1, 4), np.uint8), rows])
    return np.asarray(rows[label.panoptic()])
