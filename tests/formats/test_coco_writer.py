"""Annotations as the kernels write them are those that JSON's own writer makes of plain dictionaries."""

from __future__ import annotations

from itertools import count

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.often import many

from inlay import Classes, Dataset, Masks, Sample, Segmentation
from inlay.core import kernels
from inlay.core.polygons import trace
from inlay.core.segmentation import instance_numbers
from inlay.formats import coco
from inlay.formats.parts.coco_classes import category_ids
from inlay.formats.parts.coco_writer import BLOCK, xywh
from inlay.formats.parts.facts import FACTS
from inlay.formats.parts.tag_words import attributes_of

from .random_datasets import random_dataset


def geometry(masks: Masks, row: int, crowd: bool, rule: str):
    mask = masks[row : row + 1]
    parts = trace(mask, rule=rule)[0]
    if crowd or not parts or any(len(part) > 1 for part in parts):
        return {"size": list(masks.size), "counts": mask.to_strings()[0].decode()}
    return [ring.astype(int).reshape(-1).tolist() for part in parts for ring in part]


def entry(sample, row: int, categories, rule: str):
    """One annotation, with what its ids are made of."""
    label = sample.segmentation
    area, box = label.masks.area(), xywh(label.masks.box())
    said = {"category_id": categories[label.class_id[row]], "iscrowd": int(label.crowd[row])}
    said["bbox"] = (box if label.stated_box is None else xywh(label.stated_box))[row].tolist()
    said["area"] = (area if label.stated_area is None else label.stated_area)[row].item()
    said["segmentation"] = geometry(label.masks, row, bool(label.crowd[row]), rule)
    if not area[row] and label.stated_box is not None and label.stated_box[row, 2] > label.stated_box[row, 0]:
        said["segmentation"] = []
    if label.score is not None:
        said["score"] = float(label.score[row])
    if sample.frame is not None or label.instance_id[row] != instance_numbers(label.is_thing)[row]:
        said["instance_id"] = int(label.instance_id[row])
    if label.tags[row]:
        said["attributes"] = attributes_of(label.tags[row])
    if label.amodal is not None:
        said["inlay"] = {"amodal": geometry(label.amodal, row, False, rule)}
    return said, None if label.source_id is None else int(label.source_id[row])


def plainly(dataset: Dataset, image_ids: list[int], rule: str) -> list[bytes]:
    categories = [int(number) for number in category_ids(dataset.classes)]
    found = [
        (image_ids[place], *entry(sample, row, categories, rule))
        for place, sample in enumerate(dataset)
        for row in range(len(sample.segmentation or ()))
    ]
    known = [source for _, _, source in found]
    kept = None not in known and min(known, default=0) > 0 and len(set(known)) == len(known)
    texts = []
    for number, (image, said, source) in zip(count(1), found):
        head = {"id": source if kept else number, "image_id": image}
        head |= {} if kept or source is None else {"source_id": source}
        texts.append(msgspec.json.encode(head | said))
    return texts


@pytest.mark.parametrize("rule", ["pixel_edge", "pixel_centre"])
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=many(40), deadline=None)
def test_annotations_are_written_as_plain_dictionaries_would_be(tmp_path_factory, rule, seed):
    dataset = random_dataset(seed, FACTS)
    path = tmp_path_factory.mktemp("written") / "labels.json"
    coco.write(dataset, path, reader={"pixel_edge": "pycocotools", "pixel_centre": "opencv"}[rule])
    text = path.read_bytes()
    image_ids = [image["id"] for image in msgspec.json.decode(text)["images"]]
    begin = text.index(b'"annotations":[') + len(b'"annotations":[')
    assert text[begin:] == b",\n".join(plainly(dataset, image_ids, rule)) + b"]}\n"


def test_many_images_of_several_sizes_are_written_in_their_order(tmp_path):
    """More segments than are written at once."""
    rng, classes = np.random.default_rng(0), Classes.of("cell")

    def label(size):
        masks = Masks.encode(rng.random((9, *size)) < 0.7)
        return Segmentation(classes, masks, np.zeros(9, np.int32), np.arange(1, 10, dtype=np.int32))

    samples = [Sample(f"{k}", None, label([(3, 5), (4, 4), (5, 3)][k % 3])) for k in range(600)]
    dataset = Dataset.of(samples, classes)
    coco.write(dataset, tmp_path / "labels.json")
    again = coco.read(tmp_path / "labels.json")
    assert sum(len(sample.segmentation) for sample in samples) > BLOCK
    for mine, theirs in zip(dataset, again):
        assert mine.name == theirs.name
        assert mine.segmentation.masks.equals(theirs.segmentation.masks)


def annotation(real, says=0) -> bytes:
    """The text of one annotation without geometry."""
    whole, nothing = np.zeros((1, 6), np.int64), np.zeros((1, 2), np.int64)
    values, flags = np.array([real], np.float64), np.array([says], np.uint8)
    return kernels.write_annotations(flags, whole, values, np.empty(0, np.uint8), nothing, nothing).tobytes()


@given(st.floats() | st.integers(-(2**60), 2**60).map(float) | st.floats(1e-7, 1e-3) | st.floats(1e14, 1e18))
@settings(max_examples=many(300), deadline=None)
def test_numbers_are_written_as_msgspec_writes_them(value):
    text = annotation([value, -value, value / 3, 0, 1, 0])
    wanted = msgspec.json.encode([value, -value, value / 3, 0.0])
    assert text.split(b'"bbox":')[1].split(b',"area"')[0] == wanted


@given(st.integers(0, 5000) | st.integers(-(2**52), 2**52))
@settings(max_examples=many(100), deadline=None)
def test_whole_numbers_are_written_without_a_point(value):
    assert annotation([value, 0, 0, 0, value, 0], says=2 | 4).split(b'"area":')[1].startswith(b"%d," % value)


def test_columns_of_other_lengths_are_refused():
    spans, one = np.zeros((1, 2), np.int64), np.zeros(1, np.uint8)
    with pytest.raises(ValueError, match="length"):
        kernels.write_annotations(one, np.zeros((1, 5), np.int64), np.zeros((1, 6)), one, spans, spans)
    with pytest.raises(ValueError, match="span"):
        kernels.write_annotations(one, np.zeros((1, 6), np.int64), np.zeros((1, 6)), one, spans + 2, spans)
    masks = Masks.encode(np.ones((2, 3, 3), bool))
    with pytest.raises(ValueError, match="number"):
        kernels.write_geometries(masks.counts, masks.offsets, one, 3, 3, True, False)
