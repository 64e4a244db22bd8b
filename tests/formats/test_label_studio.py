"""Label Studio: brushes as packed RGBA runs, percents on whole corners, one annotation of several."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation
from inlay import formats as all_formats
from inlay.formats import label_studio
from inlay.formats.parts.brush_runs import pack, unpack


def region(kind: str, label: str = "car", **value: object) -> dict:
    value = {f"{kind}labels": [label], **value}
    size = {"original_width": 20, "original_height": 10, "image_rotation": 0}
    return {"id": f"{kind}{label}", "type": f"{kind}labels", "value": value, **size}


def tasks(root: Path, *results: dict, **more: object) -> Path:
    task = {"data": {"image": "/data/upload/1/a.png"}, "annotations": [{"result": results}], **more}
    (root / "tasks.json").write_text(json.dumps([task]), "utf-8")
    return root


def label_of(root: Path, *results: dict, **more: object) -> Segmentation:
    return label_studio.read(tasks(root, *results, **more))[0].label()


def written_bit_by_bit(values: list[int], sizes: tuple[int, ...] = (3, 4, 8, 16)) -> list[int]:
    """The codec as its definition reads: runs of two and more as runs, single values as they are."""
    bits = f"{len(values):032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in sizes)
    i = 0
    while i < len(values):
        j = i
        while j < len(values) and values[j] == values[i] and j - i < 2 ** sizes[-1]:
            j += 1
        run = j - i > 1
        if not run:
            while j < len(values) and (j + 1 == len(values) or values[j] != values[j + 1]) and j - i < 8:
                j += 1
        kind = next(k for k, size in enumerate(sizes) if j - i <= 2**size)
        bits += f"{int(run)}{kind:02b}{j - i - 1:0{sizes[kind]}b}"
        bits += "".join(f"{value:08b}" for value in (values[i : i + 1] if run else values[i:j]))
        i = j
    bits += "0" * (-len(bits) % 8)
    return [int(bits[k : k + 8], 2) for k in range(0, len(bits), 8)]


@settings(max_examples=many(40), deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_brushes_that_others_packed_are_read_and_what_we_pack_is_the_same_mask(seed):
    rng = np.random.default_rng(seed)
    size = (int(rng.integers(1, 12)), int(rng.integers(1, 12)))
    mask = rng.random(size) < rng.random()
    values = np.zeros((*size, 4), np.uint8)
    values[mask] = rng.choice([255, 1])  # some tools pack index masks
    values[..., :3] *= rng.integers(0, 2, (*size, 3), np.uint8)  # single values, too
    packed = written_bit_by_bit(values.ravel().tolist(), (*rng.permutation([3, 4, 8])[:3].tolist(), 16))
    assert np.array_equal(unpack(packed, size, Path("a"), ""), mask)
    assert np.array_equal(unpack(pack(mask), size, Path("a"), ""), mask)


def test_a_run_longer_than_sixteen_bits_is_packed_in_pieces():
    mask = np.zeros((300, 200), bool)
    mask[:250] = True
    assert np.array_equal(unpack(pack(mask), (300, 200), Path("a"), ""), mask)


def test_a_faint_rim_of_a_brush_is_no_part_of_it():
    values = np.zeros((1, 4, 4), np.uint8)
    values[0, :, 3] = [0, 90, 200, 255]
    mask = unpack(written_bit_by_bit(values.ravel().tolist()), (1, 4), Path("a"), "")
    assert mask.tolist() == [[False, False, True, True]]


@pytest.mark.parametrize(
    ("rle", "what"),
    [
        ([], "rle is no list of bytes"),
        ([1, 2, 300], "rle is no list of bytes"),
        (["a"] * 20, "rle is no list of bytes"),
        ([255] * 20, "rle holds 4294967295 values; 20x10 pixels of RGBA are 800"),
        (pack(np.zeros((10, 20), bool))[:8], "rle ends after 0 of 800 values"),
    ],
)
def test_broken_brushes_are_refused_with_their_place(tmp_path, rle, what):
    with pytest.raises(FormatError, match=rf"\[0\].result\[0\].value: {what}"):
        label_of(tmp_path, region("brush", format="rle", rle=rle))


def test_percents_become_whole_corners_and_image_rotation_is_a_matter_of_the_view(tmp_path):
    square = region("polygon", points=[[10, 10], [30, 10], [30, 50], [10, 50]])
    turned = region("polygon", points=[[10, 10], [30, 10], [30, 50], [10, 50]]) | {"image_rotation": 90}
    label = label_of(tmp_path, square, turned)
    assert label.masks.box().tolist() == [[2, 1, 6, 5]] * 2
    assert label.masks.area().tolist() == [16, 16]


def test_rectangles_have_no_pixels_unless_turned_about_their_first_corner(tmp_path):
    sides = {"x": 50, "y": 20, "width": 20, "height": 30}
    label = label_of(
        tmp_path, region("rectangle", **sides, rotation=0), region("rectangle", **sides, rotation=90)
    )
    assert label.boxes()[0].tolist() == [10, 2, 14, 5]
    assert label.masks.area().tolist() == [0, 12]
    assert label.masks.box()[1].tolist() == [7, 2, 10, 6]


def test_ellipses_are_filled(tmp_path):
    label = label_of(tmp_path, region("ellipse", x=50, y=50, radiusX=15, radiusY=20, rotation=0))
    assert label.masks.box().tolist() == [[7, 3, 13, 7]]
    assert label.masks.area().tolist() == [20]


def test_the_ground_truth_is_read_else_the_first_that_was_not_cancelled(tmp_path):
    square = region("polygon", points=[[10, 10], [30, 10], [30, 50]])
    others = [{"result": [square] * 3, "was_cancelled": True}, {"result": [square] * 2}, {"result": [square]}]
    dataset = label_studio.read(tasks(tmp_path, annotations=others))
    assert len(dataset[0].label()) == 2
    assert dataset.left_out == {"further annotations": 2}
    others[2]["ground_truth"] = True
    assert len(label_of(tmp_path, annotations=others)) == 1


def test_predictions_are_read_where_nobody_has_labelled_with_their_scores(tmp_path):
    square = region("polygon", points=[[10, 10], [30, 10], [30, 50]])
    guess = {"score": 0.5, "result": [square | {"score": 0.25}, square]}
    label = label_of(tmp_path, annotations=[], predictions=[guess])
    assert label.score.tolist() == [0.25, 0.5]
    dataset = label_studio.read(tasks(tmp_path, square, predictions=[guess]))
    assert dataset[0].label().score is None
    assert dataset.left_out == {"predictions": 1}


def test_a_task_without_annotations_is_unlabelled_and_one_without_regions_is_empty(tmp_path):
    assert label_studio.read(tasks(tmp_path, annotations=[]))[0].segmentation is None
    with pytest.raises(FormatError, match="neither original_width and original_height"):
        label_of(tmp_path)


def test_labels_in_results_of_their_own_choices_and_texts_find_their_region(tmp_path):
    square = region("polygon", points=[[10, 10], [30, 10], [30, 50]])
    square |= {"type": "polygon", "value": {"points": square["value"]["points"]}, "id": "x"}
    words = {"type": "labels", "id": "x", "value": {"labels": ["van", "red"]}}
    choice = {"type": "choices", "id": "x", "value": {"choices": ["far"]}}
    whole = {"type": "choices", "id": "y", "value": {"choices": ["night"]}}
    label = label_of(tmp_path, square, words, choice, whole, {"type": "relation"}, {"type": "keypointlabels"})
    assert label.class_names == ("van",)
    assert label.tags == (frozenset({"red", "far"}),)
    assert label.image_tags == {"night"}
    assert label_studio.read(tmp_path).left_out == {"relation": 1, "keypointlabels": 1}


def test_what_we_write_is_a_polygon_where_it_is_exact_and_a_brush_elsewhere(tmp_path):
    ring = np.pad(np.ones((1, 4, 4), bool), ((0, 0), (1, 2), (1, 4)))
    holed = ring.copy()
    holed[0, 2:4, 2:4] = False
    label = Segmentation(Classes.of("a"), Masks.encode(np.concatenate([ring, holed])), [0, 0], [1, 2])
    all_formats.write(Dataset.of([Sample("b/a", None, label)]), tmp_path / "o", to="label_studio")
    task = json.loads((tmp_path / "o" / "tasks.json").read_text())[0]
    assert [each["type"] for each in task["annotations"][0]["result"]] == ["polygonlabels", "brushlabels"]
    assert task["data"]["image"] == "/data/local-files/?d=images/b/a.png"
    assert label_studio.read(tmp_path / "o")["b/a"].label().equals(label)
    assert '<Label value="a"' in (tmp_path / "o" / "label_config.xml").read_text()


def test_real_exports_are_read(shared):
    folder = shared / "data/formats/label_studio"
    polygons = label_studio.read(folder / "test_export_yolo" / "data_polygons.json")
    assert polygons[0].label().masks.area().min() > 0
    turned = label_studio.read(folder / "test_export_yolo" / "data_obb.json")
    assert turned[0].label().masks.area().min() > 0
    again = label_studio.read(folder / "test_export_json_min" / "data.json")
    assert again[0].label().class_names[0] == "Airplane"
