"""Samples as arrays, and the facts of a training set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation, SegmentClass
from inlay.models.parts.targets import VOID
from inlay.training.config import Augment
from inlay.training.examples import Examples, classes_to_learn, example_of, facts_of, layers_of
from inlay.training.plan import divided, fitted
from inlay.training.sampling import places_in_batch

CLASSES = Classes((SegmentClass("void", "void"), SegmentClass("road", "stuff"), SegmentClass("car", "thing")))


def sample(ids: np.ndarray, segments: list[tuple[int, int]], crowd: list[bool] | None = None) -> Sample:
    label = Segmentation.from_panoptic(ids, segments, CLASSES)
    if crowd:
        label = label.replace(crowd=np.array(crowd))
    return Sample("one", np.zeros((*ids.shape, 3), np.uint8), label)


def test_void_is_not_learnt_and_model_rows_go_by_name():
    ids = np.array([[1, 2], [3, 0]])
    learnt = classes_to_learn(CLASSES, "semantic")
    assert learnt.names == ("road", "car")
    example = example_of(sample(ids, [(1, 0), (2, 1), (3, 2)]), learnt)
    assert example.semantic.tolist() == [[VOID, 0], [1, VOID]]
    assert example.ignored.tolist() == [[True, False], [False, False]]
    assert example.class_id.tolist() == [1]


def test_a_crowd_is_ignored_and_no_thing_to_find():
    example = example_of(
        sample(np.array([[1, 2]]), [(1, 2), (2, 2)], [True, False]), classes_to_learn(CLASSES, "instance")
    )
    assert example.ignored.tolist() == [[True, False]]
    assert example.layers.tolist() == [[[0, 1]]]


def test_a_dataset_without_things_cannot_teach_instances():
    with pytest.raises(InlayError, match="no thing class to learn"):
        classes_to_learn(Classes.of("road", kind="stuff"), "instance")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_layers_hold_every_mask_whole_and_never_two_on_a_pixel(count, seed):
    rng = np.random.default_rng(seed)
    stack = np.zeros((count, 12, 10), np.bool_)
    for mask in stack:
        y, x = rng.integers(0, 9, 2)
        mask[y : y + rng.integers(1, 6), x : x + rng.integers(1, 6)] = True
    if not count:
        return
    things = Segmentation(Classes.of("a"), Masks.encode(stack), np.zeros(count), np.arange(1, count + 1))
    things = things[things.masks.area() > 0]
    layers = layers_of(things)
    for row, mask in enumerate(things.masks.decode()):
        assert sum(bool((layer == row + 1).any()) for layer in layers) == 1
        assert np.array_equal((layers == row + 1).any(0), mask)
    if len(things) and things.is_partition:
        assert len(layers) == 1


def test_facts_count_pixels_sides_and_what_nobody_labelled():
    ids = np.array([[1, 2, 2, 0], [3, 2, 2, 0]])
    data = Dataset.of([sample(ids, [(1, 0), (2, 2), (3, 1)])])
    facts = facts_of(Examples(data, classes_to_learn(CLASSES, "semantic"), 10), lambda done, total: None)
    assert facts.pixels.tolist() == [1, 4]
    assert facts.pixels_beside.tolist() == [8, 8]
    assert facts.unlabelled == 2
    assert facts.sides.tolist() == [2.0]
    assert facts.has_void
    assert facts.largest == (2, 4)


def test_a_crop_is_no_larger_than_the_images():
    augment = Augment(crop=(256, 320))
    assert fitted(augment, (192, 250)).crop == (192, 256)
    assert fitted(augment, (1000, 1000)).crop == (256, 320)
    assert fitted(augment, (1, 1)).crop == (32, 32)


def test_unlabelled_samples_are_left_out():
    labelled = sample(np.array([[2]]), [(2, 1)])
    data = Dataset.of([labelled, labelled.replace(name="two", segmentation=None)], CLASSES)
    found = Examples(data, classes_to_learn(CLASSES, "semantic"), 10)
    assert found.drop_unlabelled() == 1
    assert found.dataset.names == ("one",)


def test_examples_are_kept_only_while_there_is_room():
    data = Dataset.of([sample(np.ones((100, 100), int), [(1, 1)])])
    loads = []

    def load(name):
        loads.append(name)
        return data.load(name)

    counted = Dataset(data.classes, data.names, load)
    for megabytes, expected in ((1, 1), (0, 2)):
        loads.clear()
        found = Examples(counted, classes_to_learn(CLASSES, "semantic"), megabytes)
        assert np.array_equal(found[0].semantic, found[0].semantic)
        assert len(loads) == expected


@settings(max_examples=50)
@given(st.integers(1, 20), st.integers(1, 7), st.integers(0, 99))
def test_every_pass_shows_each_example_once(count, batch, seed):
    seen = [index for step in range(count) for index, _ in places_in_batch(step, batch, np.ones(count), seed)]
    for start in range(0, len(seen), count):
        assert sorted(seen[start : start + count]) == list(range(count))


def test_the_test_split_is_never_touched():
    one = sample(np.ones((4, 4), int), [(1, 1)])
    named = [
        one.replace(name=f"{k}", split=split) for k, split in enumerate(["train", "val", "test", "test"])
    ]
    teachers, judges, notes = divided(Dataset.of(named), None)
    assert (teachers.names, judges.names, notes) == (("0",), ("1",), [])
    unnamed = Dataset.of([one.replace(name=f"{k}", split="test" if k % 2 else "") for k in range(60)])
    teachers, judges, notes = divided(unnamed, None)
    assert sorted(teachers.names + judges.names, key=int) == [f"{k}" for k in range(0, 60, 2)]
    assert len(judges) > 0
    assert "set aside" in notes[0]
    with pytest.raises(InlayError, match='all are in the split "test"'):
        divided(Dataset.of(named).split("test"), None)


def test_a_handful_of_images_judges_itself_and_says_so():
    one = sample(np.ones((4, 4), int), [(1, 1)])
    teachers, judges, notes = divided(Dataset.of([one]), None)
    assert teachers.names == judges.names == ("one",)
    assert "judged on the ones it learns from" in notes[0]
