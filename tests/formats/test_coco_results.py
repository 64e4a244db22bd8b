"""Lists of results: predictions that name neither images nor classes, read beside their labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation
from inlay import formats as all_formats
from inlay.formats import coco, coco_results

# pycocotools is built for the array protocol of numpy 1
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TRUTH = {
    "images": [
        {"id": 30 + k, "file_name": f"{name}.jpg", "height": 8, "width": 10} for k, name in enumerate("ab")
    ],
    "annotations": [{"id": 1, "image_id": 30, "category_id": 4, "segmentation": [[1, 1, 4, 1, 4, 4]]}],
    "categories": [{"id": 4, "name": "dog"}, {"id": 2, "name": "cat"}],
}


@pytest.fixture
def truth(tmp_path: Path) -> Dataset:
    (tmp_path / "truth.json").write_text(json.dumps(TRUTH))
    return coco.read(tmp_path / "truth.json")


def read(folder: Path, results: Any, like: Dataset | None) -> Dataset:
    (folder / "results.json").write_text(json.dumps(results))
    return coco_results.read(folder / "results.json", like=like)


def result(**changes: Any) -> dict[str, Any]:
    return {
        "image_id": 30,
        "category_id": 2,
        "score": 0.5,
        "segmentation": [[1, 1, 4, 1, 4, 4, 1, 4]],
    } | changes


def test_results_take_names_classes_and_sizes_from_the_labels(tmp_path, truth):
    found = read(tmp_path, [result(), result(category_id=4, score=0.25)], truth)
    assert found.names == ("a", "b")
    label = found["a"].label()
    assert label.class_names == ("cat", "dog")
    assert label.score.tolist() == [0.5, 0.25]
    assert label.masks.area().tolist() == [9, 9]
    assert label.stated_box is None


def test_an_image_without_results_is_predicted_as_empty(tmp_path, truth):
    label = read(tmp_path, [], truth)["b"].label()
    assert len(label) == 0
    assert label.is_prediction


def test_boxes_alone_are_rows_without_pixels(tmp_path, truth):
    bare = {"image_id": 31, "category_id": 2, "score": 0.5, "bbox": [1, 2, 3, 4.5]}
    label = read(tmp_path, [bare], truth)["b"].label()
    assert label.masks.area().tolist() == [0]
    assert label.boxes().tolist() == [[1, 2, 4, 6.5]]


def test_a_box_beside_a_mask_stays_stated_even_where_it_is_that_of_the_mask(tmp_path, truth):
    label = read(tmp_path, [result(bbox=[1, 1, 3, 3])], truth)["a"].label()
    assert label.stated_box.tolist() == [[1, 1, 4, 4]]


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"image_id": 99}, "[1].image_id", "99 is no image here"),
        ({"category_id": 3}, "[1].category_id", "3 is no category here; ids are 2, 4"),
        ({"score": None}, "[1].score", "missing"),
        ({"score": "high"}, "[1].score", "str"),
        ({"segmentation": {"size": [10, 8], "counts": "0"}}, "[1].segmentation.size", "is not the [8, 10]"),
        ({"bbox": [1]}, "[1].bbox", "1 numbers"),
        ({"file_name": "zebra"}, "[1].file_name", "'zebra' is no sample"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, truth, change, place, words):
    with pytest.raises(FormatError) as error:
        list(read(tmp_path, [result(), result(**change)], truth))
    assert error.value.where == place
    assert words in str(error.value)


def test_results_without_labels_are_refused_with_the_way_out(tmp_path):
    with pytest.raises(FormatError, match=r"give the labels too \(like="):
        read(tmp_path, [result()], None)


def test_results_of_other_splits_are_passed_over(tmp_path, truth):
    found = read(tmp_path, [result(), result(image_id=31)], truth.only(["b"]))
    assert found.names == ("b",)
    assert len(found["b"].label()) == 1


def test_an_image_number_of_two_splits_is_refused(tmp_path):
    (tmp_path / "annotations").mkdir()
    for split in ("train", "val"):
        (tmp_path / "annotations" / f"instances_{split}.json").write_text(json.dumps(TRUTH))
    both = coco.read(tmp_path)
    with pytest.raises(FormatError, match="could be train/a or val/a"):
        read(tmp_path, [result()], both)
    assert len(read(tmp_path, [result()], both.split("val"))["val/a"].label()) == 1


def test_numbers_in_file_names_serve_where_the_labels_number_no_images(tmp_path):
    label = Segmentation.empty(Classes.of("x", "cat"), (8, 10))
    like = Dataset.of([Sample("v/000030", None, label), Sample("v/000031", None, label)])
    assert len(read(tmp_path, [result()], like)["v/000030"].label()) == 1
    unnumbered = Dataset.of([Sample("a", None, label)])
    with pytest.raises(FormatError, match="number no images"):
        read(tmp_path, [result()], unnumbered)


def test_pycocotools_loads_what_we_write(tmp_path, truth):
    rng = np.random.default_rng(0)
    stack = rng.random((5, 8, 10)) < 0.5
    label = Segmentation(
        truth.classes, Masks.encode(stack), rng.integers(0, 2, 5), np.arange(1, 6), rng.random(5)
    )
    dataset = truth.map(lambda sample: sample.replace(segmentation=label))
    all_formats.write(dataset, tmp_path / "out.json", to="coco_results")
    theirs = COCO(tmp_path / "truth.json").loadRes(str(tmp_path / "out.json"))
    found = theirs.loadAnns(theirs.getAnnIds(imgIds=[31]))
    assert [item["score"] for item in found] == label.score.tolist()
    assert [item["category_id"] for item in found] == truth.classes.source_ids[label.class_id].tolist()
    assert all(np.array_equal(theirs.annToMask(item), mask) for item, mask in zip(found, stack))
    again = all_formats.read(tmp_path / "out.json", like=truth)
    assert again["b"].label().masks.equals(label.masks)


def test_results_whose_images_have_no_numbers_name_their_samples(tmp_path):
    label = Segmentation(Classes.of("cell"), Masks.encode(np.ones((1, 4, 5))), [0], [1], [0.5])
    dataset = Dataset.of([Sample("left", None, label), Sample("right", None, label[:0])])
    all_formats.write(dataset, tmp_path / "out", to="coco_results")
    again = all_formats.read(tmp_path / "out", like=dataset.only(["right", "left"]))
    assert [len(again[name].label()) for name in ("left", "right")] == [1, 0]


@pytest.mark.parametrize("kind", ["segm", "bbox"])
def test_real_results_are_read(shared, kind):
    folder = shared / "data" / "formats" / "coco_results" / "cocoapi"
    like = all_formats.read(folder / "instances_val2014_100.json")
    path = folder / f"instances_val2014_fake{kind}100_results.json"
    found = all_formats.read(path, like=like)
    assert sum(len(sample.label()) for sample in found) == len(json.loads(path.read_text()))
    assert any(sample.label().masks.area().any() for sample in found) == (kind == "segm")
