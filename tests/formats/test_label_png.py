from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.often import many

from inlay import Classes, Dataset, FormatError, InlayError, Masks, Sample, Segmentation, SegmentClass
from inlay.formats import label_png
from inlay.formats.parts.label_folders import find_pairs
from inlay.formats.parts.label_maps import read_label_map

from .random_datasets import assert_same, random_dataset
from .small_maps import folder, png, semantic, stored


def layout(root: Path, *files: str) -> dict[str, tuple[str | None, str | None, str]]:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"")

    def below(path: Path | None) -> str | None:
        return None if path is None else path.relative_to(root).as_posix()

    return {pair.name: (below(pair.image), below(pair.label), pair.split) for pair in find_pairs(root)}


@pytest.mark.parametrize(
    ("image", "label", "name", "split"),
    [
        ("images/a.jpg", "labels/a.png", "a", ""),
        ("images/a.v1.jpg", "masks/a.v1.png", "a.v1", ""),
        ("train/a.png", "trainannot/a.png", "train/a", "train"),
        ("val/images/a.png", "val/labels/a.png", "val/a", "val"),
        ("images/training/a.jpg", "annotations/training/a.png", "training/a", "train"),
        ("JPEGImages/480p/bear/00.jpg", "Annotations/480p/bear/00.png", "480p/bear/00", ""),
        ("test/images/01_test.tif", "test/manual/x.png", None, ""),
        ("images/01_test.tif", "labels/01_manual1.gif", "01_test", ""),
        ("images/image_0001.png", "masks/gt_0001.png", "image_0001", ""),
        ("MT_Fray/Imgs/a.jpg", "MT_Fray/Imgs/a.png", "MT_Fray/a", ""),
        ("valid/a.jpg", "valid/a_mask.png", "valid/a", "val"),
    ],
)
def test_usual_layouts_are_matched(tmp_path, image, label, name, split):
    found = layout(tmp_path, image, label)
    assert found == ({} if name is None else {name: (image, label, split)})


def test_images_without_a_map_and_maps_without_an_image_stay(tmp_path):
    found = layout(tmp_path, "images/a.jpg", "images/b.jpg", "labels/b.png", "labels/c.png")
    assert {name: (bool(image), bool(label)) for name, (image, label, _) in found.items()} == {
        "a": (True, False),
        "b": (True, True),
        "c": (False, True),
    }


def test_two_folders_of_maps_are_not_guessed_between(tmp_path):
    with pytest.raises(FormatError, match=r"labels could be in 1st_manual, mask.*label_folder"):
        layout(tmp_path, "images/01_test.tif", "1st_manual/01_manual1.gif", "mask/01_test_mask.gif")


def test_the_class_list_can_name_the_folders(tmp_path):
    for name in ("images", "first", "second"):
        png(tmp_path / name / "a.png", [[0, 1]])
    content = {"classes": ["no", "yes"], "image_folder": "images", "label_folder": "second"}
    (tmp_path / "classes.json").write_text(json.dumps(content))
    png(tmp_path / "second" / "a.png", [[1, 1]])
    assert semantic(tmp_path) == [[1, 1]]


def test_a_folder_of_maps_alone_is_read_without_images(tmp_path):
    png(tmp_path / "1st_manual" / "01_manual1.png", [[0, 255]])
    dataset = label_png.read(tmp_path / "1st_manual")
    assert dataset.names == ("01",)
    assert dataset[0].image is None


def test_split_lists_name_samples_by_stem_path_or_folder(tmp_path):
    for name in ("bear/0", "bear/1", "cow/0", "single"):
        png(tmp_path / "images" / f"{name}.png", [[0]])
        png(tmp_path / "labels" / f"{name}.png", [[0]])
    (tmp_path / "classes.json").write_text('["a"]')
    (tmp_path / "train.txt").write_text("# a comment\nbear\n\n/images/cow/0.png /labels/cow/0.png\n")
    (tmp_path / "val.txt").write_text("single\n")
    dataset = label_png.read(tmp_path)
    assert dataset.split("train").names == ("bear/0", "bear/1", "cow/0")
    assert dataset.split("val").names == ("single",)
    (tmp_path / "val.txt").write_text("single\nelse")
    with pytest.raises(FormatError, match=r"val\.txt: line 2: there is no image 'else'"):
        label_png.read(tmp_path)
    (tmp_path / "val.txt").write_text("bear/1")
    with pytest.raises(FormatError, match="in split 'train' as well"):
        label_png.read(tmp_path)


def test_two_images_of_one_name_are_refused(tmp_path):
    with pytest.raises(FormatError, match="two files of one name"):
        layout(tmp_path, "images/a.jpg", "images/a.png", "labels/a.png")


@settings(max_examples=many(60), deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_was_written_is_read_back_in_every_column(tmp_path_factory, seed):
    dataset = random_dataset(seed, label_png.KEEPS)
    root = tmp_path_factory.mktemp("out") / "o"
    label_png.write(dataset, root)
    assert label_png.sniff(root)
    assert_same(label_png.read(root), dataset)


@pytest.mark.parametrize("classes", [Classes(()), Classes.of("car", kind="stuff")])
def test_no_samples_and_no_classes_are_a_dataset_too(tmp_path, classes):
    for turn, samples in enumerate([[], [Sample("a", np.zeros((2, 3, 3), np.uint8), None)]]):
        dataset = Dataset.of(samples, classes)
        label_png.write(dataset, tmp_path / f"o{turn}")
        assert_same(label_png.read(tmp_path / f"o{turn}"), dataset)


def stuff(*names: str) -> Classes:
    return Classes.of(*names, kind="stuff")


def write_one(root: Path, ids: Any, classes: Classes) -> Path:
    label = Segmentation.from_semantic(np.array(ids), classes)
    label_png.write(Dataset.of([Sample("a", None, label)], classes), root)
    return root / "labels" / "a.png"


def test_maps_of_classes_are_8_bit_palette_images_in_the_colours_of_the_classes(tmp_path):
    classes = Classes(
        (SegmentClass("a", "stuff", (9, 8, 7)), SegmentClass("b", "stuff", (6, 5, 4), source_id=40))
    )
    file = write_one(tmp_path / "o", [[0, 1]], classes)
    assert stored(file) == ("P", [[0, 40]])
    with Image.open(file) as image:
        assert np.asarray(image.convert("RGB")).tolist() == [[[9, 8, 7], [6, 5, 4]]]


def test_300_classes_need_and_get_16_bits(tmp_path):
    classes = stuff(*(f"class {i}" for i in range(300)))
    file = write_one(tmp_path / "o", np.arange(300).reshape(15, 20), classes)
    assert stored(file)[0].startswith("I")
    assert (
        label_png.read(tmp_path / "o")[0].label().semantic().tolist()
        == np.arange(300).reshape(15, 20).tolist()
    )


def test_300_instances_are_written_in_16_bits_and_come_back(tmp_path):
    classes = Classes.of("nut")
    masks = Masks.from_ids(np.arange(300).reshape(15, 20), 300)
    label = Segmentation(classes, masks, np.zeros(300, np.int32), np.arange(1, 301))
    dataset = Dataset.of([Sample("a", None, label)])
    label_png.write(dataset, tmp_path / "o")
    assert np.max(stored(tmp_path / "o" / "labels" / "a.png")[1]) == 300
    assert_same(label_png.read(tmp_path / "o"), dataset)


def test_more_segments_than_16_bits_hold_are_refused(tmp_path):
    classes = Classes.of("dust")
    label = Segmentation(classes, Masks.empty((2, 2), 65536), np.zeros(65536), np.zeros(65536))
    with pytest.raises(InlayError, match="65536 segments; a 16-bit map holds 65535"):
        label_png.write(Dataset.of([Sample("a", None, label)]), tmp_path / "o")


def test_two_segments_of_one_stuff_class_make_it_a_map_of_instances(tmp_path):
    classes = stuff("lawn")
    label = Segmentation(classes, Masks.from_ids(np.array([[0, 1]]), 2), np.zeros(2), np.zeros(2))
    one = Segmentation.from_semantic(np.array([[0, 0]]), classes)
    dataset = Dataset.of([Sample("first", None, one), Sample("second", None, label)])
    label_png.write(dataset, tmp_path / "o")
    assert_same(label_png.read(tmp_path / "o"), dataset)


def test_a_map_edited_after_writing_is_read_as_it_is(tmp_path):
    classes = stuff("a", "b", "c")
    label = Segmentation.from_semantic(np.array([[0, 1]]), classes).replace(score=[0.5, 0.25])
    label_png.write(Dataset.of([Sample("x", None, label)]), tmp_path / "o")
    png(tmp_path / "o" / "labels" / "x.png", [[0, 2]])
    again = label_png.read(tmp_path / "o")[0].label()
    assert again.masks.area().tolist() == [1, 0, 1]
    assert again.class_names == ("a", "b", "c")


def test_an_image_added_after_writing_is_found(tmp_path):
    write_one(tmp_path / "o", [[0, 1]], stuff("a", "b"))
    png(tmp_path / "o" / "labels" / "new.png", [[1, 1]])
    dataset = label_png.read(tmp_path / "o")
    assert dataset.names == ("a", "new")
    assert dataset["new"].label().class_names == ("b",)


def test_an_instance_number_without_a_class_is_named(tmp_path):
    write_one(tmp_path / "o", [[0, 1]], Classes.of("a", "b"))
    png(tmp_path / "o" / "labels" / "a.png", [[1, 9]], dtype=np.uint16)
    with pytest.raises(FormatError, match=r"pixel \(1, 0\): which of 2 classes is value 9\? segments.csv"):
        label_png.read(tmp_path / "o")[0]


@pytest.mark.parametrize(
    ("table", "text", "what"),
    [
        ("segments.csv", "sample,id\na,1\n", "no column 'class'"),
        ("segments.csv", "sample,id,class\na,x,nut\n", "line 2 column id"),
        ("segments.csv", "sample,id,class\na,1,bolt\n", "'bolt' is not in the class list"),
        ("segments.csv", "sample,id,class\na,1,nut\na,1,nut\n", "line 3 column id"),
        ("segments.csv", "sample,id,class\na,1\n", "line 2: 2 cells; the header has 3"),
        ("segments.csv", "sample,id,class,tags\na,1,nut,red\n", "column tags"),
        ("segments.csv", "sample,id,class,score\na,1,nut,high\n", "column score"),
        ("segments.csv", "sample,id,class,instance\na,1,nut,99999999999\n", "32 bits"),
        ("samples.csv", "sample,frame\na,first\n", "column frame"),
        ("samples.csv", "sample\na\na\n", "stands twice"),
        ("samples.csv", "sample,split\n,train\n", "line 2"),
    ],
)
def test_a_broken_table_is_named_with_line_and_column(tmp_path, table, text, what):
    folder(tmp_path, [[0, 1]], '{"labels": "instance", "classes": ["nut"]}')
    (tmp_path / table).write_text(text)
    with pytest.raises(FormatError) as caught:
        list(label_png.read(tmp_path))
    assert table in str(caught.value)
    assert what in str(caught.value)


def test_a_label_of_another_size_than_its_image_is_an_error_with_both_sizes(tmp_path):
    folder(tmp_path, [[0, 1]])
    png(tmp_path / "images" / "a.png", np.zeros((4, 3, 3)))
    with pytest.raises(FormatError, match=r"3x4.*2x1"):
        label_png.read(tmp_path)[0].pixels()


@pytest.mark.parametrize("kept", [0, 7, 20, 30, 45, 60])
def test_a_truncated_map_is_one_line_that_names_it(tmp_path, kept):
    rng = np.random.default_rng(0)
    folder(tmp_path, rng.integers(0, 3, (40, 40)))
    file = tmp_path / "labels" / "a.png"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(FormatError, match=r"a\.png: .*") as caught:
        label_png.read(tmp_path)[0]
    assert "\n" not in str(caught.value)


def test_a_folder_in_the_place_of_a_map_and_no_maps_at_all_are_named(tmp_path):
    with pytest.raises(FormatError, match="directory"):
        read_label_map(tmp_path)
    with pytest.raises(FormatError, match="no label maps"):
        label_png.read(tmp_path)
    with pytest.raises(FormatError, match="no such folder"):
        label_png.read(tmp_path / "missing")


def test_foreign_folders_are_not_recognised(tmp_path):
    for name in ("yolo/images/a.jpg", "yolo/labels/a.txt", "coco/annotations/a.json", "coco/images/a.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "coco/annotations/panoptic").mkdir()
    (tmp_path / "coco/annotations/panoptic/a.png").write_bytes(b"")
    assert not label_png.sniff(tmp_path / "yolo")
    assert not label_png.sniff(tmp_path / "coco")
    assert not label_png.sniff(tmp_path / "yolo/images/a.jpg")
    assert not label_png.sniff(tmp_path / "missing")


def test_a_dataset_goes_to_another_process(tmp_path):
    folder(tmp_path, [[0, 1]])
    again = pickle.loads(pickle.dumps(label_png.read(tmp_path)))
    assert again[0].label().class_names == ("sky", "road")


def test_reading_maps_needs_neither_polars_nor_msgspec(tmp_path):
    folder(tmp_path, [[0, 1]])
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['polars', 'msgspec', 'pydantic', 'cyclopts', 'torch']))\n"
        "from pathlib import Path\n"
        "from inlay.formats import label_png\n"
        f"label_png.read(Path({str(tmp_path)!r}))[0]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)


def test_camvid_is_read_as_701_street_images_of_three_splits(shared):
    dataset = label_png.read(shared / "data/camvid")
    assert len(dataset) == 701
    assert {split: len(dataset.split(split)) for split in ("train", "val", "test")} == {
        "train": 367,
        "val": 101,
        "test": 233,
    }
    assert dataset.classes.names[11] == "Void"
    assert dataset.classes.is_void.tolist() == [False] * 11 + [True]
    sample = dataset["train/0001TP_006690"]
    assert sample.pixels().shape == (360, 480, 3)


def test_the_pixels_of_camvid_val_are_those_that_its_class_list_counts(shared):
    dataset = label_png.read(shared / "data/camvid")
    counts = np.zeros(12, np.int64)
    for sample in dataset.split("val"):
        counts[sample.label().class_id] += sample.label().masks.area()
    table = (shared / "data/camvid/classes.csv").read_text().splitlines()[1:]
    assert counts.tolist() == [int(line.split(",")[3]) for line in table]


def test_dsb2018_is_read_as_9388_nuclei(shared):
    dataset = label_png.read(shared / "data/dsb2018")
    assert sum(len(sample.label()) for sample in dataset) == 9388
    assert dataset.classes.names == ("object",)
    assert {len(dataset.split(split)) for split in ("train", "val", "test")} == {140, 20, 40}


def linked(root: Path, source: Path, classes: str) -> Dataset:
    """A dataset whose folders are links, so that a class list can lie beside them."""
    root.mkdir()
    (root / "classes.json").write_text(classes)
    for inside in source.iterdir():
        if inside.is_dir():
            (root / inside.name).symlink_to(inside)
    return label_png.read(root)


def test_compressed_defect_masks_are_read_with_a_threshold(shared, tmp_path):
    dataset = linked(
        tmp_path / "o", shared / "data/magnetic_tile", '{"classes": ["tile", "defect"], "threshold": 1}'
    )
    assert len(dataset) == 120
    assert "MT_Crack/exp1_num_107052" in dataset or any(
        name.startswith("MT_Crack/") for name in dataset.names
    )
    defects = sum("defect" in sample.label().class_names for sample in dataset)
    assert defects == 99  # 20 are free of defects, and one mask is empty in the source
    sample = dataset[0]
    assert sample.pixels().shape[:2] == sample.label().size


def test_masks_with_a_band_of_nobody_are_read_as_their_class_list_says(shared, tmp_path):
    classes = {"background": 0, "object": 255}
    content = {
        "classes": classes,
        "unlabelled": 128,
        "image_folder": "data_GT",
        "label_folder": "boundary_GT",
    }
    dataset = linked(tmp_path / "o", shared / "data/grabcut", json.dumps(content))
    assert len(dataset) == 50
    banded = sum((sample.label().semantic(void=-1) == -1).any() for sample in dataset)
    assert banded == 42


def test_links_that_lead_back_up_end(tmp_path):
    folder(tmp_path, [[0, 1]])
    (tmp_path / "images" / "again").symlink_to(tmp_path / "images")
    (tmp_path / "labels" / "again").symlink_to(tmp_path)
    assert label_png.read(tmp_path).names[0] == "a"


def test_the_second_drive_annotator_agrees_with_the_first_as_published(shared):
    first = label_png.read(shared / "data/drive_two_annotators/test/1st_manual")
    second = label_png.read(shared / "data/drive_two_annotators/test/2nd_manual")
    dice = []
    for truth, other in first.zip(second):
        one, two = truth.label().masks[1], other.label().masks[1]
        dice.append(2 * float(one.intersection(two)[0, 0]) / float(one.area()[0] + two.area()[0]))
    assert np.mean(dice) == pytest.approx(0.788, abs=5e-4)


def roboflow(root, classes="Pixel Value, Class\n0, background\n1, road\n2, car\n"):
    """Two splits as Roboflow exports masks: image and map side by side, a class list in each."""
    for split in ("train", "valid"):
        png(root / split / f"a_jpg.rf.0{split}_mask.png", [[0, 1], [2, 2]])
        Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(root / split / f"a_jpg.rf.0{split}.jpg")
        (root / split / "_classes.csv").write_text(classes if split == "train" else roboflow.__defaults__[0])
    return root


def test_masks_as_roboflow_exports_them_are_read_with_their_splits_and_classes(tmp_path):
    dataset = label_png.read(roboflow(tmp_path))
    assert dataset.classes.names == ("background", "road", "car")
    assert sorted(dataset.splits.values()) == ["train", "val"]
    assert dataset[0].label().semantic().tolist() == [[0, 1], [2, 2]]
    assert dataset[0].image is not None


def test_class_lists_of_splits_that_differ_are_refused(tmp_path):
    with pytest.raises(FormatError, match="lists other classes"):
        label_png.read(roboflow(tmp_path, "Pixel Value, Class\n0, background\n1, car\n2, road\n"))
