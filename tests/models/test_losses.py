"""Losses against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from inlay.models.losses.mask import dice, focal
from inlay.models.losses.pixel import (
    class_dice,
    cross_entropy,
    inverse_root_weights,
    median_frequency_weights,
)
from inlay.models.parts.targets import VOID


@pytest.fixture
def logits():
    torch.manual_seed(0)
    return torch.randn(2, 3, 5, 6)


@pytest.fixture
def truth():
    return torch.randint(-1, 3, (2, 5, 6), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 2.0, 1.0])])
def test_cross_entropy_leaves_void_out(logits, truth, weights):
    wanted = F.cross_entropy(logits, truth, weights, ignore_index=VOID)
    assert torch.allclose(cross_entropy(logits, truth, weights), wanted, atol=1e-6)
    changed = logits.clone()
    changed.movedim(1, -1)[truth == VOID] += 7.0
    changed[:, 0].add_(0)
    assert torch.allclose(cross_entropy(changed, truth, weights), wanted, atol=1e-6)


def test_cross_entropy_of_void_alone_is_zero(logits):
    nothing = torch.full((2, 5, 6), VOID)
    assert cross_entropy(logits, nothing) == 0
    assert cross_entropy(logits, nothing, torch.ones(3)) == 0
    assert class_dice(logits, nothing) == 0


def test_class_dice_is_near_zero_for_a_sure_right_answer_and_ignores_absent_classes(truth):
    truth = truth.clamp(max=1)
    sure = torch.full((2, 3, 5, 6), -20.0)
    sure.scatter_(1, truth.clamp(min=0).unsqueeze(1), 20.0)
    assert class_dice(sure, truth) == pytest.approx(0.0, abs=1e-3)
    wrong = torch.full((2, 3, 5, 6), -20.0)
    wrong[:, 2] = 20.0
    assert class_dice(wrong, truth) > 0.9


def test_rare_classes_weigh_more_and_absent_ones_nothing_special():
    pixels = np.array([900, 100, 0])
    root = inverse_root_weights(pixels)
    assert root[1] / root[0] == pytest.approx(3.0)
    assert root[2] == 1.0
    assert root[:2].mean() == pytest.approx(1.0)
    median = median_frequency_weights(pixels, np.array([1000, 500, 0]))
    assert median[1] / median[0] == pytest.approx(0.9 / 0.2)
    assert inverse_root_weights(np.zeros(2, np.int64)).tolist() == [1.0, 1.0]


def test_dice_of_masks_is_zero_for_the_truth_and_one_for_its_opposite():
    truth = torch.zeros(2, 4, 4)
    truth[0, :2], truth[1, 1:3] = 1, 1
    known = torch.ones(4, 4, dtype=torch.bool)
    right = (truth * 2 - 1) * 30
    assert torch.allclose(dice(right, truth, known), torch.zeros(2), atol=1e-3)
    assert (dice(-right, truth, known) > 0.99).all()
    known[2:] = False  # what is ignored does not count
    right[:, 2:] *= -1
    assert torch.allclose(dice(right, truth, known), torch.zeros(2), atol=1e-3)


def test_focal_loss_equals_its_definition_and_skips_ignored_cells():
    torch.manual_seed(0)
    logits, known = torch.randn(2, 3, 4, 4), torch.ones(2, 1, 4, 4, dtype=torch.bool)
    truth = (torch.rand(2, 3, 4, 4) < 0.2).float()
    p = logits.sigmoid()
    wanted = -(0.25 * truth * (1 - p) ** 2 * p.log() + 0.75 * (1 - truth) * p**2 * (1 - p).log()).sum()
    assert torch.allclose(focal(logits, truth, known), wanted, rtol=1e-4)
    assert focal(logits, truth, torch.zeros_like(known)) == 0
