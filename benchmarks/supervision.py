"""What cheaper labels cost in quality: python benchmarks/supervision.py nuclei DATA.

Each row is one training of the same length from scratch, on one thread. What changes is what is labelled.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from inlay import Dataset, Segmentation, read, train
from inlay.core.partial import only_boxes, rectangles, separated, some_points
from inlay.training.examples import Examples
from inlay.training.hardware import pick_device
from inlay.training.run import Run
from inlay.training.validate import judge

Weaken = Callable[[Segmentation, int], Segmentation]
SHARE = 5  # of the images, one in so many keeps its masks


def nuclei_arms() -> dict[str, Weaken]:
    """Ways to label the same images, by name; the number is that of the image."""
    return {
        "masks for all": lambda label, _: label,
        "boxes for all": lambda label, _: only_boxes(label),
        "boxes for all, masks in 20 % of the images": lambda label, place: (
            only_boxes(label) if place % SHARE else label
        ),
        "masks in 20 % of the images, the others unlabelled": lambda label, place: (
            label[:0] if place % SHARE else label
        ),
        "boxes and a map of classes": lambda label, _: separated(only_boxes(label), label),
        "10 points in each box": lambda label, place: some_points(label, 10, place),
        "boxes, filled (no method)": lambda label, _: label.replace(
            masks=rectangles(label.masks.box(), label.size)
        ),
    }


def weakened(data: Dataset, weaken: Weaken) -> Dataset:
    """The images with labels of one kind; images without labels are left out."""
    made = []
    for place, sample in enumerate(data):
        label = weaken(sample.label(), place)
        if len(label):
            made.append(sample.replace(segmentation=label))
    return Dataset.of(made)


def figures(run: Run, judges: Dataset, task: str) -> dict[str, float]:
    """How well a run does on all images of a set."""
    examples = Examples(judges, run.classes, 500)
    places = range(len(judges))
    return judge(run.network(), examples, places, task, pick_device("cpu"), "float32").figures


def nuclei(data: Path, minutes: float, model: str, arms: list[str]) -> None:
    """Full masks against boxes, points and mixtures; one row for each."""
    whole = read(data)
    print(f"| labels, {model}, {minutes:g} minutes | steps | val AP50 | val AP | test AP50 | test AP |")
    print("|---|---|---|---|---|---|", flush=True)
    for name, weaken in nuclei_arms().items():
        if arms and not any(arm in name for arm in arms):
            continue
        with tempfile.TemporaryDirectory() as folder:
            learnt = weakened(whole.split("train"), weaken)
            run = train(learnt, model, Path(folder) / "run", minutes=minutes, validation=whole.split("val"))
            found = [figures(run, whole.split(split), "instance") for split in ("val", "test")]
            values = [each[key] for each in found for key in ("mask_AP50", "mask_AP")]
            steps = run.log[-1]["step"]
            print(f"| {name} | {steps} | " + " | ".join(f"{v:.3f}" for v in values) + " |", flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["nuclei"])
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--model", default="solov2")
    parser.add_argument("--arms", nargs="*", default=[], help="parts of the names of the rows to run")
    options = parser.parse_args()
    torch.set_num_threads(1)
    nuclei(options.data, options.minutes, options.model, options.arms)


if __name__ == "__main__":
    main()
