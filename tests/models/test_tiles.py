"""Tiles put together again: nothing is lost at a border, and nothing is counted twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Classes, InlayError, Masks, Segmentation, SegmentClass
from inlay.core import placing
from inlay.models.decode.blend import Blend
from inlay.models.decode.tiles import Tiling, merge_tiles
from inlay.models.decode.views import agreed

CLASSES = Classes((SegmentClass("ground", "stuff"), SegmentClass("disc"), SegmentClass("other")))


def scene(seed, size=(48, 60), count=8):
    """Connected things of two classes over a ground, a partition, each thing in one piece."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: size[0], : size[1]]
    ids = np.ones(size, np.int64)
    for number in range(count):
        y, x, wide, high = rng.integers(0, size[0]), rng.integers(0, size[1]), *rng.integers(1, 22, 2)
        ids[((rows - y) / high) ** 2 + ((columns - x) / wide) ** 2 <= 1] = 2 + number
    masks, _ = Masks.from_ids(ids - 2, count).parts(4)
    ground = Masks.encode(ids == 1)
    class_id = np.concatenate([[0], 1 + rng.integers(0, 2, len(masks))]).astype(np.int32)
    number = np.concatenate([[0], 1 + np.arange(len(masks))]).astype(np.int32)
    score = rng.uniform(0.3, 1, len(class_id))
    whole = Segmentation(CLASSES, Masks.concat([ground, masks]), class_id, number, score)
    return whole[whole.masks.area() > 0]


def cut_into(tiling, whole):
    """What a perfect model sees in each tile."""
    parts = []
    for tile in tiling:
        seen = whole.replace(masks=placing.cut(whole.masks, tile.box), stated_box=None)
        parts.append((tile, seen[seen.masks.area() > 0]))
    return parts


def strings(segmentation):
    """Its segments in an order that does not matter."""
    return sorted(zip(segmentation.class_id.tolist(), segmentation.masks.to_strings()))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tile=st.integers(16, 64), overlap=st.integers(2, 8))
def test_a_scene_cut_anywhere_comes_back_whole(seed, tile, overlap):
    whole = scene(seed)
    tiling = Tiling(whole.size, tile, overlap)
    merged = merge_tiles(cut_into(tiling, whole), whole.size, CLASSES)
    assert strings(merged) == strings(whole)


def test_a_scene_cut_at_every_place_comes_back_whole():
    whole = scene(5)
    for tile in range(12, 61):
        merged = merge_tiles(cut_into(Tiling(whole.size, tile, 6), whole), whole.size, CLASSES)
        assert strings(merged) == strings(whole), tile


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tile=st.integers(16, 40))
def test_what_every_tile_sees_as_pieces_of_its_own_becomes_one_thing(seed, tile):
    rng = np.random.default_rng(seed)
    blobs = np.kron(rng.random((12, 15)) < 0.6, np.ones((4, 4))) > 0
    masks, _ = Masks.encode(blobs).parts(4)
    thing = Classes.of("blob")
    parts = []
    for part in Tiling(blobs.shape, tile, 6):
        pieces, _ = placing.cut(Masks.encode(blobs), part.box).parts(4)
        ones = np.ones(len(pieces))
        parts.append((part, Segmentation(thing, pieces, 0 * ones, 1 + np.arange(len(pieces)), ones)))
    merged = merge_tiles(parts, blobs.shape, thing)
    assert sorted(merged.masks.to_strings()) == sorted(masks.to_strings())


def test_a_poor_piece_at_a_border_does_not_join_two_neighbours():
    size, classes = (20, 60), Classes.of("disc")
    tiling = Tiling(size, 40, 20)
    left, right = tiling
    pixels = np.zeros((2, *size), np.bool_)
    pixels[0, 5:15, 21:28], pixels[1, 5:15, 28:35] = True, True
    whole = Segmentation(classes, Masks.encode(pixels), [0, 0], [1, 2], np.array([0.9, 0.8]))
    muddled = np.zeros((1, 20, 40), np.bool_)
    muddled[0, 5:15, 0:15] = True  # one piece over both, cut by the border of its tile
    poor = Segmentation(classes, Masks.encode(muddled), [0], [1], np.array([0.5]))
    seen = whole.replace(masks=placing.cut(whole.masks, left.box))
    merged = merge_tiles([(left, seen), (right, poor)], size, classes)
    assert strings(merged) == strings(whole)


def test_tiles_without_a_thing_give_none():
    tiling = Tiling((30, 50), 20, 5)
    empty = [(tile, Segmentation.empty(CLASSES, (20, 20)).replace(score=np.empty(0))) for tile in tiling]
    assert len(merge_tiles(empty, (30, 50), CLASSES)) == 0


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    tile=st.integers(8, 40),
    share=st.floats(0, 0.5),
)
def test_tiles_cover_the_image_and_overlap_as_much_as_asked(height, width, tile, share):
    overlap = int(share * tile)
    tiles = list(Tiling((height, width), tile, overlap))
    seen = np.zeros((height, width), np.int64)
    for each in tiles:
        assert each.height == min(tile, height)
        assert each.width == min(tile, width)
        seen[each.top : each.top + each.height, each.left : each.left + each.width] += 1
    assert seen.min() >= 1
    for starts, length in (({t.top for t in tiles}, height), ({t.left for t in tiles}, width)):
        assert all(b - a <= min(tile, length) - overlap for a, b in zip(sorted(starts), sorted(starts)[1:]))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), tile=st.integers(8, 40), share=st.floats(0, 0.5))
def test_blended_tiles_of_logits_that_agree_are_the_logits_of_the_whole(seed, tile, share):
    rng = np.random.default_rng(seed)
    size = tuple(rng.integers(1, 60, 2).tolist())
    logits = rng.normal(0, 3, (4, *size)).astype(np.float32)
    tiling = Tiling(size, tile, int(share * tile))
    blend = Blend(tiling, 4)
    for each in tiling:
        x0, y0, x1, y1 = each.box
        blend.add(each, logits[:, y0:y1, x0:x1])
    found = blend.segmentation(CLASSES)
    ids = logits.argmax(0)
    assert np.array_equal(found.semantic(void=3), ids)
    sure = np.exp(logits.max(0)) / np.exp(logits).sum(0)
    wanted = [sure[ids == row].mean() for row in found.class_id]
    assert found.score == pytest.approx(wanted, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), overlap=st.integers(8, 16))
def test_what_a_tile_says_beside_its_border_has_no_say_where_another_sees_more(seed, overlap):
    rng = np.random.default_rng(seed)
    size, tiling = (40, 50), Tiling((40, 50), 32, overlap)
    truth = rng.integers(0, 3, size)
    blend = Blend(tiling, 3)
    for each in tiling:
        logits = np.eye(3, dtype=np.float32)[truth[each.top : each.top + 32, each.left : each.left + 32]]
        logits = logits.transpose(2, 0, 1).copy()
        margin = overlap // 4
        wild = rng.normal(0, 100, logits.shape).astype(np.float32)
        if each.top > 0:
            logits[:, :margin] = wild[:, :margin]
        if each.top + 32 < size[0]:
            logits[:, 32 - margin :] = wild[:, 32 - margin :]
        if each.left > 0:
            logits[:, :, :margin] = wild[:, :, :margin]
        if each.left + 32 < size[1]:
            logits[:, :, 32 - margin :] = wild[:, :, 32 - margin :]
        blend.add(each, logits)
    assert np.array_equal(blend.segmentation(CLASSES).semantic(), truth)


@pytest.mark.parametrize(("tile", "overlap"), [(4, 0), (64, 33), (64, -1)])
def test_tiles_that_cannot_be_are_refused(tile, overlap):
    with pytest.raises(InlayError, match="overlap is at most half"):
        Tiling((100, 100), tile, overlap)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_two_views_that_agree_are_one(seed):
    whole = scene(seed)
    both = agreed(whole, whole)
    assert strings(both) == strings(whole)
    assert sorted(both.score) == pytest.approx(sorted(whole.score))


def test_what_one_view_alone_shows_has_half_its_score():
    whole = scene(3)
    both = agreed(whole[:-1], whole)
    alone = [mask in whole[-1].masks.to_strings() for mask in both.masks.to_strings()]
    assert both.score[np.array(alone)] == pytest.approx(whole.score[-1:] / 2)
    assert len(both) == len(whole)
