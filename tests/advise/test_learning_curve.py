"""Learning curves: what more labels bring, with honest intervals."""

import numpy as np
import pytest

from inlay import InlayError, write
from inlay.advise import LabelType, LearningCurve, Option, back_test, best_buy, buys
from inlay.cli import main
from inlay.scenes import make

SIZES = np.array([10, 20, 40, 80, 160])


def scores(top=0.8, drop=0.9, rate=0.45, noise=0.0, seed=0, sizes=SIZES):
    return top - drop * sizes**-rate + np.random.default_rng(seed).normal(0, noise, len(sizes))


def test_a_power_law_is_found_again_and_goes_on():
    curve = LearningCurve(SIZES, scores())
    assert curve.predict([640])[0] == pytest.approx(0.8 - 0.9 * 640**-0.45, abs=0.02)


def test_intervals_hold_the_score_of_four_times_the_labels():
    held = 0
    for seed in range(8):
        low, high = LearningCurve(SIZES, scores(noise=0.008, seed=seed)).interval([640])
        held += low[0] <= 0.8 - 0.9 * 640**-0.45 <= high[0]
    assert held >= 6  # of 8, at 90 %


def test_more_labels_never_take_less_than_fewer():
    curve = LearningCurve(SIZES, scores(noise=0.01))
    few, many = curve.needed(0.7), curve.needed(0.75)
    assert few[0] <= few[1] <= few[2]
    assert few[1] <= many[1]
    assert curve.needed(0.999)[2] == np.inf
    low, middle, high = curve.gain(160)
    assert low <= middle <= high
    assert middle > 0


def test_no_curve_falls_with_more_labels():
    flat = np.array([0.348, 0.389, 0.397, 0.396, 0.401])
    sizes = np.geomspace(10, 10_000, 50)
    assert (np.diff(LearningCurve(SIZES, flat).predict(sizes)) >= -1e-9).all()


def test_the_full_score_is_foretold_from_half_of_the_labels():
    foretold, low, high, real = back_test(np.array([10, 20, 40, 80, 160]), scores())
    assert low <= real <= high
    assert foretold == pytest.approx(real, abs=0.02)


@pytest.mark.parametrize("sizes", [[40], [10, 20, 40], [30, 31, 32, 33], []])
def test_too_few_sizes_make_no_curve(sizes):
    with pytest.raises(InlayError, match=r"no learning curve|one score"):
        LearningCurve(np.array(sizes, float), np.linspace(0.2, 0.4, len(sizes)) if sizes else np.zeros(1))


def test_ten_images_make_no_curve(tmp_path, capsys):
    with pytest.raises(InlayError, match="10 labelled images make no learning curve: label 20"):
        LearningCurve(np.array([1, 2, 5, 10]), np.array([0.1, 0.2, 0.3, 0.35]))
    write(make("cells", 10, size=(32, 32)), tmp_path / "cells", to="native")
    assert main(["advise", "curve", "--train", str(tmp_path / "cells")]) != 0  # before anything is trained
    assert "10 labelled images make no learning curve" in capsys.readouterr().err


def test_the_command_trains_a_model_on_growing_parts_and_extrapolates(tmp_path, capsys):
    write(make("cells", 40, size=(32, 32)), tmp_path / "cells", to="native")
    command = ["advise", "curve", "--train", str(tmp_path / "cells"), "--iterations", "1", "--more", "28"]
    small = ["--set", "training.augment.crop=[32, 32]", "--set", "training.batch=2"]
    runs = tmp_path / "runs"
    assert main([*command, *small, "--runs", str(runs), "--page", str(tmp_path / "curve.html")]) == 0
    lines = capsys.readouterr().out.splitlines()
    measured = [int(line.split()[0]) for line in lines if line.endswith("measured")]
    rows = (runs / "scores.csv").read_text().splitlines()[1:]
    assert len(measured) == 4 and measured == [int(row.split(",")[0]) for row in rows]
    assert any(line.startswith("28 more images add") for line in lines)
    assert (tmp_path / "curve.html").stat().st_size > 1000
    assert all((runs / f"images_{number}" / "model.safetensors").exists() for number in measured)


def test_what_adds_most_an_hour_comes_first_and_nothing_means_stop():
    more = Option("200 more images", 40, (0.01, 0.02, 0.03))
    edges = Option("better boundaries", 10, (0.0, 0.01, 0.02))
    none = Option("instances", 90, (-0.02, 0.0, 0.01))
    assert best_buy([more, edges, none]) is edges
    assert best_buy([none]) is None
    with pytest.raises(InlayError, match="hours"):
        Option("magic", 0, (0, 1, 2))


def test_the_next_hours_go_where_the_curves_rise_most():
    sharp = LabelType("sharp", 360, LearningCurve(SIZES, scores(top=0.8)))
    coarse = LabelType("coarse", 36, LearningCurve(SIZES, scores(top=0.7)))
    found = buys([sharp, coarse], "coarse", 10, 2)
    assert [each.per_hour for each in found] == sorted((each.per_hour for each in found), reverse=True)
    young = {each.name: each for each in found}
    assert set(young) == {
        "200 new images, coarse",
        "10 images once more, sharp",
        "20 new images, sharp",
    }
    assert young["10 images once more, sharp"].hours == pytest.approx(1)
    assert best_buy(found) is found[0] and found[0].gain[1] > 0.05
    grown = buys([sharp, coarse], "coarse", 160, 4)
    assert "sharp" in grown[0].name  # coarse ones have nearly reached their end
    truth = {"coarse": 0.7 - 0.9 * 210.0**-0.45, "redone": 0.8 - 0.9 * 10.0**-0.45}
    now = 0.7 - 0.9 * 10.0**-0.45
    assert young["200 new images, coarse"].gain[1] == pytest.approx(truth["coarse"] - now, abs=0.03)
    assert young["10 images once more, sharp"].gain[1] == pytest.approx(truth["redone"] - now, abs=0.02)
    with pytest.raises(InlayError, match="no scores of the label type 'boxes'"):
        buys([sharp, coarse], "boxes", 10, 2)
    with pytest.raises(InlayError, match="time some"):
        LabelType("free", 0, sharp.curve)


def test_the_command_reads_label_types_and_says_what_to_buy(tmp_path, capsys):
    rows = ["type,seconds,images,score"]
    rows += [f"coarse,36,{n},{s:.4f}" for n, s in zip(SIZES, scores(top=0.7))]
    rows += [f"sharp,360,{n},{s:.4f}" for n, s in zip(SIZES, scores())]
    path = tmp_path / "scores.csv"
    path.write_text("\n".join(rows))
    command = ["advise", "buy", str(path), "--images", "160", "--hours", "4", "--have"]
    assert main([*command, "coarse"]) == 0
    assert "sharp" in capsys.readouterr().out.splitlines()[-1]
    assert main([*command, "boxes"]) != 0
    path.write_text("\n".join(rows[:4]))
    assert main([*command, "coarse"]) != 0
    assert "no learning curve" in capsys.readouterr().err


def test_no_score_is_foretold_beyond_what_a_score_can_be():
    low, high = LearningCurve([18, 35, 70, 140], [0.532, 0.652, 0.536, 0.690]).interval([140, 280, 560])
    assert (low >= 0).all() and (high <= 1).all()
    assert (low < high).all()


def test_percent_are_refused():
    with pytest.raises(InlayError, match="divide percent by 100"):
        LearningCurve([18, 35, 70, 140], [53, 65, 53, 69])
