"""Borders of classes against the papers' definitions, made from pixels with OpenCV and scipy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation
from tests.often import many

from inlay import Classes, Segmentation, SegmentClass
from inlay.metrics import boundary_iou as metric

CLASSES = Classes((SegmentClass("road", "stuff"), SegmentClass("car"), SegmentClass("rig", "void")))


def blobs(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """A map of three classes and nothing (-1) with curved borders."""
    coarse = rng.normal(size=(4, 6)).astype(np.float32)
    smooth = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.digitize(smooth, [-0.7, 0.1, 0.9]).astype(int) - 1


def band(mask: np.ndarray, width: int) -> np.ndarray:
    framed = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    kept = cv2.erode(framed, np.ones((3, 3), np.uint8), iterations=width)[1:-1, 1:-1]
    return mask & ~kept.astype(bool)


def davis_outline(mask: np.ndarray) -> np.ndarray:
    """DAVIS' map: a pixel unlike the one to the right, below, or across; last row and column apart."""
    east, south, across = np.zeros_like(mask), np.zeros_like(mask), np.zeros_like(mask)
    east[:, :-1], south[:-1], across[:-1, :-1] = mask[:, 1:], mask[1:], mask[1:, 1:]
    found = (mask ^ east) | (mask ^ south) | (mask ^ across)
    found[-1] = mask[-1] ^ east[-1]
    found[:, -1] = mask[:, -1] ^ south[:, -1]
    found[-1, -1] = False
    return found


def davis_f(truth: np.ndarray, mine: np.ndarray) -> float:
    """F by dilating each outline with a disk."""
    reach = int(np.ceil(0.008 * np.hypot(*truth.shape)))
    y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    disk = x * x + y * y <= reach * reach
    true, ours = davis_outline(truth), davis_outline(mine)
    if not true.any() or not ours.any():
        return float(true.any() == ours.any())
    precision = (ours & binary_dilation(true, disk)).sum() / ours.sum()
    recall = (true & binary_dilation(ours, disk)).sum() / true.sum()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(30, 44), (90, 130)]))
def test_both_figures_are_those_of_the_papers(seed: int, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    shared, either, f = np.zeros(2), np.zeros(2), [[], []]
    counts = []
    for _ in range(2):
        true = blobs(rng, size)
        mine = np.where(rng.random() < 0.8, np.roll(true, rng.integers(-3, 4, 2), (0, 1)), blobs(rng, size))
        truth, prediction = (Segmentation.from_semantic(ids, CLASSES) for ids in (true, mine))
        counts.append(metric.count(truth, prediction))
        judged = (true == 0) | (true == 1)
        for k in range(2):
            ours = (mine == k) & judged
            width = max(1, round(0.02 * float(np.hypot(*size))))
            bands = band(true == k, width), band(ours, width)
            shared[k] += (bands[0] & bands[1]).sum()
            either[k] += (bands[0] | bands[1]).sum()
            if (true == k).any() or ours.any():
                f[k].append(davis_f(true == k, ours))
    figures = metric.score(counts, CLASSES)
    for k, name in enumerate(("road", "car")):
        if either[k]:
            assert figures[f"boundary_IoU/{name}"] == shared[k] / either[k]
            assert figures[f"boundary_F/{name}"] == pytest.approx(np.mean(f[k]), abs=1e-12)


def test_f_is_that_of_davis() -> None:
    measure = pytest.importorskip("trackeval.metrics.j_and_f", exc_type=ImportError)
    rng = np.random.default_rng(4)
    for _ in range(20):
        true, mine = (blobs(rng, (60, 80)) == 1 for _ in range(2))
        assert np.array_equal(metric.outline(true), measure.JAndF._seg2bmap(true).astype(bool))
        masks = [Segmentation.from_semantic(np.where(m, 1, -1), CLASSES).masks for m in (true, mine)]
        if true.any() and mine.any():
            assert metric.outline_f(*masks, 1) == pytest.approx(davis_f(true, mine), abs=1e-12)


def test_a_border_that_is_moved_by_a_little_keeps_its_f_and_loses_its_iou() -> None:
    true = np.zeros((400, 400), int)
    true[:, 200:] = 1
    mine = np.roll(true, 4, axis=1)
    mine[:, :4] = 0
    pair = [Segmentation.from_semantic(ids, CLASSES) for ids in (true, mine)]
    figures = metric.score([metric.count(*pair)], CLASSES)
    assert figures["boundary_F"] == 1.0
    assert figures["boundary_IoU"] < 0.95


def test_the_rim_of_what_nobody_labelled_is_no_error() -> None:
    true = np.ones((40, 40), int)
    true[:, 20:] = 2  # void
    pair = [Segmentation.from_semantic(ids, CLASSES) for ids in (true, np.ones((40, 40), int))]
    assert metric.score([metric.count(*pair)], CLASSES)["boundary_IoU"] == 1.0
