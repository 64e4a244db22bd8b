"""Counts, corrected by the measured error."""

import numpy as np
import pytest

from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation, write
from inlay.cli import main
from inlay.core.partial import only_boxes
from inlay.measure import CountError, counts
from inlay.measure.page import density_map
from inlay.scenes import make

CLASSES = Classes.of("hen", "egg")


def sample(name, hens, *, score=None, eggs=0):
    rows = np.repeat([0, 1], [hens, eggs])
    masks = Masks.from_ids(np.arange(400).reshape(20, 20), len(rows))
    scores = None if score is None else np.full(len(rows), score)
    return Sample(name, None, Segmentation(CLASSES, masks, rows, np.arange(1, len(rows) + 1), score=scores))


def flock(seed, images):
    """True counts, and those of a counter that misses one in five and sees a few that are not there."""
    random = np.random.default_rng(seed)
    truth = random.poisson(12, images)
    guess = random.binomial(truth, 0.8) + random.poisson(0.5, images)
    labels = Dataset.of([sample(f"{i}", n) for i, n in enumerate(truth)], CLASSES)
    return labels, Dataset.of([sample(f"{i}", n, score=0.9) for i, n in enumerate(guess)], CLASSES)


def test_weak_predictions_crowds_and_empty_masks_do_not_count():
    one = sample("a", 3, score=0.9).label()
    weak = one.replace(score=np.array([0.9, 0.4, 0.5]))
    crowd = one.replace(crowd=np.array([True, False, False]))
    empty = one.replace(masks=Masks.empty(one.size, 3))
    for label, expected in ((weak, 2), (crowd, 2), (empty, 0)):
        assert counts(Dataset.of([Sample("a", None, label)], CLASSES)).tolist() == [[expected, 0]]


def test_boxes_without_pixels_count_and_lie_on_the_map_but_have_no_area(tmp_path, capsys):
    cells = make("cells", 3, size=(64, 64))
    boxes = cells.map(lambda each: each.replace(segmentation=only_boxes(each.label().things())))
    assert np.array_equal(counts(boxes), counts(cells)) and counts(boxes).any()
    assert np.abs(density_map(boxes).astype(int) - density_map(cells)).max() <= 12  # boxes of whole pixels
    write(boxes, tmp_path / "boxes", to="native")
    assert main(["measure", "counts", str(tmp_path / "boxes")]) == 0
    for command in (["areas"], ["table"]):
        out = [str(tmp_path / "table.csv")] if command == ["table"] else []
        assert main(["measure", *command, str(tmp_path / "boxes"), *out]) != 0
        assert "are boxes without pixels, which have no area" in capsys.readouterr().err
    assert not (tmp_path / "table.csv").exists()


def test_intervals_hold_the_true_count_of_new_images():
    inside = 0
    for seed in range(40):
        error = CountError.measure(*flock(seed, 30))
        truth, guess = flock(seed + 1000, 25)
        real, found = counts(truth)[:, 0].sum(), error.correct(counts(guess))[0]
        assert found.raw == counts(guess)[:, 0].sum()
        inside += found.low <= real <= found.high
    assert inside >= 34  # of 40, at 95 %


def test_a_class_that_was_never_measured_is_refused():
    error = CountError.measure(*flock(0, 10))
    eggs = Dataset.of([sample("a", 2, score=0.9, eggs=3)], CLASSES)
    with pytest.raises(InlayError, match="'egg' was predicted 3 times"):
        error.correct(counts(eggs))


def test_classes_are_arranged_by_name():
    error = CountError.measure(*flock(0, 10))
    assert error.arrange(np.array([[4, 7]]), ["egg", "hen"]).tolist() == [[7, 4]]
    with pytest.raises(InlayError, match="'fox'"):
        error.arrange(np.array([[4]]), ["fox"])
    with pytest.raises(InlayError, match="counts of 1 classes; the error was measured of hen, egg"):
        error.correct(np.array([[4]]))


def test_few_images_measure_no_error():
    with pytest.raises(InlayError, match="at least 5"):
        CountError.measure(*flock(0, 4))
