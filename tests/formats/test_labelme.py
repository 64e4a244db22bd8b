"""LabelMe: shapes on the pixels LabelMe means, groups as one segment, holes as masks."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from tests.often import many

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation
from inlay import formats as all_formats
from inlay.formats import labelme


def png(array: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def shape(points: list, kind: str = "polygon", label: str = "car", **more: object) -> dict:
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, "flags": {}, **more}


def folder(root: Path, *shapes: dict, size: tuple[int, int] = (20, 30), **more: object) -> Path:
    Image.new("RGB", size[::-1]).save(root / "a.png")
    about = {"shapes": shapes, "imagePath": "a.png", "imageData": None}
    about |= {"imageHeight": size[0], "imageWidth": size[1]}
    (root / "a.json").write_text(json.dumps(about | more), "utf-8")
    return root


def label_of(root: Path, **how: str) -> Segmentation:
    return labelme.read(root, **how)[0].label()


def drawn_by_pillow(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    mask = Image.new("L", size[::-1], 0)
    ImageDraw.Draw(mask).polygon([tuple(point) for point in points], outline=1, fill=1)
    return np.asarray(mask) == 1


@settings(max_examples=many(30), deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_pillow_draws_the_polygons_we_write_as_the_masks_they_were(tmp_path_factory, seed):
    rng = np.random.default_rng(seed)
    parts, _ = Masks.encode(rng.random((1, 17, 23)) < rng.uniform(0.3, 0.8)).fill_holes().parts()
    label = Segmentation(Classes.of("car"), parts, np.zeros(len(parts)), np.arange(1, len(parts) + 1))
    out = tmp_path_factory.mktemp("labelme") / "o"
    all_formats.write(Dataset.of([Sample("a", np.zeros((17, 23, 3), np.uint8), label)]), out, to="labelme")
    shapes = json.loads((out / "a.json").read_text())["shapes"]
    for item, mask in zip(shapes, parts.decode()):
        if item["shape_type"] == "polygon":
            assert np.array_equal(drawn_by_pillow(np.array(item["points"]), (17, 23)), mask)
    assert label_of(out).masks.equals(parts)


def test_shapes_of_one_label_and_group_are_one_segment(tmp_path):
    one = [[1, 1], [4, 1], [4, 4], [1, 4]]
    other = [[11, 1], [14, 1], [14, 4], [11, 4]]
    label = label_of(
        folder(
            tmp_path,
            shape(one, group_id=7),
            shape(other, group_id=7),
            shape(other, label="dog", group_id=7),
            shape(one),
        )
    )
    assert label.class_names == ("car", "dog", "car")
    assert label.masks.area().tolist() == [32, 16, 16]
    assert label.instance_id.tolist() == [7, 7, 3]


def test_a_hole_is_written_as_a_mask_and_comes_back(tmp_path):
    ring = np.ones((1, 6, 6), bool)
    ring[0, 2:4, 2:4] = False
    label = Segmentation(Classes.of("ring"), Masks.encode(np.pad(ring, ((0, 0), (3, 4), (5, 2)))), [0], [1])
    all_formats.write(Dataset.of([Sample("a", None, label)]), tmp_path / "o", to="labelme")
    written = json.loads((tmp_path / "o" / "a.json").read_text())["shapes"][0]
    assert (written["shape_type"], written["points"]) == ("mask", [[5, 3], [10, 8]])
    assert label_of(tmp_path / "o").equals(label)


def test_a_mask_lies_at_the_first_of_its_points(tmp_path):
    pixels = np.array([[255, 0], [255, 255]], np.uint8)
    label = label_of(folder(tmp_path, shape([[3, 4], [4, 5]], "mask", mask=png(pixels))))
    assert np.argwhere(label.masks.decode()[0]).tolist() == [[4, 3], [5, 3], [5, 4]]


def test_rectangles_include_both_corners_and_circles_their_rim(tmp_path):
    label = label_of(
        folder(tmp_path, shape([[2, 3], [6, 5]], "rectangle"), shape([[15, 10], [18, 10]], "circle"))
    )
    assert label.masks.box().tolist() == [[2, 3, 7, 6], [12, 7, 19, 14]]
    assert label.masks.area().tolist() == [15, 29]


def test_points_and_lines_are_left_out_and_counted(tmp_path):
    dataset = labelme.read(folder(tmp_path, shape([[1, 1]], "point"), shape([[1, 1], [2, 2]], "line")))
    assert dataset.left_out == {"point": 1, "line": 1}
    assert len(dataset[0].label()) == 0
    assert dataset.classes.names == ()


def test_an_image_that_is_gone_comes_from_the_label_file(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    folder(tmp_path, shape([[1, 1], [4, 1], [4, 4]]), imageData=png(pixels))
    (tmp_path / "a.png").unlink()
    assert np.array_equal(labelme.read(tmp_path)[0].pixels(), pixels)


@pytest.mark.parametrize("turned", [True, False])
def test_labels_fit_their_image_whether_its_orientation_was_applied_or_not(tmp_path, turned):
    size = (30, 20) if turned else (20, 30)  # the file holds 30x20 pixels and says: turn by 90 degrees
    folder(tmp_path, shape([[1, 1], [4, 1], [4, 4]]), size=size)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 20)).save(tmp_path / "a.png", exif=exif)
    sample = labelme.read(tmp_path)[0]
    assert sample.label().size == size
    assert sample.pixels().shape[:2] == size


def test_the_reader_decides_what_a_polygon_covers(tmp_path):
    folder(tmp_path, shape([[1, 1], [4, 1], [4, 4], [1, 4]]))
    assert label_of(tmp_path).masks.area().tolist() == [16]
    assert label_of(tmp_path, reader="pycocotools").masks.area().tolist() == [9]


def test_flags_attributes_and_descriptions_are_tags_and_void_and_background_are_no_things(tmp_path):
    more = {"flags": {"occluded": True, "far": False}, "attributes": {"colour": "red"}, "description": "hm"}
    square = [[1, 1], [4, 1], [4, 4]]
    dataset = labelme.read(
        folder(
            tmp_path,
            shape(square, **more),
            shape(square, label="__ignore__"),
            shape(square, label="_background_"),
            flags={"night": True},
        )
    )
    label = dataset[0].label()
    assert label.tags[0] == {"occluded", "colour=red", "description=hm"}
    assert label.image_tags == {"night"}
    assert [item.kind for item in dataset.classes] == ["thing", "void", "stuff"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (shape([[1, 2], [3, 4]], "mask", mask="!!"), r"shapes\[0\].mask: no image"),
        (shape([[1, 2], [3, 4]], "mask", mask=png(np.zeros((900, 900), np.uint8))), "over the limit of 600"),
        (shape([[1, 2]], "circle"), r"shapes\[0\].points: 1 points; a circle has 2"),
        (shape([[1, 1e9], [2, 2], [3, 3]]), r"shapes\[0\].points: expected"),
        (shape("abc"), r"shapes\[0\].points: Expected `?array"),
        (shape([[1, 1]], group_id=2**40), r"shapes\[0\]: number 1099511627776 is not of 0"),
    ],
)
def test_a_broken_shape_is_named_with_its_place(tmp_path, change, what):
    with pytest.raises(FormatError, match=what):
        list(labelme.read(folder(tmp_path, change)))


def test_the_masks_are_those_of_labelmes_own_export(shared):
    """labelme2voc exported these three images; 255 is the ring that later shapes leave."""
    dataset = labelme.read(shared / "data/formats/labelme_json")
    again = all_formats.read(shared / "data/formats/pascal_voc")
    for sample, exported in zip(dataset, again):
        mine, theirs = sample.label().semantic(-1), exported.label().semantic(-1)
        for row, name in enumerate(dataset.classes.names):
            if (mine == row).any():
                one, other = mine == row, theirs == again.classes.row(name)
                assert (one & other).sum() / (one | other).sum() > 0.98


def test_real_files_of_other_makers_are_read(shared):
    for name in ("labelme_json_apc2016", "labelme_json_primitives", "labelme_json_video"):
        for sample in labelme.read(shared / "data/formats" / name):
            assert len(sample.label()) or name == "labelme_json_primitives"
