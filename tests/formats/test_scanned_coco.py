"""Labels of COCO read straight from their text are those that the general reader gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay.core import kernels
from inlay.core.errors import FormatError
from inlay.formats import coco
from inlay.formats.parts import coco_labels
from inlay.formats.parts.coco_layout import LabelFile, looks

from .random_datasets import random_dataset

FILE = LabelFile(Path("labels.json"))
NUMBERS = st.integers(0, 50) | st.floats(0, 50).map(lambda x: round(x, 3))
ANNOTATION = st.fixed_dictionaries(
    {
        "image_id": st.sampled_from([7, 3, 10**12]),
        "category_id": st.sampled_from([1, 90]),
        "segmentation": st.lists(st.lists(NUMBERS, max_size=6), max_size=2)
        | st.just({"size": [4, 5], "counts": "`5"}),
    },
    optional={
        "iscrowd": st.sampled_from([0, 1]),
        "area": NUMBERS,
        "bbox": st.tuples(*[NUMBERS] * 4),
        "score": st.floats(0, 1),
        "instance_id": st.integers(-(2**31) + 1, 2**31 - 1),
        "source_id": st.integers(-(2**40), 2**40),
        "attributes": st.dictionaries(
            st.sampled_from(["occluded", "ünsharp", "track_id", 'a"b']),
            st.booleans() | st.none() | NUMBERS | st.text(max_size=3) | st.lists(st.booleans(), max_size=2),
            max_size=3,
        ),
        "inlay": st.just({"amodal": {"size": [4, 5], "counts": "`5"}}),
    },
)


def text_of(annotations, *, last: bool = True, **layout) -> bytes:
    rest = {
        "images": [{"id": i, "file_name": f"{i}.png", "height": 4, "width": 5} for i in (3, 10**12, 7)],
        "categories": [{"id": 90, "name": "a"}, {"id": 1, "name": "b"}],
    }
    numbered = [{"id": place * 3, **each} for place, each in enumerate(annotations)]
    first = {"annotations": numbered}
    return json.dumps({**rest, **first} if last else {**first, **rest}, **layout).encode()


def scan(text: bytes, threads: int = 1):
    return kernels.scan_annotations(np.frombuffer(text, np.uint8), threads)


def assert_same_columns(text: bytes) -> None:
    """Both readers find the same images, classes and columns."""
    scanned, read = coco_labels._usual(FILE, text), coco_labels._general(FILE, text)
    assert scanned is not None
    assert scanned.images.names == read.images.names
    assert scanned.data.categories == read.data.categories
    one, other = scanned.columns, read.columns
    for column in ("starts", "place", "category", "crowd", "source_id", "box", "area", "score"):
        mine, theirs = getattr(one, column), getattr(other, column)
        assert (mine is None) == (theirs is None), column
        assert mine is None or np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f"), column
    assert list(map(bytes, one.texts)) == list(map(bytes, other.texts))
    assert one.tags == other.tags
    assert one.instances == other.instances
    assert {row: bytes(text) for row, text in one.amodal.items()} == {
        row: bytes(text) for row, text in other.amodal.items()
    }


@settings(max_examples=many(100), deadline=None)
@given(
    st.lists(ANNOTATION, min_size=1, max_size=5),
    st.booleans(),
    st.booleans(),
    st.sampled_from([{}, {"indent": 1}]),
)
def test_scanned_labels_equal_the_read_ones(annotations, last, ascii_only, layout):
    assert_same_columns(text_of(annotations, last=last, ensure_ascii=ascii_only, **layout))


@settings(max_examples=many(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1))
def test_what_inlay_writes_is_scanned_and_equals_what_is_read(tmp_path, seed):
    dataset = random_dataset(seed, coco.KEEPS)
    file = tmp_path / "labels.json"
    coco.write(dataset, file)
    text = file.read_bytes()
    if any(sample.segmentation is not None and len(sample.segmentation) for sample in dataset):
        assert_same_columns(text)


def test_real_labels_are_scanned_as_they_are_read(shared):
    files = [shared / "data/coco_subset/annotations/instances_val2017.json"]
    files += sorted((shared / "data/formats").rglob("*.json"))
    keys = ("images", "annotations", "categories")
    texts = [file.read_bytes() for file in files if looks(file, keys=keys)[0]]
    usual = [text for text in texts if (found := scan(text)) is not None and len(found[2][0])]
    assert usual
    for text in usual:
        assert_same_columns(text)


ONE = {"id": 1, "image_id": 3, "category_id": 1, "segmentation": [[0, 0, 2, 0, 2, 2]], "bbox": [0, 0, 2, 2]}


@pytest.mark.parametrize(
    "change",
    [
        {"occluded": True},
        {"attributes": None},
        {"attributes": {"track_id": 2**31}},
        {"instance_id": 2**31},
        {"instance_id": None},
        {"source_id": 1.0},
        {"inlay": {}},
        {"inlay": {"amodal": None}},
        {"inlay": {"amodal": [], "more": 1}},
        {"segmentation": None},
        {"bbox": None},
        {"bbox": [1, 2, 3]},
        {"image_id": "3"},
        {"image_id": 4},
        {"category_id": None},
        {"id": 0},
        {"iscrowd": True},
        {"area": "5"},
    ],
    ids=str,
)
def test_what_is_unusual_is_left_to_the_general_reader(change):
    first = {**ONE, "id": 0}
    assert coco_labels._usual(FILE, text_of([first, ONE])) is not None
    assert coco_labels._usual(FILE, text_of([first, {**ONE, **change}])) is None


def test_a_second_list_and_broken_text_are_left_to_the_general_reader():
    text = text_of([ONE])
    assert coco_labels._usual(FILE, text[:-1] + b',"annotations":[]}') is None
    assert coco_labels._usual(FILE, text[:-1]) is None
    with pytest.raises(FormatError, match="cut off"):
        coco_labels.open_labels(FILE, "pixel_edge", text[:-1])


@pytest.mark.parametrize("last", [True, False])
def test_shares_of_a_long_list_are_those_of_the_whole(last):
    many = [{**ONE, "area": place / 7} for place in range(12_000)]
    text = text_of(many, last=last)
    begin, end, one = scan(text)
    assert json.loads(text[begin:end]) == json.loads(text)["annotations"]
    assert scan(text, 4)[:2] == (begin, end)
    for column, same in zip(one, scan(text, 4)[2]):
        assert np.array_equal(column, same, equal_nan=column.dtype.kind == "f")


@settings(max_examples=many(100), deadline=None)
@given(st.binary(max_size=30), st.integers(0, 500), st.integers(0, 3))
def test_no_bytes_crash_the_scan(noise, place, cut):
    text = text_of([ONE, ONE])
    scan(text[:place] + noise + text[place + cut :])


def test_attributes_that_are_no_json_are_left_to_the_general_reader():
    text = text_of([{**ONE, "attributes": {"a": "AB"}}])
    assert coco_labels._usual(FILE, text) is not None
    for wrong in (b"A\nB", b"\\x41", b"\xff"):
        assert coco_labels._usual(FILE, text.replace(b"AB", wrong)) is None
        with pytest.raises(FormatError):
            coco_labels.open_labels(FILE, "pixel_edge", text.replace(b"AB", wrong))
