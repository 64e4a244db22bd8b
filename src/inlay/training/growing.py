"""Growing: a model trained on an eighth, a quarter, half and all of the labels, judged on the same images."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from inlay import plugins
from inlay.core.dataset import Dataset
from inlay.core.errors import InlayError
from inlay.models.parts.tasks import task_of
from inlay.training.checkpoint import write_text
from inlay.training.config import Config
from inlay.training.examples import Examples
from inlay.training.hardware import pick_device, quiet_threads
from inlay.training.loop import train
from inlay.training.plan import Progress
from inlay.training.run import Run
from inlay.training.validate import judge

SHARES = (1 / 8, 1 / 4, 1 / 2, 1.0)
JUDGED = {"train": 0.7, "val": 0.1, "test": 0.2}  # where the dataset names no splits


@dataclass(frozen=True)
class Point:
    """The score that so many labelled images gave."""

    images: int
    score: float


def grow(
    dataset: Dataset,
    model: str,
    out: Path,
    *,
    minutes: float | None = None,
    iterations: int | None = None,
    shares: Sequence[float] = SHARES,
    config: Config = None,
    progress: Progress | None = None,
) -> list[Point]:
    """Train on growing parts, each within the next, and write `scores.csv` for `inlay advise curve`.

    The images of the split "test" judge (or else of "val"); without splits a fifth of the images is set
    aside. Groups never part: frames of one video are learnt together or not at all. Runs that are there
    already are kept, so that the same command goes on after a kill.

    Parameters
    ----------
    out
        Folder for `scores.csv` and a run folder for each part.
    minutes, iterations
        Time of all trainings together, or steps of each.
    shares
        Of the images to learn from, rising.

    Raises
    ------
    InlayError
        When there are too few labelled images to tell the parts apart.
    """
    teachers, chooser, judges = _divided(_labelled(dataset))
    parts = nested(teachers, shares)
    sizes = [len(part) for part in parts]
    if len(set(sizes)) < len(sizes) or sizes[0] == 0:
        raise InlayError(
            f"parts of {', '.join(map(str, sizes))} images say nothing of growth: label more images, or more "
            "groups (all images of a group go together)"
        )
    each = None if minutes is None else minutes / len(parts)
    points: list[Point] = []
    for number, part in enumerate(parts):

        def step(done: int, total: int, words: str, *, before: int = number) -> None:
            if progress:
                progress(before * total + done, len(parts) * total, f"{len(parts[before])} images: {words}")

        run = train(
            part,
            model,
            out / f"images_{len(part)}",
            minutes=each,
            iterations=iterations,
            config=config,
            validation=chooser,
            progress=step,
        )
        points.append(Point(len(part), _score(run, judges)))
        _write(out / "scores.csv", points)
    return points


def nested(dataset: Dataset, shares: Sequence[float]) -> list[Dataset]:
    """Parts of a dataset, each within the next; the lot of a group decides when it comes in."""
    groups: dict[str, list[str]] = {}
    for name in dataset.names:
        groups.setdefault(dataset[name].group or name, []).append(name)
    order = [name for group in sorted(groups, key=_lot) for name in groups[group]]
    ends = [0]
    for group in sorted(groups, key=_lot):
        ends.append(ends[-1] + len(groups[group]))
    parts = []
    for share in shares:
        wanted = share * len(order)
        parts.append(dataset.only(order[: min(ends, key=lambda end: (abs(end - wanted), -end))]))
    return parts


def _lot(group: str) -> bytes:
    return hashlib.blake2b(group.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _labelled(dataset: Dataset) -> Dataset:
    return dataset.filter(lambda sample: sample.segmentation is not None)


def _divided(dataset: Dataset) -> tuple[Dataset, Dataset, Dataset]:
    """(to learn from, to choose weights by, to judge by)."""
    named = set(dataset.splits.values())
    if "train" not in named or not named & {"val", "test"}:
        parts = dataset.divide(JUDGED)
        if not all(len(part) for part in parts.values()):
            raise InlayError(
                f"{len(dataset)} labelled images are too few to learn from some and judge by others"
            )
        return parts["train"], parts["val"], parts["test"]
    chooser = dataset.split("val" if "val" in named else "test")
    return dataset.split("train"), chooser, dataset.split("test" if "test" in named else "val")


def _score(run: Run, judges: Dataset) -> float:
    """The decisive figure of a run on images that it never saw, or that only chose its weights."""
    examples = Examples(judges, run.classes, run.config.training.cache_megabytes)
    declared = plugins.load("models", run.config.model).TASK
    task = task_of(declared, getattr(run.config.family, "task", ""), run.classes)
    device: torch.device = pick_device(run.config.training.device)
    with quiet_threads():
        network = run.network().to(device)
        return judge(network, examples, range(len(judges)), task, device, "float32").decisive


def _write(path: Path, points: Sequence[Point]) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["images", "score"])
    rows.writerows([point.images, f"{point.score:.6f}"] for point in points)
    write_text(path, text.getvalue())
