"""Columns that look at the image, or at a prediction of it."""

from __future__ import annotations

import numpy as np
import pytest

from inlay.core.classes import Classes
from inlay.core.dataset import Dataset, Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules import check
from inlay.rules.columns import pixels, predicted
from inlay.rules.tables import ImageTable, SegmentTable, UnknownError

CLASSES = Classes.of("cell", "dust")


def square(y, x, side=12, size=(40, 50)):
    mask = np.zeros(size, np.bool_)
    mask[y : y + side, x : x + side] = True
    return mask


def label(*masks, class_id=None, score=None):
    count = len(masks)
    ids = np.zeros(count, np.int32) if class_id is None else class_id
    return Segmentation(CLASSES, Masks.encode(np.array(masks)), ids, np.arange(1, count + 1), score=score)


def picture(mask, seed=0):
    noise = np.random.default_rng(seed).normal(0, 6, mask.shape)
    grey = np.clip(60 + 120 * mask + noise, 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def test_an_outline_on_an_edge_is_steep_and_one_beside_it_is_not():
    cell = square(10, 10)
    image = ImageTable(Sample("x", picture(cell), label(cell, square(10, 30, 8))))
    steep = pixels.boundary_gradient(image.segments)
    assert steep[0] > 0.95 > 0.85 > steep[1]
    assert pixels.contrast(image.segments)[0] > 2 > pixels.contrast(image.segments)[1]


def test_a_mask_that_leaks_holds_two_kinds_of_grey():
    cell = square(10, 10)
    image = ImageTable(Sample("x", picture(cell), label(cell, square(10, 10, 17))))
    even, leaking = pixels.leak_score(image.segments)
    assert leaking > 0.9 > 0.75 > even


def test_without_pixels_or_a_prediction_such_columns_are_unknown():
    table = SegmentTable(label(square(3, 3)))
    for column in (pixels.boundary_gradient, predicted.predicted_iou):
        with pytest.raises(UnknownError):
            column(table)


def test_a_prediction_finds_what_is_missing_and_what_has_another_class():
    truth = Dataset.of([Sample("x", None, label(square(2, 2)))])
    both = label(square(2, 2), square(20, 20), class_id=[1, 0], score=[0.95, 0.9])
    findings = check(truth, packs=["predictions"], predictions=Dataset.of([Sample("x", None, both)]))
    assert {finding.rule for finding in findings} == {"missing-thing", "other-class"}
    assert findings.of("missing-thing")[0].box == (20, 20, 32, 32)
    assert not check(truth, packs=["predictions"])
