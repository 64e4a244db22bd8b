"""Prediction as a lazy dataset."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inlay import Classes, Dataset, FormatError, InlayError, Sample
from inlay.formats import write
from inlay.training import predict, train
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


def test_images_of_one_size_are_predicted_together_and_give_the_same(run, street):
    seen = []
    one = predict(run, street)
    three = predict(run, street, batch=3, progress=lambda *step: seen.append(step[2]))
    three[0]
    assert seen == ["picture_0", "picture_1", "picture_2"]
    for alone, together in zip(one, three):
        assert np.mean(alone.label().semantic() == together.label().semantic()) > 0.999
    assert seen == list(street.names)


def test_who_asks_for_one_image_in_the_middle_gets_that_one(run, street):
    seen = []
    predict(run, street, batch=4, progress=lambda *step: seen.append(step[2]))["picture_2"]
    assert seen == ["picture_2"]


def test_images_of_several_sizes_go_into_batches_of_their_own(run):
    def load(name):
        side = 40 if name in "ab" else 56
        return Sample(name, np.full((side, side, 3), 90, np.uint8), None)

    found = predict(run, Dataset(Classes(()), list("abcd"), load), batch=8)
    assert [sample.label().size[0] for sample in found] == [40, 40, 56, 56]


def test_tiles_and_mirrored_images_see_what_the_whole_sees(run, street):
    test = street.split("test")
    wanted = test[0].label().semantic()
    for settings in ({"tile": 40, "overlap": 16}, {"flips": True}, {"tile": 40, "flips": True, "batch": 2}):
        found = predict(run, test, **settings)[0].label()
        assert (found.semantic() == wanted).mean() > 0.9, settings
        assert found.masks.area().sum() == wanted.size


def test_refinement_draws_classes_to_the_edges_of_the_image(run, street):
    image = street.split("test")
    truth = image[0].label().semantic()
    plain, refined = (predict(run, image, refine=rounds)[0].label() for rounds in (0, 5))
    assert (refined.semantic() == truth).mean() >= (plain.semantic() == truth).mean()
    assert not np.array_equal(refined.semantic(), plain.semantic())
    tiled = predict(run, image, refine=5, tile=48)[0].label()
    assert (tiled.semantic() == refined.semantic()).mean() > 0.9
    with pytest.raises(InlayError, match="-1 rounds of refinement"):
        predict(run, image, refine=-1)


def test_too_little_memory_names_a_smaller_tile_and_leaves_nothing_half_written(
    run, street, monkeypatch, tmp_path
):
    def full(self, images):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("inlay.training.segmenting.Segmenter._run", full)
    with pytest.raises(InlayError, match=r"64x64 pixels, 64 at once, do not fit into memory: .*--tile 64"):
        predict(run, street)[0]
    for to in ("native", "label_png"):
        with pytest.raises(InlayError, match="do not fit into memory"):
            write(predict(run, street), tmp_path / "out", to=to, lossy=True)
    assert list(tmp_path.iterdir()) == []


def test_settings_of_tiles_that_cannot_be_are_refused_before_the_first_image(run, street):
    for wrong in ({"tile": 4}, {"tile": 64, "overlap": 40}, {"batch": 0}):
        with pytest.raises(InlayError):
            predict(run, street, **wrong)


def test_a_list_of_images_is_named_below_its_shared_folder(run, folder):
    found = predict(run, [folder / "a/one.png", folder / "two.png"])
    assert found.names == ("a/one", "two")
