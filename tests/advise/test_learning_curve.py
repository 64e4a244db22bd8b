"""Learning curves: what more labels bring, with honest intervals."""

import numpy as np
import pytest

from inlay import InlayError
from inlay.advise import LearningCurve, Option, back_test, best_buy

SIZES = np.array([10, 20, 40, 80, 160])


def scores(top=0.8, drop=0.9, rate=0.45, noise=0.0, seed=0, sizes=SIZES):
    return top - drop * sizes**-rate + np.random.default_rng(seed).normal(0, noise, len(sizes))


def test_a_power_law_is_found_again_and_goes_on():
    curve = LearningCurve(SIZES, scores())
    assert curve.predict([640])[0] == pytest.approx(0.8 - 0.9 * 640**-0.45, abs=0.02)


def test_intervals_hold_the_score_of_four_times_the_labels():
    held = 0
    for seed in range(12):
        low, high = LearningCurve(SIZES, scores(noise=0.008, seed=seed)).interval([640])
        held += low[0] <= 0.8 - 0.9 * 640**-0.45 <= high[0]
    assert held >= 10  # of 12, at 90 %


def test_more_labels_never_take_less_than_fewer():
    curve = LearningCurve(SIZES, scores(noise=0.01))
    few, many = curve.needed(0.7), curve.needed(0.75)
    assert few[0] <= few[1] <= few[2]
    assert few[1] <= many[1]
    assert curve.needed(0.999)[2] == np.inf
    low, middle, high = curve.gain(160)
    assert low <= middle <= high
    assert middle > 0


def test_the_full_score_is_foretold_from_half_of_the_labels():
    foretold, low, high, real = back_test(np.array([10, 20, 40, 80, 160]), scores())
    assert low <= real <= high
    assert foretold == pytest.approx(real, abs=0.02)


@pytest.mark.parametrize("sizes", [[10], [10, 20, 40], [10, 11, 12, 13], []])
def test_too_few_sizes_make_no_curve(sizes):
    with pytest.raises(InlayError, match=r"no learning curve|one score"):
        LearningCurve(np.array(sizes, float), np.linspace(0.2, 0.4, len(sizes)) if sizes else np.zeros(1))


def test_what_adds_most_an_hour_comes_first_and_nothing_means_stop():
    more = Option("200 more images", 40, (0.01, 0.02, 0.03))
    edges = Option("better boundaries", 10, (0.0, 0.01, 0.02))
    none = Option("instances", 90, (-0.02, 0.0, 0.01))
    assert [each.name for each in best_buy([more, edges, none])] == ["better boundaries", "200 more images"]
    assert best_buy([none]) == []
    with pytest.raises(InlayError, match="hours"):
        best_buy([Option("magic", 0, (0, 1, 2))])
