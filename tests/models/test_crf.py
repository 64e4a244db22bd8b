"""The dense CRF: against its definition, pixel by pixel, and the fast way against the exact one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from inlay import InlayError
from inlay.models.parts.crf import CRF, Lattice, corners, fast_filters, normalised, refined


def by_hand(logits, image, crf):
    """The mean field of the paper in plain loops over pairs of pixels."""
    count, height, width = logits.shape
    places = [(y, x) for y in range(height) for x in range(width)]
    colour = image.astype(float)

    def kernel(alike):
        found = np.zeros((len(places), len(places)))
        for i, p in enumerate(places):
            for j, q in enumerate(places):
                apart = (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2
                if alike:
                    other = ((colour[p] - colour[q]) ** 2).sum() / (2 * crf.alike_grey**2)
                    found[i, j] = np.exp(-apart / (2 * crf.alike_pixels**2) - other)
                else:
                    found[i, j] = np.exp(-apart / (2 * crf.near_pixels**2))
        sums = found.sum(1)
        return found / np.sqrt(sums[:, None] * sums[None])

    kernels = (crf.near, kernel(False)), (crf.alike, kernel(True))
    unary = -np.log(softmax(logits.reshape(count, -1).T.astype(float), 1))
    shares = softmax(-unary, 1)
    for _ in range(crf.iterations):
        heard = sum(weight * matrix @ shares for weight, matrix in kernels)
        penalty = heard.sum(1, keepdims=True) - heard  # Potts: all the other classes
        shares = softmax(-unary - penalty, 1)
    return shares.T.reshape(logits.shape)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6), st.integers(1, 4))
def test_a_small_image_is_settled_as_the_definition_says(seed, height, width, count):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, height, width)).astype(np.float32)
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    crf = CRF(iterations=3, near_pixels=1.5, alike_pixels=4, alike_grey=60)
    assert np.allclose(np.exp(refined(logits, image, crf)), by_hand(logits, image, crf), atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_a_point_lies_in_the_middle_of_its_corners(seed, d):
    """The corners weighed by their shares give the point back."""
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 3, (20, d)).astype(np.float32)
    keys, shares = corners(points)
    assert np.allclose(shares.sum(1), 1, atol=1e-5)
    assert (shares >= -1e-5).all()
    last = -keys.sum(2, keepdims=True)
    assert (np.concatenate([keys, last], 2) % (d + 1) == np.arange(d + 1)[None, :, None]).all()
    middle = (keys * shares[..., None]).sum(1)
    scale = (d + 1) * np.sqrt(2 / 3) / np.sqrt(np.arange(1, d + 1) * np.arange(2, d + 2))
    scaled = points * scale
    wanted = np.cumsum(scaled[:, ::-1], 1)[:, ::-1].copy()
    wanted[:, 1:] -= np.arange(1, d) * scaled[:, :-1]
    assert np.allclose(middle, wanted, atol=1e-3)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_a_lattice_blurs_about_as_a_gaussian_does(d):
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 3, (400, d)).astype(np.float32)
    values = rng.random((400, 2)).astype(np.float32)
    exact = np.exp(-0.5 * ((points[:, None] - points) ** 2).sum(2))
    wanted = exact @ values / exact.sum(1, keepdims=True)
    lattice = Lattice(points)
    found = lattice.blur(values) / lattice.blur(np.ones((400, 1), np.float32))
    assert np.abs(found - wanted).max() < 0.1
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.9


def noisy_scene(height: int, width: int, seed: int):
    """A disc on a ground, logits that are often wrong, and the truth."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    truth = ((rows - height / 2) ** 2 + (columns - width / 2) ** 2 < (min(height, width) / 3) ** 2).astype(
        int
    )
    image = np.where(truth[..., None], (200, 80, 40), (60, 120, 200)) + rng.normal(0, 6, (height, width, 3))
    right = 2.0 * (np.arange(2)[:, None, None] == truth)
    return (
        (right + rng.normal(0, 2, (2, height, width))).astype(np.float32),
        image.clip(0, 255).astype(np.uint8),
        truth,
    )


def test_the_fast_way_settles_nearly_as_the_exact_one():
    logits, image, truth = noisy_scene(48, 60, 0)
    crf = CRF(alike_pixels=20, alike_grey=20)
    exact, fast = (refined(logits, image, crf, exact=each) for each in (True, False))
    assert (exact.argmax(0) == fast.argmax(0)).mean() > 0.99
    assert (logits.argmax(0) == truth).mean() < 0.85
    assert (fast.argmax(0) == truth).mean() > 0.98


def test_a_large_image_is_drawn_to_its_edges():
    logits, image, truth = noisy_scene(150, 201, 1)
    assert (refined(logits, image, CRF(alike_grey=15)).argmax(0) == truth).mean() > 0.99


def test_without_iterations_nothing_changes():
    logits, image, _ = noisy_scene(9, 7, 2)
    assert np.allclose(np.exp(refined(logits, image, CRF(iterations=0))), softmax(logits, 0), atol=1e-6)


def test_a_uniform_field_stays_uniform():
    near, _ = fast_filters(np.zeros((70, 80, 3), np.uint8), CRF())
    same = normalised(near, (70, 80))(np.ones((3, 70, 80), np.float32))
    assert np.allclose(same[0], same[2])
    out = refined(np.zeros((3, 70, 80), np.float32), np.zeros((70, 80, 3), np.uint8), CRF())
    assert np.allclose(np.exp(out), 1 / 3, atol=1e-5)


def test_lengths_without_meaning_are_refused():
    with pytest.raises(InlayError, match="standard deviations positive"):
        CRF(alike_grey=0)
