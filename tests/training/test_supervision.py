"""Learning from boxes, points, mixtures, and images without labels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from inlay import Classes, Dataset, InlayError, Segmentation
from inlay.core.partial import only_boxes, rectangles, some_points
from inlay.models import unet
from inlay.models.losses.partial import affinity, named, partial_losses, projection
from inlay.models.parts.evidence import evidence_at, evidence_in
from inlay.models.parts.targets import VOID
from inlay.training import train
from inlay.training.augment import mirrored, resized
from inlay.training.batches import make_batch, target_of
from inlay.training.config import config_from
from inlay.training.examples import Examples, blank_example, example_of
from inlay.training.plan import make_plan
from inlay.training.segmenting import Looking
from inlay.training.teacher import by_pixels, by_things, mixed_by_class, taught

BALL = Classes.of("ball")
SURE = 20.0  # a logit whose share is 1 to eight places


def boxed(size: tuple[int, int], box: tuple[int, int, int, int]) -> torch.Tensor:
    """(1, H, W) bool: a box."""
    return torch.from_numpy(rectangles([box], size).decode().copy())


def settled(model: str, **training: object):
    """Settings of a tiny network on unvaried pictures."""
    plain = dict.fromkeys(("brightness", "contrast", "saturation", "gamma"), 0.0)
    augment = {"crop": [64, 64], "scale": [1.0, 1.0], "invert": 0.0, "turn": False, **plain}
    rest = {"batch": 4, "average": 0.9, "validations": 1, "device": "cpu", "learning_rate": 3e-3}
    own: dict[str, object] = {"widths": [8, 16, 24, 32, 48], **({} if model == "unet" else {"head": 16})}
    if model == "mask_rcnn":
        own |= {"hidden": 32, "proposals": 30, "detections": 10}
    return config_from({"training": {**rest, "augment": augment, **training}, model: own}, model)


def test_a_mask_that_spans_its_box_has_no_projection_loss_and_an_empty_one_has_two():
    inside = boxed((9, 9), (2, 3, 7, 8))
    cross = torch.full((1, 9, 9), -SURE)
    cross[0, 5, 2:7] = cross[0, 3:8, 4] = SURE  # touches all four sides
    assert projection(cross, inside).item() == pytest.approx(0, abs=1e-4)
    assert projection(torch.full((1, 9, 9), -SURE), inside).item() == pytest.approx(2, abs=1e-3)


def test_the_projection_loss_is_what_dice_of_half_a_box_says():
    inside = boxed((4, 4), (0, 0, 4, 4))
    half = torch.full((1, 4, 4), -SURE)
    half[:, :2] = SURE  # all columns, half of the rows: 0 + 1 - 2 * 2 / (2 + 4)
    assert projection(half, inside).item() == pytest.approx(1 / 3, abs=1e-3)


def test_undecided_pixels_of_like_colour_cost_log_two_and_decided_ones_nothing():
    inside, plain = boxed((6, 6), (0, 0, 6, 6)), torch.zeros(1, 3, 6, 6)
    plain[:, :, :, 5:] = 50.0  # one column of another colour: pairs with it do not count
    logits = torch.zeros(1, 6, 6)
    assert affinity(logits, inside, plain).item() == pytest.approx(math.log(2), abs=1e-4)
    logits[:, :, :5], logits[:, :, 5:] = SURE, -SURE
    assert affinity(logits, inside, plain).item() == pytest.approx(0, abs=1e-4)


def test_named_pixels_are_pulled_where_they_belong_and_the_others_stay():
    logits = torch.zeros(1, 3, 3, requires_grad=True)
    hints = torch.zeros(1, 3, 3)
    hints[0, 0, 0], hints[0, 2, 2] = 1, -1
    loss = named(logits, hints)
    assert loss.item() == pytest.approx(math.log(2))
    loss.sum().backward()
    wanted = torch.zeros(1, 3, 3)
    wanted[0, 0, 0], wanted[0, 2, 2] = -0.25, 0.25
    assert torch.allclose(logits.grad, wanted)


def test_gradients_push_a_mask_into_its_box_and_towards_the_edge_of_the_colours():
    inside = boxed((12, 12), (2, 2, 10, 10))
    colours = torch.zeros(1, 3, 12, 12)
    colours[:, :, 4:8, 2:10] = colours[:, :, 2:10, 4:8] = 60.0  # a plus that touches the four sides
    disc = torch.where(colours[0, :1] > 0, 3.0, -3.0)
    disc[0, 2, 2], disc[0, 0, 0] = 1.0, 3.0  # wrong: a corner of the box, and a pixel outside
    logits = disc.clone().requires_grad_()
    partial_losses(logits, inside, torch.zeros(1, 12, 12), colours).sum().backward()
    assert logits.grad[0, 2, 2] > 0  # falls
    assert logits.grad[0, 0, 0] > 0
    empty = torch.full((1, 12, 12), -2.0, requires_grad=True)
    partial_losses(empty, inside, torch.zeros(1, 12, 12), colours).sum().backward()
    assert empty.grad[inside].sum() < 0  # rises


def test_an_example_of_boxes_shows_boxes_and_the_pixels_others_claim(picture):
    sample = picture(1, stuff=False)
    label = sample.label()
    example = example_of(sample.replace(segmentation=only_boxes(label, [0])), BALL)
    assert example.whole.tolist() == [False, True, True]
    x0, y0, x1, y1 = label.masks[0].box()[0]
    assert (example.layers[:, y0:y1, x0:x1] == 1).any(0).all()
    assert (example.semantic[example.semantic != VOID] == 0).all()
    points = example_of(sample.replace(segmentation=some_points(label, 5, seed=0)), BALL)
    known = points.hints != 0
    truth = label.masks.paint([1, 2, 3])
    own = points.layers == truth[None]
    assert 10 <= known.sum() <= 15
    assert np.array_equal(points.hints[known] > 0, own[known])


def test_boxes_and_hints_go_the_way_of_their_image(picture):
    sample = picture(2, stuff=False)
    example = example_of(sample.replace(segmentation=some_points(sample.label(), 8, seed=1)), BALL)
    turned = mirrored(example, axis=1)
    assert np.array_equal(turned.hints[:, :, ::-1], example.hints)
    part = resized(example, (0, 0, 64, 64), (64, 64))
    assert np.array_equal(part.hints, example.hints)
    assert part.whole.tolist() == [False] * 3


def test_evidence_keeps_every_point_at_any_resolution(picture):
    sample = picture(3, stuff=False)
    target = target_of(example_of(sample.replace(segmentation=some_points(sample.label(), 2, seed=4)), BALL))
    things = torch.arange(3)
    coarse = evidence_at(target, things, 4)
    inside = evidence_in(target, things, target.boxes, 28)
    for thing in range(3):
        own = target.layers[target.layer_of[thing]] == thing + 1
        count = int((target.hints[target.layer_of[thing]] * own != 0).sum())
        assert 1 <= int((inside.hints[thing] != 0).sum()) <= count
    assert coarse.inside.shape == (3, 16, 16)
    assert coarse.colours.shape == (1, 3, 16, 16)


def test_a_mask_is_learnt_from_boxes_better_than_their_filling_is(picture, tmp_path):
    truth = Dataset.of([picture(seed, stuff=False) for seed in range(2)])
    found = {}
    for name in ("boxes", "filled"):

        def weak(sample, name=name):
            label = sample.label()
            filled = label.replace(masks=rectangles(label.masks.box(), label.size))
            return sample.replace(segmentation=only_boxes(label) if name == "boxes" else filled)

        config = settled("solov2", batch=2)
        run = train(truth.map(weak), "solov2", tmp_path / name, iterations=60, config=config)
        segmenter = run.segmenter("cpu")
        overlaps = []
        for sample in truth:
            seen = segmenter.images([sample.pixels()], Looking(minimum_score=0.2))[0]
            each = seen.masks.iou(sample.label().masks)
            overlaps += each.max(0).tolist() if len(seen) else [0.0] * 3
        found[name] = float(np.mean(overlaps))
    assert found["boxes"] > found["filled"] + 0.03


@pytest.mark.parametrize("model", ["solov2", "yolact", "mask_rcnn"])
def test_a_family_steps_on_masks_boxes_and_points_together(picture, tmp_path, model):
    one, two, three = (picture(seed, stuff=False) for seed in range(3))
    mixed = Dataset.of(
        [
            one,
            two.replace(segmentation=only_boxes(two.label())),
            three.replace(segmentation=some_points(three.label(), 3, seed=0)),
        ]
    )
    run = train(mixed, model, tmp_path / "run", iterations=2, config=settled(model), validation=mixed)
    losses = next(line for line in run.log if "judged" in line)
    assert "box_AP50" in losses  # masks of boxes cannot be judged
    assert (run.folder / "model.safetensors").is_file()


def test_a_semantic_family_learns_nothing_of_what_nobody_said(picture):
    sample = picture(1, stuff=False)
    weak = Dataset.of([sample.replace(segmentation=only_boxes(sample.label(), [0])), picture(2, stuff=False)])
    plan = make_plan(weak, settled("unet"), None, None)
    network = unet.build(plan.config.family, plan.classes)
    truth = network.pixels._truth(target_of(plan.learnt[0]))
    x0, y0, x1, y1 = sample.label().masks[0].box()[0]
    assert (truth[y0:y1, x0:x1] == VOID).all()
    assert (truth == 1).any()  # background elsewhere


def test_sure_pixels_are_labels_and_unsure_ones_are_not(picture):
    blank = blank_example(picture(0), BALL)
    logits = torch.zeros(1, 2, 64, 64)
    logits[0, 0, :32], logits[0, 1, 48:] = SURE, SURE  # a class, undecided, background
    (found,) = by_pixels([blank], logits, 1, 0.9)
    assert (found.semantic[:32] == 0).all()
    assert (found.semantic[32:] == VOID).all()
    assert found.ignored.any(1).nonzero()[0].tolist() == list(range(32, 48))


def test_sure_things_are_labels_and_unsure_ones_are_ignored(picture):
    label = picture(1, stuff=False).label()
    scored = label.replace(score=np.array([0.9, 0.3, 0.8]))
    found = by_things(blank_example(picture(1), BALL), scored, least=0.5)
    assert len(found.class_id) == 2
    unsure = label.masks[1].decode()[0]
    assert found.ignored[unsure].all()
    assert not found.ignored[~unsure].any()
    nothing = Segmentation.empty(BALL, (64, 64)).replace(score=np.zeros(0))
    assert not by_things(blank_example(picture(1), BALL), nothing, least=0.5).ignored.any()


def test_half_of_the_classes_of_a_labelled_picture_lie_over_the_other(picture):
    above = example_of(picture(1), picture(1).label().classes)
    mixed = mixed_by_class(blank_example(picture(2), BALL), above, np.random.default_rng(0))
    present = set(np.unique(mixed.semantic)) - {VOID}
    assert len(present) == 2
    where = np.isin(mixed.semantic, list(present))
    assert np.array_equal(mixed.image[where], above.image[where])


@pytest.mark.parametrize("model", ["unet", "solov2"])
def test_the_teacher_labels_the_rest_of_a_batch(street, balls, tmp_path, model):
    data = street if model == "unet" else balls
    bare = data.map(lambda sample: sample.replace(segmentation=None, split=""))
    config = settled(model, batch=2, teacher={"start": 0.5, "class_mix": 1.0, "score": 0.01})
    run = train(data, model, tmp_path / "run", iterations=2, config=config, unlabelled=bare)
    assert run.config.training.teacher.share == 0.5
    plan = make_plan(data, config, None, None, bare)
    batch = make_batch(plan.learnt, plan.config.training, 0, plan.unlabelled)
    assert (len(batch.targets), len(batch.unlabelled)) == (1, 1)
    whole = taught(batch, run.network(), plan.config.training, torch.device("cpu"))
    again = taught(batch, run.network(), plan.config.training, torch.device("cpu"))
    assert len(whole.images) == len(whole.targets) == 2
    assert torch.equal(whole.images, again.images)


def test_labels_of_images_given_as_unlabelled_are_never_read(street):
    examples = Examples(street, street.classes, 10, blank_example)
    assert len(examples[0].class_id) == 0
    assert (examples[0].semantic == VOID).all()


def test_a_teacher_without_images_or_room_is_refused(street):
    with pytest.raises(InlayError, match="there are none"):
        make_plan(street, settled("unet", teacher={"share": 0.5}), None, None)
    with pytest.raises(InlayError, match="set it to 2 or more"):
        make_plan(street, settled("unet", batch=1), None, None, street)
    with pytest.raises(InlayError, match=r"teacher\.confidence"):
        settled("unet", teacher={"confidence": 2.0})
