"""Trainings on growing parts of the labels."""

from __future__ import annotations

import csv
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inlay import Classes, Dataset, InlayError, Sample
from inlay.training.config import config_from
from inlay.training.growing import SHARES, grow, nested

CONFIG = {
    "training": {"batch": 2, "precision": "float32", "validations": 1, "augment": {"crop": [32, 32]}},
    "unet": {"widths": [8, 8, 8, 8], "depths": [1, 1, 1]},
}


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=30))
def test_parts_lie_within_the_next_and_groups_never_part(sizes):
    group_of = {f"{g}/{k}": str(g) for g, size in enumerate(sizes) for k in range(size)}
    data = Dataset(Classes(()), tuple(group_of), lambda name: Sample(name, None, None, group=group_of[name]))
    parts = nested(data, SHARES)
    assert set(parts[-1].names) == set(data.names)
    for small, large in pairwise(parts):
        assert set(small.names) <= set(large.names)
    for share, part in zip(SHARES, parts):
        assert abs(len(part) - share * len(data)) <= max(sizes) / 2
        groups = [group_of[name] for name in part.names]
        assert all(groups.count(each) == sizes[int(each)] for each in set(groups))


def test_scores_of_growing_parts_are_written_and_go_on_where_they_stopped(picture, tmp_path):
    splits = ["train"] * 8 + ["val", "test"]
    data = Dataset.of([picture(seed).replace(split=split) for seed, split in enumerate(splits)])
    options = {"iterations": 4, "config": config_from(CONFIG, "unet")}
    points = grow(data, "unet", tmp_path / "curve", **options)
    assert [point.images for point in points] == [1, 2, 4, 8]
    with (tmp_path / "curve" / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["images"]) for row in rows] == [1, 2, 4, 8]
    assert all(0 <= float(row["score"]) <= 1 for row in rows)
    made = (tmp_path / "curve" / "images_8" / "model.safetensors").stat().st_mtime_ns
    assert grow(data, "unet", tmp_path / "curve", **options) == points
    assert (tmp_path / "curve" / "images_8" / "model.safetensors").stat().st_mtime_ns == made


def test_the_judges_of_a_dataset_without_splits_are_not_learnt(picture, tmp_path, monkeypatch):
    import inlay.training.growing as growing

    learnt, judged = set(), set()

    def train(part, *rest, validation, **more):
        learnt.update(part.names, validation.names)

    monkeypatch.setattr(growing, "train", train)
    monkeypatch.setattr(growing, "_score", lambda run, judges: judged.update(judges.names) or 0.5)
    data = Dataset.of([picture(seed) for seed in range(30)])
    grow(data, "unet", tmp_path / "curve", iterations=1)
    assert judged
    assert not learnt & judged


def test_too_few_images_are_refused_before_the_first_training(picture, tmp_path):
    with pytest.raises(InlayError, match="label more images"):
        splits = ["train"] * 3 + ["val"]
        few = Dataset.of([picture(seed).replace(split=split) for seed, split in enumerate(splits)])
        grow(few, "unet", tmp_path / "curve", iterations=1)
    with pytest.raises(InlayError, match="too few to learn from"):
        grow(Dataset.of([picture(0)]), "unet", tmp_path / "curve", iterations=1)
    assert not (tmp_path / "curve").exists()
