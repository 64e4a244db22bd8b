"""Boundary AP against pycocotools' evaluation fed with the paper's IoU, made from pixels with OpenCV."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.cocoeval import COCOeval
from tests.often import many

from inlay import Classes, Masks, Segmentation
from inlay.metrics import boundary_average_precision as metric
from inlay.metrics.parts import ranking

from .coco_json import Case, datasets, pycocotools, random_case


def boundary(rle: dict[str, Any]) -> dict[str, Any]:
    """The paper's own steps: frame the mask, erode it by 3x3 again and again, keep what went."""
    mask = coco_mask.decode(rle)
    rounds = max(1, round(0.02 * float(np.hypot(*mask.shape))))
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    kept = cv2.erode(framed, np.ones((3, 3), np.uint8), iterations=rounds)[1:-1, 1:-1]
    return coco_mask.encode(np.asfortranarray(mask - kept))


def boundary_iou(self: COCOeval, image: int, category: int) -> Any:
    truths, found = self._gts[image, category], self._dts[image, category]
    if not truths or not found:
        return []
    order = np.argsort([-each["score"] for each in found], kind="mergesort")
    found = [found[i]["segmentation"] for i in order][: self.params.maxDets[-1]]
    crowd = np.array([each["iscrowd"] for each in truths])
    true = [each["segmentation"] for each in truths]
    iou = np.array(coco_mask.iou(found, true, crowd.tolist()))
    edges = coco_mask.iou(
        [boundary(each) for each in found], [boundary(each) for each in true], crowd.tolist()
    )
    return np.where(crowd[None] == 1, iou, np.minimum(iou, np.array(edges)))


def reference(case: Case, monkeypatch: pytest.MonkeyPatch) -> COCOeval:
    with monkeypatch.context() as patch:
        patch.setattr(COCOeval, "computeIoU", boundary_iou)
        return pycocotools(case, "segm")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools' decode
@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3]))
def test_every_cell_is_that_of_the_paper(seed: int, scale: int) -> None:
    case = random_case(np.random.default_rng(seed), boxes=False, scale=scale)
    if not case.results:
        return
    truth, prediction = datasets(case)
    counts = [metric.count(a.label(), b.label()) for a, b in truth.zip(prediction)]
    expected = reference(case, pytest.MonkeyPatch())
    table = ranking.rank(counts, classes=len(truth.classes))
    precision, recall = ranking.cells(table, "boundary")
    by_id = np.argsort(truth.classes.source_ids)
    assert np.array_equal(precision[:, :, by_id], expected.eval["precision"])
    assert np.array_equal(recall[:, by_id], expected.eval["recall"])
    figures = metric.score(counts, truth.classes)
    names = [*metric.TABLES.precisions, *metric.TABLES.recalls]
    assert [figures[f"boundary_{name}"] for name in names] == expected.stats.tolist()


def test_a_large_mask_with_a_coarse_border_loses_more_than_its_masks_say() -> None:
    mask = np.zeros((200, 200), bool)
    mask[20:180, 20:180] = True
    coarse = np.zeros_like(mask)
    coarse[26:174, 26:174] = True
    classes = Classes.of("cell")
    truth = Segmentation(classes, Masks.encode(mask), [0], [1])
    prediction = Segmentation(classes, Masks.encode(coarse), [0], [1], score=[0.5])
    assert float(prediction.masks.iou(truth.masks)[0, 0]) > 0.85
    assert metric.score([metric.count(truth, prediction)], classes)["boundary_AP"] == 0.0
