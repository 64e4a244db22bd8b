"""The images of a COCO file: their names, sizes, files, videos and splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inlay.core.batch import Batch, Painted
from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.images import MAX_PIXELS, image_size
from inlay.core.segmentation import Segmentation
from inlay.formats.parts.coco_json import CocoImage, CocoVideo, Id, numbers
from inlay.formats.parts.coco_layout import ImageFinder, LabelFile, image_folders, unique_names


@dataclass(frozen=True, eq=False)
class CocoImages:
    """Images of one file in its order.

    Parameters
    ----------
    file
        Where the file lies, and its split.
    entries
        What it says of each.
    names, ids, groups, splits
        Sample name, number, video and split of each.
    """

    file: LabelFile
    entries: Sequence[CocoImage]
    names: tuple[str, ...]
    ids: tuple[int, ...]
    groups: tuple[str, ...]
    splits: tuple[str, ...]

    @classmethod
    def of(cls, entries: Sequence[CocoImage], videos: Sequence[CocoVideo], file: LabelFile) -> CocoImages:
        """The images of a file.

        Raises
        ------
        FormatError
            When an id or a file name stands twice.
        """
        titles: dict[Id | None, str] = {video.id: video.name or str(video.id) for video in videos}
        titles[None] = ""
        names = unique_names(
            [entry.file_name for entry in entries],
            [entry.inlay.name if entry.inlay else None for entry in entries],
            file.path,
        )
        ids = distinct_ids([entry.id for entry in entries], file.path, "images")
        groups = [titles.get(entry.video_id, str(entry.video_id)) for entry in entries]
        splits = [entry.inlay.split_in(file.split) if entry.inlay else file.split for entry in entries]
        return cls(file, entries, tuple(names), tuple(ids), tuple(groups), tuple(splits))

    def below_split(self) -> CocoImages:
        """The same with names below the split, but for those that the file gives."""
        prefix = self.file.split or self.file.path.stem
        given = [entry.inlay is not None and entry.inlay.name is not None for entry in self.entries]
        names = [name if own else f"{prefix}/{name}" for name, own in zip(self.names, given)]
        return replace(self, names=tuple(names))

    @cached_property
    def places(self) -> dict[int, int]:
        """Place of each id."""
        return {number: place for place, number in enumerate(self.ids)}

    @cached_property
    def _place_of(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def _find(self) -> ImageFinder:
        return ImageFinder(image_folders(self.file))

    def place(self, name: str) -> int:
        """Place of a sample."""
        return self._place_of[name]

    def places_of(self, names: Sequence[str]) -> NDArray[np.int64]:
        """(N,) places of samples."""
        return np.fromiter(map(self._place_of.__getitem__, names), np.int64, len(names))

    def path(self, i: int) -> Path | None:
        """File of an image; `None` where there is none."""
        found: Path | None = self._find(self.entries[i].file_name)
        return found

    def unlabelled(self, i: int) -> bool:
        """Whether the file says that nobody has labelled an image."""
        extra = self.entries[i].inlay
        return extra is not None and extra.unlabelled

    def size(self, i: int) -> tuple[int, int]:
        """(height, width) of an image: as the file says, else from the image itself.

        Raises
        ------
        FormatError
            When neither says it, or no image can have that size.
        """
        entry = self.entries[i]
        where = f"images[{i}]"
        if entry.height is not None and entry.width is not None:
            if entry.height < 1 or entry.width < 1 or entry.height * entry.width > MAX_PIXELS:
                what = f"height {entry.height}, width {entry.width}: an image has 1 to {MAX_PIXELS} pixels"
                raise FormatError(self.file.path, where, what)
            return entry.height, entry.width
        path = self.path(i)
        if path is None:
            what = f"no height and width, and {entry.file_name!r} is not beside the labels"
            raise FormatError(self.file.path, where, what)
        return image_size(path)

    @cached_property
    def _stated(self) -> NDArray[np.int64]:
        """(I, 2) height and width as the file says them; 0 where it does not, or no image can have it."""
        said = [(entry.height or 0, entry.width or 0) for entry in self.entries]
        possible = [(h, w) if 0 < h <= MAX_PIXELS and 0 < w <= MAX_PIXELS else (0, 0) for h, w in said]
        return np.array(possible, np.int64).reshape(-1, 2)

    def sizes(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """(N, 2) height and width of images; errors as of `size`."""
        found = self._stated[places]
        for at in np.flatnonzero((found < 1).any(axis=1) | (found.prod(axis=1) > MAX_PIXELS)).tolist():
            found[at] = self.size(int(places[at]))
        return found

    def sample(self, i: int, label: Segmentation | None) -> Sample:
        """The sample of an image, with its file where there is one."""
        frame = self.entries[i].frame_id
        return Sample(self.names[i], self.path(i), label, self.splits[i], self.groups[i], frame)


class Opened(Protocol):
    """An opened file: calling it with a sample name reads that sample."""

    @property
    def images(self) -> CocoImages:
        """Its images."""

    @property
    def classes(self) -> Classes:
        """Its classes."""

    def under(self, classes: Classes, images: CocoImages) -> Opened:
        """The same with classes shared by all files, and images under names that none of them has."""

    def __call__(self, name: str) -> Sample:
        """The sample of that name."""


@dataclass(frozen=True, eq=False)
class Files:
    """Several opened files as one; calling it with a sample name reads that sample."""

    files: tuple[Opened, ...]

    @cached_property
    def _file_of(self) -> dict[str, Opened]:
        return {name: opened for opened in self.files for name in opened.images.names}

    def __call__(self, name: str) -> Sample:
        """The sample of that name."""
        return self._file_of[name](name)

    def batch(self, names: Sequence[str], classes: Classes, *, masks: bool) -> Batch | None:
        """The samples of these names at once, where there is one file that can be read so."""
        batch = getattr(self.files[0], "batch", None) if len(self.files) == 1 else None
        found: Batch | None = batch(names, classes, masks=masks) if batch else None
        return found

    def painted(self, names: Sequence[str]) -> Painted | None:
        """The samples as one file holds them, where they are plain maps of colours."""
        opened = self._file_of[names[0]]
        paint = getattr(opened, "painted", None)
        alone = len(self.files) == 1 or all(self._file_of[name] is opened for name in names)
        found: Painted | None = paint(names) if paint and alone else None
        return found

    def image(self, name: str) -> Path | None:
        """File of an image."""
        images = self._file_of[name].images
        return images.path(images.place(name))

    def size(self, name: str) -> tuple[int, int]:
        """(height, width) of an image, without reading its segments."""
        images = self._file_of[name].images
        return images.size(images.place(name))

    def sizes(self, names: Sequence[str]) -> NDArray[np.int64]:
        """(N, 2) the same of many."""
        if len(self.files) == 1:
            images = self.files[0].images
            return images.sizes(images.places_of(names))
        return np.array([self.size(name) for name in names], np.int64).reshape(-1, 2)


def dataset_of(opened: Sequence[Opened], left_out: Mapping[str, int]) -> Dataset:
    """One dataset of opened files: classes by name, images below their splits where names collide."""
    classes = Classes(())
    for each in opened:
        classes = classes.merge(each.classes)
    images = [each.images for each in opened]
    names = [name for each in images for name in each.names]
    if len(set(names)) < len(names):
        images = [each.below_split() for each in images]
    files = tuple(each.under(classes, own) for each, own in zip(opened, images))
    return Dataset(
        classes,
        tuple(name for each in images for name in each.names),
        Files(files),
        {name: split for each in images for name, split in zip(each.names, each.splits) if split},
        dict(left_out),
        {name: number for each in images for name, number in zip(each.names, each.ids)},
    )


def distinct_ids(ids: Sequence[Id], path: Path, where: str) -> dict[int, int]:
    """Place of each id.

    Raises
    ------
    FormatError
        When an id stands twice or is no whole number.
    """
    found: dict[int, int] = {}
    for place, value in enumerate(numbers(ids, path, f"{where}[{{}}].id")):
        if value in found:
            what = f"id {value} stands at {where}[{found[value]}] too"
            raise FormatError(path, f"{where}[{place}].id", what)
        found[value] = place
    return found
