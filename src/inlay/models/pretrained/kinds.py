"""Classes of pretrained networks: names stand in the folder; what is a thing and what stuff does not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from inlay.core.classes import Classes, Kind, SegmentClass

TASKS = ("semantic", "instance", "panoptic")
COCO_ENDS = ("-merged", "-stuff", "-other", "-wood", "-brick", "-stone", "-tile", "-blind")
COCO_STUFF = (  # of COCO panoptic, with the endings above
    "banner blanket bridge cardboard counter curtain flower fruit gravel house light net pillow platform "
    "playingfield railroad river road roof sand sea shelf snow stairs tent towel"
)


def task_named(folder: Path, where: Path | str) -> str:
    """The task that the name of a folder or of a hub repository tells, as those of published networks do."""
    words = [str(where).rsplit("/", 1)[-1], folder.resolve().name]
    return next((task for word in words for task in TASKS if task in word.lower()), "")


def classes_named(names: Mapping[int, str], task: str) -> Classes:
    """Classes in the order of their numbers; a name that stands twice gets its number.

    Where both kinds may be, the stuff of COCO and of Cityscapes is known; all else is a thing.
    """
    rows: list[SegmentClass] = []
    seen: set[str] = set()
    for number in range(max(names, default=-1) + 1):
        name = str(names.get(number, f"class {number}"))
        name = f"{name} {number}" if name in seen else name
        seen.add(name)
        rows.append(SegmentClass(name, _kind(name, task), source_id=number))
    return Classes(tuple(rows))


def _kind(name: str, task: str) -> Kind:
    if task == "semantic":
        return "stuff"
    if task == "instance":
        return "thing"
    from inlay.formats.parts.cityscapes_classes import CLASSES as CITYSCAPES  # formats want more than torch

    known = name in CITYSCAPES.names and not CITYSCAPES.is_thing[CITYSCAPES.row(name)]
    return "stuff" if known or name in COCO_STUFF.split() or name.endswith(COCO_ENDS) else "thing"
