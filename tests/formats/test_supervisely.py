"""Supervisely: bitmaps at their origin, true holes, packed data that is bounded."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation
from inlay import formats as all_formats
from inlay.formats import supervisely
from inlay.formats.parts.pieces import png_of


def zipped(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


def packed(array: np.ndarray) -> str:
    return zipped(png_of(array))


def project(root: Path, *objects: dict, tags: tuple = ()) -> Path:
    (root / "train" / "ann").mkdir(parents=True)
    meta = {"classes": [{"title": "car", "shape": "any", "color": "#0a141e"}], "tags": []}
    (root / "meta.json").write_text(json.dumps(meta))
    data = {"size": {"height": 12, "width": 16}, "objects": objects, "tags": tags}
    (root / "train" / "ann" / "a.png.json").write_text(json.dumps(data))
    return root


def thing(kind: str, **more: object) -> dict:
    return {"classTitle": "car", "geometryType": kind, **more}


def label_of(root: Path, *objects: dict, **how: str) -> Segmentation:
    return supervisely.read(project(root, *objects), **how)[0].label()


@pytest.mark.parametrize("kind", ["bool", "grey", "alpha"])
def test_a_bitmap_lies_at_its_origin_whatever_kind_of_png_it_is(tmp_path, kind):
    pixels = np.array([[True, False], [True, True]])
    png = {"bool": pixels, "grey": pixels * np.uint8(255)}.get(kind)
    if png is None:
        png = np.dstack([np.full((2, 2, 3), 9, np.uint8), pixels * np.uint8(200)])
    label = label_of(tmp_path, thing("bitmap", bitmap={"data": packed(png), "origin": [3, 4]}))
    assert np.argwhere(label.masks.decode()[0]).tolist() == [[4, 3], [5, 3], [5, 4]]


def test_a_polygon_has_true_holes_whose_rim_is_taken_out_too(tmp_path):
    outer, inner = [[1, 1], [10, 1], [10, 9], [1, 9]], [[4, 4], [7, 4], [7, 6], [4, 6]]
    label = label_of(tmp_path, thing("polygon", points={"exterior": outer, "interior": [inner]}))
    drawn = np.zeros((12, 16), np.uint8)
    cv2.fillPoly(drawn, [np.array(outer)], 1)
    cv2.fillPoly(drawn, [np.array(inner)], 0)
    assert np.array_equal(label.masks.decode()[0], drawn.astype(bool))


def test_another_reader_sees_another_polygon(tmp_path):
    outer = [[1, 1], [10, 1], [10, 9], [1, 9]]
    item = thing("polygon", points={"exterior": outer, "interior": []})
    assert label_of(tmp_path, item, reader="pycocotools").masks.area().tolist() == [72]


def test_rectangles_are_boxes_without_pixels_and_lines_are_counted(tmp_path):
    points = {"exterior": [[7, 5], [2, 3]], "interior": []}
    root = project(tmp_path, thing("rectangle", points=points), thing("line", points=points))
    dataset = supervisely.read(root)
    assert dataset[0].label().boxes().tolist() == [[2, 3, 8, 6]]
    assert dataset[0].label().masks.area().tolist() == [0]
    assert dataset.left_out == {"line": 1}


def test_tags_have_values_and_the_folder_is_the_split(tmp_path):
    tags = [{"name": "far"}, {"name": "colour", "value": "red"}]
    data = thing("bitmap", bitmap={"data": packed(np.ones((1, 1), bool)), "origin": [0, 0]}, tags=tags, id=5)
    dataset = supervisely.read(project(tmp_path, data, tags=({"name": "night", "value": None},)))
    label = dataset[0].label()
    assert label.tags == (frozenset({"far", "colour=red"}),)
    assert label.image_tags == {"night"}
    assert label.source_id.tolist() == [5]
    assert dataset.splits == {"train/a": "train"}
    assert dataset.classes.colours.tolist() == [[10, 20, 30]]


@pytest.mark.parametrize(
    ("bitmap", "what"),
    [
        ({"data": "AAAA", "origin": [0, 0]}, r"objects\[0\].bitmap.data: not zlib data"),
        (
            {"data": base64.b64encode(zlib.compress(bytes(10**8))).decode(), "origin": [0, 0]},
            "unpacks to more",
        ),
        ({"data": packed(np.ones((900, 900), bool)), "origin": [0, 0]}, "over the limit of 192"),
        (
            {"data": base64.b64encode(zlib.compress(b"x" * 99)).decode(), "origin": [0, 0]},
            "no image that can",
        ),
        (
            {"data": packed(np.ones((9, 9), bool))[:-8], "origin": [0, 0]},
            "cut off|not base64|no image|not zlib",
        ),
        (None, r"objects\[0\].bitmap: missing"),
    ],
)
def test_broken_bitmaps_and_bombs_are_refused_with_their_place(tmp_path, bitmap, what):
    with pytest.raises(FormatError, match=what):
        label_of(tmp_path, thing("bitmap", bitmap=bitmap))


def test_a_class_that_the_project_does_not_have_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"objects\[0\]: class 'dog' is not in the class list \(car\)"):
        label_of(tmp_path, {"classTitle": "dog", "geometryType": "bitmap"})


def test_names_that_fall_together_in_one_folder_are_told_apart(tmp_path):
    label = Segmentation(Classes.of("car"), Masks.encode(np.ones((1, 2, 3))), [0], [1])
    image = np.zeros((2, 3, 3), np.uint8)
    samples = [Sample(name, image, label) for name in ("a/b", "a_b", "A_B")]
    all_formats.write(Dataset.of(samples), tmp_path / "o", to="supervisely")
    assert len(list((tmp_path / "o" / "ds0" / "img").iterdir())) == 3
    assert set(supervisely.read(tmp_path / "o").names) == {"a/b", "a_b", "A_B"}


def test_a_project_without_its_meta_file_is_refused(tmp_path):
    (project(tmp_path, thing("bitmap")) / "meta.json").unlink()
    with pytest.raises(FormatError, match=r"no meta\.json"):
        supervisely.read(tmp_path)
