"""Laws of examples made of several: a pixel and all that is said of it come from one place of one image."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import InlayError
from inlay.models.parts.targets import VOID
from inlay.training.augment import resized, warped
from inlay.training.batches import target_of
from inlay.training.config import Augment, Training
from inlay.training.examples import Example
from inlay.training.mixing import laid_over, mixed, mosaic, pasted


def example(seed, size=(40, 52), things=4):
    """Things on a ground; the image shows class and number of each pixel, so that both can be read off it."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: size[0], : size[1]]
    numbers = np.zeros(size, np.int32)
    for number in range(1, things + 1):
        y, x, radius = rng.integers(0, size[0]), rng.integers(0, size[1]), rng.integers(3, 12)
        numbers[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = number
    class_id = rng.integers(0, 3, things)
    semantic = np.concatenate([[3], class_id])[numbers].astype(np.int16)
    identity = 1 + (seed % 50) * 5 + numbers  # one grey value for each thing of each image
    image = np.stack([semantic + 1, identity, 0 * semantic + 9], 2).astype(np.uint8)
    present = np.unique(numbers[numbers > 0])
    renumber = np.zeros(things + 1, np.int32)
    renumber[present] = np.arange(1, len(present) + 1)
    layers = renumber[numbers][None] if len(present) else np.zeros((0, *size), np.int32)
    return Example(image, semantic, np.zeros(size, np.bool_), layers, class_id[present - 1])


def check(varied, crop):
    """Image, classes and things tell the same, and each thing is seen, is one thing, of one class."""
    assert varied.size == crop
    seen = varied.image[..., 2] == 9
    assert np.array_equal(varied.image[..., 0][seen], (varied.semantic + 1)[seen])
    assert (varied.semantic[~seen] == VOID).all()
    numbers = varied.layers.max(0) if len(varied.layers) else np.zeros(crop, np.int32)
    assert set(np.unique(varied.layers)) - {0} == set(range(1, len(varied.class_id) + 1))
    assert (np.count_nonzero(varied.layers, axis=0) <= 1).all()
    for number, class_id in enumerate(varied.class_id, start=1):
        assert np.unique(varied.image[numbers == number, 1]).size == 1
        assert (varied.semantic[numbers == number] == class_id).all()
    assert len(target_of(varied)) == len(varied.class_id)


CALM = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "gamma": 0.0, "scale": (1.0, 1.0)}


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    crop=st.tuples(st.integers(8, 60), st.integers(8, 60)),
    shares=st.tuples(*[st.sampled_from([0.0, 1.0])] * 3),
)
def test_a_pixel_and_what_is_said_of_it_come_from_one_image(seed, crop, shares):
    names = ("mosaic", "copy_paste", "cutmix")
    augment = Augment(**CALM, crop=crop, **dict(zip(names, shares)))
    examples = [example(seed + k, things=k) for k in range(5)]
    check(mixed(examples, 2, augment, np.random.default_rng(seed)), crop)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), rotate=st.floats(-180, 180), shear=st.floats(-40, 40))
def test_turning_and_shearing_invent_no_value_and_move_maps_with_the_image(seed, rotate, shear):
    one = example(seed)
    for number in range(1, len(one.class_id) + 1):  # an image whose interpolation can be read
        one.image[one.layers[0] == number, 2] = 255
    varied = warped(one, (0, 0, *one.size), (44, 50), rotate, shear)
    assert set(np.unique(varied.semantic)) <= set(np.unique(one.semantic)) | {VOID}
    assert set(np.unique(varied.layers)) <= set(np.unique(one.layers)) | {0}
    assert varied.ignored[varied.semantic == VOID].all()
    bright = varied.image[..., 2] > 132
    known = ~varied.ignored
    assert np.mean((bright == (varied.layers[0] > 0))[known]) > 0.9 if known.any() else True


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), top=st.integers(-9, 20), left=st.integers(-9, 20))
def test_not_turned_and_not_sheared_is_the_plain_crop(seed, top, left):
    one = example(seed)
    window = (top, left, 24, 30)
    plain, same = resized(one, window, (24, 30)), warped(one, window, (24, 30), 0.0, 0.0)
    for name in ("image", "semantic", "ignored", "layers"):
        assert np.array_equal(getattr(plain, name), getattr(same, name)), name


def test_a_pasted_thing_hides_what_lies_under_it_and_nothing_else_changes():
    below, above = example(1), example(2)
    after = pasted(below, above, np.random.default_rng(0))
    changed = (after.image != below.image).any(2)
    assert changed.any()
    assert np.array_equal(after.image[changed], above.image[changed])
    assert (above.layers[0][changed] > 0).all()


def test_what_is_covered_whole_is_dropped():
    below, above = example(1), example(2, things=0)
    after = laid_over(below, above, np.ones(below.size, np.bool_))
    assert len(after.class_id) == 0
    assert np.array_equal(after.image, above.image)


def test_a_mosaic_shows_four_images():
    settings_ = Augment(**CALM, crop=(40, 52), mosaic=1.0, flip=False)
    examples = [example(k, things=0) for k in range(40)]
    shown = [
        len(np.unique(mosaic(examples, 0, settings_, np.random.default_rng(seed)).image[..., 1]))
        for seed in range(10)
    ]
    assert max(shown) == 4


@pytest.mark.parametrize("wrong", [{"mosaic": 1.5}, {"cutmix": -0.1}, {"rotate": 200.0}, {"shear": 85.0}])
def test_shares_and_angles_out_of_range_are_refused(wrong):
    with pytest.raises(InlayError, match=next(iter(wrong))):
        Training(augment=Augment(**wrong))
