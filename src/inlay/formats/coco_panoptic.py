"""COCO panoptic: a JSON file and one PNG for each image, its colours the segment ids R + 256 G + 65536 B."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inlay.core.dataset import Dataset
from inlay.core.errors import FormatError
from inlay.formats.parts import facts
from inlay.formats.parts.coco_folders import write_folder
from inlay.formats.parts.coco_images import dataset_of
from inlay.formats.parts.coco_layout import LabelFile, is_panoptic, split_word
from inlay.formats.parts.coco_panoptic_labels import CocoPanoptic, open_panoptic
from inlay.formats.parts.coco_panoptic_writer import PanopticWriter
from inlay.formats.parts.split_names import plain_split

KEEPS = facts.FACTS - {"overlap", "order", "amodal", "hidden", "box"}


def sniff(path: Path) -> bool:
    """Whether a JSON file, or one in the folder or its `annotations/`, lists panoptic segments."""
    return bool(_files(path))


def _files(path: Path) -> list[LabelFile]:
    if path.is_file():
        found = [path]
    else:
        found = sorted((path / "annotations").glob("*.json")) + sorted(path.glob("*.json"))
    return [
        LabelFile(file, plain_split(split_word(file)), split_word(file))
        for file in found
        if is_panoptic(file)
    ]


def read(path: Path, *, like: Dataset | None = None) -> Dataset:  # noqa: ARG001
    """The dataset of a file, or of the panoptic files of a folder, one split each.

    The PNG files lie in a folder called like the JSON file, or beside it. Images without an annotation are
    unlabelled; categories without `isthing` are things.
    """
    files = _files(path)
    if not files:
        raise FormatError(path, "", "no COCO panoptic labels: no .json with segments_info")
    opened = [open_panoptic(file) for file in files]
    return dataset_of(opened, _left_out(opened))


def _left_out(opened: Sequence[CocoPanoptic]) -> dict[str, int]:
    licences = sum(entry.license is not None for each in opened for entry in each.images.entries)
    return {"licences": licences} if licences else {}


def write(dataset: Dataset, path: Path) -> None:
    """Write a folder: a JSON file and a folder of PNG files for each split, and the images.

    Segments of void classes are 0 in the PNG, as COCO wants it, and listed as run lengths below `inlay`,
    which other tools pass over. Where segments overlap, the front one is painted; those then hidden are left
    out.
    """
    write_folder(dataset, path, lambda file: PanopticWriter(dataset, file), word="panoptic", whole="panoptic")
