"""The command line: the main job, exit codes, and one line for whatever is wrong with the input."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inlay.cli import app, main

VERBS = ("label", "check", "train", "predict", "score", "advise", "measure", "convert")


def commands() -> list[tuple[str, ...]]:
    """Every command, those of a group by group and name."""
    found: list[tuple[str, ...]] = []
    for name in app:
        if not name.startswith("-"):
            below = [each for each in app[name] if not each.startswith("-")]
            found += [(name, each) for each in below] or [(name,)]
    return found


@pytest.fixture(scope="module")
def cells(tmp_path_factory) -> Path:
    """A small native dataset of cells."""
    folder = tmp_path_factory.mktemp("cli") / "cells"
    assert main(["sample", "cells", str(folder), "--count", "6", "--size", "64", "80"]) == 0
    return folder


@pytest.fixture
def png_labels(tmp_path) -> Path:
    """A small semantic dataset of PNG labels, of which tests break one file."""
    folder = tmp_path / "labels"
    assert (
        main(
            [
                "sample",
                "street",
                str(folder),
                "--count",
                "3",
                "--size",
                "64",
                "80",
                "--to",
                "label_png",
                "--lossy",
            ]
        )
        == 0
    )
    return folder


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(command, capsys):
    assert main([*command, "--help"]) == 0
    assert f"Example: inlay {' '.join(command)}" in " ".join(capsys.readouterr().out.split())


def test_the_menu_names_every_verb(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^. {name} ", out, re.MULTILINE) for name in VERBS)


def test_a_dataset_survives_a_trip_through_coco(cells, tmp_path, capsys):
    assert main(["convert", str(cells), str(tmp_path / "coco"), "--to", "coco", "--lossy"]) == 0
    assert main(["convert", str(tmp_path / "coco"), str(tmp_path / "back"), "--to", "native"]) == 0
    capsys.readouterr()
    assert (
        main(["score", str(cells), str(tmp_path / "back"), "--metrics", "panoptic_quality", "--json", "-"])
        == 0
    )
    assert json.loads(capsys.readouterr().out)["PQ"] == 1.0


def test_what_a_target_cannot_hold_is_refused_and_nothing_is_written(cells, tmp_path, capsys):
    target = tmp_path / "yolo"
    assert main(["convert", str(cells), str(target), "--to", "yolo"]) == 2
    assert_one_line(capsys, "--lossy")
    assert list(tmp_path.iterdir()) == []


def test_check_exits_with_one_when_it_finds_errors_and_writes_them(tmp_path, capsys):
    bad = {
        "images": [{"id": 1, "file_name": "a.png", "height": 20, "width": 20}],
        "categories": [{"id": 1, "name": "cell"}],
        "annotations": [
            annotation(7, [[2, 2, 12, 2, 12, 12, 2, 12]]),
            annotation(8, [[2, 2, 12, 2, 12, 12, 2, 12]]),
        ],
    }
    (tmp_path / "bad.json").write_text(json.dumps(bad))
    findings = tmp_path / "findings.jsonl"
    assert main(["check", str(tmp_path / "bad.json"), "--pack", "partition", "--out", str(findings)]) == 1
    lines = [json.loads(line) for line in findings.read_text().splitlines()]
    assert any(set(line["segments"]) == {7, 8} for line in lines)


def annotation(number: int, polygons: list[list[float]], category: int = 1) -> dict[str, object]:
    return {
        "id": number,
        "image_id": 1,
        "category_id": category,
        "segmentation": polygons,
        "area": 100,
        "bbox": [2, 2, 10, 10],
        "iscrowd": 0,
    }


def assert_one_line(capsys, *parts: str) -> None:
    """What went to stderr is one line that says all the parts, and no traceback."""
    err = capsys.readouterr().err.strip()
    assert err.startswith("inlay: ") and "\n" not in err and "Traceback" not in err, err
    assert [part for part in parts if part not in err] == [], err


@pytest.mark.parametrize(
    ("content", "say"),
    [
        (b"", "empty"),
        (b"{", "json"),
        (b"[1, 2", "json"),
        (b'{"images": 3}', "images"),
        (b'{"hello": "world"}', "json"),
        (b'{"images": [], "annotations": [{"id": 1}], "categories": []}', "annotations[0]"),
        (b"\xff\xfe\x00\x01", "json"),
    ],
)
def test_json_that_is_not_coco_is_one_line_and_exit_code_two(content, say, tmp_path, capsys):
    path = tmp_path / "labels.json"
    path.write_bytes(content)
    assert main(["convert", str(path), str(tmp_path / "out"), "--from", "coco", "--to", "native"]) == 2
    assert_one_line(capsys, "labels.json", say)
    assert not (tmp_path / "out").exists()


def test_a_path_that_is_not_there_is_named(tmp_path, capsys):
    assert main(["view", str(tmp_path / "nowhere"), "--no-browser"]) == 2
    assert_one_line(capsys, "nowhere")


def an_image(folder: Path) -> Path:
    return sorted(path for path in (folder / "images").rglob("*") if path.is_file())[0]


def a_label(folder: Path) -> Path:
    return sorted((folder / "labels").rglob("*.png"))[0]


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def text(path: Path) -> None:
    path.write_text("this is not an image")


def smaller(path: Path) -> None:
    with Image.open(path) as image:
        image.resize((40, 32), Image.Resampling.NEAREST).save(path)


def gone(path: Path) -> None:
    path.unlink()


def stray_value(path: Path) -> None:
    with Image.open(path) as image:
        pixels = np.array(image)
    pixels[3, 5] = 200
    Image.fromarray(pixels).save(path)


@pytest.mark.parametrize("spoil", [empty, cut_off, text, smaller])
def test_an_image_that_cannot_be_used_is_named_in_one_line(spoil, png_labels, tmp_path, capsys):
    bad = an_image(png_labels)
    spoil(bad)
    arguments = [
        "train",
        str(png_labels),
        "--model",
        "unet",
        "--out",
        str(tmp_path / "run"),
        "--iterations",
        "1",
    ]
    assert main(arguments) == 2
    assert_one_line(capsys, bad.name)


@pytest.mark.parametrize("spoil", [empty, cut_off, text, stray_value])
def test_a_label_that_cannot_be_used_is_named_in_one_line_and_nothing_is_written(
    spoil, png_labels, tmp_path, capsys
):
    bad = a_label(png_labels)
    spoil(bad)
    assert main(["convert", str(png_labels), str(tmp_path / "out"), "--to", "native", "--lossy"]) == 2
    assert_one_line(capsys, bad.name)
    assert not list(tmp_path.glob("*out*"))


def test_an_unreadable_label_does_not_stop_the_check_of_the_others(png_labels, tmp_path, capsys):
    cut_off(a_label(png_labels))
    out = tmp_path / "findings.jsonl"
    assert main(["check", str(png_labels), "--out", str(out)]) == 1
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert sum(line["severity"] == "error" for line in lines) == 1


def deep(path: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 65535, (64, 80), np.uint16)).save(path.with_suffix(".png"))


def palette(path: Path) -> None:
    with Image.open(path) as image:
        image.convert("P").save(path.with_suffix(".png"))


def cmyk(path: Path) -> None:
    with Image.open(path) as image:
        image.convert("CMYK").save(path.with_suffix(".tif"))


@pytest.mark.parametrize("kind", [deep, palette, cmyk])
def test_unusual_images_are_read(kind, png_labels, tmp_path):
    path = an_image(png_labels)
    before = set(path.parent.iterdir())
    kind(path)
    if set(path.parent.iterdir()) - before:
        path.unlink()
    assert main(["view", str(png_labels), "--out", str(tmp_path / "page.html"), "--no-browser"]) == 0


def test_a_write_that_fails_half_way_leaves_nothing_behind(cells, tmp_path):
    code = (
        "import resource, signal, sys; from inlay.cli import main;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000));"
        f"sys.exit(main(['convert', {str(cells)!r}, {str(tmp_path / 'out')!r}, '--to', 'coco', '--lossy']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "x", "--model", "nope", "--out", "y"],
        ["sample", "zoo", "y"],
        ["convert", "x", "y", "--to", "nope"],
        ["frobnicate"],
        ["score", "x"],
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_two(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert_one_line(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["advise", "cost", "--objects", "5,x"], "--images is missing"),
        (["advise", "cost", "--objects", "5", "--images"], "--images requires an argument"),
        (["advise", "cost", "--objects", "5,x", "--images", "9", "--wage", "18"], "'x' is not a number"),
    ],
)
def test_what_was_not_given_is_missing_and_what_was_given_empty_wants_a_value(arguments, said, capsys):
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_the_whole_job_runs_by_command_line(cells, tmp_path, capsys):
    run, predictions = tmp_path / "run", tmp_path / "predictions.json"
    assert main(["train", str(cells), "--model", "solov2", "--out", str(run), "--iterations", "2"]) == 0
    assert main(["predict", str(run), str(cells), "--out", str(predictions), "--to", "coco"]) == 0
    figures, page = tmp_path / "figures.json", tmp_path / "report.html"
    arguments = ["score", str(cells), str(predictions), "--json", str(figures), "--report", str(page)]
    assert main(arguments) == 0
    assert 0 <= json.loads(figures.read_text())["mask_AP50"] <= 1
    assert "<html" in page.read_text("utf-8")


def test_what_can_be_trained_and_set_is_listed(capsys):
    assert main(["models"]) == 0
    assert re.search(r"unet +semantic +U-Net", capsys.readouterr().out)
    assert main(["models", "deeplab"]) == 0
    text = capsys.readouterr().out
    assert re.search(r"deeplab\.stride +16 ", text)
    assert re.search(r"training\.augment\.mosaic +0\.0 ", text)
    assert "[deeplab]" in text
    assert main(["models", "deeplap"]) == 2
    assert "deeplab" in capsys.readouterr().err


def test_a_setting_that_is_none_is_refused_before_anything_is_read(tmp_path, capsys):
    arguments = ["train", str(tmp_path / "absent"), "--model", "unet", "--out", str(tmp_path / "run")]
    assert main([*arguments, "--set", "unet.encodr=csp"]) == 2
    assert "did you mean 'encoder'?" in capsys.readouterr().err
    assert main([*arguments, "--set", "unet.encoder=cps"]) == 2
    assert "'cps'; it can be" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
