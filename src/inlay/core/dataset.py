"""Dataset: a lazy sequence of samples. A sample is one image and its segmentation."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from inlay.core.classes import Classes
from inlay.core.errors import InlayError
from inlay.core.images import read_image
from inlay.core.segmentation import Segmentation


@dataclass(frozen=True, eq=False)
class Sample:
    """One image and its segmentation.

    Parameters
    ----------
    name
        Unique in the dataset: the image's path below its folder, without suffix.
    image
        File of the image, its (H, W, 3) uint8 pixels, or `None` when only labels are at hand.
    segmentation
        Its segments; `None` when nobody has labelled the image (an image labelled as empty has zero rows).
    split
        "train", "val", "test" or another word; empty when the source names none.
    group
        Video, scene, patient or slide: samples of one group are never split apart.
    frame
        Place in the group's video, or `None`.
    """

    name: str
    image: Path | NDArray[np.uint8] | None
    segmentation: Segmentation | None
    split: str = ""
    group: str = ""
    frame: int | None = None

    def pixels(self) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, of the size of the segmentation.

        Raises
        ------
        InlayError
            When there is no image, or it cannot be read, or its size is not its label's.
        """
        size = None if self.segmentation is None else self.segmentation.size
        if self.image is None:
            raise InlayError(f"sample {self.name!r} has no image: keep the images beside the labels")
        if isinstance(self.image, Path):
            return read_image(self.image, size)
        if size and self.image.shape[:2] != size:
            (height, width), (rows, columns) = self.image.shape[:2], size
            raise InlayError(f"sample {self.name!r} is {width}x{height}, its label {columns}x{rows} pixels")
        return self.image

    def _repr_html_(self) -> str:
        from inlay.core.notebook import sample_html

        return sample_html(self)

    def label(self) -> Segmentation:
        """The segmentation.

        Raises
        ------
        InlayError
            When nobody has labelled the image.
        """
        if self.segmentation is None:
            raise InlayError(f"sample {self.name!r} has no label")
        return self.segmentation

    def replace(self, **changes: object) -> Sample:
        """A copy with some fields exchanged."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Dataset(Sequence[Sample]):
    """Samples read when asked for: `dataset[3]`, `dataset["name"]`, `dataset[10:20]`, or in a loop.

    Parameters
    ----------
    classes
        Shared by all samples.
    names
        Unique sample names, in order.
    load
        Reads one sample by its name; called each time, nothing is cached.
    splits
        Split of each name as far as the source says it, without loading the samples.
    left_out
        What the reader found and could not keep, with counts: `{"keypoints": 12}`: a loss when written.
    source_ids
        Number of each name in its source, where the source numbers its images.
    """

    classes: Classes
    names: tuple[str, ...]
    load: Callable[[str], Sample]
    splits: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    source_ids: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        if len(self._places) != len(self.names):
            twice = next(name for place, name in enumerate(self.names) if self._places[name] != place)
            raise InlayError(f"sample name {twice!r} stands twice in the dataset")

    @classmethod
    def of(cls, samples: Iterable[Sample], classes: Classes | None = None) -> Dataset:
        """A dataset of samples that are already in memory."""
        by_name: dict[str, Sample] = {}
        for sample in samples:
            if sample.name in by_name:
                raise InlayError(f"sample name {sample.name!r} stands twice in the dataset")
            by_name[sample.name] = sample
        if classes is None:
            labelled = next((s.segmentation for s in by_name.values() if s.segmentation is not None), None)
            classes = Classes(()) if labelled is None else labelled.classes
        splits = {name: sample.split for name, sample in by_name.items() if sample.split}
        return cls(classes, tuple(by_name), by_name.__getitem__, splits)

    @classmethod
    def of_images(cls, files: Iterable[Path], folder: Path) -> Dataset:
        """Unlabelled samples of image files, named by their paths below `folder` without suffix.

        Two files that differ in their suffix alone keep it in their names.
        """
        several = list(files)
        names = [file.relative_to(folder).as_posix() for file in several]
        stems = [name.removesuffix(file.suffix) for name, file in zip(names, several)]
        count = Counter(stems)
        unique = [stem if count[stem] == 1 else name for stem, name in zip(stems, names)]
        by_name = dict(zip(unique, several))
        return cls(Classes(()), tuple(by_name), lambda name: Sample(name, by_name[name], None))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int | str) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> Dataset: ...
    def __getitem__(self, index: int | str | slice) -> Sample | Dataset:
        if isinstance(index, slice):
            return self.only(self.names[index])
        if isinstance(index, str) and index not in self._places:
            raise InlayError(f"there is no sample {index!r} in the dataset")
        return self.load(index if isinstance(index, str) else self.names[index])

    def __iter__(self) -> Iterator[Sample]:
        return (self.load(name) for name in self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __repr__(self) -> str:
        return f"Dataset({len(self)} samples, {len(self.classes)} classes)"

    def _repr_html_(self) -> str:
        from inlay.core.notebook import dataset_html

        return dataset_html(self)

    def only(self, names: Iterable[str]) -> Dataset:
        """The samples of these names, in the given order.

        Raises
        ------
        InlayError
            When one of them is not in the dataset, or stands twice.
        """
        chosen = tuple(names)
        for name in chosen:
            if name not in self._places:
                raise InlayError(f"there is no sample {name!r} in the dataset")
        return replace(self, names=chosen)

    def filter(self, keep: Callable[[Sample], bool]) -> Dataset:
        """The samples for which `keep` is true; each is loaded once to be asked."""
        return self.only(name for name in self.names if keep(self.load(name)))

    def map(self, change: Callable[[Sample], Sample], classes: Classes | None = None) -> Dataset:
        """A dataset whose samples go through `change` when they are loaded; names stay."""
        load = self.load
        return replace(
            self, load=lambda name: change(load(name)), classes=self.classes if classes is None else classes
        )

    def split(self, name: str) -> Dataset:
        """The samples that the source puts into split `name`.

        Raises
        ------
        InlayError
            When there are none, naming the splits there are.
        """
        names = [each for each in self.names if self.splits.get(each, "") == name]
        if not names:
            known = sorted(set(self.splits.values()))
            splits = f"splits are {', '.join(known)}" if known else "none is named"
            raise InlayError(f"there is no split {name!r}; {splits}")
        return self.only(names)

    def divide(
        self, shares: Mapping[str, float], *, groups: Callable[[str], str] | None = None, seed: int = 0
    ) -> dict[str, Dataset]:
        """Splits made by drawing lots for whole groups, so that frames of one video never part.

        The lot of a group depends on its name and `seed` alone: new samples never move old ones.

        Parameters
        ----------
        shares
            Split name to share; the shares are scaled to sum to 1.
        groups
            Group of a sample name; default: each sample's `group`, or its own name where it has none.

        Raises
        ------
        InlayError
            When a share is negative, or none is above 0.
        """
        total = sum(shares.values())
        if not 0 < total < np.inf or min(shares.values()) < 0:
            raise InlayError(f"shares of a dataset are positive numbers, not {dict(shares)}")
        edges = np.cumsum([share / total for share in shares.values()])
        chosen: dict[str, list[str]] = {name: [] for name in shares}
        order = list(shares)
        for name in self.names:
            group = groups(name) if groups else self.load(name).group or name
            digest = hashlib.blake2b(
                f"{seed}:{group}".encode("utf-8", "surrogatepass"), digest_size=8
            ).digest()
            lot = int.from_bytes(digest, "big") / 2**64
            place = min(int(np.searchsorted(edges, lot, side="right")), len(order) - 1)
            chosen[order[place]].append(name)
        return {name: self.only(names) for name, names in chosen.items()}

    def pair(self, other: Dataset) -> list[tuple[str, str]]:
        """Names of this dataset with their partners in `other`: the same, or the same last part of the path.

        No sample gets two partners: what has its own name in both is not compared by the last part.

        Raises
        ------
        InlayError
            When no name has a partner, or a last part is ambiguous.
        """
        mine, theirs = self._by_stem(other), other._by_stem(self)
        pairs = []
        for name in self.names:
            if name in other._places:
                pairs.append((name, name))
                continue
            stem = _stem(name)
            partners, rivals = theirs.get(stem, []), mine[stem]
            if len(partners) > 1:
                raise InlayError(f"sample {name!r} could be any of {', '.join(partners)}")
            if partners and len(rivals) > 1:
                raise InlayError(f"sample {partners[0]!r} could be any of {', '.join(rivals)}")
            pairs += [(name, partner) for partner in partners]
        if not pairs and self.names and other.names:
            raise InlayError(
                f"no sample names in common: {self.names[0]!r}, ... here; {other.names[0]!r}, ... there"
            )
        return pairs

    def _by_stem(self, other: Dataset) -> dict[str, list[str]]:
        """Names that `other` has not, by the last part of their paths."""
        found: dict[str, list[str]] = {}
        for name in self.names:
            if name not in other._places:
                found.setdefault(_stem(name), []).append(name)
        return found

    def zip(self, other: Dataset) -> Iterator[tuple[Sample, Sample]]:
        """Samples with their partners in `other` (labels with predictions), loaded one by one."""
        return ((self.load(mine), other.load(theirs)) for mine, theirs in self.pair(other))


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1]
