"""Files that once ended in a traceback: each is refused in a line with its file."""

from __future__ import annotations

import re

import pytest

from inlay import FormatError
from inlay import formats as all_formats

from .corpus import CORPUS

LARGE = '"objects":{"v":{"1":["car",99999999999]}}}'


def spoilt(folder, name, file, old, new, title="track with a gap"):
    """A dataset of the corpus in a format, with one file changed."""
    all_formats.write(CORPUS[title](folder / "images"), folder / "out", to=name, lossy=True)
    path = next((folder / "out").rglob(file))
    text, count = re.subn(old, lambda _: new, path.read_text("utf-8"), count=1, flags=re.DOTALL)
    assert count == 1
    path.write_text(text, "utf-8")
    return folder / "out"


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "what"),
    [
        ("cocoa", "*0.json", r"\[7,9\]", "[9223372036854775807,9]", "an image has 1 to"),
        ("davis", "inlay.extra.json", r'"objects": ?\{.*\}', LARGE, "no number of an"),
        ("mots", "labels.txt", "car", "person", "stands twice"),
        ("supervisely", "*.png.json", r'"origin":\[\d+', f'"origin":[{2**62}', "offset"),
        ("via", "via_region_data.json", '"name":"polygon"', '"name":["polygon"]', ""),
        ("label_png", "samples.csv", "v/000000", "a" * 3000, "too long"),
        ("cvat", "annotations.xml", 'group_id="7"', f'group_id="{2**31}"', "no number"),
    ],
)  # fmt: skip
def test_a_file_that_once_ended_in_a_traceback_is_refused(tmp_path, name, file, old, new, what):
    folder = spoilt(tmp_path, name, file, old, new)
    try:
        for sample in all_formats.read(folder, name):
            assert sample.segmentation is None or sample.label().size == (7, 9)
    except FormatError as error:
        assert what in str(error)
        assert str(folder) in str(error)
        assert "\n" not in str(error)
        assert len(str(error)) < 1200
    else:
        assert what == ""


def test_a_class_list_that_is_nested_without_end_is_refused(tmp_path):
    folder = spoilt(
        tmp_path, "voc", "labelmap.txt", r"(?<=: ).*?\n", "[" * 100_000 + "\n", "gaps in class numbers"
    )
    with pytest.raises(FormatError, match=r"labelmap\.txt"):
        all_formats.read(folder, "voc")


def test_a_dataset_whose_large_numbers_cvat_writes_is_read_again(tmp_path):
    dataset = CORPUS["large instance numbers"](tmp_path)
    all_formats.write(dataset, tmp_path / "out", to="cvat")
    assert all_formats.read(tmp_path / "out")[0].label().instance_id.tolist() == [70_000, 2_000_000_000]


def test_a_class_number_of_more_than_64_bits_is_refused(tmp_path):
    folder = spoilt(tmp_path, "ade20k", "*.json", r'"name_ndx":\d+', f'"name_ndx":{2**64}', "plain")
    (folder / "inlay.extra.json").unlink()
    with pytest.raises(FormatError, match="more than 64 bits"):
        all_formats.read(folder)


def test_a_line_of_a_list_that_names_a_folder_is_refused(tmp_path):
    folder = spoilt(tmp_path, "yolo", "data.yaml", "train: images", "train: list.txt", "plain")
    (folder / "list.txt").write_text("/\n")
    with pytest.raises(FormatError, match=r"list.txt: line 1: '/' is not there"):
        all_formats.read(folder)
