"""Cut, pasted, mirrored, turned and scaled masks against plain numpy and Pillow."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.often import many

from inlay import InlayError, Masks
from inlay.core.placing import cut, flip, paste, resize, shift, transpose, turn

from .random_masks import MANY, small_stacks, stacks

OFFSETS = st.integers(-80, 80)
SIDES = st.integers(0, 40)


def pasted(stack, height, width, x, y):
    """Pixel by pixel."""
    out = np.zeros((len(stack), height, width), bool)
    for row in range(height):
        for column in range(width):
            if 0 <= row - y < stack.shape[1] and 0 <= column - x < stack.shape[2]:
                out[:, row, column] = stack[:, row - y, column - x]
    return out


def shares(old, new):
    """(new, old) how much of each new pixel each old one covers, exactly."""
    return np.array(
        [
            [
                max(
                    Fraction(0),
                    min(Fraction(k + 1), Fraction((j + 1) * new, old)) - max(k, Fraction(j * new, old)),
                )
                for j in range(old)
            ]
            for k in range(new)
        ]
    ).reshape(new, old)


@settings(**MANY)
@given(small_stacks, SIDES, SIDES, st.integers(-20, 20), st.integers(-20, 20))
def test_pasting_copies_every_pixel_that_fits(stack, height, width, x, y):
    placed = paste(Masks.encode(stack), (height, width), x=x, y=y)
    assert placed.size == (height, width)
    assert np.array_equal(placed.decode(), pasted(stack, height, width, x, y))


@settings(**MANY)
@given(stacks, OFFSETS, OFFSETS, SIDES, SIDES)
def test_a_cut_is_the_slice_of_the_image_with_nothing_around(stack, x, y, width, height):
    around = np.pad(stack, ((0, 0), (80, 120), (80, 120)))
    wanted = around[:, 80 + y : 80 + y + height, 80 + x : 80 + x + width]
    found = cut(Masks.encode(stack), (x, y, x + width, y + height))
    assert found.equals(Masks.encode(wanted))


@settings(**MANY)
@given(stacks, OFFSETS, OFFSETS)
def test_a_shift_moves_and_cuts_off(stack, x, y):
    height, width = stack.shape[1:]
    masks = Masks.encode(stack)
    assert shift(masks, x, y).equals(cut(masks, (-x, -y, width - x, height - y)))
    assert shift(masks, 0, 0).equals(masks)


@settings(**MANY)
@given(stacks)
def test_mirrored_and_turned_masks_are_those_of_numpy(stack):
    masks = Masks.encode(stack)
    assert flip(masks).equals(Masks.encode(stack[:, :, ::-1]))
    assert flip(masks, "y").equals(Masks.encode(stack[:, ::-1]))
    assert flip(masks, "both").equals(Masks.encode(stack[:, ::-1, ::-1]))
    assert transpose(masks).equals(Masks.encode(stack.transpose(0, 2, 1)))
    for quarters in range(-1, 5):
        assert turn(masks, quarters).equals(Masks.encode(np.rot90(stack, quarters, (1, 2))))


@settings(**MANY)
@given(stacks, st.integers(1, 90), st.integers(1, 90))
def test_nearest_takes_the_pixel_under_each_centre(stack, height, width):
    rows = ((2 * np.arange(height) + 1) * stack.shape[1]) // (2 * height)
    columns = ((2 * np.arange(width) + 1) * stack.shape[2]) // (2 * width)
    scaled = resize(Masks.encode(stack), (height, width))
    assert np.array_equal(scaled.decode(), stack[:, rows][:, :, columns])


@pytest.mark.parametrize("size", [(24, 32), (7, 9), (96, 101), (48, 64)])
def test_nearest_is_pillows(size):
    stack = np.random.default_rng(0).random((3, 48, 64)) < 0.5
    theirs = [
        np.asarray(Image.fromarray(mask).resize(size[::-1], Image.Resampling.NEAREST)) for mask in stack
    ]
    assert np.array_equal(resize(Masks.encode(stack), size).decode(), theirs)


@settings(max_examples=many(300), deadline=None)
@given(small_stacks, st.integers(1, 20), st.integers(1, 20))
def test_area_keeps_pixels_that_are_covered_by_more_than_half(stack, height, width):
    down, across = shares(stack.shape[1], height), shares(stack.shape[2], width)
    wanted = [(down @ mask.astype(int) @ across.T) > Fraction(1, 2) for mask in stack]
    scaled = resize(Masks.encode(stack), (height, width), rule="area")
    assert np.array_equal(scaled.decode(), np.reshape(wanted, (len(stack), height, width)).astype(bool))


@settings(**MANY)
@given(small_stacks, st.integers(1, 3))
def test_both_rules_repeat_pixels_when_an_image_grows_by_whole_factors(stack, factor):
    wanted = Masks.encode(stack.repeat(factor, axis=1).repeat(factor, axis=2))
    for rule in ("nearest", "area"):
        assert resize(Masks.encode(stack), wanted.size, rule=rule).equals(wanted)


def test_images_without_a_pixel_can_be_placed():
    masks = Masks.empty((0, 5), 2)
    for placed in (paste(masks, (3, 4)), resize(masks, (3, 4)), resize(masks, (3, 4), rule="area")):
        assert placed.equals(Masks.empty((3, 4), 2))
    full = Masks.encode(np.ones((1, 3, 4)))
    for rule in ("nearest", "area"):
        assert resize(full, (0, 7), rule=rule).equals(Masks.empty((0, 7), 1))
    assert cut(full, (1, 1, 1, 2)).equals(Masks.empty((1, 0), 1))
    assert turn(masks).size == (5, 0)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda masks: cut(masks, (2, 0, 1, 1)),
        lambda masks: paste(masks, (-1, 3)),
        lambda masks: shift(masks, 10**15, 0),
        lambda masks: flip(masks, "z"),
        lambda masks: resize(masks, (2, 2), rule="cubic"),
        lambda masks: resize(masks, (2**17, 2**17)),
    ],
)
def test_an_impossible_place_is_refused(wrong):
    with pytest.raises(InlayError):
        wrong(Masks.empty((3, 3), 1))
