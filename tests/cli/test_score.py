from __future__ import annotations

import json

import pytest

import inlay
from inlay.cli import main


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Cells, the same with some missing, and with more missing."""
    root = tmp_path_factory.mktemp("score")
    assert main(["sample", "cells", str(root / "truth"), "--count", "6", "--size", "60", "80"]) == 0
    truth = inlay.read(root / "truth")
    for name, step in (("good", 5), ("poor", 2)):
        worse = truth.map(
            lambda s, step=step: s.replace(
                segmentation=s.label()[[i for i in range(len(s.label())) if i % step]]
            )
        )
        inlay.write(worse, root / name, to="native")
    return root


def run(folders, *arguments: str) -> int:
    return main(["score", str(folders / "truth"), str(folders / "good"), *arguments])


def test_metrics_are_chosen_by_name(folders, capsys):
    assert run(folders, "--metrics", "counting,boundary_iou", "--json", "-") == 0
    table = json.loads(capsys.readouterr().out)
    assert table["metrics"] == ["counting", "boundary_iou"]
    assert table["count_bias"] < 0
    assert table["units"]["count_bias"] == "segments an image"


def test_another_prediction_is_compared_image_by_image(folders, tmp_path, capsys):
    page = tmp_path / "r.html"
    assert run(folders, "--against", str(folders / "poor"), "--report", str(page)) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("PQ "))
    assert line.endswith("certain")
    assert "Against the other prediction" in page.read_text("utf-8")
    assert run(folders, "--against", str(folders / "poor"), "--json", "-") == 0
    table = json.loads(capsys.readouterr().out)
    assert table["difference"]["PQ"] == pytest.approx(table["second"]["PQ"] - table["first"]["PQ"])
    assert table["difference"]["PQ"] > 0


def test_what_errors_cost_is_said_and_sums_up(folders, capsys):
    assert run(folders, "--metrics", "panoptic_quality", "--json", "-") == 0
    table = json.loads(capsys.readouterr().out)
    assert sum(table["loss"]["panoptic_quality"].values()) == pytest.approx(1 - table["PQ"])
    assert run(folders, "--metrics", "panoptic_quality") == 0
    assert "lost" in capsys.readouterr().out


def test_without_details_the_figures_are_the_same_and_stand_alone(folders, capsys):
    tables = []
    for more in ([], ["--no-details"]):
        assert run(folders, "--metrics", "panoptic_quality,iou", "--json", "-", *more) == 0
        tables.append(json.loads(capsys.readouterr().out))
    whole, bare = tables
    assert (bare["PQ"], bare["mIoU"]) == (whole["PQ"], whole["mIoU"])
    assert whole["loss"]
    assert not bare.get("loss")
    assert run(folders, "--no-details") == 0
    assert "PQ" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--no-details", "--report", "r.html"], "leave --no-details away"),
        (["--metrics", "trackin"], "did you mean 'tracking'"),
        (["--like", "excel", "--metrics", "panoptic_quality"], "they can be like panopticapi"),
        (["--against", "nowhere"], "nowhere: there is no such file or folder"),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(folders, capsys, arguments, words):
    assert run(folders, *arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1
