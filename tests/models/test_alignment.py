"""Places of a grid, the things they are to find, and the losses of their boxes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay.models.losses.box import complete_iou, distribution_focal
from inlay.models.parts.alignment import assign_aligned, places_of
from inlay.models.parts.boxes import box_iou
from inlay.models.parts.nms import greedy_nms
from inlay.models.yolo_seg import BINS, boxes_around, distances_to

spec = importlib.util.spec_from_file_location("assigned", Path(__file__).with_name("test_assign.py"))
assigned = importlib.util.module_from_spec(spec)
spec.loader.exec_module(assigned)


def random_boxes(rng: np.random.Generator, count: int, side: float = 40.0) -> torch.Tensor:
    low = rng.uniform(0, side - 2, (count, 2))
    high = low + rng.uniform(0.5, side / 2, (count, 2))
    return torch.tensor(np.concatenate([low, high], 1), dtype=torch.float32)


def test_places_lie_in_the_middle_of_their_pixels():
    places = places_of([(2, 3), (1, 2)], [4, 8], torch.zeros(1))
    assert places[:4].tolist() == [[2, 2, 4], [6, 2, 4], [10, 2, 4], [2, 6, 4]]
    assert places[6:].tolist() == [[4, 4, 8], [12, 4, 8]]


def two_things(ignored: np.ndarray | None = None):
    layers = np.zeros((1, 32, 48), int)
    layers[0, 4:20, 4:20] = 1
    layers[0, 24:26, 40:41] = 2  # holds no place
    return assigned.target(layers, [1, 0], ignored)


def plainly_assigned(scores, boxes, places, target):
    """Task alignment, thing by thing: places claimed by several go to the one that they overlap most."""
    claims: dict[int, list[tuple[float, int]]] = {}
    fit = {}
    for thing in range(len(target)):
        x0, y0, x1, y1 = target.boxes[thing].tolist()
        inside = [k for k, (x, y, _) in enumerate(places.tolist()) if x0 < x < x1 and y0 < y < y1]
        overlap = box_iou(boxes, target.boxes[[thing]])[:, 0]
        fit[thing] = scores[:, target.class_id[thing]] ** 0.5 * overlap**6
        for place in sorted(inside, key=lambda k: -float(fit[thing][k]))[:10]:
            claims.setdefault(place, []).append((float(overlap[place]), thing))
    return {place: max(found)[1] for place, found in claims.items()}, fit


@pytest.mark.parametrize("seed", range(5))
def test_places_are_given_to_things_as_the_paper_says(seed):
    rng = np.random.default_rng(seed)
    layers = np.zeros((2, 32, 48), int)
    layers[0, 4:20, 4:20], layers[1, 10:30, 8:44] = 1, 2
    target = assigned.target(layers, [1, 0])
    places = places_of([(8, 12), (4, 6)], [4, 8], torch.zeros(1))
    reach = torch.tensor(rng.uniform(2, 16, (len(places), 4)), dtype=torch.float32)
    boxes = torch.cat([places[:, :2] - reach[:, :2], places[:, :2] + reach[:, 2:]], 1)
    scores = torch.tensor(rng.random((len(places), 2)), dtype=torch.float32)
    found = assign_aligned(scores, boxes, places, target)
    wanted, fit = plainly_assigned(scores, boxes, places, target)
    assert {k: int(v) for k, v in enumerate(found.things) if v >= 0} == wanted
    for thing in range(2):
        mine = [place for place, which in wanted.items() if which == thing]
        most = box_iou(boxes[mine], target.boxes[[thing]]).max()
        assert found.share[mine].max() == pytest.approx(float(most), rel=1e-4)
        assert torch.allclose(found.share[mine] / most, fit[thing][mine] / fit[thing][mine].max(), rtol=1e-3)


def test_a_thing_between_the_places_gets_the_nearest_and_ignored_places_are_not_judged():
    ignored = np.zeros((32, 48), np.bool_)
    ignored[28:] = True
    target = two_things(ignored)
    places = places_of([(8, 12)], [4], torch.zeros(1))
    around = torch.cat([places[:, :2] - 6, places[:, :2] + 6], 1)
    found = assign_aligned(torch.full((96, 2), 0.1), around, places, target)
    assert torch.nonzero(found.things == 1).flatten().tolist() == [6 * 12 + 10]
    assert (found.things == 0).sum() == 10
    assert not found.known.reshape(8, 12)[7].any()
    assert found.known.reshape(8, 12)[:7].all()


def test_distances_told_as_distributions_lead_to_the_box():
    places = places_of([(4, 4)], [8], torch.zeros(1))[5:6]
    box = torch.tensor([[3.0, 6.0, 30.0, 25.0]])
    wanted = distances_to(box, places)
    bins = torch.zeros(1, 4, BINS, requires_grad=True)
    for _ in range(300):
        (slope,) = torch.autograd.grad(distribution_focal(bins, wanted).sum(), bins)
        bins = (bins - 4 * slope).detach().requires_grad_()
    assert boxes_around(bins, places)[0].tolist() == pytest.approx(box[0].tolist(), abs=0.4)


def test_the_loss_of_a_distribution_is_least_at_its_entropy():
    bins = torch.full((1, 5), -30.0)
    bins[0, 2], bins[0, 3] = np.log(0.75), np.log(0.25)
    least = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert float(distribution_focal(bins, torch.tensor([2.25]))) == pytest.approx(least, abs=1e-5)
    assert float(distribution_focal(bins, torch.tensor([2.75]))) > least
    assert torch.isfinite(distribution_focal(bins, torch.tensor([99.0]))).all()


def test_complete_overlap_is_one_for_the_box_itself_and_falls_with_distance_and_shape():
    box = torch.tensor([[2.0, 2.0, 6.0, 10.0]])
    assert float(complete_iou(box, box)) == pytest.approx(1, abs=1e-5)
    apart = [float(complete_iou(box + shift, box)) for shift in (20.0, 40.0, 80.0)]
    assert 0 > apart[0] > apart[1] > apart[2] > -1.5
    turned = torch.tensor([[0.0, 4.0, 8.0, 8.0]])
    assert float(complete_iou(turned, box)) < float(box_iou(turned, box))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 30))
def test_suppression_in_numpy_keeps_what_a_plain_loop_keeps(seed, count):
    rng = np.random.default_rng(seed)
    boxes, row = random_boxes(rng, count), rng.integers(0, 2, count)
    overlap, kept = box_iou(boxes, boxes), []
    for k in range(count):
        if all(row[k] != row[better] or overlap[k, better] <= 0.4 for better in kept):
            kept.append(k)
    assert greedy_nms(boxes.numpy(), row, 0.4).tolist() == kept
