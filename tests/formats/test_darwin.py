"""V7 Darwin: paths by the even-odd rule, raster layers along the rows, slots, properties as tags."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import FormatError, Segmentation
from inlay import formats as all_formats
from inlay.formats import darwin
from inlay.formats.parts.pieces import from_value_runs

SIZE = (8, 10)


def export(root: Path, *annotations: dict, size: tuple = SIZE, slots: tuple = (), **item: object) -> Path:
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    slot = {"slot_name": "0", "type": "image", "width": size[1], "height": size[0]}
    about = {"name": "a.jpg", "path": "/", "slots": [slot, *slots], **item}
    data = {"version": "2.0", "item": about, "annotations": annotations}
    (root / "annotations" / "a.json").write_text(json.dumps(data))
    return root


def label_of(root: Path, *annotations: dict, **how: str) -> Segmentation:
    return all_formats.read(export(root, *annotations), "darwin", **how)[0].label()


def square(x0: int, y0: int, x1: int, y1: int) -> list[dict]:
    return [{"x": x, "y": y} for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]


def polygon(*paths: list[dict], **more: object) -> dict:
    return {"id": "p", "name": "car", "polygon": {"paths": paths}, **more}


def test_paths_inside_paths_are_holes_and_islands_in_them_are_not(tmp_path):
    nested = [square(0, 0, 9, 8), square(2, 2, 7, 6), square(3, 3, 5, 5)]
    expected = np.zeros(SIZE, bool)
    expected[0:8, 0:9] = True
    expected[2:6, 2:7] = False
    expected[3:5, 3:5] = True
    for paths in (nested, nested[::-1]):
        assert np.array_equal(label_of(tmp_path, polygon(*paths)).masks.decode()[0], expected)


def test_paths_apart_are_parts_of_one_segment(tmp_path):
    label = label_of(tmp_path, polygon(square(0, 0, 2, 2), square(5, 5, 9, 8)))
    assert label.masks.area().tolist() == [4 + 12]


def test_opencv_sees_the_rim_of_every_path(tmp_path):
    item = polygon(square(0, 0, 4, 4))
    assert label_of(tmp_path, item).masks.area().tolist() == [16]
    assert label_of(tmp_path, item, reader="opencv").masks.area().tolist() == [25]


def test_masks_take_their_pixels_from_the_raster_layer_along_the_rows(tmp_path):
    numbers = np.zeros(SIZE, int)
    numbers[1, 2:5], numbers[3:5, 6], numbers[7, 9] = 2, 1, 2
    runs = [[int(value), 1] for value in numbers.ravel()]
    layer = {
        "dense_rle": [number for pair in runs for number in pair],
        "mask_annotation_ids_mapping": {"m1": 1, "m2": 2, "gone": 9},
        "total_pixels": numbers.size,
    }
    masks = [{"id": name, "name": "car", "mask": {}} for name in ("m2", "m1", "gone")]
    label = label_of(tmp_path, *masks, {"id": "r", "name": "__raster_layer__", "raster_layer": layer})
    assert np.array_equal(label.masks.decode()[0], numbers == 2)
    assert np.array_equal(label.masks.decode()[1], numbers == 1)
    assert label.masks.area()[2] == 0  # said to be there, painted over: not dropped in silence
    assert label.classes.names == ("car",)


@settings(max_examples=many(30))
@given(st.integers(1, 6), st.integers(1, 6), st.randoms())
def test_pairs_of_numbers_and_lengths_give_the_map_back(height, width, random):
    numbers = np.array([random.randrange(3) for _ in range(height * width)]).reshape(height, width)
    edges = np.flatnonzero(np.diff(numbers.ravel(), prepend=-1))
    lengths = np.diff([*edges, numbers.size])
    pairs = np.stack([numbers.ravel()[edges], lengths], 1).ravel().tolist()
    assert np.array_equal(from_value_runs(pairs, height, width, Path("x"), ""), numbers)


def test_boxes_have_no_pixels_and_ellipses_have(tmp_path):
    box = {"id": "b", "name": "car", "bounding_box": {"x": 1, "y": 2, "w": 3.5, "h": 4}}
    circle = {"center": {"x": 5, "y": 4}, "radius": {"x": 3, "y": 2}, "angle": np.pi / 2}
    label = label_of(tmp_path, box, {"id": "e", "name": "car", "ellipse": circle})
    assert label.boxes().tolist()[0] == [1, 2, 4.5, 6]
    assert label.masks.area()[0] == 0
    assert label.masks.box()[1].tolist() == [3, 1, 7, 7]  # turned by a quarter: taller than wide


def test_attributes_properties_and_texts_are_tags_and_numbers_and_scores_are_kept(tmp_path):
    about = {
        "attributes": ["far", "iscrowd"],
        "properties": [{"name": "colour", "value": "red", "frame_index": None}],
        "text": {"text": "AB 12"},
        "instance_id": {"value": 7},
        "inference": {"confidence": 0.25, "model": {"name": "m"}},
    }
    label = label_of(tmp_path, polygon(square(0, 0, 2, 2), **about), {"id": "t", "name": "night", "tag": {}})
    assert label.tags == (frozenset({"far", "colour=red", "text=AB 12"}),)
    assert label.crowd.tolist() == [True]
    assert label.instance_id.tolist() == [7]
    assert label.score is not None
    assert label.score.tolist() == [0.25]
    assert label.image_tags == {"night"}


def test_what_has_no_area_further_slots_and_frames_are_counted(tmp_path):
    line = {"id": "l", "name": "edge", "line": {"path": square(0, 0, 2, 2)}}
    video = {"id": "v", "name": "car", "frames": {"0": {"polygon": {"paths": []}}}, "ranges": [[0, 1]]}
    elsewhere = polygon(square(0, 0, 2, 2), slot_names=["1"])
    other = {"slot_name": "1", "type": "image", "width": 4, "height": 4}
    dataset = all_formats.read(export(tmp_path, line, video, elsewhere, slots=(other,)))
    assert dict(dataset.left_out) == {"further slots": 1, "line": 1, "frames of videos": 1}
    assert len(dataset[0].label()) == 0


def test_the_folder_of_an_item_is_part_of_its_name_and_its_split(tmp_path):
    dataset = all_formats.read(export(tmp_path, path="/train/day"))
    assert dataset.names == ("train/day/a",)
    assert dataset.splits == {"train/day/a": "train"}


LAYER = {"mask_annotation_ids_mapping": {"m": 1}}


@pytest.mark.parametrize(
    ("annotation", "what"),
    [
        ({"raster_layer": {"dense_rle": [1, -80], **LAYER}}, "run lengths cover -80"),
        ({"raster_layer": {"dense_rle": [1, 79], **LAYER}}, "cover 79 pixels; the image has 80"),
        ({"raster_layer": {"dense_rle": [1], **LAYER}}, "1 numbers"),
        ({"raster_layer": {"dense_rle": [2**70, 80], **LAYER}}, "64 bits|out of range|int"),
        ({"raster_layer": {"dense_rle": [1, 10**15], **LAYER}}, "run lengths cover"),
    ],
)
def test_broken_raster_layers_are_refused_with_their_place(tmp_path, annotation, what):
    with pytest.raises(FormatError, match=what) as error:
        label_of(tmp_path, {"id": "m", "name": "car", "mask": {}}, {"id": "r", "name": "r", **annotation})
    assert "dense_rle" in str(error.value)


@pytest.mark.parametrize(
    ("annotation", "what"),
    [
        (polygon([{"x": 1e30, "y": 0}]), r"annotations\[0\].polygon.paths"),
        (polygon([{"x": None, "y": 0}]), "Expected `?float"),
        ({"name": "car", "ellipse": {"center": {"x": 1, "y": 1}, "radius": {"x": -1, "y": 1}}}, "no ellipse"),
    ],
)
def test_broken_shapes_are_refused_with_their_place(tmp_path, annotation, what):
    with pytest.raises(FormatError, match=what):
        label_of(tmp_path, annotation)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\x\\passwd"])
def test_no_file_outside_the_folder_is_taken_for_an_image(tmp_path, name):
    sample = all_formats.read(export(tmp_path, name=name))[0]
    assert sample.image is None
    assert sample.name.endswith("passwd")


@pytest.mark.parametrize("size", [(10**9, 10**9), (0, 4), (-3, 4)])
def test_sizes_that_no_image_has_are_refused(tmp_path, size):
    with pytest.raises(FormatError, match="an image has 1 to"):
        all_formats.read(export(tmp_path, size=size))[0]


def test_two_items_of_one_name_are_refused(tmp_path):
    root = export(tmp_path)
    (root / "annotations" / "b.json").write_bytes((root / "annotations" / "a.json").read_bytes())
    (root / "annotations" / "c.json").write_bytes((root / "annotations" / "a.json").read_bytes())
    with pytest.raises(FormatError, match="stands in"):
        darwin.read(root)
