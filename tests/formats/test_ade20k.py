"""ADE20K: classes and instances packed into colours, and the challenge's maps of 150 classes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inlay import Classes, Dataset, FormatError, InlayError, Masks, Sample, Segmentation
from inlay import formats as all_formats
from inlay.formats import ade20k, label_png


def scene(root: Path, colours: list, objects: list[tuple[str, int]]) -> Path:
    folder = root / "training" / "street"
    folder.mkdir(parents=True)
    Image.fromarray(np.array(colours, np.uint8)).save(folder / "a_seg.png")
    named = [{"name": name, "name_ndx": number} for name, number in objects]
    (folder / "a.json").write_text(json.dumps({"annotation": {"object": named}}))
    return root


def test_a_class_is_red_by_ten_and_green_and_an_instance_is_blue(tmp_path):
    person, car = [71, 39, 1], [15, 145, 2]  # 7 * 256 + 39, 1 * 256 + 145: red is rounded down
    root = scene(
        tmp_path, [[[0, 0, 0], person, [71, 39, 9]], [car, car, car]], [("car", 401), ("person", 1831)]
    )
    dataset = ade20k.read(root)
    label = dataset["training/street/a"].label()
    assert label.class_names == ("car", "person", "person")
    assert label.masks.area().tolist() == [3, 1, 1]
    assert dataset.splits == {"training/street/a": "train"}
    assert dataset[0].group == "street"
    assert dataset.classes.source_ids.tolist() == [401, 1831]


def test_maps_of_parts_are_left_out_and_counted(tmp_path):
    root = scene(tmp_path, [[[10, 5, 1]]], [("car", 261)])
    Image.new("RGB", (1, 1)).save(root / "training/street/a_parts_1.png")
    dataset = ade20k.read(root)
    assert dataset.left_out == {"part maps": 1}
    assert dataset.names == ("training/street/a",)


def test_a_class_that_no_file_names_is_an_error_with_its_pixel(tmp_path):
    with pytest.raises(FormatError, match=r"pixel \(1, 0\): colour \(10, 5, 1\) is class 261, which no file"):
        list(ade20k.read(scene(tmp_path, [[[0, 0, 0], [10, 5, 1]]], [("car", 7)])))


def test_the_edition_without_numbers_of_classes_is_refused(tmp_path):
    scene(tmp_path, [[[10, 5, 1]]], [])
    (tmp_path / "training/street/a.json").rename(tmp_path / "training/street/a_atr.txt")
    with pytest.raises(FormatError, match="take that of 2021"):
        ade20k.read(tmp_path)


def test_more_segments_of_a_class_than_the_blue_holds_are_refused_not_wrapped(tmp_path):
    label = Segmentation(
        Classes.of("a"), Masks.from_ids(np.arange(300)[None], 300), np.zeros(300), np.arange(1, 301)
    )
    with pytest.raises(InlayError, match="300 segments of class 'a'; the blue of ADE20K holds 255"):
        all_formats.write(Dataset.of([Sample("a", None, label)]), tmp_path / "o", to="ade20k")
    assert not (tmp_path / "o").exists()


def test_the_fixture_of_another_tool_is_read(shared):
    folder = shared / "data/formats/ade20k2020_synthetic/dataset"
    dataset = ade20k.read(folder)
    assert dataset.left_out == {"part maps": 3}
    label = dataset["training/street/1"].label()
    assert label.class_names == (
        "car, auto, automobile, machine, motorcar",
        "person, individual, someone, somebody, mortal, soul",
    )
    assert label.masks.area().tolist() == [15, 5]


def test_the_challenge_is_a_folder_of_maps_where_zero_is_nobody(tmp_path):
    for folder in ("images", "annotations"):
        (tmp_path / folder / "training").mkdir(parents=True)
    Image.new("RGB", (3, 1)).save(tmp_path / "images/training/a.jpg")
    Image.fromarray(np.array([[0, 1, 2]], np.uint8)).save(tmp_path / "annotations/training/a.png")
    table = "Idx\tRatio\tTrain\tVal\tStuff\tName\n1\t0.1\t1\t1\t1\twall\n2\t0.1\t1\t1\t0\tbuilding, edifice\n"
    (tmp_path / "objectInfo150.txt").write_text(table)
    dataset = label_png.read(tmp_path)
    assert dataset[0].label().semantic(-1).tolist() == [[-1, 0, 1]]
    assert dataset.classes.names == ("wall", "building, edifice")
    assert dataset[0].split == "train"
