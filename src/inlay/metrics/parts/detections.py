"""The things of one sample, truth and prediction, ready to be matched by COCO's rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inlay.core import kernels
from inlay.core.batch import sides_of
from inlay.core.segmentation import Segmentation
from inlay.metrics.parts.mistakes import Mistakes, PredictionColumns, explain
from inlay.metrics.parts.ranking import AREAS, IOUS, Counts, Floats, Ints, Matches

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Detections:
    """Truths, and of the predictions the rows that are judged, by class and falling score."""

    truth: Segmentation
    prediction: Segmentation
    rows: NDArray[np.int64]  # (D,)
    rank: Ints  # (D,) place within the class

    @classmethod
    def of(cls, truth: Segmentation, prediction: Segmentation, *, most: int) -> Detections:
        """The things of both; of the predictions the `most` surest of each class."""
        truth = truth if truth.is_thing.all() else truth.things()
        rows, place = _ranked(prediction)
        judged = place < most
        return cls(truth, prediction, rows[judged], place[judged].astype(np.int32))

    @cached_property
    def score(self) -> Floats:
        """(D,) scores; 1 where predictions have none."""
        given = self.prediction.score
        return np.ones(len(self.rows), np.float64) if given is None else given[self.rows]

    @cached_property
    def class_id(self) -> Ints:
        """(D,) classes, rising."""
        return self.prediction.class_id[self.rows]

    @cached_property
    def mask_area(self) -> Floats:
        """(D,) pixels of the masks."""
        return self.prediction.masks.area()[self.rows].astype(np.float64)

    @cached_property
    def boxes(self) -> Floats:
        """(D, 4) x0, y0, width, height."""
        return sides(self.prediction)[self.rows]

    @cached_property
    def box_area(self) -> Floats:
        """(D,) area of the stated boxes; of the masks where no box is stated."""
        if self.prediction.stated_box is None:
            return self.mask_area
        return np.asarray(self.boxes[:, 2] * self.boxes[:, 3])

    @cached_property
    def ignored(self) -> Bools:
        """(A, G) truths that need not be found: crowds, and those outside an area range."""
        return self.truth.crowd | outside(self.truth.areas())

    @cached_property
    def mask_iou(self) -> Floats:
        """(D, G) IoU of the masks; over the area of the prediction for crowds."""
        if len(self.rows) == len(
            self.prediction
        ):  # to turn the rows of the IoU is cheaper than to copy masks
            return self.prediction.masks.iou(self.truth.masks, self.truth.crowd)[self.rows]
        return self.prediction.masks[self.rows].iou(self.truth.masks, self.truth.crowd)

    @cached_property
    def box_iou(self) -> Floats:
        """(D, G) IoU of the boxes."""
        return kernels.box_iou(self.boxes, sides(self.truth), self.truth.crowd.view(np.uint8))

    @cached_property
    def iou(self) -> Floats:
        """(D, G) IoU of the masks, of the boxes where one of a pair has no mask."""
        drawn, predicted = self.truth.masks.area() > 0, self.mask_area > 0
        return np.where(predicted[:, None] & drawn, self.mask_iou, self.box_iou)

    def match(self, iou: Floats, area: Floats, *, excused: Bools | None = None) -> Matches:
        """Right and wrong predictions by their (D, G) IoUs and (D,) areas.

        `excused` (D,): where they match nothing they are ignored, as those outside an area range are.
        """
        beyond = outside(area) if excused is None else outside(area) | excused
        truth = self.truth
        hit, miss = kernels.match(
            iou,
            self.class_id,
            truth.class_id,
            truth.crowd.view(np.uint8),
            self.ignored.view(np.uint8),
            beyond.view(np.uint8),
            IOUS,
        )
        return Matches(hit, miss)

    def mistakes(self) -> Mistakes:
        """What each prediction got right or wrong; areas are those of the boxes where there is no mask."""
        drawn = self.truth.masks.area().astype(np.float64)
        box = sides(self.truth)
        truth_area = np.where(drawn > 0, drawn, box[:, 2] * box[:, 3])
        area = np.where(self.mask_area > 0, self.mask_area, self.box_area)
        return explain(self.iou, self.truth, truth_area, PredictionColumns(self.score, self.class_id, area))

    def counts(self, matches: dict[str, Matches]) -> Counts:
        """All that the figures of average precision need of this sample."""
        predicted = self.mask_area > 0
        return Counts(
            score=self.score,
            class_id=self.class_id,
            rank=self.rank,
            matches=matches,
            truth_class=self.truth.class_id,
            ignored=self.ignored,
            mistakes=self.mistakes(),
            stated_boxes=self.prediction.stated_box is not None,
            maskless=(
                _maskless(self.truth, self.truth.masks.area() > 0),
                _maskless(self.prediction, predicted),
            ),
        )


def outside(area: Floats) -> Bools:
    """(A, N) whether each area lies outside each of the ranges."""
    return (area < AREAS[:, :1]) | (area > AREAS[:, 1:])


def sides(segmentation: Segmentation) -> Floats:
    """(N, 4) x0, y0, width, height of the boxes, as they are stated or measured."""
    corners = segmentation.boxes()
    if segmentation.stated_box is not None:
        return sides_of(corners)
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


def _ranked(prediction: Segmentation) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the things, by class and falling score, and the place of each within its class."""
    class_id = prediction.class_id
    score = np.zeros(len(class_id), np.float64) if prediction.score is None else prediction.score
    rows = np.lexsort((-score, class_id))
    if not prediction.is_thing.all():
        rows = rows[prediction.is_thing[rows]]
    sorted_class = class_id[rows]
    return rows, np.arange(len(rows)) - np.searchsorted(sorted_class, sorted_class)


def _maskless(segmentation: Segmentation, drawn: Bools) -> int:
    """How many of the rows have a stated box and not a pixel."""
    return 0 if segmentation.stated_box is None else int((~drawn).sum())
