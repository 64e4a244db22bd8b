"""Parts of two-stage networks, each against a plain definition."""

import numpy as np
import pytest
import torch

from inlay import Classes, Dataset, Masks, Sample, Segmentation
from inlay.models import mask_rcnn
from inlay.models.decode.regions import pasted
from inlay.models.parts import boxes as boxes_module
from inlay.models.parts import nms
from inlay.models.parts.boxes import (
    box_iou,
    clip,
    decode,
    encode,
    matched,
    unsuppressed,
    unsuppressed_in_rounds,
)
from inlay.models.parts.proposals import anchors_of
from inlay.models.parts.regions import masks_in_boxes
from inlay.models.parts.rois import level_of, pool_by_size, pool_own_level, roi_align
from inlay.models.parts.targets import Facts, Target
from inlay.training.batches import batch_of
from inlay.training.examples import Examples, classes_to_learn, facts_of
from inlay.training.export import write_onnx
from inlay.training.forward import calm
from inlay.training.onnx_operations import in_torch


def random_boxes(count, side=40, seed=0):
    random = np.random.default_rng(seed)
    low = random.uniform(0, side - 2, (count, 2))
    high = low + random.uniform(1, side - low.max(axis=1, keepdims=True), (count, 2))
    return torch.tensor(np.concatenate([low, high.clip(max=side)], 1), dtype=torch.float32)


def test_steps_lead_from_anchors_to_boxes_and_back():
    boxes, anchors = random_boxes(50), random_boxes(50, seed=1)
    assert torch.allclose(decode(encode(boxes, anchors, (10, 5)), anchors, (10, 5)), boxes, atol=1e-3)


def test_overlap_is_intersection_over_union():
    one, other = torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([[2.0, 2, 6, 6], [9, 9, 9, 9], [0, 0, 4, 4]])
    assert box_iou(one, other)[0].tolist() == pytest.approx([4 / 28, 0, 1])


@pytest.mark.parametrize("at_once", [1, 50, 10_000])
def test_boxes_matched_in_parts_are_those_of_the_whole_table(at_once, monkeypatch):
    monkeypatch.setattr(boxes_module, "AT_ONCE", at_once)
    boxes, truth = random_boxes(40), random_boxes(9, seed=1)
    table = box_iou(boxes, truth)
    best, overlap, nearest, reach = matched(boxes, truth)
    assert torch.equal(overlap, table.max(1).values)
    assert torch.equal(table[torch.arange(40), best], overlap)
    assert torch.equal(reach, table.max(0).values)
    assert torch.equal(table[nearest, torch.arange(9)], reach)


def by_rank(boxes, group, limit, *, groups):
    return unsuppressed_in_rounds(boxes, group, limit, groups)


@pytest.mark.parametrize("unsuppressed", [unsuppressed, by_rank])
@pytest.mark.parametrize("seed", range(5))
def test_suppression_is_the_greedy_one(seed, unsuppressed, monkeypatch):
    boxes = random_boxes(60, seed=seed)
    group = torch.tensor(np.random.default_rng(seed).integers(0, 2, 60))
    monkeypatch.setattr(nms, "BLOCK", 7)
    overlap = box_iou(boxes, boxes)
    kept = []
    for row in range(60):
        if all(group[row] != group[better] or overlap[row, better] <= 0.4 for better in kept):
            kept.append(row)
    assert torch.nonzero(unsuppressed(boxes, group, 0.4, groups=2)).squeeze(1).tolist() == kept


def plain_roi_align(feature, box, size, stride):
    """RoIAlign with two samples along each side of a bin, point by point."""
    channels, height, width = feature.shape
    x0, y0, x1, y1 = (float(value) / stride - 0.5 for value in box)
    out = np.zeros((channels, size, size))
    for row in range(size):
        for column in range(size):
            for sample_y in (0.25, 0.75):
                for sample_x in (0.25, 0.75):
                    y = min(max(y0 + (row + sample_y) * (y1 - y0) / size, 0), height - 1)
                    x = min(max(x0 + (column + sample_x) * (x1 - x0) / size, 0), width - 1)
                    top, left = int(y), int(x)
                    below, right = min(top + 1, height - 1), min(left + 1, width - 1)
                    dy, dx = y - top, x - left
                    value = (
                        feature[:, top, left] * (1 - dy) * (1 - dx)
                        + feature[:, top, right] * (1 - dy) * dx
                        + feature[:, below, left] * dy * (1 - dx)
                        + feature[:, below, right] * dy * dx
                    )
                    out[:, row, column] += value / 4
    return out


def test_regions_are_aligned_as_in_the_paper():
    feature = torch.randn(1, 3, 10, 12)
    boxes = clip(random_boxes(6, side=40, seed=3), 40, 48)
    ours = roi_align(feature, boxes[None], 5, stride=4)[0]
    for found, box in zip(ours, boxes):
        assert found.numpy() == pytest.approx(plain_roi_align(feature[0].numpy(), box, 5, 4), abs=1e-4)


def test_without_boxes_no_region_is_aligned():
    assert roi_align(torch.randn(2, 3, 10, 12), torch.zeros(2, 0, 4), 5, stride=4).shape == (2, 0, 3, 5, 5)


def test_the_share_of_a_bin_that_a_thing_covers_is_that_of_its_mask_resampled(picture_target):
    target = picture_target
    rows = torch.arange(len(target))
    boxes = target.boxes + torch.tensor([-2.5, 1.0, 3.0, 0.3])
    expected = roi_align(target.masks(rows)[:, None].float(), boxes[:, None], 7, stride=1)[:, 0, 0]
    assert torch.allclose(masks_in_boxes(target, rows, boxes, 7), expected, atol=1e-5)


@pytest.fixture
def picture_target():
    layers = torch.zeros(2, 30, 40, dtype=torch.int32)
    layers[0, 3:12, 5:20], layers[0, 20:29, 1:9], layers[1, 6:25, 10:35] = 1, 3, 2
    boxes = torch.tensor([[5.0, 3, 20, 12], [10, 6, 35, 25], [1, 20, 9, 29]])
    none = torch.zeros(30, 40)
    numbers = torch.tensor([0, 1, 0])
    return Target(none.long(), layers, numbers, numbers, boxes, boxes[:, :2], none.bool())


def test_large_boxes_go_to_coarse_levels():
    boxes = torch.tensor([[0.0, 0, side, side] for side in (2, 16, 32, 64, 500)])
    assert level_of(boxes, 4, usual=16).tolist() == [0, 1, 2, 3, 3]


def test_regions_pooled_from_their_own_level_are_those_pooled_from_all_levels():
    features = [torch.randn(2, 3, 40 // stride, 48 // stride, requires_grad=True) for stride in (4, 8)]
    boxes = torch.stack([clip(random_boxes(20, side=40, seed=seed), 40, 48) for seed in (4, 5)])
    pooled = [pool(features, boxes, 3, strides=(4, 8), usual=12.0) for pool in (pool_own_level, pool_by_size)]
    assert set(level_of(boxes, 2, usual=12.0).flatten().tolist()) == {0, 1}
    assert torch.allclose(*pooled, atol=1e-5)
    slopes = [torch.autograd.grad(each.square().sum(), features) for each in pooled]
    assert all(torch.allclose(one, two, atol=1e-4) for one, two in zip(*slopes))


class Steps(torch.nn.Module):
    """The operations of regions that a graph keeps whole."""

    def forward(self, fine, coarse, boxes, group):
        return (
            pool_own_level([fine, coarse], boxes, 3, strides=[4, 8], usual=12.0),
            roi_align(fine, boxes, 5, stride=4),
            unsuppressed(boxes, group, 0.4, groups=3),
        )


def inputs_of_steps(count, *, seed):
    torch.manual_seed(seed)
    boxes = torch.stack([clip(random_boxes(count, side=40, seed=seed + k), 40, 48) for k in range(2)])
    return torch.randn(2, 3, 10, 12), torch.randn(2, 3, 5, 6), boxes, torch.randint(0, 3, (2, count))


@pytest.fixture(scope="module")
def program():
    free = torch.export.Dim.DYNAMIC
    sizes = ({2: free, 3: free}, {2: free, 3: free}, {1: free}, {1: free})
    return torch.export.export(Steps(), inputs_of_steps(9, seed=0), dynamic_shapes=sizes)


def assert_same(given, found):
    for one, two in zip(Steps()(*given), found, strict=True):
        assert torch.allclose(one.float(), torch.as_tensor(two).float(), atol=1e-4)


def test_regions_are_the_same_in_operations_of_torch_alone(program):
    with calm():
        plain = program.run_decompositions(in_torch())
        assert not [node for node in plain.graph.nodes if "inlay" in str(node.target)]
        for count in (1, 40):
            given = inputs_of_steps(count, seed=count)
            assert_same(given, plain.module()(*given))


def test_regions_are_the_same_in_onnx(program, tmp_path):
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    write_onnx(tmp_path / "steps.onnx", program, {})
    session = onnxruntime.InferenceSession(tmp_path / "steps.onnx")
    names = [each.name for each in session.get_inputs()]
    for count in (1, 40, 200):
        given = inputs_of_steps(count, seed=count)
        assert_same(given, session.run(None, dict(zip(names, (each.numpy() for each in given)))))


def test_anchors_lie_around_the_middle_of_their_pixels():
    anchors = anchors_of([(2, 3), (1, 2)], [4, 8], [6.0, 12.0], torch.zeros(1))
    assert anchors.shape == ((6 + 2) * 3, 4)
    middle = (anchors[:, :2] + anchors[:, 2:]) / 2
    assert middle[0].tolist() == [2, 2]
    assert middle[3].tolist() == [6, 2]
    area = (anchors[:, 2:] - anchors[:, :2]).prod(1)
    assert area[:18].tolist() == pytest.approx([36.0] * 18, rel=1e-5)


def test_a_mask_is_pasted_where_its_box_lies():
    logits = np.full((4, 4), 1, np.float32)
    logits[:, :2] = -1  # the right half
    pixels, top, left = pasted(np.array([10, 20, 30, 40], np.float32), logits, (100, 100))
    assert (top, left, pixels.shape) == (20, 10, (20, 20))
    assert not pixels[:, :10].any()
    assert pixels[:, 10:].all()
    cut, top, left = pasted(np.array([-10, -10, 10, 10], np.float32), None, (100, 100))
    assert (top, left, cut.shape) == (0, 0, (10, 10))
    assert pasted(np.array([200, 0, 220, 5], np.float32), None, (100, 100))[0].size == 0


def test_without_masks_the_family_is_a_detector_whose_things_are_their_boxes():
    ids = np.full((48, 64), -1)
    ids[8:24, 10:30], ids[20:40, 36:60] = 0, 1
    label = Segmentation(Classes.of("part"), Masks.from_ids(ids, 2), [0, 0], [1, 2])
    pixels = np.repeat(np.where(ids >= 0, 200, 40).astype(np.uint8)[..., None], 3, 2)
    sample = Sample("picture", pixels, label)
    data = Dataset.of([sample])
    examples = Examples(data, classes_to_learn(data.classes, "instance"), 10)
    settings = {"widths": (8, 8, 8, 8), "depths": (1, 1, 1, 1), "head": 8, "hidden": 16, "norm": "group"}
    config = mask_rcnn.adapt(
        mask_rcnn.Config(**settings, masks=False), facts_of(examples, lambda done, total: None)
    )
    network = mask_rcnn.build(config, examples.classes)
    batch = batch_of(list(examples))
    assert "mask" not in network.loss(network.train()(batch.images), batch.targets)
    with torch.inference_mode():
        raw = network.eval()(batch.images)
    assert len(raw) == 3  # boxes, scores, classes
    (found,) = network.decode(raw, [sample.label().size], minimum_score=0.0)
    assert len(found) > 0
    boxes = found.masks.box()
    assert np.array_equal(found.masks.area(), np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))


@pytest.mark.parametrize(
    ("most", "proposals", "detections"), [(4, 300, 200), (150, 450, 300), (5000, 1000, 1000)]
)
def test_there_is_room_for_as_many_things_as_an_image_of_the_data_has(most, proposals, detections):
    one = np.ones(1, np.int64)
    facts = Facts(one, one, 0, np.full(9, 20.0), most, (64, 64), has_void=True, things=one)
    config = mask_rcnn.adapt(mask_rcnn.Config(), facts)
    assert (config.proposals, config.detections) == (proposals, detections)
    assert mask_rcnn.adapt(mask_rcnn.Config(proposals=7, detections=5), facts).proposals == 7
