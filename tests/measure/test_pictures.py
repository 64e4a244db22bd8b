"""Poses, cut-outs and backgrounds."""

import numpy as np
import pytest
from scipy import ndimage

from inlay import Classes, InlayError, Masks, Segmentation
from inlay.measure import alpha, blur_background, cut_out, pick_order, replace_background, steady


def part(*boxes, size=(60, 60)):
    stack = np.zeros((len(boxes), *size), bool)
    for row, (x0, y0, x1, y1) in enumerate(boxes):
        stack[row, y0:y1, x0:x1] = True
    return Masks.encode(stack)


def test_what_lies_on_top_is_picked_first():
    full = part((0, 0, 30, 10), (20, 0, 50, 12), (40, 5, 60, 40))
    rows = np.zeros(3, np.int32)
    stack = Segmentation(Classes.of("bolt"), full, rows, rows + 1, amodal=full).flatten()
    first, second, third = pick_order(stack)
    assert [pose.row for pose in (first, second, third)] == [2, 1, 0]
    assert [pose.turn for pose in (first, second, third)] == [1, 2, 3]
    assert second.under == (2,)
    assert first.visible == 1.0
    assert second.visible == pytest.approx(1 - 70 / 360)


@pytest.mark.parametrize("turn", np.linspace(-1.4, 1.5, 7))
def test_a_pose_has_the_angle_of_its_long_axis(turn):
    y, x = np.mgrid[0:80, 0:80] - 39.5
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    masks = Masks.encode((np.abs(along) < 30) & (np.abs(across) < 6))
    one = np.zeros(1, np.int32)
    (pose,) = pick_order(Segmentation(Classes.of("bolt"), masks, one, one + 1))
    assert abs((pose.angle - turn + np.pi / 2) % np.pi - np.pi / 2) < 0.02
    assert (pose.x, pose.y) == pytest.approx((40, 40), abs=0.1)
    assert pose.length / pose.width == pytest.approx(5, rel=0.1)
    assert np.isnan(pose.visible)


def disk(size=80, radius=25.0):
    y, x = np.mgrid[0:size, 0:size] + 0.5 - size / 2
    return np.hypot(x, y) < radius


def test_a_cut_out_has_no_fringe_and_ends_at_its_margin():
    mask = disk()
    pixels = np.where(mask[..., None], np.uint8([200, 40, 30]), np.uint8([10, 220, 10])).astype(np.uint8)
    cut = cut_out(pixels, mask)
    assert cut.shape == (60, 60, 4)
    seen = cut[..., 3] > 20
    assert np.abs(cut[seen][:, :3].astype(int) - [200, 40, 30]).max() <= 2
    assert 0.98 < (cut[..., 3] / 255).sum() / mask.sum() < 1.02


def test_opacity_follows_the_image_where_the_mask_is_off():
    mask, drawn = disk(radius=25.0), disk(radius=26.5)
    pixels = np.where(mask[..., None], np.uint8([200, 40, 30]), np.uint8([10, 220, 10])).astype(np.uint8)
    soft = alpha(pixels, drawn)
    assert np.abs(soft - mask).sum() < 0.6 * np.abs(drawn.astype(float) - mask).sum()


@pytest.mark.parametrize("grain", [0, 12])
def test_a_mask_that_is_right_stays_sharp_with_and_without_contrast(grain):
    mask = disk()
    random = np.random.default_rng(1)
    for front in ([200, 40, 30], [95, 90, 90]):
        clear = np.where(mask[..., None], front, [90, 90, 90]) + random.normal(0, grain, (*mask.shape, 3))
        soft = alpha(clear.clip(0, 255).astype(np.uint8), mask)
        edge = (mask & ~ndimage.binary_erosion(mask)).sum()
        assert np.abs(soft - mask).sum() / edge < 0.7  # of a pixel; a ramp over 3 on either side has 1.5


def test_edges_of_size_nought_are_the_mask():
    mask = disk()
    assert np.array_equal(alpha(np.zeros((80, 80, 3), np.uint8), mask, edge=0), mask)


def test_the_background_is_exchanged_and_blurred_without_bleeding():
    mask = disk()
    pixels = np.where(mask[..., None], np.uint8([250, 0, 0]), np.uint8([0, 0, 100])).astype(np.uint8)
    opacity = alpha(pixels, mask)
    green = np.zeros_like(pixels) + np.uint8([0, 200, 0])
    changed = replace_background(pixels, opacity, green)
    assert changed[0, 0].tolist() == [0, 200, 0]
    assert changed[40, 40].tolist() == [250, 0, 0]
    blurred = blur_background(pixels, opacity)
    assert blurred[40, 40].tolist() == [250, 0, 0]
    assert blurred[opacity == 0][:, 0].max() <= 6  # no red leaks out
    with pytest.raises(InlayError, match="resize"):
        replace_background(pixels, opacity, green[:40])


def test_still_edges_flicker_less_and_moving_ones_move():
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (40, 40, 3), np.uint8)
    before, now = random.random((40, 40)), random.random((40, 40))
    calm = steady(now, pixels, before=before, pixels_before=pixels)
    assert np.abs(calm - before).mean() < 0.5 * np.abs(now - before).mean()
    other = random.integers(0, 255, (40, 40, 3), np.uint8)
    assert np.allclose(steady(now, other, before=before, pixels_before=pixels), now)


def test_an_empty_mask_cuts_nothing_out():
    with pytest.raises(InlayError, match="empty"):
        cut_out(np.zeros((5, 5, 3), np.uint8), np.zeros((5, 5), bool))
