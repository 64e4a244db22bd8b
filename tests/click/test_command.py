"""`inlay click`: a mask and a picture from the command line."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inlay.cli import main

from .drawn import disk, iou


@pytest.fixture
def photo(tmp_path):
    image, truth = disk()
    Image.fromarray(image).save(tmp_path / "photo.png")
    return tmp_path / "photo.png", truth


def test_clicks_make_a_mask_and_a_picture(photo, tmp_path, capsys):
    file, truth = photo
    out, picture = tmp_path / "out" / "mask.png", tmp_path / "seen.png"
    points = ["80,60", "60,60", "30,60,-"]
    assert main(["click", str(file), "--points", *points, "--out", str(out), "--picture", str(picture)]) == 0
    mask = np.asarray(Image.open(out))
    assert set(np.unique(mask)) == {0, 255}
    assert iou(mask == 255, truth) > 0.85
    assert mask[60, 80] == 255
    assert mask[60, 30] == 0
    drawn = np.asarray(Image.open(picture))
    assert drawn.shape == (*truth.shape, 3)
    assert (drawn[60, 80] == (40, 190, 90)).all()
    assert f"{(mask == 255).sum()} pixels" in capsys.readouterr().out
    again = tmp_path / "again.png"
    mended = ["click", str(file), "--mask", str(out), "--points", "100,60", "--out", str(again)]
    assert main(mended) == 0
    assert np.asarray(Image.open(again))[60, 100] == 255


def test_a_box_is_enough(photo, tmp_path):
    file, truth = photo
    out = tmp_path / "mask.png"
    assert main(["click", str(file), "--box", "48,28,112,92", "--out", str(out)]) == 0
    assert iou(np.asarray(Image.open(out)) > 0, truth) > 0.85


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "where the segment is"),
        (["--points", "80"], "--points '80'"),
        (["--points", "80,x"], "--points '80,x'"),
        (["--points", "800,60"], "outside the image of 160x120"),
        (["--box", "1,2,3"], "--box '1,2,3'"),
        (["--points", "80,60", "--candidate", "9"], "--candidate is 9"),
        (["--points", "80,60", "--engine", "magic"], "magic"),
        (["--points", "80,60", "--mask", "none.png"], "none.png"),
    ],
)
def test_what_cannot_be_meant_leaves_one_line_and_no_file(photo, tmp_path, capsys, arguments, words):
    out = tmp_path / "mask.png"
    assert main(["click", str(photo[0]), *arguments, "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not out.exists()
