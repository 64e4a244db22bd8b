"""COCO instances: one JSON file of polygons and run lengths, or a folder with `annotations/` and images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.formats import facts
from inlay.formats.coco_folders import write_file, write_folder
from inlay.formats.coco_labels import CocoLabels, open_labels
from inlay.formats.coco_layout import is_labels, label_files
from inlay.formats.coco_writer import LabelWriter
from inlay.formats.readers import rule

KEEPS = facts.FACTS
READERS = ("pycocotools", "detectron2", "opencv", "supervision", "ultralytics")


def sniff(path: Path) -> bool:
    """Whether a file, or the folder it lies in, holds COCO labels."""
    return is_labels(path) if path.is_file() else bool(label_files(path))


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The dataset of a file, or of the label files of a folder, one split each.

    Sample names are file names without suffix, below the split where there are several files. Annotations
    without segmentation become rows without pixels and with a stated box; those without a box either become
    tags of their image. Attributes become tags, other keys are counted in `left_out`.

    Parameters
    ----------
    reader
        Tool that the polygons were made for; default pycocotools, whose rule is COCO's own.
    """
    files = label_files(path)
    if not files:
        raise FormatError(
            path, "", "no COCO labels: neither annotations/*.json nor a .json with images and categories"
        )
    several = len(files) > 1
    opened = [open_labels(file, file.split if several else "", rule(reader or READERS[0])) for file in files]
    return merged(opened)


@dataclass(frozen=True, eq=False)
class Opened:
    """Several files as one; calling it with a sample name reads that sample."""

    files: tuple[CocoLabels, ...]

    @cached_property
    def _file_of(self) -> dict[str, CocoLabels]:
        return {name: labels for labels in self.files for name in labels.images.names}

    def __call__(self, name: str) -> Sample:
        """The sample of that name."""
        return self._file_of[name](name)

    def size(self, name: str) -> tuple[int, int]:
        """(height, width) of an image, without reading its segments."""
        return self._file_of[name].size(name)


def merged(opened: Sequence[CocoLabels]) -> Dataset:
    """One dataset of opened files, under their classes together."""
    classes = Classes(())
    for labels in opened:
        classes = classes.merge(labels.classes)
    files = []
    for labels in opened:
        rows = labels.classes.rows_in(classes)
        class_row = labels.class_row.copy()
        class_row[class_row >= 0] = rows[class_row[class_row >= 0]]
        files.append(replace(labels, classes=classes, class_row=class_row))
    left_out: dict[str, int] = {}
    for labels in opened:
        for word, count in labels.left_out.items():
            left_out[word] = left_out.get(word, 0) + count
    images = [labels.images for labels in opened]
    return Dataset(
        classes,
        tuple(name for each in images for name in each.names),
        Opened(tuple(files)),
        {name: split for each in images for name, split in zip(each.names, each.splits) if split},
        left_out,
        {name: number for each in images for name, number in zip(each.names, each.ids)},
    )


def write(dataset: Dataset, path: Path, *, reader: str | None = None) -> None:
    """Write one JSON file where the path ends in .json, else a folder with the images too.

    Masks become polygons where these are exact for the reader, else compressed run lengths; crowds are always
    run lengths. Beyond COCO's keys: `score`, `instance_id`, `attributes` (tags), `video_id` and `frame_id`,
    `isthing` and `color` of categories, and `inlay` for amodal masks, void classes, names and tags of images:
    other tools pass over them.
    """
    fill_rule = rule(reader or READERS[0])

    def writer(_: Path) -> LabelWriter:
        return LabelWriter(dataset, fill_rule, only_polygons=reader == "ultralytics")

    if path.suffix.lower() == ".json":
        write_file(dataset, path, writer(path))
    else:
        write_folder(dataset, path, writer, word="instances", whole="annotations")
