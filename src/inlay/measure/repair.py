"""Repair of tracks by hand: joins, cuts, swaps, new numbers, removals; a journal keeps and undoes them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Dataset
from inlay.core.errors import FormatError, InlayError

if TYPE_CHECKING:
    from inlay.core.dataset import Sample

Action = Literal["join", "cut", "swap", "rename", "drop"]
Ints = NDArray[np.int32]
Numbers = list[tuple[str, int, Ints]]  # sample, frame, number of each thing


@dataclass(frozen=True)
class Repair:
    """One change of the tracks of one video.

    Parameters
    ----------
    action
        "join": track `other` becomes part of `track`. "cut": from frame `since` on, `track` is another thing,
        with the number `other`, or the first free one. "swap": the two change numbers, from `since` on.
        "rename": `track` gets the number `other`, which is free. "drop": `track` leaves the video.
    video
        The `group` of its samples.
    track, other
        Numbers (instance ids).
    since
        Frame from which on it counts; `None`: all frames.
    """

    action: Action
    video: str
    track: int
    other: int = 0
    since: int | None = None

    def __post_init__(self) -> None:
        if self.action not in get_args(Action):
            raise InlayError(f"there is no repair {self.action!r}; there are {', '.join(get_args(Action))}")
        if self.track < 1 or self.other < 0 or (self.action in ("join", "swap", "rename") and not self.other):
            raise InlayError(f"{self}: numbers of tracks are 1 or more")
        if self.track == self.other:
            raise InlayError(f"{self}: both are the same track")
        if self.action == "cut" and self.since is None:
            raise InlayError(f"{self}: say the first frame of the second part")

    def __str__(self) -> str:
        words = {
            "join": f"join {self.track} and {self.other}",
            "cut": f"cut {self.track}" + (f" into {self.other}" if self.other else ""),
            "swap": f"swap {self.track} and {self.other}",
            "rename": f"rename {self.track} to {self.other}",
            "drop": f"drop {self.track}",
        }[self.action]
        when = "" if self.since is None else f" from frame {self.since}"
        return words + when + (f" in {self.video!r}" if self.video else "")


def repaired(dataset: Dataset, repairs: Sequence[Repair]) -> Dataset:
    """The dataset after repairs, one after another.

    Raises
    ------
    InlayError
        When a video or track is not there, or a frame would have one number twice.
    """
    videos = numbers_of(dataset)
    for repair in repairs:
        if repair.video not in videos:
            raise InlayError(f"{repair}: there is no such video; there are {_some(videos)}")
        _apply(repair, videos[repair.video])
    return with_numbers(dataset, {name: ids for video in videos.values() for name, _, ids in video})


def numbers_of(dataset: Dataset) -> dict[str, Numbers]:
    """Name, frame and numbers of things (0 for the rest) of each labelled sample, by video."""
    videos: dict[str, Numbers] = defaultdict(list)
    for sample in dataset:
        if sample.segmentation is not None:
            label = sample.segmentation
            ids = np.where(label.is_thing, label.instance_id, 0).astype(np.int32)
            videos[sample.group].append((sample.name, sample.frame or 0, ids))
    return dict(videos)


def with_numbers(dataset: Dataset, numbers: Mapping[str, Ints]) -> Dataset:
    """The dataset with other numbers of things, by sample; where one is below 0 the thing leaves."""

    def change(sample: Sample) -> Sample:
        ids = numbers.get(sample.name)
        if ids is None:
            return sample
        label = sample.label()
        label = label.replace(instance_id=np.where(label.is_thing, np.abs(ids), label.instance_id))
        return sample.replace(segmentation=label[ids >= 0])

    return dataset.map(change)


def _apply(repair: Repair, frames: Numbers) -> None:
    """Change the numbers of a video in place; what is dropped gets -1."""
    known = {int(each) for _, _, ids in frames for each in ids if each > 0}
    wanted = [repair.track] + ([repair.other] if repair.action in ("join", "swap") else [])
    for number in wanted:
        if number not in known:
            raise InlayError(f"{repair}: there is no track {number}; there are {_some(sorted(known))}")
    other = repair.other or (max(known) + 1 if repair.action == "cut" else -1)
    if repair.action in ("cut", "rename") and other in known:
        raise InlayError(f"{repair}: there is a track {other} already; join the two, or take another number")
    change = {repair.track: other}
    if repair.action == "join":
        change = {repair.other: repair.track}
    elif repair.action == "swap":
        change = {repair.track: repair.other, repair.other: repair.track}
    met = renumbered(frames, change, repair.since, str(repair))
    if not met:
        raise InlayError(f"{repair}: track {repair.track} is not seen from there on")


def renumbered(frames: Numbers, change: Mapping[int, int], since: int | None, words: str) -> bool:
    """Give other numbers to the (name, frame, numbers) of a video in place; whether one was met.

    Raises
    ------
    InlayError
        When a frame would have one number twice; nothing has changed then.
    """
    found = {}
    for place, (name, frame, ids) in enumerate(frames):
        if since is not None and frame < since:
            continue
        new = np.array([change.get(int(each), int(each)) for each in ids], np.int32)
        if (new != ids).any():
            once, times = np.unique(new[new > 0], return_counts=True)
            if (times > 1).any():
                twice = once[times > 1][0]
                raise InlayError(f"{words}: {name}: number {twice} would stand twice in frame {frame}")
            found[place] = new
    for place, new in found.items():
        frames[place] = (*frames[place][:2], new)
    return bool(found)


def _some(names: Iterable[Any], most: int = 12) -> str:
    listed = [repr(name) for name in names]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more or "none"


def read_repairs(journal: Path) -> list[Repair]:
    """The repairs that a journal says, those undone left out. A journal that is not there says none.

    Raises
    ------
    FormatError
        When a line is no repair.
    """
    if not journal.exists():
        return []
    found: list[Repair] = []
    for number, line in enumerate(journal.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry = json.loads(line)
            if entry == {"action": "undo"}:
                found.pop()
            else:
                found.append(Repair(**entry))
        except (ValueError, TypeError, IndexError, InlayError) as error:
            raise FormatError(journal, f"line {number}", f"{line[:60]!r} is no repair ({error})") from None
    return found


def keep_repair(journal: Path, repair: Repair | None) -> None:
    """Add a repair to a journal; `None` undoes the last one. Lines are only ever added.

    Raises
    ------
    InlayError
        When there is nothing to undo, or the journal cannot be written.
    """
    if repair is None and not read_repairs(journal):
        raise InlayError(f"{journal}: there is no repair left to undo")
    entry = {"action": "undo"} if repair is None else {k: v for k, v in vars(repair).items() if v is not None}
    try:
        with journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
    except OSError as error:
        raise InlayError(f"{journal}: cannot be written ({error.strerror})") from None
