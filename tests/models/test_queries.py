"""Mask transformers: what their queries are to find, and what is made of their answers."""

from __future__ import annotations

import warnings
from itertools import permutations

import numpy as np
import pytest
import torch

from inlay import Classes, Segmentation, SegmentClass
from inlay.core.dataset import Sample
from inlay.models.decode.queries import segments_of_queries, things_of_queries
from inlay.models.encoders.vit import ViT
from inlay.models.mask_transformer import Config, MaskTransformer, adapt, build
from inlay.models.parts.eomt_weights import renamed
from inlay.models.parts.queries import CLASS, DICE, MASK, Segments, assigned, mask_losses, masks_of, sampled
from inlay.training.batches import batch_of
from inlay.training.examples import Examples, classes_to_learn, example_of, facts_of

CLASSES = Classes((SegmentClass("sky", "stuff"), SegmentClass("ball"), SegmentClass("sea", "stuff")))
SIZE = (20, 28)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


def picture(classes: Classes = CLASSES) -> Sample:
    """Two balls that touch, before sky and sea; the rest is unlabelled."""
    ids = np.zeros(SIZE, int)
    ids[:10], ids[12:] = 1, 4
    ids[5:15, 4:12], ids[5:15, 12:20] = 2, 3
    segments = [(number, row) for number, row in ((1, 0), (2, 1), (3, 1), (4, 2)) if row < len(classes)]
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)
    return Sample("picture", pixels, Segmentation.from_panoptic(ids, segments, classes))


def target():
    return batch_of([example_of(picture(), CLASSES)]).targets[0]


def segments(task: str) -> Segments:
    by_pixel = ~CLASSES.is_thing | (task == "semantic")
    return Segments.of(target(), torch.from_numpy(by_pixel))


@pytest.mark.parametrize(("task", "rows"), [("semantic", [0, 1, 2]), ("panoptic", [0, 2, 1, 1])])
def test_segments_are_classes_and_things(task, rows):
    found = segments(task)
    assert found.class_id.tolist() == rows
    everywhere = torch.arange(SIZE[0] * SIZE[1])[None].expand(len(rows), -1)
    masks = found.at(torch.arange(len(rows)), everywhere).reshape(-1, *SIZE).numpy() > 0
    label = picture().label()
    semantic = label.semantic()
    stuff = rows[: found.stuff]
    assert all(np.array_equal(mask, semantic == row) for mask, row in zip(masks, stuff))
    things = label.things().masks.decode()
    assert np.array_equal(masks[found.stuff :], things[: len(rows) - found.stuff])


def logits_of(found: Segments) -> torch.Tensor:
    """Masks of the segments at the resolution of the image, sure of themselves."""
    rows = torch.arange(len(found))
    everywhere = torch.arange(SIZE[0] * SIZE[1])[None].expand(len(found), -1)
    return (found.at(rows, everywhere).reshape(-1, *SIZE) * 2 - 1) * 12


def test_right_masks_cost_nothing_and_wrong_ones_much():
    found = segments("panoptic")
    rows = torch.arange(len(found))
    right = mask_losses(logits_of(found), found, rows, 400, SIZE)
    wrong = mask_losses(-logits_of(found), found, rows, 400, SIZE)
    assert float(right.max()) < 1e-2
    assert float(wrong[1]) > 0.9 * len(rows)


def test_points_are_read_at_the_middle_of_pixels():
    maps = torch.randn(2, 3, *SIZE)
    places = torch.randint(SIZE[0] * SIZE[1], (2, 50))
    right = maps.flatten(2).gather(2, places[:, None].expand(-1, 3, -1))
    assert torch.allclose(sampled(maps, places, SIZE, SIZE), right, atol=1e-5)


def test_each_segment_gets_the_query_that_fits_it_as_trying_all_pairings_says():
    found = segments("panoptic")
    order = torch.tensor([3, 1, 0, 2])
    masks = torch.cat([logits_of(found)[order], torch.randn(1, *SIZE)])
    logits = torch.randn(5, 4)
    query, row = assigned(logits, torch.eye(5), masks, found, 2000, SIZE)
    everywhere = torch.arange(SIZE[0] * SIZE[1])[None]
    truth = found.at(torch.arange(4), everywhere.expand(4, -1))
    share, flat = masks.flatten(1).sigmoid(), masks.flatten(1)
    cost = torch.zeros(5, 4)
    for q in range(5):
        for m in range(4):
            crossed = torch.nn.functional.binary_cross_entropy_with_logits(flat[q], truth[m])
            both = 2 * (share[q] * truth[m]).sum() + 1
            dice = 1 - both / (share[q].sum() + truth[m].sum() + 1)
            of_class = logits[q].softmax(0)[found.class_id[m]]
            cost[q, m] = MASK * crossed + DICE * dice - CLASS * of_class
    best = min(permutations(range(5), 4), key=lambda pick: float(sum(cost[q, m] for m, q in enumerate(pick))))
    assert dict(zip(row.tolist(), query.tolist())) == dict(enumerate(best))


def answers(found: Segments) -> tuple[np.ndarray, np.ndarray]:
    """Queries that answer right, and one that says nothing."""
    logits = np.full((len(found) + 1, 4), -4.0, np.float32)
    logits[np.arange(len(found)), found.class_id] = 4
    logits[-1, -1] = 4
    masks = torch.cat([logits_of(found), torch.full((1, *SIZE), 9.0)])
    return logits, masks.numpy()


def test_right_answers_decode_to_the_label():
    logits, masks = answers(segments("panoptic"))
    settings = {"stride": 1, "minimum_score": 0.5}
    found = segments_of_queries(logits, masks, SIZE, CLASSES, left_over=0.5, **settings)
    label = picture().label()
    assert found.is_partition
    assert sorted(found.class_names) == sorted(label.class_names)
    assert np.array_equal(found.semantic(), label.semantic())
    assert (found.masks.iou(label.masks).max(1) == 1).all()
    assert (np.diff(found.is_thing.astype(int)) >= 0).all()
    overlapping = things_of_queries(logits, masks, SIZE, CLASSES, **settings)
    assert len(overlapping) == 4
    assert (np.diff(overlapping.score) >= 0).all()


def test_a_pixel_goes_to_the_query_with_most_to_say_and_the_hidden_are_left_out():
    logits = np.array([[-9, 3, -9, 0], [-9, 9, -9, 0], [9, -9, -9, 0]], np.float32)
    masks = np.full((3, 4, 6), -9, np.float32)
    masks[0, :, :3] = 2  # lies under the second, but for a sixth of it
    masks[1, :, :] = 9
    masks[1, :2, 0] = -9
    masks[2, 3:, 5:] = 99  # as sure as the second of its pixel
    found = segments_of_queries(logits, masks, (4, 6), CLASSES, stride=1, minimum_score=0.3, left_over=0.5)
    assert found.class_names == ("sky", "ball")
    assert found.masks.area().tolist() == [1, 21]
    everyone = segments_of_queries(logits, masks, (4, 6), CLASSES, stride=1, minimum_score=0.3, left_over=0.1)
    assert everyone.masks.area().tolist() == [1, 2, 21]


def test_nothing_sure_gives_an_empty_prediction():
    none = segments_of_queries(
        np.zeros((3, 4), np.float32),
        np.ones((3, 5, 7), np.float32),
        (10, 13),
        CLASSES,
        stride=2,
        minimum_score=0.5,
        left_over=0.5,
    )
    assert len(none) == 0
    assert none.size == (10, 13)


@pytest.mark.parametrize(
    ("chosen", "classes", "task"),
    [
        ("", CLASSES, "panoptic"),
        ("", Classes.of("ball"), "instance"),
        ("", Classes.of("sky", "sea", kind="stuff"), "semantic"),
        ("semantic", CLASSES, "semantic"),
    ],
)
def test_the_task_follows_the_settings_or_the_classes(chosen, classes, task):
    config = Config(
        task=chosen, widths=(8, 8, 8, 8), depths=(1, 1, 1), head=16, blocks=1, norm="group", queries=6
    )
    network = build(
        adapt(config, facts_of(Examples(_dataset(), CLASSES, 10), lambda done, total: None)), classes
    )
    assert network.task == task
    assert classes_to_learn(CLASSES, task).names == (("ball",) if task == "instance" else CLASSES.names)
    with torch.no_grad():
        raw = network.eval()(torch.rand(1, 3, *SIZE) * 255)
    assert isinstance(raw, torch.Tensor) == (task == "semantic")
    (found,) = network.decode(raw, [SIZE], minimum_score=0.0)
    assert found.is_partition or task == "instance"


def _dataset():
    from inlay import Dataset

    return Dataset.of([picture()])


def test_masked_queries_see_only_the_places_of_their_mask():
    network = MaskTransformer(Config(queries=3, blocks=1, mask_stride=4), CLASSES, ViT(32, 2, 2))
    vectors, pixels = torch.randn(2, 3, 5), torch.randn(2, 5, 8, 12)
    masks = masks_of(vectors, pixels)
    assert network._masked(vectors, pixels, 3 + 1 + 6, (2, 3), 0.0) is None
    seen_by = network._masked(vectors, pixels, 3 + 1 + 6, (2, 3), 1.0)[:, 0]
    inside = torch.nn.functional.interpolate(masks, size=(2, 3), mode="bilinear").flatten(2) > 0
    assert torch.equal(seen_by[:, :3, 4:], inside)
    assert seen_by[:, 3:].all()
    assert seen_by[:, :, :4].all()


def test_masks_are_let_go_block_after_block():
    network = MaskTransformer(Config(queries=3, blocks=3, mask_stride=4, masked=0.8), CLASSES, ViT(32, 4, 2))
    assert network.masked == [0.8, 0.8, 0.8]
    network.reach(1.5 / 6)
    assert network.masked == pytest.approx([0.8 * 0.5**0.9, 0.8, 0.8])
    network.reach(2.5 / 6)
    assert network.masked == pytest.approx([0.0, 0.8 * 0.5**0.9, 0.8])
    network.reach(4 / 6)
    assert network.masked == pytest.approx([0.0, 0.0, 0.0])
    shares = []
    for step in range(20):
        network.reach(step / 20)
        shares.append(sum(network.masked))
    assert shares == sorted(shares, reverse=True)


def test_masks_that_are_not_annealed_stay():
    network = MaskTransformer(
        Config(queries=3, blocks=2, mask_stride=4, masked=0.5, annealed=False), CLASSES, ViT(32, 4, 2)
    )
    network.reach(0.9)
    assert network.masked == [0.5, 0.5]


def test_eomt_gives_what_transformers_gives():
    """The same weights in both: class and mask logits, before each joint block and after the last."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers = pytest.importorskip("transformers")
        sizes = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "image_size": 224}
        settings = transformers.EomtConfig(
            **sizes, num_blocks=2, num_queries=7, num_register_tokens=3, layerscale_value=0.3
        )
        settings.num_labels = 3
        theirs = transformers.EomtForUniversalSegmentation(settings).eval()
        torch.nn.init.normal_(theirs.embeddings.register_tokens, std=0.1)
    config = Config(queries=7, blocks=2, mask_stride=4)
    ours = MaskTransformer(config, CLASSES, ViT(32, 4, 2, registers=3)).eval()
    ours.load_state_dict(renamed(theirs.state_dict()))
    x = torch.randn(2, 3, 224, 224)
    ours.contrast = torch.nn.Identity()
    with torch.no_grad():
        theirs.attn_mask_probs.zero_()
        expected = theirs(x)
        category, masks = ours(x)
        assert (category - expected.class_queries_logits).abs().max() <= 1e-4
        assert (masks - expected.masks_queries_logits).abs().max() <= 1e-4
        theirs.attn_mask_probs.fill_(1.0)  # with masks, as at the start of training
        expected = theirs(x)
        ours.masked = [1.0, 1.0]
        *_, category, vectors, pixels = ours.train()(x)
        masks = masks_of(vectors, pixels)
        assert (category - expected.class_queries_logits).abs().max() <= 1e-4
        assert (masks - expected.masks_queries_logits).abs().max() <= 1e-4
