"""Extras: `inlay.extra.json` beside the files of a format, for what these have no place for.

It says of samples their names, splits, videos, frames and tags, and of classes their kinds, colours, parents
and numbers, where the files of the format say something else by themselves. It is written only where there is
something to say; other tools pass over it, and what they add to the folder is read without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
from msgspec import Struct

from inlay.core.classes import Classes, Colour, Kind, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.formats.parts.typed_json import decode, read_bytes

FILE = "inlay.extra.json"
SAMPLE_FACTS = frozenset({"split", "group", "frame", "image_tags", "empty", "unlabelled"})
CLASS_FACTS = frozenset({"stuff", "void", "colours", "parents", "class_number"})
KEPT = SAMPLE_FACTS | CLASS_FACTS


class ClassExtra(Struct, omit_defaults=True):
    """A class."""

    name: str
    kind: Kind = "thing"
    colour: Colour | None = None
    parent: str = ""
    id: int | None = None


class SampleExtra(Struct, omit_defaults=True):
    """A sample where its files say something else; `None` keeps what they say."""

    name: str | None = None
    split: str | None = None
    group: str | None = None
    frame: int | None = None
    no_frame: bool = False
    tags: list[str] = []
    unlabelled: bool = False

    def applied(self, sample: Sample) -> Sample:
        """The sample as this says it is."""
        label = None if self.unlabelled else sample.segmentation
        if label is not None and self.tags:
            label = label.replace(image_tags=label.image_tags | frozenset(self.tags))
        return Sample(
            sample.name if self.name is None else self.name,
            sample.image,
            label,
            sample.split if self.split is None else self.split,
            sample.group if self.group is None else self.group,
            None if self.no_frame else sample.frame if self.frame is None else self.frame,
        )


NOTHING = SampleExtra()


class Extras(Struct, omit_defaults=True):
    """The whole file: its format, the classes, and samples by what their files call them.

    `objects` says for each video the class and the number of its objects, where maps hold another number.
    """

    format: str = ""
    classes: list[ClassExtra] = []
    samples: dict[str, SampleExtra] = {}
    objects: dict[str, dict[int, tuple[str, int]]] = {}

    def classes_with(self, found: Classes) -> Classes:
        """The classes of a folder: those listed here, then the others that were found."""
        own = [SegmentClass(item.name, item.kind, item.colour, item.parent, item.id) for item in self.classes]
        return Classes(tuple(own)).merge(found)

    def dataset(
        self,
        keys: Sequence[str],
        classes: Classes,
        load: Callable[[str], Sample],
        path: Path,
        *,
        splits: Mapping[str, str] | None = None,
        left_out: Mapping[str, int] | None = None,
    ) -> Dataset:
        """The dataset of samples that `load` reads by their keys, under their names here.

        Parameters
        ----------
        splits
            Split of each key as the files say it.

        Raises
        ------
        FormatError
            When two of them have one name.
        """
        key_of: dict[str, str] = {}
        for key in keys:
            name = self.samples.get(key, NOTHING).name
            name = key if name is None else name
            if name in key_of:
                raise FormatError(path, f"sample {name!r}", f"stands twice: {key_of[name]!r} and {key!r}")
            key_of[name] = key
        named = {}
        for name, key in key_of.items():
            split = self.samples.get(key, NOTHING).split
            split = (splits or {}).get(key, "") if split is None else split
            if split:
                named[name] = split
        return Dataset(classes, tuple(key_of), _Loader(key_of, self, load), named, dict(left_out or {}))


@dataclass(frozen=True, eq=False)
class _Loader:
    """Reads a sample by its name: by its key, and then as the extras say it is."""

    key_of: Mapping[str, str]
    extras: Extras
    load: Callable[[str], Sample]

    def __call__(self, name: str) -> Sample:
        key = self.key_of[name]
        return self.extras.samples.get(key, NOTHING).applied(self.load(key).replace(name=name))


def read_extras(folder: Path) -> Extras:
    """The extras of a folder; none where it has no such file.

    Raises
    ------
    FormatError
        With the JSON path of what is wrong.
    """
    path = folder / FILE
    if not path.is_file():
        return Extras()
    extras = decode(read_bytes(path), path, Extras)
    try:
        extras.classes_with(Classes(()))
    except InlayError as error:
        raise FormatError(path, "classes", str(error)) from None
    for video, objects in extras.objects.items():
        for number, (_, instance) in objects.items():
            if not 0 <= instance < 2**31:
                where = f"objects.{video}.{number}"
                raise FormatError(path, where, f"{instance} is no number of an instance")
    return extras


def is_written_as(folder: Path, name: str) -> bool:
    """Whether the extras of a folder say that it is of a format; never raises."""
    path = folder / FILE
    try:
        return path.is_file() and decode(read_bytes(path), path, Extras).format == name
    except FormatError:
        return False


class ExtraWriter:
    """Gathers what the files of a folder do not say by themselves.

    Parameters
    ----------
    name
        The format.
    listed
        Whether the format has a list of classes in order.
    """

    def __init__(self, dataset: Dataset, name: str, *, listed: bool = True) -> None:
        plain = tuple(SegmentClass(name) for name in dataset.classes.names)
        items = () if listed and dataset.classes.rows == plain else dataset.classes.rows
        classes = [
            ClassExtra(item.name, item.kind, item.colour, item.parent, item.source_id) for item in items
        ]
        self._extras = Extras(name, classes)
        self._labelled = False

    def add(self, sample: Sample, said: Sample) -> None:
        """Add a sample; `said` is what its files say, its name being their key."""
        label = sample.segmentation
        self._labelled |= label is not None
        tags = frozenset() if label is None else label.image_tags
        known = frozenset() if said.segmentation is None else said.segmentation.image_tags
        extra = SampleExtra(
            None if sample.name == said.name else sample.name,
            None if sample.split == said.split else sample.split,
            None if sample.group == said.group else sample.group,
            None if sample.frame == said.frame else sample.frame,
            sample.frame is None and said.frame is not None,
            sorted(tags - known),
            label is None and said.segmentation is not None,
        )
        if extra != NOTHING:
            self._extras.samples[said.name] = extra

    def add_objects(self, video: str, objects: Mapping[int, tuple[str, int]]) -> None:
        """Add what the numbers in the maps of a video mean."""
        if objects:
            self._extras.objects[video] = dict(objects)

    def write(self, folder: Path) -> None:
        """Write the file, where there is something to say, or no label file says what this is."""
        if not self._labelled or self._extras != Extras(self._extras.format):
            folder.mkdir(parents=True, exist_ok=True)
            text = msgspec.json.format(msgspec.json.encode(self._extras), indent=1)
            (folder / FILE).write_bytes(text + b"\n")


def said(sample: Sample, key: str, *, tags: bool = False) -> Sample:
    """What a file says of a sample that gives its key alone; with `tags` those of the image too."""
    label = sample.segmentation
    if label is not None and not tags and label.image_tags:
        label = label.replace(image_tags=frozenset())
    return replace(Sample(key, None, None), segmentation=label)
