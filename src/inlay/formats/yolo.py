"""YOLO segmentation: a data.yaml, folders of images and one text file of rings for each image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import image_size
from inlay.formats.parts.places import place, refuse_nothing, store_image
from inlay.formats.parts.readers import ROUNDING, Rounding
from inlay.formats.parts.split_names import Placer, names_apart, splits_of
from inlay.formats.parts.yolo_layout import (
    UNSPLIT,
    Entry,
    bare_entries,
    entries,
    find_yaml,
    is_label_folder,
    label_file,
    read_yaml,
)
from inlay.formats.parts.yolo_rows import read_rows, segmentation_of, text_of

# Holes survive: a ring may be joined to its holes by slits, which readers that draw edges do not see.
KEEPS = frozenset(
    {
        "masks",
        "class_id",
        "instances",
        "holes",
        "overlap",
        "order",
        "score",
        "box",
        "split",
        "empty",
        "unlabelled",
    }
)
READERS = ("opencv", "ultralytics", "supervision")


def sniff(path: Path) -> bool:
    """Whether there is a data.yaml with names and splits, or a folder of text files with YOLO rows."""
    return find_yaml(path) is not None or (path.is_dir() and is_label_folder(path))


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:
    """The dataset of a data.yaml or its folder, or of label files alone with `classes.txt` or `like`.

    An empty label file means that nothing is there, a missing one that nobody has labelled the image. Rows of
    four numbers become segments without pixels and with a stated box. Sizes come from the images, else from
    `like`; with `like` and without data.yaml a missing label file means that nothing was found.

    Parameters
    ----------
    reader
        Tool whose rounding of corners to pixels is used; default: to the nearest.
    """
    data_file = find_yaml(path)
    rounding = ROUNDING[reader or READERS[0]]
    if data_file is None:
        return _read_bare(path, like, rounding)
    data = read_yaml(data_file)
    found = entries(data)
    by_name: dict[str, Entry] = {}
    for entry, name in zip(found, names_apart([each.stem for each in found], [each.split for each in found])):
        if name in by_name:
            raise FormatError(data_file, name, f"{by_name[name].labels} and {entry.labels} have one name")
        by_name[name] = entry
    classes = Classes.of(*data.names)
    splits = {name: entry.split for name, entry in by_name.items() if entry.split}
    return Dataset(classes, tuple(by_name), YoloFolder(by_name, classes, rounding, like), splits)


def _read_bare(path: Path, like: Dataset | None, rounding: Rounding) -> Dataset:
    found = bare_entries(path) if path.is_dir() else []
    if not found:
        raise FormatError(path, "", "no data.yaml with names and splits, and no label files")
    if like is None:
        names = next(
            (
                file
                for file in (path / "classes.txt", found[0].labels.parent / "classes.txt")
                if file.is_file()
            ),
            None,
        )
        if names is None:
            what = "no data.yaml and no classes.txt to name the classes: give the labels too (like=...)"
            raise FormatError(path, "", what)
        classes = Classes.of(*names.read_text("utf-8-sig").splitlines())
        by_name = {entry.stem: entry for entry in found}
        return Dataset(classes, tuple(by_name), YoloFolder(by_name, classes, rounding, None))
    by_name = {entry.stem: entry for entry in found}
    own = Dataset(like.classes, tuple(by_name), like.load)
    partner = {theirs: by_name[mine] for mine, theirs in own.pair(like)}
    if len(partner) < len(by_name):
        lost = next(entry for entry in found if entry not in partner.values())
        raise FormatError(lost.labels, "", "there is no image of that name in the labels")
    load = YoloFolder(
        {name: partner.get(name, Entry(name, None, path / f"{name}.txt", "")) for name in like.names},
        like.classes,
        rounding,
        like,
    )
    return Dataset(like.classes, like.names, load, like.splits, {}, like.source_ids)


@dataclass(frozen=True, eq=False)
class YoloFolder:
    """Images and label files by sample name; calling it with a name reads that sample.

    Parameters
    ----------
    entries
        The files of each sample.
    classes
        Of the dataset.
    rounding
        How corners become pixels.
    like
        Dataset that gives sizes where images are missing.
    """

    entries: Mapping[str, Entry]
    classes: Classes
    rounding: Rounding
    like: Dataset | None

    def __call__(self, name: str) -> Sample:
        """The sample of that name, its masks made now."""
        entry = self.entries[name]
        predicted = self.like is not None and self.classes is self.like.classes
        if not entry.labels.is_file() and not predicted:
            return Sample(name, entry.image, None, entry.split)
        rows = read_rows(entry.labels, self.classes) if entry.labels.is_file() else []
        image, size = self._image(name, entry)
        label = segmentation_of(rows, size, self.classes, entry.labels, self.rounding)
        return Sample(name, image, label, entry.split)

    def _image(self, name: str, entry: Entry) -> tuple[Path | NDArray[np.uint8] | None, tuple[int, int]]:
        if entry.image is not None:
            return entry.image, image_size(entry.image)
        if self.like is not None and name in self.like.names:
            sample = self.like.load(name)
            if sample.segmentation is not None:
                return sample.image, sample.segmentation.size
        what = (
            "its image is missing, and so the size that its numbers are shares of: add it, or give like=..."
        )
        raise FormatError(entry.labels, "", what)


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:  # noqa: ARG001
    """Write data.yaml, `images/SPLIT/` and `labels/SPLIT/`; without splits `images/` and `labels/`.

    Rings run through pixel centres, for OpenCV; every reader sees the same, whether it rounds or cuts. Holes
    are joined to their rings by slits, which keeps them; parts are joined by lines, which adds their pixels.
    """
    import yaml

    splits = splits_of(dataset)
    folders = {split: split or ("" if splits == [""] else UNSPLIT) for split in splits}
    placer = Placer()
    for sample in dataset:
        split = dataset.splits.get(sample.name, "")
        stem = placer(sample, split)
        folder = folders[split]
        refuse_nothing(sample)
        image = store_image(sample, path / "images" / folder, stem)
        if sample.segmentation is not None:
            if image is None:
                file = place(path / "labels" / folder, stem, ".txt")
            else:
                file = label_file(image)
                file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text_of(sample.segmentation), "utf-8")
    places = {folder: f"images/{folder}" for folder in folders.values() if folder}
    places = places or {"train": "images", "val": "images"}
    data = {"path": ".", **places, "names": dict(enumerate(dataset.classes.names))}
    (path / "images").mkdir(parents=True, exist_ok=True)
    (path / "data.yaml").write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8")
