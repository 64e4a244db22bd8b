"""Run-length masks against plain numpy and against pycocotools."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from inlay import InlayError, Masks

from .random_masks import MANY, id_maps, stacks


@settings(**MANY)
@given(stacks)
def test_decoding_an_encoded_stack_gives_it_back(stack):
    masks = Masks.encode(stack)
    assert np.array_equal(masks.decode(), stack)
    assert np.array_equal(np.asarray(masks), stack)
    out = np.full((len(masks), *masks.size[::-1]), 7, np.uint8)
    assert np.array_equal(masks.decode(out=out), stack)
    assert np.array_equal(out.transpose(0, 2, 1), stack)


@settings(**MANY)
@given(stacks, st.integers(0, 2**32 - 1))
def test_the_layout_and_the_values_in_memory_do_not_matter(stack, seed):
    masks = Masks.encode(stack)
    values = np.where(stack, np.random.default_rng(seed).integers(1, 256, stack.shape), 0)
    for pixels in (
        np.asfortranarray(stack),
        masks.decode(),
        values.astype(np.uint8),
        np.ascontiguousarray(values.astype(np.uint8).transpose(0, 2, 1)).transpose(0, 2, 1),
        values.astype(np.int16),
        values / 7,
    ):
        assert Masks.encode(pixels).equals(masks)


@settings(**MANY)
@given(stacks)
def test_strings_are_those_of_pycocotools(stack):
    theirs = [
        run["counts"] for run in coco.encode(np.asfortranarray(stack.transpose(1, 2, 0).astype(np.uint8)))
    ]
    masks = Masks.encode(stack)
    assert masks.to_strings() == theirs
    assert Masks.from_strings(theirs, masks.size).equals(masks)
    assert Masks.from_strings([text.decode() for text in theirs], masks.size).equals(masks)


@settings(**MANY)
@given(stacks)
def test_plain_run_lengths_are_those_of_pycocotools(stack):
    assume(len(stack))
    masks = Masks.encode(stack)
    runs = masks.to_runs()
    height, width = masks.size
    theirs = coco.frPyObjects([{"counts": run, "size": [height, width]} for run in runs], height, width)
    assert masks.to_strings() == [each["counts"] for each in theirs]
    assert Masks.from_runs(runs, masks.size).equals(masks)


@settings(**MANY)
@given(stacks, st.data())
def test_empty_runs_in_foreign_files_do_not_change_a_mask(stack, data):
    assume(len(stack))
    masks = Masks.encode(stack[:1])
    runs = masks.to_runs()[0]
    place = data.draw(st.integers(0, len(runs)))
    padded = [*runs[:place], 0, 0, *runs[place:]]
    assert Masks.from_runs([padded], masks.size).equals(masks)


@settings(**MANY)
@given(stacks)
def test_area_and_box_are_measured_right(stack):
    masks = Masks.encode(stack)
    assert masks.area().tolist() == stack.sum((1, 2)).tolist()
    for box, mask in zip(masks.box().tolist(), stack):
        y, x = np.nonzero(mask)
        assert box == ([x.min(), y.min(), x.max() + 1, y.max() + 1] if len(x) else [0, 0, 0, 0])


@settings(**MANY)
@given(stacks, st.integers(0, 2**32 - 1))
def test_set_operations_are_those_of_numpy(stack, seed):
    other = np.random.default_rng(seed).permuted(stack, axis=1)
    a, b = Masks.encode(stack), Masks.encode(other)
    assert (a & b).equals(Masks.encode(stack & other))
    assert (a | b).equals(Masks.encode(stack | other))
    assert (a - b).equals(Masks.encode(stack & ~other))
    assert (~a).equals(Masks.encode(~stack))
    assert a.union().equals(Masks.encode(stack.any(axis=0)))
    if len(a):
        assert (a - b[0]).equals(Masks.encode(stack & ~other[:1]))
        assert (a[0] | b).equals(Masks.encode(stack[:1] | other))


@settings(**MANY)
@given(stacks, st.integers(0, 2**32 - 1))
def test_intersection_and_iou_are_those_of_pycocotools(stack, seed):
    other = np.random.default_rng(seed).permuted(stack, axis=2)
    a, b = Masks.encode(stack), Masks.encode(other)
    assert np.array_equal(a.intersection(b), np.einsum("aij,bij->ab", stack.astype(int), other.astype(int)))
    if len(stack):
        size = list(a.size)
        ours, theirs = ([{"size": size, "counts": text} for text in masks.to_strings()] for masks in (a, b))
        crowd = np.arange(len(b)) % 2 == 0
        assert np.array_equal(a.iou(b), coco.iou(ours, theirs, [0] * len(b)))
        assert np.array_equal(a.iou(b, crowd), coco.iou(ours, theirs, crowd.astype(int).tolist()))


def test_two_empty_masks_have_iou_nothing():
    assert Masks.empty((3, 4), 1).iou(Masks.empty((3, 4), 2)).tolist() == [[0.0, 0.0]]


@settings(**MANY)
@given(stacks)
def test_the_last_mask_lies_on_top_when_painted(stack):
    wanted = np.full(stack.shape[1:], -7)
    for row, mask in enumerate(stack):
        wanted[mask] = 10 * row
    assert np.array_equal(Masks.encode(stack).paint(10 * np.arange(len(stack)), fill=-7), wanted)


@settings(**MANY)
@given(id_maps, st.integers(0, 7))
def test_masks_of_an_id_map_are_where_its_values_are(ids, count):
    masks = Masks.from_ids(ids, count)
    assert masks.equals(Masks.encode(ids[None] == np.arange(count)[:, None, None]))
    assert np.array_equal(masks.paint(np.arange(count), fill=-1), np.where(ids < count, ids, -1))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint16, np.int64, np.uint64, bool])
def test_an_id_map_may_be_of_any_whole_numbers(dtype):
    ids = np.array([[0, 1], [1, 0]], dtype)
    assert Masks.from_ids(ids, 2).area().tolist() == [2, 2]


def test_wide_ids_are_not_cut_down_to_rows():
    assert Masks.from_ids(np.array([[2**32, 2**32 + 1, 1, -1, 2**40 - 2]]), 2).area().tolist() == [0, 1]
    assert Masks.from_ids(np.array([[2**64 - 1, 1]], np.uint64), 2).area().tolist() == [0, 1]


INDICES = [
    0, -1, np.int64(3), slice(2, 5), slice(5, 2), slice(None, None, 2), slice(None, None, -1), slice(9, 12),
    [1, 3], [1, 2, 3], (1, 3), [], [-1, 0, 0], np.array([True, False] * 3 + [True]), np.zeros(7, bool),
]  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_masks_are_indexed_as_a_numpy_array_is(index):
    stack = np.random.default_rng(0).random((7, 9, 11)) < 0.5
    wanted = stack[list(index) if isinstance(index, tuple) else index]
    found = Masks.encode(stack)[index]
    assert found.equals(Masks.encode(wanted.reshape(-1, 9, 11)))


def test_an_index_beyond_the_masks_is_an_index_error():
    with pytest.raises(IndexError):
        Masks.empty((2, 2), 3)[3]


@settings(**MANY)
@given(st.lists(stacks, max_size=4))
def test_concatenated_masks_stand_in_order(several):
    several = [stack[:, :1, :1] for stack in several]
    assume(several)
    wanted = np.concatenate(several)
    assert Masks.concat(map(Masks.encode, several)).equals(Masks.encode(wanted))


@settings(**MANY)
@given(stacks, st.integers(0, 2**32 - 1))
def test_merged_masks_are_the_unions_of_their_groups(stack, seed):
    row = np.random.default_rng(seed).integers(0, 4, len(stack))
    wanted = [stack[row == k].any(axis=0) for k in range(4)]
    assert Masks.encode(stack).merge(row, 4).equals(Masks.encode(np.stack(wanted)))


@settings(**MANY)
@given(stacks, st.data())
def test_a_crop_is_the_slice_of_the_decoded_mask(stack, data):
    assume(len(stack))
    _, height, width = stack.shape
    y0, x0 = data.draw(st.integers(0, height)), data.draw(st.integers(0, width))
    y1, x1 = data.draw(st.integers(y0, height)), data.draw(st.integers(x0, width))
    assert np.array_equal(Masks.encode(stack).crop(0, (x0, y0, x1, y1)), stack[0, y0:y1, x0:x1])


def test_images_without_a_pixel_are_legal():
    for size in ((0, 5), (5, 0), (0, 0)):
        masks = Masks.encode(np.zeros((2, *size), bool))
        assert masks.area().tolist() == [0, 0]
        assert masks.decode().shape == (2, *size)
        assert (masks | masks).equals(masks)
        assert (~masks).equals(masks)
        assert Masks.from_runs([[], []], size).equals(masks)
        assert masks.parts()[0].offsets.tolist() == [0]
        assert masks.union().paint([1]).shape == size


def test_masks_survive_pickling():
    masks = Masks.encode(np.eye(5, dtype=bool))
    assert pickle.loads(pickle.dumps(masks)).equals(masks)


WRONG = {
    "a mask is too short": lambda: Masks(np.array([3], np.uint32), np.array([0, 1]), (2, 2)),
    "a mask is too long": lambda: Masks(np.array([3, 9], np.uint32), np.array([0, 2]), (2, 2)),
    "offsets leave the run lengths": lambda: Masks(np.array([4], np.uint32), np.array([0, 7]), (2, 2)),
    "offsets fall": lambda: Masks(np.array([4, 4], np.uint32), np.array([0, 2, 1, 2]), (2, 2)),
    "offsets do not begin at 0": lambda: Masks(np.array([4, 4], np.uint32), np.array([1, 2]), (2, 2)),
    "there are no offsets": lambda: Masks(np.empty(0, np.uint32), np.empty(0, np.int64), (2, 2)),
    "a size is negative": lambda: Masks.empty((-2, 2)),
    "an image is too large": lambda: Masks.empty((2**17, 2**17), 1),
    "runs are negative": lambda: Masks.from_runs([[5, -1]], (2, 2)),
    "runs are too long": lambda: Masks.from_runs([[2**40]], (2, 2)),
    "runs sum to too much": lambda: Masks.from_runs([[3, 3]], (2, 2)),
    "runs sum to too little": lambda: Masks.from_runs([[1, 1]], (2, 2)),
    "runs are beyond all integers": lambda: Masks.from_runs([[10**30]], (2, 2)),
    "runs are fractions": lambda: Masks.from_runs([[1.5, 2.5]], (2, 2)),
    "runs are words": lambda: Masks.from_runs([["4"]], (2, 2)),
    "runs are nothing": lambda: Masks.from_runs([None], (2, 2)),
    "runs are ragged": lambda: Masks.from_runs([[[1], [2, 3]]], (2, 2)),
    "a string breaks off": lambda: Masks.from_strings([b"l"], (2, 2)),
    "a string has foreign characters": lambda: Masks.from_strings(["é"], (2, 2)),
    "a string has strange letters": lambda: Masks.from_strings(["\u4e00"], (2, 2)),
    "a string is too long": lambda: Masks.from_strings([b"9"], (2, 2)),
    "memory to decode into is of another shape": lambda: Masks.empty((2, 3), 1).decode(
        out=np.empty((1, 2, 3), bool)
    ),
    "memory to decode into is wide": lambda: Masks.empty((2, 2), 1).decode(out=np.empty((1, 2, 2))),
    "a stack is flat": lambda: Masks.encode(np.zeros(4)),
    "an id map is deep": lambda: Masks.from_ids(np.zeros((1, 2, 2), int), 1),
    "an id map has fractions": lambda: Masks.from_ids(np.zeros((2, 2)), 1),
    "rows are negative in number": lambda: Masks.from_ids(np.zeros((2, 2), int), -1),
    "values are too few": lambda: Masks.empty((2, 2), 2).paint([1]),
    "values are too wide": lambda: Masks.empty((2, 2), 1).paint([2**40]),
    "values are fractions": lambda: Masks.empty((2, 2), 1).paint([0.5]),
    "sizes differ": lambda: Masks.empty((2, 2), 1) & Masks.empty((2, 3), 1),
    "numbers differ": lambda: Masks.empty((2, 2), 2) & Masks.empty((2, 2), 3),
    "nothing is concatenated": lambda: Masks.concat([]),
    "rows of a merge are outside": lambda: Masks.empty((2, 2), 1).merge([1], 1),
    "rows of a merge are too few": lambda: Masks.empty((2, 2), 1).merge([], 1),
    "a crop leaves the image": lambda: Masks.empty((2, 2), 1).crop(0, (-1, 0, 1, 1)),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_masks_are_refused_in_one_line_when(wrong):
    with pytest.raises(InlayError) as error:
        wrong()
    assert "\n" not in str(error.value)


@settings(**MANY)
@given(st.lists(st.binary(max_size=12), max_size=3), st.integers(0, 6), st.integers(0, 6))
def test_any_string_makes_masks_or_is_refused(strings, height, width):
    try:
        masks = Masks.from_strings(strings, (height, width))
    except InlayError:
        return
    assert masks.decode().shape == (len(strings), height, width)


@settings(**MANY)
@given(
    st.lists(st.integers(0, 40), max_size=8),
    st.lists(st.integers(-2, 9), max_size=5),
    st.integers(0, 6),
    st.integers(0, 6),
)
def test_any_arrays_make_masks_or_are_refused(counts, offsets, height, width):
    try:
        masks = Masks(np.array(counts, np.uint32), np.array(offsets, np.int64), (height, width))
    except InlayError:
        return
    assert masks.decode().sum() == masks.area().sum()
    assert masks.union().area()[0] <= height * width
