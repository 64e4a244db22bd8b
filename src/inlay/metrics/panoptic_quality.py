"""Panoptic quality: PQ = SQ x RQ, for all classes, things, stuff and each class (Kirillov et al., CVPR 2019).

The panoptic view is judged: on each pixel the front segment. A segment matches when it has the same class and
more than half IoU. The parts of one stuff class are one segment.

Truth pixels of a void class are void, and those of no segment too where the dataset knows stuff (without
stuff, what nobody drew is background, and predictions there are as false as elsewhere). Void leaves the
union, and a prediction that lies mostly on void or on crowds of its class is not counted as false. A class
that neither side shows has no value (nan) and leaves the means.

panopticapi remembers one crowd for each class, the last; here all crowds of a class together excuse a
prediction. `like="panopticapi"` follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.batch import Painted
from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts import mistakes
from inlay.metrics.parts.means import by_sample, summed_in_parts
from inlay.metrics.parts.mistakes import Mistakes
from inlay.metrics.parts.result import Details

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Counts:
    """Matches of one sample and their IoU, and the segments that found no match, by class."""

    matched: NDArray[np.int32]  # (M,) class of each match, in order of the truth's segment ids
    iou: Floats  # (M,)
    missed: NDArray[np.int32]  # (N,) class of each truth without a match
    false: NDArray[np.int32]  # (P,) class of each prediction without a match
    mistakes: Mistakes | None = None  # None in merged counts


@dataclass(frozen=True, eq=False)
class _View:
    """Segments as the metric sees them: stuff merged, void and hidden ones gone. Segment 0 is void."""

    class_id: NDArray[np.int32]  # (S,); -1 for segment 0
    area: Floats  # (S,)
    crowd: NDArray[np.bool_]  # (S,)
    excuses: NDArray[np.bool_]  # (S,) crowds on which predictions of their class are no errors
    owner: Ints  # (S,) sample of each, where there are several; rising

    def starts(self, samples: int) -> Ints:
        """(N + 1,) first segment of each sample, void left out."""
        return np.searchsorted(self.owner[1:], np.arange(samples + 1))


def count(truth: Segmentation, prediction: Segmentation) -> Counts:
    """Matched, missed and false segments of one sample."""
    return _count(truth, prediction, excuses=truth.crowd)


def count_as_panopticapi(truth: Segmentation, prediction: Segmentation) -> Counts:
    """As `count`, but of the crowds of a class only the last one excuses predictions."""
    return _count(truth, prediction, excuses=_last_crowds(truth.class_id, truth.crowd))


def count_painted(truth: Painted, prediction: Painted, classes: Classes) -> list[Counts] | None:
    """As `count`, straight from files of colours; `None` where one has to be read to be judged."""
    return _count_painted(truth, prediction, classes, excuses=truth.crowd)


def count_painted_as_panopticapi(
    truth: Painted, prediction: Painted, classes: Classes
) -> list[Counts] | None:
    """As `count_as_panopticapi`, straight from files of colours."""
    key = truth.owner * len(classes) + truth.class_id
    return _count_painted(truth, prediction, classes, excuses=_last_crowds(key, truth.crowd))


LIKE = {"panopticapi": count_as_panopticapi}
PAINTED = {count: count_painted, count_as_panopticapi: count_painted_as_panopticapi}


def _last_crowds(class_id: NDArray[Any], crowd: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N,) the last crowd of each class."""
    last = np.zeros(len(crowd), np.bool_)
    _, back = np.unique(class_id[crowd][::-1], return_index=True)
    last[np.flatnonzero(crowd)[::-1][back]] = True
    return last


def _count(truth: Segmentation, prediction: Segmentation, *, excuses: NDArray[np.bool_]) -> Counts:
    """`excuses` (N,): the crowds of the truth on which predictions of their class are no errors."""
    true_ids, true = _view(truth, excuses, is_truth=True)
    my_ids, mine = _view(prediction, prediction.crowd, is_truth=False)
    return _judged(true, mine, kernels.pairs(true_ids, my_ids, len(true.area), len(mine.area))).counts


def _count_painted(
    truth: Painted, prediction: Painted, classes: Classes, *, excuses: NDArray[np.bool_]
) -> list[Counts] | None:
    found = kernels.png_pairs(truth.png, prediction.png, truth.sizes, 1)
    if found is None:
        return None
    sample, shared = np.repeat(np.arange(len(truth.png)), np.diff(found[0])), found[3]
    t, p = _rows(truth, sample, found[1]), _rows(prediction, sample, found[2])
    if (t < -1).any() or (p < -1).any():
        return None
    t, true = _view_of_rows(truth, classes, excuses, (t, shared), is_truth=True)
    p, mine = _view_of_rows(prediction, classes, prediction.crowd, (p, shared), is_truth=False)
    code, back = np.unique((t * len(mine.area) + p)[t >= 0], return_inverse=True)
    pixels = np.bincount(back, shared[t >= 0], len(code)).astype(np.int64)
    t, p = np.divmod(code, len(mine.area))
    return _judged(true, mine, (t.astype(np.int32), p.astype(np.int32), pixels)).by_sample(len(truth.png))


def _rows(painted: Painted, sample: Ints, seen: Ints) -> Ints:
    """(P,) row of each colour seen in a sample; -1 for 0, which is nobody's, -2 for one of no segment."""
    every, wanted = painted.owner << 24 | painted.colour, sample << 24 | seen
    order = np.append(np.argsort(every), -1)
    at = order[np.searchsorted(every, wanted, sorter=order[:-1])]
    known = np.append(every, -1)[at] == wanted
    return np.where(seen == 0, -1, np.where(known, at, -2))


@dataclass(frozen=True, eq=False)
class _Judged:
    """The counts of samples together, and the segments that they speak of."""

    counts: Counts
    true: _View
    mine: _View
    matched: NDArray[np.int32]  # (M,) truth of each match
    missed: NDArray[np.bool_]  # of all truths
    false: NDArray[np.bool_]  # of all predictions

    def by_sample(self, samples: int) -> list[Counts]:
        """The counts of each sample."""
        whole, explained = self.counts, self.counts.mistakes
        assert explained is not None
        t, p = self.true.starts(samples), self.mine.starts(samples)
        matched, pairs = np.searchsorted(self.matched, t + 1), np.searchsorted(explained.pair[1], t)
        missed = np.concatenate([[0], np.cumsum(self.missed[1:])])[t]
        false = np.concatenate([[0], np.cumsum(self.false[1:])])[p]
        bounds = zip(
            *(zip(each.tolist(), each[1:].tolist()) for each in (t, p, matched, pairs, missed, false))
        )
        return [
            Counts(
                whole.matched[slice(*m)],
                whole.iou[slice(*m)],
                whole.missed[slice(*n)],
                whole.false[slice(*f)],
                explained.part(slice(*p_), slice(*t_), slice(*q)),
            )
            for t_, p_, m, q, n, f in bounds
        ]


def _judged(true: _View, mine: _View, pairs: tuple[NDArray[np.int32], NDArray[np.int32], Ints]) -> _Judged:
    """The counts of segments that share pixels as `pairs` says: of two segments, how many."""
    t, p, shared = pairs
    on_void = _shared_by(p[t == 0], shared[t == 0], len(mine.area))

    alike = (t > 0) & (p > 0) & (true.class_id[t] == mine.class_id[p]) & ~true.crowd[t]
    t_, p_, common = t[alike], p[alike], shared[alike].astype(np.float64)
    iou = common / (true.area[t_] + mine.area[p_] - common - on_void[p_])
    match = iou > 0.5
    t_, p_, iou = t_[match], p_[match], iou[match]

    on_crowd = true.excuses[t] & (true.class_id[t] == mine.class_id[p])
    excused = on_void + _shared_by(p[on_crowd], shared[on_crowd], len(mine.area))
    missed = ~true.crowd & (true.class_id >= 0)
    missed[t_] = False
    false = (mine.class_id >= 0) & ~(excused > 0.5 * mine.area)
    false[p_] = False
    explained = _mistakes(true, mine, pairs, on_void, matches=(t_, p_), false=false)
    counts = Counts(true.class_id[t_], iou, true.class_id[missed], mine.class_id[false], explained)
    return _Judged(counts, true, mine, t_, missed, false)


def _mistakes(
    true: _View,
    mine: _View,
    pairs: tuple[NDArray[np.int32], NDArray[np.int32], Ints],
    on_void: Floats,
    *,
    matches: tuple[NDArray[np.int32], NDArray[np.int32]],
    false: NDArray[np.bool_],
) -> Mistakes:
    """The kind of each predicted segment; segment 0 of both sides is void and no segment."""
    t, p, shared = pairs
    area = mine.area - on_void
    judged = (t > 0) & (p > 0) & ~true.crowd[t]
    t, p, common = t[judged], p[judged], shared[judged].astype(np.float64)
    iou = common / (true.area[t] + area[p] - common)
    kind = np.full(len(mine.area), mistakes.BACKGROUND, np.uint8)
    kind[p[iou >= mistakes.TOUCHING]] = mistakes.INEXACT
    partner = np.full(len(mine.area), -1, np.int32)
    free = np.ones(len(true.area), np.bool_)
    free[matches[0]] = False
    kind[matches[1]], partner[matches[1]] = mistakes.RIGHT, matches[0]
    other = (iou > mistakes.ENOUGH) & (true.class_id[t] != mine.class_id[p]) & free[t] & false[p]
    kind[p[other]], partner[p[other]] = mistakes.CONFUSED, t[other]
    kind[~false & (kind != mistakes.RIGHT)] = mistakes.ON_CROWD
    return Mistakes(
        score=np.ones(len(area) - 1),
        class_id=mine.class_id[1:],
        area=area[1:],
        kind=kind[1:],
        partner=np.where(partner[1:] < 0, -1, partner[1:] - 1).astype(np.int32),
        truth_class=true.class_id[1:],
        truth_area=true.area[1:],
        crowd=true.crowd[1:],
        pair=np.stack([p - 1, t - 1]).astype(np.int32),
        iou=iou,
    )


def merged(counts: Sequence[Counts]) -> Counts:
    """One count that gives the same figures as these together."""
    return Counts(
        np.concatenate([each.matched for each in counts]),
        np.concatenate([each.iou for each in counts]),
        np.concatenate([each.missed for each in counts]),
        np.concatenate([each.false for each in counts]),
    )


def score(counts: Iterable[Counts], classes: Classes) -> dict[str, float]:
    """`PQ`, `SQ`, `RQ`; with `_things` and `_stuff` where there are both; for each class `PQ/c` ..."""
    figures = _named(_totals(list(counts), classes)[0], classes)
    return {name: float(value) for name, value in figures.items()}


def resampled(counts: Sequence[Counts], classes: Classes, weights: NDArray[np.int32]) -> Mapping[str, Floats]:
    """(B,) figures when sample `i` counts `weights[b, i]` times."""
    totals = summed_in_parts(weights, counts, lambda part: _totals(part, classes, apart=True))
    return _named(totals, classes)


def details(counts: Sequence[Counts], classes: Classes) -> Details:
    """Figures of each sample; segments matched, missed, false; and what each kind of error costs."""
    verdict = Mistakes.concat([each.mistakes for each in counts if each.mistakes]).at(0.0)
    return Details(
        per_sample=by_sample(counts, lambda part: _figures(_totals(part, classes, apart=True), classes)[0]),
        errors=verdict.tally(),
        loss=verdict.loss(),
    )


def _view(
    segmentation: Segmentation, excuses: NDArray[np.bool_], *, is_truth: bool
) -> tuple[NDArray[np.int32], _View]:
    """(H, W) segment on each pixel, and the segments."""
    unit = _units(segmentation.class_id, segmentation.crowd, segmentation.classes)
    owner = np.zeros(len(unit), np.int64)
    ids = segmentation.masks.paint(unit + 1, fill=_nobody(segmentation.classes, is_truth=is_truth))
    seen = np.bincount(ids.ravel() + 1, minlength=len(unit) + 2)[2:].astype(np.float64)
    area = seen
    if is_truth and segmentation.stated_area is not None:
        area = _stated(segmentation, unit, seen)
    segment, view = _shown(segmentation, owner, excuses, seen, area)
    return segment[ids], view


def _view_of_rows(
    painted: Painted,
    classes: Classes,
    excuses: NDArray[np.bool_],
    pixels: tuple[Ints, Ints],
    *,
    is_truth: bool,
) -> tuple[Ints, _View]:
    """(P,) segment of each of the `pixels`, rows (-1 for nobody) and how many, and the segments."""
    row, number = pixels
    unit = _units(painted.class_id, painted.crowd, classes, painted.owner)
    nobody = _nobody(classes, is_truth=is_truth)
    value = np.append(unit + 1, np.int32(nobody))[row]
    seen = np.bincount(value + 1, number, len(unit) + 2)[2:].astype(np.float64)
    area = seen
    if is_truth:
        measured = np.bincount(row + 1, number, len(unit) + 1)[1:]
        stated = np.where(np.isnan(painted.area), measured, painted.area)
        area = np.bincount(unit + 1, stated, len(unit) + 1)[1:].astype(np.float64)
    segment, view = _shown(painted, painted.owner, excuses, seen, area)
    return segment[value].astype(np.int64), view


def _nobody(classes: Classes, *, is_truth: bool) -> int:
    """What a pixel of no segment is: -1, background, in a truth without stuff; else 0, void."""
    return -1 if is_truth and not _is_stuff(classes).any() else 0


def _shown(
    source: Segmentation | Painted, owner: Ints, excuses: NDArray[np.bool_], seen: Floats, area: Floats
) -> tuple[NDArray[np.int32], _View]:
    """(N + 2,) segment of each row + 1, 0 being void and -1 nobody; and the segments that are seen."""
    shown = np.flatnonzero(seen)
    if source.source_id is not None:  # panopticapi adds IoUs in this order, and sums depend on it
        shown = shown[np.lexsort((source.source_id[shown], owner[shown]))]
    segment = np.zeros(len(seen) + 2, np.int32)
    segment[-1] = -1  # of no segment and not void: no pair has it
    segment[shown + 1] = np.arange(1, len(shown) + 1)
    return segment, _View(
        class_id=np.append(np.int32(-1), source.class_id[shown]),
        area=np.append(0.0, area[shown]),
        crowd=np.append(False, source.crowd[shown]),
        excuses=np.append(False, excuses[shown]),
        owner=np.append(-1, owner[shown]),
    )


def _units(
    class_id: NDArray[np.int32], crowd: NDArray[np.bool_], classes: Classes, owner: Ints | int = 0
) -> NDArray[np.int32]:
    """(N,) the row that stands for each row: the first of its class for stuff, -1 for void, else itself."""
    unit = np.arange(len(class_id), dtype=np.int32)
    if len(unit) == 0:
        return unit
    void = classes.is_void[class_id]
    stuff = np.flatnonzero(~void & ~classes.is_thing[class_id] & ~crowd)
    _, first, which = np.unique(
        (owner * len(classes) + class_id)[stuff], return_index=True, return_inverse=True
    )
    unit[stuff] = stuff[first][which]
    unit[void] = -1
    return unit


def _stated(segmentation: Segmentation, unit: NDArray[np.int32], seen: Floats) -> Floats:
    """(N,) areas as the file states them (so panopticapi); counted where a segment is partly hidden."""
    whole = np.bincount(unit + 1, segmentation.masks.area(), len(unit) + 1)[1:]
    stated = np.bincount(unit + 1, segmentation.areas(), len(unit) + 1)[1:]
    return np.where(whole == seen, stated, seen)


def _shared_by(prediction: NDArray[np.int32], shared: Ints, segments: int) -> Floats:
    """(S,) pixels shared by each predicted segment, summed over the given pairs."""
    return np.bincount(prediction, shared, segments).astype(np.float64)


def _totals(counts: Sequence[Counts], classes: Classes, *, apart: bool = False) -> Floats:
    """(N, 4, K) IoU, matches, missed, false by class: of each sample when `apart`, else of all (N = 1)."""
    groups, width = (len(counts) if apart else 1), len(classes)

    def by_class(columns: list[NDArray[np.int32]], weights: Floats | None = None) -> Floats:
        sample = np.repeat(np.arange(len(columns)), [len(column) for column in columns]) if apart else 0
        class_id = np.concatenate([*columns, np.empty(0, np.int32)]).astype(np.int64)
        flat = np.bincount(sample * width + class_id, weights, groups * width)
        return flat.astype(np.float64).reshape(groups, width)

    matched = [each.matched for each in counts]
    iou = np.concatenate([*(each.iou for each in counts), np.empty(0)])
    missed, false = [each.missed for each in counts], [each.false for each in counts]
    return np.stack([by_class(matched, iou), by_class(matched), by_class(missed), by_class(false)], axis=1)


def _named(totals: Floats, classes: Classes) -> dict[str, Floats]:
    """Figures of (..., 4, K) totals by name, those of a class as "figure/class"."""
    whole, of_class = _figures(totals, classes)
    judged = np.flatnonzero(~classes.is_void)
    return whole | {
        f"{name}/{classes.names[row]}": values[..., row]
        for name, values in of_class.items()
        for row in judged
    }


def _figures(totals: Floats, classes: Classes) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Figures of (..., 4, K) totals: of shape (...), and for each class of shape (..., K)."""
    iou, matched, missed, false = (totals[..., i, :] for i in range(4))
    seen = matched + missed + false > 0
    weight = matched + 0.5 * false + 0.5 * missed
    pq, rq = _divide(iou, weight, seen), _divide(matched, weight, seen)
    sq = np.where(seen, _divide(iou, matched, matched > 0, otherwise=0.0), np.nan)
    whole = {}
    parts = {"": ~classes.is_void, "_things": classes.is_thing, "_stuff": _is_stuff(classes)}
    if not (parts["_things"].any() and parts["_stuff"].any()):
        parts = {"": parts[""]}
    for suffix, rows in parts.items():
        for name, values in (("PQ", pq), ("SQ", sq), ("RQ", rq)):
            whole[name + suffix] = _mean(values, seen & rows)
    return whole, {"PQ": pq, "SQ": sq, "RQ": rq}


def _is_stuff(classes: Classes) -> NDArray[np.bool_]:
    return ~(classes.is_thing | classes.is_void)


def _divide(above: Floats, below: Floats, where: NDArray[np.bool_], otherwise: float = np.nan) -> Floats:
    return np.divide(above, below, out=np.full_like(below, otherwise), where=where)


def _mean(values: Floats, where: NDArray[np.bool_]) -> Floats:
    """Mean of the last axis where `where` holds, added one by one as in panopticapi; nan where nowhere."""
    if values.shape[-1] == 0:
        return np.full(values.shape[:-1], np.nan)
    total = np.cumsum(np.where(where, values, 0.0), axis=-1)[..., -1]
    number = where.sum(axis=-1).astype(np.float64)
    return _divide(total, number, number > 0)
