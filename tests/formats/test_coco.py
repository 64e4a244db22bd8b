"""COCO instances: what a trusted reader and writer get right where others lose data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from inlay import Classes, Dataset, FormatError, Masks, Sample, Segmentation, SegmentClass
from inlay import formats as all_formats
from inlay.formats import coco
from inlay.formats.parts import coco_layout

# pycocotools is built for the array protocol of numpy 1
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SQUARE = [1, 1, 4, 1, 4, 4, 1, 4]


def labels(*annotations: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A file with one image of 8x10 pixels and the categories 0, 7 and 9."""
    filled = [
        {"id": place, "image_id": 3, "category_id": 7, "segmentation": [SQUARE], "iscrowd": 0} | annotation
        for place, annotation in enumerate(annotations, 1)
    ]
    data = {
        "images": [{"id": 3, "file_name": "a.jpg", "height": 8, "width": 10}],
        "annotations": filled,
        "categories": [{"id": 0, "name": "dog"}, {"id": 7, "name": "cat"}, {"id": 9, "name": "Straße"}],
    }
    return data | changes


def read(folder: Path, data: Any, name: str = "labels.json") -> Dataset:
    (folder / name).write_text(json.dumps(data), "utf-8")
    return coco.read(folder / name)


def one(folder: Path, *annotations: dict[str, Any], **changes: Any) -> Segmentation:
    return read(folder, labels(*annotations, **changes))[0].label()


def bits(label: Segmentation, row: int = 0) -> np.ndarray:
    return label.masks.decode()[row]


def test_a_polygon_covers_the_pixels_that_pycocotools_gives_it(tmp_path):
    rng = np.random.default_rng(0)
    polygons = [[rng.uniform(-2, 12, 2 * int(rng.integers(3, 9))).round(2).tolist()] for _ in range(60)]
    found = one(tmp_path, *({"segmentation": polygon} for polygon in polygons)).masks.decode()
    for mask, polygon in zip(found, polygons):
        theirs = coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(polygon, 8, 10)))
        assert np.array_equal(mask, theirs.astype(bool))


def test_rings_are_united_and_an_inner_ring_is_no_hole(tmp_path):
    ring, inner = [0, 0, 8, 0, 8, 8, 0, 8], [2, 2, 4, 2, 4, 4, 2, 4]
    assert bits(one(tmp_path, {"segmentation": [ring, inner]})).sum() == 64


def test_the_three_kinds_of_segmentation_agree(tmp_path):
    mask = np.zeros((8, 10), np.uint8)
    mask[1:4, 1:4] = 1
    packed = coco_mask.encode(np.asfortranarray(mask))["counts"].decode()
    runs = Masks.encode(mask).to_runs()[0]
    label = one(
        tmp_path,
        {"segmentation": {"size": [8, 10], "counts": packed}},
        {"segmentation": [SQUARE]},
        {"segmentation": {"size": [8, 10], "counts": runs}, "iscrowd": 1},
    )
    assert all(np.array_equal(bits(label, row), mask) for row in range(3))
    assert label.crowd.tolist() == [False, False, True]


def test_category_0_and_annotation_0_are_read_and_gaps_are_kept(tmp_path):
    label = one(tmp_path, {"id": 0, "category_id": 0}, {"id": 5, "category_id": 9})
    assert label.class_names == ("dog", "Straße")
    assert label.source_id.tolist() == [0, 5]
    assert label.classes.source_ids.tolist() == [0, 7, 9]


def test_written_ids_start_at_1_where_the_source_has_none(tmp_path):
    label = Segmentation(Classes.of("a", "b"), Masks.encode(np.ones((2, 4, 5))), [0, 1], [1, 2])
    all_formats.write(Dataset.of([Sample("x", None, label)]), tmp_path / "o.json", to="coco")
    data = json.loads((tmp_path / "o.json").read_text())
    assert [item["id"] for item in data["annotations"]] == [1, 2]
    assert [item["id"] for item in data["categories"]] == [1, 2]
    assert [item["id"] for item in data["images"]] == [1]


def test_an_annotation_0_gets_another_id_that_evaluation_tools_can_match_and_is_remembered(tmp_path):
    dataset = read(tmp_path, labels({"id": 0}, {"id": 4}))
    all_formats.write(dataset, tmp_path / "o.json", to="coco")
    data = json.loads((tmp_path / "o.json").read_text())
    assert [item["id"] for item in data["annotations"]] == [1, 2]
    assert coco.read(tmp_path / "o.json")[0].label().source_id.tolist() == [0, 4]


DONUT = np.array([list("#####"), list("#...#"), list("#.#.#"), list("#...#"), list("#####")]) == "#"


def test_a_donut_is_written_as_run_lengths_and_is_no_crowd(tmp_path):
    label = Segmentation(Classes.of("ring"), Masks.encode(np.pad(DONUT, 2)), [0], [1])
    all_formats.write(Dataset.of([Sample("x", None, label)]), tmp_path / "o.json", to="coco")
    annotation = json.loads((tmp_path / "o.json").read_text())["annotations"][0]
    assert isinstance(annotation["segmentation"]["counts"], str)
    assert annotation["iscrowd"] == 0
    assert annotation["area"] == DONUT.sum()
    assert annotation["bbox"] == [2, 2, 5, 5]
    assert coco.read(tmp_path / "o.json")[0].label().masks.equals(label.masks)


@pytest.mark.parametrize("reader", ["pycocotools", "opencv", "ultralytics"])
def test_blobs_with_holes_parts_lines_and_corners_survive_for_each_reader(tmp_path, reader):
    rng = np.random.default_rng(1)
    stack = rng.random((40, 9, 11)) < rng.uniform(0.05, 0.95, (40, 1, 1))
    label = Segmentation(Classes.of("blob"), Masks.encode(stack), np.zeros(40), np.arange(1, 41))
    dataset = Dataset.of([Sample("x", None, label)])
    receipt = all_formats.write(dataset, tmp_path / "o.json", to="coco", reader=reader)
    assert (receipt.kept.mean, receipt.kept.least) == (1, 1)


def test_a_polygon_written_for_one_reader_is_not_the_same_for_another(tmp_path):
    stack = np.zeros((1, 20, 20), bool)
    stack[0, 4:9, 4:9] = True
    label = Segmentation(Classes.of("blob"), Masks.encode(stack), [0], [1])
    all_formats.write(Dataset.of([Sample("x", None, label)]), tmp_path / "o.json", to="coco", reader="opencv")
    seen = coco.read(tmp_path / "o.json", reader="pycocotools")[0].label()
    assert seen.masks.area().tolist() == [16]
    assert all_formats.read(tmp_path / "o.json", reader="opencv")[0].label().masks.area().tolist() == [25]


def test_pycocotools_reads_what_we_write(tmp_path):
    rng = np.random.default_rng(2)
    stack = rng.random((12, 16, 18)) < rng.uniform(0.1, 0.9, (12, 1, 1))
    label = Segmentation(
        Classes.of("a", "b"),
        Masks.encode(stack),
        rng.integers(0, 2, 12),
        np.arange(1, 13),
        crowd=np.arange(12) > 9,
        amodal=Masks.encode(np.ones((12, 16, 18))),
        tags=[frozenset({"occluded", "colour=red"})] * 12,
    )
    all_formats.write(Dataset.of([Sample("x", None, label)]), tmp_path / "o.json", to="coco")
    theirs = COCO(tmp_path / "o.json")
    for row, annotation in enumerate(theirs.loadAnns(theirs.getAnnIds())):
        assert np.array_equal(theirs.annToMask(annotation), stack[row])
        assert annotation["area"] == stack[row].sum()
        assert annotation["category_id"] == label.class_id[row] + 1


def test_boxes_without_masks_stay_boxes(tmp_path):
    label = one(tmp_path, {"segmentation": [], "bbox": [1.5, 2, 3, 4]}, {"bbox": [1, 1, 3, 3]})
    assert label.masks.area().tolist() == [0, 9]
    assert label.boxes().tolist() == [[1.5, 2, 4.5, 6], [1, 1, 4, 4]]
    again = written_and_read(tmp_path, Dataset.of([Sample("a", None, label)]))
    assert again.equals(label)


def written_and_read(folder: Path, dataset: Dataset) -> Segmentation:
    all_formats.write(dataset, folder / "again.json", to="coco")
    return coco.read(folder / "again.json")[0].label()


def test_stated_boxes_and_areas_come_back_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(3)
    boxes = [
        [*rng.uniform(0, 5, 2).round(2).tolist(), *rng.uniform(0, 3, 2).round(2).tolist()] for _ in range(50)
    ]
    label = one(tmp_path, *({"bbox": box, "area": box[0] / 3} for box in boxes))
    again = written_and_read(tmp_path, Dataset.of([Sample("a", None, label)]))
    assert again.equals(label)
    written = json.loads((tmp_path / "again.json").read_text())["annotations"]
    assert [item["bbox"] for item in written] == boxes


def test_an_annotation_of_the_whole_image_becomes_its_tag(tmp_path):
    label = one(tmp_path, {"segmentation": None, "category_id": 9})
    assert len(label) == 0
    assert label.image_tags == {"Straße"}


def test_attributes_become_tags_and_come_back(tmp_path):
    attributes = {
        "occluded": True,
        "truncated": False,
        "colour": "red",
        "age": 3,
        "track_id": 8,
        "rotation": 0.0,
    }
    label = one(tmp_path, {"attributes": attributes, "difficult": 1})
    assert label.tags[0] == {"occluded", "colour=red", "age=3", "difficult"}
    assert label.instance_id.tolist() == [8]
    again = written_and_read(tmp_path, Dataset.of([Sample("a", None, label)]))
    assert again.tags == label.tags


def test_what_is_not_kept_is_counted_and_refused_elsewhere(tmp_path):
    data = labels(
        {"keypoints": [1, 1, 2], "num_keypoints": 1},
        {"creator": "Anna", "color": "#ff0000"},
        {"creator": "Ben"},
    )
    data["images"][0] |= {"license": 4, "flickr_url": "x", "neg_category_ids": [7]}
    dataset = read(tmp_path, data)
    assert dataset.left_out == {
        "key 'neg_category_ids'": 1,
        "key 'creator'": 2,
        "keypoints": 1,
        "licences": 1,
    }
    with pytest.raises(all_formats.LossError, match=r"left_out: keypoints \(1 entry\)"):
        all_formats.write(dataset, tmp_path / "o", to="native")


def test_parents_kinds_colours_and_void_come_back(tmp_path):
    classes = Classes(
        (
            SegmentClass("sky", "stuff", (1, 2, 3), "outdoor", 4),
            SegmentClass("rig", "void", None, "", 2),
            SegmentClass("car", "thing", (0, 0, 0), "vehicle", 90),
        )
    )
    label = Segmentation(classes, Masks.encode(np.eye(3)[:, None]), [0, 1, 2], [0, 0, 1])
    assert written_and_read(tmp_path, Dataset.of([Sample("a", None, label)])).classes == classes


def test_two_categories_of_one_name_are_one_class_when_one_is_unused_as_roboflow_writes_them(tmp_path):
    twins = [
        {"id": 0, "name": "cell", "supercategory": "none"},
        {"id": 7, "name": "cell", "supercategory": "cells"},
    ]
    label = one(tmp_path, {}, categories=twins)
    assert label.classes == Classes((SegmentClass("cell", parent="cells", source_id=7),))
    with pytest.raises(FormatError, match=r"categories\[1\].name.*'cell' stands twice, with ids 0 and 7"):
        read(tmp_path, labels({}, {"category_id": 0}, categories=twins))


def test_videos_give_groups_frames_and_tracks(tmp_path):
    images = [
        {"id": k, "file_name": f"clip/{k}.jpg", "height": 8, "width": 10, "video_id": 5, "frame_id": k}
        for k in range(2)
    ]
    data = labels(
        {"image_id": 0, "instance_id": 4},
        {"image_id": 1, "instance_id": 4},
        images=images,
        videos=[{"id": 5, "name": "clip"}],
    )
    dataset = read(tmp_path, data)
    assert [(sample.group, sample.frame) for sample in dataset] == [("clip", 0), ("clip", 1)]
    assert [sample.label().instance_id.tolist() for sample in dataset] == [[4], [4]]


def test_an_image_without_annotations_is_empty_and_a_file_without_annotations_is_unlabelled(tmp_path):
    assert len(read(tmp_path, labels())[0].label()) == 0
    data = labels()
    del data["annotations"]
    assert read(tmp_path, data)[0].segmentation is None


def test_file_names_become_sample_names_whatever_tool_wrote_them(tmp_path):
    files = [
        "a.jpg",
        "sub/b.v2.png",
        "sub\\c.jpg",
        "/home/anna/d.jpg",
        "C:\\data\\e.jpg",
        "../../f.jpg",
        "https://x.org/g.jpg?k=1",
    ]
    files += ["žluťoučký kůň.png", "a.png"]
    images = [{"id": k, "file_name": file, "height": 2, "width": 2} for k, file in enumerate(files)]
    names = read(tmp_path, labels(images=images)).names
    assert names == ("a", "sub/b.v2", "sub/c", "d", "e", "f", "g", "žluťoučký kůň", "a.png")


def test_images_are_found_beside_the_labels_and_a_size_missing_in_the_file_is_theirs_turned_by_exif(tmp_path):
    (tmp_path / "images").mkdir()
    picture = Image.fromarray(np.zeros((4, 6, 3), np.uint8))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "images" / "a.jpg", exif=exif)
    sample = read(tmp_path, labels(images=[{"id": 3, "file_name": "a.jpg"}]))[0]
    assert sample.image == tmp_path / "images" / "a.jpg"
    assert sample.label().size == (6, 4)
    assert sample.pixels().shape == (6, 4, 3)


def test_a_folder_has_its_splits(tmp_path):
    for split in ("train2017", "val2017"):
        (tmp_path / split).mkdir()
        Image.new("RGB", (10, 8)).save(tmp_path / split / "a.jpg")
        (tmp_path / "annotations").mkdir(exist_ok=True)
        (tmp_path / "annotations" / f"instances_{split}.json").write_text(json.dumps(labels({})))
        (tmp_path / "annotations" / f"captions_{split}.json").write_text(
            json.dumps({"images": [], "annotations": []})
        )
    dataset = all_formats.read(tmp_path)
    assert dataset.splits == {"train/a": "train", "val/a": "val"}
    assert dataset["val/a"].image == tmp_path / "val2017" / "a.jpg"
    assert all_formats.read(tmp_path / "annotations" / "instances_val2017.json").splits == {"a": "val"}


def test_the_folders_of_roboflow_are_splits(tmp_path):
    for split in ("train", "valid"):
        (tmp_path / split).mkdir()
        Image.new("RGB", (10, 8)).save(tmp_path / split / f"{split}.jpg")
        images = [{"id": 3, "file_name": f"{split}.jpg", "height": 8, "width": 10}]
        (tmp_path / split / "_annotations.coco.json").write_text(json.dumps(labels({}, images=images)))
    dataset = all_formats.read(tmp_path)
    assert dataset.splits == {"train": "train", "valid": "val"}
    assert all(sample.image is not None for sample in dataset)


def test_classes_of_several_files_are_brought_together_by_name(tmp_path):
    (tmp_path / "annotations").mkdir()
    for split, name in (("train", "cat"), ("val", "dog")):
        data = labels(
            {},
            categories=[{"id": 7, "name": name}],
            images=[{"id": 3, "file_name": split, "height": 8, "width": 9}],
        )
        (tmp_path / "annotations" / f"instances_{split}.json").write_text(json.dumps(data))
    dataset = coco.read(tmp_path)
    assert dataset.classes.names == ("cat", "dog")
    assert [sample.label().class_names for sample in dataset] == [("cat",), ("dog",)]


def test_ids_written_as_text_or_with_a_point_are_ids(tmp_path):
    data = labels({"image_id": "3", "category_id": 7.0, "id": "12"})
    data["images"][0]["id"] = "3"
    dataset = read(tmp_path, data)
    assert dataset.source_ids == {"a": 3}
    assert dataset[0].label().source_id.tolist() == [12]


def test_three_hundred_instances_keep_their_ids(tmp_path):
    stack = np.eye(300, dtype=bool).reshape(300, 20, 15)
    label = Segmentation(Classes.of("dot"), Masks.encode(stack), np.zeros(300), np.arange(300, 0, -1))
    assert np.array_equal(
        written_and_read(tmp_path, Dataset.of([Sample("a", None, label)])).instance_id, label.instance_id
    )


def test_a_byte_order_mark_is_no_error(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(labels({})).encode())
    assert len(all_formats.read(tmp_path / "a.json")[0].label()) == 1


@pytest.mark.parametrize(
    "order", [("annotations", "images", "categories"), ("images", "annotations", "categories")]
)
def test_a_large_file_is_recognised_wherever_its_keys_stand(tmp_path, order):
    """As in LVIS, where `images` stands between megabytes of annotations and of categories."""
    data = labels({"segmentation": [list(range(1_000_000))]})
    data["categories"] = [{"id": k, "name": f"class {k}"} for k in range(300_000)]
    (tmp_path / "big.json").write_text(json.dumps({key: data[key] for key in order}))
    assert (tmp_path / "big.json").stat().st_size > coco_layout.SMALL
    assert all_formats.sniff(tmp_path / "big.json") == ["coco"]


def change(data: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The data with the value at a JSON path such as "annotations.0.bbox" exchanged."""
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    node: Any = data
    for part in parents:
        node = node[part]
    node[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "place", "words"),
    [
        ("annotations.1.image_id", 99, "annotations[1].image_id", "99 is no image here; ids are 3"),
        ("annotations.1.image_id", "x", "annotations[1].image_id", "'x' is no id"),
        ("annotations.1.image_id", None, "annotations[1].image_id", "got `null`"),
        (
            "annotations.0.category_id",
            8,
            "annotations[0].category_id",
            "8 is no category here; ids are 0, 7, 9",
        ),
        ("annotations.1.id", 1, "annotations[1].id", "id 1 stands at annotations[0] too"),
        ("annotations.1.id", 2**70, "annotations[1].id", "no id"),
        ("annotations.0.bbox", [1, 2, 3], "annotations[0].bbox", "3 numbers; a box is x, y, width, height"),
        ("annotations.0.bbox", ["a", 2, 3, 4], "annotations[0].bbox[0]", "got `str`"),
        (
            "annotations.0.segmentation",
            [[1, 2, 3, 4, 5]],
            "annotations[0].segmentation[0]",
            "5 numbers are no x, y pairs",
        ),
        (
            "annotations.0.segmentation",
            [1, 2, 3, 4, 5, 6],
            "annotations[0].segmentation[0]",
            "list of polygons",
        ),
        (
            "annotations.0.segmentation",
            [[1, 2, 3, 4, 5, 1e300]],
            "annotations[0].segmentation[0]",
            "pixels away",
        ),
        ("annotations.0.segmentation", "rle", "annotations[0].segmentation", "list of polygons"),
        (
            "annotations.1.segmentation",
            {"size": [10, 8], "counts": "0"},
            "annotations[1].segmentation.size",
            "[10, 8] is not the [8, 10]",
        ),
        (
            "annotations.1.segmentation",
            {"size": [8, 10], "counts": [5, 5]},
            "annotations[1].segmentation.counts",
            "cover 10 pixels",
        ),
        (
            "annotations.1.segmentation",
            {"size": [8, 10], "counts": [-5, 85]},
            "annotations[1].segmentation.counts",
            "whole numbers of 0 .. 80",
        ),
        (
            "annotations.1.segmentation",
            {"size": [8, 10], "counts": "!!~~"},
            "annotations[1].segmentation.counts",
            "broken",
        ),
        (
            "annotations.1.segmentation",
            {"size": [8, 10], "counts": "é"},
            "annotations[1].segmentation.counts",
            "",
        ),
        ("annotations.1.segmentation", {"counts": "0"}, "annotations[1].segmentation", "size"),
        ("images.0.width", 10**9, "images[0]", "an image has 1 to"),
        ("images.0.height", 0, "images[0]", "an image has 1 to"),
        ("images.0.height", None, "images[0]", "'a.jpg' is not beside the labels"),
        ("images.0.file_name", "../..", "images[0].file_name", "names no file"),
        ("images", [{"id": 3, "file_name": "a"}] * 2, "images[1]", "stands at images[0] too"),
        ("images", {"id": 3}, "images", "Expected `array`"),
        (
            "categories",
            [{"id": 7, "name": "cat"}] * 2,
            "categories[1].id",
            "id 7 stands at categories[0] too",
        ),
        ("categories.0.color", [1, 2, 300], "categories[0].color", "0 to 255"),
        ("categories.0.name", None, "categories[0].name", "Expected `str`"),
        ("annotations.1.instance_id", 2**40, "annotations[1].instance_id", "over 32 bits"),
        ("annotations.1.attributes", {"track_id": -(2**40)}, "annotations[1].instance_id", "over 32 bits"),
        ("annotations.0.score", 0.5, "annotations[1].score", "missing"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, path, value, place, words):
    data = change(labels({"bbox": [1, 1, 2, 2]}, {}), path, value)
    with pytest.raises(FormatError) as error:
        [sample.label() for sample in read(tmp_path, data)]
    assert error.value.where == place
    assert words.replace("`", "") in str(error.value)
    assert "labels.json" in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "the file is empty"),
        (b"  \n", "the file is empty"),
        (b'{"images": [], "categories": [', "cut off"),
        (b'{"images": [],\n "categories": [}]}', "line 2"),
        (b'{"images": [{"id": 1, "height": NaN}], "categories": []}', "line 1"),
        (b'{"images": [], "categories": [], "annotations": [{"image_id": ' + b"[" * 99_999, "image_id"),
        (
            b'{"images": [], "categories": [], "annotations": [{"attributes": {"a": ' + b"[" * 99_999,
            "nested too deep",
        ),
        (b'{"images": [{"id": 1, "file_name": "\xff"}], "categories": []}', "UTF-8"),
        (b'{"images": [], "annotations": []}', "categories"),
        (b"[]", "Expected object, got array"),
        (b'"images"', "Expected object, got str"),
        (b'{"images": [{"id": 1, "height": 1e999}], "categories": []}', "images[0].height"),
    ],
)
def test_files_that_are_no_coco_say_so_in_one_line(tmp_path, text, words):
    (tmp_path / "bad.json").write_bytes(text)
    with pytest.raises(FormatError) as error:
        list(coco.read(tmp_path / "bad.json"))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_the_real_subset_equals_pycocotools_and_survives_a_round_trip(shared, tmp_path):
    dataset = all_formats.read(shared / "data" / "coco_subset").split("val")[:40]
    theirs = COCO(shared / "data" / "coco_subset" / "annotations" / "instances_val2017.json")
    for sample in dataset:
        label = sample.label()
        for row, annotation in enumerate(theirs.loadAnns(label.source_id.tolist())):
            assert np.array_equal(bits(label, row), theirs.annToMask(annotation).astype(bool))
    all_formats.write(dataset, tmp_path / "o", to="coco")
    for sample, again in dataset.zip(all_formats.read(tmp_path / "o")):
        assert again.label().equals(sample.label())
        assert again.image.read_bytes() == sample.image.read_bytes()


@pytest.mark.parametrize(
    ("file", "left_out"),
    [
        ("same_images_coco_isat_labelme_yolo/coco_tiny.json", {"licences": 5}),
        ("coco_from_labelme/annotations.json", {"licences": 3}),
        ("coco_results/gt_dataset.json", {}),
        ("coco_results/gt_ignore_test.json", {"licences": 1}),
        ("coco_results/cocoapi/instances_val2014_100.json", {"licences": 100}),
        ("coco_results/example_crowdpose_val.json", {"key 'crowdIndex'": 4, "keypoints": 9}),
        ("coco_all_tasks_synthetic/coco/annotations/instances_val.json", {"licences": 1}),
    ],
)
def test_every_annotation_of_real_files_is_read(shared, file, left_out):
    path = shared / "data" / "formats" / file
    data = json.loads(path.read_text())
    dataset = all_formats.read(path)
    assert len(dataset) == len(data["images"])
    assert sum(len(sample.label()) for sample in dataset) == len(data["annotations"])
    assert dict(dataset.left_out) == left_out


def test_texts_of_images_written_together_are_those_of_images_alone(tmp_path):
    sizes = [(9, 7), (5, 8), (9, 7), (4, 4)]
    for seed in range(8):
        rng = np.random.default_rng(seed)
        samples = []
        for number, size in enumerate(sizes):
            stack = rng.random((number + 1, *size)) < 0.6
            crowd = rng.random(number + 1) < 0.3
            kinds = Classes.of("a", "b")
            class_id = rng.integers(0, 2, number + 1)
            label = Segmentation(kinds, Masks.encode(stack), class_id, np.arange(1, number + 2), crowd=crowd)
            samples.append(Sample(f"{number}", None, label))
        coco.write(Dataset.of(samples), tmp_path / "all.json")
        together = json.loads((tmp_path / "all.json").read_text())["annotations"]
        alone = []
        for sample in samples:
            coco.write(Dataset.of([sample]), tmp_path / "one.json")
            alone += json.loads((tmp_path / "one.json").read_text())["annotations"]
        keys = ("segmentation", "bbox", "area", "category_id", "iscrowd")
        assert [[each[key] for key in keys] for each in together] == [
            [each[key] for key in keys] for each in alone
        ]
