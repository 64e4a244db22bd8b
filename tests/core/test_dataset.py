"""Datasets: lazy, in order, split by groups, paired by names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.often import many

from inlay import Classes, Dataset, InlayError, Sample, Segmentation

CLASSES = Classes.of("car")
EMPTY = Segmentation.empty(CLASSES, (4, 6))


def dataset_of(*names: str, **fields: object) -> Dataset:
    return Dataset.of([Sample(name, None, EMPTY, **fields) for name in names], CLASSES)


def counting(names):
    """A dataset that notes which samples are read."""
    read = []

    def load(name):
        read.append(name)
        return Sample(name, None, EMPTY, split="train" if name < "c" else "val", group=name[0])

    return Dataset(CLASSES, names, load, {name: "train" if name < "c" else "val" for name in names}), read


def test_nothing_is_read_before_it_is_asked_for():
    dataset, read = counting(["a", "b", "c"])
    dataset[1:].split("val")
    dataset.map(lambda sample: sample.replace(name="x"))
    assert len(dataset) == 3
    assert "b" in dataset
    assert "z" not in dataset
    assert read == []
    assert dataset[1].name == dataset["b"].name == "b"
    assert [sample.name for sample in dataset] == ["a", "b", "c"]
    assert read == ["b", "b", "a", "b", "c"]


def test_slices_and_names_choose_samples_in_order():
    dataset = dataset_of("a", "b", "c", "d")
    assert dataset[::-2].names == ("d", "b")
    assert dataset[-1].name == "d"
    assert dataset.only(["c", "a"]).names == ("c", "a")
    with pytest.raises(IndexError):
        dataset[4]


def test_samples_are_filtered_and_mapped():
    dataset = dataset_of("a", "b", "c")
    kept = dataset.filter(lambda sample: sample.name != "b")
    assert kept.names == ("a", "c")
    tagged = kept.map(lambda sample: sample.replace(group="g"))
    assert [sample.group for sample in tagged] == ["g", "g"]
    renamed = Classes.of("lorry")
    assert dataset.map(lambda sample: sample, renamed).classes == renamed
    assert dataset.map(lambda sample: sample, Classes(())).classes == Classes(())


def test_splits_are_those_that_the_source_names():
    dataset, _ = counting(["a", "b", "c"])
    assert dataset.split("train").names == ("a", "b")
    with pytest.raises(InlayError, match="splits are train, val"):
        dataset.split("test")
    with pytest.raises(InlayError, match="none is named"):
        dataset_of("a").split("test")


names = st.lists(st.text("abc/_01", min_size=1, max_size=6), unique=True, min_size=1, max_size=40)


@settings(max_examples=many(60), deadline=None)
@given(names, st.integers(0, 5))
def test_divided_samples_are_all_there_once_and_groups_stay_together(several, seed):
    parts = dataset_of(*several).divide({"train": 3, "val": 1}, groups=lambda name: name[0], seed=seed)
    assert sorted(name for part in parts.values() for name in part.names) == sorted(several)
    home = {name[0]: split for split, part in parts.items() for name in part.names}
    assert all(home[name[0]] == split for split, part in parts.items() for name in part.names)


@settings(max_examples=many(60), deadline=None)
@given(names, names)
def test_new_samples_never_move_old_ones_to_another_split(old, new):
    shares = {"train": 0.7, "val": 0.2, "test": 0.1}
    before = dataset_of(*old).divide(shares)
    after = dataset_of(*{*old, *new}).divide(shares)
    for split, part in before.items():
        assert set(part.names) <= set(after[split].names)


def test_groups_of_the_samples_are_used_where_no_other_are_given():
    samples = [Sample(f"{video}/{k}", None, EMPTY, group=video) for video in "abcdefgh" for k in range(5)]
    parts = Dataset.of(samples).divide({"train": 1, "val": 1})
    assert all(len(part) % 5 == 0 for part in parts.values())
    assert {len(part) for part in parts.values()} != {0, 40}


def test_shares_are_roughly_kept_and_another_seed_is_another_draw():
    dataset = dataset_of(*(f"image {k}" for k in range(2000)))
    first, second = (dataset.divide({"train": 80, "val": 20}, seed=seed) for seed in (0, 1))
    assert 0.76 < len(first["train"]) / 2000 < 0.84
    assert first["val"].names != second["val"].names
    assert len(dataset.divide({"train": 1, "val": 0})["val"]) == 0


@pytest.mark.parametrize("shares", [{}, {"train": 0}, {"train": 2, "val": -1}, {"train": float("nan")}])
def test_shares_that_divide_nothing_are_refused(shares):
    with pytest.raises(InlayError, match="shares"):
        dataset_of("a").divide(shares)


def test_samples_pair_by_name_or_by_the_last_part_of_their_path():
    truth = dataset_of("train/a", "train/b", "c")
    assert truth.pair(dataset_of("b", "c", "d")) == [("train/b", "b"), ("c", "c")]
    assert [(one.name, other.name) for one, other in truth.zip(dataset_of("a"))] == [("train/a", "a")]
    assert dataset_of().pair(truth) == []


def test_a_sample_with_its_own_partner_is_nobody_elses():
    assert dataset_of("a/x", "b/x").pair(dataset_of("a/x")) == [("a/x", "a/x")]
    assert dataset_of("x").pair(dataset_of("x", "b/x")) == [("x", "x")]


@pytest.mark.parametrize(
    ("mine", "theirs"), [(["x"], ["a/x", "b/x"]), (["a/x", "b/x"], ["x"]), (["a/x", "b/x"], ["c/x", "d/x"])]
)
def test_a_pair_that_could_be_another_is_refused(mine, theirs):
    with pytest.raises(InlayError, match="could be any of"):
        dataset_of(*mine).pair(dataset_of(*theirs))


def test_datasets_without_a_name_in_common_do_not_pair():
    with pytest.raises(InlayError, match="no sample names in common"):
        dataset_of("a").pair(dataset_of("b"))


def test_names_are_unique_and_known():
    with pytest.raises(InlayError, match="'a' stands twice"):
        dataset_of("a", "b", "a")
    with pytest.raises(InlayError, match="'b' stands twice"):
        Dataset(CLASSES, ("a", "b", "c", "b"), lambda name: Sample(name, None, None))
    with pytest.raises(InlayError, match="'a' stands twice"):
        dataset_of("a", "b").only(["a", "a"])
    for ask in (lambda d: d["c"], lambda d: d.only(["a", "c"])):
        with pytest.raises(InlayError, match="no sample 'c'"):
            ask(dataset_of("a", "b"))


def test_a_dataset_takes_its_classes_from_its_samples():
    assert Dataset.of([Sample("a", None, None), Sample("b", None, EMPTY)]).classes == CLASSES
    assert Dataset.of([]).classes == Classes(())
    assert repr(dataset_of("a")) == "Dataset(1 samples, 1 classes)"


def test_images_are_named_by_their_paths_and_keep_a_suffix_that_tells_them_apart():
    files = [Path("in") / name for name in ("a.jpg", "b.jpg", "b.png", "sub/a.jpg", "c.d.png")]
    dataset = Dataset.of_images(files, Path("in"))
    assert dataset.names == ("a", "b.jpg", "b.png", "sub/a", "c.d")
    assert dataset["b.png"].image == Path("in/b.png")


def test_pixels_are_read_or_held_and_have_the_size_of_the_label(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.full((4, 6, 3), 7, np.uint8)).save(path)
    assert Sample("a", path, EMPTY).pixels().shape == (4, 6, 3)
    held = np.zeros((4, 6, 3), np.uint8)
    assert Sample("a", held, EMPTY).pixels() is held
    for image in (path, held):
        with pytest.raises(InlayError, match="6x4"):
            Sample("a", image, Segmentation.empty(CLASSES, (4, 7))).pixels()


def test_what_a_sample_lacks_is_said():
    with pytest.raises(InlayError, match="'a' has no image"):
        Sample("a", None, EMPTY).pixels()
    with pytest.raises(InlayError, match="'a' has no label"):
        Sample("a", None, None).label()
    assert Sample("a", None, EMPTY).label() is EMPTY
