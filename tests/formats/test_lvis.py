"""LVIS: absence is not emptiness, and the files say so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation, SegmentClass
from inlay import formats as all_formats
from inlay.core.federated import absent_classes, federated_tags, not_exhaustive_classes
from inlay.formats import coco, lvis


def official(root: Path, **of_image: object) -> Path:
    """A file laid out as the official ones: no file names, no crowds, frequencies."""
    categories = [
        {"id": number, "name": name, "synset": f"{name}.n.01", "frequency": letter, "image_count": 1}
        | {"instance_count": 1, "def": "a thing", "synonyms": [name]}
        for number, name, letter in ((4, "cat", "f"), (9, "dog", "r"), (12, "yak", "c"))
    ]
    image = {"id": 7, "height": 10, "width": 20, "coco_url": "http://images.cocodataset.org/val2017/0007.jpg"}
    image |= {"neg_category_ids": [9], "not_exhaustive_category_ids": [4], **of_image}
    annotation = {"id": 1, "image_id": 7, "category_id": 4, "area": 16.0, "bbox": [2, 1, 4, 4]}
    annotation |= {"segmentation": [[2, 1, 6, 1, 6, 5, 2, 5]]}
    data = {"info": {}, "annotations": [annotation], "images": [image], "categories": categories}
    (root / "lvis_v1_val.json").write_text(json.dumps(data))
    return root / "lvis_v1_val.json"


def test_what_an_image_was_looked_through_for_is_in_its_tags(tmp_path):
    dataset = lvis.read(official(tmp_path))
    label = dataset["val2017/0007"].label()
    assert absent_classes(label.image_tags, dataset.classes).tolist() == [1]
    assert not_exhaustive_classes(label.image_tags, dataset.classes).tolist() == [0]
    assert [item.parent for item in dataset.classes] == ["frequent", "rare", "common"]
    assert dataset.splits == {"val2017/0007": "val"}
    assert dataset.left_out == {}
    assert all_formats.sniff(tmp_path) == ["lvis"]


def test_plain_coco_reads_it_too_when_asked_and_says_what_it_leaves_out(tmp_path):
    dataset = coco.read(official(tmp_path))
    assert dataset.left_out == {"key 'neg_category_ids'": 1, "key 'not_exhaustive_category_ids'": 1}


def test_a_category_that_is_none_is_named(tmp_path):
    with pytest.raises(FormatError, match=r"images\[0\].neg_category_ids: 99 is no category here"):
        lvis.read(official(tmp_path, neg_category_ids=[99]))


def test_what_was_read_is_written_as_lvis_spells_it(tmp_path):
    dataset = lvis.read(official(tmp_path))
    all_formats.write(dataset, tmp_path / "o.json", to="lvis")
    written = json.loads((tmp_path / "o.json").read_text())
    assert written["images"][0]["neg_category_ids"] == [9]
    assert written["images"][0]["not_exhaustive_category_ids"] == [4]
    assert [item["frequency"] for item in written["categories"]] == ["f", "r", "c"]
    again = lvis.read(tmp_path / "o.json")
    assert again["val2017/0007"].label().equals(dataset["val2017/0007"].label())


def test_words_on_images_survive_beside_those_of_other_makers(tmp_path):
    classes = Classes((SegmentClass("cat", parent="pet"), SegmentClass("dog")))
    words = federated_tags(["dog"], ["cat"]) | {"night", "absent: unicorn"}
    label = Segmentation(classes, Masks.encode(np.ones((1, 3, 4))), [0], [1], image_tags=words)
    all_formats.write(Dataset.of([Sample("a", None, label)]), tmp_path / "o", to="lvis")
    again = lvis.read(tmp_path / "o")
    assert again[0].label().image_tags == words
    assert again.classes[0].parent == "pet"
