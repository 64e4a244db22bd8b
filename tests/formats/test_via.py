"""VIA: polygons with slits for holes, regions of one segment, classes under whatever key people chose."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.often import many

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation
from inlay import formats as all_formats
from inlay.formats import via


def regions(root: Path, *several: tuple[dict, dict], project: bool = False, **of_file: object) -> Path:
    Image.new("RGB", (12, 8)).save(root / "a.jpg")
    listed = [{"shape_attributes": shape, "region_attributes": words} for shape, words in several]
    entry = {"filename": "a.jpg", "size": 9, "regions": listed, "file_attributes": of_file}
    data = {"a.jpg9": entry}
    (root / "via.json").write_text(json.dumps({"_via_img_metadata": data} if project else data))
    return root / "via.json"


SQUARE = {"name": "polygon", "all_points_x": [2, 6, 6, 2], "all_points_y": [1, 1, 4, 4]}


@pytest.mark.parametrize("reader", ["opencv", "pycocotools"])
@settings(max_examples=many(25), deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_holes_and_parts_survive_as_slits_and_regions_of_one_segment(tmp_path_factory, reader, seed):
    rng = np.random.default_rng(seed)
    stack = rng.random((3, 11, 13)) < rng.uniform(0.2, 0.9, (3, 1, 1))
    label = Segmentation(Classes.of("cat"), Masks.encode(stack), [0, 0, 0], [1, 2, 3])
    label = label[label.masks.area() > 0]
    out = tmp_path_factory.mktemp("via") / "o"
    receipt = all_formats.write(Dataset.of([Sample("a", None, label)]), out, to="via", reader=reader)
    assert receipt.kept.least == 1


@pytest.mark.parametrize("project", [True, False])
def test_shapes_are_read_from_a_file_and_from_a_project(tmp_path, project):
    circle = {"name": "circle", "cx": 6, "cy": 4, "r": 2}
    oval = {"name": "ellipse", "cx": 6, "cy": 4, "rx": 3, "ry": 1}
    rect = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}
    several = [(shape, {"class": "cat"}) for shape in (SQUARE, circle, oval, rect, {"name": "point"})]
    dataset = via.read(regions(tmp_path, *several, project=project))
    assert dataset[0].label().masks.area().tolist() == [20, 13, 9, 0]
    assert dataset[0].label().boxes()[3].tolist() == [1, 2, 4, 6]
    assert dataset.left_out == {"point": 1}


def test_the_class_is_under_the_key_that_people_chose_and_the_rest_are_tags(tmp_path):
    several = (
        (SQUARE, {"Type": "cat", "far": True, "note": ""}),
        (SQUARE, {"whatever": "dog"}),
        (SQUARE, {}),
        (SQUARE, {"class": "cat", "flags": {"old": True, "wet": False}}),
    )
    label = via.read(regions(tmp_path, *several, weather="rain"))[0].label()
    assert label.class_names == ("cat", "dog", "object", "cat")
    assert label.tags == (frozenset({"far"}), frozenset(), frozenset(), frozenset({"old"}))
    assert label.image_tags == {"weather=rain"}


@pytest.mark.parametrize(
    ("shape", "what"),
    [
        ({"name": "polygon", "all_points_x": [1], "all_points_y": []}, "two lists of one length"),
        ({"name": "polygon", "all_points_x": ["a"], "all_points_y": [1]}, "expected"),
        ({"name": "circle", "cx": 1, "cy": None, "r": 2}, r"a.jpg.regions\[0\].cy: None is no number"),
    ],
)
def test_a_broken_region_is_named_with_its_place(tmp_path, shape, what):
    with pytest.raises(FormatError, match=what):
        list(via.read(regions(tmp_path, (shape, {}))))


def test_a_real_file_is_read(shared):
    dataset = all_formats.read(shared / "data/formats/via_json")
    assert [len(sample.label()) for sample in dataset] == [32, 31]
    assert min(int(sample.label().masks.area().min()) for sample in dataset) > 50
