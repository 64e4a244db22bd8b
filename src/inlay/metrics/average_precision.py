"""COCO average precision and recall of masks and of boxes: the 12 numbers of each, and AP of each class.

Every cell of precision and recall equals pycocotools', but for two of its rules:

- a truth whose id is 0 counts as unmatched there; here ids play no part;
- where a result file states boxes beside masks, pycocotools bins even mask predictions by the area of the
  box. Here
  a mask is binned by its own area, and a box by its own (by the mask's where no box is stated, as there).

Things are judged, stuff and void are not. Predictions without scores count as equally sure. A number that no
truth bears on is -1, as in pycocotools.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.classes import Classes
from inlay.core.segmentation import Segmentation
from inlay.metrics.mistakes import best_threshold, explain, tally
from inlay.metrics.mistakes import confusion as confusion_table
from inlay.metrics.ranking import AREAS, IOUS, LIMITS, Counts, Floats, Ints, Matches, cells, mean_cells, rank

KINDS = ("mask", "box")
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
    masks, class_id = prediction.masks[rows], prediction.class_id[rows]
    ignored = truth.crowd | _outside(truth.areas())

    def match(iou: Floats, area: Floats) -> Matches:
        return Matches(
            *kernels.match(
                iou,
                class_id,
                truth.class_id,
                truth.crowd.view(np.uint8),
                ignored.view(np.uint8),
                _outside(area).view(np.uint8),
                IOUS,
            )
        )

    scores = np.ones(len(rows), np.float32) if prediction.score is None else prediction.score[rows]
    mask_area = masks.area().astype(np.float64)
    if prediction.stated_box is None:
        boxes, box_area = _sides(masks.box().astype(np.float64)), mask_area
    else:
        boxes = _sides(prediction.stated_box[rows])
        box_area = boxes[:, 2] * boxes[:, 3]
    iou = masks.iou(truth.masks, truth.crowd)
    return Counts(
        score=scores,
        class_id=class_id,
        rank=place,
        mask=match(iou, mask_area),
        box=match(box_iou(boxes, _sides(truth.boxes()), truth.crowd), box_area),
        truth_class=truth.class_id,
        ignored=ignored,
        mistakes=explain(iou, truth, class_id, scores),
        stated_boxes=prediction.stated_box is not None,
    )


def score(counts: Iterable[Counts], classes: Classes) -> dict[str, float]:
    """`mask_AP`, `mask_AP50`, `mask_AP_small`, `mask_AR_1` ..., of each class `mask_AP/c`; and `box_...`."""
    ranking = rank(list(counts), classes=len(classes))
    things = _in_source_order(classes)
    figures: dict[str, float] = {}
    of_class: dict[str, float] = {}
    for kind in KINDS:
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
    for kind in KINDS:
        tables = mean_cells(ranking, kind, area_of=area_of, limits=limits, weights=weights)
        for table, names in zip(tables, (PRECISIONS, RECALL_OF)):
            for name, (area, limit, at) in names.items():
                figures[f"{kind}_{name}"] = _means(table[:, at, :, wanted.index((area, limit))])
        precision = tables[0][..., wanted.index(PRECISIONS["AP"][:2])]
        for row in np.flatnonzero(classes.is_thing):
            figures[f"{kind}_AP/{classes.names[row]}"] = _means(precision[:, :, row, None])
    return figures


def per_sample(counts: Sequence[Counts], classes: Classes) -> Mapping[str, Floats]:
    """(N,) AP and AP50 of each sample by itself, all its predictions in one ranking.

    Predictions where there is no truth at all make 0, a sample without either has no value (nan).
    """
    del classes  # each prediction is matched within its class already
    ranking = rank(counts)
    one = np.zeros(1, np.int32)
    ones = np.ones((1, len(counts)), np.int32)
    empty = np.where(np.diff(ranking.offsets) > 0, 0.0, np.nan)
    figures: dict[str, Floats] = {}
    for kind in KINDS:
        table, _ = mean_cells(
            ranking, kind, area_of=one, limits=np.array([LIMITS[-1]], np.int32), weights=ones
        )
        for name in ("AP", "AP50"):
            values = table[0, PRECISIONS[name][2], :, 0].mean(axis=0)
            figures[f"{kind}_{name}"] = np.where(values < 0, empty, values)
    return figures


def errors(counts: Sequence[Counts], classes: Classes) -> dict[str, int]:
    """Segments by kind of error, at the score where F1 (IoU 0.5) is best: right, missed, confused ..."""
    del classes
    threshold, _ = _threshold(counts)
    return tally([each.mistakes for each in counts], [each.score >= threshold for each in counts])


def confusion(counts: Sequence[Counts], classes: Classes) -> tuple[str, NDArray[np.int64]]:
    """Segments by true and predicted class at that score, (K + 1, K + 1); last row and column: none."""
    threshold, _ = _threshold(counts)
    chosen = [each.score >= threshold for each in counts]
    table = confusion_table(
        [each.mistakes for each in counts], chosen, [each.class_id for each in counts], len(classes)
    )
    return "segments", table


def remarks(counts: Sequence[Counts], classes: Classes) -> list[str]:
    """What a reader of the figures should know about these predictions."""
    del classes
    threshold, f1 = _threshold(counts)
    said = [
        f"kinds of error and the confusion table count predictions with a score of at least {threshold:.3g}, "
        f"where F1 at IoU 0.5 is best ({f1:.3f})"
    ]
    if any(each.stated_boxes for each in counts):
        said.append(
            "the predictions state boxes: mask figures by size use the area of the mask, where pycocotools "
            "would use that of the box"
        )
    return said if f1 else said[1:]


def _threshold(counts: Sequence[Counts]) -> tuple[float, float]:
    none = np.empty(0)
    hit = np.concatenate([none, *(each.mask.hit[0] & 1 for each in counts)]) > 0
    miss = np.concatenate([none, *(each.mask.miss[0] & 1 for each in counts)]) > 0
    score = np.concatenate([np.empty(0, np.float32), *(each.score for each in counts)])
    return best_threshold(hit, miss, score, sum(int((~each.ignored[0]).sum()) for each in counts))


def box_iou(boxes: Floats, others: Floats, crowd: NDArray[np.bool_]) -> Floats:
    """(N, M) IoU of boxes (x0, y0, width, height); over the area of `boxes` where `crowd` (M,) says so.

    In pycocotools' order of operations, so that IoUs on a threshold fall on the same side.
    """
    a, b = boxes[:, None], others[None]
    width = np.minimum(a[..., 0] + a[..., 2], b[..., 0] + b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 1] + a[..., 3], b[..., 1] + b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    area, other = a[..., 2] * a[..., 3], b[..., 2] * b[..., 3]
    shared = np.where((width > 0) & (height > 0), width * height, 0.0)
    union = np.where(crowd[None], area, area + other - shared)
    return np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0)


def _sides(corners: Floats) -> Floats:
    """(N, 4) x0, y0, width, height of boxes (x0, y0, x1, y1).

    Files state sides, and 32.1 - 0.1 is not always 32: of the numbers that lead from corner to corner the one
    with few decimals is taken, which is the stated one unless that had more than twelve.
    """
    start, stop = corners[:, :2], corners[:, 2:]
    side = stop - start
    open_ = np.ones(side.shape, np.bool_)
    for decimals in (2, 5, 8, 12):
        short = np.round(side, decimals)
        right = open_ & (start + short == stop)
        side = np.where(right, short, side)
        open_ &= ~right
        if not open_.any():
            break
    return np.concatenate([start, side], axis=1)


def _best(prediction: Segmentation) -> tuple[NDArray[np.int64], Ints]:
    """Rows of the things judged, by class and falling score, and the place of each within its class."""
    class_id = prediction.class_id
    score = np.zeros(len(class_id), np.float32) if prediction.score is None else prediction.score
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
