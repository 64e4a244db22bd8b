"""Distances of surfaces against MedPy's definitions, made with scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_erosion, distance_transform_edt, generate_binary_structure
from tests.often import many

from inlay import Classes, Segmentation
from inlay.metrics import surface_distance as metric

CLASSES = Classes.of("liver", "tumour", kind="stuff")


def directed(mine: np.ndarray, other: np.ndarray) -> np.ndarray:
    cross = generate_binary_structure(2, 1)
    surfaces = [mask ^ binary_erosion(mask, cross) for mask in (mine, other)]
    return distance_transform_edt(~surfaces[1])[surfaces[0]]


def rectangles(rng: np.random.Generator) -> np.ndarray:
    ids = np.zeros((24, 30), int)
    for _ in range(rng.integers(0, 4)):
        y, x = rng.integers(0, 20, 2)
        ids[y : y + rng.integers(1, 12), x : x + rng.integers(1, 12)] = 1
    return ids


@settings(max_examples=many(300), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_distances_are_those_of_medpy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true, mine = rectangles(rng), rectangles(rng)
    pair = [Segmentation.from_semantic(ids, CLASSES) for ids in (true, mine)]
    figures = metric.score([metric.count(*pair)], CLASSES)
    for k, name in enumerate(CLASSES.names):
        a, b = true == k, mine == k
        if not a.any() or not b.any():
            assert math.isnan(figures[f"HD95/{name}"])
            continue
        there, back = directed(b, a), directed(a, b)
        assert figures[f"HD95/{name}"] == pytest.approx(np.percentile(np.hstack([there, back]), 95))
        assert figures[f"ASSD/{name}"] == pytest.approx((there.mean() + back.mean()) / 2)
        assert figures[f"Dice_per_image/{name}"] == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))


def test_cases_without_a_distance_are_told() -> None:
    full = np.ones((4, 4), int)
    pair = [Segmentation.from_semantic(ids, CLASSES) for ids in (full, 0 * full)]
    counts = [metric.count(*pair)]
    assert "in 2 of 2 cases" in metric.details(counts, CLASSES).remarks[0]
    assert metric.score(counts, CLASSES)["Dice_per_image"] == 0.0
