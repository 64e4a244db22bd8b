"""MOTS and YouTube-VIS: numbers through videos, what is ignored, frames on which an object is not seen."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inlay import Classes, Dataset, FormatError, InlayError, Masks, Sample, Segmentation
from inlay import formats as all_formats
from inlay.formats import mots, youtube_vis


def maps(root: Path, *frames: list, labels: str = "") -> Path:
    (root / "instances" / "0002").mkdir(parents=True)
    (root / "image_02").mkdir()
    for frame, rows in enumerate(frames):
        Image.fromarray(np.array(rows, np.uint16)).save(root / f"instances/0002/{frame:06d}.png")
    if labels:
        (root / "labels.txt").write_text(labels)
    return root


def test_a_number_is_class_times_1000_and_object_and_10000_is_ignored(tmp_path):
    dataset = mots.read(maps(tmp_path, [[0, 1005, 2001, 10000]], [[1005, 0, 0, 0]]))
    label = dataset["0002/000000"].label()
    assert label.class_names == ("car", "pedestrian", "ignore")
    assert label.instance_id.tolist() == [5, 1, 0]
    assert dataset.classes[2].kind == "void"
    assert dataset[1].label().instance_id.tolist() == [5]
    assert (dataset[1].group, dataset[1].frame) == ("0002", 1)


def test_a_number_of_a_class_that_is_not_listed_is_refused(tmp_path):
    with pytest.raises(FormatError, match="value 3001 is of class 3; there are 2 classes: list them"):
        list(mots.read(maps(tmp_path, [[3001]])))


def text(root: Path, *lines: str) -> Path:
    (root / "instances_txt").mkdir()
    (root / "instances_txt" / "0002.txt").write_text("\n".join(lines))
    return root


def test_text_lines_are_read_where_there_are_no_maps(tmp_path):
    runs = [each.decode() for each in Masks.encode(np.eye(2)[:, None]).to_strings()]
    label = mots.read(text(tmp_path, f"7 1003 1 1 2 {runs[0]}", f"7 2001 2 1 2 {runs[1]}"))[
        "0002/000007"
    ].label()
    assert label.class_names == ("car", "pedestrian")
    assert label.instance_id.tolist() == [3, 1]


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["7 1003 1 1 2"], "line 1: not frame, number"),
        (["7 1003 2 1 2 02"], "line 1: number 1003 is not of class 2"),
        (["7 1003 1 99999 99999 02"], "line 1: 99999x99999 pixels"),
        (["7 1003 1 1 2 02", "7 1004 1 1 2 02"], "segments overlap"),
        (["7 1003 1 1 2 zzzz"], "frame 000007: run-length"),
    ],
)
def test_broken_lines_are_named(tmp_path, lines, what):
    with pytest.raises(FormatError, match=what):
        list(mots.read(text(tmp_path, *lines)))


def test_maps_and_lines_that_we_write_say_the_same_and_are_never_wrapped(tmp_path):
    classes = Classes.of("cat", "dog")
    label = Segmentation(classes, Masks.from_ids(np.array([[0, 1, 2]]), 3), [0, 1, 1], [7, 7, 9])
    all_formats.write(Dataset.of([Sample("v/0", None, label, group="v", frame=0)]), tmp_path / "o", to="mots")
    assert (tmp_path / "o/instances_txt/v.txt").read_text().splitlines()[0].startswith("0 1007 1 1 3 ")
    first = mots.read(tmp_path / "o")[0].label()
    (tmp_path / "o/instances/v/000000.png").unlink()
    assert mots.read(tmp_path / "o")[0].label().equals(first)
    many = Segmentation(
        classes, Masks.from_ids(np.arange(1100)[None], 1100), np.zeros(1100), np.arange(1, 1101)
    )
    with pytest.raises(InlayError, match="more than 999 objects of class 'cat'"):
        all_formats.write(Dataset.of([Sample("a", None, many)]), tmp_path / "p", to="mots")


def test_the_fixture_of_another_tool_is_read(shared):
    label = mots.read(shared / "data/formats/mots_png_synthetic/train")["1"].label()
    assert label.class_names == ("c", "d", "d")
    assert label.instance_id.tolist() == [2, 1, 3]


def film(root: Path, *tracks: dict) -> Path:
    video = {"id": 3, "height": 1, "width": 2, "length": 2, "file_names": ["v/00000.jpg", "v/00005.jpg"]}
    data = {"videos": [video], "categories": [{"id": 5, "name": "cat"}], "annotations": tracks}
    (root / "instances.json").write_text(json.dumps(data))
    return root


def track(*segmentations: object, **more: object) -> dict:
    return {"id": 8, "video_id": 3, "category_id": 5, "segmentations": segmentations, **more}


def test_a_track_is_seen_on_the_frames_that_are_not_null(tmp_path):
    runs = {"size": [1, 2], "counts": [1, 1]}
    dataset = youtube_vis.read(film(tmp_path, track(None, runs), track(runs, None, id=9, iscrowd=1)))
    assert dataset.names == ("v/00000", "v/00005")
    assert [sample.label().instance_id.tolist() for sample in dataset] == [[9], [8]]
    assert dataset[0].label().crowd.tolist() == [True]
    assert [(sample.group, sample.frame) for sample in dataset] == [("v", 0), ("v", 1)]


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (track(None), r"annotations\[0\].segmentations: 1 frames; the video has 2"),
        (track(None, None, video_id=4), r"annotations\[0\].video_id: 4 is no video here"),
        (track(None, None, category_id=4), r"annotations\[0\].category_id: 4 is no category"),
        (track(None, {"size": [1, 2], "counts": [9]}), r"annotations\[0\].segmentations\[1\].counts"),
        (track(None, {"size": [2, 2], "counts": [4]}), r"annotations\[0\].segmentations\[1\].size"),
    ],
)
def test_a_broken_track_is_named_with_its_place(tmp_path, broken, what):
    with pytest.raises(FormatError, match=what):
        list(youtube_vis.read(film(tmp_path, broken)))
