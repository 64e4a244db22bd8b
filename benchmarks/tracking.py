"""Tracks on generated streets: perfect masks, each hidden in a share of its frames; then on DAVIS sequences.

    python benchmarks/tracking.py --videos 6 --frames 40

The truth has the numbers of the generator; the tracker sees masks without numbers.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np

import bench
from inlay import Classes, Dataset, Masks, Sample, Segmentation
from inlay.core.images import read_image
from inlay.measure import Tracking, track
from inlay.metrics import score
from inlay.scenes import make

SIZE = (180, 240)
STRETCH = 5
FIGURES = ("HOTA", "DetA", "AssA", "IDF1", "MOTSA")


def hidden_streets(
    videos: int, frames: int, share: float, stretch: int, seed: int
) -> tuple[Dataset, Dataset]:
    """Truth of what is seen, and the same masks without numbers."""
    random = np.random.default_rng(seed)
    truth, unnumbered = [], []
    left: dict[tuple[str, int], int] = {}
    for sample in make("street", videos * frames, size=SIZE, frames=frames, seed=seed):
        label = sample.label()
        keep = np.ones(len(label), bool)
        for row in np.flatnonzero(label.is_thing):
            key = sample.group, int(label.instance_id[row])
            if left.get(key, 0) == 0 and random.random() < share / (stretch * (1 - share)):
                left[key] = stretch
            if left.get(key, 0):
                left[key] -= 1
                keep[row] = False
        seen = label[keep]
        truth.append(sample.replace(segmentation=seen))
        unnumbered.append(
            sample.replace(segmentation=seen.replace(instance_id=np.zeros(len(seen), np.int32), score=None))
        )
    classes = truth[0].label().classes
    return Dataset.of(truth, classes), Dataset.of(unnumbered, classes)


def davis(folder: Path) -> tuple[Dataset, Dataset]:
    """Three sequences with one object each, in which nothing hides: every fifth frame has no mask for it."""
    classes = Classes.of("object")
    truth, unnumbered = [], []
    for sequence in sorted((folder / "Annotations" / "480p").iterdir()):
        for number, file in enumerate(sorted(sequence.glob("*.png"))):
            mask = read_image(file).any(axis=2)
            label = Segmentation(classes, Masks.encode(mask), np.zeros(1, np.int32), np.ones(1, np.int32))
            image = folder / "JPEGImages" / "480p" / sequence.name / f"{file.stem}.jpg"
            if number % 5 == 4:
                label = label[:0]
            sample = Sample(f"{sequence.name}/{file.stem}", image, label, group=sequence.name, frame=number)
            truth.append(sample)
            blank = label.replace(instance_id=np.zeros(len(label), np.int32))
            unnumbered.append(sample.replace(segmentation=blank))
    return Dataset.of(truth, classes), Dataset.of(unnumbered, classes)


def row(name: str, truth: Dataset, unnumbered: Dataset, config: Tracking) -> list[str]:
    """Figures of one workload."""
    start = time.process_time()
    tracked = track(unnumbered, config)
    spent = (time.process_time() - start) / len(truth)
    scored = tracked.map(
        lambda sample: sample.replace(segmentation=sample.label().replace(score=np.ones(len(sample.label()))))
    )
    found = score(truth, scored, metrics=["tracking"], intervals=False)
    return [name, *(f"{found[figure]:.3f}" for figure in FIGURES), f"{1000 * spent:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--videos", type=int, default=6)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    rows = []
    for name, stretch in (("scattered", 1), ("stretches", STRETCH)):
        truth, unnumbered = hidden_streets(
            options.videos, options.frames, options.share, stretch, options.seed
        )
        for colour in (True, False):
            words = f"street, {name}, {'colour and place' if colour else 'place alone'}"
            rows.append(row(words, truth, unnumbered, Tracking(colour=colour)))
    folder = Path(os.environ.get("INLAY_SHARED", bench.ROOT.parent / "shared")) / "data" / "davis2016_val"
    if folder.is_dir():
        rows.append(row("DAVIS 2016, three sequences", *davis(folder), Tracking()))
    header = ["masks", *FIGURES, "ms CPU a frame"]
    words = (
        f"Perfect masks without numbers, each thing hidden in {options.share:.0%} of its frames, singly "
        "(scattered) or five in a row (stretches); DAVIS: every object in every fifth frame."
    )
    bench.report("tracking", "Tracking", words, header, rows, ())


if __name__ == "__main__":
    main()
