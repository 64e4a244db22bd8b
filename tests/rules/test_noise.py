"""Noise control: what rules find in clean scenes, in spoilt ones, and in real data."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from inlay import read
from inlay.core.dataset import Dataset
from inlay.core.masks import Masks
from inlay.rules import check
from inlay.scenes import make

PACKS = ("schema", "partition", "geometry")


@pytest.mark.parametrize("kind", ["street", "parts", "cells"])
def test_clean_scenes_raise_at_most_two_findings_an_image(kind):
    findings = check(make(kind, 8), packs=PACKS)
    assert findings.worst != "error"
    assert len([each for each in findings if each.image]) <= 2 * 8


def spoilt(sample, change):
    """The sample with its largest thing changed, and the row of that."""
    label = sample.label()
    row = int(np.argmax(np.where(label.is_thing, label.masks.area(), 0)))
    stack = np.array(label.masks.decode())
    change(stack, row)
    return sample.replace(segmentation=label.replace(masks=Masks.encode(stack), amodal=None)), row


def with_pinhole(stack, row):
    """A hole of 2 x 2 pixels in the thing."""
    y, x = squares(stack[row], 6)
    stack[row, y + 2 : y + 4, x + 2 : x + 4] = False


def with_fragment(stack, row):
    """An island of 2 x 2 pixels in the midst of another segment."""
    other = int(np.argmax(np.where(np.arange(len(stack)) == row, 0, stack.sum(axis=(1, 2)))))
    y, x = squares(stack[other], 6)
    stack[other, y + 2 : y + 4, x + 2 : x + 4] = False
    stack[row, y + 2 : y + 4, x + 2 : x + 4] = True


def squares(mask, side):
    """The first corner of a square that lies in the mask."""
    windows = np.lib.stride_tricks.sliding_window_view(mask, (side, side))
    return np.argwhere(windows.all(axis=(2, 3)))[0]


@pytest.mark.parametrize(("change", "rule"), [(with_pinhole, "pinhole"), (with_fragment, "fragment")])
def test_an_error_put_into_a_clean_scene_is_found_where_it_is(change, rule):
    for clean in make("parts", 5):
        sample, row = spoilt(clean, change)
        found = check(Dataset.of([sample]), packs=("geometry",)).of(rule)
        assert row in {finding.rows[0] for finding in found}


def test_a_thing_labelled_twice_and_one_moved_onto_another_are_found():
    for clean in make("cells", 4):
        label = clean.label()
        row = int(np.argmax(np.where(label.is_thing, label.masks.area(), 0)))
        twice = label[np.append(np.arange(len(label)), row)]
        findings = check(Dataset.of([clean.replace(segmentation=twice)]), packs=("partition",))
        assert (row, len(label)) in {finding.rows for finding in findings.of("duplicate")}


@pytest.mark.parametrize(
    ("name", "most"),
    [("camvid", 1.05), ("dsb2018", 1.6), ("coco_subset", 1.65), ("dsb2018_corrections/corrected.json", 1.5)],
)
def test_default_packs_stay_quiet_on_real_data(shared, name, most):
    dataset = read(shared / "data" / name)[:60]
    findings = check(dataset)
    assert len([each for each in findings if each.image]) <= most * len(dataset)


def test_holes_that_volunteers_filled_are_found_and_little_else(shared):
    folder = shared / "data" / "dsb2018_corrections"
    with (folder / "changes.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["change"] in ("deleted", "reshaped")]
    findings = check(read(folder / "original.json"), packs=("cells",))
    flagged = {each for finding in findings for each in finding.segments}
    by_hand = [int(row["annotation_id"]) for row in rows if row["found"] == "by_hand"]
    bulk = [int(row["annotation_id"]) for row in rows if row["found"] == "bulk"]
    assert len(flagged.intersection(bulk)) >= 0.99 * len(bulk)
    assert len(flagged.intersection(by_hand)) >= 0.6 * len(by_hand)
    assert len(flagged) <= 0.05 * findings.segments
