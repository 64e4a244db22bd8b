"""Folders of COCO data: where label files and images go, and what all their kinds say of images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import UNSET, Struct, UnsetType

from inlay.core.dataset import Dataset, Sample
from inlay.formats.parts.coco_classes import categories_of
from inlay.formats.parts.coco_json import ImageExtra
from inlay.formats.parts.coco_layout import split_word
from inlay.formats.parts.places import size_of, store_image
from inlay.formats.parts.split_names import Placer, plain_split, splits_of


class SplitWriter(Protocol):
    """Gathers the samples of one label file and writes it."""

    def add(self, sample: Sample, file_name: str, *, name: str, split: str) -> None:
        """Add a sample whose image is `file_name`; `name` and `split` are what these say by themselves."""

    def write(self, path: Path) -> None:
        """Write the file."""


class _Image(Struct):
    id: int
    file_name: str
    height: int | UnsetType = UNSET
    width: int | UnsetType = UNSET
    video_id: int | UnsetType = UNSET
    frame_id: int | UnsetType = UNSET
    inlay: ImageExtra | UnsetType = UNSET


class ImageList:
    """The `images`, `videos` and `categories` of a file to write."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._entries: list[_Image] = []
        self._names: list[str] = []
        self._videos: dict[str, int] = {}

    def add(self, sample: Sample, file_name: str, *, name: str, split: str) -> None:
        """Add an image; `name` and `split` are what its file and folder say by themselves."""
        label = sample.segmentation
        image = _Image(len(self._entries) + 1, file_name)
        size = size_of(sample)
        if size != (0, 0):
            image.height, image.width = size
        if sample.group:
            image.video_id = self._videos.setdefault(sample.group, len(self._videos) + 1)
        if sample.frame is not None:
            image.frame_id = sample.frame
        extra = ImageExtra(
            sample.name if sample.name != name else None,
            sample.split if sample.split != split else None,
            [] if label is None else sorted(label.image_tags),
            label is None,
        )
        if extra != ImageExtra():
            image.inlay = extra
        self._entries.append(image)
        self._names.append(sample.name)

    def ids(self) -> list[int]:
        """Ids of the images: those of the source where all have one and none stands twice, else 1, 2, ..."""
        source = self._dataset.source_ids
        given = [source[name] for name in self._names if name in source]
        return given if len(set(given)) == len(self._names) else list(range(1, len(self._names) + 1))

    def write(self, path: Path, annotations: Iterable[bytes | memoryview], *, kinds: bool) -> None:
        """Write the file with these annotations, or several in each text; `kinds`: say which are things."""
        for entry, number in zip(self._entries, self.ids()):
            entry.id = number
        head: dict[str, Any] = {"info": {"description": "Written by Inlay"}, "licenses": []}
        head["categories"] = categories_of(self._dataset.classes, kinds=kinds)
        if self._videos:
            head["videos"] = [{"id": number, "name": name} for name, number in self._videos.items()]
        head["images"] = self._entries
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(msgspec.json.encode(head)[:-1] + b',"annotations":[')
            for k, text in enumerate(annotations):
                file.write(b",\n" if k else b"")
                file.write(text)
            file.write(b"]}\n")


def write_folder(
    dataset: Dataset, folder: Path, make: Callable[[Path], SplitWriter], *, word: str, whole: str
) -> None:
    """`annotations/WORD_SPLIT.json` and `images/SPLIT/` for each split; `WHOLE.json` and `images/` without.

    Parameters
    ----------
    make
        The writer of a label file, given its path.
    """
    splits = splits_of(dataset)
    files = {
        split: folder / "annotations" / f"{word}_{split}.json" if split else folder / f"{whole}.json"
        for split in splits
    }
    if len(splits) > 1 and "" in files:
        files[""] = folder / "annotations" / f"{word}.json"
    writers = {split: make(file) for split, file in files.items()}
    place = Placer()
    for sample in dataset:
        split = dataset.splits.get(sample.name, "")
        stem = place(sample, split)
        images = folder / "images" / split if split else folder / "images"
        file = store_image(sample, images, stem)
        file_name = file.relative_to(images).as_posix() if file else stem
        writers[split].add(sample, file_name, name=stem, split=plain_split(split))
    for split, writer in writers.items():
        writer.write(files[split])


def write_file(dataset: Dataset, path: Path, writer: SplitWriter) -> None:
    """One JSON file of labels alone; images keep their names."""
    split = plain_split(split_word(path))
    for sample in dataset:
        suffix = sample.image.suffix if isinstance(sample.image, Path) else ".png"
        writer.add(sample, sample.name + suffix, name=sample.name, split=split)
    writer.write(path)
