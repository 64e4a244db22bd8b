"""What a run will do, settled before it starts: which images teach, which judge, how the model looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from inlay import plugins
from inlay.core.classes import Classes
from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.models.parts.targets import Facts
from inlay.models.parts.tasks import task_of
from inlay.training.config import Augment, RunConfig, Training
from inlay.training.examples import Examples, blank_example, classes_to_learn, facts_of
from inlay.training.sampling import repeats

SHARE = 0.5  # of a batch that comes from unlabelled images when nobody says
JUDGES = 0.1  # share of the images set aside where the data set names no validation split
LARGE = 20_000_000  # pixels of an image that takes long to read
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
    unlabelled
        Examples that the running average of the network labels.
    """

    config: RunConfig
    task: str
    classes: Classes
    learnt: Examples
    held: Examples
    facts: Facts
    notes: tuple[str, ...]
    unlabelled: Examples | tuple[()] = ()

    @property
    def often(self) -> NDArray[np.float64]:
        """(N,) how often each example comes in a pass."""
        return repeats(self.facts.shown, self.config.training.rare)


def make_plan(
    dataset: Dataset,
    config: RunConfig,
    validation: Dataset | None,
    progress: Progress | None,
    unlabelled: Dataset | None = None,
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
    if unlabelled is not None and not settings.teacher.share:
        settings = replace(settings, teacher=replace(settings.teacher, share=SHARE))
    blank = without_labels(teachers, unlabelled, classes, settings)
    learnt, held = (Examples(part, classes, settings.cache_megabytes) for part in (teachers, judges))
    dropped = learnt.drop_unlabelled()
    held.drop_unlabelled()
    if len(blank):
        if task == "panoptic":
            raise InlayError(
                "images without labels teach semantic and instance families only: train one of those, or "
                "leave them out (training.teacher.share = 0)"
            )
        notes.append(
            f"{len(blank)} images without labels are learnt from as the model itself labels them: "
            f"{settings.unlabelled} of the {settings.batch} crops of a batch."
        )
    elif settings.teacher.share:
        raise InlayError(
            "training.teacher.share asks for images without labels, and there are none: name some with "
            "--unlabelled PATH (unlabelled=dataset), or set it to 0"
        )
    elif dropped:
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
    if learnt.megabytes_beyond and facts.largest[0] * facts.largest[1] > LARGE:
        enough = settings.cache_megabytes + learnt.megabytes_beyond
        notes.append(
            f"Images of up to {facts.largest[1]}x{facts.largest[0]} pixels are read whole for each crop: "
            f"training.cache_megabytes = {enough} (now {settings.cache_megabytes}) would keep them in memory."
        )
    training = replace(settings, augment=fitted(settings.augment, facts.largest))
    resolved = replace(config, family=module.adapt(config.family, facts), training=training)
    return Plan(resolved, task, classes, learnt, held, facts, tuple(notes), blank)


def without_labels(
    teachers: Dataset, unlabelled: Dataset | None, classes: Classes, settings: Training
) -> Examples | tuple[()]:
    """The images for the teacher to label: those given, else those of the training part that have no label.

    Raises
    ------
    InlayError
        When a batch of one crop leaves no room for them.
    """
    if not settings.teacher.share:
        return ()
    if not settings.unlabelled:
        raise InlayError(
            f"training.batch is {settings.batch}: a crop without a label needs one with a label beside it; "
            "set it to 2 or more, and training.teacher.share to 0.5"
        )
    if unlabelled is None:
        names = [name for name in teachers.names if teachers[name].segmentation is None]
        blank = teachers.only(names)
    else:
        splits = unlabelled.splits
        names = [name for name in unlabelled.names if splits.get(name, "") != "test"]
        blank = unlabelled.only(names)
    return Examples(blank, classes, settings.cache_megabytes, blank_example) if len(blank) else ()


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
