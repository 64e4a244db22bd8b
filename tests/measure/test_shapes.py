"""The shape table is scikit-image's, in places instead of indices."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import regionprops

from inlay import Classes, InlayError, Masks, Segmentation
from inlay.measure import shapes

SAME = {
    "area": "area",
    "perimeter": "perimeter",
    "major_axis": "axis_major_length",
    "minor_axis": "axis_minor_length",
    "eccentricity": "eccentricity",
    "convex_area": "area_convex",
    "solidity": "solidity",
    "extent": "extent",
    "feret": "feret_diameter_max",
    "equivalent_diameter": "equivalent_diameter_area",
    "euler": "euler_number",
}


def measured(bitmap, **options):
    masks = Masks.encode(bitmap)
    rows = np.zeros(len(masks), np.int32)
    return shapes(Segmentation(Classes.of("a"), masks, rows, rows), **options)


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=80, deadline=None)
def test_figures_equal_those_of_scikit_image(seed, height, width):
    random = np.random.default_rng(seed)
    bitmap = ndimage.gaussian_filter(random.normal(size=(height, width)), random.uniform(0, 4)) > 0
    bitmap[random.integers(height), random.integers(width)] = True
    ours = measured(bitmap)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hulls of thin shapes
        theirs = regionprops(bitmap.astype(int))[0]
        for name, other in SAME.items():
            assert ours[name][0] == pytest.approx(getattr(theirs, other), rel=1e-9, abs=1e-7), name
    y, x = theirs.centroid
    assert (ours["x"][0], ours["y"][0]) == pytest.approx((x + 0.5, y + 0.5))
    if ours["eccentricity"][0] > 0.1:
        turn = ours["orientation"][0] - theirs.orientation
        assert abs((turn + np.pi / 2) % np.pi - np.pi / 2) < 1e-6


def test_a_spacing_scales_lengths_and_areas_and_nothing_else():
    bitmap = np.zeros((9, 9), bool)
    bitmap[2:7, 3:6] = True
    pixels, units = measured(bitmap), measured(bitmap, spacing=(0.5, 0.5))
    assert units["area"][0] == pixels["area"][0] / 4
    for name in ("perimeter", "x", "feret", "major_axis"):
        assert units[name][0] == pixels[name][0] / 2
    for name in ("eccentricity", "solidity", "extent", "orientation", "circularity"):
        assert units[name][0] == pixels[name][0]


def test_an_empty_mask_has_no_shape():
    found = measured(np.zeros((4, 4), bool))
    assert found["area"][0] == 0
    assert all(np.isnan(values[0]) for name, values in found.items() if name != "area")


@pytest.mark.parametrize("spacing", [(1.0, 2.0), (0.0, 0.0), (np.nan, 1.0)])
def test_pixels_that_cannot_measure_are_refused(spacing):
    with pytest.raises(InlayError, match="pixel"):
        measured(np.ones((3, 3), bool), spacing=spacing)
