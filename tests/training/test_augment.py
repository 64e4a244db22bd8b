"""Laws of augmentation: maps go the way of the image, and nothing is mixed or invented."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay.models.parts.targets import VOID
from inlay.training.augment import LARGEST, mirrored, recoloured, resized, transposed, vary, without_empty
from inlay.training.batches import target_of
from inlay.training.config import Augment
from inlay.training.examples import Example


@st.composite
def examples(draw):
    """An example whose image shows its semantic classes and things, so that both can be read off it."""
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    semantic = rng.integers(-1, 4, (height, width)).astype(np.int16)
    count = draw(st.integers(0, 5))
    layers = rng.integers(0, count + 1, (draw(st.integers(1, 2)) if count else 0, height, width)).astype(
        np.int32
    )
    if len(layers) == 2:
        layers[0][layers[0] > count // 2] = 0
        layers[1][layers[1] <= count // 2] = 0
    image = np.stack([semantic + 1, layers.sum(0) if count else 0 * semantic, 0 * semantic], 2).astype(
        np.uint8
    )
    return Example(image, semantic, rng.random((height, width)) < 0.1, layers, rng.integers(0, 3, count))


crops = st.tuples(st.integers(8, 48), st.integers(8, 48))
STILL = Augment(brightness=0.0, contrast=0.0, saturation=0.0, gamma=0.0)


@settings(max_examples=60, deadline=None)
@given(example=examples(), crop=crops, seed=st.integers(0, 2**32 - 1), turn=st.booleans())
def test_no_value_of_a_map_is_invented(example, crop, seed, turn):
    settings_ = Augment(crop=crop, scale=(0.5, 2.0), turn=turn, noise=3.0, invert=0.5)
    varied = vary(example, settings_, np.random.default_rng(seed))
    assert varied.size == crop
    assert set(np.unique(varied.semantic)) <= set(np.unique(example.semantic)) | {VOID}
    count = len(varied.class_id)
    assert count <= len(example.class_id)
    assert set(np.unique(varied.layers)) - {0} == set(range(1, count + 1))  # each kept thing is seen
    assert varied.image.dtype == np.uint8


@settings(max_examples=60, deadline=None)
@given(example=examples(), crop=crops, seed=st.integers(0, 2**32 - 1), turn=st.booleans())
def test_without_scaling_maps_and_image_stay_together(example, crop, seed, turn):
    settings_ = Augment(**{**vars(STILL), "crop": crop, "scale": (1.0, 1.0), "turn": turn})
    varied = vary(example, settings_, np.random.default_rng(seed))
    inside = varied.image[..., 0] > 0
    assert np.array_equal(varied.image[..., 0][inside], (varied.semantic + 1)[inside])


@settings(max_examples=40, deadline=None)
@given(example=examples())
def test_mirrors_and_transposition_undo_themselves(example):
    for change in (lambda e: mirrored(e, axis=0), lambda e: mirrored(e, axis=1), transposed):
        again = change(change(example))
        assert all(np.array_equal(a, b) for a, b in zip(vars(again).values(), vars(example).values()))


def test_outside_the_image_lies_black_void_ignored_and_empty():
    example = Example(
        np.full((4, 4, 3), 200, np.uint8),
        np.zeros((4, 4), np.int16),
        np.zeros((4, 4), np.bool_),
        np.ones((1, 4, 4), np.int32),
        np.zeros(1, np.int64),
    )
    around = resized(example, (-2, -3, 8, 10), (8, 10))
    inside = np.zeros((8, 10), np.bool_)
    inside[2:6, 3:7] = True
    assert np.array_equal(around.image[..., 0] == 200, inside)
    assert np.array_equal(around.semantic == 0, inside)
    assert np.array_equal(around.ignored, ~inside)
    assert np.array_equal(around.layers[0] == 1, inside)


def test_a_thing_that_the_crop_misses_is_dropped_and_the_rest_numbered_anew():
    layers = np.zeros((1, 4, 4), np.int32)
    layers[0, 0, 0], layers[0, 3, 3] = 2, 3
    example = Example(
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((4, 4), np.int16),
        np.zeros((4, 4), np.bool_),
        layers,
        np.array([5, 6, 7]),
    )
    kept = without_empty(example)
    assert kept.class_id.tolist() == [6, 7]
    assert kept.layers[0, 0, 0] == 1
    assert kept.layers[0, 3, 3] == 2


@settings(max_examples=60, deadline=None)
@given(example=examples())
def test_boxes_and_centres_are_measured_on_the_pixels(example):
    example = without_empty(example)
    target = target_of(example)
    assert len(target) == len(example.class_id)
    for row in range(len(target)):
        (mask,) = target.masks(target.class_id.new_tensor([row])).numpy()
        rows, columns = np.nonzero(mask)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert target.boxes[row].tolist() == box
        assert target.centres[row].tolist() == pytest.approx(
            [columns.mean() + 0.5, rows.mean() + 0.5], abs=1e-4
        )
        assert mask.sum() == (example.layers == row + 1).sum()


def test_colours_change_without_moving_a_pixel():
    image = np.zeros((8, 8, 3), np.uint8)
    image[2:4, 2:4] = (200, 100, 50)
    strong = Augment(brightness=0.3, contrast=0.3, saturation=0.3, gamma=0.3)
    changed = recoloured(image, strong, np.random.default_rng(3))
    patch, around = changed[2:4, 2:4].reshape(-1, 3), changed[4:].reshape(-1, 3)
    assert (patch == patch[0]).all()
    assert (around == around[0]).all()
    assert (patch[0] != around[0]).any()


def test_augmentation_is_settled_by_its_seed():
    rng = np.random.default_rng(0)
    semantic = rng.integers(0, 3, (30, 30)).astype(np.int16)
    example = Example(
        rng.integers(0, 255, (30, 30, 3)).astype(np.uint8),
        semantic,
        semantic < 0,
        np.zeros((0, 30, 30), np.int32),
        np.zeros(0, np.int64),
    )
    one, two = (vary(example, Augment(crop=(16, 16)), np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one.image, two.image)
    assert np.array_equal(one.semantic, two.semantic)


@settings(max_examples=60, deadline=None)
@given(
    side=st.integers(4, 60),
    place=st.tuples(st.integers(0, 140), st.integers(0, 100)),
    share=st.floats(0.05, 1.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_focused_crop_shows_a_whole_thing_at_its_share_of_the_crop(side, place, share, seed):
    layers = np.zeros((1, 200, 160), np.int32)
    layers[0, place[0] : place[0] + side, place[1] : place[1] + side // 2] = 1
    blank = np.full((200, 160), VOID, np.int16)
    example = Example(
        np.zeros((200, 160, 3), np.uint8), blank, np.zeros((200, 160), np.bool_), layers, np.zeros(1, int)
    )
    crop = Augment(**{**vars(STILL), "crop": (96, 128), "focus": (share, share)})
    seen = vary(example, crop, np.random.default_rng(seed)).layers.any(0)
    enlarged = min(share * 96 / side, LARGEST)
    assert abs(np.ptp(np.flatnonzero(seen.any(1))) + 1 - side * enlarged) <= 2 * enlarged + 1
    assert abs(np.ptp(np.flatnonzero(seen.any(0))) + 1 - side // 2 * enlarged) <= 2 * enlarged + 1


def test_a_crop_focuses_on_nothing_where_there_is_no_thing():
    blank = np.full((50, 50), VOID, np.int16)
    nothing = np.zeros((0, 50, 50), np.int32)
    example = Example(
        np.zeros((50, 50, 3), np.uint8), blank, np.zeros((50, 50), np.bool_), nothing, np.zeros(0, int)
    )
    varied = vary(example, Augment(crop=(32, 32), focus=(0.2, 0.8)), np.random.default_rng(0))
    assert varied.size == (32, 32)
