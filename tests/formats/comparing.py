"""What a dataset lost on its way through the files of a format, fact by fact."""

from __future__ import annotations

import numpy as np

from inlay import Dataset, Masks, Sample, Segmentation
from inlay.formats.parts import facts

ALWAYS = frozenset({"names", "images", "masks", "class_id", "labels"})  # nothing may cost these
_COLUMNS = ("instance_id", "score", "crowd", "tags", "source_id")


def differences(again: Dataset, written: Dataset) -> frozenset[str]:
    """Names of the facts, and of `ALWAYS`, that are not as they were; samples are found by their names."""
    partner = dict(written.pair(again)) if len(written) else {}
    found = {"names"} if set(partner) != set(written.names) else set()
    found |= _of_classes(again, written)
    for name in partner.keys() & set(written.names):
        found |= _of_sample(again[partner[name]], written[name])
        if again.splits.get(partner[name], "") != written[name].split:
            found.add("split")
    return frozenset(found)


def _of_classes(again: Dataset, written: Dataset) -> set[str]:
    found = set()
    for item in written.classes:
        if item.name not in again.classes.names:
            found.add("class_id")
            continue
        other = again.classes[again.classes.row(item.name)]
        found |= {item.kind, other.kind} - {"thing"} if other.kind != item.kind else set()
        found |= {"colours"} if item.colour not in (None, other.colour) else set()
        found |= {"parents"} if item.parent not in ("", other.parent) else set()
        found |= {"class_number"} if item.source_id not in (None, other.source_id) else set()
    return found


def _of_sample(other: Sample, sample: Sample) -> set[str]:
    found = {fact for fact in ("split", "group", "frame") if getattr(other, fact) != getattr(sample, fact)}
    if (
        sample.image is not None
        and other.image is not None
        and not np.array_equal(other.pixels(), sample.pixels())
    ):
        found.add("images")
    mine, theirs = other.segmentation, sample.segmentation
    if mine is None or theirs is None:
        return found | ({"unlabelled" if theirs is None else "labels"} if mine is not theirs else set())
    if mine.size != theirs.size or len(mine) != len(theirs):
        return found | {"masks"}
    found |= {"image_tags"} if mine.image_tags != theirs.image_tags else set()
    if not (mine.class_names == theirs.class_names and mine.masks.equals(theirs.masks)):
        found.add("order")
    for pair in ((mine, theirs), (in_one_order(mine), in_one_order(theirs))):
        unlike = _of_segments(*pair)
        if not unlike & {"masks", "class_id"}:
            break
    return found | unlike


def _of_segments(mine: Segmentation, theirs: Segmentation) -> set[str]:
    found = set() if mine.class_names == theirs.class_names else {"class_id"}
    found |= set() if mine.masks.equals(theirs.masks) else {"masks"}
    for name in _COLUMNS:
        one, other = getattr(mine, name), getattr(theirs, name)
        if other is not None and len(theirs) and not np.array_equal(np.asarray(one), np.asarray(other)):
            found.add(name)
    if theirs.amodal is not None and len(theirs) and not (mine.amodal and mine.amodal.equals(theirs.amodal)):
        found.add("amodal")
    near = np.isclose(mine.boxes(), theirs.boxes(), rtol=0, atol=1e-9).all(axis=1)
    roughly = np.isclose(mine.boxes(), theirs.boxes(), rtol=0, atol=0.01).all(axis=1)
    bare = theirs.masks.area() == 0
    found |= {"box"} if not roughly[bare].all() else set()
    found |= {"stated_box"} if not near.all() else set()
    return found | ({"stated_area"} if not np.array_equal(mine.areas(), theirs.areas()) else set())


def in_one_order(label: Segmentation) -> Segmentation:
    """Rows sorted by class and pixels."""
    keys = [
        (label.class_names[i], label.masks[i].to_runs(), label.boxes()[i].tolist()) for i in range(len(label))
    ]
    return label[np.array(sorted(range(len(label)), key=keys.__getitem__), np.int64)] if len(label) else label


def used(dataset: Dataset) -> frozenset[str]:
    """The facts that a dataset uses."""
    return frozenset(loss.fact for loss in facts.losses(dataset, ()))


def wrong_pixels(again: Dataset, written: Dataset) -> int:
    """How many pixels are of another set of classes than before, over all samples."""
    partner = dict(written.pair(again)) if len(written) and len(again) else {}
    return sum(
        _changed(
            sample.segmentation, again[partner[sample.name]].segmentation if sample.name in partner else None
        )
        for sample in written
        if sample.segmentation is not None
    )


def _changed(label: Segmentation, other: Segmentation | None) -> int:
    if other is None or other.size != label.size:
        return int(label.masks.union().area()[0])
    wrong = np.zeros(label.size, np.bool_)
    for name in {*label.class_names, *other.class_names}:
        wrong |= _of_class(label, name) != _of_class(other, name)
    return int(wrong.sum())


def _of_class(label: Segmentation, name: str) -> np.ndarray:
    rows: Masks = label.masks[[i for i, each in enumerate(label.class_names) if each == name]]
    return np.asarray(rows.union().decode()[0] != 0)
