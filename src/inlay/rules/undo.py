"""Undo: what fixes changed, kept so that it can be put back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from inlay.core.dataset import Dataset, Sample
from inlay.core.errors import FormatError, InlayError
from inlay.core.masks import Masks
from inlay.core.segmentation import Segmentation
from inlay.core.staging import staged
from inlay.rules.gathered import digests
from inlay.rules.repair import Repaired

COLUMNS = ("instance_id", "score", "crowd", "source_id", "stated_area")
KIND = "inlay undo 1"


def write_undo(repaired: Iterable[tuple[str, Repaired]], path: Path | str) -> int:
    """Write what was there before, one image a line; returns how many there are."""
    count = 0
    with staged(Path(path)) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps({"kind": KIND}) + "\n")
        for name, each in repaired:
            file.write(json.dumps(_entry(name, each), ensure_ascii=False) + "\n")
            count += 1
    return count


def _entry(name: str, repaired: Repaired) -> dict[str, Any]:
    before, after = repaired.before, repaired.after
    marks = _marks(after)
    same = {
        row: marks[place]
        for place, row in enumerate(repaired.rows)
        if _row(before, row) == _row(after, place)
    }
    rows = [same[row] if row in same else _row(before, row) for row in range(len(before))]
    patches = [patch.to_json() for patch in repaired.patches if not patch.refused]
    return {
        "image": name,
        "size": list(before.size),
        "after": sorted(marks),
        "rows": rows,
        "patches": patches,
    }


def _marks(label: Segmentation) -> list[str]:
    """A word for each segment that says its class and pixels."""
    return [f"{mark:016x} {label.class_names[row]}" for row, mark in enumerate(digests(label.masks).tolist())]


def _row(label: Segmentation, row: int) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "class": label.class_names[row],
        "tags": sorted(label.tags[row]),
        "mask": label.masks[row].to_strings()[0].decode("ascii"),
    }
    if label.amodal is not None:
        facts["amodal"] = label.amodal[row].to_strings()[0].decode("ascii")
    if label.stated_box is not None:
        facts["stated_box"] = label.stated_box[row].tolist()
    for name in COLUMNS:
        column = getattr(label, name)
        if column is not None:
            facts[name] = column[row].item()
    return facts


def undone(dataset: Dataset, path: Path | str) -> Dataset:
    """The dataset as it was before the fixes that an undo file tells of.

    Raises
    ------
    FormatError
        When the file is no undo file.
    InlayError
        When an image has been changed since, or is not there.
    """
    entries = _read(Path(path))
    for name in entries:
        if not dataset.__contains__(name):
            raise InlayError(f"{path}: the dataset has no sample {name!r}: give the dataset that was fixed")
    undo = _Undo(dataset, entries, str(path))
    for name in entries:
        undo(name)  # all can be undone, or nothing is
    return replace(dataset, load=undo)


def _read(path: Path) -> dict[str, Mapping[str, Any]]:
    try:
        first, *lines = path.read_text("utf-8").splitlines() or [""]
        if json.loads(first or "{}").get("kind") != KIND:
            raise ValueError("the first line does not say so")
        entries = [json.loads(line) for line in lines]
        return {str(entry["image"]): entry for entry in entries}
    except OSError as error:
        raise FormatError(path, "", f"cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(path, "", f"is no undo file of Inlay ({error})") from None


class _Undo:
    """Loads samples as they were."""

    def __init__(self, dataset: Dataset, entries: Mapping[str, Mapping[str, Any]], file: str) -> None:
        self.dataset = dataset
        self.entries = entries
        self.file = file

    def __call__(self, name: str) -> Sample:
        sample = self.dataset.load(name)
        if name not in self.entries:
            return sample
        entry, label = self.entries[name], sample.label()
        marks = _marks(label)
        if sorted(marks) != entry["after"]:
            raise InlayError(
                f"{self.file}: {name} has been changed since it was fixed: it cannot be undone by itself"
            )
        place = {mark: row for row, mark in enumerate(marks)}
        rows = [_row(label, place[row]) if isinstance(row, str) else row for row in entry["rows"]]
        return sample.replace(segmentation=_label(label, rows, (entry["size"][0], entry["size"][1])))


def _label(like: Segmentation, rows: list[Mapping[str, Any]], size: tuple[int, int]) -> Segmentation:
    if not rows:
        return Segmentation.empty(like.classes, size)
    columns: dict[str, Any] = {
        name: np.array([row[name] for row in rows]) for name in (*COLUMNS, "stated_box") if name in rows[0]
    }
    if "amodal" in rows[0]:
        columns["amodal"] = Masks.from_strings([row["amodal"] for row in rows], size)
    return Segmentation(
        like.classes,
        Masks.from_strings([row["mask"] for row in rows], size),
        np.array([like.classes.row(row["class"]) for row in rows], np.int32),
        tags=tuple(frozenset(row["tags"]) for row in rows),
        image_tags=like.image_tags,
        **columns,
    )
