"""The classical engine: laws over any picture, and pictures in which one sees what must come out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import InlayError, Masks
from inlay.click import load, ready
from inlay.click.parts import features, pyramid

from .drawn import anything, disk, iou


@pytest.fixture(scope="module")
def engine():
    return load("classical")


@st.composite
def prompts(draw, least=1):
    height, width = draw(st.integers(1, 70)), draw(st.integers(1, 70))
    clicks = draw(
        st.lists(
            st.tuples(st.floats(0, width, width=32), st.floats(0, height, width=32), st.booleans()),
            min_size=least,
            max_size=5,
        )
    )
    return draw(st.integers(0, 2**32)), (height, width), [(*clicks[0][:2], True), *clicks[1:]]


def last_at(clicks, size):
    places = {(min(int(y), size[0] - 1), min(int(x), size[1] - 1)): positive for x, y, positive in clicks}
    return places.items()


def some_is_left(clicks, size):
    return any(positive for _, positive in last_at(clicks, size))


@given(prompts())
@settings(max_examples=40, deadline=None)
def test_positive_clicks_lie_inside_and_negative_ones_outside(prompt):
    seed, size, clicks = prompt
    state = load("classical").embed(anything(seed, *size))
    if not some_is_left(clicks, size):
        with pytest.raises(InlayError, match="where the segment is"):
            state.mask(clicks)
        return
    found = state.mask(clicks)
    assert found
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    for each in found:
        assert each.mask.shape == size
        assert each.mask.dtype == bool
        assert 0 <= each.score <= 1
        for place, positive in last_at(clicks, size):
            assert each.mask[place] == positive


@given(prompts(least=2), st.integers(1, 4))
@settings(max_examples=15, deadline=None)
def test_the_same_prompt_gives_the_same_masks_whatever_was_asked_before(prompt, asked):
    seed, size, clicks = prompt
    if not some_is_left(clicks, size):
        return
    image = anything(seed, *size)
    fresh = load("classical").embed(image).mask(clicks)
    used = load("classical").embed(image)
    if some_is_left(clicks[:asked], size):
        used.mask(clicks[:asked])
    used.mask([(0, 0, True)])
    again = used.mask(clicks)
    assert len(again) == len(fresh)
    for a, b in zip(fresh, again):
        assert np.array_equal(a.mask, b.mask)
        assert a.score == b.score


def test_one_click_finds_a_plain_disk_and_few_more_make_it_good(engine):
    image, truth = disk(noise=2)
    state = engine.embed(image)
    assert max(iou(each.mask, truth) for each in state.mask([(80, 60, True)])) > 0.85
    points = [(80, 60, True), (60, 60, True), (30, 60, False), (98, 68, True)]
    assert iou(state.mask(points)[0].mask, truth) > 0.9


def test_a_box_and_a_scribble_find_a_plain_disk(engine):
    image, truth = disk(noise=2)
    state = engine.embed(image)
    assert iou(state.mask(box=(48, 28, 112, 92))[0].mask, truth) > 0.9
    line = [(60 + 2 * k, 60 + 10 * np.sin(k / 3)) for k in range(20)]
    assert max(iou(each.mask, truth) for each in state.mask(scribble=line)) > 0.85
    mended = state.mask([(80, 60, True), (100, 60, True)], box=(48, 28, 112, 92))
    assert iou(mended[0].mask, truth) > 0.9


def test_mending_a_mask_changes_only_what_a_click_reaches(engine):
    image, truth = disk()
    wrong = truth.copy()
    wrong[:, 95:] = False  # cut off at the right
    wrong[10:14, 10:14] = True  # a speck that no click speaks of
    state = engine.embed(image)
    mended = state.mask([(101, 60, True)], mask=wrong)[0].mask
    assert mended[60, 101]
    assert iou(mended, truth) > iou(wrong, truth)
    assert mended[10:14, 10:14].all()
    again = state.mask([(101, 60, True)], mask=Masks.encode(wrong[None]))[0].mask
    assert np.array_equal(again, mended)
    without = state.mask([(12, 12, False)], mask=wrong)[0].mask
    assert not without[12, 12]
    assert without[60, 80]


def test_a_mask_alone_comes_back_much_as_it_was(engine):
    image, truth = disk()
    assert iou(engine.embed(image).mask(mask=truth)[0].mask, truth) > 0.97


def test_of_contradicting_clicks_in_one_pixel_the_last_wins(engine):
    image, _ = disk()
    state = engine.embed(image)
    both = [(80, 60, True), (90.2, 60.2, True), (90.7, 60.7, False)]
    assert not state.mask(both)[0].mask[60, 90]
    assert state.mask([both[0], both[2], both[1]])[0].mask[60, 90]


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ({}, "where the segment is"),
        ({"points": [(5, 5, False)]}, "where the segment is"),
        ({"points": [(5, 5, True), (161, 5, True)]}, r"click 2 at \(161, 5\) .* image of 160x120"),
        ({"points": [(float("nan"), 5, True)]}, "outside"),
        ({"points": [(5,)]}, "a click is"),
        ({"box": (10, 10, 10, 20)}, "is empty"),
        ({"box": (200, 10, 210, 20)}, "outside the image"),
        ({"box": (1, 2, 3)}, "a box is"),
        ({"box": (1, 2, float("inf"), 4)}, "a box is"),
        ({"scribble": [(-5, -5), (-9, -9)]}, "outside the image"),
        ({"scribble": [(float("nan"), 0)]}, "no number"),
        ({"mask": np.ones((3, 3), bool)}, "160x120"),
        ({"mask": Masks.encode(np.ones((1, 3, 3), bool))}, "160x120"),
        ({"mask": np.zeros((120, 160), bool)}, "where the segment is"),
    ],
)
def test_a_prompt_that_cannot_be_meant_is_refused_in_words(engine, prompt, words):
    with pytest.raises(InlayError, match=words):
        engine.embed(disk()[0]).mask(**prompt)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((4, 4), np.uint8), "shape"),
        (np.zeros((4, 4, 3), np.float32), "float32"),
        (np.zeros((0, 4, 3), np.uint8), "no pixels"),
    ],
)
def test_what_is_no_image_is_refused(engine, image, words):
    with pytest.raises(InlayError, match=words):
        engine.embed(image)


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 3)])
def test_the_smallest_images_have_segments_too(engine, size):
    image = np.full((*size, 3), 7, np.uint8)
    state = engine.embed(image)
    assert state.mask([(0, 0, True)])[0].mask[0, 0]
    assert state.mask(box=(0, 0, 1, 1))[0].mask.shape == size
    assert state.mask([(0, 0, False)], mask=np.ones(size, bool))[0].mask[0, 0] == np.False_


def test_a_large_image_costs_what_its_segment_costs(engine, monkeypatch):
    worked, read = [], []
    whole = np.full((6000, 8000, 3), (60, 90, 130), np.uint8)
    small, truth = disk(noise=0)
    whole[3000:3120, 4000:4160] = small
    state = engine.embed(whole)
    cut, real = pyramid.Pyramid.cut, pyramid.resampled

    def counted_cut(self, window, size):
        worked.append(size[0] * size[1])
        return cut(self, window, size)

    def counted_read(field, size, inner=None):
        read.append(field.shape[0] * field.shape[1])
        return real(field, size, inner)

    monkeypatch.setattr(pyramid.Pyramid, "cut", counted_cut)
    monkeypatch.setattr(pyramid, "resampled", counted_read)
    found = state.mask([(4080, 3060, True)])
    assert sum(worked) < 400_000
    assert sum(read) < 10_000_000  # of 48 million
    assert max(iou(each.mask[3000:3120, 4000:4160], truth) for each in found) > 0.8
    worked.clear()
    read.clear()
    state.mask([(4080, 3060, True), (4060, 3060, True)])
    assert sum(worked) < 150_000
    assert sum(read) < 2_000_000


def test_a_segment_as_large_as_a_large_image_is_whole(engine):
    image, truth = disk(1200, 1600, (800, 600), 480, noise=2)
    state = engine.embed(image)
    points = [(800, 600, True), (480, 600, True), (80, 80, False), (1200, 700, True)]
    assert iou(state.mask(points)[0].mask, truth) > 0.9


def test_engines_stand_beside_one_another_and_wrong_names_are_refused(tmp_path):
    assert ready()[0] == "classical"
    with pytest.raises(InlayError, match="classical"):
        load("magic")
    (tmp_path / "weights.bin").write_bytes(b"\x80\x04nonsense")
    with pytest.raises(InlayError, match="no weights that a click engine knows"):
        load(tmp_path / "weights.bin")


def test_several_threads_ask_one_state(engine):
    image, _ = disk()
    state = engine.embed(image)
    prompts = [[(80, 60, True), (60 + k % 4, 60, True)] for k in range(16)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda points: state.mask(points)[0].mask, prompts))
    for k, mask in enumerate(found):
        assert np.array_equal(mask, found[k % 4])


def test_features_are_numbers_at_any_prompt():
    image = pyramid.Pyramid(np.zeros((30, 40, 3), np.uint8))
    seen = features.look(image, (0, 0, 40, 30), [(3, 3, True), (5, 5, False)], longest=16)
    assert np.isfinite(seen.columns).all()
