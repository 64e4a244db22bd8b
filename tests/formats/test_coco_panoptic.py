"""COCO panoptic: colours are numbers, and nothing may change them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation, SegmentClass
from inlay import formats as all_formats
from inlay.core.batch import painted
from inlay.formats import coco_panoptic

BIG = 7 + 256 * 200 + 65536 * 130


def panoptic(folder: Path, ids: np.ndarray, **changes: Any) -> Path:
    """A file of one image of 3x4 pixels: sky (stuff) is segment 7, a car segment BIG."""
    segments = [
        {"id": 7, "category_id": 1, "area": 5, "bbox": [0, 0, 4, 2], "iscrowd": 0},
        {"id": BIG, "category_id": 3, "area": 2, "bbox": [1, 2, 2, 1], "iscrowd": 1},
    ]
    data = {
        "images": [{"id": 9, "file_name": "a.jpg", "height": 3, "width": 4}],
        "annotations": [{"image_id": 9, "file_name": "a.png", "segments_info": segments}],
        "categories": [
            {"id": 1, "name": "sky", "isthing": 0, "color": [1, 2, 3]},
            {"id": 3, "name": "car", "isthing": 1},
        ],
    } | changes
    (folder / "panoptic_val").mkdir(exist_ok=True)
    save(folder / "panoptic_val" / "a.png", ids)
    (folder / "panoptic_val.json").write_text(json.dumps(data))
    return folder / "panoptic_val.json"


def save(path: Path, ids: np.ndarray) -> None:
    Image.fromarray(np.stack([ids % 256, ids // 256 % 256, ids // 65536], -1).astype(np.uint8)).save(path)


IDS = np.array([[7, 7, 7, 0], [7, 7, 0, 0], [0, BIG, BIG, 0]])


def test_colours_are_segment_ids_and_0_is_nobody(tmp_path):
    label = all_formats.read(panoptic(tmp_path, IDS))[0].label()
    assert label.source_id.tolist() == [7, BIG]
    assert np.array_equal(label.masks.decode()[1], IDS == BIG)
    assert label.panoptic().tolist() == ((IDS == 7) + 2 * (IDS == BIG)).tolist()
    assert label.crowd.tolist() == [False, True]
    assert label.instance_id.tolist() == [0, 1]
    assert [item.kind for item in label.classes] == ["stuff", "thing"]


def test_one_segment_id_in_two_images_is_two_segments(tmp_path):
    images = [{"id": k, "file_name": f"{k}.jpg", "height": 3, "width": 4} for k in (1, 2)]
    each = [
        {"image_id": k, "file_name": "a.png", "segments_info": [{"id": 7, "category_id": k}]} for k in (1, 2)
    ]
    categories = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    path = panoptic(
        tmp_path, np.where(IDS == 7, 7, 0), images=images, annotations=each, categories=categories
    )
    assert [sample.label().class_names for sample in coco_panoptic.read(path)] == [("a",), ("b",)]


def test_an_image_without_an_annotation_is_unlabelled(tmp_path):
    dataset = coco_panoptic.read(panoptic(tmp_path, IDS, annotations=[]))
    assert dataset[0].segmentation is None
    assert painted(dataset, dataset.names) is None


def segments(*changes: dict[str, Any], **entry: Any) -> dict[str, Any]:
    listed = [{"id": 7, "category_id": 1} | changes[0], {"id": BIG, "category_id": 3} | changes[1]]
    return {"annotations": [{"image_id": 9, "file_name": "a.png", "segments_info": listed} | entry]}


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        (segments({}, {"id": 8}), "pixel (1, 2)", f"segment {BIG} is not in segments_info of 'a'"),
        (segments({}, {"id": 7}), "annotations[0].segments_info[1].id", "stands at"),
        (segments({}, {"id": 2**24}), "annotations[0].segments_info[1].id", "does not fit into a colour"),
        (segments({}, {"id": 0}), "annotations[0].segments_info[1].id", "0 is nobody"),
        (segments({}, {"category_id": 2}), "annotations[0].segments_info[1].category_id", "2 is no category"),
        (segments({}, {"bbox": [1, 2]}), "annotations[0].segments_info[1].bbox", "2 numbers"),
        (
            segments({}, {}, file_name="b.png"),
            "annotations[0].file_name",
            "there is no 'b.png' in panoptic_val/",
        ),
        (segments({}, {}, image_id=3), "annotations[0].image_id", "3 is no image"),
        (segments({}, {}, file_name="../secret.png"), "annotations[0].file_name", "there is no"),
        (
            {"images": [{"id": 9, "file_name": "a.jpg", "height": 4, "width": 3}]},
            "size",
            "4x3 pixels; the JSON file says 3x4",
        ),
        ({"images": [{"id": 9, "file_name": "a.jpg", "height": 3}]}, "images[0]", "no height and width"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, changes, where, words):
    save(tmp_path.parent / "secret.png", IDS)
    with pytest.raises(FormatError) as error:
        list(coco_panoptic.read(panoptic(tmp_path, IDS, **changes)))
    assert error.value.where == where
    assert words in str(error.value)


@pytest.mark.parametrize("mode", ["L", "P", "I;16"])
def test_a_png_that_is_not_rgb_is_refused(tmp_path, mode):
    path = panoptic(tmp_path, IDS)
    grey = np.where(IDS == 7, 7, 0)
    image = Image.fromarray(grey.astype(np.uint16 if mode == "I;16" else np.uint8))
    if mode == "P":
        image.putpalette(list(range(256)) * 3)
    image.save(tmp_path / "panoptic_val" / "a.png")
    with pytest.raises(FormatError, match="panoptic PNG files are 8-bit RGB"):
        coco_panoptic.read(path)[0]


def test_a_broken_png_is_refused(tmp_path):
    path = panoptic(tmp_path, IDS)
    png = tmp_path / "panoptic_val" / "a.png"
    png.write_bytes(png.read_bytes()[:60])
    with pytest.raises(FormatError, match=r"a\.png"):
        coco_panoptic.read(path)[0]


def test_void_segments_are_0_for_other_tools_and_come_back_to_us(tmp_path):
    classes = Classes((SegmentClass("sky", "stuff"), SegmentClass("rig", "void"), SegmentClass("car")))
    masks = Masks.from_ids(np.repeat([[0, 1, 2, -1]], 3, axis=0), 3)
    label = Segmentation(classes, masks, [0, 1, 2], [0, 0, 1])
    all_formats.write(Dataset.of([Sample("a", None, label)]), tmp_path / "o", to="coco_panoptic")
    painted = np.asarray(Image.open(tmp_path / "o" / "panoptic" / "a.png"))[..., 0]
    assert painted[0].tolist() == [1, 0, 3, 0]
    listed = json.loads((tmp_path / "o" / "panoptic.json").read_text())["annotations"][0]["segments_info"]
    assert [item["id"] for item in listed] == [1, 3]
    again = all_formats.read(tmp_path / "o")[0].label()
    assert sorted(again.class_names) == ["car", "rig", "sky"]
    assert np.array_equal(again.masks.union().decode()[0], label.masks.union().decode()[0])


def test_the_front_segment_is_painted_where_a_lossy_write_meets_an_overlap(tmp_path):
    stack = np.zeros((3, 4, 4), bool)
    stack[0, :2], stack[1, 1:], stack[2, :1] = True, True, True
    label = Segmentation(Classes.of("a", "b", "c"), Masks.encode(stack), [0, 1, 2], [1, 2, 3])
    dataset = Dataset.of([Sample("x", None, label)])
    with pytest.raises(all_formats.LossError, match="overlap"):
        all_formats.write(dataset, tmp_path / "o", to="coco_panoptic")
    all_formats.write(dataset, tmp_path / "o", to="coco_panoptic", lossy=True)
    assert np.array_equal(all_formats.read(tmp_path / "o")[0].label().semantic(), label.semantic())


def test_the_real_sample_comes_back_bit_for_bit(shared, tmp_path):
    source = shared / "data" / "coco_panoptic_sample"
    dataset = all_formats.read(source / "panoptic_examples.json")
    assert sum(len(sample.label()) for sample in dataset) == 50
    all_formats.write(dataset, tmp_path / "o", to="coco_panoptic")
    before = json.loads((source / "panoptic_examples.json").read_text())
    after = json.loads((tmp_path / "o" / "annotations" / "panoptic_examples.json").read_text())
    assert after["categories"] == before["categories"]
    for old, new in zip(before["annotations"], after["annotations"]):
        assert new == old
        pixels = [
            Image.open(folder / old["file_name"])
            for folder in (source / "panoptic_examples", tmp_path / "o" / "annotations" / "panoptic_examples")
        ]
        assert np.array_equal(*(np.asarray(image.convert("RGB")) for image in pixels))
    for sample, again in dataset.zip(all_formats.read(tmp_path / "o")):
        assert again.label().equals(sample.label())


def test_the_panoptic_and_the_detection_form_of_the_real_sample_agree(shared):
    source = shared / "data" / "coco_panoptic_sample"
    with pytest.raises(FormatError, match="could be coco or coco_panoptic"):
        all_formats.read(source)
    pngs = all_formats.read(source / "panoptic_examples.json")
    runs = all_formats.read(source / "panoptic_coco_detection_format.json")
    for one, other in pngs.zip(runs):
        mine, theirs = one.label(), other.label()
        assert np.array_equal(np.sort(mine.masks.area()), np.sort(theirs.masks.area()))
        assert (mine.masks.iou(theirs.masks).max(axis=1) == 1).all()
