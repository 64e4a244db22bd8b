"""The things of a sequence, frame by frame: who is where, and how true and predicted ones overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inlay.core.segmentation import Segmentation

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

ENOUGH = 0.5  # IoU of a match; also the share of a prediction that may lie on what is not judged
EPS = float(np.finfo("float").eps)


@dataclass(frozen=True, eq=False)
class Tracks:
    """Things of some frames; a prediction and a truth of one class that overlap make a pair."""

    frames: int
    truth: Ints  # (3, T) frame, class, instance id
    prediction: Ints  # (3, P)
    pair: Ints  # (2, M) truth and prediction
    iou: Floats  # (M,)


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of one class."""

    truth: NDArray[np.intp]  # (T,) number of the true track, 0 .. tracks - 1
    prediction: NDArray[np.intp]  # (P,) number of the predicted track
    iou: Floats  # (T, P)


@dataclass(frozen=True, eq=False)
class ClassTracks:
    """The frames of one class that show it, in order."""

    frames: tuple[Frame, ...]
    true_length: Floats  # (I,) frames of each true track
    length: Floats  # (J,) frames of each predicted track


def tracks_of(truth: Segmentation, prediction: Segmentation) -> Tracks:
    """The things of one frame.

    As in KITTI MOTS and MOTSChallenge, a prediction without a partner that lies for more than half on
    crowds of its class or on void leaves.
    """
    label, mine = truth[truth.is_thing & ~truth.crowd], prediction.things()
    iou = np.where(label.class_id[:, None] == mine.class_id, label.masks.iou(mine.masks), 0.0)
    stay = ~_excused(truth, mine, iou)
    mine, iou = mine[stay], iou[:, stay]
    pair = np.nonzero(iou)

    def columns(rows: Segmentation) -> Ints:
        return np.stack([np.zeros(len(rows), np.int32), rows.class_id, rows.instance_id])

    return Tracks(1, columns(label), columns(mine), np.stack(pair).astype(np.int32), iou[pair])


def _excused(truth: Segmentation, mine: Segmentation, iou: Floats) -> NDArray[np.bool_]:
    """(P,) predictions that match nothing and lie on crowds or void."""
    void = truth.classes.is_void[truth.class_id]
    excused = np.zeros(len(mine), np.bool_)
    if not (void | truth.crowd).any() or not len(mine):
        return excused
    area = mine.masks.area()
    for class_id in np.unique(mine.class_id):
        own = np.flatnonzero(mine.class_id == class_id)
        region = truth.masks[void | (truth.crowd & (truth.class_id == class_id))].union()
        covered = mine.masks[own].intersection(region)[:, 0]
        excused[own] = covered > (ENOUGH + EPS) * area[own]
    excused[assigned(np.where(iou < ENOUGH - EPS, 0.0, iou))[1]] = False
    return excused


def assigned(worth: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the pairs whose worth makes the largest sum; pairs worth nothing are left out."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-worth)
    kept = worth[rows, columns] > EPS
    return rows[kept], columns[kept]


def join_tracks(parts: Sequence[Tracks]) -> Tracks:
    """Frames one after another."""
    sizes = [[part.frames, part.truth.shape[1], part.prediction.shape[1]] for part in parts]
    start = np.cumsum([[0, 0, 0], *sizes], axis=0).astype(np.int32)

    def shifted(columns: Ints, frame: np.int32) -> Ints:
        return np.stack([columns[0] + frame, columns[1], columns[2]])

    return Tracks(
        int(start[-1, 0]),
        np.concatenate([shifted(part.truth, at[0]) for part, at in zip(parts, start)], axis=1),
        np.concatenate([shifted(part.prediction, at[0]) for part, at in zip(parts, start)], axis=1),
        np.concatenate([part.pair + at[1:, None] for part, at in zip(parts, start)], axis=1),
        np.concatenate([part.iou for part in parts]),
    )


def of_class(tracks: Tracks, class_id: int) -> ClassTracks:
    """The frames of one class; tracks are numbered by their instance ids."""
    true, mine = tracks.truth[:, tracks.truth[1] == class_id], tracks.prediction
    place = np.cumsum(tracks.truth[1] == class_id) - 1
    own = tracks.prediction[1] == class_id
    place_of_mine = np.cumsum(own) - 1
    mine = mine[:, own]
    chosen = tracks.truth[1, tracks.pair[0]] == class_id
    row, column = place[tracks.pair[0, chosen]], place_of_mine[tracks.pair[1, chosen]]
    iou = tracks.iou[chosen]
    true_id, true_length = np.unique(true[2], return_inverse=True, return_counts=True)[1:]
    mine_id, length = np.unique(mine[2], return_inverse=True, return_counts=True)[1:]

    frames = []
    at = np.arange(tracks.frames + 1)
    starts = np.searchsorted(true[0], at), np.searchsorted(mine[0], at), np.searchsorted(true[0, row], at)
    for t in range(tracks.frames):
        (a, b), (c, d), (e, f) = ((start[t], start[t + 1]) for start in starts)
        table = np.zeros((b - a, d - c))
        table[row[e:f] - a, column[e:f] - c] = iou[e:f]
        if b > a or d > c:
            frames.append(Frame(true_id[a:b], mine_id[c:d], table))
    return ClassTracks(tuple(frames), true_length.astype(np.float64), length.astype(np.float64))
