"""Tracks as rows: who is seen where and how long, and which of them look like one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Dataset
from inlay.measure.appearance import likeness, look
from inlay.measure.repair import Repair
from inlay.measure.tracks import centres_of, frames_of

Floats = NDArray[np.float64]
VIEWS = 5  # frames at each end of a track that its look and its speed come from
REACH = 1.0  # sizes of a thing that it may be off, for each root of a frame out of sight


@dataclass(eq=False)
class SeenTrack:
    """Where one thing of one video is seen."""

    video: str
    track: int
    class_name: str
    frames: list[int] = field(default_factory=list)
    centres: list[Floats] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    looks: list[Floats] = field(default_factory=list)

    @property
    def gaps(self) -> int:
        """Frames between its first and its last in which it is not seen."""
        return self.frames[-1] - self.frames[0] + 1 - len(self.frames)

    def __str__(self) -> str:
        return (
            f"{self.video}: {self.track} {self.class_name}, frames {self.frames[0]} to {self.frames[-1]}"
            + (f", {self.gaps} of them not seen" if self.gaps else "")
        )


def tracks_of(dataset: Dataset, *, colour: bool = True) -> list[SeenTrack]:
    """Every track of every video, in the order of videos and numbers.

    Raises
    ------
    InlayError
        When a sample is no frame of a video.
    """
    found: dict[tuple[str, int], SeenTrack] = {}
    for video, samples in frames_of(dataset).items():
        for sample in samples:
            things = sample.label().things()
            things = things[things.instance_id > 0]
            looked = look(sample.pixels(), things.masks) if colour and sample.image is not None else None
            places, areas = centres_of(things.masks), things.masks.area()
            for row in range(len(things)):
                key = video, int(things.instance_id[row])
                seen = found.setdefault(key, SeenTrack(*key, things.class_names[row]))
                seen.frames.append(sample.frame or 0)
                seen.centres.append(places[row])
                seen.sizes.append(float(np.sqrt(areas[row])))
                if looked is not None:
                    seen.looks.append(looked[row])
    return [found[key] for key in sorted(found)]


def proposals(tracks: Sequence[SeenTrack], *, longest: int = 60) -> list[tuple[float, Repair]]:
    """Joins that would mend broken tracks, the likeliest first, with how likely they are (0 .. 1).

    A track that ends and one of the same class that begins later are offered where the first one, carried on
    by its speed, comes near the second, and both look alike.

    Parameters
    ----------
    longest
        Frames out of sight beyond which nothing is offered.
    """
    found = []
    for one in tracks:
        for other in tracks:
            wait = other.frames[0] - one.frames[-1]
            if (one.video, one.class_name) == (other.video, other.class_name) and 0 < wait <= longest:
                fit = _fit(one, other, wait)
                if fit > 0:
                    found.append((fit, Repair("join", one.video, one.track, other.track)))
    return sorted(found, key=lambda each: -each[0])


def _fit(one: SeenTrack, other: SeenTrack, wait: int) -> float:
    ends = one.centres[-VIEWS:]
    spent = max(one.frames[-1] - one.frames[-len(ends)], 1)
    speed = (ends[-1] - ends[0]) / spent
    size = max(one.sizes[-1], other.sizes[0], 1.0)
    off = float(np.linalg.norm(ends[-1] + wait * speed - other.centres[0])) / size
    place = 1 - off / (REACH * (1 + np.sqrt(wait)))
    if place <= 0:
        return 0.0
    if not (one.looks and other.looks):
        return float(place)
    alike = likeness(np.mean(one.looks[-VIEWS:], axis=0)[None], np.mean(other.looks[:VIEWS], axis=0)[None])
    return float(np.sqrt(place * alike[0, 0] ** 4))  # looks of different things are seldom below 0.7
