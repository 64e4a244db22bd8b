"""Columns of videos: how a track moves and lasts, and whether a sequence stands still."""

from __future__ import annotations

import numpy as np

from inlay.rules.tables import Booleans, Floats, Integers, ratio
from inlay.rules.tracks import SequenceTable, StepTable, TrackTable

SMALL = 60  # pixels, under which a thing may be lost in the distance
READS = ("area_px", "centroid_x", "centroid_y", "touches_border", "neighbours", "extent_mark")


def frames_between(table: StepTable) -> Integers:
    """Frames from one appearance of the track to its next; 1 or more."""
    return table.frames


def same_class(table: StepTable) -> Booleans:
    """Whether the segment has the class of its track's segment before."""
    class_id = table.gathered.class_id
    return np.equal(class_id[table.before], class_id[table.after])


def jump_px(table: StepTable) -> Floats:
    """How far the centre of mass moved, for each frame; pixels, 0 or more."""
    moved = [table.gathered[key] for key in ("centroid_x", "centroid_y")]
    dx, dy = (values[table.after] - values[table.before] for values in moved)
    moved_px: Floats = np.hypot(dx, dy) / table.frames
    return moved_px


def jump_sizes(table: StepTable) -> Floats:
    """How far the centre of mass moved, for each frame, over the root of the larger area; 0 or more."""
    area = table.gathered["area_px"]
    return ratio(jump_px(table), np.sqrt(np.maximum(area[table.before], area[table.after])))


def area_now_px(table: StepTable) -> Floats:
    """Pixels of the later segment; 0 or more."""
    return table.gathered["area_px"][table.after].astype(np.float64)


def area_change(table: StepTable) -> Floats:
    """Larger over smaller of the two areas; 1 or more, unknown when one is empty."""
    area = table.gathered["area_px"]
    before, after = area[table.before], area[table.after]
    return np.where(
        np.minimum(before, after) > 0, ratio(np.maximum(before, after), np.minimum(before, after)), np.nan
    )


def own_iou(table: StepTable) -> Floats:
    """Intersection over union of the two boxes of the step; 0 to 1."""
    box = table.gathered.box
    return _box_iou(box[table.before], box[table.after])


def other_iou(table: StepTable) -> Floats:
    """Largest intersection over union of the segment's box with another thing's in the frame before; 0 to 1.

    Of things of its class; near 1 beside an `own_iou` near 0, two ids have changed places.
    """
    gathered = table.gathered
    before, after = table.before, table.after
    things = np.flatnonzero(gathered.instance_id > 0)
    image = gathered.image[things]
    first = np.searchsorted(image, gathered.image[before], side="left")
    many = np.searchsorted(image, gathered.image[before], side="right") - first
    step = np.repeat(np.arange(len(before)), many)
    other = things[np.arange(len(step)) - np.repeat(np.cumsum(many) - many - first, many)]
    overlap = _box_iou(gathered.box[other], gathered.box[after[step]])
    same = gathered.class_id[other] == gathered.class_id[after[step]]
    overlap[~same | (gathered.instance_id[other] == gathered.instance_id[after[step]])] = 0
    found = np.zeros(len(before))
    np.maximum.at(found, step, overlap)
    return found


def frozen(table: StepTable) -> Booleans:
    """Whether the full extent (else the mask) is the same, pixel for pixel, as in the frame before."""
    mark = table.gathered["extent_mark"]
    same: Booleans = np.equal(mark[table.before], mark[table.after])
    return same


def changing_frac(table: TrackTable) -> Floats:
    """Share of the track's steps in which its mask changes; 0 to 1, unknown for a track of one frame."""
    steps = table.steps
    changed = np.bincount(steps.track, ~frozen(steps), len(table))
    return ratio(changed, np.bincount(steps.track, minlength=len(table)))


def pace_px(table: TrackTable) -> Floats:
    """Median of `jump_px` over the track's steps in which its mask changes; unknown where none does.

    Far below a pixel for what keeps its place in the picture, as the car ahead of the camera's own does.
    """
    steps = table.steps
    changed = np.flatnonzero(~frozen(steps))
    moved, track = jump_px(steps)[changed], steps.track[changed]
    order = np.lexsort((moved, track))
    rows, first, many = np.unique(track[order], return_index=True, return_counts=True)
    found = np.full(len(table), np.nan)
    found[rows] = (moved[order][first + (many - 1) // 2] + moved[order][first + many // 2]) / 2
    return found


def track_len(table: TrackTable) -> Integers:
    """Frames in which the track appears; 1 or more."""
    return np.diff(table.start) - id_twice(table)


def id_gap(table: TrackTable) -> Integers:
    """Labelled frames between the track's first and last in which it does not appear; 0 or more."""
    first, last = _ends(table)
    sequences = table.sequences
    life = np.zeros(len(table), np.int64)
    for number in np.unique(table.sequence):  # few sequences, many tracks
        images = sequences.images[sequences.start[number] : sequences.start[number + 1]]
        frame = table.gathered.frame[images[table.gathered.labelled[images]]]
        of = table.sequence == number
        life[of] = np.searchsorted(frame, last[of], side="right") - np.searchsorted(frame, first[of])
    return life - track_len(table)


def lost_from_sight(table: TrackTable) -> Booleans:
    """Whether the track may leave sight before a gap: at a side of the image, beside others, or too small.

    Of the appearance before its first gap; false without a gap.
    """
    steps = table.steps
    gap = np.flatnonzero(steps.frames > 1)
    track, first = np.unique(steps.track[gap], return_index=True)
    found = np.zeros(len(table), np.bool_)
    for end in (steps.before, steps.after):
        found[track] |= _at_the_edge_of_sight(table, end[gap[first]])
    return found


def _at_the_edge_of_sight(table: TrackTable, segments: Integers) -> Booleans:
    gathered = table.gathered
    hidden = (gathered["neighbours"][segments] > 1) | (gathered["area_px"][segments] < SMALL)
    return gathered["touches_border"][segments].astype(np.bool_) | hidden


def _order(table: TrackTable) -> Integers:
    """(I,) place of each image among the frames; those of one sequence follow one another."""
    order = np.full(len(table.gathered.name), -1)
    order[table.sequences.images] = np.arange(len(table.sequences.images))
    return order


def vanishings(table: TrackTable) -> Integers:
    """How often the track is gone for a labelled frame or more and comes back: it flickers; 0 or more."""
    steps, order = table.steps, _order(table)
    image = table.gathered.image
    gone = order[image[steps.after]] - order[image[steps.before]] > 1
    return np.bincount(steps.track, gone, len(table)).astype(np.int64)


def appears_mid_frame(table: TrackTable) -> Booleans:
    """Whether the track begins in full sight: away from the sides and from others, and not too small.

    False for a track that begins with its sequence.
    """
    starts = table.segments[table.start[:-1]]
    later = _order(table)[table.gathered.image[starts]] > table.sequences.start[table.sequence]
    return later & ~_at_the_edge_of_sight(table, starts)


def id_twice(table: TrackTable) -> Integers:
    """Appearances of the id beyond one in a frame: two places at once; 0 or more."""
    again = np.zeros(len(table.segments), np.int64)
    again[1:] = (np.diff(table.number) == 0) & (np.diff(table.frame) == 0)
    return np.bincount(table.number, again, len(table)).astype(np.int64)


def n_classes(table: TrackTable) -> Integers:
    """Classes that the track has over its life; 1 or more."""
    pairs = np.unique(np.column_stack([table.number, table.gathered.class_id[table.segments]]), axis=0)
    return np.bincount(pairs[:, 0], minlength=len(table))


def continued_iou(table: TrackTable) -> Floats:
    """Largest IoU of the box the track begins with, and of one that ended a frame before; 0 to 1.

    Of tracks of one class; near 1, one thing goes on under a new id. The boxes as they stand, or one of them
    moved on as it moved in its own step. Unknown in the sequence's first frame.
    """
    gathered, sequences = table.gathered, table.sequences
    order = _order(table)
    starts, ends = table.segments[table.start[:-1]], table.segments[table.start[1:] - 1]
    begins, ended = order[gathered.image[starts]], order[gathered.image[ends]]
    found = np.where(begins > sequences.start[table.sequence], 0.0, np.nan)
    by_end = np.argsort(ended, kind="stable")
    first = np.searchsorted(ended[by_end], begins - 1, side="left")
    many = np.searchsorted(ended[by_end], begins - 1, side="right") - first
    track = np.repeat(np.arange(len(table)), many)
    other = by_end[np.arange(len(track)) - np.repeat(np.cumsum(many) - many - first, many)]
    same = (table.sequence[track] == table.sequence[other]) & (
        gathered.class_id[starts[track]] == gathered.class_id[ends[other]]
    )
    track, other = track[same], other[same]
    end, start = gathered.box[ends[other]], gathered.box[starts[track]]
    onwards, backwards = _motion(table, order, last=True)[other], _motion(table, order, last=False)[track]
    for old, new in ((end, start), (end + onwards, start), (end, start - backwards)):
        np.fmax.at(found, track, _box_iou(old, new))
    return found


def _motion(table: TrackTable, order: Integers, *, last: bool) -> Integers:
    """(T, 4) how far the box moves in the first or last step of a track; 0 where it lacks a frame there."""
    many = np.diff(table.start)
    earlier = np.where(last, table.start[1:] - 2, table.start[:-1])[many > 1]
    before, after = table.segments[earlier], table.segments[earlier + 1]
    image, box = table.gathered.image, table.gathered.box
    change = box[after] - box[before]
    middle = (change[:, :2] + change[:, 2:]) // 2
    moved = np.zeros((len(table), 4), np.int64)
    moved[many > 1] = np.tile(middle, 2) * (order[image[after]] - order[image[before]] == 1)[:, None]
    return moved


def frozen_frames(table: SequenceTable) -> Integers:
    """Frames whose segments all are, pixel for pixel, those of the frame before; 0 or more.

    Frames without a segment are not counted.
    """
    gathered = table.gathered
    mixed = np.zeros(len(gathered.name), np.uint64)
    odd = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        np.add.at(mixed, gathered.image, gathered.digest * odd + gathered.instance_id.astype(np.uint64))
    mark = mixed[table.images]
    again = np.zeros(len(mark), np.int64)
    again[1:] = (mark[1:] == mark[:-1]) & (mark[1:] != 0) & (np.diff(table.number) == 0)
    return np.bincount(table.number, again, len(table)).astype(np.int64)


def moving_frac(table: SequenceTable) -> Floats:
    """Share of the steps of all tracks in which the mask changes; 0 to 1, unknown without tracks."""
    steps = table.tracks.steps
    sequence = table.tracks.sequence[steps.track]
    moved = np.bincount(sequence, ~frozen(steps), len(table))
    return ratio(moved, np.bincount(sequence, minlength=len(table)))


def missing_frames(table: SequenceTable) -> Integers:
    """Frames that are lacking between the first and the last, at the commonest distance of frames."""
    found = np.zeros(len(table), np.int64)
    for row in range(len(table)):
        gaps = np.diff(table.frame[table.start[row] : table.start[row + 1]])
        if len(gaps) > 1:
            usual = np.bincount(gaps).argmax() or 1
            found[row] = (np.maximum(gaps // usual, 1) - 1).sum()
    return found


def n_frames(table: SequenceTable) -> Integers:
    """Frames of the sequence; 1 or more."""
    return np.diff(table.start)


def _ends(table: TrackTable) -> tuple[Integers, Integers]:
    return table.frame[table.start[:-1]], table.frame[table.start[1:] - 1]


def _box_iou(one: Integers, other: Integers) -> Floats:
    low, high = np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    sizes = [(box[:, 2:] - box[:, :2]).prod(axis=1) for box in (one, other)]
    return ratio(shared, sizes[0] + sizes[1] - shared)
