"""Images of rare classes come more often, as the paper says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Dataset, InlayError
from inlay.training import train
from inlay.training.config import Training, config_from
from inlay.training.sampling import order_of_pass, places_in_batch, repeats


def test_an_image_counts_what_its_rarest_class_does():
    shown = np.zeros((100, 3), np.bool_)
    shown[:, 0] = True  # everywhere
    shown[:20, 1] = True  # a fifth
    shown[:5, 2] = True  # one in twenty
    often = repeats(shown, 0.2)
    assert often[:5] == pytest.approx(2.0)  # sqrt(0.2 / 0.05)
    assert often[5:] == pytest.approx(1.0)
    assert repeats(shown, 0.0) == pytest.approx(1.0)


def test_images_that_show_nothing_come_once():
    assert repeats(np.zeros((4, 2), np.bool_), 0.5).tolist() == [1.0] * 4


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(1, 7), st.integers(0, 1000))
def test_a_pass_shows_each_example_as_often_as_it_counts_but_for_parts_of_a_time(count, batch, seed):
    often = 1 + 3 * np.random.default_rng(seed).random(count)
    length = int(np.ceil(often.sum()))
    counted = np.bincount(order_of_pass(often, seed, 0), minlength=count)
    assert counted.sum() == length
    assert (np.abs(counted - often * length / often.sum()) < 1 + 1e-9).all()
    steps = -(-3 * length // batch)
    seen = [index for step in range(steps) for index, _ in places_in_batch(step, batch, often, seed)]
    turns = -(-steps * batch // length)
    passes = [order_of_pass(often, seed, turn).tolist() for turn in range(turns)]
    assert seen == [index for some in passes for index in some][: len(seen)]


def test_over_many_passes_the_mean_is_the_count():
    often = np.array([1.0, 1.3, 2.7])
    counts = sum(np.bincount(order_of_pass(often, 5, turn), minlength=3) for turn in range(400))
    assert counts / counts.sum() == pytest.approx(often / often.sum(), abs=0.01)


def test_a_run_shows_the_image_of_the_rare_class_more_often(picture, tmp_path, monkeypatch):
    common = [picture(seed).replace(split="train") for seed in range(7)]
    for place, sample in enumerate(common):
        label = sample.label()
        common[place] = sample.replace(segmentation=label[np.array(label.class_names) != "ball"])
    data = Dataset.of([*common, picture(7).replace(split="train", name="rare")])
    places = []
    from inlay.training import batches

    real = batches.mixed
    monkeypatch.setattr(
        batches, "mixed", lambda all_, index, *rest: (places.append(index), real(all_, index, *rest))[1]
    )
    family = {"widths": [8, 8, 8, 8], "depths": [1, 1, 1]}
    training = {
        "rare": 1.0,
        "batch": 4,
        "validations": 1,
        "precision": "float32",
        "augment": {"crop": [32, 32]},
    }
    config = config_from({"unet": family, "training": training}, "unet")
    train(data, "unet", tmp_path / "run", iterations=11, config=config, validation=data[:1])
    once = np.bincount(places[:11], minlength=8)  # a pass: seven and sqrt(8) times
    assert once[7] in (2, 3)
    assert set(once[:7]) <= {0, 1, 2}


def test_a_share_that_is_none_is_refused():
    with pytest.raises(InlayError, match="rare is out of its range"):
        Training(rare=1.5)
