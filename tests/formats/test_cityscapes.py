from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import Classes, Dataset, FormatError, InlayError, Masks, Sample, Segmentation
from inlay.core.segmentation import instance_numbers
from inlay.formats import cityscapes
from inlay.formats.parts.cityscapes_classes import CLASSES, TRAIN_IDS

from .random_datasets import assert_equal_segments
from .small_maps import png, stored

CITY = "gtFine/train/ulm/ulm_000000_000019_gtFine"
NAME = "ulm/ulm_000000_000019"


def label_of(root: Path, kind: str, rows: Any, dtype: Any = np.uint8) -> Segmentation:
    """The label that a map of one kind gives."""
    png(root / f"{CITY}_{kind}.png", rows, dtype=dtype)
    return cityscapes.read(root)[NAME].label()


def row(name: str) -> int:
    return CLASSES.row(name)


def test_the_table_has_35_classes_19_of_them_evaluated_and_8_with_instances_beside_two_ignored():
    assert len(CLASSES) == 35
    assert sorted(TRAIN_IDS.values()) == list(range(19))
    assert [CLASSES.names[i] for i in np.flatnonzero(CLASSES.is_thing)] == [
        *("person", "rider", "car", "truck", "bus"),
        *("caravan", "trailer", "train", "motorcycle", "bicycle"),
    ]
    assert CLASSES.source_ids.tolist() == [*range(34), -1]
    assert CLASSES[row("car")].parent == "vehicle"
    assert CLASSES[row("ego vehicle")].kind == "void"


def test_instance_numbers_are_class_times_1000_and_need_not_be_dense(tmp_path):
    label = label_of(tmp_path, "instanceIds", [[26000, 26007, 24003, 7]], np.uint16)
    assert label.class_names == ("road", "person", "car", "car")
    assert label.source_id.tolist() == [7, 24003, 26000, 26007]
    assert label.instance_id.tolist() == [0, 1, 2, 3]


def test_a_plain_class_number_of_a_thing_is_a_group_and_of_stuff_is_stuff(tmp_path):
    label = label_of(tmp_path, "instanceIds", [[26, 26001, 23]], np.uint16)
    assert label.class_names == ("sky", "car", "car")
    assert label.crowd.tolist() == [False, True, False]


def test_number_0_is_nobody(tmp_path):
    label = label_of(tmp_path, "instanceIds", [[0, 7]], np.uint16)
    assert label.class_names == ("road",)
    assert label.semantic().tolist() == [[255, 7]]


def test_label_ids_are_not_train_ids(tmp_path):
    label = label_of(tmp_path, "labelIds", [[11, 26]])
    assert label.class_names == ("building", "car")
    assert label.crowd.tolist() == [False, True]  # how many cars, the map does not say
    other = label_of(tmp_path / "b", "labelTrainIds", [[11, 2, 255]])
    assert other.class_names == ("building", "person")
    with pytest.raises(FormatError, match=r"pixel \(1, 0\): value 255 is no class.*labelTrainIds"):
        label_of(tmp_path / "c", "labelIds", [[0, 255]])
    with pytest.raises(FormatError, match=r"value 26 is no train id"):
        label_of(tmp_path / "d", "labelTrainIds", [[0, 26]])
    with pytest.raises(FormatError, match=r"value 26001 is no class"):
        label_of(tmp_path / "e", "labelIds", [[0, 26001]], np.uint16)


def test_the_instance_map_comes_before_the_others(tmp_path):
    label_of(tmp_path, "labelIds", [[26, 26]])
    assert len(label_of(tmp_path, "instanceIds", [[26000, 26001]], np.uint16)) == 2


@pytest.mark.parametrize("number", [34, 999, 34000, 65535])
def test_a_number_outside_the_table_names_its_pixel(tmp_path, number):
    with pytest.raises(FormatError, match=rf"instanceIds\.png: pixel \(1, 0\): value {number} is no class"):
        label_of(tmp_path, "instanceIds", [[7, number]], np.uint16)


def polygons(root: Path, *objects: tuple[str, list[list[float]]], **more: Any) -> Segmentation:
    content = {
        "imgHeight": 6,
        "imgWidth": 8,
        "objects": [{"label": label, "polygon": polygon} for label, polygon in objects],
        **more,
    }
    file = root / f"{CITY}_polygons.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return cityscapes.read(root)[NAME].label()


def box(x0: int, y0: int, x1: int, y1: int) -> list[list[float]]:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def test_polygons_are_painted_in_order_and_keep_their_full_extent(tmp_path):
    label = polygons(
        tmp_path, ("road", box(0, 0, 7, 5)), ("cargroup", box(1, 1, 4, 4)), ("car", box(3, 3, 6, 5))
    )
    assert label.class_names == ("road", "car", "car")
    assert label.crowd.tolist() == [False, True, False]
    assert label.is_partition
    assert label.masks.area().tolist() == [48 - 16 - 12 + 4, 16 - 4, 12]
    assert label.amodal.area().tolist() == [48, 16, 12]


def test_license_plates_and_deleted_polygons_are_not_painted(tmp_path):
    label = polygons(
        tmp_path, ("car", box(0, 0, 3, 3)), ("license plate", box(1, 1, 2, 2)), ("unlabeled", box(0, 0, 1, 1))
    )
    assert label.class_names == ("car",)
    assert label.masks.area().tolist() == [16]
    assert len(polygons(tmp_path / "none")) == 0


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"imgHeight": "6"}, "imgHeight"),
        ({"imgWidth": -1}, "imgWidth"),
        ({"objects": 3}, "objects"),
        ({"objects": [{"label": "dog", "polygon": []}]}, r"objects\[0\].label"),
        ({"objects": [{"label": "skygroup", "polygon": []}]}, r"objects\[0\].label"),
        ({"objects": [{"label": "car", "polygon": [[1, 2], [3]]}]}, r"objects\[0\].polygon"),
        ({"objects": [{"label": "car", "polygon": [[1, None]]}]}, r"objects\[0\].polygon"),
        ({"objects": [{"label": "car"}]}, r"objects\[0\].polygon"),
    ],
)
def test_broken_polygon_files_are_named_with_their_place(tmp_path, change, where):
    with pytest.raises(FormatError, match=where):
        polygons(tmp_path, **change)


def test_splits_cities_and_images_are_found_in_both_folder_forms(tmp_path):
    png(tmp_path / "imgsFine/leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png", np.zeros((1, 2, 3)))
    png(tmp_path / "gtFine/val/ulm/ulm_000000_000019_gtFine_labelIds.png", [[7, 8]])
    png(tmp_path / "leftImg8bit/test/bonn/bonn_1_leftImg8bit.png", np.zeros((1, 2, 3)))
    dataset = cityscapes.read(tmp_path)
    assert dataset.names == ("bonn/bonn_1", NAME)
    assert dict(dataset.splits) == {"bonn/bonn_1": "test", NAME: "val"}
    assert dataset["bonn/bonn_1"].segmentation is None
    assert dataset[NAME].pixels().shape == (1, 2, 3)
    assert dataset[NAME].group == "ulm"
    assert cityscapes.read(tmp_path / "gtFine").names == dataset.names


def random_streets(seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    samples = []
    for name in rng.permutation(["ulm/ulm_000000_000019", "bonn/bonn_1", "žďár/a.b", "alone"])[:3].tolist():
        size = tuple(rng.integers(1, 12, 2).tolist())
        count = int(rng.integers(0, 7))
        class_id = np.sort(rng.integers(1, 34, count)).astype(np.int32)
        crowd = CLASSES.is_thing[class_id] & (rng.random(count) < 0.3)
        crowd &= np.array([not crowd[:i][class_id[:i] == class_id[i]].any() for i in range(count)], np.bool_)
        order = np.lexsort((~crowd, class_id))
        masks = Masks.from_ids(rng.integers(-1, max(count, 1), size), count)
        seen = masks.area() > 0
        class_id, crowd = class_id[order][seen], crowd[order][seen]
        numbers = instance_numbers(CLASSES.is_thing[class_id])
        label = Segmentation(CLASSES, masks[seen], class_id, numbers, crowd=crowd)
        image = rng.integers(0, 256, (*size, 3), np.uint8)
        split = str(rng.choice(["", "train", "val"]))
        samples.append(Sample(name, image, None if rng.random() < 0.1 else label, split))
    return Dataset.of(samples, CLASSES)


@settings(max_examples=many(60), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_was_written_is_read_back(tmp_path_factory, seed):
    dataset = random_streets(seed)
    root = tmp_path_factory.mktemp("out") / "o"
    cityscapes.write(dataset, root)
    again = cityscapes.read(root)
    assert set(again.names) == set(dataset.names)
    assert again.splits == dataset.splits
    for sample in dataset:
        mine = again[sample.name]
        assert np.array_equal(mine.pixels(), sample.pixels())
        assert (mine.segmentation is None) == (sample.segmentation is None)
        if sample.segmentation is not None:  # rows come back in the order of their numbers
            assert sorted(_facts(sample.label())) == sorted(_facts(mine.label()))


def _facts(label: Segmentation) -> list[tuple[str, bytes, bool]]:
    return list(zip(label.class_names, label.masks.to_strings(), label.crowd.tolist()))


def test_the_three_maps_are_what_the_authors_tools_expect(tmp_path):
    masks = Masks.from_ids(np.array([[0, 1, 2, 3, -1]]), 4)
    class_id = np.array([row("sky"), row("car"), row("car"), row("person")])
    label = Segmentation(CLASSES, masks, class_id, [0, 1, 2, 3], crowd=[False, False, False, True])
    cityscapes.write(Dataset.of([Sample(NAME, None, label, "train", "ulm")]), tmp_path / "o")
    file = str(tmp_path / "o" / CITY)
    assert stored(Path(f"{file}_instanceIds.png"))[1] == [[23, 26000, 26001, 24, 0]]
    assert stored(Path(f"{file}_labelIds.png")) == ("L", [[23, 26, 26, 24, 0]])
    assert stored(Path(f"{file}_color.png"))[1][0][:2] == [[70, 130, 180], [0, 0, 142]]


def test_instance_numbers_of_a_cityscapes_dataset_stay(tmp_path):
    label_of(tmp_path, "instanceIds", [[26003, 26700, 24001, 7]], np.uint16)
    dataset = cityscapes.read(tmp_path)
    cityscapes.write(dataset, tmp_path / "o")
    assert stored(tmp_path / "o" / f"{CITY}_instanceIds.png")[1] == [[26003, 26700, 24001, 7]]
    assert_equal_segments(cityscapes.read(tmp_path / "o")[0].label(), dataset[0].label())


def test_two_segments_of_one_stuff_class_stay_two(tmp_path):
    masks = Masks.from_ids(np.array([[0, 1]]), 2)
    label = Segmentation(CLASSES, masks, np.full(2, row("wall")), [0, 0])
    cityscapes.write(Dataset.of([Sample(NAME, None, label)]), tmp_path / "o")
    assert cityscapes.read(tmp_path / "o")[0].label().class_names == ("wall", "wall")


@pytest.mark.parametrize(
    ("names", "crowd", "what"),
    [
        (["license plate"], [False], "give it to 'car'"),
        (["car", "car"], [True, True], "two crowds of 'car'"),
        (["sky"], [True], "a crowd of stuff 'sky'"),
        (["car"] * 1001, [False] * 1001, "1001 segments of class 'car'"),
    ],
)
def test_what_the_maps_cannot_tell_apart_is_refused(tmp_path, names, crowd, what):
    class_id = np.array([row(name) for name in names])
    label = Segmentation(CLASSES, Masks.empty((2, 2), len(names)), class_id, class_id, crowd=crowd)
    with pytest.raises(InlayError, match=what):
        cityscapes.write(Dataset.of([Sample(NAME, None, label)]), tmp_path / "o")


def test_the_group_is_the_city_folder(tmp_path):
    label = Segmentation.empty(CLASSES, (1, 1))
    samples = [
        Sample(NAME, None, label, "val", "ulm"),
        Sample("a", None, label, "", "video 7"),
        Sample("b", None, label),
    ]
    cityscapes.write(Dataset.of(samples), tmp_path / "o")
    again = cityscapes.read(tmp_path / "o")
    assert {sample.name: (sample.split, sample.group) for sample in again} == {
        NAME: ("val", "ulm"),
        "video 7/a": ("", "video 7"),
        "b": ("", ""),
    }
    with pytest.raises(InlayError, match="as another one does"):
        cityscapes.write(Dataset.of([samples[1], samples[1].replace(name="video 7/a")]), tmp_path / "p")
    with pytest.raises(InlayError, match="take out the /"):
        cityscapes.write(Dataset.of([samples[1].replace(group="a/b")]), tmp_path / "q")


def test_classes_of_ones_own_are_refused_with_the_way_out(tmp_path):
    with pytest.raises(InlayError, match=r"no class 'dog'.*rename yours"):
        cityscapes.write(Dataset.of([], Classes.of("car", "dog")), tmp_path / "o")
    with pytest.raises(InlayError, match="knows 'car' as thing, the dataset as stuff"):
        cityscapes.write(Dataset.of([], Classes.of("car", kind="stuff")), tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_folders_are_recognised_by_gtfine(tmp_path):
    assert not cityscapes.sniff(tmp_path)
    assert not cityscapes.sniff(tmp_path / "missing")
    (tmp_path / "gtFine").mkdir()
    assert cityscapes.sniff(tmp_path)
    assert cityscapes.sniff(tmp_path / "gtFine")
    with pytest.raises(FormatError, match="no \\*_gtFine_instanceIds"):
        cityscapes.read(tmp_path)
    with pytest.raises(FormatError, match="no folder gtFine"):
        cityscapes.read(tmp_path / "gtFine" / "train")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"{}"])
def test_a_broken_map_is_one_line_that_names_it(tmp_path, content):
    file = tmp_path / f"{CITY}_instanceIds.png"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(FormatError, match=r"instanceIds\.png"):
        cityscapes.read(tmp_path)[0]


def test_the_example_of_another_tool_is_read(shared):
    dataset = cityscapes.read(shared / "data/formats/cityscapes_synthetic/dataset")
    assert len(dataset) == 4
    assert sorted(dataset.splits.values()) == ["test", "test", "train", "val"]
    label = dataset["defaultcity/defaultcity_000001_000031"].label()
    assert label.class_names == ("out of roi", "truck", "truck")
    assert label.masks.paint(label.source_id).tolist() == [[3, 3, 27001, 27002, 27002]]
