"""COCO instances: one JSON file of polygons and run lengths, or a folder with `annotations/` and images."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from inlay.core.dataset import Dataset
from inlay.core.errors import FormatError
from inlay.formats.parts import facts
from inlay.formats.parts.coco_folders import write_file, write_folder
from inlay.formats.parts.coco_images import dataset_of
from inlay.formats.parts.coco_labels import open_labels
from inlay.formats.parts.coco_layout import is_labels, label_files
from inlay.formats.parts.coco_writer import LabelWriter
from inlay.formats.parts.readers import rule

KEEPS = facts.FACTS
READERS = ("pycocotools", "detectron2", "opencv", "supervision", "ultralytics")


def sniff(path: Path) -> bool:
    """Whether a file, or the folder it lies in, holds COCO labels."""
    return is_labels(path) if path.is_file() else bool(label_files(path))


def read(path: Path, *, like: Dataset | None = None, reader: str | None = None) -> Dataset:  # noqa: ARG001
    """The dataset of a file, or of the label files of a folder, one split each.

    Sample names are file names without suffix, below the split where names collide. Annotations without
    segmentation become rows without pixels and with a stated box; those without a box either become
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
    opened = [open_labels(file, rule(reader or READERS[0])) for file in files]
    left_out: Counter[str] = Counter()
    for labels in opened:
        left_out.update(labels.left_out)
    return dataset_of(opened, left_out)


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
