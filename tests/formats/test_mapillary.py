"""Mapillary Vistas: 16-bit maps of class and number, and the class list in the config."""

from __future__ import annotations

import json

import numpy as np
import pytest

from inlay import FormatError, formats
from inlay.formats.parts.label_maps import write_label_map

LABELS = [
    {"name": "object--vehicle--car", "readable": "Car", "instances": True, "color": [0, 0, 142]},
    {"name": "nature--sky", "readable": "Sky", "instances": False, "color": [70, 130, 180]},
    {"name": "void--ground", "readable": "Ground", "instances": False, "color": [81, 0, 81]},
    {"name": "void--unlabeled", "readable": "Unlabeled", "instances": False, "color": [0, 0, 0]},
]
MAP = np.array([[0, 0, 1, 256], [0, 2, 1, 256], [512, 512, 768, 768]])


def published(folder, values=MAP, where="training/v2.0/instances", config="config_v2.0.json"):
    (folder / config).write_text(json.dumps({"labels": LABELS}))
    write_label_map(folder / where / "a.png", values, bits=16 if values.max() > 255 else 8)
    return folder


def test_classes_kinds_colours_and_instances_are_those_of_the_config(tmp_path):
    dataset = formats.read(published(tmp_path))
    assert [item.kind for item in dataset.classes] == ["thing", "stuff", "void"]
    assert dataset.classes[1].colour == (70, 130, 180)
    label = dataset["training/a"].label()
    assert label.class_names == ("object--vehicle--car",) * 3 + ("nature--sky", "void--ground")
    assert label.masks.area().tolist() == [3, 2, 1, 2, 2]  # what is unlabeled is nobody's
    assert dict(dataset.splits) == {"training/a": "train"}


def test_the_layout_of_the_first_edition_is_read(tmp_path):
    dataset = formats.read(published(tmp_path, where="training/instances", config="config.json"))
    assert len(dataset[0].label()) == 5


def test_maps_of_classes_alone_give_crowds_of_things(tmp_path):
    label = formats.read(published(tmp_path, MAP // 256, "validation/v2.0/labels"))[0].label()
    assert label.crowd.tolist() == [True, False, False]


def test_a_value_of_no_class_is_refused_with_its_pixel(tmp_path):
    wrong = MAP.copy()
    wrong[1, 2] = 9 * 256
    with pytest.raises(FormatError, match=r"pixel \(2, 1\): value 2304 is of no class: the config lists 4"):
        formats.read(published(tmp_path, wrong))[0]


def test_real_editions_are_read(shared):
    root = shared / "data" / "formats" / "mapillary_vistas_synthetic"
    for edition, count in (("v1.2", 3), ("v2.0", 3)):
        assert formats.sniff(root / edition) == ["mapillary"]
        assert len([sample.label() for sample in formats.read(root / edition)]) == count
