"""Grown and shrunk masks against OpenCV and plain numpy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import InlayError, Masks
from inlay.core.morphology import band_width, boundary_band, dilate, erode

from .random_masks import MANY, stacks

RADII = st.integers(0, 9)


def neighbourhood(stack, offsets, every):
    """Whether every (or any) pixel at the offsets is foreground; outside the image none is."""
    reach = max((max(abs(x), abs(y)) for x, y in offsets), default=0)
    padded = np.pad(stack, ((0, 0), (reach, reach), (reach, reach)))
    _, height, width = stack.shape
    shifted = [padded[:, reach + y : reach + y + height, reach + x : reach + x + width] for x, y in offsets]
    return np.logical_and.reduce(shifted) if every else np.logical_or.reduce(shifted)


def offsets_within(radius, disk):
    reach = range(-int(radius), int(radius) + 1)
    return [(x, y) for x in reach for y in reach if not disk or x * x + y * y <= radius * radius]


def paper_band(mask, width):
    """Boundary IoU's own steps: frame the mask with nothing, erode it by rounds of 3x3, take the rest."""
    framed = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    eroded = cv2.erode(framed, np.ones((3, 3), np.uint8), iterations=width)
    return mask & ~eroded[1:-1, 1:-1].astype(bool)


def ellipse(size, centre, radii, turn):
    canvas = np.zeros(size, np.uint8)
    cv2.ellipse(canvas, centre, radii, turn, 0, 360, 1, -1)
    return canvas.astype(bool)


ellipses = st.builds(
    ellipse,
    st.just((48, 64)),
    st.tuples(st.integers(-5, 70), st.integers(-5, 53)),
    st.tuples(st.integers(0, 40), st.integers(0, 40)),
    st.integers(0, 180),
)


@settings(**MANY)
@given(stacks, RADII)
def test_a_square_erodes_and_dilates_as_rounds_of_3x3_do(stack, radius):
    masks, kernel = Masks.encode(stack), np.ones((3, 3), np.uint8)
    edge = {"borderType": cv2.BORDER_CONSTANT, "borderValue": 0}
    shrunk = [cv2.erode(mask.astype(np.uint8), kernel, iterations=radius, **edge) for mask in stack]
    grown = [cv2.dilate(mask.astype(np.uint8), kernel, iterations=radius, **edge) for mask in stack]
    assert erode(masks, radius).equals(Masks.encode(np.reshape(shrunk, stack.shape)))
    assert dilate(masks, radius).equals(Masks.encode(np.reshape(grown, stack.shape)))


@settings(**MANY)
@given(stacks, st.floats(0, 6), st.sampled_from(["square", "disk"]))
def test_both_elements_look_at_their_neighbourhood_alone(stack, radius, element):
    radius = int(radius) if element == "square" else radius
    masks, offsets = Masks.encode(stack), offsets_within(radius, element == "disk")
    eroded, dilated = erode(masks, radius, element=element), dilate(masks, radius, element=element)
    assert eroded.equals(Masks.encode(neighbourhood(stack, offsets, every=True)))
    assert dilated.equals(Masks.encode(neighbourhood(stack, offsets, every=False)))


@settings(**MANY)
@given(stacks, st.integers(0, 20))
def test_a_boundary_band_is_that_of_boundary_iou(stack, width):
    wanted = np.reshape([paper_band(mask, width) for mask in stack], stack.shape)
    assert boundary_band(Masks.encode(stack), width).equals(Masks.encode(wanted))


@settings(**MANY)
@given(st.lists(ellipses, min_size=1, max_size=6), st.integers(1, 12))
def test_bands_of_smooth_masks_are_those_of_boundary_iou(ellipses, width):
    wanted = np.stack([paper_band(mask, width) for mask in ellipses])
    assert boundary_band(Masks.encode(np.stack(ellipses)), width).equals(Masks.encode(wanted))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_do_not_change_the_result(threads):
    rng = np.random.default_rng(0)
    masks = Masks.encode(rng.random((40, 200, 120)) < 0.9)
    assert dilate(masks, 2, threads=threads).equals(dilate(masks, 2))
    assert erode(masks, 1, threads=threads).equals(erode(masks, 1))
    assert boundary_band(masks, 1, threads=threads).equals(boundary_band(masks, 1))


def test_a_radius_beyond_the_image_empties_or_fills_it():
    masks = Masks.encode(np.eye(7, dtype=bool))
    for element in ("square", "disk"):
        assert erode(masks, 10**12, element=element).area().tolist() == [0]
        assert dilate(masks, 10**12, element=element).area().tolist() == [49]
    assert boundary_band(masks, 10**12).equals(masks)


def test_the_width_of_a_band_is_a_share_of_the_diagonal():
    assert band_width((480, 640)) == 16
    assert band_width((3, 4)) == 1
    assert band_width((300, 400), 0.005) == 2


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_images_without_a_pixel_stay_empty(size):
    masks = Masks.empty(size, 2)
    assert erode(masks, 1).equals(masks)
    assert dilate(masks, 1, element="disk").equals(masks)
    assert boundary_band(masks, 1).equals(masks)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda masks: erode(masks, -1),
        lambda masks: dilate(masks, 1.5),
        lambda masks: erode(masks, float("nan")),
        lambda masks: boundary_band(masks, -2),
        lambda masks: dilate(masks, 1, element="star"),
    ],
)
def test_an_impossible_radius_or_element_is_refused(wrong):
    with pytest.raises(InlayError):
        wrong(Masks.empty((3, 3), 1))
