"""Windows of masks: swapped as loops swap them, assigned by the rule of the paper."""

from __future__ import annotations

import importlib.util
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from inlay.models.parts.windows import (
    assign_windows,
    natural_masks,
    slots_of,
    swap_align2nat,
    window_truth,
)
from inlay.models.tensormask import focal_star

spec = importlib.util.spec_from_file_location("assigned", Path(__file__).with_name("test_assign.py"))
assigned = importlib.util.module_from_spec(spec)
spec.loader.exec_module(assigned)


def plainly_swapped(aligned: np.ndarray, side: int, scale: int) -> np.ndarray:
    """The definition, number by number: four positions, each between two whole ones."""
    images, _, height, width = aligned.shape
    maps = aligned.reshape(images, side, side, height, width)
    large = side * scale
    out = np.zeros((images, large, large, math.ceil(height / scale), math.ceil(width / scale)))
    for n, v, u, y, x in itertools.product(*map(range, out.shape)):
        position = (
            (v + 0.5) / scale - 0.5,
            (u + 0.5) / scale - 0.5,
            y * scale + v - large / 2 + 0.5,
            x * scale + u - large / 2 + 0.5,
        )
        for corner in itertools.product((0, 1), repeat=4):
            place = [math.floor(each) + add for each, add in zip(position, corner)]
            weight = math.prod(1 - abs(each - whole) for each, whole in zip(position, place))
            inside = all(0 <= each < stop for each, stop in zip(place, maps.shape[1:]))
            out[n, v, u, y, x] += weight * (maps[(n, *place)] if inside else -6.0)
    return out.reshape(images, large * large, *out.shape[3:])


@pytest.mark.parametrize(
    ("side", "scale", "size"), [(3, 1, (4, 5)), (3, 2, (4, 5)), (2, 4, (7, 6)), (4, 1, (3, 4))]
)
def test_the_swap_is_what_loops_over_its_definition_give(side, scale, size):
    aligned = np.random.default_rng(0).normal(size=(2, side * side, *size))
    found = swap_align2nat(torch.from_numpy(aligned), side=side, scale=scale)
    assert np.allclose(found.numpy(), plainly_swapped(aligned, side, scale), atol=1e-6)


def test_masks_of_some_windows_are_those_of_all():
    aligned = torch.randn(2, 9, 8, 12)
    every = swap_align2nat(aligned, side=3, scale=2)
    image, row, column = torch.tensor([1, 0, 1]), torch.tensor([3, 0, 2]), torch.tensor([5, 0, 1])
    some = natural_masks(aligned, image, row, column, side=3, scale=2)
    assert torch.equal(some.flatten(1), every[image, :, row, column])


def test_gradients_of_the_swap_are_those_of_differences():
    aligned = torch.randn(1, 4, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: swap_align2nat(x, side=2, scale=2), (aligned,))


def things(*boxes: tuple[int, int, int, int], size=(64, 96), ignored=None):
    layers = np.zeros((len(boxes), *size), int)
    for number, (x0, y0, x1, y1) in enumerate(boxes):
        layers[number, y0:y1, x0:x1] = number + 1
    return assigned.target(layers, [0] * len(boxes), ignored)


def grid():
    slots = slots_of([(16, 24), (8, 12)], (5, 7), 4)
    return slots, torch.cat([slot.windows(torch.zeros(1)) for slot in slots])


def plainly_assigned(slots, windows, target):
    found = {}
    smallest = float((windows[:, 2] - windows[:, 0]).min())
    for slot in slots:
        for place in range(slot.first, slot.stop):
            x0, y0, x1, y1 = windows[place].tolist()
            suits = []
            for thing, (a, b, c, d) in enumerate(target.boxes.tolist()):
                longest, apart = (
                    max(c - a, d - b),
                    math.dist(((x0 + x1) / 2, (y0 + y1) / 2), ((a + c) / 2, (b + d) / 2)),
                )
                fits = x1 - x0 - slot.step <= 2 * longest or x1 - x0 == smallest
                if x0 <= a and y0 <= b and x1 >= c and y1 >= d and fits and apart <= slot.step:
                    suits.append(thing)
            if len(suits) == 1:
                found[place] = suits[0]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_windows_are_assigned_by_containment_size_centre_and_being_alone(seed):
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 40, (6, 2))
    target = things(
        *(
            (int(x), int(y), int(x + w), int(y + h))
            for (x, y), (w, h) in zip(corners, rng.integers(3, 24, (6, 2)))
        )
    )
    slots, windows = grid()
    found, known = assign_windows(slots, windows, target)
    wanted = plainly_assigned(slots, windows, target)
    assert len(wanted) > 6
    lost = set(range(6)) - set(wanted.values())
    assert {k: int(v) for k, v in enumerate(found) if v >= 0 and int(v) not in lost} == wanted
    assert known.all()


def test_a_thing_that_no_window_suits_gets_the_one_that_overlaps_it_most():
    target = things((0, 0, 96, 64))
    slots, windows = grid()
    found, _ = assign_windows(slots, windows, target)
    (place,) = torch.nonzero(found >= 0).flatten().tolist()
    assert slots[-1].first <= place < slots[-1].stop


def test_windows_around_ignored_pixels_are_not_judged():
    ignored = np.zeros((64, 96), np.bool_)
    ignored[:, 48:] = True
    slots, windows = grid()
    found, known = assign_windows(slots, windows, things(ignored=ignored, size=(64, 96)))
    middle = (windows[:, 0] + windows[:, 2]) / 2
    assert (found == -1).all()
    assert torch.equal(known, middle < 48)


def test_the_truth_of_a_window_is_its_part_of_the_mask_and_nothing_beyond_the_image():
    target = things((2, 2, 7, 6), size=(8, 12))
    windows = torch.tensor([[-4.0, -4.0, 12.0, 12.0], [2.0, 2.0, 8.0, 8.0]])
    truth, known = window_truth(target, torch.tensor([0, 0]), windows, 4)
    mask = np.zeros((16, 16))
    mask[6:10, 6:11] = 1
    assert np.allclose(truth[0], mask.reshape(4, 4, 4, 4).mean((1, 3)), atol=0.26)
    fine, _ = window_truth(target, torch.tensor([0]), windows[:1], 16)
    assert np.array_equal(fine[0], mask)
    assert known.all()
    assert window_truth(target, torch.tensor([0]), windows[1:], 6)[0][0, :4, :5].eq(1).all()


def test_the_loss_of_windows_is_that_of_the_paper():
    logits, truth = torch.randn(5, 3), (torch.rand(5, 3) > 0.5).float()
    known = torch.ones(5, 1)
    known[4] = 0
    right = torch.sigmoid(3 * torch.where(truth > 0, logits, -logits))
    weight = torch.where(truth > 0, 0.3, 0.7)
    wanted = (-weight * right.log() / 3)[:4].sum()
    assert torch.allclose(focal_star(logits, truth, known), wanted, atol=1e-5)
    assert focal_star(logits.mul(0), truth, known) == pytest.approx(
        float(F.softplus(torch.zeros(())) / 3 * weight[:4].sum())
    )
