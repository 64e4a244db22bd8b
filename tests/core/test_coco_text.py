"""What is read straight from the text of COCO files, against the json module and the general readers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Masks
from inlay.core import kernels
from inlay.core.polygons import fill, from_parts
from inlay.formats.parts.coco_columns import Texts

from .random_masks import MANY, small_stacks

NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(0, 1000).map(lambda x: round(x, 2)),
)
RUNS = st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=8)
RESULTS = st.lists(
    st.fixed_dictionaries(
        {
            "image_id": st.integers(-(10**17), 10**17),
            "category_id": st.integers(0, 90),
            "score": NUMBERS,
            "bbox": st.lists(NUMBERS, min_size=4, max_size=4),
        },
        optional={
            "segmentation": st.fixed_dictionaries({"size": st.just([3, 4]), "counts": RUNS}),
            "note": st.recursive(
                st.none() | st.booleans() | NUMBERS | st.text(),
                lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            ),
        },
    ),
    max_size=6,
)
LAYOUTS = st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}])


def scan(text: str | bytes, threads: int = 1):
    data = text.encode() if isinstance(text, str) else text
    return kernels.scan_results(np.frombuffer(data, np.uint8), threads)


@settings(**MANY)
@given(RESULTS, LAYOUTS, st.booleans())
def test_results_are_scanned_as_json_reads_them(results, layout, ascii_only):
    text = json.dumps(results, ensure_ascii=ascii_only, **layout)
    whole, span, score, box = scan(text)
    assert score[:, 0].tolist() == [each["score"] for each in results]
    assert box.tolist() == [each["bbox"] for each in results]
    for each, (image, category, height, _), (start, end) in zip(
        results, whole.tolist(), span.tolist(), strict=True
    ):
        assert (image, category) == (each["image_id"], each["category_id"])
        drawn = each.get("segmentation")
        assert height == (3 if drawn else -1)
        if drawn:
            assert json.loads(b'"' + text.encode()[start:end] + b'"') == drawn["counts"]


ONE = '{"image_id":1,"category_id":2,"score":0.5,"bbox":[1,2,3,4]}'
ODD = [
    "", "[", "{}", f"[{ONE}", f"[{ONE},]", f"[{ONE}]]", f"[{ONE}]x", f"[{ONE} {ONE}]", ONE, "[[]]",
    "[null]",
    f"[{ONE},{{}}]",
    *(f"[{ONE}]".replace(old, new) for old, new in {
        "0.5": "null", '"score":': '"score":"', "1,2,3,4": "1,2,3", "[1,2,3,4]": "null", "1,2,3": "1,2,3,4",
    }.items()),
    *(f"[{ONE}]".replace("0.5", wrong) for wrong in [".5", "5.", "05", "+5", "nan", "1e", "0x1", "--1", "-"]),
    f"[{ONE}]".replace("0.5", "1e999"),
    *(f"[{ONE}]".replace("1,", wrong, 1) for wrong in ["1.0,", "01,", '"1",', "1e3,", "9" * 30 + ","]),
    f"[{ONE}]".replace('"score"', '"image_id":1,"score"'),
    f"[{ONE}]".replace('"score"', '"file_name":"a","score"'),
    f"[{ONE}]".replace('"score"', '"sc\\u006fre"'),
    f"[{ONE}]".replace('"bbox"', '"x":tru,"bbox"'), f"[{ONE}]".replace('"bbox"', '"x":{,"bbox"'),
    "[" * 10_000, '[{"x":' * 10_000,
]  # fmt: skip


@pytest.mark.parametrize("text", ODD, ids=lambda text: text[:50])
def test_what_is_unusual_is_left_to_the_general_reader(text):
    assert scan(text) is None


@settings(**MANY)
@given(st.binary(max_size=40), st.integers(0, 120), st.integers(0, 3))
def test_no_bytes_crash_the_scan(noise, place, cut):
    text = f"[{ONE},{ONE}]".encode()
    scan(text[:place] + noise + text[place + cut :])


def test_shares_of_a_large_file_are_those_of_the_whole():
    rng = np.random.default_rng(0)
    results = [
        {
            "image_id": i,
            "category_id": 1,
            "bbox": [1, 2, 3, 4],
            "note": '},{"image_id":1' if i % 1000 == 0 and i < 9 else {"deep": [{}, {}]},
            "score": float(rng.random()),
        }
        for i in range(16_000)
    ]
    text = json.dumps(results)
    one, several = scan(text, 1), scan(text, 5)
    assert several is not None
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, several))
    results[8_000]["bbox"] = None
    assert scan(json.dumps(results), 5) is None


def geometries(values, size):
    texts = [json.dumps(value).encode() for value in values]
    joined = Texts.of(texts)
    sizes = np.full((len(texts), 2), size)
    bad, counts, offsets = kernels.read_geometries(joined.data, joined.spans, sizes, 0)
    return Masks(counts, offsets, size) if bad < 0 else bad


@settings(**MANY)
@given(small_stacks, st.data())
def test_run_lengths_are_read_in_either_form(stack, data):
    masks = Masks.encode(stack)
    forms = [
        {"size": list(masks.size), "counts": text.decode() if data.draw(st.booleans()) else runs}
        for text, runs in zip(masks.to_strings(), masks.to_runs())
    ]
    assert geometries(forms, masks.size).equals(masks)


RINGS = st.lists(st.floats(-5, 25).map(lambda x: round(x, 2)), min_size=0, max_size=8).map(
    lambda x: x[: len(x) // 2 * 2]
)


@settings(**MANY)
@given(st.lists(st.none() | st.lists(RINGS, max_size=3), max_size=4))
def test_polygons_are_filled_as_by_the_general_reader(values):
    wanted = fill(from_parts([list(value or []) for value in values]), (17, 13))
    assert geometries(values, (17, 13)).equals(wanted)


@pytest.mark.parametrize(
    "wrong",
    [
        [[1.0, 2.0, 3.0]],
        [[1e8, 0, 0, 0]],
        [["1", 2]],
        [1, 2],
        "text",
        True,
        {"size": [2, 3], "counts": "6"},
        {"size": [2, 2], "counts": [5]},
        {"size": [2, 2], "counts": [5, -1]},
        {"size": [2, 2], "counts": [2**32, 2**32]},
        {"size": [2, 2], "counts": "l"},
        {"size": [2, 2], "counts": "\u00e9"},
        {"size": [2, 2]},
        {"counts": "4"},
        {"size": [2, 2], "counts": "4", "more": 1},
        math.nan,
    ],
    ids=str,
)
def test_a_geometry_that_is_unusual_or_wrong_is_pointed_at(wrong):
    assert geometries([[[0, 0, 1, 0, 1, 1]], wrong, None], (2, 2)) == 1
