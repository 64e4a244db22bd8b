"""`inlay check` on labels that nobody can have meant: the place is named, and the rest is checked."""

from __future__ import annotations

import json

import pytest

from inlay.cli import main

GOOD = [5.0, 5.0, 30.0, 5.0, 30.0, 25.0, 5.0, 25.0]


def annotation(number, image, segmentation, box=(5, 5, 25, 20)):
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "area": 500,
        "bbox": list(box),
        "segmentation": segmentation,
    }


def checked(tmp_path, segmentation, box=(5, 5, 25, 20)):
    """Exit code and findings of a file whose first image has a duplicate, whose second has this segment."""
    images = [{"id": n, "file_name": f"{n}.png", "width": 60, "height": 40} for n in (1, 2)]
    shapes = [(1, 1, [GOOD]), (4, 1, [GOOD]), (2, 2, [GOOD]), (3, 2, segmentation, box)]
    labels = {
        "images": images,
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [annotation(*shape) for shape in shapes],
    }
    path, out = tmp_path / "labels.json", tmp_path / "found.jsonl"
    path.write_text(json.dumps(labels), encoding="utf-8")
    code = main(["check", str(path), "--out", str(out), "--no-cache"])
    return code, [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    "segmentation",
    [
        [[5.0, 5.0, "wide", 5.0, 30.0, 25.0]],
        {"size": [20, 30], "counts": [100, 500]},
        {"size": [40, 60], "counts": [100, 50]},
        {"size": [40, 60], "counts": [-1, 2401]},
    ],
    ids=["no number", "wrong size", "too short", "negative"],
)
def test_a_broken_mask_is_a_finding_and_the_other_image_is_checked(segmentation, tmp_path, capsys):
    code, found = checked(tmp_path, segmentation)
    assert code == 1
    broken = [each["message"] for each in found if each["rule"] == "unreadable"]
    assert len(broken) == 1 and "labels.json: annotations[3]" in broken[0]
    assert ("duplicate", "1") in {(each["rule"], each["image"]) for each in found}
    assert "Traceback" not in capsys.readouterr().err


def test_a_mask_outside_the_image_is_an_empty_one(tmp_path, capsys):
    code, found = checked(tmp_path, [[100.0, 5.0, 130.0, 5.0, 130.0, 25.0]])
    assert code == 1
    assert [each["segments"] for each in found if each["rule"] == "empty-mask"] == [[3]]


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_a_number_that_json_lacks_spoils_its_image_alone(number, tmp_path):
    code, found = checked(tmp_path, [[5.0, 5.0, float(number), 5.0, 30.0, 25.0]])
    assert code == 1
    (broken,) = (each for each in found if each["rule"] == "unreadable")
    assert broken["image"] == "2"
    assert (
        "labels.json: annotations[3].segmentation[0][2]: Expected float, got null or NaN" in broken["message"]
    )
    assert ("duplicate", "1") in {(each["rule"], each["image"]) for each in found}


def test_a_box_that_is_no_number_spoils_its_image_alone(tmp_path):
    code, found = checked(tmp_path, [GOOD], box=[5, float("nan"), 25, 20])
    broken = [each["message"] for each in found if each["rule"] == "unreadable"]
    assert (
        code == 1 and len(broken) == 1 and "labels.json: annotations[3].bbox: holds null or NaN" in broken[0]
    )
    assert ("duplicate", "1") in {(each["rule"], each["image"]) for each in found}


def test_a_word_is_no_number_that_json_lacks(tmp_path, capsys):
    path = tmp_path / "labels.json"
    path.write_text('{"images": [], "categories": [{"id": 1, "name": "NaN Infinity"}], "annotations": [+1]}')
    assert main(["check", str(path), "--no-cache"]) == 2
    assert "line 1, byte" in capsys.readouterr().err
