"""The learning-rate finder."""

from __future__ import annotations

import numpy as np

from inlay.training import find_rate
from inlay.training.config import config_from
from inlay.training.rate_finder import RateTrial

CONFIG = {
    "training": {"batch": 2, "precision": "float32", "augment": {"crop": [32, 32]}},
    "unet": {"widths": [8, 8, 8, 8], "depths": [1, 1, 1]},
}


def test_the_rate_of_the_steepest_fall_is_named():
    rates = np.geomspace(1e-6, 1, 60)
    losses = 2 - np.tanh(np.log10(rates) + 3) + np.where(rates > 0.1, 50 * (rates - 0.1), 0)
    trial = RateTrial(tuple(rates.tolist()), tuple(losses.tolist()))
    assert 5e-4 < trial.best < 2e-3
    assert f"learning_rate = {trial.best:g}" in str(trial)


def test_a_loss_that_only_rises_names_the_least_rate():
    trial = RateTrial((1e-6, 1e-5, 1e-4), (1.0, 2.0, 3.0))
    assert trial.best == 1e-6


def test_a_trial_learns_writes_nothing_and_ends_when_it_breaks(street, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = []
    trial = find_rate(
        street,
        "unet",
        config=config_from(CONFIG, "unet"),
        steps=30,
        progress=lambda *step: seen.append(step),
    )
    assert trial.rates[0] == 1e-6
    assert list(trial.rates) == sorted(trial.rates)
    assert 1e-6 <= trial.best <= 1
    assert min(trial.losses) < trial.losses[0]
    assert seen[-1][1] == 30
    assert list(tmp_path.iterdir()) == []
