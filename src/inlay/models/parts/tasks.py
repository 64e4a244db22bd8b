"""What a family finds: one segment a class, one a thing, or both at once."""

from __future__ import annotations

from typing import Literal

from inlay.core.classes import Classes

Task = Literal["semantic", "instance", "panoptic"]
ChosenTask = Literal["", "semantic", "instance", "panoptic"]


def task_of(task: str, chosen: str, classes: Classes) -> str:
    """The task of a family on these classes.

    Parameters
    ----------
    task
        Its `TASK`; that of a family which does all three is "any".
    chosen
        What its settings say; "" leaves it to the kinds of the classes: with things and stuff it is panoptic.
    """
    if task != "any":
        return task
    if chosen:
        return chosen
    stuff = ~classes.is_thing & ~classes.is_void
    if not stuff.any():
        return "instance"
    return "panoptic" if classes.is_thing.any() else "semantic"
