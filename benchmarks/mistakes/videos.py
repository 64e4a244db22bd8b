"""Errors over time (tier S): ids that change, swap, stop and come back; masks that nobody moved along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from inlay.core.dataset import Sample
from mistakes.canvas import Spoilt

Random = np.random.Generator
LEAST = 150  # pixels


def _tracks(frames: Sequence[Sample], least: int = LEAST) -> dict[int, list[int]]:
    """Frames in which each thing of some size appears."""
    found: dict[int, list[int]] = {}
    for place, frame in enumerate(frames):
        label = frame.label()
        area = label.masks.area()
        for row in np.flatnonzero(label.is_thing & ~label.crowd):
            if area[row] >= least:
                found.setdefault(int(label.instance_id[row]), []).append(place)
    return found


def _row(frame: Sample, number: int) -> int:
    return int(np.flatnonzero(frame.label().instance_id == number)[0])


def _with(frame: Sample, number: int, **columns: object) -> tuple[Sample, np.ndarray]:
    label = frame.label()
    where = label.masks[_row(frame, number)].decode()[0]
    return replace(frame, segmentation=label.replace(**columns)), where


def swap(frames: Sequence[Sample], random: Random) -> tuple[int, list[Spoilt]] | None:
    """Two ids change places from one frame on."""
    tracks = {number: at for number, at in _tracks(frames).items() if len(at) >= 3}
    pairs = [
        (a, b, max(tracks[a][0], tracks[b][0]) + 1)
        for a in tracks
        for b in tracks
        if a < b
        and set(tracks[a]) & set(tracks[b])
        and max(tracks[a][0], tracks[b][0]) + 1 in set(tracks[a]) & set(tracks[b])
        and max(tracks[a][0], tracks[b][0]) in set(tracks[a]) & set(tracks[b])
    ]
    if not pairs:
        return None
    a, b, start = pairs[random.integers(len(pairs))]
    found = []
    for frame in frames[start:]:
        ids = frame.label().instance_id.copy()
        old = ids.copy()
        ids[old == a], ids[old == b] = b, a
        masks = frame.label().masks
        rows = np.flatnonzero((old == a) | (old == b))
        where = masks[rows].union().decode()[0] if len(rows) else np.zeros(masks.size, np.bool_)
        found.append(
            Spoilt(
                replace(frame, segmentation=frame.label().replace(instance_id=ids)),
                where,
                tuple(rows.tolist()),
            )
        )
    return start, found


def reuse(frames: Sequence[Sample], random: Random) -> tuple[int, list[Spoilt]] | None:
    """A thing takes the id of one that has left, from one frame on."""
    tracks = _tracks(frames)
    pairs = [
        (new, gone)
        for new, at in tracks.items()
        for gone, other in tracks.items()
        if new != gone and other[-1] < at[0] and at[0] > 0
    ]
    if not pairs:
        return None
    new, gone = pairs[random.integers(len(pairs))]
    return _renumbered(frames, tracks[new][0], new, gone)


def _renumbered(frames: Sequence[Sample], start: int, old: int, new: int) -> tuple[int, list[Spoilt]]:
    found = []
    for frame in frames[start:]:
        ids = frame.label().instance_id.copy()
        rows = np.flatnonzero(ids == old)
        ids[rows] = new
        masks = frame.label().masks
        where = masks[rows].union().decode()[0] if len(rows) else np.zeros(masks.size, np.bool_)
        found.append(
            Spoilt(
                replace(frame, segmentation=frame.label().replace(instance_id=ids)),
                where,
                tuple(rows.tolist()),
            )
        )
    return start, found


def new_id(frames: Sequence[Sample], random: Random) -> tuple[int, list[Spoilt]] | None:
    """A track goes on under a new id."""
    tracks = {number: at for number, at in _tracks(frames).items() if len(at) >= 3}
    if not tracks:
        return None
    number = int(random.choice(list(tracks)))
    start = int(random.choice(tracks[number][1:-1]))
    fresh = max(int(frame.label().instance_id.max(initial=0)) for frame in frames) + 1
    return _renumbered(frames, start, number, fresh)


def gap(frames: Sequence[Sample], random: Random) -> tuple[int, list[Spoilt]] | None:
    """A thing is not labelled in one frame of its life."""
    tracks = {n: at for n, at in _tracks(frames).items() if len(at) >= 3 and at[-1] - at[0] == len(at) - 1}
    if not tracks:
        return None
    number = int(random.choice(list(tracks)))
    start = int(random.choice(tracks[number][1:-1]))
    label, row = frames[start].label(), _row(frames[start], number)
    where = label.masks[row].decode()[0]
    less = label[np.arange(len(label)) != row]
    return start, [Spoilt(replace(frames[start], segmentation=less), where, (), gone=row)]


def class_change(frames: Sequence[Sample], random: Random) -> tuple[int, list[Spoilt]] | None:
    """A track has another class in one frame."""
    tracks = {number: at for number, at in _tracks(frames).items() if len(at) >= 2}
    if not tracks:
        return None
    number = int(random.choice(list(tracks)))
    start = int(random.choice(tracks[number][1:]))
    label, row = frames[start].label(), _row(frames[start], number)
    class_id = label.class_id.copy()
    others = np.flatnonzero(label.classes.is_thing)
    class_id[row] = random.choice(others[others != class_id[row]])
    frame, where = _with(frames[start], number, class_id=class_id)
    return start, [Spoilt(frame, where, (row,))]


def frozen(frames: Sequence[Sample], random: Random) -> tuple[int, list[Spoilt]] | None:
    """A mask that nobody moved along for 1 .. 3 frames, of a thing that does move."""
    places = [
        (number, at, first)
        for number, at in _tracks(frames).items()
        for first in range(1, len(at))
        if _moves(frames[at[first - 1]], frames[at[first]], number)
    ]
    if not places:
        return None
    number, at, first = places[random.integers(len(places))]
    many = int(random.integers(1, 4))
    before = frames[at[first - 1]]
    there = range(at[first], min(at[first] + many, at[-1] + 1))
    found = [
        _stopped(frames[place], before, number)
        for place in there
        if (frames[place].label().instance_id == number).any()
    ]
    return at[first], found


def _moves(before: Sample, after: Sample, number: int) -> bool:
    """Whether a thing's mask differs by a twentieth or more from that of the frame before."""
    old, new = (each.label().masks[_row(each, number)] for each in (before, after))
    return float(old.iou(new)[0, 0]) < 0.95


def _stopped(frame: Sample, before: Sample, number: int) -> Spoilt:
    """A frame in which a thing, its full extent as well, is where it was; what is in front of it still is."""
    label, whole = frame.label(), before.label()
    row, old = _row(frame, number), _row(before, number)
    kept, places = whole.masks[old], np.arange(len(label))
    masks = type(kept).concat(kept if each == row else label.masks[int(each)] for each in places)
    amodal = label.amodal
    if amodal is not None and whole.amodal is not None:
        kept_whole = whole.amodal[old]
        amodal = type(kept).concat(kept_whole if each == row else amodal[int(each)] for each in places)
        stack = label.replace(masks=amodal, amodal=None).masks.paint(places, fill=-1)
        masks = type(kept).from_ids(stack, len(places))
    changed = np.flatnonzero(np.diagonal(masks.iou(label.masks)) < 1)  # it hides others, and bares others
    rows = (row, *(int(each) for each in changed if each != row))
    return Spoilt(
        replace(frame, segmentation=label.replace(masks=masks, amodal=amodal)), kept.decode()[0], rows
    )


def frozen_frame(frames: Sequence[Sample], random: Random) -> tuple[int, list[Spoilt]] | None:
    """A frame has the label of the one before."""
    start = int(random.integers(1, len(frames)))
    label = frames[start - 1].label()
    where = np.ones(label.size, np.bool_)
    return start, [Spoilt(replace(frames[start], segmentation=label), where, tuple(range(len(label))))]


def id_twice(frames: Sequence[Sample], random: Random) -> tuple[int, list[Spoilt]] | None:
    """One id at two places in one frame, as when two cameras' labels are joined."""
    tracks = _tracks(frames)
    together = [
        (a, b, at) for a in tracks for b in tracks if a != b for at in set(tracks[a]) & set(tracks[b])
    ]
    if not together:
        return None
    a, b, start = together[random.integers(len(together))]
    label = frames[start].label()
    ids = label.instance_id.copy()
    row = _row(frames[start], b)
    ids[row] = a
    return start, [
        Spoilt(
            replace(frames[start], segmentation=label.replace(instance_id=ids)),
            label.masks[row].decode()[0],
            (row,),
        )
    ]
