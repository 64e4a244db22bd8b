"""YOLO segmentation: corners on the right pixels, holes that survive, and nothing lost without a word."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.often import many

from inlay import Classes, Dataset, FormatError, LossError, Masks, Sample, Segmentation, SegmentClass
from inlay import formats as all_formats
from inlay.formats import yolo

DATA = "path: .\ntrain: images/train\nnames:\n  0: cat\n  1: dog\n"


def folder(root: Path, text: str | None = "0 0.1 0.1 0.5 0.1 0.5 0.5\n", *, data: str = DATA) -> Path:
    """A data set of one image, a.png of 20x10 pixels, whose label file holds `text`."""
    (root / "images" / "train").mkdir(parents=True)
    (root / "labels" / "train").mkdir(parents=True)
    Image.new("RGB", (20, 10)).save(root / "images" / "train" / "a.png")
    if text is not None:
        (root / "labels" / "train" / "a.txt").write_text(text, "utf-8")
    (root / "data.yaml").write_text(data, "utf-8")
    return root


def blobs(seed: int, count: int = 6, size: tuple[int, int] = (23, 31)) -> Segmentation:
    """Segments of one part each, some with holes, lines and single pixels."""
    rng = np.random.default_rng(seed)
    stack = rng.random((count, *size)) < rng.uniform(0.2, 0.9, (count, 1, 1))
    parts, row = Masks.encode(stack).parts()
    masks = parts[np.unique(row, return_index=True)[1]]
    return Segmentation(
        Classes.of("cat", "dog"), masks, rng.integers(0, 2, len(masks)), np.arange(1, len(masks) + 1)
    )


def picture(label: Segmentation) -> np.ndarray:
    return np.zeros((*label.size, 3), np.uint8)


@pytest.mark.parametrize("reader", ["opencv", "ultralytics", "supervision", None])
@settings(max_examples=many(25), deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_segments_with_holes_come_back_bit_for_bit_whether_a_reader_rounds_or_cuts(
    tmp_path_factory, reader, seed
):
    label = blobs(seed)
    out = tmp_path_factory.mktemp("yolo") / "o"
    receipt = all_formats.write(
        Dataset.of([Sample("a", picture(label), label)]), out, to="yolo", reader=reader
    )
    assert receipt.losses == ()
    assert yolo.read(out, reader=reader)[0].label().equals(label)
    assert reader is None or receipt.kept.least == 1


@pytest.mark.parametrize("round_off", [np.floor, np.rint])
def test_opencv_draws_the_same_pixels_from_what_we_write(tmp_path, round_off):
    label = blobs(5, count=8, size=(211, 317))
    all_formats.write(Dataset.of([Sample("a", picture(label), label)]), tmp_path / "o", to="yolo")
    lines = (tmp_path / "o" / "labels" / "a.txt").read_text().splitlines()
    for line, mask in zip(lines, label.masks.decode()):
        corners = np.array(line.split()[1:], np.float32).reshape(-1, 2) * np.float32([317, 211])
        drawn = cv2.fillPoly(np.zeros((211, 317), np.uint8), [round_off(corners).astype(np.int32)], 1)
        assert np.array_equal(drawn.astype(bool), mask)


def test_corners_on_whole_pixels_survive_few_digits_because_they_are_rounded(tmp_path):
    ring = np.array([[3, 2], [17, 2], [17, 7], [3, 7]])
    words = " ".join(f"{x / 20:.5f} {y / 10:.5f}" for x, y in ring.tolist())
    label = yolo.read(folder(tmp_path, f"1 {words}\n"))[0].label()
    assert label.masks.box().tolist() == [[3, 2, 18, 8]]
    assert label.masks.area().tolist() == [15 * 6]


def test_parts_are_refused_and_joined_by_lines_when_forced(tmp_path):
    stack = np.zeros((1, 40, 60), bool)
    stack[0, 5:25, 5:25] = stack[0, 10:30, 40:55] = True
    label = Segmentation(Classes.of("cat"), Masks.encode(stack), [0], [1])
    dataset = Dataset.of([Sample("a", picture(label), label)])
    with pytest.raises(LossError, match=r"yolo does not keep parts \(1 segment: a row 0 \(cat\)\)"):
        all_formats.write(dataset, tmp_path / "o", to="yolo")
    receipt = all_formats.write(dataset, tmp_path / "o", to="yolo", lossy=True, reader="ultralytics")
    assert len((tmp_path / "o" / "labels" / "a.txt").read_text().splitlines()) == 1
    assert 0.97 < receipt.kept.least < 1
    assert str(receipt).splitlines()[-1].startswith("not kept: parts (1 segment")


def test_crowds_and_void_are_left_out_of_a_lossy_write_and_counted(tmp_path):
    classes = Classes((SegmentClass("cat"), SegmentClass("rig", "void")))
    label = Segmentation(
        classes, Masks.encode(np.ones((3, 4, 5))), [0, 0, 1], [1, 2, 0], crowd=[False, True, False]
    )
    dataset = Dataset.of([Sample("a", picture(label), label)])
    receipt = all_formats.write(dataset, tmp_path / "o", to="yolo", lossy=True)
    assert {loss.fact: loss.count for loss in receipt.losses} == {"crowd": 1, "void": 1}
    assert len(yolo.read(tmp_path / "o")[0].label()) == 1


def test_an_empty_file_is_a_negative_and_a_missing_one_is_unlabelled(tmp_path):
    label = blobs(0)[:0]
    samples = [Sample("empty", picture(label), label), Sample("new", picture(label), None)]
    all_formats.write(Dataset.of(samples), tmp_path / "o", to="yolo")
    assert (tmp_path / "o" / "labels" / "empty.txt").read_text() == ""
    assert not (tmp_path / "o" / "labels" / "new.txt").exists()
    again = yolo.read(tmp_path / "o")
    assert len(again["empty"].label()) == 0
    assert again["new"].segmentation is None


def test_rows_of_four_numbers_are_boxes_without_pixels(tmp_path):
    label = yolo.read(folder(tmp_path, "1 0.5 0.5 0.2 0.4\n0 0.1 0.1 0.5 0.1 0.5 0.5\n"))[0].label()
    assert label.boxes().tolist() == [[8, 3, 12, 7], [2, 1, 11, 6]]
    assert (label.masks.area() > 0).tolist() == [False, True]


def test_a_number_more_is_a_score(tmp_path):
    label = yolo.read(folder(tmp_path, "1 0.5 0.5 0.2 0.4 0.75\n0 0.1 0.1 0.5 0.1 0.5 0.5 0.5\n"))[0].label()
    assert label.score.tolist() == [0.75, 0.5]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2 0.1 0.1 0.5 0.1 0.5 0.5", "class 2 is not among the 2 of data.yaml (0 to 1)"),
        ("-1 0.1 0.1 0.5 0.1 0.5 0.5", "class -1"),
        ("0.5 0.1 0.1 0.5 0.1 0.5 0.5", "class 0.5"),
        ("0 0.1 0.1", "2 numbers after the class"),
        ("0", "0 numbers after the class"),
        ("0 12 13 15 12 17 18", "18 is outside 0 to 1: coordinates are shares of the image, not pixels"),
        ("0 0.1 0.1 0.5 0.1 0.5 -0.2", "-0.2 is outside"),
        ("0 0.1 0.1 0.5 nan 0.5 0.5", "nan"),
        ("0 0.1 0.1 0.5 inf 0.5 0.5", "inf"),
        ("0 0.1 0.1 0.5 1e999 0.5 0.5", "inf"),
        ("0 0.1 0.1 zebra 0.1 0.5 0.5", "'zebra' is no number"),
        ("cat 0.1 0.1 0.5 0.1 0.5 0.5", "'cat' is no number"),
        ("0 0,1 0,1 0,5 0,1 0,5 0,5", "'0,1' is no number"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path, line, words):
    dataset = yolo.read(folder(tmp_path, f"0 0.1 0.1 0.5 0.1 0.5 0.5\n\n{line}\n"))
    with pytest.raises(FormatError) as error:
        dataset[0]
    assert error.value.where == "line 3"
    assert words in str(error.value)
    assert str(error.value).startswith(str(tmp_path / "labels" / "train" / "a.txt"))


def test_label_files_that_are_no_text_are_refused(tmp_path):
    root = folder(tmp_path)
    (root / "labels" / "train" / "a.txt").write_bytes(b"\xff\xfe0\x00")
    with pytest.raises(FormatError, match="no text"):
        yolo.read(root)[0]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "not a list of keys"),
        ("- a\n- b", "not a list of keys"),
        ("names: {0: cat}\ntrain: [", "line 2"),
        ("train: images/train", "names: not a list"),
        ("names: cat\ntrain: images/train", "names: not a list"),
        ("names: {0: cat, 2: dog}\ntrain: images/train", "numbers [0, 2] are not 0 to 1"),
        ("names: [cat, cat]\ntrain: images/train", "'cat' stands twice"),
        ("names: [cat]\nnc: 2\ntrain: images/train", "2 classes, but 1 names"),
        ("names: [cat]\ntrain: images/gone", "'images/gone' is not there"),
        ("names: [cat]\ntrain: [1, 2]", "train: not a folder"),
        ("names: [cat]\npath: [1]\ntrain: images/train", "path: [1] is no folder name"),
        ("names: [cat]\ntrain: images/train\nkpt_shape: [3, 3]", "these are poses"),
        ("names: !!python/object/apply:os.system ['true']\ntrain: a", "not valid YAML"),
        ("[" * 5000, "not valid YAML"),
    ],
)
def test_a_data_file_that_is_none_is_refused_in_one_line(tmp_path, data, words):
    root = folder(tmp_path, data=data)
    with pytest.raises(FormatError) as error:
        yolo.read_yaml(root / "data.yaml") and list(yolo.read(root / "data.yaml"))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "data",
    [
        "train: images/train\nnames: ['cat', 'dog']\nnc: 2\n",
        "path: /content/datasets/somewhere\ntrain: images/train\nnames:\n- cat\n- dog\n",
        "train: ../images/train\nval:\nnames: {0: cat, 1: dog}  # as Roboflow misleads\n",
        "train: [images/train]\nnames: {1: dog, 0: cat}\n",
        "train: images/train/a.png\nnames: [cat, dog]\n",
        "train: list.txt\nnames: [cat, dog]\n",
    ],
)
def test_the_many_ways_to_write_a_data_file_mean_the_same(tmp_path, data):
    root = folder(tmp_path, data=data)
    (root / "list.txt").write_text("./images/train/a.png\n")
    assert all_formats.sniff(root) == ["yolo"]
    dataset = all_formats.read(root)
    assert dataset.names == ("a",)
    assert dataset.splits == {"a": "train"}
    assert dataset.classes.names == ("cat", "dog")
    assert dataset["a"].label().masks.area()[0] > 0


def test_folders_as_roboflow_lays_them_out(tmp_path):
    for split in ("train", "valid"):
        (tmp_path / split / "images").mkdir(parents=True)
        (tmp_path / split / "labels").mkdir()
        Image.new("RGB", (20, 10)).save(tmp_path / split / "images" / "a.jpg")
        (tmp_path / split / "labels" / "a.txt").write_text("0 0.1 0.1 0.5 0.1 0.5 0.5\n")
    (tmp_path / "data.yaml").write_text("train: ../train/images\nval: ../valid/images\nnames: ['cat']\n")
    dataset = all_formats.read(tmp_path)
    assert dataset.splits == {"train/a": "train", "val/a": "val"}
    assert all(len(sample.label()) == 1 for sample in dataset)


def test_names_of_all_languages_and_splits_come_back(tmp_path):
    classes = Classes.of("žluťoučký kůň", "yes", "12", "a: b", "#1")
    label = blobs(1).replace(classes=classes)
    samples = [
        Sample(name, picture(label), label, split)
        for name, split in (("日本/b", "train"), ("x.1", "val"), ("c", ""))
    ]
    all_formats.write(Dataset.of(samples), tmp_path / "o", to="yolo")
    again = all_formats.read(tmp_path / "o")
    assert again.classes.names == classes.names
    assert dict(again.splits) == {"日本/b": "train", "x.1": "val"}
    assert set(again.names) == {"日本/b", "x.1", "c"}
    assert yaml.safe_load((tmp_path / "o" / "data.yaml").read_text("utf-8"))["train"] == "images/train"


def test_label_files_alone_take_classes_names_and_sizes_from_the_labels(tmp_path):
    label = blobs(2)
    truth = Dataset.of([Sample(f"v/{name}", picture(label), label) for name in "ab"])
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("1 0.1 0.1 0.5 0.1 0.5 0.5 0.5\n")
    found = all_formats.read(tmp_path, like=truth)
    assert found.names == ("v/a", "v/b")
    assert [len(sample.label()) for sample in found] == [1, 0]
    assert found["v/a"].label().size == label.size
    (tmp_path / "labels" / "c.txt").write_text("")
    with pytest.raises(FormatError, match="no image of that name"):
        all_formats.read(tmp_path, like=truth)


def test_label_files_alone_need_names_of_classes(tmp_path):
    Image.new("RGB", (20, 10)).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("1 0.1 0.1 0.5 0.1 0.5 0.5\n")
    with pytest.raises(FormatError, match=r"no data.yaml and no classes.txt"):
        all_formats.read(tmp_path)
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    assert all_formats.read(tmp_path)["a"].label().class_names == ("dog",)


def test_a_label_file_without_its_image_has_no_size(tmp_path):
    root = folder(tmp_path)
    (root / "images" / "train" / "a.png").unlink()
    with pytest.raises(FormatError, match="its image is missing"):
        yolo.read(root)[0]


def test_a_picture_turned_by_exif_gives_its_turned_size(tmp_path):
    root = folder(tmp_path)
    image = Image.new("RGB", (20, 10))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(root / "images" / "train" / "a.png", exif=exif)
    assert yolo.read(root)[0].label().size == (20, 10)


@pytest.mark.parametrize(
    "name", ["yolov8_segmentation", "yolov8_detection", "yolov8_detection_with_subset_txt"]
)
def test_real_layouts_are_read(shared, name):
    dataset = all_formats.read(shared / "data" / "formats" / "yolo_bbox_synthetic" / name)
    label = dataset["1"].label()
    assert label.class_names == ("label_2", "label_4")
    assert dataset.splits == {"1": "train"}
    assert (label.boxes()[:, 2:] > label.boxes()[:, :2]).all()


def test_the_same_images_in_coco_and_yolo_agree(shared):
    root = shared / "data" / "formats" / "same_images_coco_isat_labelme_yolo"
    truth = all_formats.read(root / "coco_tiny.json")
    found = all_formats.read(root / "yolo", like=truth)
    for sample, other in truth.zip(found):
        label = sample.label()
        uncrowded = label[~label.crowd & (label.masks.area() > 4000)]
        iou = uncrowded.masks.iou(other.label().masks).max(axis=1)
        assert (iou > 0.9).all()  # an ageing converter, edge pixels, and parts joined by lines


def test_the_real_subset_keeps_its_simple_segments_bit_for_bit(shared, tmp_path):
    dataset = all_formats.read(shared / "data" / "coco_subset").split("val")[:30]

    def simple(sample: Sample) -> Sample:
        label = sample.label()
        several = np.bincount(label.masks.parts()[1], minlength=len(label)) > 1
        return sample.replace(segmentation=label[~several & ~label.crowd & (label.masks.area() > 0)])

    receipt = all_formats.write(
        dataset.map(simple), tmp_path / "o", to="yolo", reader="ultralytics", lossy=True
    )
    assert (receipt.kept.mean, receipt.kept.least) == (1, 1)
    assert receipt.segments > 150
