"""What cheaper labels cost in quality.

    python benchmarks/weak_labels.py nuclei DATA    # masks, boxes, points and mixtures
    python benchmarks/weak_labels.py teacher        # a tenth of the labels, with and without the other images
    python benchmarks/weak_labels.py adapt          # labels of one look, pictures of another

Each row is one training of the same length from scratch, on one thread. What changes is what is labelled.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from inlay import Dataset, Sample, Segmentation, read, train
from inlay.core.partial import only_boxes, rectangles, separated, some_points
from inlay.scenes import make
from inlay.training.config import config_from
from inlay.training.examples import Examples
from inlay.training.hardware import pick_device
from inlay.training.run import Run
from inlay.training.validate import judge

Weaken = Callable[[Segmentation, int], Segmentation]
SIZE = (64, 96)
SMALL = {"widths": [8, 16, 24, 32, 48]}
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


def nuclei(data: Path, minutes: float, iterations: int | None, model: str, arms: list[str]) -> None:
    """Full masks against boxes, points and mixtures; one row for each.

    With `iterations`, so many steps of four crops of 128 x 128: for a machine that other work uses.
    """
    whole = read(data)
    length: dict[str, Any] = {"minutes": minutes}
    if iterations:
        training = {"batch": 4, "average": 0.97, "device": "cpu", "augment": {"crop": [128, 128]}}
        length = {"iterations": iterations, "config": config_from({"training": training}, model)}
    print(f"| labels, {model} | steps | val AP50 | val AP | test AP50 | test AP |")
    print("|---|---|---|---|---|---|", flush=True)
    for name, weaken in nuclei_arms().items():
        if arms and not any(arm in name for arm in arms):
            continue
        with tempfile.TemporaryDirectory() as folder:
            learnt = weakened(whole.split("train"), weaken)
            run = train(learnt, model, Path(folder) / "run", validation=whole.split("val"), **length)
            found = [figures(run, whole.split(split), "instance") for split in ("val", "test")]
            values = [each[key] for each in found for key in ("mask_AP50", "mask_AP")]
            steps = run.log[-1]["step"]
            print(f"| {name} | {steps} | " + " | ".join(f"{v:.3f}" for v in values) + " |", flush=True)


def teacher(iterations: int, seed: int) -> None:
    """A tenth of the labels, with and without the other images; and all labels."""
    whole, judges = pictures(120, 11), pictures(30, 12)
    few, rest = whole[:12], whole[12:]
    print(f"| generated streets, unet, {iterations} steps, seed {seed} | labels | mIoU | pixel accuracy |")
    print("|---|---|---|---|", flush=True)
    compared("labelled images alone", few, None, judges, iterations, seed)
    compared("with 108 unlabelled images", few, rest, judges, iterations, seed)
    compared("all labelled", whole, None, judges, iterations, seed)


def adapt(iterations: int, seed: int) -> None:
    """Labels by day, pictures of dusk without labels, judged at dusk."""
    day, night, judges = pictures(60, 21), pictures(60, 22).map(dusk), pictures(30, 23).map(dusk)
    print(f"| generated dusk, unet, {iterations} steps, seed {seed} | labels | mIoU | pixel accuracy |")
    print("|---|---|---|---|", flush=True)
    compared("day alone", day, None, judges, iterations, seed)
    compared("day, and dusk without labels", day, night, judges, iterations, seed)
    compared("day, and dusk without labels, mixed by class", day, night, judges, iterations, seed, mix=1.0)
    compared("dusk labelled", night, None, judges, iterations, seed)


def pictures(count: int, seed: int) -> Dataset:
    """Generated streets that belong to no split."""
    return Dataset.of([sample.replace(split="") for sample in make("street", count, size=SIZE, seed=seed)])


def dusk(sample: Sample) -> Sample:
    """The sample dark, blue and noisy."""
    share = (sample.pixels() / 255.0) ** 1.6 * np.array([0.45, 0.5, 0.75]) + 0.02
    rng = np.random.default_rng(len(sample.name) + int(share.sum()))
    pixels = (255 * share + rng.normal(0, 6, share.shape)).clip(0, 255).astype(np.uint8)
    return sample.replace(image=pixels)


def compared(
    name: str,
    data: Dataset,
    unlabelled: Dataset | None,
    judges: Dataset,
    iterations: int,
    seed: int,
    mix: float = 0.0,
) -> None:
    """One row: batches of eight labelled crops, or of eight and eight where there are unlabelled images."""
    training = {
        "seed": seed,
        "device": "cpu",
        "validations": 1,
        "average": 0.97,
        "batch": 8 if unlabelled is None else 16,
        "augment": {"crop": list(SIZE)},
        "teacher": {"class_mix": mix, "share": 0.0 if unlabelled is None else 0.5},
    }
    config = config_from({"training": training, "unet": SMALL}, "unet")
    with tempfile.TemporaryDirectory() as folder:
        run = train(
            data,
            "unet",
            Path(folder) / "run",
            iterations=iterations,
            config=config,
            validation=data,
            unlabelled=unlabelled,
        )
        found = figures(run, judges, "semantic")
    print(f"| {name} | {len(data)} | {found['mIoU']:.3f} | {found['pixel_accuracy']:.3f} |", flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["nuclei", "teacher", "adapt"])
    parser.add_argument("data", type=Path, nargs="?", help="of nuclei: the dataset")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--model", default="solov2", help="of nuclei")
    parser.add_argument("--arms", nargs="*", default=[], help="parts of the names of the rows to run")
    parser.add_argument("--iterations", type=int, help="steps; of nuclei instead of minutes")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.what == "nuclei":
        nuclei(options.data, options.minutes, options.iterations, options.model, options.arms)
    else:
        (teacher if options.what == "teacher" else adapt)(options.iterations or 150, options.seed)


if __name__ == "__main__":
    main()
