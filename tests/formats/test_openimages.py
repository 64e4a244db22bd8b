"""Open Images: masks of other sizes, boxes and masks joined, groups as crowds, names of labels."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inlay import FormatError, Segmentation
from inlay import formats as all_formats

SIZE = (8, 12)
MASKS = "MaskPath,ImageID,LabelName,BoxID,BoxXMin,BoxXMax,BoxYMin,BoxYMax,PredictedIoU,Clicks"
FLAGS = "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
BOXES = f"ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,{FLAGS}"
CAR = "/m/0k4j"


def table(path: Path, header: str, *rows: tuple) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows] if header else rows)


def folder(root: Path, masks: tuple = (), boxes: tuple = (), split: str = "train") -> Path:
    table(root / "annotations" / "class-descriptions-boxable.csv", "", (CAR, "Car"), ("/m/dog", "Dog"))
    table(root / "annotations" / f"{split}-annotations-object-segmentation.csv", MASKS, *masks)
    table(root / "annotations" / f"oidv6-{split}-annotations-bbox.csv", BOXES, *boxes)
    (root / "images").mkdir()
    Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(root / "images" / "i1.jpg")
    return root


def png(root: Path, name: str, pixels: np.ndarray) -> None:
    (root / "masks").mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(root / "masks" / name)


def mask_row(
    name: str = "m.png", box: tuple = (0.25, 0.5, 0.25, 0.75), iou: str = "", clicks: str = ""
) -> tuple:
    return (name, "i1", CAR, "b1", *box, iou, clicks)


def box_row(box: tuple = (0.25, 0.5, 0.25, 0.75), flags: tuple = (0, 0, 0, 0, 0), label: str = CAR) -> tuple:
    return ("i1", "xclick", label, 1, *box, *flags)


def label_of(root: Path) -> Segmentation:
    return all_formats.read(root, "openimages")["i1"].label()


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_mask_that_is_smaller_than_its_image_is_scaled_to_it(tmp_path, scale):
    pixels = np.zeros((SIZE[0] // scale, SIZE[1] // scale), bool)
    pixels[:1, 1:] = True
    png(tmp_path, "m.png", pixels)
    label = label_of(folder(tmp_path, (mask_row(),)))
    assert np.array_equal(label.masks.decode()[0], pixels.repeat(scale, 0).repeat(scale, 1))


def test_a_mask_that_is_larger_than_its_image_takes_the_pixels_under_the_centres(tmp_path):
    large = np.random.default_rng(0).random((SIZE[0] * 3, SIZE[1] * 3)) < 0.5
    png(tmp_path, "m.png", large)
    label = label_of(folder(tmp_path, (mask_row(),)))
    assert np.array_equal(label.masks.decode()[0], large[1::3, 1::3])


def test_boxes_and_masks_of_one_object_are_one_segment(tmp_path):
    png(tmp_path, "m.png", np.ones(SIZE, bool))
    near = (0.2500003, 0.5, 0.25, 0.7499996)  # the two tables round differently
    flags = (1, 1, 0, -1, 1)
    boxes = (box_row((0, 0.25, 0, 1)), box_row(near, flags), box_row(near, label="/m/dog"))
    label = label_of(folder(tmp_path, (mask_row(iou="0.5", clicks="0.1 0.2 1;0.3 0.4 0"),), boxes))
    assert label.masks.area().tolist() == [0, 96, 0]
    assert label.tags[1] == {
        "occluded",
        "truncated",
        "inside",
        "predicted_iou=0.5",
        "clicks=0.1 0.2 1;0.3 0.4 0",
    }
    assert label.boxes()[0].tolist() == [0, 0, 3, 8]
    assert label.class_names == ("Car", "Car", "Dog")
    assert label.score is None


def test_a_group_is_a_crowd_and_a_confidence_below_one_is_a_score(tmp_path):
    boxes = (box_row(flags=(0, 0, 1, 0, 0)), ("i1", "activemil", CAR, 0.7, 0, 1, 0, 1, 0, 0, 0, 0, 0))
    label = label_of(folder(tmp_path, boxes=boxes))
    assert label.crowd.tolist() == [True, False]
    assert label.score is not None
    assert label.score.tolist() == [1, 0.7]


def test_images_that_no_table_names_are_unlabelled_and_listed_ones_are_empty(tmp_path):
    root = folder(tmp_path)
    assert all_formats.read(root)["i1"].segmentation is None
    table(
        root / "annotations" / "train-images-boxable-with-rotation.csv",
        "ImageID,Subset,Rotation",
        ("i1", "train", 0),
    )
    assert len(label_of(root)) == 0
    assert all_formats.read(root).splits == {"i1": "train"}


def test_verified_labels_are_tags_of_the_image(tmp_path):
    root = folder(tmp_path, boxes=(box_row(),))
    words = (
        ("i1", "verification", CAR, 1),
        ("i1", "verification", "/m/dog", 0),
        ("i2", "verification", CAR, 1),
    )
    table(
        root / "annotations" / "train-annotations-human-imagelabels.csv",
        "ImageID,Source,LabelName,Confidence",
        *words,
    )
    assert label_of(root).image_tags == {"present: Car", "absent: Dog"}
    assert dict(all_formats.read(root).left_out) == {"labels of images": 1}


def test_the_class_above_is_the_parent_and_equal_names_are_told_apart(tmp_path):
    root = folder(tmp_path, boxes=(box_row(label="/m/new"),))
    lines = ((CAR, "Car"), ("/m/other", "Car"), ("/m/v", "Vehicle"))
    table(root / "annotations" / "class-descriptions-boxable.csv", "", *lines)
    high = {"LabelName": "/m/v", "Subcategory": [{"LabelName": CAR}]}
    tree = json.dumps({"LabelName": "/m/root", "Subcategory": [high]})
    (root / "annotations" / "bbox_labels_600_hierarchy.json").write_text(tree)
    classes = all_formats.read(root).classes
    assert classes.names == ("Car", "Car (/m/other)", "Vehicle", "/m/new")
    assert [item.parent for item in classes] == ["Vehicle", "", "", ""]


def test_a_split_is_what_the_tables_are_called(tmp_path):
    assert all_formats.read(folder(tmp_path, boxes=(box_row(),), split="validation")).splits == {"i1": "val"}


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ({"masks": (mask_row("gone.png"),)}, "line 2 column MaskPath: 'gone.png' is not in masks/"),
        ({"masks": (mask_row("../../m.png"),)}, "is not in masks/"),
        ({"masks": (mask_row("ok.png", box=("nan", 1, 0, 1)),)}, "line 2 column BoxXMin: 'nan' is no number"),
        ({"boxes": (box_row(box=(0, 1e300, 0, 1)),)}, "line 2 column XMax"),
        ({"boxes": (box_row(box=("", 1, 0, 1)),)}, "line 2 column XMin: 'None' is no number"),
        ({"boxes": (("", *box_row()[1:]),)}, "line 2 column ImageID: is empty"),
        ({"boxes": (("i7", *box_row()[1:]),)}, r"image 'i7': is not in images/, and no mask tells its size"),
    ],
)
def test_broken_rows_are_refused_with_line_and_column(tmp_path, rows, what):
    png(tmp_path, "ok.png", np.ones(SIZE, bool))
    Image.fromarray(np.ones(SIZE, bool)).save(tmp_path.parent / "m.png")
    with pytest.raises(FormatError, match=what):
        list(all_formats.read(folder(tmp_path, **rows), "openimages"))


def test_a_table_without_a_column_is_refused(tmp_path):
    root = folder(tmp_path)
    table(
        root / "annotations" / "train-annotations-object-segmentation.csv",
        "MaskPath,ImageID",
        ("m.png", "i1"),
    )
    with pytest.raises(FormatError, match="line 1: no column 'LabelName' among MaskPath, ImageID"):
        all_formats.read(root)


def test_the_small_export_of_datumaro_is_read(shared):
    dataset = all_formats.read(shared / "data" / "formats" / "open_images_masks_synthetic" / "v6")
    assert dict(dataset.splits) == {"a": "train", "b": "train", "c": "test", "d": "val"}
    label = dataset["b"].label()
    assert label.masks.size == (2, 8)
    assert label.tags == ({"predicted_iou=0.5"},)
    assert dataset["c"].label().crowd.tolist() == [True]
    assert dataset.classes.names[:2] == ("Generic label #0", "Generic label #1")
    assert dataset.classes[1].parent == "Generic label #0"
