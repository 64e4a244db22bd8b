"""COCO average precision and recall of masks and of boxes: the 12 numbers of each, and AP of each class.

Every cell of precision and recall equals pycocotools', but for two of its rules:

- a truth whose id is 0 counts as unmatched there; here ids play no part;
- where a result file states boxes beside masks, pycocotools bins mask predictions too by the area of the box.
  Here a mask is binned by its own area, a box by its own (by the mask's where no box is stated, as there).

Things are judged, stuff and void are not. Predictions without scores count as equally sure. A number that no
truth bears on is -1, as in pycocotools. Where truth or predictions are boxes without masks, there are no mask
figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.mistakes import Mistakes, best_threshold, explain
from inlay.metrics.parts.ranking import (
    AREAS,
    IOUS,
    LIMITS,
    RECALLS,
    Counts,
    Floats,
    Ints,
    Matches,
    cells,
    mean_cells,
    rank,
)
from inlay.metrics.parts.result import Details

# Name of a figure: (row of AREAS, place in LIMITS, IoU thresholds).
PRECISIONS = {
    "AP": (0, 2, slice(None)),
    "AP50": (0, 2, slice(0, 1)),
    "AP75": (0, 2, slice(5, 6)),
    "AP_small": (1, 2, slice(None)),
    "AP_medium": (2, 2, slice(None)),
    "AP_large": (3, 2, slice(None)),
}
RECALL_OF = {
    "AR_1": (0, 0, slice(None)),
    "AR_10": (0, 1, slice(None)),
    "AR_100": (0, 2, slice(None)),
    "AR_small": (1, 2, slice(None)),
    "AR_medium": (2, 2, slice(None)),
    "AR_large": (3, 2, slice(None)),
}


def count(truth: Segmentation, prediction: Segmentation) -> Counts:
    """Matches of one sample at ten IoU thresholds and four area ranges, for masks and for boxes."""
    truth = truth if truth.is_thing.all() else truth.things()
    rows, place = _best(prediction)
    score = np.ones(len(rows), np.float64) if prediction.score is None else prediction.score[rows]
    class_id = prediction.class_id[rows]
    crowd, ignored = truth.crowd.view(np.uint8), truth.crowd | _outside(truth.areas())

    def match(iou: Floats, area: Floats) -> Matches:
        outside = _outside(area).view(np.uint8)
        return Matches(
            *kernels.match(iou, class_id, truth.class_id, crowd, ignored.view(np.uint8), outside, IOUS)
        )

    if len(rows) == len(prediction):  # to turn the rows of the IoU is cheaper than to copy masks
        iou = prediction.masks.iou(truth.masks, truth.crowd)[rows]
    else:
        iou = prediction.masks[rows].iou(truth.masks, truth.crowd)
    mask_area = prediction.masks.area()[rows].astype(np.float64)
    boxes = _sides(prediction)[rows]
    of_boxes = kernels.box_iou(boxes, _sides(truth), crowd)
    drawn, predicted = truth.masks.area() > 0, mask_area > 0
    box_area = mask_area if prediction.stated_box is None else boxes[:, 2] * boxes[:, 3]
    return Counts(
        score=score,
        class_id=class_id,
        rank=place,
        mask=match(iou, mask_area),
        box=match(of_boxes, box_area),
        truth_class=truth.class_id,
        ignored=ignored,
        mistakes=explain(np.where(predicted[:, None] & drawn, iou, of_boxes), truth, class_id, score),
        stated_boxes=prediction.stated_box is not None,
        maskless=(_maskless(truth, drawn), _maskless(prediction, predicted)),
    )


def score(counts: Iterable[Counts], classes: Classes) -> dict[str, float]:
    """`mask_AP`, `mask_AP50`, `mask_AP_small`, `mask_AR_1` ..., of each class `mask_AP/c`; and `box_...`."""
    counts = list(counts)
    ranking = rank(counts, classes=len(classes))
    things = _in_source_order(classes)
    figures: dict[str, float] = {}
    of_class: dict[str, float] = {}
    for kind in _kinds(counts):
        precision, recall = cells(ranking, kind)
        precision, recall = precision[:, :, things], recall[:, things]
        for name, (area, limit, at) in PRECISIONS.items():
            figures[f"{kind}_{name}"] = _mean(precision[at, :, :, area, limit])
        for name, (area, limit, at) in RECALL_OF.items():
            figures[f"{kind}_{name}"] = _mean(recall[at, :, area, limit])
        for k, row in enumerate(things):
            of_class[f"{kind}_AP/{classes.names[row]}"] = _mean(precision[:, :, k, 0, 2])
    return figures | of_class


def resampled(counts: Sequence[Counts], classes: Classes, weights: Ints) -> Mapping[str, Floats]:
    """(B,) figures when sample `i` counts `weights[b, i]` times; nan where no truth was drawn."""
    ranking = rank(counts, classes=len(classes))
    wanted = sorted({(area, limit) for area, limit, _ in (*PRECISIONS.values(), *RECALL_OF.values())})
    area_of = np.array([area for area, _ in wanted], np.int32)
    limits = np.array([LIMITS[limit] for _, limit in wanted], np.int32)
    figures: dict[str, Floats] = {}
    for kind in _kinds(counts):
        tables = mean_cells(ranking, kind, area_of=area_of, limits=limits, weights=weights)
        for table, names in zip(tables, (PRECISIONS, RECALL_OF)):
            for name, (area, limit, at) in names.items():
                figures[f"{kind}_{name}"] = _means(table[:, at, :, wanted.index((area, limit))])
        precision = tables[0][..., wanted.index(PRECISIONS["AP"][:2])]
        for row in np.flatnonzero(classes.is_thing):
            figures[f"{kind}_AP/{classes.names[row]}"] = _means(precision[:, :, row, None])
    return figures


def details(counts: Sequence[Counts], classes: Classes) -> Details:
    """Figures of each sample; errors and confusion at the score where F1 (IoU 0.5) is best."""
    kind = _kinds(counts)[0]
    matches = [getattr(each, kind) for each in counts]
    hit = np.concatenate([each.hit[0] & 1 for each in matches]) > 0
    miss = np.concatenate([each.miss[0] & 1 for each in matches]) > 0
    mistakes = Mistakes.concat([each.mistakes for each in counts])
    truths = sum(int((~each.ignored[0]).sum()) for each in counts)
    threshold, f1 = best_threshold(hit, hit | miss, mistakes.score, truths)
    remarks = []
    if f1:
        remarks.append(
            f"kinds of error and the confusion table count predictions with a score of at least "
            f"{threshold:.3g}, where F1 at IoU 0.5 is best ({f1:.3f})"
        )
    full = sum(bool((np.bincount(each.truth_class) > LIMITS[-1]).any()) for each in counts)
    if full:
        remarks.append(
            f"images with more than {LIMITS[-1]} true segments of one class: {full}; COCO's rule judges "
            f"the {LIMITS[-1]} surest predictions alone there, so that not all can be found"
        )
    if any(each.stated_boxes for each in counts):
        remarks.append(
            "the predictions state boxes: mask figures by size go by the area of the mask, where pycocotools "
            "goes by that of the box"
        )
    return Details(
        per_sample=_per_sample(counts),
        confusion={"segments": mistakes.confusion(threshold, len(classes))},
        errors=mistakes.tally(threshold),
        curves=_curves(counts, classes, kind),
        threshold=threshold if f1 else None,
        remarks=tuple(remarks),
    )


def _per_sample(counts: Sequence[Counts]) -> dict[str, Floats]:
    """(N,) AP and AP50 of each sample by itself, all its predictions in one ranking.

    Predictions where there is no truth at all make 0, a sample without either has no value (nan).
    """
    ranking = rank(counts)
    one = np.zeros(1, np.int32)
    ones = np.ones((1, len(counts)), np.int32)
    empty = np.where(np.diff(ranking.offsets) > 0, 0.0, np.nan)
    figures: dict[str, Floats] = {}
    for kind in _kinds(counts):
        table, _ = mean_cells(
            ranking, kind, area_of=one, limits=np.array([LIMITS[-1]], np.int32), weights=ones
        )
        for name in ("AP", "AP50"):
            values = table[0, PRECISIONS[name][2], :, 0].mean(axis=0)
            figures[f"{kind}_{name}"] = np.where(values < 0, empty, values)
    return figures


def _kinds(counts: Sequence[Counts]) -> tuple[str, ...]:
    """What is judged: masks and boxes, or boxes alone where one side has nothing else."""
    truths, predictions = (sum(each.maskless[side] for each in counts) for side in (0, 1))
    only_boxes = 0 < truths == sum(len(each.truth_class) for each in counts)
    only_boxes |= 0 < predictions == sum(len(each.score) for each in counts)
    return ("box",) if only_boxes else ("mask", "box")


def _maskless(segmentation: Segmentation, drawn: NDArray[np.bool_]) -> int:
    """How many of the rows have a stated box and not a pixel."""
    return 0 if segmentation.stated_box is None else int((~drawn).sum())


def _curves(counts: Sequence[Counts], classes: Classes, kind: str) -> dict[str, list[tuple[float, float]]]:
    """Precision over recall, averaged over the classes that have truths, at three IoUs and over all ten."""
    precision = cells(rank(counts, classes=len(classes)), kind)[0][:, :, :, 0, -1]
    precision = precision[:, :, (precision >= 0).all(axis=(0, 1))]
    if not precision.size:
        return {}
    lines = {f"IoU {IOUS[t]:.2f}": precision[t].mean(axis=1) for t in (0, 5, 9)}
    lines["mean of ten"] = precision.mean(axis=(0, 2))
    return {name: list(zip(RECALLS.tolist(), line.tolist())) for name, line in lines.items()}


def _sides(segmentation: Segmentation) -> Floats:
    """(N, 4) x0, y0, width, height of the boxes, stated or measured.

    Files state sides, and 32.1 - 0.1 is not always 32: of the numbers that lead from corner to corner one
    with few decimals is taken, which is the stated one unless that had more than twelve.
    """
    corners = segmentation.boxes()
    start, stop = corners[:, :2], corners[:, 2:]
    side = stop - start
    if segmentation.stated_box is not None:
        unsettled = np.ones(side.shape, np.bool_)
        for decimals in (2, 5, 8, 12):
            short = np.round(side, decimals)
            settled = unsettled & (start + short == stop)
            side = np.where(settled, short, side)
            unsettled &= ~settled
            if not unsettled.any():
                break
    return np.concatenate([start, side], axis=1)


def _best(prediction: Segmentation) -> tuple[NDArray[np.int64], Ints]:
    """Rows of the things judged, by class and falling score, and the place of each within its class."""
    class_id = prediction.class_id
    score = np.zeros(len(class_id), np.float64) if prediction.score is None else prediction.score
    rows = np.lexsort((-score, class_id))
    if not prediction.is_thing.all():
        rows = rows[prediction.is_thing[rows]]
    sorted_class = class_id[rows]
    place = np.arange(len(rows)) - np.searchsorted(sorted_class, sorted_class)
    judged = place < LIMITS[-1]
    return rows[judged], place[judged].astype(np.int32)


def _outside(area: Floats) -> NDArray[np.bool_]:
    """(A, N) whether each area lies outside each of the ranges."""
    return (area < AREAS[:, :1]) | (area > AREAS[:, 1:])


def _in_source_order(classes: Classes) -> NDArray[np.int64]:
    """Rows of the thing classes by id, as pycocotools sorts them: the last bit of a mean depends on it."""
    things = np.flatnonzero(classes.is_thing)
    return things[np.argsort(classes.source_ids[things], kind="stable")]


def _mean(table: Floats) -> float:
    """Mean of the cells that have a value; -1 where none has."""
    known = table[table > -1]
    return float(np.mean(known)) if known.size else -1.0


def _means(table: Floats) -> Floats:
    """(B,) mean of the cells of each draw that have a value; nan where none has."""
    known = table > -1
    number = known.sum(axis=(1, 2)).astype(np.float64)
    total = np.where(known, table, 0.0).sum(axis=(1, 2))
    means: Floats = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
    return means
