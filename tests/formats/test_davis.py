"""DAVIS: numbers that stay with an object through its video, and what 255 is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inlay import Classes, Dataset, InlayError, Masks, Sample, Segmentation
from inlay import formats as all_formats
from inlay.formats import davis


def film(root: Path, *maps: list, palette: bool = True, lists: dict | None = None) -> Path:
    for frame, rows in enumerate(maps):
        for base in ("JPEGImages", "Annotations"):
            (root / base / "480p" / "bear").mkdir(parents=True, exist_ok=True)
        values = np.array(rows, np.uint8)
        Image.new("RGB", values.shape[::-1]).save(root / f"JPEGImages/480p/bear/{frame:05d}.jpg")
        image = Image.fromarray(values)
        if palette:
            image.putpalette(list(range(256)) * 3)
        image.save(root / f"Annotations/480p/bear/{frame:05d}.png")
    for name, text in (lists or {}).items():
        (root / "ImageSets" / "2017").mkdir(parents=True, exist_ok=True)
        (root / "ImageSets" / "2017" / f"{name}.txt").write_text(text)
    return root


def test_a_number_is_one_object_through_its_video_and_255_is_void(tmp_path):
    dataset = davis.read(film(tmp_path, [[0, 1, 2]], [[255, 2, 2]], lists={"val": "bear\n"}))
    assert [sample.label().instance_id.tolist() for sample in dataset] == [[1, 2], [2, 0]]
    assert dataset[1].label().class_names == ("object", "void")
    assert [(sample.group, sample.frame) for sample in dataset] == [("bear", 0), ("bear", 1)]
    assert dataset.splits == {"bear/00000": "val", "bear/00001": "val"}


def test_in_a_grey_map_of_two_values_255_is_the_object(tmp_path):
    label = davis.read(film(tmp_path, [[0, 255, 255]], palette=False))[0].label()
    assert label.class_names == ("object",)
    assert label.masks.area().tolist() == [2]


def test_classes_and_numbers_over_the_palette_survive_beside_the_maps(tmp_path):
    classes = Classes.of("cat", "dog")
    masks = Masks.from_ids(np.array([[0, 1, 2]]), 3)
    samples = [
        Sample(f"v/{k}", None, Segmentation(classes, masks, [0, 1, 1], [7, 7, 90_000]), group="v", frame=k)
        for k in range(2)
    ]
    all_formats.write(Dataset.of(samples), tmp_path / "o", to="davis", lossy=True)
    with Image.open(tmp_path / "o/Annotations/480p/v/00001.png") as image:
        assert (image.mode, np.asarray(image).tolist()) == ("P", [[7, 1, 2]])


def test_more_objects_than_the_palette_holds_are_refused_not_wrapped(tmp_path):
    masks = Masks.from_ids(np.arange(300)[None], 300)
    label = Segmentation(Classes.of("a"), masks, np.zeros(300), np.arange(1, 301))
    with pytest.raises(InlayError, match="video 'v' has more than 254 objects"):
        all_formats.write(Dataset.of([Sample("a", None, label, group="v")]), tmp_path / "o", to="davis")


def test_real_sequences_are_read(shared):
    dataset = all_formats.read(shared / "data/davis2016_val")
    assert all_formats.sniff(shared / "data/davis2016_val") == ["davis"]
    assert {sample.group for sample in dataset[:3]} == {dataset.names[0].split("/")[0]}
    assert dataset[0].label().class_names == ("object",)
    assert dataset[0].pixels().shape[:2] == dataset[0].label().size
