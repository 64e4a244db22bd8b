"""Datumaro and COCOA: groups as one segment, ids that are no ids; full extents and what is seen of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inlay import FormatError, Segmentation
from inlay import formats as all_formats
from inlay.formats import cocoa, datumaro

SQUARE = [2, 1, 6, 1, 6, 4, 2, 4]


def items(root: Path, *annotations: dict) -> Path:
    categories = {"label": {"labels": [{"name": "car", "parent": "vehicle"}, {"name": "cat", "parent": ""}]}}
    item = {"id": "a", "annotations": annotations, "image": {"path": "a.jpg", "size": [8, 12]}}
    (root / "train.json").write_text(json.dumps({"info": {}, "categories": categories, "items": [item]}))
    return root / "train.json"


def polygon(**more: object) -> dict:
    return {"id": 0, "type": "polygon", "points": SQUARE, "label_id": 0, "attributes": {}, **more}


def label_of(root: Path, *annotations: dict) -> Segmentation:
    return datumaro.read(items(root, *annotations))[0].label()


def test_masks_polygons_ellipses_and_boxes_are_read_and_the_stack_is_by_z_order(tmp_path):
    mask = {"type": "mask", "label_id": 1, "rle": {"counts": [0, 8, 88], "size": [8, 12]}}
    label = label_of(
        tmp_path,
        polygon(z_order=2),
        mask,
        {"type": "ellipse", "label_id": 0, "points": [3, 2, 9, 6], "z_order": 1},
        {"type": "bbox", "label_id": 1, "bbox": [1, 2, 3, 4], "z_order": 3},
    )
    assert label.class_names == ("cat", "car", "car", "cat")
    assert label.masks.area().tolist() == [8, 20, 12, 0]
    assert label.boxes()[3].tolist() == [1, 2, 4, 6]


def test_a_group_of_one_label_is_one_segment_and_ids_that_are_all_0_are_none(tmp_path):
    far = [8, 1, 10, 1, 10, 3, 8, 3]
    label = label_of(tmp_path, polygon(group=5), polygon(group=5, points=far), polygon(group=5, label_id=1))
    assert label.masks.area().tolist() == [16, 12]
    assert label.source_id is None


def test_attributes_are_tags_numbers_and_scores(tmp_path):
    label = label_of(
        tmp_path, polygon(attributes={"far": True, "track_id": 7, "score": 0.5, "is_crowd": True})
    )
    assert label.tags == (frozenset({"far"}),)
    assert (label.instance_id.tolist(), label.score.tolist(), label.crowd.tolist()) == ([7], [0.5], [True])


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (polygon(label_id=7), r"items\[0\].annotations\[0\].label_id: 7 is none of the 2 labels"),
        (polygon(points=[1, 2, 3]), r"annotations\[0\].points: expected"),
        ({"type": "mask", "label_id": 0}, r"annotations\[0\].rle: missing"),
        ({"type": "mask", "label_id": 0, "rle": {"counts": "z", "size": [8, 12]}}, "rle.counts: run-length"),
        ({"type": "mask", "label_id": 0, "rle": {"counts": [1], "size": [8, 12]}}, "rle.counts: run lengths"),
        ({"type": "bbox", "label_id": 0, "bbox": [1]}, r"bbox: 1 numbers"),
    ],
)
def test_a_broken_annotation_is_named_with_its_place(tmp_path, broken, what):
    with pytest.raises(FormatError, match=what):
        label_of(tmp_path, broken)


def test_the_fixture_of_its_makers_is_recognised_and_what_it_cannot_hold_is_counted(shared):
    folder = shared / "data/formats/datumaro_json/diverse"
    assert all_formats.sniff(folder) == ["datumaro"]
    dataset = datumaro.read(folder)
    assert {"caption", "points", "polyline"} <= dataset.left_out.keys()


def regions(root: Path, *several: dict) -> Path:
    Image.new("RGB", (12, 8)).save(root / "1.jpg")
    (root / "1.json").write_text(json.dumps({"regions": several, "image_id": 1, "url": "x/1.jpg"}))
    return root


def test_full_extents_visible_parts_and_the_order_of_depth(tmp_path):
    seen = {"size": [8, 12], "counts": [17, 3, 76]}
    near = {"name": "cup", "segmentation": SQUARE, "order": 1, "isStuff": 0}
    far = {"name": "wall", "segmentation": SQUARE, "order": 2, "isStuff": 1, "visible_mask": seen}
    dataset = cocoa.read(regions(tmp_path, near, far))
    label = dataset[0].label()
    assert label.class_names == ("wall", "cup")
    assert label.amodal.area().tolist() == [12, 12]
    assert label.masks.area().tolist() == [3, 12]
    assert [item.kind for item in dataset.classes] == ["thing", "stuff"]


def test_an_extent_that_leaves_the_image_is_cut_at_its_side(tmp_path):
    outside = [-5, 1, 6, 1, 6, 4, -5, 4]
    label = cocoa.read(regions(tmp_path, {"name": "cup", "segmentation": outside, "isStuff": 0}))[0].label()
    assert label.amodal.box().tolist() == [[0, 1, 6, 4]]


def test_real_amodal_labels_are_read_and_written_without_a_pixel_lost(shared, tmp_path):
    dataset = all_formats.read(shared / "data/amodal_cocoa")
    assert sum(len(sample.label()) for sample in dataset) == 48
    seen = [sample.label() for sample in dataset]
    assert sum(int((label.amodal.area() > label.masks.area()).sum()) for label in seen) == 24
    all_formats.write(dataset, tmp_path / "o", to="cocoa")
    again = cocoa.read(tmp_path / "o")
    for mine, theirs in zip(again, seen):
        assert mine.label().masks.equals(theirs.masks)
        assert mine.label().amodal.equals(theirs.amodal)
        assert np.array_equal(mine.label().class_names, theirs.class_names)
