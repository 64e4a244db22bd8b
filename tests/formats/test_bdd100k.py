"""BDD100K: class, bits and number of an instance in the four channels of a PNG."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inlay import FormatError, formats


def published(folder, kind="ins_seg", where="train/a", pixels=None):
    """A map as it is published: two cars, the second occluded and number 300, and a crowd of persons."""
    if pixels is None:
        pixels = np.zeros((4, 6, 4), np.uint8)
        pixels[0, :2] = (3, 0, 0, 1)
        pixels[1, :2] = (3, 4, 1, 44)
        pixels[2:, 3:] = (1, 2, 0, 2)
        pixels[3, 0] = (0, 1, 0, 9)  # ignored, of no class
    path = folder / "labels" / kind / "bitmasks" / f"{where}.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(pixels).save(path)
    return folder


def test_class_number_crowd_and_tags_are_read_from_the_channels(tmp_path):
    dataset = formats.read(published(tmp_path))
    label = dataset["train/a"].label()
    assert label.class_names == ("person", "car", "car")
    assert label.instance_id.tolist() == [2, 1, 300]
    assert label.crowd.tolist() == [True, False, False]
    assert label.tags == (frozenset(), frozenset(), {"occluded"})
    assert label.masks.area().tolist() == [6, 2, 2]
    assert dict(dataset.splits) == {"train/a": "train"}


def test_tracks_have_videos_and_frames(tmp_path):
    dataset = formats.read(published(tmp_path, "seg_track_20", "val/b1/b1-0000007"))
    sample = dataset[0]
    assert (sample.split, sample.group, sample.frame) == ("val", "b1", 7)


def test_maps_without_four_channels_and_unknown_classes_are_refused(tmp_path):
    three = published(tmp_path / "a", pixels=np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(FormatError, match="four channels"):
        formats.read(three)[0]
    nine = np.full((2, 2, 4), 9, np.uint8)
    with pytest.raises(FormatError, match="red 9 is no class: there are 8"):
        formats.read(published(tmp_path / "b", pixels=nine))[0]
