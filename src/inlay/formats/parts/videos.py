"""Videos: the samples of a dataset by group and frame, for formats that hold frames in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from inlay.core.dataset import Dataset


@dataclass(frozen=True)
class Video:
    """One video: its group, and its sample names by frame number, ascending."""

    group: str
    frames: Mapping[int, str]


def videos_of(dataset: Dataset, *, dense: bool = False) -> list[Video]:
    """The groups of a dataset; samples without a frame, or with one that is taken, get free numbers.

    Each sample is loaded once to be asked.

    Parameters
    ----------
    dense
        Number the frames 0, 1, 2, ... in their order.
    """
    groups: dict[str, list[tuple[int, str]]] = {}
    for sample in dataset:
        frame = -1 if sample.frame is None or sample.frame < 0 else sample.frame
        groups.setdefault(sample.group, []).append((frame, sample.name))
    return [Video(group, _numbered(found, dense=dense)) for group, found in groups.items()]


def _numbered(found: list[tuple[int, str]], *, dense: bool) -> dict[int, str]:
    frames: dict[int, str] = {}
    waiting = []
    for frame, name in found:
        if frame >= 0 and frame not in frames:
            frames[frame] = name
        else:
            waiting.append(name)
    free = (number for number in range(len(frames) + len(waiting)) if number not in frames)
    numbers = dict(zip(list(free), waiting))
    ordered = dict(sorted({**frames, **numbers}.items()))
    return dict(enumerate(ordered.values())) if dense else ordered
