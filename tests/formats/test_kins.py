"""KINS: what one sees and the full extent, in both spellings of its releases."""

from __future__ import annotations

import json

import pytest

from inlay import Dataset, Sample, formats

from .corpus import CORPUS

WHOLE, SEEN = [[0, 0, 4, 0, 4, 3, 0, 3]], [[0, 0, 2, 0, 2, 3, 0, 3]]


def published(folder, seen="i_segm", whole="a_segm", name="update_train_2020.json"):
    """A file as it is published, with one car half hidden."""
    annotation = {
        "id": 7,
        "image_id": 3,
        "category_id": 4,
        "iscrowd": 0,
        "ico_id": 1,
        "oco_id": 2,
        seen: SEEN,
        whole: WHOLE,
        "bbox": [0, 0, 4, 3],
        "area": 12,
        **({"i_bbox": [0, 0, 2, 3], "i_area": 6} if seen == "i_segm" else {"inmodal_bbox": [0, 0, 2, 3]}),
    }
    data = {
        "images": [{"id": 3, "file_name": "000003.png", "height": 5, "width": 6}],
        "categories": [{"id": 4, "name": "car", "supercategory": "vehicle"}],
        "annotations": [annotation],
    }
    (folder / name).write_text(json.dumps(data))
    return folder / name


@pytest.mark.parametrize("names", [("i_segm", "a_segm"), ("inmodal_seg", "segmentation")])
def test_both_masks_are_read_in_both_spellings(tmp_path, names):
    file = published(tmp_path, *names)
    assert formats.sniff(file) == formats.sniff(tmp_path) == ["kins"]
    sample = formats.read(file)[0]
    label = sample.label()
    assert sample.split == "train"
    assert label.masks.area().tolist() == [6]
    assert label.amodal.area().tolist() == [12]
    assert label.boxes().tolist() == [[0, 0, 2, 3]]
    assert label.source_id.tolist() == [7]


def test_what_is_written_has_both_masks_for_readers_of_either_release(tmp_path):
    formats.write(formats.read(published(tmp_path)), tmp_path / "out.json", to="kins")
    (item,) = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert item["i_segm"] == SEEN or sorted(item["i_segm"][0]) == sorted(SEEN[0])
    assert item["a_segm"] == item["segmentation"]
    assert item["i_area"] == 6


def test_full_extents_that_nobody_drew_stay_unknown(tmp_path):
    formats.write(CORPUS["overlap"](tmp_path), tmp_path / "out", to="kins")
    assert formats.read(tmp_path / "out")[0].label().amodal is None


def test_amodal_labels_go_from_cocoa_to_kins_and_back(tmp_path):
    dataset = CORPUS["amodal"](tmp_path)
    formats.write(dataset, tmp_path / "a", to="cocoa")
    formats.write(formats.read(tmp_path / "a"), tmp_path / "b", to="kins")
    label = formats.read(tmp_path / "b")[0].label()
    assert label.masks.equals(dataset[0].label().masks)
    assert label.amodal.equals(dataset[0].label().amodal)


def test_a_file_without_an_annotation_is_kins_all_the_same(tmp_path):
    empty = CORPUS["no segment"](tmp_path)[1].label()
    formats.write(Dataset.of([Sample("a", None, empty)], empty.classes), tmp_path / "o.json", to="kins")
    assert formats.sniff(tmp_path / "o.json") == ["kins"]
