"""Tracks: one instance id for each thing through a video, across gaps; repair by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.core.masks import Masks
from inlay.core.placing import shift
from inlay.measure.appearance import likeness, look
from inlay.measure.repair import numbers_of, renumbered, with_numbers

if TYPE_CHECKING:
    from inlay.core.dataset import Sample
    from inlay.core.segmentation import Segmentation

Floats = NDArray[np.float64]
STEADY_SPEED = 0.6  # how much of the last speed stays in a track's speed
STEADY_LOOK = 0.8  # likewise of its look
FAR = 1.5  # sizes of the thing from the expected place beyond which nothing is matched
SHAPE, COLOUR = 0.4, 0.2  # weights of mask IoU against place, and of colour against both


@dataclass(frozen=True)
class Tracking:
    """How things are followed.

    Parameters
    ----------
    sure
        Predictions of at least this score begin tracks; labels are sure.
    unsure
        Predictions between this and `sure` only continue tracks; weaker ones are dropped.
    memory
        Frames that a thing may be out of sight and still be known.
    likeness
        Least agreement of place, shape and colour, 0 .. 1, at which two things are one.
    colour
        Whether the images' colours count; they must be at hand.
    """

    sure: float = 0.5
    unsure: float = 0.1
    memory: int = 30
    likeness: float = 0.3
    colour: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.unsure <= self.sure <= 1:
            raise InlayError(f"scores are 0 <= unsure <= sure <= 1, not {self.unsure} and {self.sure}")
        if self.memory < 0 or not 0 <= self.likeness <= 1:
            raise InlayError(f"memory {self.memory} must be 0 or more, likeness {self.likeness} in 0 .. 1")


@dataclass
class _Track:
    """What is known of one thing so far."""

    number: int
    class_id: int
    mask: Masks
    centre: Floats
    frame: int
    look: Floats | None
    speed: Floats = field(default_factory=lambda: np.zeros(2))
    frames_seen: int = 1

    def moved(self, frame: int) -> Floats:
        """How far it should have come by then, (x, y)."""
        return self.speed * (frame - self.frame)

    def follow(self, mask: Masks, centre: Floats, frame: int, look: Floats | None) -> None:
        step = (centre - self.centre) / (frame - self.frame)
        steady = STEADY_SPEED if self.frames_seen > 1 else 0.0
        self.speed = steady * self.speed + (1 - steady) * step
        if look is not None:
            self.look = look if self.look is None else STEADY_LOOK * self.look + (1 - STEADY_LOOK) * look
        self.mask, self.centre, self.frame = mask, centre, frame
        self.frames_seen += 1


def track(
    dataset: Dataset,
    config: Tracking | None = None,
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> Dataset:
    """The same videos, each thing with one `instance_id` through all frames of its group.

    Frame by frame, tracks are carried on by their speed and matched with the things of the frame by mask IoU,
    distance and colour (Hungarian assignment); sure predictions first, then unsure ones with the tracks that
    are left (Y. Zhang et al., "ByteTrack", ECCV 2022). Things of different classes are never matched. Unsure
    predictions that continue no track are dropped; stuff stays as it is.

    Parameters
    ----------
    dataset
        Predictions or labels whose samples have a `group` and a `frame`.
    config
        See `Tracking`.
    progress
        Called with frames done, frames in all and the name.

    Raises
    ------
    InlayError
        When a sample is no frame of a video, or two are the same frame.
    """
    config = config or Tracking()
    videos = frames_of(dataset)
    done: dict[str, Sample] = {}
    for samples in videos.values():
        tracks: list[_Track] = []
        born = 0
        for sample in samples:
            followed, tracks, born = _step(sample, tracks, born, config)
            done[sample.name] = sample.replace(segmentation=followed)
            if progress:
                progress(len(done), len(dataset), sample.name)
    return Dataset.of([done[name] for name in dataset.names], dataset.classes)


def frames_of(dataset: Dataset) -> dict[str, list[Sample]]:
    """Samples of each group in time.

    Raises
    ------
    InlayError
        When a sample is no frame of a video, or two are the same frame.
    """
    videos: dict[str, list[Sample]] = defaultdict(list)
    for sample in dataset:
        if sample.frame is None:
            raise InlayError(
                f"sample {sample.name!r} is no frame of a video; tracks need `group` and `frame`"
            )
        videos[sample.group].append(sample)
    for samples in videos.values():
        samples.sort(key=lambda sample: sample.frame or 0)
        for one, other in pairwise(samples):
            if one.frame == other.frame:
                raise InlayError(f"samples {one.name!r} and {other.name!r} are both frame {one.frame}")
    return videos


def _step(
    sample: Sample, tracks: list[_Track], born: int, config: Tracking
) -> tuple[Segmentation, list[_Track], int]:
    """One frame: its segmentation with track numbers, the tracks still known, and how many were ever born."""
    label, frame = sample.label(), sample.frame or 0
    tracks = [each for each in tracks if frame - each.frame <= config.memory]
    score = np.ones(len(label)) if label.score is None else label.score
    thing = label.is_thing & ~label.crowd & (label.masks.area() > 0)
    rows = np.flatnonzero(thing & (score >= config.unsure))
    centres = centres_of(label.masks[rows])
    looks = look(sample.pixels(), label.masks[rows]) if config.colour and sample.image is not None else None
    number = np.zeros(len(label), np.int32)
    free = list(range(len(tracks)))
    for some in (np.flatnonzero(score[rows] >= config.sure), np.flatnonzero(score[rows] < config.sure)):
        if not some.size:
            continue
        known = [tracks[each] for each in free]
        agreement = _agreement(known, label, rows[some], centres[some], _some(looks, some), frame)
        for mine, theirs in _assigned(agreement, config.likeness):
            at = int(some[theirs])
            row = int(rows[at])
            known[mine].follow(label.masks[row], centres[at], frame, None if looks is None else looks[at])
            number[row] = known[mine].number
        free = [each for each in free if tracks[each].frame != frame]
    for at, row in enumerate(rows.tolist()):
        if number[row] == 0 and score[row] >= config.sure:
            born += 1
            number[row] = born
            seen = None if looks is None else looks[at]
            tracks.append(_Track(born, int(label.class_id[row]), label.masks[row], centres[at], frame, seen))
    keep = ~thing | (number > 0)
    return label.replace(instance_id=np.where(thing, number, label.instance_id))[keep], tracks, born


def _agreement(
    tracks: Sequence[_Track],
    label: Segmentation,
    rows: NDArray[np.int64],
    centres: Floats,
    looks: Floats | None,
    frame: int,
) -> Floats:
    """(T, D) how well each track fits each thing of the frame, 0 .. 1; 0 where they cannot be one."""
    if not tracks:
        return np.zeros((0, len(rows)))
    moved = np.stack([each.moved(frame) for each in tracks])
    carried = Masks.concat(
        [shift(each.mask, *np.rint(way).astype(int).tolist()) for each, way in zip(tracks, moved)]
    )
    shape = carried.iou(label.masks[rows])
    expected = np.stack([each.centre for each in tracks]) + moved
    size = np.sqrt(np.stack([each.mask.area()[0] for each in tracks]))[:, None]
    away = np.linalg.norm(expected[:, None] - centres[None], axis=2) / np.maximum(size, 1)
    waited = np.array([frame - each.frame for each in tracks])[:, None]
    reach = FAR * np.sqrt(waited)  # the longer out of sight, the less is known of the place
    place = np.clip(1 - away / reach, 0, 1)
    agreement = SHAPE * shape + (1 - SHAPE) * place
    if looks is not None and all(each.look is not None for each in tracks):
        colour = likeness(np.stack([each.look for each in tracks]), looks)  # type: ignore[misc]
        agreement = (1 - COLOUR) * agreement + COLOUR * colour * (away <= reach)
    same = np.array([each.class_id for each in tracks])[:, None] == label.class_id[rows][None]
    return np.where(same & ((away <= reach) | (shape > 0)), agreement, 0.0)


def _assigned(agreement: Floats, least: float) -> list[tuple[int, int]]:
    """Pairs of the best one-to-one assignment whose agreement is at least `least`."""
    from scipy.optimize import linear_sum_assignment

    good = np.where(agreement >= least, agreement, 0.0)
    pairs: list[tuple[Any, Any]] = list(zip(*linear_sum_assignment(good, maximize=True)))
    return [(int(one), int(other)) for one, other in pairs if good[one, other] > 0]


def _some(looks: Floats | None, rows: NDArray[np.int64]) -> Floats | None:
    return None if looks is None else looks[rows]


def centres_of(masks: Masks) -> Floats:
    """(N, 2) centres of the boxes."""
    box = masks.box().astype(np.float64)
    return np.stack([(box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2], axis=1)


def renumber(dataset: Dataset, group: str, change: Mapping[int, int], *, since: int | None = None) -> Dataset:
    """The dataset with other track numbers in one video: joins, cuts and swaps tracks by hand.

    `{7: 3}` joins track 7 to 3; `{3: 12}` with `since=40` cuts track 3 in two at frame 40; `{3: 7, 7: 3}`
    with `since=40` undoes a swap that happened there.

    Raises
    ------
    InlayError
        When a frame would have one number twice, or the video knows none of the numbers.
    """
    change = {int(old): int(new) for old, new in change.items()}
    video = numbers_of(dataset).get(group, [])
    if not renumbered(video, change, since, "renumber"):
        raise InlayError(f"video {group!r} has none of the tracks {sorted(change)}")
    return with_numbers(dataset, {name: ids for name, _, ids in video})
