"""Volumes: the samples of a dataset as stacks of slices, for formats that hold those in one file.

One slice is one sample. The samples of a group that are of one size are a volume, in the order of their
frames; a sample without a group is a volume of one slice. Files say of a slice its volume and its number, all
else is in the extras.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError
from inlay.core.lattice import Lattice, is_lattice, lattice_of
from inlay.core.segmentation import Segmentation
from inlay.formats.parts.extras import NOTHING, Extras
from inlay.formats.parts.places import refuse_nothing, size_of

MAX_SLICES = 1_000_000  # of all volumes of a folder: each is a name in memory
_LARGEST = 2**31 - 1


@dataclass
class Volume:
    """One stack of slices to be written.

    Parameters
    ----------
    name
        Of its file, below the folder of the format.
    names
        Of its samples, in the order of the slices.
    size
        (height, width) of each slice.
    first
        Frame of the first slice where the frames are consecutive, else -1.
    lattice
        Where all labelled slices say the same one.
    is_labelled
        Whether any slice is.
    has_arrays
        Whether all slices have an image, and all are in memory: what was read from a volume.
    is_grey
        Whether all these are grey.
    """

    name: str
    names: list[str]
    size: tuple[int, int]
    first: int = 0
    lattice: Lattice | None = None
    is_labelled: bool = False
    has_arrays: bool = True
    is_grey: bool = True

    def key(self, number: int) -> str:
        """What the files call a slice."""
        return slice_key(self.name, number, len(self.names))

    @property
    def stated(self) -> Lattice | None:
        """The lattice that a header can say: that of consecutive slices, counted from the first."""
        return self.lattice.at_slice(self.first) if self.lattice and self.first >= 0 else None

    def said(self, number: int, sample: Sample, held: Lattice | None) -> Sample:
        """What the files say of a slice by themselves; `held` is the lattice as they can hold it."""
        label = sample.segmentation
        if label is not None:
            same = self.first == 0 and self.lattice is not None and self.lattice.is_near(held)
            tags = frozenset(tag for tag in label.image_tags if same and is_lattice(tag))
            label = label.replace(image_tags=tags)
        one = len(self.names) == 1
        return Sample(self.key(number), None, label, "", "" if one else self.name, None if one else number)


@dataclass(frozen=True)
class _Seen:
    """What is kept of a sample that was asked."""

    is_labelled: bool
    in_memory: bool
    is_grey: bool
    tag: str


def slice_key(name: str, number: int, count: int) -> str:
    """What a slice of a volume is called; the only one has the name of its volume."""
    return name if count == 1 else f"{name}/{number:06d}"


def volumes_of(dataset: Dataset) -> tuple[list[Volume], bool]:
    """The volumes of a dataset, and whether class numbers say all of its labels.

    That is so where no segment has an instance number, and no class two segments in a slice. Each sample is
    loaded once to be asked.
    """
    found: dict[tuple[str, str, tuple[int, int]], list[tuple[int, str]]] = {}
    facts: dict[str, _Seen] = {}
    semantic = True
    for sample in dataset:
        refuse_nothing(sample)
        label = sample.segmentation
        semantic &= label is None or (
            not label.instance_id.any() and len(np.unique(label.class_id)) == len(label)
        )
        tag = "" if label is None else next(filter(is_lattice, sorted(label.image_tags)), "")
        in_memory = isinstance(sample.image, np.ndarray)
        grey = isinstance(sample.image, np.ndarray) and is_grey(sample.image)
        facts[sample.name] = _Seen(label is not None, in_memory, grey, tag)
        key = (sample.group, "" if sample.group else sample.name, size_of(sample))
        frame = _LARGEST if sample.frame is None else sample.frame
        found.setdefault(key, []).append((frame, sample.name))
    taken: set[str] = set()
    several = []
    for (group, _, size), members in found.items():
        members.sort(key=lambda each: each[0])
        names = [name for _, name in members]
        frames = [0 if len(names) == 1 and frame == _LARGEST else frame for frame, _ in members]
        even = frames == list(range(frames[0], frames[0] + len(frames)))
        about = [facts[name] for name in names]
        tags = {each.tag for each in about if each.is_labelled}
        lattice = lattice_of(tags) if len(tags) == 1 else None
        volume = Volume(
            _free(group if len(names) > 1 else names[0], len(names), taken),
            names,
            size,
            max(-1, frames[0]) if even else -1,
            lattice,
            any(each.is_labelled for each in about),
            all(each.in_memory for each in about),
            all(each.is_grey for each in about),
        )
        several.append(volume)
    return several, semantic


def _free(wanted: str, count: int, taken: set[str]) -> str:
    """A name whose files and slices are nobody else's, also where case does not count."""
    number, name = 1, wanted
    while taken & (own := {name.lower(), *(slice_key(name, i, count).lower() for i in range(count))}):
        number += 1
        name = f"{wanted}-{number}"
    taken |= own
    return name


def class_numbers(classes: Classes) -> list[int]:
    """The number of each class in a map where 0 is nobody: that of its source if it serves, else 1, 2, ..."""
    numbers = [row if item.source_id is None else item.source_id for row, item in enumerate(classes)]
    fits = len(set(numbers)) == len(numbers) and all(0 < number < 2**16 for number in numbers)
    return numbers if fits else list(range(1, len(numbers) + 1))


@dataclass(frozen=True, eq=False)
class SliceLoader:
    """Loads slices by their keys; what the volumes say of each, and the extras, added.

    Parameters
    ----------
    slices
        (volume, its number there, slices of the volume, lattice) of each key, in order.
    label
        Gives the label of a slice, `None` where nobody labelled it.
    image
        Gives its image.
    """

    slices: Mapping[str, tuple[str, int, int, Lattice | None]]
    label: Callable[[str], Segmentation | None]
    image: Callable[[str], Path | NDArray[np.uint8] | None]
    extras: Extras = field(default_factory=Extras)
    splits: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, key: str) -> Sample:
        """The sample of a key."""
        volume, number, count, lattice = self.slices[key]
        label = self.label(key)
        told = any(is_lattice(tag) for tag in self.extras.samples.get(key, NOTHING).tags)
        if label is not None and lattice is not None and not told:
            label = label.replace(image_tags=label.image_tags | {lattice.tag()})
        one = count == 1
        split = self.splits.get(key, "")
        return Sample(key, self.image(key), label, split, "" if one else volume, None if one else number)


def count_slices(path: Path, counts: Iterator[int] | list[int]) -> None:
    """Refuse more slices than names fit into memory.

    Raises
    ------
    FormatError
        Naming the number and the limit.
    """
    total = sum(counts)
    if total > MAX_SLICES:
        raise FormatError(path, "header", f"{total} slices are over the limit of {MAX_SLICES}")


def whole_values(
    raw: NDArray[Any], path: Path, where: str, *, slope: float = 1.0, inter: float = 0.0
) -> NDArray[np.int32]:
    """The label values of a slice, `raw * slope + inter`, as whole numbers.

    Raises
    ------
    FormatError
        When one of them is none, or larger than 31 bits: labels are never rounded or wrapped.
    """
    plain = slope == 1.0 and inter == 0.0
    if plain and raw.dtype.kind in "iu" and raw.dtype.itemsize <= 2:
        return raw.astype(np.int32)
    present, place = np.unique(raw, return_inverse=True)
    with np.errstate(all="ignore"):
        values = present if plain else present.astype(np.float64) * slope + inter
        bad = ~((values >= -_LARGEST) & (values <= _LARGEST))
        bad |= values != np.trunc(values) if values.dtype.kind == "f" else False
    if bad.any():
        wrong = int(np.argmax(bad))
        y, x = np.unravel_index(int(np.argmax(place.reshape(-1) == wrong)), raw.shape)
        stored = "" if plain else f" (stored {present[wrong]!s}, slope {slope:g}, intercept {inter:g})"
        what = f"value {values[wrong]!s}{stored} is no label: save labels as whole numbers, with slope 1"
        raise FormatError(path, f"{where}, pixel ({x}, {y})", what)
    return np.asarray(values.astype(np.int32)[place].reshape(raw.shape))


def as_pixels(raw: NDArray[Any], window: tuple[float, float] | None = None) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of a slice: 8-bit values as they are, others from `window` or their own range."""
    if raw.dtype == np.uint8 and window is None:
        return np.ascontiguousarray(raw if raw.ndim == 3 else np.repeat(raw[..., None], 3, axis=2))
    with np.errstate(all="ignore"):
        deep = np.nan_to_num(raw.astype(np.float64), posinf=0.0, neginf=0.0)
        low, high = window or ((float(deep.min()), float(deep.max())) if deep.size else (0.0, 1.0))
        scaled = np.nan_to_num((deep - low) * (255.0 / max(high - low, 1e-12)), posinf=255.0)
    grey = np.clip(scaled, 0, 255).astype(np.uint8)
    return grey if grey.ndim == 3 else np.repeat(grey[..., None], 3, axis=2)


def is_grey(pixels: NDArray[np.uint8]) -> bool:
    """Whether the three channels of an image agree."""
    return bool((pixels == pixels[..., :1]).all())


def bare(sample: Sample) -> Sample:
    """The sample without pixels and segments: what the extras are asked about."""
    label = sample.segmentation
    nothing = None if label is None else label[:0]
    return sample.replace(image=None, segmentation=nothing)
