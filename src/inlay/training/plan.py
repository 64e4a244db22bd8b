"""What a run will do, settled before it starts: which images teach, which judge, how the model looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from inlay import plugins
from inlay.core.classes import Classes
from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.models.parts.targets import Facts
from inlay.models.parts.tasks import task_of
from inlay.training.config import Augment, RunConfig
from inlay.training.examples import Examples, classes_to_learn, facts_of

JUDGES = 0.1  # share of the images set aside where the data set names no validation split
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Plan:
    """A run before it starts.

    Parameters
    ----------
    config
        With everything filled in that depends on the data.
    learnt, held
        Examples to learn from, and those that judge.
    notes
        What the user should know, one sentence each.
    """

    config: RunConfig
    task: str
    classes: Classes
    learnt: Examples
    held: Examples
    facts: Facts
    notes: tuple[str, ...]


def make_plan(
    dataset: Dataset, config: RunConfig, validation: Dataset | None, progress: Progress | None
) -> Plan:
    """Divide the data, read it once, and fit the model's settings to it.

    Raises
    ------
    InlayError
        When there is nothing to learn from.
    """
    module = plugins.load("models", config.model)
    task = task_of(module.TASK, getattr(config.family, "task", ""), dataset.classes)
    classes = classes_to_learn(dataset.classes, task)
    teachers, judges, notes = divided(dataset, validation)
    settings = config.training
    learnt, held = (Examples(part, classes, settings.cache_megabytes) for part in (teachers, judges))
    dropped = learnt.drop_unlabelled()
    held.drop_unlabelled()
    if dropped:
        notes.append(f"{dropped} training images have no label and were left out.")
    if not len(learnt):
        raise InlayError("none of the training images is labelled: label some first")
    facts = facts_of(learnt, lambda done, total: progress(done, total, "reading") if progress else None)
    seen = facts.pixels.any() or (task != "semantic" and facts.things.any())
    if not seen:
        raise InlayError(
            f"the {len(learnt)} training images show no pixel of any class ({', '.join(classes.names)}): "
            "label some first"
        )
    if facts.partial:
        notes.append(partial_note(config.model, task, facts))
    absent = [name for name, *shown in zip(classes.names, facts.pixels, facts.things) if not any(shown)]
    if absent:
        notes.append(f"Not in the training images, so never learnt: {', '.join(absent)}.")
    training = replace(settings, augment=fitted(settings.augment, facts.largest))
    resolved = replace(config, family=module.adapt(config.family, facts), training=training)
    return Plan(resolved, task, classes, learnt, held, facts, tuple(notes))


def partial_note(model: str, task: str, facts: Facts) -> str:
    """What becomes of things without whole masks.

    Raises
    ------
    InlayError
        When the family cannot learn from them.
    """
    count = f"{facts.partial} of {facts.things.sum()} things have a box or some points, not a whole mask"
    if task == "semantic":
        return f"{count}: what nobody said of their pixels is left out."
    if not getattr(plugins.load("models", model), "PARTIAL", False):
        able = [name for name in plugins.names("models") if hasattr(plugins.load("models", name), "PARTIAL")]
        raise InlayError(
            f"{count}, and {model} learns from masks only: train {', '.join(able)}, or draw them"
        )
    return f"{count}: their masks are learnt from boxes, colours and what is said."


def fitted(augment: Augment, largest: tuple[int, int]) -> Augment:
    """The augmentation with a crop no larger than the largest image (up to 32): padding teaches nothing."""
    height, width = (min(crop, -(-side // 32) * 32) for crop, side in zip(augment.crop, largest))
    return replace(augment, crop=(height, width))


def divided(dataset: Dataset, validation: Dataset | None) -> tuple[Dataset, Dataset, list[str]]:
    """(to learn from, to judge by, notes). Images of the split "test" are in neither."""
    open_names = [name for name in dataset.names if dataset.splits.get(name, "") != "test"]
    if not open_names:
        raise InlayError('there is no image to learn from: all are in the split "test", or there are none')
    usable = dataset.only(open_names)
    splits = {usable.splits.get(name, "") for name in open_names}
    teachers = usable.split("train") if "train" in splits else usable
    if validation is not None:
        return teachers, validation, []
    if "train" in splits and "val" in splits:
        return teachers, usable.split("val"), []
    parts = teachers.divide({"val": JUDGES, "train": 1 - JUDGES})
    if len(parts["val"]) and len(parts["train"]):
        note = (
            f"No split names validation images: {len(parts['val'])} of {len(teachers)} were set aside by lot."
        )
        return parts["train"], parts["val"], [note]
    return (
        teachers,
        teachers,
        ["Too few images to set any aside: the model is judged on the ones it learns from."],
    )


def spread(count: int, most: int) -> list[int]:
    """At most `most` places among `count`, evenly spread."""
    return sorted({int(place) for place in np.linspace(0, count - 1, min(count, most)).round()})
