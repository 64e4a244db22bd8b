"""Two models, one panoptic prediction."""

from __future__ import annotations

import pytest

from inlay import Dataset, InlayError
from inlay.cli import main
from inlay.formats import read
from inlay.training import predict, train
from inlay.training.config import config_from
from inlay.training.panoptic import predict_panoptic

SMALL = {"widths": [8, 16, 16, 16], "depths": [1, 1, 1]}
TRAINING = {"batch": 4, "precision": "float32", "validations": 1, "augment": {"crop": [48, 48]}}


@pytest.fixture(scope="module")
def runs(street, tmp_path_factory):
    return [
        train(
            street,
            name,
            tmp_path_factory.mktemp(name),
            iterations=40,
            config=config_from({"training": TRAINING, name: SMALL}, name),
        )
        for name in ("solov2", "unet")
    ]


def test_the_things_of_one_stand_before_the_stuff_of_the_other(runs, street):
    images = Dataset.of([street[0], street[1]])
    whole = predict_panoptic(*runs, images, minimum_score=0.1, stuff_area=1)
    things, stuff = (predict(run, images) for run in runs)
    assert whole.names == images.names
    for name in whole.names:
        found, front, behind = (each[name].label() for each in (whole, things, stuff))
        assert found.is_partition
        assert found.classes == whole.classes
        claimed = found.things().masks.union()
        assert not len(found.things()) or (claimed - front.masks.union()).area()[0] == 0
        left = (behind.stuff().masks.union() - claimed).area()[0]
        assert found.stuff().masks.area().sum() == left


def test_the_command_writes_what_python_gives(runs, street, tmp_path):
    from inlay.formats import write

    write(Dataset.of([street[0]]), tmp_path / "street", to="native")
    first, second = (str(run.folder) for run in runs)
    options = ["--out", str(tmp_path / "out"), "--stuff-area", "9", "--minimum-score", "0.2"]
    assert main(["predict", first, str(tmp_path / "street"), "--stuff", second, *options]) == 0
    found = read(tmp_path / "out")[0].label()
    wanted = predict_panoptic(*runs, Dataset.of([street[0]]), minimum_score=0.2, stuff_area=9)[0].label()
    assert found.masks.equals(wanted.masks)
    assert found.class_names == wanted.class_names


def test_runs_in_the_wrong_order_are_refused(runs, street):
    with pytest.raises(InlayError, match="knows no stuff, only"):
        predict_panoptic(runs[0], runs[0], street)
