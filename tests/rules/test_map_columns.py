"""Columns of whole label maps: numbers that slipped, maps blended or turned, a sky below the horizon."""

from __future__ import annotations

import numpy as np
import pytest

from inlay import scenes
from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.rules import check
from inlay.rules.columns import alignment, blending, horizon, shape
from inlay.rules.tables import ImageTable, SegmentTable, UnknownError

NAMES = ("sky", "building", "road", "lawn", "water", "wall")
CLASSES = Classes(tuple(SegmentClass(name, "stuff") for name in NAMES))


def from_map(ids, image=None, name="x", **columns):
    label = Segmentation.from_semantic(ids, CLASSES)
    return Sample(name, image, label.replace(**columns) if columns else label)


def bands(random, size=(40, 60), numbers=(0, 1, 2, 3)):
    """Stripes of classes from the top down, whose borders differ a little between images."""
    cuts = np.cumsum([0, *(size[0] // len(numbers) + random.integers(-2, 3, len(numbers) - 1))])
    ids = np.full(size, numbers[-1])
    for number, start, stop in zip(numbers, cuts, cuts[1:]):
        ids[start:stop] = number
    return ids


def coloured(ids, seed=0):
    noise = np.random.default_rng(seed).normal(0, 4, (*ids.shape, 3))
    return np.clip(np.array([200, 120, 60, 160, 90, 30])[ids][..., None] + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shift", [1, -1])
def test_numbers_off_by_one_in_some_images_are_found_there_and_nowhere_else(shift):
    random = np.random.default_rng(3)
    wrong = {2, 7, 11}
    samples = []
    for number in range(16):
        ids = bands(random, numbers=(1, 2, 3, 4))
        samples.append(from_map(ids + shift * (number in wrong), name=str(number)))
    found = [
        each
        for each in check(Dataset.of(samples, CLASSES), packs=["schema"])
        if each.rule == "numbers-shifted"
    ]
    assert {each.image for each in found} == {str(number) for number in wrong}
    assert {each.measured for each in found} == {shift}


def test_a_few_images_say_nothing_about_numbers():
    random = np.random.default_rng(3)
    samples = [from_map(bands(random) + (number == 2), name=str(number)) for number in range(5)]
    assert not [
        each for each in check(Dataset.of(samples, CLASSES), packs=["schema"]) if each.severity != "info"
    ]


def test_a_map_that_was_resized_with_smoothing_is_found_and_the_same_map_is_not():
    from PIL import Image

    ids = np.zeros((80, 80), np.uint8)
    ids[30:] = 2
    ids[20:60, 30:50] = 5
    ids[60:, :20] = 4
    small = Image.fromarray(ids).resize((40, 40), Image.Resampling.BILINEAR)
    blended = np.array(small.resize((80, 80), Image.Resampling.BILINEAR))
    assert blending.blended_frac(ImageTable(from_map(blended))) > 0.6
    assert blending.blended_frac(ImageTable(from_map(ids))) == 0
    assert blending.blended_px(ImageTable(from_map(ids))) == 0


def test_one_class_of_outlines_between_two_others_is_no_blending():
    ids = np.zeros((60, 60), np.int64)
    ids[10:50, 10:50] = 1
    ids[12:48, 12:48] = 2
    assert blending.blended_px(ImageTable(from_map(ids))) == 0


@pytest.mark.parametrize("turn", [(-1, -1), (1, -1), (-1, 1)])
def test_a_label_that_is_turned_or_mirrored_lies_better_the_right_way_round(turn):
    ids = np.zeros((60, 90), np.int64)
    ids[34:] = 2
    ids[10:40, 5:25] = 1
    ids[45:55, 60:75] = 4
    image = coloured(ids)
    assert alignment.turned_gain(ImageTable(from_map(ids, image))) < 0
    assert alignment.turned_how(ImageTable(from_map(ids, image))) == "as it is"
    spoilt = ImageTable(from_map(ids[:: turn[0], :: turn[1]].copy(), image))
    assert alignment.turned_gain(spoilt) > 0.06
    assert alignment.edge_fit(spoilt) < alignment.edge_fit(ImageTable(from_map(ids, image)))


def test_without_an_image_or_with_one_of_another_shape_the_fit_is_unknown():
    ids = bands(np.random.default_rng(0))
    for image in (None, np.zeros((9, 9, 3), np.uint8)):
        with pytest.raises(UnknownError):
            alignment.edge_fit(ImageTable(from_map(ids, image)))


def test_images_in_files_are_looked_at_as_their_label_lies(tmp_path):
    from PIL import Image

    ids = np.zeros((300, 700), np.int64)
    ids[120:] = 2
    ids[50:200, 40:200] = 1
    for name in ("x.png", "x.jpg"):
        Image.fromarray(coloured(ids)).save(tmp_path / name)
        assert alignment.edge_fit(ImageTable(from_map(ids, tmp_path / name))) > 0.9
        assert alignment.turned_gain(ImageTable(from_map(ids[::-1], tmp_path / name))) > 0.06


def test_the_horizon_is_where_the_ground_begins_or_what_the_image_says():
    ids = np.zeros((40, 60), np.int64)
    ids[18:] = 1
    ids[22:] = 2
    sample = from_map(ids)
    assert horizon.horizon(ImageTable(sample)) == pytest.approx(22 / 40)
    assert horizon.below_horizon_frac(SegmentTable(sample.label())).tolist() == pytest.approx([0, 0, 1])
    told = from_map(ids, image_tags=frozenset({"horizon=20"}))
    assert horizon.horizon(ImageTable(told)) == 0.5
    assert horizon.below_horizon_frac(SegmentTable(told.label()))[1] == pytest.approx(0.5)
    assert np.isnan(horizon.horizon(ImageTable(from_map(np.zeros((9, 9), np.int64)))))


def test_a_crowd_is_ragged_and_one_thing_is_not():
    label = Segmentation.from_semantic(bands(np.random.default_rng(1)), CLASSES)
    masks = np.zeros((2, 40, 60), np.bool_)
    masks[0, 5:20, 5:30] = True
    masks[1, 30:32, 5:8] = masks[1, 25:28, 40:42] = True
    label = Segmentation(
        Classes.of("cell"),
        Masks.encode(masks),
        np.zeros(2, np.int32),
        np.array([1, 2]),
        crowd=np.array([True] * 2),
    )
    full, ragged = shape.crowd_solidity(SegmentTable(label))
    assert full == 1 and ragged < 0.3
    body, pieces = shape.crowd_body_frac(SegmentTable(label))
    assert body == 1 and pieces == 0.5
    alone = SegmentTable(label.replace(crowd=np.array([False] * 2)))
    for column in (shape.crowd_solidity, shape.crowd_body_frac):
        assert np.isnan(column(alone)).all()


def test_rendered_maps_raise_none_of_these():
    found = check(scenes.make("street", 12, size=(120, 160), seed=4))
    assert not {each.rule for each in found} & {
        "numbers-shifted",
        "map-blended",
        "map-turned",
        "sky-below-horizon",
    }
