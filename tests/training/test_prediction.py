"""Prediction as a lazy dataset."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inlay import Dataset, FormatError, InlayError
from inlay.training import predict, prediction, train
from inlay.training.config import config_from

CONFIG = {
    "training": {"batch": 4, "precision": "float32", "validations": 1, "augment": {"crop": [48, 48]}},
    "unet": {"widths": [8, 16, 16, 16], "depths": [1, 1, 1]},
}


@pytest.fixture(scope="module")
def run(street, tmp_path_factory):
    return train(
        street, "unet", tmp_path_factory.mktemp("run"), iterations=60, config=config_from(CONFIG, "unet")
    )


@pytest.fixture
def folder(street, tmp_path):
    for name in ("a/one.png", "b/one.png", "two.png"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(street[0].pixels()).save(path)
    return tmp_path / "images"


def test_a_prediction_has_the_classes_of_the_model_scores_and_the_name_of_its_image(run, folder):
    found = predict(run, folder)
    assert found.names == ("a/one", "b/one", "two")
    assert found.classes == run.classes
    segmentation = found["b/one"].label()
    assert segmentation.is_prediction
    assert segmentation.size == (64, 64)
    assert segmentation.score.min() > 0
    assert segmentation.score.max() <= 1


def test_a_trained_model_sees_what_it_learnt(run, street):
    truth = street.split("test")[0]
    found = predict(run, street.split("test"))[0].label()
    wanted = truth.label().semantic()
    assert (found.semantic() == wanted).mean() > 0.9


def test_each_image_is_predicted_once_and_only_when_asked_for(run, folder):
    seen = []
    found = predict(run, folder, progress=lambda done, total, name: seen.append((done, total, name)))
    assert seen == []
    first, again = found["two"].label(), found["two"].label()
    assert first is again
    assert seen == [(1, 3, "two")]


def test_segments_below_the_least_score_are_left_out(run, folder):
    every = predict(run, folder / "two.png")[0].label()
    limit = float(every.score.max())
    kept = predict(run, folder / "two.png", minimum_score=limit)[0].label()
    assert 1 <= len(kept) <= len(every)
    assert kept.score.min() >= limit


@pytest.mark.parametrize("size", [(1, 1), (3, 7), (33, 50), (65, 64)])
def test_images_of_any_size_are_predicted(run, size):
    from inlay import Classes, Sample

    image = np.full((*size, 3), 90, np.uint8)
    found = predict(run, Dataset.of([Sample("odd", image, None)], Classes(())))[0].label()
    assert found.size == size
    assert found.masks.area().sum() == size[0] * size[1]


def test_every_unreadable_image_is_named_before_the_first_is_predicted(run, folder):
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("no image")
    with pytest.raises(FormatError, match=r"empty\.png: the file is empty.*1 more: .*text\.jpg"):
        predict(run, folder)
    (folder / "empty.png").unlink()
    (folder / "text.jpg").unlink()
    whole = (folder / "two.png").read_bytes()
    (folder / "two.png").write_bytes(whole[: len(whole) // 2])
    found = predict(run, folder)
    assert len(found["a/one"].label()) > 0
    with pytest.raises(FormatError, match=r"two\.png: pixels: the image is broken or cut off"):
        found["two"]


def test_what_is_no_image_folder_is_refused(run, tmp_path):
    with pytest.raises(FormatError, match="no such file or folder"):
        predict(run, tmp_path / "absent")
    (tmp_path / "bare").mkdir()
    with pytest.raises(FormatError, match="no images in this folder"):
        predict(run, tmp_path / "bare")
    with pytest.raises(InlayError, match="there are no images"):
        predict(run, [])
    with pytest.raises(FormatError, match="not a run folder"):
        predict(tmp_path / "bare", [tmp_path / "x.png"])


def test_an_image_of_a_hundred_megapixels_says_to_tile_it(run, monkeypatch):
    from inlay import Classes, Sample

    monkeypatch.setattr(prediction, "LARGEST", 100)
    data = Dataset.of([Sample("large", np.zeros((20, 20, 3), np.uint8), None)], Classes(()))
    with pytest.raises(InlayError, match=r"'large' has 20x20 pixels; up to 100 .* cut it into tiles"):
        predict(run, data)[0]


def test_a_list_of_images_is_named_below_its_shared_folder(run, folder):
    found = predict(run, [folder / "a/one.png", folder / "two.png"])
    assert found.names == ("a/one", "two")
