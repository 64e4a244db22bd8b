"""The one type: rows back to front, views, laws of order and occlusion."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from inlay import Classes, InlayError, Masks, Segmentation

from .random_masks import CLASSES, MANY, ROWS, id_maps, partition_of, segmentation_of, stacks


@st.composite
def drawn(draw):
    """A segmentation with full extents: what one sees, and what lies behind."""
    stack = draw(stacks)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return segmentation_of(
        Masks.encode(stack),
        amodal=Masks.encode(stack | (rng.random(stack.shape) < 0.2)),
        score=rng.random(len(stack)),
        crowd=rng.random(len(stack)) < 0.5,
        tags=tuple(frozenset({f"tag {k}"}) for k in range(len(stack))),
        source_id=rng.integers(0, 2**60, len(stack)),
        image_tags=frozenset({"night"}),
    )


@settings(**MANY)
@given(drawn())
def test_a_flattened_segmentation_is_a_partition_of_what_was_covered(segmentation):
    flat = segmentation.flatten()
    assert flat.is_partition
    assert flat.masks.union().equals(segmentation.amodal.union())
    assert flat.flatten().equals(flat)


@settings(**MANY)
@given(drawn())
def test_full_extents_contain_what_is_seen(segmentation):
    flat = segmentation.flatten()
    assert flat.amodal.equals(segmentation.amodal)
    assert (flat.masks - flat.amodal).area().sum() == 0


@settings(**MANY)
@given(drawn())
def test_a_row_is_hidden_by_the_rows_after_it_alone(segmentation):
    flat, whole = segmentation.flatten(), segmentation.amodal
    for row in range(len(segmentation)):
        above = whole[row + 1 :].union()
        assert flat.masks[row].equals(whole[row] - above)


@settings(**MANY)
@given(drawn())
def test_flattening_keeps_the_order_and_every_other_column(segmentation):
    flat = segmentation.flatten()
    same = flat.replace(masks=segmentation.masks, amodal=segmentation.amodal)
    assert same.equals(segmentation)


@settings(**MANY)
@given(drawn(), st.integers(0, 2**32 - 1))
def test_rows_are_chosen_with_all_their_columns(segmentation, seed):
    rows = np.random.default_rng(seed).permutation(len(segmentation))[: len(segmentation) // 2 + 1]
    chosen = segmentation[rows]
    assert chosen.image_tags == segmentation.image_tags
    for k, row in enumerate(rows):
        assert chosen[k].equals(segmentation[int(row)])
        assert chosen.tags[k] == segmentation.tags[row]
        assert chosen.score[k] == segmentation.score[row]
    assert Segmentation.concat([segmentation[:1], segmentation[1:]]).equals(segmentation)
    assert len(list(segmentation)) == len(segmentation)


@settings(**MANY)
@given(drawn())
def test_no_operation_changes_the_segmentation_it_is_given(segmentation):
    before = pickle.loads(pickle.dumps(segmentation))
    segmentation.flatten()
    segmentation.things()
    segmentation.semantic()
    segmentation.panoptic()
    segmentation.flatten().edges().simplify(2.0)
    segmentation[::-1].with_classes(Classes.of("tree", "dog", "car"))
    assert segmentation.equals(before)


@settings(**MANY)
@given(id_maps)
def test_a_partition_is_painted_as_it_was(ids):
    segmentation = partition_of(ids)
    assert segmentation.is_partition
    assert np.array_equal(segmentation.panoptic(), ids + 1)
    assert np.array_equal(segmentation.semantic(void=-1), np.where(ids < 0, -1, ids % 3))


@settings(**MANY)
@given(stacks)
def test_overlap_is_legal_and_known(stack):
    segmentation = segmentation_of(Masks.encode(stack))
    assert segmentation.is_partition == bool((stack.sum(axis=0) <= 1).all())


@settings(**MANY)
@given(stacks)
def test_the_front_segment_is_seen_in_every_view(stack):
    segmentation = segmentation_of(Masks.encode(stack))
    front = np.zeros(stack.shape[1:], int)
    for row, mask in enumerate(stack):
        front[mask] = row + 1
    assert np.array_equal(segmentation.panoptic(), front)
    assert np.array_equal(segmentation.semantic(), np.where(front == 0, 255, (front - 1) % 3))


@settings(**MANY)
@given(id_maps)
def test_a_semantic_map_makes_one_segment_of_each_class(ids):
    ids = np.where(ids < 3, ids, 255)
    segmentation = Segmentation.from_semantic(ids, CLASSES)
    assert np.array_equal(segmentation.semantic(), np.where(ids < 0, 255, ids))
    assert segmentation.class_id.tolist() == sorted({int(v) for v in np.unique(ids)} & {0, 1, 2})
    assert (segmentation.instance_id > 0).tolist() == segmentation.is_thing.tolist()


@settings(**MANY)
@given(id_maps, st.integers(0, 2**32 - 1))
def test_a_panoptic_map_makes_the_segments_that_are_listed_in_their_order(ids, seed):
    rng = np.random.default_rng(seed)
    names = rng.choice(10**6, ROWS + 1, replace=False).astype(np.int64)
    listed = rng.permutation(ROWS)
    segments = [(int(names[row]), int(row % 3)) for row in listed]
    segmentation = Segmentation.from_panoptic(names[ids], segments, CLASSES)  # names[-1] is nobody's
    assert segmentation.source_id.tolist() == [name for name, _ in segments]
    assert segmentation.masks.equals(Masks.from_ids(ids, ROWS)[listed])
    things = segmentation.instance_id[segmentation.is_thing]
    assert things.tolist() == list(range(1, len(things) + 1))


def test_an_empty_segmentation_has_no_rows_and_its_size():
    empty = Segmentation.empty(CLASSES, (4, 6))
    assert len(empty) == 0
    assert empty.size == (4, 6)
    assert empty.is_partition
    assert (empty.semantic() == 255).all()
    assert empty.flatten().edges().ids().tolist() == [[-1] * 6] * 4
    assert len(empty.things()) == len(empty.stuff()) == 0
    assert not empty.is_prediction


def test_void_classes_are_void_in_the_semantic_view():
    classes = Classes.of("a", "b").with_kinds({"b": "void"})
    ids = np.array([[0, 1]])
    assert Segmentation.from_semantic(ids, classes).semantic(void=9).tolist() == [[0, 9]]


def test_things_and_stuff_are_parted_by_their_class():
    segmentation = partition_of(np.arange(5, dtype=np.int32)[None])
    assert segmentation.things().class_names == ("car", "dog", "car", "dog")
    assert segmentation.stuff().class_names == ("tree",)


def test_stated_boxes_and_areas_win_over_measured_ones():
    segmentation = partition_of(np.array([[0, 0, 1]]))[:2]
    assert segmentation.areas().tolist() == [2, 1]
    assert segmentation.boxes().tolist() == [[0, 0, 2, 1], [2, 0, 3, 1]]
    stated = segmentation.replace(stated_area=[2.5, 1.0], stated_box=[[0, 0, 2.5, 1], [2, 0, 3, 1]])
    assert stated.areas().tolist() == [2.5, 1]
    assert stated.boxes()[0].tolist() == [0, 0, 2.5, 1]
    assert stated.flatten().stated_area is None


def test_classes_are_exchanged_by_name():
    segmentation = partition_of(np.array([[0, 1, 2]]))[:3]
    turned = segmentation.with_classes(Classes.of("tree", "sky", "dog", "car"))
    assert turned.class_names == segmentation.class_names == ("car", "dog", "tree")
    assert turned.class_id.tolist() == [3, 2, 0]
    with pytest.raises(InlayError, match="'tree'"):
        segmentation.with_classes(Classes.of("car", "dog"))
    assert segmentation[:2].with_classes(Classes.of("car", "dog")).class_names == ("car", "dog")


def test_concatenation_fills_full_extents_and_drops_what_some_lack():
    one, other = partition_of(np.array([[0, 1]]))[:2], partition_of(np.array([[0, 1]]))[:2]
    both = Segmentation.concat([one.flatten(), other.replace(score=[0.5, 0.5], image_tags=frozenset("x"))])
    assert both.score is None
    assert both.amodal.equals(both.masks)
    assert both.image_tags == frozenset("x")


def test_equality_sees_every_column():
    segmentation = partition_of(np.array([[0, 1]]))[:2]
    for change in (
        {"class_id": [0, 0]},
        {"instance_id": [7, 8]},
        {"crowd": [True, False]},
        {"score": [0.0, 0.0]},
        {"tags": (frozenset(), frozenset("t"))},
        {"amodal": segmentation.masks},
        {"masks": segmentation.masks[::-1]},
        {"image_tags": frozenset("t")},
        {"source_id": [1, 2]},
    ):
        assert not segmentation.replace(**change).equals(segmentation)
        assert segmentation.replace(**change).equals(segmentation.replace(**change))
    assert not segmentation.equals(segmentation[:1])


def test_segmentations_say_what_they_are():
    segmentation = partition_of(np.array([[0, 1]]))
    assert repr(segmentation) == "Segmentation(label, 5 segments, 1x2 px, 3 classes)"
    assert "prediction" in repr(segmentation.replace(score=np.ones(5)))


def of_panoptic(segments):
    return Segmentation.from_panoptic(np.zeros((2, 2), int), segments, CLASSES)


TWO = partition_of(np.array([[0, 1]]))[:2]
WRONG = {
    "a column is too short": lambda: TWO.replace(score=[0.5]),
    "tags are too few": lambda: TWO.replace(tags=(frozenset(),)),
    "full extents are too few": lambda: TWO.replace(amodal=TWO.masks[:1]),
    "full extents are of another image": lambda: TWO.replace(amodal=Masks.empty((5, 5), 2)),
    "a class is unknown": lambda: TWO.replace(class_id=[0, 3]),
    "a class is negative": lambda: TWO.replace(class_id=[-1, 0]),
    "a class is a fraction": lambda: TWO.replace(class_id=[0.5, 0]),
    "a class is no number": lambda: TWO.replace(class_id=[np.nan, 0]),
    "a column is a table": lambda: TWO.replace(instance_id=np.zeros((2, 2), int)),
    "an instance number is too wide": lambda: TWO.replace(instance_id=np.array([2**40, 1])),
    "boxes have three sides": lambda: TWO.replace(stated_box=np.zeros((2, 3))),
    "an id stands twice": lambda: of_panoptic([(4, 0), (4, 1)]),
    "a panoptic class is unknown": lambda: of_panoptic([(4, 7)]),
    "a panoptic class is negative": lambda: of_panoptic([(4, -1)]),
    "nothing is concatenated": lambda: Segmentation.concat([]),
    "classes differ": lambda: Segmentation.concat([TWO, TWO.with_classes(Classes.of("car", "dog"))]),
    "sizes differ": lambda: Segmentation.concat([TWO, Segmentation.empty(CLASSES, (9, 9))]),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_segmentations_are_refused_in_one_line_when(wrong):
    with pytest.raises(InlayError) as error:
        wrong()
    assert "\n" not in str(error.value)


@settings(**MANY)
@given(drawn())
def test_segmentations_survive_pickling(segmentation):
    assume(len(segmentation))
    assert pickle.loads(pickle.dumps(segmentation)).equals(segmentation)
