"""View: a dataset as a page or as pictures."""

from __future__ import annotations

import re

import numpy as np
import pytest

from inlay import scenes
from inlay.core.classes import Classes, SegmentClass
from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.masks import Masks
from inlay.core.overlay import draw
from inlay.core.segmentation import Segmentation
from inlay.view import view

HOSTILE = '"><script>alert(1)</script>'


def label(size=(30, 40)):
    classes = Classes((SegmentClass(HOSTILE), SegmentClass("unused")))
    mask = np.zeros(size, np.bool_)
    mask[5:20, 5:30] = True
    return Segmentation(classes, Masks.encode(mask), np.array([0]), np.array([1]))


def cards(path):
    return re.findall(r'<div class="card"[^>]*data-classes="([^"]*)"', path.read_text("utf-8"))


def test_a_page_has_a_card_for_each_sample_and_a_switch_for_each_class(tmp_path):
    dataset = scenes.make("parts", 7, size=(48, 64))
    path = view(dataset, tmp_path / "sheet.html")
    markup = path.read_text("utf-8")
    assert len(cards(path)) == 7
    used = {int(row) for sample in dataset for row in sample.label().class_id}
    assert {int(row) for row in re.findall(r'data-class="(\d+)"', markup)} == used
    for own, sample in zip(cards(path), dataset, strict=True):
        assert {int(row) for row in own.split()} == set(sample.label().class_id.tolist())
    assert len(re.findall(r'<img class="over" src="data:image/', markup)) == 7
    assert not re.search(r'(src|href)="(?!data:)', markup)


def test_the_legend_counts_segments(tmp_path):
    dataset = scenes.make("cells", 4, size=(64, 64))
    count = sum(sample.label().class_names.count("cell") for sample in dataset)
    markup = view(dataset, tmp_path / "sheet.html").read_text("utf-8")
    assert f"cell <small>{count}</small>" in markup


def test_the_limit_spreads_evenly_and_progress_tells_how_far(tmp_path):
    told = []
    dataset = scenes.make("parts", 21, size=(40, 48))
    path = view(
        dataset,
        tmp_path / "a.html",
        limit=3,
        progress=lambda done, total, name: told.append((done, total, name)),
    )
    assert [name for _, _, name in told] == [dataset.names[i] for i in (0, 10, 20)]
    assert [(done, total) for done, total, _ in told] == [(1, 3), (2, 3), (3, 3)]
    assert len(cards(path)) == 3 and "3 of 21 samples" in path.read_text("utf-8")


def test_samples_are_drawn_one_by_one(tmp_path):
    alive = []

    def load(name):
        alive.append(name)
        return Sample(name, np.zeros((30, 40, 3), np.uint8), label())

    names = tuple(f"{i}" for i in range(9))
    seen = []
    view(
        Dataset(label().classes, names, load),
        tmp_path / "a.html",
        progress=lambda *_: seen.append(len(alive)),
    )
    assert seen == list(range(1, 10))


def test_hostile_names_stay_names(tmp_path):
    samples = [
        Sample(HOSTILE, np.zeros((30, 40, 3), np.uint8), label(), split=HOSTILE),
        Sample("plain", None, label()),
    ]
    markup = view(Dataset.of(samples), tmp_path / "a.html").read_text("utf-8")
    assert markup.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in markup


def test_a_broken_sample_says_why_and_the_others_are_drawn(tmp_path):
    def load(name):
        if name == "torn":
            raise FormatError("torn.json", "line 3", "there is no mask")
        image = tmp_path / "missing.png" if name == "lost" else np.zeros((30, 40, 3), np.uint8)
        return Sample(name, image, None if name == "bare" else label())

    dataset = Dataset(label().classes, ("torn", "fine", "lost", "bare"), load)
    path = view(dataset, tmp_path / "a.html")
    markup = path.read_text("utf-8")
    assert len(cards(path)) == 4 and markup.count('class="over"') == 2
    assert "torn.json: line 3: there is no mask" in markup and "there is no such image file" in markup
    assert "no label" in markup


def test_a_folder_takes_full_size_overlays(tmp_path):
    from PIL import Image

    dataset = scenes.make("street", 3, size=(48, 64), frames=3)
    told = []
    assert view(dataset, tmp_path / "out", progress=lambda *step: told.append(step)) == tmp_path / "out"
    files = sorted(
        path.relative_to(tmp_path / "out").as_posix()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    )
    assert files == [f"{name}.png" for name in dataset.names] and len(told) == 3
    drawn = np.asarray(Image.open(tmp_path / "out" / files[1]))
    assert np.array_equal(drawn, draw(dataset[1].image, dataset[1].label()))


def test_a_name_cannot_climb_out_of_the_folder(tmp_path):
    samples = [Sample("../../evil", np.zeros((30, 40, 3), np.uint8), label())]
    view(Dataset.of(samples), tmp_path / "a" / "b" / "out")
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert found == [tmp_path / "a" / "b" / "out" / "evil.png"]


@pytest.mark.parametrize(
    "count, limit, out, words",
    [(0, 5, "a.html", "no samples"), (2, 0, "a.html", "limit is 0"), (2, 5, "taken", "is a file")],
)
def test_what_cannot_be_drawn_is_refused(count, limit, out, words, tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(InlayError, match=words):
        view(scenes.make("parts", count, size=(40, 40)), tmp_path / out, limit=limit)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_failed_page_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("old")

    def load(name):
        raise RuntimeError("no power")

    with pytest.raises(RuntimeError):
        view(Dataset(Classes(()), ("x",), load), path)
    assert path.read_text() == "old" and [item.name for item in tmp_path.iterdir()] == ["a.html"]
