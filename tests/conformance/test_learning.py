"""Every model family learns generated scenes, and is judged on scenes that it never saw."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inlay import Classes, Dataset, Sample, Segmentation, SegmentClass, plugins
from inlay.metrics import score
from inlay.training import predict, train
from inlay.training.config import config_from

spec = importlib.util.spec_from_file_location("families", Path(__file__).with_name("test_models.py"))
families = importlib.util.module_from_spec(spec)
spec.loader.exec_module(families)

pytestmark = pytest.mark.usefixtures("one_thread")

SKY, GROUND = SegmentClass("sky", "stuff"), SegmentClass("ground", "stuff")
CLASSES = Classes((SKY, GROUND, SegmentClass("ball"), SegmentClass("box")))
COLOURS = np.array([(100, 150, 230), (110, 90, 60), (220, 60, 40), (60, 180, 70)], float)
SIZE = (64, 80)
LEARNT, UNSEEN = 120, 24
GOALS = {"semantic": ("mIoU", 0.85), "instance": ("mask_AP50", 0.80), "panoptic": ("PQ", 0.70)}
METRICS = {"semantic": "iou", "instance": "average_precision", "panoptic": "panoptic_quality"}
ITERATIONS = {"mask_transformer": 2400}  # queries find their things late; all others: 400
ANSWERS = [
    (name, task)
    for name in families.MODELS
    for task in GOALS
    if plugins.load("models", name).TASK in (task, "any")
]


def scene(seed: int) -> Sample:
    """Up to five balls and boxes anywhere before sky and ground, in colours that vary; none hides another."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    ids = np.where(rows < rng.integers(20, 45), 1, 2)
    segments = [(1, 0), (2, 1)]
    tint = COLOURS + rng.normal(0, 12, COLOURS.shape)
    image = tint[ids - 1]
    taken = np.zeros(SIZE, bool)
    for _ in range(rng.integers(2, 6)):
        y, x, reach = rng.integers(2, SIZE[0] - 2), rng.integers(2, SIZE[1] - 2), rng.integers(6, 12)
        row = int(rng.integers(2, 4))
        away = np.hypot(rows - y, columns - x) if row == 2 else np.maximum(abs(rows - y), abs(columns - x))
        if taken[away <= reach + 1].any():
            continue
        taken |= away <= reach
        segments.append((len(segments) + 1, row))
        ids[away <= reach] = len(segments)
        image[away <= reach] = tint[row] + rng.normal(0, 12, 3)
    pixels = (image + rng.normal(0, 6, image.shape)).clip(0, 255).astype(np.uint8)
    split = "train" if seed < LEARNT else "test"
    return Sample(f"scene_{seed}", pixels, Segmentation.from_panoptic(ids, segments, CLASSES), split=split)


def test_scenes_are_all_different_and_of_all_classes():
    scenes = [scene(seed) for seed in range(40)]
    assert len({each.pixels().tobytes() for each in scenes}) == 40
    assert set(np.concatenate([each.label().class_id for each in scenes])) == {0, 1, 2, 3}
    assert all(each.label().is_partition for each in scenes)


@pytest.mark.nightly
@pytest.mark.parametrize(("name", "task"), ANSWERS)
def test_scenes_that_were_never_seen_are_segmented(name, task, tmp_path):
    data = Dataset.of([scene(seed) for seed in range(LEARNT + UNSEEN)], CLASSES)
    training = {
        "batch": 8,
        "learning_rate": 4e-3,
        "average": 0.97,
        "validations": 2,
        "precision": "float32",
        "augment": {"crop": list(SIZE), "scale": [0.8, 1.25], "turn": False},
    }
    family = families.small(name)
    if hasattr(family, "task"):
        family = replace(family, task=task)
    config = replace(config_from({"training": training}, name), family=family)
    run = train(data, name, tmp_path / "run", iterations=ITERATIONS.get(name, 400), config=config)
    unseen = data.split("test")
    figures = score(unseen, predict(run, unseen), metrics=[METRICS[task]], intervals=False)
    figure, goal = GOALS[task]
    assert float(figures[figure]) >= goal
