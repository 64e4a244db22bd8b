"""Small random datasets that use the facts a format keeps, and how to compare what it gives back."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from inlay import Classes, Dataset, Masks, Sample, Segmentation, SegmentClass
from inlay.core.segmentation import instance_numbers

NAMES = ("a", "b/c", "train/x.1", "žluťoučký kůň ☃", "two words", "val/images/7_mask", "日本/b", "UPPER.jpg")
WORDS = ("occluded", "truncated", "ünsharp", "two words", "a,b", 'quoted "word"')
CLASS_NAMES = ("car", "sky", "Straße", "a}, {b", "void", "person, standing", "background")


def random_classes(rng: np.random.Generator, keeps: frozenset[str], *, most: int = 5) -> Classes:
    """Things, and stuff, void, colours, parents, numbers with gaps as far as they are kept."""
    kinds = ["thing", *(kind for kind in ("stuff", "void") if kind in keeps)]
    count = int(rng.integers(1, most + 1))
    numbers = rng.choice(300, count, replace=False).tolist()
    rows = [
        SegmentClass(
            name,
            str(rng.choice(kinds)),  # type: ignore[arg-type]
            _colour(rng) if "colours" in keeps and rng.random() < 0.6 else None,
            "vehicle" if "parents" in keeps and rng.random() < 0.3 else "",
            number if "class_number" in keeps and rng.random() < 0.7 else None,
        )
        for name, number in zip(rng.permutation(CLASS_NAMES)[:count].tolist(), numbers)
    ]
    used = {row.source_id for row in rows if row.source_id is not None}
    if any(place in used for place, row in enumerate(rows) if row.source_id is None):
        rows = [dataclasses.replace(row, source_id=None) for row in rows]
    return Classes(tuple(rows))


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


def _id_map(rng: np.random.Generator, size: tuple[int, int], count: int) -> np.ndarray[Any, Any]:
    """Rows 0 .. count - 1 in blocks, with holes, stray pixels and parts; -1 is nobody."""
    ids = np.full(size, -1)
    for row in range(count):
        y, x = rng.integers(0, size[0]), rng.integers(0, size[1])
        ids[y : y + rng.integers(1, 8), x : x + rng.integers(1, 8)] = row
    noise = rng.random(size) < 0.15
    ids[noise] = rng.integers(-1, count, size)[noise] if count else -1
    return ids


def random_segmentation(rng: np.random.Generator, classes: Classes, keeps: frozenset[str]) -> Segmentation:
    """Up to seven segments that use the facts in `keeps`."""
    size = (int(rng.integers(1, 14)), int(rng.integers(1, 14)))
    count = int(rng.integers(0, 8))
    class_id = rng.integers(0, len(classes), count).astype(np.int32)
    if "instances" not in keeps:
        class_id = rng.permutation(len(classes))[:count].astype(np.int32)
        count = len(class_id)
    masks = Masks.from_ids(_id_map(rng, size, count), count)
    if {"overlap", "order"} <= keeps and rng.random() < 0.5:
        masks = Masks.encode(rng.random((count, *size)) < 0.5)
    if "hidden" not in keeps:
        seen = masks.area() > 0
        masks, class_id = masks[seen], class_id[seen]
        count = len(masks)
    label = Segmentation(classes, masks, class_id, instance_numbers(classes.is_thing[class_id]))
    return label.replace(**_facts(rng, label, keeps))


def _facts(rng: np.random.Generator, label: Segmentation, keeps: frozenset[str]) -> dict[str, Any]:
    count, columns = len(label), {}
    if "instance_id" in keeps and rng.random() < 0.5:
        columns["instance_id"] = np.where(label.is_thing, rng.choice(90000, count, replace=False) + 1, 0)
    if "score" in keeps and count and rng.random() < 0.5:
        columns["score"] = rng.random(count)
    if "crowd" in keeps:
        columns["crowd"] = rng.random(count) < 0.2
    if "tags" in keeps:
        columns["tags"] = tuple(
            frozenset(rng.choice(WORDS, rng.integers(0, 3)).tolist()) for _ in range(count)
        )
    if "image_tags" in keeps and rng.random() < 0.5:
        columns["image_tags"] = frozenset(rng.choice(WORDS, 2).tolist())
    if "source_id" in keeps and count and rng.random() < 0.5:
        columns["source_id"] = rng.integers(-(2**40), 2**40, count)
    if "amodal" in keeps and rng.random() < 0.5:
        columns["amodal"] = label.masks | Masks.encode(rng.random((count, *label.size)) < 0.3)
    if "stated_box" in keeps and count and rng.random() < 0.5:
        columns["stated_box"] = rng.random((count, 4)) * 10
    if "stated_area" in keeps and count and rng.random() < 0.5:
        columns["stated_area"] = rng.random(count) * 100
    return columns


def random_dataset(seed: int, keeps: frozenset[str], *, most_classes: int = 5) -> Dataset:
    """One to four samples that use the facts in `keeps`."""
    rng = np.random.default_rng(seed)
    classes = random_classes(rng, keeps, most=most_classes)
    samples = []
    for name in rng.permutation(NAMES)[: rng.integers(1, 5)].tolist():
        label = random_segmentation(rng, classes, keeps)
        if "empty" not in keeps and not len(label):
            continue
        image = rng.integers(0, 256, (*label.size, 3), np.uint8)
        samples.append(
            Sample(
                name,
                image,
                None if "unlabelled" in keeps and rng.random() < 0.15 else label,
                str(rng.choice(["", "train", "val", "fold 1"])) if "split" in keeps else "",
                "video ☃" if "group" in keeps and rng.random() < 0.5 else "",
                int(rng.integers(0, 99)) if {"frame", "track"} <= keeps and rng.random() < 0.5 else None,
            )
        )
    return Dataset.of(samples, classes)


def assert_same(again: Dataset, written: Dataset) -> None:
    """Everything is equal: classes, names in order, splits, images and every column of every segment."""
    assert again.classes == written.classes
    assert again.names == written.names
    assert dict(again.splits) == dict(written.splits)
    for mine, theirs in zip(again, written):
        assert (mine.name, mine.split, mine.group, mine.frame) == (
            theirs.name,
            theirs.split,
            theirs.group,
            theirs.frame,
        )
        assert (mine.image is None) == (theirs.image is None)
        if theirs.segmentation is None:
            assert mine.segmentation is None
        else:
            assert_equal_segments(mine.label(), theirs.label())
        if theirs.image is not None:
            assert np.array_equal(mine.pixels(), theirs.pixels())


def assert_equal_segments(mine: Segmentation, theirs: Segmentation) -> None:
    """Every column is equal, with a message that says which is not."""
    assert mine.size == theirs.size
    assert len(mine) == len(theirs)
    assert mine.class_names == theirs.class_names
    for name in ("instance_id", "score", "crowd", "tags", "source_id", "stated_box", "stated_area"):
        one, other = getattr(mine, name), getattr(theirs, name)
        assert (one is None) == (other is None), name
        if other is not None:
            assert np.array_equal(np.asarray(one), np.asarray(other)), name
    assert mine.masks.equals(theirs.masks)
    assert (mine.amodal is None) == (theirs.amodal is None)
    assert mine.equals(theirs)
